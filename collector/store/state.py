"""A span as the writer holds it: one row of `spans`, ready to be compared, counted and written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any

from collector.kinds import MODEL_KINDS, USAGE_FIELDS


@dataclass(slots=True)
class SpanState:
    """The columns of `spans`, in their order (schema.sql says what they mean)."""

    id: int
    seq: int
    trace_id: str
    span_id: str
    parent_id: str | None
    name: str | None
    kind: str
    status: str
    start_ns: int | None
    end_ns: int | None
    duration_ns: int | None
    ttft_ns: int | None
    rank: int
    seen_ns: int
    process_id: str | None
    service: str | None
    operation: str | None
    provider: str | None
    model: str | None
    request_model: str | None
    response_id: str | None
    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    reasoning_tokens: int | None
    audio_input_tokens: int | None
    audio_output_tokens: int | None
    cost_nanousd: int | None
    cost_source: str | None
    counted: int
    below: int
    session_id: str | None
    user_id: str | None
    environment: str | None
    release: str | None
    project: str | None
    level: str | None
    tool_name: str | None
    agent_name: str | None
    prompt_name: str | None
    prompt_version: str | None
    error_type: str | None
    status_message: str | None
    tags: str | None
    metadata: str | None
    source_id: str | None
    trace_name: str | None = None
    call_key: str | None = None

    @property
    def carries_usage(self) -> bool:
        """Whether it reports tokens or a cost. A ghost does not, yet."""
        return self.start_ns is not None and (
            self.cost_nanousd is not None or self.input_tokens is not None or self.output_tokens is not None
        )

    @property
    def is_model_call(self) -> bool:
        return self.kind in MODEL_KINDS

    @property
    def unpriced(self) -> bool:
        """A model call that ended well, counts, and whose price nobody knows."""
        return (
            self.cost_nanousd is None
            and bool(self.counted)
            and self.kind in MODEL_KINDS
            and self.status == "ok"
            and self.start_ns is not None
        )


SPAN_COLUMNS: tuple[str, ...] = tuple(f.name for f in fields(SpanState))
row_of = attrgetter(*SPAN_COLUMNS)
_SAID = attrgetter(
    *(n for n in SPAN_COLUMNS if n not in ("id", "seq", "seen_ns", "cost_nanousd", "cost_source", "counted", "below"))
)
SUMS: tuple[str, ...] = ("cost_nanousd", *USAGE_FIELDS)
sums_of = attrgetter(*SUMS)

BODY_COLUMNS: tuple[str, ...] = (
    "id", "attributes", "events", "links", "logs", "resource", "scope", "trace_state", "flags", "otel_kind",
    "otel_status", "sent_status", "sent_message", "dropped", "at_ns", "own", "convention", "system_node",
    "in_node", "out_node", "in_value", "out_value", "in_preview", "out_preview", "params", "tool",
    "tool_definitions", "documents", "finish_reasons", "replay_of", "notes", "source_trace_id", "trace_in", "trace_out",
    "parts",
)  # fmt: skip

OF_ALL_VERSIONS = (
    tuple(name for name in SPAN_COLUMNS if name not in ("trace_name", "call_key")),
    tuple(name for name in BODY_COLUMNS if name not in ("trace_in", "trace_out")),
)
"""Those that a file of any version has: what who only reads asks for. What came since is of use to the sums alone."""

SELECTED = ", ".join([*(f"s.{name}" for name in OF_ALL_VERSIONS[0]), *(f"b.{name}" for name in OF_ALL_VERSIONS[1])])


def same_row(state: SpanState, body: Sequence[Any], old: SpanState, old_body: Sequence[Any]) -> bool:
    """Whether two spans were told the same. Content is named by what it is, so equal rows are equal spans; what only
    the file gave them (ids, prices, what counts) is no difference."""
    return body[1:] == old_body[1:] and _SAID(state) == _SAID(old) and _reported(state) == _reported(old)


def _reported(state: SpanState) -> int | None:
    return state.cost_nanousd if state.cost_source == "reported" else None


def state_and_body(row: Sequence[Any]) -> tuple[SpanState, dict[str, Any]]:
    """A row of SELECTED's columns."""
    of_span, of_body = OF_ALL_VERSIONS
    return SpanState(*row[: len(of_span)]), dict(zip(of_body, row[len(of_span) :], strict=True))
