"""The rules that both spellings of OTLP share: one place that makes a part of a span's fields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from collector.conventions.logfire import announced, without_announcement
from collector.model import Event, Link, LogRecord, Rank, Resource, Scope, SpanPart, Value
from collector.protocols.limits import SpanError

SENT_END = "tracetui.sent_end_unix_nano"
"""Attribute that keeps the end as sent where it was before the start; `encode` puts it back."""

REPEATED = "tracetui.repeated_attributes"
"""Attribute that keeps what came under a key before its last value: [{key: value}, …]; `encode` puts it back."""

NO_TRACE, NO_SPAN = "0" * 32, "0" * 16
_STATUS = {1: "ok", 2: "error"}


def span_part(
    trace_id: str,
    span_id: str,
    parent_id: str,
    name: str,
    start_ns: int,
    end_ns: int,
    attributes: dict[str, Value],
    events: tuple[Event, ...],
    links: tuple[Link, ...],
    kind: int,
    code: int,
    message: str,
    trace_state: str,
    flags: int,
    dropped: tuple[int, int, int],
    resource: Resource | None,
    scope: Scope | None,
) -> SpanPart:
    """A part from the fields of an OTLP span; 0 and "" are what is not set there.

    A span without an end is running. One that ended before it started (a clock was set back) ends when it
    started. A pending span of Logfire, child of the span it announces, becomes the start of that span.
    Raises SpanError for ids that are not of OTLP's length, or all zero.
    """
    if "logfire.span_type" in attributes and parent_id and (parent := announced(attributes)) is not None:
        span_id, parent_id, end_ns = parent_id, parent, 0
        attributes = without_announcement(attributes)
    check_ids(trace_id, span_id)
    rank = Rank.FINISHED
    if not end_ns:
        rank = Rank.STARTED
    elif end_ns < start_ns:
        attributes[SENT_END] = end_ns
        end_ns = start_ns
    return SpanPart(
        trace_id,
        span_id,
        rank,
        end_ns or start_ns,
        parent_id if parent_id and parent_id != NO_SPAN else None,
        name or None,
        start_ns or None,
        end_ns or None,
        _STATUS.get(code),
        message or None,
        kind,
        code,
        trace_state,
        flags,
        attributes,
        events,
        links,
        (),
        *dropped,
        resource,
        scope,
    )


def unique(pairs: Sequence[tuple[str, Value]]) -> dict[str, Value]:
    """The pairs as a dict. OTLP says that keys are unique: of two, the last stays, and REPEATED holds the others."""
    out = dict(pairs)
    if len(out) < len(pairs):
        last = {key: at for at, (key, _) in enumerate(pairs)}
        out[REPEATED] = [{key: value} for at, (key, value) in enumerate(pairs) if last[key] != at]
    return out


def check_ids(trace_id: str, span_id: str) -> None:
    if len(trace_id) != 32 or trace_id == NO_TRACE:
        raise SpanError(f"trace id {_wrong(trace_id, 32)}")
    if len(span_id) != 16 or span_id == NO_SPAN:
        raise SpanError(f"span id {_wrong(span_id, 16)}")


def check_log_ids(trace_id: str, span_id: str) -> None:
    """The same of a log record, which may well name no span."""
    if not span_id:
        raise SpanError("log record names no span")
    check_ids(trace_id, span_id)


def _wrong(text: str, digits: int) -> str:
    if not text:
        return "is missing"
    if not text.strip("0"):
        return "is all zero"
    return f"has {len(text)} hex digits, not {digits}"


def logs_of_spans(records: list[tuple[str, str, LogRecord]]) -> tuple[SpanPart, ...]:
    """One late part for every span that a body's log records name, in the order they were first named."""
    by_span: dict[tuple[str, str], list[LogRecord]] = {}
    for trace_id, span_id, record in records:
        said = by_span.setdefault((trace_id, span_id), [])
        before = said[-1] if said else None
        if before is not None and before.time_ns == record.time_ns:
            record = replace(record, position=before.position + 1)
        said.append(record)
    return tuple(
        SpanPart(trace, span, Rank.UPDATE, max(record.time_ns for record in said), logs=tuple(said))
        for (trace, span), said in by_span.items()
    )
