"""One run of LangSmith's API as a part of a span.

Attributes: `langsmith.run.id`, `.type`, `.project`, `.dotted_order` …; `.inputs`, `.outputs`, `.serialized`, `.error`
hold JSON as it was sent; `langsmith.metadata.*` is the run's metadata key by key, so that a patch adds to it;
`langsmith.answer.*` is what the answer says beside its content (model, id, usage, finish reasons), which stays
readable where contents are not stored. What the run ran on (`extra.runtime`) is the resource.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson

from collector.conventions import langsmith_runs as reading
from collector.conventions.langsmith_wrapped import ERROR_TYPE
from collector.conventions.values import load
from collector.errors import DecodeError
from collector.ids import span_id, trace_id
from collector.model import Event, Rank, Resource, SpanPart, Value
from collector.protocols.limits import SAMPLE_CHARS, SpanError
from collector.protocols.multipart import FormPart
from collector.protocols.parts import SENT_END
from collector.protocols.times import time_ns

RUN, METADATA, EXTRA = reading.RUN, reading.METADATA, reading.EXTRA
_NOTHING = frozenset({"", "{}", "[]", "null", '""'})
_SKEW_NS = 1_000_000
"""The JavaScript SDK's starts have a microsecond counter that its ends lack: so early an end is no clock's fault."""
_EVENTS = 10_000
_HANDLED = frozenset({
    "id", "trace_id", "name", "start_time", "end_time", "run_type", "session_name", "session_id", "tags", "extra",
    "inputs", "outputs", "events", "error", "serialized", "status", "child_runs", "child_run_ids", "manifest_id",
})  # fmt: skip
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").fullmatch


@dataclass(slots=True)
class Raw:
    """A run as it came: `fields` decoded, `texts` the JSON of its large fields, `attachments` by name."""

    operation: str
    run_id: str
    fields: dict[str, Any] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    attachments: dict[str, FormPart] = field(default_factory=dict)

    def own_trace(self) -> str | None:
        """The trace (ours) that the run itself names, by `trace_id` or by its dotted order."""
        named = self.fields.get("trace_id") or next(iter(_dotted(self.fields.get("dotted_order"))), None)
        try:
            return trace_id(_id(named)) if named else None
        except DecodeError:
            return None

    def media_id(self, name: str) -> str:
        """Of an attachment."""
        return hashlib.sha256(f"{self.run_id}/{name}".encode(errors="replace")).hexdigest()[:32]

    def sha256(self, name: str) -> str:
        return hashlib.sha256(self.attachments[name].data).hexdigest()

    def sample(self) -> str:
        return orjson.dumps([self.fields, self.texts], default=repr).decode()[:SAMPLE_CHARS]


def run_span_id(run_id: str) -> str:
    """The id of a run's span. SpanError for an id that is none."""
    try:
        return span_id(_id(run_id))
    except DecodeError as error:
        raise SpanError(f"a run's id {str(run_id)[:40]!r} is empty or all zero") from error


def run_trace_id(text: str) -> str:
    """A trace's id from the id of its root run. SpanError for an id that is none."""
    try:
        return trace_id(_id(text))
    except DecodeError as error:
        raise SpanError(f"a trace's id {str(text)[:40]!r} is empty or all zero") from error


def run_part(raw: Raw, whose: Callable[[str], str | None]) -> SpanPart:
    """The part that a posted or patched run is. SpanError when it has no id.

    A run that names no trace is in its parent's, or where `whose` says; else it is taken for a root.
    """
    run_id, fields = _id(raw.run_id or fields_id(raw)), raw.fields
    span = run_span_id(run_id)
    path = _dotted(fields.get("dotted_order"))
    parent = _id(fields.get("parent_run_id")) or (_id(path[-2]) if len(path) > 1 else "")
    trace = raw.own_trace() or whose(run_id) or (whose(parent) if parent else None) or run_trace_id(parent or run_id)
    extra = _mapping(raw.texts.get("extra"))
    start, end = time_ns(fields.get("start_time")), time_ns(fields.get("end_time"))
    attributes = _attributes(raw, run_id, parent, extra)
    if end is not None and start is not None and end < start:
        if start - end > _SKEW_NS:
            attributes[SENT_END] = end
        end = start
    error = _said(raw.texts.get("error"))
    events = _events(raw.texts.get("events"))
    message: str | None = None
    if error:
        message, stack, kind = split_error(error)
        attributes[RUN + "error"] = error
        events += (_exception(end or start or 0, message, stack, kind),)
        if kind in _NO_FAILURES:
            error, message = "", None
    runtime = extra.get("runtime")
    return SpanPart(
        trace, span, _rank(raw.operation, end), end or start or 0,
        parent_id=run_span_id(parent) if parent and parent != run_id else None,
        name=_name(fields, raw.texts.get("serialized")), start_ns=start, end_ns=end,
        status="error" if error else None, status_message=message, attributes=attributes, events=events,
        resource=Resource({"langsmith.runtime": runtime}) if isinstance(runtime, dict) and runtime else None,
        source_id=run_id, source_trace_id=None, keep_parts=False,
    )  # fmt: skip


def fields_id(raw: Raw) -> str:
    """The id that a run's own fields give."""
    return str(raw.fields.get("id") or "")


def _rank(operation: str, end: int | None) -> Rank:
    if end is not None:
        return Rank.FINISHED
    return Rank.STARTED if operation == "post" else Rank.UPDATE


def _attributes(raw: Raw, run_id: str, parent: str, extra: dict[str, Any]) -> dict[str, Value]:
    fields, texts = raw.fields, raw.texts
    out: dict[str, Value] = {RUN + "id": run_id}
    for name, key in (("run_type", "type"), ("session_name", "project"), ("session_id", "project_id")):
        if fields.get(name) is not None:
            out[RUN + key] = str(fields[name])
    if parent:
        out[RUN + "parent_run_id"] = parent
    tags = fields.get("tags")
    if isinstance(tags, list) and tags:
        out[RUN + "tags"] = [str(tag) for tag in tags]
    for name, value in fields.items():
        if name not in _HANDLED and value is not None and value != {} and value != []:
            out[RUN + name] = value
    for name in ("inputs", "outputs", "serialized"):
        if (text := texts.get(name, "").strip()) not in _NOTHING:
            out[RUN + name] = text
    metadata = extra.get("metadata")
    for name, value in metadata.items() if isinstance(metadata, dict) else ():
        if value is not None:
            out[METADATA + str(name)] = value
    for name, value in extra.items():
        if name not in ("metadata", "runtime") and value is not None:
            out[EXTRA + str(name)] = value
    for name, fact in reading.facts(load(texts["outputs"]) if RUN + "outputs" in out else None).items():
        out[reading.ANSWER + name] = fact
    for name, form in raw.attachments.items():  # each by itself, so that a patch adds to them
        out[reading.ATTACHMENT + name] = {
            "mime_type": form.media_type, "size": len(form.data), "media_id": raw.media_id(name),
        }  # fmt: skip
    return out


def _events(text: str | None) -> tuple[Event, ...]:
    """What happened within the run: {"name", "time", "kwargs"}."""
    listed = load(text) if text and text not in _NOTHING else None
    out: list[Event] = []
    for one in listed[:_EVENTS] if isinstance(listed, list) else ():
        if not isinstance(one, dict):
            continue
        more = {str(name): value for name, value in one.items() if name not in ("name", "time") and value is not None}
        out.append(Event(time_ns(one.get("time")) or 0, str(one.get("name") or "event"), more))
    dropped = len(listed) - _EVENTS if isinstance(listed, list) else 0
    if dropped > 0:
        out.append(Event(out[-1].time_ns, "tracetui.dropped_events", {"count": dropped}))
    return tuple(out)


def _exception(at_ns: int, message: str, stack: str, kind: str | None) -> Event:
    said: dict[str, Value] = {"exception.message": message}
    if kind:
        said["exception.type"] = kind
    if stack:
        said["exception.stacktrace"] = stack
    return Event(at_ns, "exception", said)


_NO_FAILURES = frozenset({"GraphInterrupt", "NodeInterrupt", "ParentCommand"})
"""What LangGraph raises to wait for a person, and to go on in the graph above; the event says so."""
_STACKS = ("Traceback (most recent call last):", "\nStack:", "\n    at ", "\n\tat ")
_NO_STACK = "\n\nNoneType: None"
"""How Python prints the stack of no exception: what the SDK puts behind a cancelled task."""


def split_error(error: str) -> tuple[str, str, str | None]:
    """(message, stack, type) of what an SDK reports: Python's repr with a traceback behind it, or JavaScript's
    "TypeError: …" with its stack."""
    begins = min((at for mark in _STACKS if (at := error.find(mark)) >= 0), default=len(error))
    message, stack = error[:begins].removesuffix(_NO_STACK), error[begins:]
    kind = ERROR_TYPE.match(message)
    return message.strip() or error.strip(), stack.strip("\n"), kind.group(1) if kind else None


def _name(fields: dict[str, Any], serialized: str | None) -> str | None:
    name = fields.get("name")
    if isinstance(name, str) and name:
        return name
    said = _mapping(serialized)
    path = said.get("id")
    found = said.get("name") or (path[-1] if isinstance(path, list) and path else None)
    return str(found) if found else None


def _said(text: str | None) -> str:
    """A text that came as JSON of one; whatever else it holds is spelt as it came."""
    if not text or text in _NOTHING:
        return ""
    try:
        said = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return said if isinstance(said, str) else text


def _mapping(text: str | None) -> dict[str, Any]:
    said = load(text) if text else None
    return said if isinstance(said, dict) else {}


def _id(value: Any) -> str:
    """An id as we compare it: UUIDs in lower case, with their dashes."""
    text = str(value or "").strip()
    low = text.lower()
    if _UUID(low):
        return low
    if len(low) == 32 and all(c in "0123456789abcdef" for c in low):
        return f"{low[:8]}-{low[8:12]}-{low[12:16]}-{low[16:20]}-{low[20:]}"
    return text


def _dotted(order: Any) -> list[str]:
    """The run ids of a dotted order, from the root down: `20261121T022347361363Z<uuid>.2026…Z<uuid>`."""
    if not isinstance(order, str) or not order:
        return []
    return _ids(order.split("."))


def _ids(segments: Iterable[str]) -> list[str]:
    return [segment.partition("Z")[2] for segment in segments if "Z" in segment]
