"""Traces in Chrome's trace-event JSON, for ui.perfetto.dev, chrome://tracing and speedscope.

The format: https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU. Each trace is a "process";
spans that overlap without one holding the other stand in "threads" of their own, since events of one thread must nest.
Times are microseconds since the first trace began: Unix microseconds with their nanoseconds would not fit a double.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from collector.export.plainly import json_text, line
from collector.export.telling import jsonable, message_json, moment, sides
from collector.export.whole import Told
from collector.store.rows import SpanDetail

MOST_CHARS = 20_000
"""Of one input or output: viewers hold all of it in memory, and show a line."""


def events(traces: Iterable[Told]) -> Iterator[tuple[int, bytes]]:
    """(spans in it, bytes) of one JSON document."""
    yield 0, b'{"displayTimeUnit":"ms","traceEvents":[\n'
    began: int | None = None
    first = True
    for number, told in enumerate(traces, start=1):
        began = told.row.start_ns if began is None else began
        title = f"{line(told.row.name or 'trace')} {told.row.trace_id[:8]}"
        about = [_named("process_name", number, 0, title), _named("process_sort_index", number, 0, number)]
        for spans, event in [(0, one) for one in about] + list(_trace(told, number, began)):
            yield spans, (b"" if first else b",\n") + json_text(event, indent=None).encode("utf-8", "replace")
            first = False
    said = json_text({"started": moment(began)}, indent=None).encode()
    yield 0, b'\n],"otherData":' + said + b"}\n"


def _named(what: str, process: int, lane: int, value: Any) -> dict[str, Any]:
    key = "name" if what.endswith("_name") else "sort_index"
    return {"ph": "M", "name": what, "pid": process, "tid": lane, "args": {key: value}}


def _trace(told: Told, process: int, began: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """Spans parents first, as the tree has them: a child then finds its parent's lane free where it fits."""
    lanes = Lanes()
    last = told.row.end_ns or told.row.start_ns
    for _, span in told.spans:
        row = span.row
        end = max(row.end_ns or last, row.start_ns)
        lane = lanes.place(row.span_id, row.parent_id, row.start_ns, end)
        yield 1, {
            "ph": "X", "name": line(row.name) or "(no name)", "cat": row.kind, "pid": process, "tid": lane,
            "ts": (row.start_ns - began) / 1000, "dur": (end - row.start_ns) / 1000, "args": _about(span),
        }  # fmt: skip
        for event in span.events:
            yield 0, {
                "ph": "i", "s": "t", "name": line(event.name) or "event", "cat": "event", "pid": process, "tid": lane,
                "ts": (event.time_ns - began) / 1000, "args": jsonable(event.attributes),
            }  # fmt: skip


def _about(span: SpanDetail) -> dict[str, Any]:
    row, usage = span.row, span.usage
    known = {
        "span_id": row.span_id, "parent_span_id": row.parent_id, "trace_id": row.trace_id, "status": row.status,
        "error": row.status_message or row.error_type, "model": row.model, "provider": row.provider,
        "tool": row.tool_name, "input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens,
        "cache_read_tokens": usage.cache_read_tokens,
        "cost_usd": None if row.cost_nanousd is None else row.cost_nanousd / 1e9,
        "first_token_ms": None if row.ttft_ns is None else row.ttft_ns / 1e6, "session": row.session_id,
        "user": row.user_id, **{name: _cut(messages, value) for name, messages, value in sides(span)},
    }  # fmt: skip
    return {name: value for name, value in known.items() if value is not None}


def _cut(messages: list[Any], value: Any) -> Any:
    whole = [message_json(message) for message in messages] if messages else jsonable(value)
    text = whole if isinstance(whole, str) else json_text(whole, indent=None)
    if len(text) <= MOST_CHARS:
        return whole
    return f"{text[:MOST_CHARS]}… {len(text) - MOST_CHARS} more characters"


class Lanes:
    """Puts spans into lanes in which every two of them nest or do not meet. In a lane starts only grow, so that what
    is still open there is a stack."""

    def __init__(self) -> None:
        self._open: list[list[int]] = []
        self._last: list[int] = []
        self._lane_of: dict[str, int] = {}

    def place(self, span_id: str, parent_id: str | None, start: int, end: int) -> int:
        """The lane of a span, counted from 1: its parent's if it fits there, else the first that has room."""
        near = self._lane_of.get(parent_id or "")
        order = ([near] if near is not None else []) + list(range(len(self._open)))
        lane = next((one for one in order if self._fits(one, start, end)), len(self._open))
        if lane == len(self._open):
            self._open.append([])
            self._last.append(start)
        self._open[lane].append(end)
        self._last[lane] = start
        self._lane_of[span_id] = lane
        return lane + 1

    def _fits(self, lane: int, start: int, end: int) -> bool:
        if start < self._last[lane]:
            return False
        ends = self._open[lane]
        while ends and ends[-1] <= start:
            ends.pop()
        return not ends or end <= ends[-1]
