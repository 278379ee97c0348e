"""Claude Code's log events as spans: without its (beta) tracing they name none, and are all there is of a session.

One prompt is a trace: the prompt its root, each request to the model and each tool's result a span under it. An event
comes when what it tells of is over, with its duration; so a span begins that much earlier. The root goes on from the
earliest of them to the latest. What else is told (decisions, hooks, connections) is kept as log records of the root.
Names: the program itself, 2.1 (it was read, not run), and https://code.claude.com/docs/en/monitoring-usage
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from collector import ids
from collector.conventions.values import number, text
from collector.model import LogRecord, Rank, Resource, Scope, SpanPart, Value

SCOPE = "com.anthropic.claude_code.events"
ROOT = "claude_code.interaction"
_SPANS = ("api_request", "api_error", "tool_result")
_TOLD_BY_ROOT = ("user_prompt", "assistant_response")
_OF_ROOT = ("session.id", "prompt.id", "prompt", "prompt_length", "response", "user.id", "organization.id",
            "user.account_uuid", "app.version", "terminal.type")  # fmt: skip
_LATEST = 2**62

Told = tuple[LogRecord, Resource | None, Scope | None]


def spans_of_events(told: Iterable[Told]) -> tuple[SpanPart, ...]:
    """Parts of spans from log records of `SCOPE` that name none."""
    return tuple(part for record, resource, scope in told for part in _parts(record, resource, scope))


def _parts(record: LogRecord, resource: Resource | None, scope: Scope | None) -> Iterator[SpanPart]:
    said = record.attributes
    name = (record.event_name or text(said.get("event.name")) or str(record.body or "")).removeprefix("claude_code.")
    key = f"{text(said.get('session.id')) or ''} {text(said.get('prompt.id')) or ''}"
    root = SpanPart(
        ids.trace_id(f"claude {key}"), ids.span_id(f"claude prompt {key}"), name=ROOT, resource=resource, scope=scope,
        keep_parts=True,
    )  # fmt: skip
    start, end = _began(record), record.time_ns
    yield replace(root, rank=Rank.STARTED, at_ns=_LATEST - start, start_ns=start)
    yield replace(root, rank=Rank.FINISHED, at_ns=end, end_ns=end, attributes=_attributes_of_root(said))
    if name in _SPANS:
        which = text(said.get("event.sequence")) or text(said.get("request_id")) or str(end)
        failed = name == "api_error" or str(said.get("success")).lower() == "false"
        yield SpanPart(
            root.trace_id, ids.span_id(f"claude {name} {key} {which}"), Rank.FINISHED, end, root.span_id,
            f"claude_code.{name}", start, end, "error" if failed else None, attributes=dict(said),
            resource=resource, scope=scope,
        )  # fmt: skip
    elif name not in _TOLD_BY_ROOT:
        yield replace(root, rank=Rank.UPDATE, at_ns=end, logs=(record,))


def _began(record: LogRecord) -> int:
    """When what the record tells of began: its time is the end."""
    milliseconds = number(record.attributes.get("duration_ms"))
    if milliseconds is None or not 0 <= milliseconds < 1e12:
        return record.time_ns
    return max(0, record.time_ns - round(milliseconds * 1e6))


def _attributes_of_root(said: object) -> dict[str, Value]:
    return {key: said[key] for key in _OF_ROOT if key in said} if isinstance(said, dict) else {}
