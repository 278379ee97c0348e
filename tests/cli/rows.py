"""Rows made by hand, one trace of one span; every field can be overridden."""

from __future__ import annotations

from typing import Any

from collector.model import Resource, Scope, Usage
from collector.store.rows import SpanDetail, SpanRow, TraceRow

TRACE_ID = "a" * 32
SPAN_ID = "a" * 16
START = 1_767_323_045_000_006_000  # 2026-01-02T03:04:05.000006Z


def make_trace_row(**given: Any) -> TraceRow:
    values: dict[str, Any] = {
        "id": 1,
        "seq": 1,
        "trace_id": TRACE_ID,
        "name": "weather_agent",
        "status": "ok",
        "start_ns": START,
        "end_ns": START + 1_000_000,
        "duration_ns": 1_000_000,
        "service": "shop",
        "session_id": "thread-42",
        "user_id": "user-7",
        "environment": "prod",
        "release": None,
        "project": None,
        "level": None,
        "tags": ("demo",),
        "metadata": {"plan": "pro"},
        "models": ("gpt-4o",),
        "span_count": 1,
        "running_count": 0,
        "error_count": 0,
        "llm_calls": 1,
        "tool_calls": 0,
        "unpriced_calls": 0,
        "cost_nanousd": None,
        "usage": Usage(),
        "input_preview": None,
        "output_preview": None,
    }
    return TraceRow(**values | given)


def make_span_row(**given: Any) -> SpanRow:
    values: dict[str, Any] = {
        "id": 1,
        "seq": 1,
        "trace_id": TRACE_ID,
        "span_id": SPAN_ID,
        "parent_id": None,
        "name": "chat gpt-4o",
        "kind": "llm",
        "status": "ok",
        "start_ns": START,
        "end_ns": START + 1_000_000,
        "ttft_ns": None,
        "service": "shop",
        "provider": "openai",
        "model": "gpt-4o",
        "input_tokens": 10,
        "output_tokens": 2,
        "cache_read_tokens": None,
        "cost_nanousd": 1_500_000,
        "counted": True,
        "session_id": "thread-42",
        "user_id": "user-7",
        "tool_name": None,
        "error_type": None,
        "status_message": None,
    }
    return SpanRow(**values | given)


def make_detail(row: SpanRow | None = None, **given: Any) -> SpanDetail:
    nothing = dict.fromkeys(
        """operation request_model response_id convention params cost_source input output tool tool_definitions
        prompt_name prompt_version agent_name environment release project level metadata replay_of""".split()
    )
    empty = dict.fromkeys("system documents finish_reasons tags notes events links logs scores".split(), ())
    values: dict[str, Any] = nothing | empty | {"attributes": {}, "resource": Resource(), "scope": Scope()}
    values["usage"] = Usage(input_tokens=10, output_tokens=2)
    return SpanDetail(row=row or make_span_row(), **values | given)
