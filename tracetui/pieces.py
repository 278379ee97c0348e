"""The pieces the public JSON shapes are made of: content, tools, documents, scores, events. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from collector.export.telling import jsonable
from collector.model import Content, Document, Event, Link, LogRecord, Message, Score, Tool
from collector.store.rows import SpanDetail

Json: TypeAlias = dict[str, Any]


def trace_sides(spans: Sequence[SpanDetail]) -> tuple[Json | None, Json | None]:
    """What went into a trace and what came out: the root's, else the first user and the last assistant text."""
    root = next((span for span in spans if span.row.parent_id is None), None)
    given = side_json(root.input, root.system) if root else None
    made = side_json(root.output) if root else None
    return given or _first_said(spans, "user"), made or _last_answered(spans)


def _first_said(spans: Sequence[SpanDetail], role: str) -> Json | None:
    for span in sorted(spans, key=lambda span: span.row.start_ns):
        for message in span.input.messages if span.input else ():
            if message.role == role and text_of(message):
                return {"messages": [_text_message(role, text_of(message))]}
    return None


def _last_answered(spans: Sequence[SpanDetail]) -> Json | None:
    for span in sorted(spans, key=lambda span: span.row.end_ns or span.row.start_ns, reverse=True):
        for message in reversed(span.output.messages if span.output else ()):
            if message.role == "assistant" and text_of(message):
                return {"messages": [_text_message("assistant", text_of(message))]}
    return None


def _text_message(role: str, text: str) -> Json:
    return {"role": role, "parts": [{"type": "text", "text": text}]}


def text_of(message: Message) -> str:
    """The text parts of a message, joined; "" when it only calls tools."""
    return "".join(str(part.get("text") or "") for part in message.parts if part.get("type") == "text")


def side_json(content: Content | None, system: Sequence[Message] = (), tool: bool = False) -> Json | None:
    """Input or output: {"messages": […]} or {"value": …}, null when nothing is known.

    System instructions lead the messages, as the model saw them. `tool` unwraps {"args": [], "kwargs": {…}}.
    """
    shape: Json = {}
    messages = [*system, *(content.messages if content else ())]
    if messages:
        shape["messages"] = [message_json(message) for message in messages]
    if content and content.value is not None:
        shape["value"] = jsonable(unwrapped(content.value) if tool else content.value)
    return shape or None


def message_json(message: Message) -> Json:
    shape: Json = {"role": message.role, "parts": [jsonable(part) for part in message.parts]}
    if message.name is not None:
        shape["name"] = message.name
    if message.finish_reason is not None:
        shape["finish_reason"] = message.finish_reason
    return shape


def tool_json(tool: Tool | None, name: str | None = None) -> Json | None:
    """A tool call as the span that ran it saw it; wrapped arguments are shown unwrapped."""
    if tool is None:
        return None if name is None else {"name": name, "call_id": None, "arguments": None, "result": None}
    return {
        "name": tool.name or name,
        "call_id": tool.call_id,
        "arguments": jsonable(unwrapped(tool.arguments)),
        "result": jsonable(tool.result),
    }


def unwrapped(arguments: object) -> object:
    """`{"args": [], "kwargs": {…}}`, as decorators record a call by keywords, is its keywords."""
    if isinstance(arguments, dict) and arguments.keys() == {"args", "kwargs"} and not arguments["args"]:
        return arguments["kwargs"]
    return arguments


def document_json(document: Document) -> Json:
    return {
        "id": document.id,
        "content": document.content,
        "score": jsonable(document.score),
        "rank": document.rank,
        "rank_before": document.rank_before,
        "metadata": jsonable(document.metadata),
    }


def score_json(score: Score) -> Json:
    """`value` is the number, or the label of a categorical score; a boolean score is true or false."""
    value: float | str | bool | None = score.label if score.value is None else score.value
    if score.data_type == "boolean" and score.value is not None:
        value = bool(score.value)
    return {
        "score_id": score.score_id,
        "name": score.name,
        "value": jsonable(value),
        "data_type": score.data_type,
        "comment": score.comment,
        "source": score.source,
        "time_ns": score.time_ns,
        "trace_id": score.trace_id,
        "span_id": score.span_id,
        "session_id": score.session_id,
        "metadata": jsonable(score.metadata),
    }


def event_json(event: Event) -> Json:
    return {"time_ns": event.time_ns, "name": event.name, "attributes": jsonable(event.attributes)}


def link_json(link: Link) -> Json:
    return {"trace_id": link.trace_id, "span_id": link.span_id, "attributes": jsonable(link.attributes)}


def log_json(record: LogRecord) -> Json:
    return {
        "time_ns": record.time_ns,
        "event_name": record.event_name,
        "severity": record.severity,
        "body": jsonable(record.body),
        "attributes": jsonable(record.attributes),
    }
