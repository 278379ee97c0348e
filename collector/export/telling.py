"""What every export says of a trace and a span: facts in words, sides, values as JSON."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from collector.export.plainly import line
from collector.model import Message
from collector.store.rows import SpanDetail, TraceRow


def jsonable(value: object) -> Any:
    """A value of a span as strict JSON: bytes as base64, NaN and infinity by their names."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    return value


def moment(ns: int | None) -> str:
    """RFC 3339 in UTC with nanoseconds; "" when not known."""
    if ns is None:
        return ""
    seconds, rest = divmod(ns, 1_000_000_000)
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{rest:09}Z"
    except (OverflowError, ValueError, OSError):
        return str(ns)


def took(ns: int | None) -> str:
    """`310 ms`, `1.24 s`, `23 min 2 s`; "–" when not known."""
    if ns is None:
        return "–"
    if ns < 1_000_000_000:
        return f"{ns / 1e6:.3g} ms"
    seconds = ns / 1e9
    return f"{seconds:.3g} s" if seconds < 100 else f"{int(seconds) // 60} min {int(seconds) % 60} s"


def dollars(nanousd: int | None) -> str:
    """`$0.01825`, every digit that is there; "–" when not known."""
    return "–" if nanousd is None else f"${nanousd / 1e9:.9f}".rstrip("0").rstrip(".")


def facts(span: SpanDetail) -> list[str]:
    """What a call took, in a few words."""
    row, usage = span.row, span.usage
    said = [row.kind, took(None if row.end_ns is None else row.end_ns - row.start_ns)]
    if row.model:
        said.append(line(row.model))
    if usage.input_tokens is not None or usage.output_tokens is not None:
        known = ("–" if n is None else f"{n:,}" for n in (usage.input_tokens, usage.output_tokens))
        said.append("{} tokens in, {} out".format(*known))
    if usage.cache_read_tokens:
        said.append(f"{usage.cache_read_tokens:,} cached")
    if row.cost_nanousd is not None:
        said.append(dollars(row.cost_nanousd))
    if row.status != "ok":
        said.append(row.status)
    return said


def trace_facts(row: TraceRow) -> list[tuple[str, str]]:
    """(name, value) of what a trace took and whose it was; what is not known is left out."""
    usage = row.usage
    known = [
        ("trace", row.trace_id), ("started", moment(row.start_ns)), ("status", row.status),
        ("duration", took(row.duration_ns)), ("session", row.session_id), ("user", row.user_id),
        ("service", row.service), ("environment", row.environment), ("tags", ", ".join(row.tags)),
        ("models", ", ".join(row.models)), ("spans", f"{row.span_count:,}"), ("LLM calls", f"{row.llm_calls:,}"),
        ("tool calls", f"{row.tool_calls:,}"), ("errors", f"{row.error_count:,}" if row.error_count else None),
        ("tokens in", None if usage.input_tokens is None else f"{usage.input_tokens:,}"),
        ("tokens out", None if usage.output_tokens is None else f"{usage.output_tokens:,}"),
        ("cost", None if row.cost_nanousd is None else dollars(row.cost_nanousd)),
        ("unpriced calls", f"{row.unpriced_calls:,}" if row.unpriced_calls else None),
    ]  # fmt: skip
    return [(name, line(value)) for name, value in known if value]


def sides(span: SpanDetail) -> list[tuple[str, list[Message], Any]]:
    """("input" | "output", messages, else a value) of what a span was given and gave, system instructions first."""
    found: list[tuple[str, list[Message], Any]] = []
    messages = [*span.system, *(span.input.messages if span.input else ())]
    given = span.input.value if span.input else None
    made = span.output.value if span.output else None
    if span.tool is not None:
        given = span.tool.arguments if given is None and not messages else given
        made = span.tool.result if made is None else made
    if messages or given is not None:
        found.append(("input", messages, given))
    answers = list(span.output.messages) if span.output else []
    if answers or made is not None:
        found.append(("output", answers, made))
    return found


def message_json(message: Message) -> dict[str, Any]:
    """A message in the public JSON shape."""
    named = {"name": message.name} if message.name is not None else {}
    return {"role": message.role, **named, "parts": [jsonable(part) for part in message.parts]}
