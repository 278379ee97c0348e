"""Claude Code's log events as spans: without its (beta) tracing they name none, and are all there is of a session.

One prompt is a trace: the prompt its root, each request to the model and each tool's result a span under it. An event
comes when what it tells of is over, with its duration; so a span begins that much earlier. The root goes on from the
earliest of them to the latest. What a sub-agent does lies below a span of its own. What else is told (decisions, hooks)
is kept as log records of the root; what belongs to no prompt (plugins, settings) has no trace to be in, and is refused.
Names: what 2.1.330 sent, and https://code.claude.com/docs/en/monitoring-usage
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from collector import ids
from collector.conventions.values import number, text
from collector.model import LogRecord, Rank, Resource, Scope, SpanPart, Value

SCOPE = "com.anthropic.claude_code.events"
ROOT, AGENT, CALL = "claude_code.interaction", "claude_code.subagent", "claude_code.api_request"
_SPANS = ("api_request", "api_error", "tool_result")
_OF_ROOT = ("session.id", "prompt.id", "prompt", "prompt_length", "user.id", "organization.id",
            "user.account_uuid", "app.version", "terminal.type")  # fmt: skip
_LATEST = 2**62

Told = tuple[LogRecord, Resource | None, Scope | None]


def spans_of_events(told: Iterable[Told]) -> tuple[SpanPart, ...]:
    """Parts of spans from log records of `SCOPE` that name none."""
    return tuple(part for record, resource, scope in told for part in _parts(record, resource, scope))


def tells(record: LogRecord) -> bool:
    """Whether an event that names no span has a trace to be in: a prompt's, or that of the calls it tells of."""
    return bool(text(record.attributes.get("prompt.id"))) or _name(record) in _SPANS


def _name(record: LogRecord) -> str:
    name = record.event_name or text(record.attributes.get("event.name")) or str(record.body or "")
    return name.removeprefix("claude_code.")


def _parts(record: LogRecord, resource: Resource | None, scope: Scope | None) -> Iterator[SpanPart]:
    said, name = record.attributes, _name(record)
    key = f"{text(said.get('session.id')) or ''} {text(said.get('prompt.id')) or ''}"
    root = SpanPart(
        ids.trace_id(f"claude {key}"), ids.span_id(f"claude prompt {key}"), name=ROOT, resource=resource, scope=scope,
        keep_parts=True,
    )  # fmt: skip
    yield from _reached(root, record, _attributes_of_root(said))
    above = root
    if agent := text(said.get("agent_id")):
        above = replace(
            root, span_id=ids.span_id(f"claude agent {key} {agent}"), parent_id=root.span_id, name=AGENT,
            source_id=agent,
        )  # fmt: skip
        yield from _reached(above, record, dict(said) if name == "subagent_completed" else {"agent_id": agent})
    request = text(said.get("request_id"))
    if name in _SPANS:
        yield _span(record, above, name, key)
    elif name == "assistant_response":
        answer = replace(above, rank=Rank.UPDATE, at_ns=record.time_ns, attributes={"response": said.get("response")})
        yield answer
        if request:
            yield replace(answer, span_id=_call_id(key, request), parent_id=above.span_id, name=CALL)
    elif name not in ("user_prompt", "subagent_completed"):
        yield replace(root, rank=Rank.UPDATE, at_ns=record.time_ns, logs=(record,))


def _reached(span: SpanPart, record: LogRecord, attributes: dict[str, Value]) -> Iterator[SpanPart]:
    """It began no later than what the record tells of, and went on as long at least."""
    start = _began(record)
    yield replace(span, rank=Rank.STARTED, at_ns=_LATEST - start, start_ns=start)
    yield replace(span, rank=Rank.FINISHED, at_ns=record.time_ns, end_ns=record.time_ns, attributes=attributes)


def _span(record: LogRecord, above: SpanPart, name: str, key: str) -> SpanPart:
    said, end, request = record.attributes, record.time_ns, text(record.attributes.get("request_id"))
    which = text(said.get("event.sequence")) or request or str(end)
    span_id = (
        _call_id(key, request) if name == "api_request" and request else ids.span_id(f"claude {name} {key} {which}")
    )
    failed = name == "api_error" or str(said.get("success")).lower() == "false"
    title = text(said.get("tool_name")) if name == "tool_result" else None
    return replace(
        above, span_id=span_id, rank=Rank.FINISHED, at_ns=end, parent_id=above.span_id, start_ns=_began(record),
        end_ns=end, name=title or f"claude_code.{name}", status="error" if failed else None, attributes=dict(said),
        source_id=text(said.get("tool_use_id")) or request,
    )  # fmt: skip


def _call_id(key: str, request: str) -> str:
    """A call and what it answered come in two events, with the id of one request."""
    return ids.span_id(f"claude api_request {key} {request}")


def _began(record: LogRecord) -> int:
    """When what the record tells of began: its time is the end."""
    milliseconds = number(record.attributes.get("duration_ms"))
    if milliseconds is None or not 0 <= milliseconds < 1e12:
        return record.time_ns
    return max(0, record.time_ns - round(milliseconds * 1e6))


def _attributes_of_root(said: object) -> dict[str, Value]:
    return {key: said[key] for key in _OF_ROOT if key in said} if isinstance(said, dict) else {}
