"""Makers of values with a fixed clock, for every test."""

from __future__ import annotations

from typing import Any

from collector.model import Content, Message, Rank, Reading, SpanPart, Usage

T0 = 1_795_000_000_000_000_000
MS = 1_000_000
TRACE = "0af7651916cd43dd8448eb211c80319c"


def span_id(n: int) -> str:
    return f"{n:016x}"


def trace_id(n: int) -> str:
    return f"{n:032x}"


def make_part(n: int = 1, *, parent: int | None = None, trace: str = TRACE, **fields: Any) -> SpanPart:
    """A finished span of 100 ms that starts n ms after T0, with the given fields."""
    start = fields.pop("start_ns", T0 + n * MS)
    end = fields.pop("end_ns", start + 100 * MS if start is not None else None)
    rank = fields.pop("rank", Rank.FINISHED if end is not None else Rank.STARTED)
    return SpanPart(
        trace_id=trace,
        span_id=span_id(n),
        parent_id=None if parent is None else span_id(parent),
        rank=rank,
        at_ns=fields.pop("at_ns", end or start or T0),
        name=fields.pop("name", f"span {n}"),
        start_ns=start,
        end_ns=end,
        **fields,
    )


def make_started(n: int = 1, **fields: Any) -> SpanPart:
    """The same span when it has just started."""
    return make_part(n, end_ns=None, **fields)


def make_llm(n: int = 1, *, tokens: tuple[int, int] | None = (10, 5), **fields: Any) -> SpanPart:
    """A model call that its sender read itself."""
    reading = {
        "kind": "llm",
        "model": fields.pop("model", "gpt-4o-mini"),
        "provider": "openai",
        "usage": Usage(input_tokens=tokens[0], output_tokens=tokens[1]) if tokens else None,
        **fields.pop("reading", {}),
    }
    return make_part(n, reading=Reading(**reading), **fields)


def user(text: str) -> Message:
    return Message("user", ({"type": "text", "text": text},))


def assistant(text: str) -> Message:
    return Message("assistant", ({"type": "text", "text": text},))


def conversation(*messages: Message) -> Content:
    return Content(messages=messages)
