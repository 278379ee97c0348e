"""What headers say of where a call belongs: its trace and parent, session, user, tags.

W3C `traceparent` and `baggage` (`session.id`, `user.id`), which OpenTelemetry's HTTP instrumentation sends and which
are passed on; and headers of ours, which end here and win: `x-tracetui-trace`, `-parent`, `-session`, `-user`,
`-tags` (with commas between), `-metadata` (a JSON object), `-name`, `-service`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from collector import ids
from collector.errors import DecodeError
from collector.model import Value
from collector.protocols import jsonbody

OURS = b"x-tracetui-"
PREFIX = OURS.decode()
MOST_BYTES = 8192
_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")


@dataclass(frozen=True, slots=True)
class Place:
    """All that was said; None and empty where nothing was. `notes` are what made no sense."""

    trace_id: str | None = None
    parent_id: str | None = None
    source_trace_id: str | None = None
    session: str | None = None
    user: str | None = None
    tags: tuple[str, ...] = ()
    metadata: dict[str, Value] | None = None
    name: str | None = None
    service: str | None = None
    notes: tuple[str, ...] = ()


def place_of(headers: Mapping[str, str]) -> Place:
    """`headers` by lower-case name."""
    trace, parent = _traceparent(headers.get("traceparent", ""))
    said = _baggage(headers.get("baggage", ""))
    given = {name[len(PREFIX) :]: unquote(value) for name, value in headers.items() if name.startswith(PREFIX)}
    source, notes, metadata = None, [], None
    try:
        if "trace" in given:
            named = ids.trace_id(given["trace"])
            parent, trace = (parent if named == trace else None), named
            source = given["trace"] if named != given["trace"] else None
        if "parent" in given:
            parent = ids.span_id(given["parent"])
        if "metadata" in given:
            metadata = jsonbody.load(given["metadata"].encode(), "x-tracetui-metadata")
    except DecodeError as e:
        notes.append(str(e))
    if metadata is not None and not isinstance(metadata, dict):
        metadata = {"metadata": metadata}
    return Place(
        trace, parent if trace else None, source,
        given.get("session") or said.get("session.id"), given.get("user") or said.get("user.id"),
        tuple(one.strip() for one in given.get("tags", "").split(",") if one.strip()), metadata,
        given.get("name") or None, given.get("service") or None, tuple(notes),
    )  # fmt: skip


def _traceparent(header: str) -> tuple[str | None, str | None]:
    """https://www.w3.org/TR/trace-context/#traceparent-header"""
    found = _TRACEPARENT.fullmatch(header.strip().lower())
    if found is None or found[1] == "ff" or (found[1] == "00" and found[4]):
        return None, None
    trace, parent = found[2], found[3]
    return (trace, parent) if trace.strip("0") and parent.strip("0") else (None, None)


def _baggage(header: str) -> dict[str, str]:
    """https://www.w3.org/TR/baggage/: members without their properties."""
    pairs = (member.partition(";")[0].partition("=") for member in header[:MOST_BYTES].split(","))
    return {key.strip(): unquote(value.strip()) for key, equals, value in pairs if equals and key.strip()}
