"""Spans in the making: a session log says of one span in many lines, and may grow while it is read.

A draft that changed is given out again, whole; the merge rule lets the later moment win. So what a log says is the
same however many times, and in whatever pieces, it is read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson

from collector import ids
from collector.conventions.values import spelt
from collector.model import Content, Event, Message, Rank, Reading, Scope, SpanPart, Value

NAME_CHARS = 120


class Log(Protocol):
    """The reader of one session log: records go in by `feed`, in the order of the file, and parts come out of `flush`.

    `feed` returns False for a record of a kind that it does not know.
    """

    def feed(self, record: dict[str, Any]) -> bool: ...

    def flush(self) -> list[SpanPart]: ...


@dataclass(slots=True, eq=False)
class Draft:
    """One span. `reading` holds fields of `Reading`; `open` says that it has not ended yet."""

    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    start_ns: int
    end_ns: int
    source_id: str
    reading: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, Value] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    status: str | None = None
    message: str | None = None
    open: bool = False

    def reach(self, moment_ns: int) -> None:
        """Something of it happened at this moment."""
        self.end_ns = max(self.end_ns, moment_ns)

    def fail(self, message: str, error_type: str | None = None) -> None:
        self.status, self.message = "error", message
        if error_type:
            self.reading["error_type"] = error_type

    def part(self, scope: Scope, common: dict[str, Any]) -> SpanPart:
        """What is known of it now. `common` are fields of the reading that all spans of the session share."""
        return SpanPart(
            self.trace_id, self.span_id, Rank.STARTED if self.open else Rank.FINISHED, self.end_ns, self.parent_id,
            self.name[:NAME_CHARS], self.start_ns, None if self.open else self.end_ns,
            self.status or (None if self.open else "ok"), self.message,
            attributes=dict(self.attributes), events=tuple(self.events), scope=scope, source_id=self.source_id,
            reading=Reading(**{**common, **self.reading}),
        )  # fmt: skip


class Drafts:
    """The drafts of one log by span, and which of them changed since they were last given out."""

    def __init__(self, convention: str) -> None:
        self.convention = convention
        self._changed: dict[str, Draft] = {}

    def draft(self, trace_id: str, source_id: str, parent_id: str | None, name: str, kind: str, at_ns: int) -> Draft:
        """A new span that begins at this moment, its id made of its source's."""
        made = Draft(
            trace_id, ids.span_id(f"{self.convention} {source_id}"), parent_id, name, at_ns, at_ns, source_id,
            {"convention": self.convention, "kind": kind},
        )  # fmt: skip
        self.touch(made)
        return made

    def touch(self, draft: Draft) -> None:
        self._changed[draft.span_id] = draft

    def forget(self, draft: Draft) -> None:
        """Not to be given out as it stands."""
        self._changed.pop(draft.span_id, None)

    def take(self, scope: Scope, common: dict[str, Any], homes: dict[str, str] | None = None) -> list[SpanPart]:
        """Parts of what changed. `homes` names the session of a trace where it is not that of this log."""
        parts = []
        for draft in self._changed.values():
            home = homes.get(draft.trace_id) if homes else None
            parts.append(draft.part(scope, common if home is None else {**common, "session_id": home}))
        self._changed.clear()
        return parts


def said(*messages: Message) -> Content | None:
    return Content(tuple(messages)) if messages else None


def scalars(given: Any, prefix: str) -> dict[str, Value]:
    """The plain values of a mapping as attributes; what is nested is JSON, where it is short."""
    out: dict[str, Value] = {}
    for key, value in given.items() if isinstance(given, dict) else ():
        if isinstance(value, (str, bool, int, float)):
            if not isinstance(value, int) or -(2**63) <= value < 2**63:
                out[f"{prefix}{key}"] = value
        elif isinstance(value, (dict, list)) and value:
            text = json_text(value)
            if len(text) <= _SHORT:
                out[f"{prefix}{key}"] = text
    return out


_SHORT = 2000


def json_text(value: Any) -> str:
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return spelt(value)


def string(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
