"""From what the host's thread wrote down to a part of the span: ids, dates, names and meaning. In the worker."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter_ns, time_ns
from typing import TYPE_CHECKING, Any

from collector.conventions.said import content, system, usage_of
from collector.ids import RUN_ATTRIBUTE
from collector.model import (
    Document,
    Event,
    Rank,
    Reading,
    Resource,
    Scope,
    SpanPart,
    Tool,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.sdk.live import Span
    from collector.settings import Settings

_PLAIN = (
    "operation", "provider", "model", "request_model", "response_id", "params", "tool_definitions",
    "prompt_name", "prompt_version", "agent_name", "level", "status_message",
    "replay_of",
)  # fmt: skip

CANCELLED = "cancelled"
"""The status message of a span that was asked to stop: it did not fail, and did not finish either."""
CANCELLED_BY = "tracetui.cancelled"
"""The attribute that names the exception which asked."""


class Clock:
    """Dates from the monotonic clock: one look at the wall clock a process, so that a jump of it cannot
    make a span end before it began. `now` is where ticks come from; any but perf_counter_ns tells dates itself."""

    def __init__(self, now: Callable[[], int] = perf_counter_ns) -> None:
        self.offset = time_ns() - perf_counter_ns() if now is perf_counter_ns else 0

    def date_ns(self, tick: int) -> int:
        """Unix nanoseconds of a reading of perf_counter_ns."""
        return self.offset + tick


class Maker:
    """Makes parts. What all spans of the process share is made once."""

    def __init__(self, settings: Settings, clock: Clock, process_id: str) -> None:
        self.settings = settings
        self.clock = clock
        self.process_id = process_id
        named = {
            "service.name": settings.service,
            "service.version": settings.release,
            "deployment.environment.name": settings.environment,
            RUN_ATTRIBUTE: settings.run,
        }
        self.resource = Resource({key: value for key, value in named.items() if value})
        self.scope = Scope("tracetui")

    def part(self, span: Span, rank: Rank) -> SpanPart:
        if span.foreign is not None:
            return span.foreign(self.process_id, rank)
        span.settle()
        fields = span.fields or {}
        if span.plan.fields:
            fields = _added(span.plan.fields, fields)
        start = self.clock.date_ns(span.began)
        end = self.clock.date_ns(span.ended) if span.ended else None
        events = [Event(self.clock.date_ns(at), name, said) for at, name, said in span.happened or ()]
        status, message, error_type = fields.get("status"), fields.get("status_message"), None
        if span.cancelled is not None:
            message = message or CANCELLED
        if span.error is not None:
            error_type, text, stack, at = span.error
            status, message = "error", message or text
            events.append(_exception(error_type, text, stack, self.clock.date_ns(at)))
        return SpanPart(
            trace_id=span.trace_id,
            span_id=span.span_id,
            parent_id=f"{span.parent_id:016x}" if span.parent_id else None,
            rank=rank,
            at_ns=end or start + span.revision,
            name=fields.get("name") or span.plan.name,
            start_ns=start,
            end_ns=end,
            status=status,
            status_message=message,
            otel_kind=1,
            otel_status=2 if status == "error" else 0,
            attributes=_attributes(span, fields),
            events=tuple(events),
            resource=self.resource,
            scope=self.scope,
            process_id=self.process_id,
            reading=self.reading(span, fields, error_type),
        )

    def reading(self, span: Span, fields: dict[str, Any], error_type: str | None) -> Reading:
        kind = fields.get("kind") or span.plan.kind
        said, answered = self._input(span, fields), _output(span, fields)
        leading, given = content(said, kind, "user")
        _, output = content(answered, kind, "assistant")
        usage, cost = fields.get("usage"), fields.get("cost_usd")
        plain = {name: fields[name] for name in _PLAIN if name in fields and name != "status_message"}
        first = span.first_token_at
        settings, ambient = self.settings, span.ambient
        return Reading(
            convention="sdk",
            kind=kind if kind != "span" else None,
            usage=usage_of(usage) if isinstance(usage, dict) else None,
            cost_nanousd=round(cost * 1e9) if isinstance(cost, int | float) else None,
            system=(*system(fields.get("system")), *leading),
            input=given,
            output=output,
            tool=self._tool(span, fields, kind, said, answered),
            documents=_documents(fields.get("documents")),
            finish_reasons=tuple(fields.get("finish_reasons") or ()),
            session_id=span.session,
            user_id=span.user,
            tags=_tags(span, fields),
            ttft_ns=max(0, first - span.began) if first else None,
            error_type=error_type,
            service=settings.service,
            environment=fields.get("environment") or (ambient.environment if ambient else None) or settings.environment,
            release=fields.get("release") or (ambient.release if ambient else None) or settings.release,
            project=settings.project,
            metadata=_metadata(span, fields),
            **plain,
        )

    def _input(self, span: Span, fields: dict[str, Any]) -> Any:
        if "input" in fields:
            return fields["input"]
        if span.args is None and not span.kwargs:
            return None
        return arguments_of(span)

    def _tool(self, span: Span, fields: dict[str, Any], kind: str, said: Any, answered: Any) -> Tool | None:
        if kind != "tool":
            return None
        name = fields.get("tool_name") or fields.get("name") or span.plan.name
        return Tool(name, fields.get("tool_call_id"), said, answered)


def may_turn_strict(settings: Settings) -> bool:
    """Whether an environment stores other contents than the rest: a span may yet say that it belongs there."""
    return any(set(own) - {"sample_rate", "sampling"} for own in settings.environments.values())


def without_content(part: SpanPart) -> SpanPart:
    """What may be said of an open span whose environment is not certain: that it runs."""
    said = part.reading
    reading = replace(
        said, system=(), input=None, output=None, tool=None, documents=(), metadata=None, user_id=None, params=None,
        tool_definitions=None, status_message=None,
    )  # fmt: skip
    return replace(part, attributes={}, events=(), status_message=None, reading=reading)


def _attributes(span: Span, fields: dict[str, Any]) -> dict[str, Any]:
    said = fields.get("attributes") or {}
    return {**said, CANCELLED_BY: span.cancelled} if span.cancelled is not None else said


def _tags(span: Span, fields: dict[str, Any]) -> tuple[str, ...]:
    given = [str(tag) for tag in fields.get("tags") or ()]
    if span.ambient is not None and span.ambient.tags:
        given = list(dict.fromkeys([*span.ambient.tags, *given]))
    return tuple(given)


def _metadata(span: Span, fields: dict[str, Any]) -> dict[str, Any] | None:
    said = fields.get("metadata")
    around = span.ambient.metadata if span.ambient is not None else None
    return {**around, **(said or {})} if around else said


def arguments_of(span: Span) -> dict[str, Any]:
    """The arguments of a call under the names of its parameters."""
    plan, args = span.plan, span.args or ()
    named = dict(zip(plan.names, args, strict=False))
    if len(args) > len(plan.names) and plan.rest:
        named[plan.rest] = list(args[len(plan.names) :])
    named.update(span.kwargs or {})
    for name, value in (plan.defaults or {}).items():
        named.setdefault(name, value)
    if plan.names and plan.names[0] in ("self", "cls"):
        named.pop(plan.names[0], None)
    return named


def _output(span: Span, fields: dict[str, Any]) -> Any:
    return fields.get("output", span.output)


def _documents(said: Any) -> tuple[Document, ...]:
    """Documents as texts, or as mappings with id, content, score, rank, metadata."""
    out = []
    for rank, one in enumerate(said or ()):
        if not isinstance(one, dict):
            one = {"content": one if isinstance(one, str) else str(one)}
        score = one.get("score")
        content = one.get("content", one.get("text"))
        out.append(
            Document(
                id=str(one["id"]) if one.get("id") is not None else None,
                content=None if content is None else str(content),
                score=float(score) if isinstance(score, int | float) else None,
                rank=one["rank"] if isinstance(one.get("rank"), int) else rank,
                metadata=one.get("metadata") if isinstance(one.get("metadata"), dict) else None,
            )
        )
    return tuple(out)


def _exception(kind: str, message: str, stack: str, at_ns: int) -> Event:
    """OTel semantic conventions, exceptions: an event "exception" with type, message and stacktrace."""
    said = {"exception.type": kind, "exception.message": message, "exception.stacktrace": stack}
    return Event(at_ns, "exception", said)


def _added(plan: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    """What was fixed at decoration under what was said later; tags and metadata add up."""
    out = {**plan, **fields}
    if "tags" in plan and "tags" in fields:
        out["tags"] = [*plan["tags"], *fields["tags"]]
    if "metadata" in plan and "metadata" in fields:
        out["metadata"] = {**plan["metadata"], **fields["metadata"]}
    return out
