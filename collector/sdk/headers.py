"""Trace context over the wire: W3C `traceparent`, and `baggage` for session, user and tags.

https://www.w3.org/TR/trace-context/ and https://www.w3.org/TR/baggage/ ; the baggage keys are those of
OpenTelemetry's attribute registry (`session.id`, `user.id`), tags travel under a key of ours.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from collector.sdk.ambient import AMBIENT, Ambient, added
from collector.sdk.live import CURRENT, Plan, Remote, Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from collector.sdk.queue import Queue

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
SESSION, USER, TAGS = "session.id", "user.id", "tracetui.tags"
MOST_BYTES = 8192
"""W3C baggage, 3.3.2: what every platform must pass on; more is not read."""


def traceparent_of(span: Span) -> str:
    return f"00-{span.trace_id}-{span.span_id}-01"


def headers_of(span: Span | None, ambient: Ambient | None) -> dict[str, str]:
    """The headers that hand the current context on. Empty outside of any span and context."""
    out: dict[str, str] = {}
    if span is not None:
        out["traceparent"] = traceparent_of(span)
    said = _said(span, ambient)
    if said:
        out["baggage"] = ",".join(f"{key}={quote(value, safe='')}" for key, value in said.items())
    return out


def _said(span: Span | None, ambient: Ambient | None) -> dict[str, str]:
    session, user = (ambient.session, ambient.user) if ambient else (None, None)
    while span is not None and (session is None or user is None):
        session = session or span.session or span.plan.session
        user = user or span.user or span.plan.user
        span = span.parent
    tags = ";".join(quote(tag, safe="") for tag in ambient.tags) if ambient else ""
    return {key: value for key, value in ((SESSION, session), (USER, user), (TAGS, tags)) if value}


def remote(queue: Queue, header: str | None) -> Remote | None:
    """The span that a traceparent names; None where it names none (then a trace of its own begins)."""
    found = _TRACEPARENT.fullmatch(header.strip().lower()) if header else None
    if found is None or found[1] == "ff" or (found[1] == "00" and found[5]):
        return None
    trace, span = int(found[2], 16), int(found[3], 16)
    return known(queue, trace, span) if trace and span else None


def known(queue: Queue, trace: int, span: int) -> Remote:
    """A parent by its ids."""
    made = Remote()
    made.plan = Plan(queue, "", "span")
    made.trace, made.id = trace, span
    return made


def baggage(header: str | None) -> dict[str, str]:
    """The members of a baggage header, without their properties; what is no member is passed over."""
    out: dict[str, str] = {}
    for member in (header or "")[:MOST_BYTES].split(","):
        key, equals, value = member.partition(";")[0].partition("=")
        if equals and key.strip():
            out[key.strip()] = unquote(value.strip())
    return out


@contextmanager
def continued(queue: Queue, headers: Mapping[str, str]) -> Iterator[None]:
    """Within the block, spans belong to the trace, session and user that the headers name."""
    lower = {str(key).lower(): value for key, value in headers.items()}
    parent = remote(queue, lower.get("traceparent"))
    said = baggage(lower.get("baggage"))
    current = CURRENT.set(parent) if parent is not None else None
    around = None
    if said.keys() & {SESSION, USER, TAGS}:
        tags = [unquote(tag) for tag in said.get(TAGS, "").split(";") if tag]
        around = AMBIENT.set(added(AMBIENT.get(), said.get(SESSION), said.get(USER), tags))
        queue.surround()
    try:
        yield
    finally:
        if current is not None:
            CURRENT.reset(current)
        if around is not None:
            AMBIENT.reset(around)
