"""A span's content as plain text, whole: what an editor is given. Control characters stay out of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from collector.model import Content, Message
from collector.store.rows import SpanDetail
from tracetui import format as fmt
from tracetui.widgets.details import as_values


def as_text(span: SpanDetail, tab: int) -> tuple[str, str]:
    """(what the tab of that number shows, the suffix that tells an editor what it is)."""
    if tab >= 2:
        shape = as_values(span)
        part = {2: ("attributes", "resource", "scope"), 3: ("events", "logs", "links", "scores")}.get(tab)
        kept = {name: value for name, value in shape.items() if part is None or name in part}
        return _json(kept) + "\n", ".json"
    said: list[str] = []
    if tab == 0:
        said += _messages(span.system)
    for title, side in (("input", span.input), ("output", span.output)):
        if side is not None:
            said += _messages(side.messages) if tab == 0 and side.messages else _side(title, side)
    return "\n\n".join(said or ["(nothing was recorded)"]) + "\n", ".md"


def _side(title: str, side: Content) -> list[str]:
    return [f"# {title}", *_messages(side.messages)] if side.messages else [f"# {title}", _text(side.value)]


def _messages(messages: Iterable[Message]) -> list[str]:
    return [f"## {fmt.plain(message.role)}\n\n" + "\n\n".join(map(_part, message.parts)) for message in messages]


def _part(part: Any) -> str:
    if not isinstance(part, dict):
        return _text(part)
    kind = part.get("type")
    if kind in ("text", "reasoning") and isinstance(part.get("text"), str):
        return ("> reasoning\n\n" if kind == "reasoning" else "") + _text(part["text"])
    if kind == "tool_call":
        return f"{fmt.plain(str(part.get('name')))}({_json(part.get('arguments'))})"
    if kind == "tool_result":
        return "result: " + _text(part.get("result"))
    return _json(part)


def _text(value: Any) -> str:
    return "\n".join(fmt.plain_lines(value)) if isinstance(value, str) else _json(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)
