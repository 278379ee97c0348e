"""Rows to the public JSON shapes: what every `--json` prints. Pure.

Fields may be added, never renamed. Unknown is null, never 0. Times are RFC 3339 in UTC beside Unix
nanoseconds, money is US dollars. Bytes become base64 text and NaN or infinity their names, as in OTLP's
JSON, so that every document is strict JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from collector.export.telling import jsonable
from collector.model import Score, Usage
from collector.signals import Signal
from collector.store.rows import SearchHit, SessionRow, SpanDetail, SpanRow, TraceRow
from tracetui.pieces import (
    Json,
    document_json,
    event_json,
    link_json,
    log_json,
    score_json,
    side_json,
    tool_json,
    trace_sides,
)


def trace_json(
    row: TraceRow,
    scores: Iterable[Score] = (),
    spans: Sequence[SpanDetail] | None = None,
    signals: Sequence[Signal] = (),
) -> Json:
    """One trace. With `spans` (pre-order) it is what `show` prints: they are added, and `input` and `output`
    are whole, and so are `signals`, each with its evidence; without, they are the previews of a list (one line, at
    most 200 characters), and the names of its signals."""
    shape = {
        "trace_id": row.trace_id,
        "name": row.name,
        "status": row.status,
        "scores": [score_json(score) for score in scores],
        "start": rfc3339(row.start_ns),
        "start_ns": row.start_ns,
        "end_ns": row.end_ns,
        "duration_ns": row.duration_ns,
        "session_id": row.session_id,
        "user_id": row.user_id,
        "service": row.service,
        "environment": row.environment,
        "release": row.release,
        "project": row.project,
        "level": row.level,
        "tags": list(row.tags),
        "metadata": jsonable(row.metadata),
        "span_count": row.span_count,
        "running_count": row.running_count,
        "llm_calls": row.llm_calls,
        "tool_calls": row.tool_calls,
        "error_count": row.error_count,
        "models": list(row.models),
        "usage": usage_json(row.usage),
        "cost_usd": dollars(row.cost_nanousd),
        "unpriced_calls": row.unpriced_calls,
        "signals": list(row.signals),
        "input": _preview_json(row.input_preview),
        "output": _preview_json(row.output_preview),
    }
    if spans is not None:
        shape["input"], shape["output"] = trace_sides(spans)
        shape["signals"] = [signal_json(signal) for signal in signals]
        by_span: dict[str, list[str]] = {}
        for signal in signals:
            by_span.setdefault(signal.span_id, []).append(signal.kind)
        shape["spans"] = [
            span_json(span) | {"signals": list(dict.fromkeys(by_span.get(span.row.span_id, ())))} for span in spans
        ]
    return shape


def signal_json(signal: Signal) -> Json:
    """One thing that looks wrong; `spans` names what else belongs to it, `value` the value in question."""
    return {
        "signal": signal.kind,
        "span_id": signal.span_id,
        "evidence": signal.text,
        "spans": list(signal.spans),
        "value": signal.value or None,
    }


def span_row_json(row: SpanRow) -> Json:
    """One span without its content, as `spans` lists it. `usage` has the tokens a list knows."""
    return {
        "trace_id": row.trace_id,
        "span_id": row.span_id,
        "parent_span_id": row.parent_id,
        "name": row.name,
        "kind": row.kind,
        "status": row.status,
        "status_message": row.status_message,
        "error_type": row.error_type,
        "start": rfc3339(row.start_ns),
        "start_ns": row.start_ns,
        "end_ns": row.end_ns,
        "duration_ns": None if row.end_ns is None else row.end_ns - row.start_ns,
        "ttft_ns": row.ttft_ns,
        "service": row.service,
        "provider": row.provider,
        "model": row.model,
        "usage": {
            "input_tokens": row.input_tokens,
            "output_tokens": row.output_tokens,
            "cache_read_tokens": row.cache_read_tokens,
        },
        "cost_usd": dollars(row.cost_nanousd),
        "counted": row.counted,
        "tool_name": row.tool_name,
        "session_id": row.session_id,
        "user_id": row.user_id,
    }


def span_json(span: SpanDetail) -> Json:
    """One span with everything. `counted` is false where another span reports the same call, or its sum."""
    return span_row_json(span.row) | {
        "operation": span.operation,
        "request_model": span.request_model,
        "response_id": span.response_id,
        "params": jsonable(span.params),
        "usage": usage_json(span.usage),
        "cost_source": span.cost_source,
        "finish_reasons": list(span.finish_reasons),
        "input": side_json(span.input, span.system, span.row.kind == "tool"),
        "output": side_json(span.output),
        "tool": tool_json(span.tool, span.row.tool_name),
        "tool_definitions": jsonable(span.tool_definitions),
        "prompt": _prompt_json(span),
        "documents": [document_json(document) for document in span.documents],
        "agent_name": span.agent_name,
        "environment": span.environment,
        "release": span.release,
        "project": span.project,
        "level": span.level,
        "tags": list(span.tags),
        "metadata": jsonable(span.metadata),
        "scores": [score_json(score) for score in span.scores],
        "events": [event_json(event) for event in span.events],
        "links": [link_json(link) for link in span.links],
        "logs": [log_json(record) for record in span.logs],
        "attributes": jsonable(span.attributes),
        "resource": jsonable(span.resource.attributes),
        "scope": {"name": span.scope.name, "version": span.scope.version},
        "convention": span.convention,
        "notes": list(span.notes),
        "replay_of": span.replay_of,
        "source_id": span.source_id,
    }


def session_json(row: SessionRow) -> Json:
    """One session: sums over its traces; `first` and `last` are starts of traces."""
    return {
        "session_id": row.session_id,
        "user_id": row.user_id,
        "first": rfc3339(row.first_ns),
        "first_ns": row.first_ns,
        "last": rfc3339(row.last_ns),
        "last_ns": row.last_ns,
        "trace_count": row.trace_count,
        "span_count": row.span_count,
        "llm_calls": row.llm_calls,
        "tool_calls": row.tool_calls,
        "error_count": row.error_count,
        "usage": usage_json(row.usage),
        "cost_usd": dollars(row.cost_nanousd),
        "unpriced_calls": row.unpriced_calls,
    }


def hit_json(hit: SearchHit) -> Json:
    """One span that a search found; `marks` are (start, end) character ranges within `snippet`."""
    return {
        "trace_id": hit.trace_id,
        "span_id": hit.span_id,
        "name": hit.name,
        "kind": hit.kind,
        "start": rfc3339(hit.start_ns),
        "start_ns": hit.start_ns,
        "snippet": hit.snippet,
        "marks": [list(mark) for mark in hit.marks],
    }


def usage_json(usage: Usage) -> Json:
    return asdict(usage)


def dollars(nanousd: int | None) -> float | None:
    return None if nanousd is None else nanousd / 1_000_000_000


def rfc3339(time_ns: int | None) -> str | None:
    """UTC to the microsecond, e.g. 2026-01-02T03:04:05.678901Z; the nanoseconds stand beside it."""
    if time_ns is None:
        return None
    try:
        moment = datetime.fromtimestamp(time_ns // 1_000_000_000, UTC)
    except (OverflowError, OSError, ValueError):  # a sender's broken clock: the number is still there
        return None
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{time_ns % 1_000_000_000 // 1000:06d}Z"


def _preview_json(preview: str | None) -> Json | None:
    return None if preview is None else {"value": preview}


def _prompt_json(span: SpanDetail) -> Json | None:
    if span.prompt_name is None and span.prompt_version is None:
        return None
    return {"name": span.prompt_name, "version": span.prompt_version}
