"""Our spans and OpenTelemetry's in one process, nested in each other as they call each other.

When one of ours begins it is put into OpenTelemetry's context as a span that is recorded elsewhere, so that
its spans become our children. Hence, if OpenTelemetry's current span is not our current one, it is the newer of the
two, and the parent of what begins next. Loaded only where OpenTelemetry's SDK is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.sdk.headers import known

if TYPE_CHECKING:
    from collector.sdk.live import Span


def at_work() -> bool:
    """Whether OpenTelemetry makes spans here: a provider is set for the whole process, or a span of it is current."""
    from opentelemetry import trace

    return trace._TRACER_PROVIDER is not None or trace.get_current_span() is not trace.INVALID_SPAN


def innermost(current: Span | None) -> Span | None:
    """The parent of a span that begins now: our current one, or OpenTelemetry's where that is newer."""
    from opentelemetry import trace

    theirs = trace.get_current_span().get_span_context()
    if not theirs.is_valid or not theirs.trace_flags.sampled or (current is not None and theirs.span_id == current.id):
        return current
    from collector.sdk.api import QUEUE

    queue = current.plan.queue if current is not None else QUEUE
    return known(queue, theirs.trace_id, theirs.span_id)


def enter(span: Span) -> None:
    """Make a span of ours OpenTelemetry's current one too."""
    from opentelemetry import context, trace

    flags = trace.TraceFlags(trace.TraceFlags.SAMPLED)
    ours = trace.NonRecordingSpan(trace.SpanContext(span.trace, span.id, is_remote=False, trace_flags=flags))
    span.opened_here = context.attach(trace.set_span_in_context(ours))


def close(span: Span) -> None:
    """Give OpenTelemetry back what was current before the span."""
    from opentelemetry import context

    token, span.opened_here = span.opened_here, None
    try:
        context._RUNTIME_CONTEXT.detach(token)  # `context.detach` logs an error where a task ends in another context
    except ValueError:
        return
