"""The values everything else speaks in. Pure: no I/O, no SQL, no wire format.

A *part* is what one message said about one span: its start, its end, a late log record.
Doors (SDK, receiver, importers) turn what they get into `SpanPart`s; the store folds all parts
of a span into one row. A part carries what was sent (`attributes`, `events`, …, kept losslessly)
and what it means (`reading`, filled by `collector.conventions` or by our own SDK).

Times are integer Unix nanoseconds, money is integer nano-dollars, ids are lower-case hex.
`None` always means "not known"; it is never 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import IntEnum
from typing import TYPE_CHECKING, Any, TypeAlias

from collector.kinds import KINDS as KINDS
from collector.kinds import MODEL_KINDS as MODEL_KINDS
from collector.kinds import SIGNALS as SIGNALS
from collector.kinds import STATUSES as STATUSES
from collector.kinds import USAGE_FIELDS as USAGE_FIELDS
from collector.kinds import Usage as Usage

if TYPE_CHECKING:
    from collector.library import Item

Value: TypeAlias = "str | bool | int | float | bytes | None | list[Value] | dict[str, Value]"
"""An attribute value: OTLP's AnyValue as Python (kvlist is a dict, array a list, unset None)."""

DERIVED_ID = "derived_id"
"""In a part of a message: its id is ours, none was sent (`collector.conventions.pairing`)."""


class Rank(IntEnum):
    """How much a part knows. The greater part wins a field; see `store.merge`."""

    GHOST = 0
    STARTED = 1
    UPDATE = 2
    FINISHED = 3


@dataclass(slots=True, unsafe_hash=True)
class Message:
    """One message of a conversation. Treated as frozen, like a `SpanPart`, and not declared so for the same reason.

    `parts` are JSON-ready dicts in the public shape, never mutated after creation:
    {"type": "text", "text"}, {"type": "reasoning", "text"},
    {"type": "tool_call", "id", "name", "arguments"} (arguments decoded from JSON where they were JSON),
    {"type": "tool_result", "id", "result"} (and the tool's "name" where it is all that says whose result it is),
    {"type": "image" | "audio" | "file", "mime_type", "url" | "data" | "file_id"},
    {"type": "data", "data": …} for whatever nobody knows.
    """

    role: str
    parts: tuple[dict[str, Any], ...]
    name: str | None = None
    finish_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """What went into a span or came out: messages, or else one value (text or decoded JSON)."""

    messages: tuple[Message, ...] = ()
    value: Value = None


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool call as the span that ran it saw it. `arguments` and `result` are decoded JSON where they were JSON."""

    name: str | None = None
    call_id: str | None = None
    arguments: Value = None
    result: Value = None


@dataclass(frozen=True, slots=True)
class Document:
    """One hit of a retrieval. `score` is the source's own number; `rank` counts from 0, and so does `rank_before`,
    where it stood before it was ranked anew."""

    id: str | None = None
    content: str | None = None
    score: float | None = None
    rank: int | None = None
    metadata: dict[str, Value] | None = None
    rank_before: int | None = None


@dataclass(slots=True, unsafe_hash=True)
class Reading:
    """What a span means, whoever instrumented it. Treated as frozen, like a `SpanPart`.
    Every field is None (or empty) when the source did not say.

    `convention` names who read it ("genai", "openinference", "sdk"; several joined by "+").
    `model` is the model that answered (falls back to the one asked for), `request_model` the one asked for.
    `system` holds system instructions, which live outside the chain of `input`: leading system and
    developer messages of a request belong here, not into `input`.
    `cost_nanousd` is what the source itself reported. `notes` are doubts a reader of the span should
    see ("cache parts exceed input tokens"). `error_type` is the exception's class or the provider's code.
    `trace_name` is what a span says its trace is called, `trace_input` and `trace_output` one line each (at most 200
    characters) of what it says are its trace's sides, beside its own.
    """

    convention: str | None = None
    kind: str | None = None
    operation: str | None = None
    provider: str | None = None
    model: str | None = None
    request_model: str | None = None
    response_id: str | None = None
    params: dict[str, Value] | None = None
    usage: Usage | None = None
    cost_nanousd: int | None = None
    system: tuple[Message, ...] = ()
    input: Content | None = None
    output: Content | None = None
    tool: Tool | None = None
    tool_definitions: Value = None
    documents: tuple[Document, ...] = ()
    prompt_name: str | None = None
    prompt_version: str | None = None
    agent_name: str | None = None
    session_id: str | None = None
    user_id: str | None = None
    tags: tuple[str, ...] = ()
    metadata: dict[str, Value] | None = None
    ttft_ns: int | None = None
    finish_reasons: tuple[str, ...] = ()
    status: str | None = None
    status_message: str | None = None
    error_type: str | None = None
    service: str | None = None
    environment: str | None = None
    release: str | None = None
    project: str | None = None
    level: str | None = None
    replay_of: str | None = None
    notes: tuple[str, ...] = ()
    trace_name: str | None = None
    trace_input: str | None = None
    trace_output: str | None = None


READING_FIELDS: tuple[str, ...] = tuple(f.name for f in fields(Reading))
NO_READING = Reading()


@dataclass(frozen=True, slots=True)
class Resource:
    """Who sent it (OTLP Resource), kept as sent. An entity reference is a dict of `schema_url`, `type`, `id_keys`
    and `description_keys`, as far as they are set; the keys are those of `attributes`."""

    attributes: Mapping[str, Value] = field(default_factory=dict)
    dropped: int = 0
    schema_url: str = ""
    entity_refs: tuple[dict[str, Value], ...] = ()


@dataclass(frozen=True, slots=True)
class Scope:
    """Which instrumentation made it (OTLP InstrumentationScope), kept as sent."""

    name: str = ""
    version: str = ""
    attributes: Mapping[str, Value] = field(default_factory=dict)
    dropped: int = 0
    schema_url: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened within a span, at a moment."""

    time_ns: int
    name: str
    attributes: Mapping[str, Value] = field(default_factory=dict)
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Link:
    """A span that this one follows from."""

    trace_id: str
    span_id: str
    trace_state: str = ""
    attributes: Mapping[str, Value] = field(default_factory=dict)
    dropped: int = 0
    flags: int = 0


@dataclass(frozen=True, slots=True)
class LogRecord:
    """An OTLP log record that names a span. Kept beside the span's own events, so that what comes
    out as a span equals what came in as one. `time_ns` is the observed time where the sender set no other.
    `position` tells records of one time apart (JavaScript's clocks know milliseconds): how many of the same time stood
    before it in the body that brought it. It is no part of what a record says."""

    time_ns: int
    event_name: str
    body: Value
    attributes: Mapping[str, Value] = field(default_factory=dict)
    severity: str = ""
    severity_number: int = 0
    position: int = 0


@dataclass(slots=True)
class SpanPart:
    """What one message said about one span. Treated as frozen once made (not declared so: it is made
    thousands of times a second, and a frozen dataclass costs three times as much to make).

    `at_ns` orders parts of equal rank: the source's own timestamp (its end, else its start, else arrival).
    `status` is "ok", "error" or None where the source left it unset; `otel_status` and `otel_kind` are the
    codes as sent (0 unset, 1 ok, 2 error; 0 unspecified … 5 consumer).
    `source_id` is the id as the source wrote it where ours differs (see `foreign_span_id`).
    `process_id` names a row of `processes` where the sender is a process we can watch.
    `keep_parts` says that its source sends more than a start and an end, so that parts are kept and refolded.
    """

    trace_id: str
    span_id: str
    rank: Rank = Rank.FINISHED
    at_ns: int = 0
    parent_id: str | None = None
    name: str | None = None
    start_ns: int | None = None
    end_ns: int | None = None
    status: str | None = None
    status_message: str | None = None
    otel_kind: int = 0
    otel_status: int = 0
    trace_state: str = ""
    flags: int = 0
    attributes: dict[str, Value] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    links: tuple[Link, ...] = ()
    logs: tuple[LogRecord, ...] = ()
    dropped_attributes: int = 0
    dropped_events: int = 0
    dropped_links: int = 0
    resource: Resource | None = None
    scope: Scope | None = None
    source_id: str | None = None
    source_trace_id: str | None = None
    process_id: str | None = None
    keep_parts: bool = False
    reading: Reading = NO_READING


@dataclass(frozen=True, slots=True)
class Score:
    """A judgement on a span, a trace or a session: exactly one of `value` (numeric, boolean as 0/1) and
    `label` (categorical) is set; `data_type` is "numeric", "boolean" or "categorical"."""

    score_id: str
    name: str
    time_ns: int
    trace_id: str | None = None
    span_id: str | None = None
    session_id: str | None = None
    value: float | None = None
    label: str | None = None
    data_type: str = "numeric"
    comment: str | None = None
    source: str = ""
    metadata: dict[str, Value] | None = None


@dataclass(frozen=True, slots=True)
class Process:
    """A traced process, and its last sign of life.

    `started_ns` is the process's own start, so that a recycled pid is not mistaken for it;
    `boot_id` and `pid_namespace` say on which machine's process table the pid means anything.
    """

    process_id: str
    pid: int
    started_ns: int
    host: str = ""
    boot_id: str = ""
    pid_namespace: str = ""
    service: str = ""
    command: str = ""
    heartbeat_ns: int = 0
    ended_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that arrived and was not stored: why, and one line of what it was.

    `spans` names the first few of `count`: (trace id, span id) as they were sent, "" where there was none.
    A sender that may have to say it twice names its process, and what it has counted for this reason in `total`, this
    `count` included: the file then counts what is new to it.
    """

    reason: str
    sample: str
    count: int = 1
    spans: tuple[tuple[str, str], ...] = ()
    process_id: str = ""
    total: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """One delivery through a door. `source` names the door for the ledger: "sdk", "otlp-http", "otlp-grpc",
    "import"; `refused` is what the decoder already had to leave out, `sampled_out` counts the spans that the SDK did
    not send at all, with the rule that left them out as their reason. `library` is what belongs to no span: prompts,
    datasets, experiments, media; in no count of a receipt."""

    source: str
    parts: tuple[SpanPart, ...] = ()
    scores: tuple[Score, ...] = ()
    processes: tuple[Process, ...] = ()
    refused: tuple[Refusal, ...] = ()
    sampled_out: tuple[Refusal, ...] = ()
    library: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a batch, once it is committed. Counts are of parts.

    received == stored + duplicate + rejected; `clipped` counts stored parts of which something was cut, and
    `cut` names them: (trace id, span id). `refused` says which were rejected, and why. `sampled_out` is no part of it:
    how many spans, not known of before, the sender said it left out.
    """

    received: int = 0
    stored: int = 0
    duplicate: int = 0
    clipped: int = 0
    rejected: int = 0
    reasons: tuple[str, ...] = ()
    refused: tuple[Refusal, ...] = ()
    cut: tuple[tuple[str, str], ...] = ()
    sampled_out: int = 0
