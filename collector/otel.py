"""Any OpenTelemetry SDK's spans, written into the file from within the process, started ones included.

    from collector.otel import SpanProcessor

    provider.add_span_processor(SpanProcessor())

No server, no exporter, no batch delay: spans go the way of our own, and a long one shows while it runs. Needs
opentelemetry-sdk, which whoever uses this has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.sdk import trace as sdk

from collector.model import Event, Link, Rank, Resource, Scope, SpanPart
from collector.sdk.api import QUEUE
from collector.sdk.live import SPAN_BYTES, Plan, Span

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context import Context

    from collector.sdk.queue import Queue

STATUS = {trace.StatusCode.UNSET: None, trace.StatusCode.OK: "ok", trace.StatusCode.ERROR: "error"}
MOST_OPEN = 100_000
"""So many spans may be open at a time; further ones are written when they end."""


class SpanProcessor(sdk.SpanProcessor):
    """Hands every sampled span to our queue: when it starts, and when it ends. Never raises into the program."""

    def __init__(self, *, queue: Queue | None = None) -> None:
        self._queue = queue or QUEUE
        self._queue.join_otel()
        self._plan = Plan(self._queue, "", "span")
        self._open: dict[tuple[int, int], Span] = {}
        self._made: tuple[Any, Resource] | None = None

    def on_start(self, span: sdk.Span, parent_context: Context | None = None) -> None:
        try:
            if self._queue.on and len(self._open) < MOST_OPEN:
                self._open[_key(span)] = held = self._hold(span)
                self._queue.launch(held)
        except Exception as e:
            self._queue.count("otel", e)

    def on_end(self, span: sdk.ReadableSpan) -> None:
        try:
            held = self._open.pop(_key(span), None) or self._hold(span)
            held.foreign = self._maker(span)
            held.began = held.began or self._queue.now()
            held.ended = self._queue.now()
            held.size += sum(len(value) for value in (span.attributes or {}).values() if isinstance(value, str))
            self._queue.finish(held)
        except Exception as e:
            self._queue.count("otel", e)

    def shutdown(self) -> None:
        self._queue.flush(2.0)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._queue.flush(timeout_millis / 1000)

    def _hold(self, span: sdk.ReadableSpan) -> Span:
        held = Span()
        held.plan = self._plan
        context = span.get_span_context()
        assert context is not None
        held.trace, held.id, held.size = context.trace_id, context.span_id, SPAN_BYTES
        held.foreign = self._maker(span)
        return held

    def _maker(self, span: sdk.ReadableSpan) -> Any:
        return lambda process_id, rank: part_of(span, rank, process_id, self._resource(span))

    def _resource(self, span: sdk.ReadableSpan) -> Resource:
        """A provider's spans share one resource, so the last one is remembered."""
        theirs = span.resource
        if self._made is None or self._made[0] is not theirs:
            self._made = (theirs, Resource(_values(theirs.attributes), 0, theirs.schema_url))
        return self._made[1]


def part_of(span: sdk.ReadableSpan, rank: Rank, process_id: str, resource: Resource) -> SpanPart:
    """A span of OpenTelemetry's as it would have come over OTLP; of one that runs, what is known so far."""
    context, parent, scope = span.get_span_context(), span.parent, span.instrumentation_scope
    assert context is not None
    start, end = span.start_time, span.end_time if rank is Rank.FINISHED else None
    return SpanPart(
        trace_id=f"{context.trace_id:032x}",
        span_id=f"{context.span_id:016x}",
        parent_id=f"{parent.span_id:016x}" if parent is not None else None,
        rank=rank,
        at_ns=end or start or 0,
        name=span.name,
        start_ns=start,
        end_ns=end,
        status=STATUS[span.status.status_code],
        status_message=span.status.description,
        otel_kind=span.kind.value + 1,  # OTLP counts from 1, 0 is unspecified
        otel_status=span.status.status_code.value,
        trace_state=context.trace_state.to_header(),
        flags=int(context.trace_flags),
        attributes=_values(span.attributes),
        events=tuple(Event(e.timestamp, e.name, _values(e.attributes), e.dropped_attributes) for e in span.events),
        links=tuple(
            Link(
                f"{one.context.trace_id:032x}", f"{one.context.span_id:016x}", one.context.trace_state.to_header(),
                _values(one.attributes), one.dropped_attributes,
            )
            for one in span.links
        ),
        dropped_attributes=span.dropped_attributes,
        dropped_events=span.dropped_events,
        dropped_links=span.dropped_links,
        resource=resource,
        scope=Scope(scope.name, scope.version or "", _values(scope.attributes), 0, scope.schema_url or "")
        if scope is not None
        else None,
        process_id=process_id,
    )  # fmt: skip


def _values(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    """OpenTelemetry holds sequences as tuples; a copy, because a span that runs may still change."""
    if not attributes:
        return {}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in dict(attributes).items()}


def _key(span: sdk.ReadableSpan) -> tuple[int, int]:
    context = span.get_span_context()
    assert context is not None
    return context.trace_id, context.span_id
