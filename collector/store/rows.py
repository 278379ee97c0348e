"""What the reader hands out: frozen rows, in the order and meaning of the public JSON shapes.

Numbers are None where not known. `status` may be "abandoned" here: it is computed when read,
from the process table and the heartbeats, and never stored. Some rows are tuples: they take a
quarter of the time to make that a frozen dataclass does, and all are made before a list is shown.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collector.model import (
        Content,
        Document,
        Event,
        Link,
        LogRecord,
        Message,
        Resource,
        Scope,
        Score,
        Tool,
        Usage,
        Value,
    )


@dataclass(frozen=True, slots=True)
class TraceRow:
    """One trace, as the list shows it. `duration_ns` is None while it runs. `calls` counts LLM calls.

    `signals` names what looks wrong in it (`model.SIGNALS`), as far as it was looked at.
    `input_preview`/`output_preview` are one line of at most 200 characters, or None.
    `cost_nanousd` sums the known costs (None when none is known); `unpriced_calls` counts the others.
    """

    id: int
    seq: int
    trace_id: str
    name: str | None
    status: str
    start_ns: int
    end_ns: int | None
    duration_ns: int | None
    service: str | None
    session_id: str | None
    user_id: str | None
    environment: str | None
    release: str | None
    project: str | None
    level: str | None
    tags: tuple[str, ...]
    metadata: dict[str, Any]
    models: tuple[str, ...]
    span_count: int
    running_count: int
    error_count: int
    llm_calls: int
    tool_calls: int
    unpriced_calls: int
    cost_nanousd: int | None
    usage: Usage
    input_preview: str | None
    output_preview: str | None
    signals: tuple[str, ...] = ()


class SpanRow(NamedTuple):
    """One span without its content: what a tree row needs. A tuple, because a trace may have 100,000."""

    id: int
    seq: int
    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    kind: str
    status: str
    start_ns: int
    end_ns: int | None
    ttft_ns: int | None
    service: str | None
    provider: str | None
    model: str | None
    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    cost_nanousd: int | None
    counted: bool
    session_id: str | None
    user_id: str | None
    tool_name: str | None
    error_type: str | None
    status_message: str | None


@dataclass(frozen=True, slots=True)
class SpanDetail:
    """Everything about one span, content resolved. `attributes` are as sent, recipes and references expanded."""

    row: SpanRow
    operation: str | None
    request_model: str | None
    response_id: str | None
    convention: str | None
    params: dict[str, Value] | None
    usage: Usage
    cost_source: str | None
    system: tuple[Message, ...]
    input: Content | None
    output: Content | None
    tool: Tool | None
    tool_definitions: Value
    documents: tuple[Document, ...]
    prompt_name: str | None
    prompt_version: str | None
    agent_name: str | None
    environment: str | None
    release: str | None
    project: str | None
    level: str | None
    finish_reasons: tuple[str, ...]
    tags: tuple[str, ...]
    metadata: dict[str, Any] | None
    notes: tuple[str, ...]
    replay_of: str | None
    attributes: dict[str, Value]
    events: tuple[Event, ...]
    links: tuple[Link, ...]
    logs: tuple[LogRecord, ...]
    resource: Resource
    scope: Scope
    scores: tuple[Score, ...] = ()
    source_id: str | None = None


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One session (thread): sums over its traces, start of the first and of the last."""

    session_id: str
    user_id: str | None
    first_ns: int
    last_ns: int
    trace_count: int
    span_count: int
    error_count: int
    llm_calls: int
    tool_calls: int
    unpriced_calls: int
    cost_nanousd: int | None
    usage: Usage


class SearchHit(NamedTuple):
    """One span that a search found. `snippet` is plain text around the hit, `marks` the (start, end)
    character ranges of the hits in it."""

    trace_id: str
    span_id: str
    name: str
    kind: str
    start_ns: int
    snippet: str
    marks: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Totals:
    """How much a filter found. `cost_nanousd` is None when no cost is known; `sessions` where these were counted.

    `sampled_out` counts the spans that are in none of these sums because SDKs left them out by sampling. It is of the
    whole file, whatever the filter: nobody knows what they were about.
    """

    traces: int
    spans: int
    errors: int
    unpriced_calls: int
    cost_nanousd: int | None
    sampled_out: int = 0
    sessions: int | None = None


class Changes(NamedTuple):
    """What changed after a seq: `seq` to ask from next time, the traces touched, and whether there is more."""

    seq: int
    trace_ids: tuple[str, ...]
    more: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Where the next page of a list begins: the sort value and the tie-breaker of the last row seen. `inclusive`: that
    row is asked for again."""

    value: Any
    key: str
    inclusive: bool = False


class LedgerRow(NamedTuple):
    hour: int
    source: str
    convention: str
    outcome: str
    reason: str
    n: int
    sample: str | None


@dataclass(frozen=True, slots=True)
class FileState:
    """How a file could be opened. `note` is a sentence for people when something is off, else None."""

    path: str
    writable: bool
    note: str | None = None
    schema_version: int = 0
    missing: tuple[str, ...] = field(default_factory=tuple)
