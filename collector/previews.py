"""One line of an input or output: what a list shows of it."""

from __future__ import annotations

import json
import re

import orjson

from collector.model import Content, Message, Value

PREVIEW = 120


def preview_input(content: Content | None) -> str | None:
    """One line: what the user said last, else the last thing said, else the value."""
    if content is None:
        return None
    for message in reversed(content.messages):
        if message.role == "user" and (text := text_of(message)):
            return one_line(text)
    return _preview(content)


def preview_output(content: Content | None) -> str | None:
    return None if content is None else _preview(content)


def _preview(content: Content) -> str | None:
    for message in reversed(content.messages):
        if text := text_of(message):
            return one_line(text)
        if names := [str(p.get("name")) for p in message.parts if p.get("type") == "tool_call"]:
            return one_line(f"(calling {', '.join(names)}…)")
    value = said_alone(content.value)
    if value is None:
        return None
    return one_line(value if isinstance(value, str) else _as_text(value))


def said_alone(value: Value) -> Value:
    """What a wrapper holds where it holds one thing: decorators record a call as {"args": […], "kwargs": {…}}, and
    many a value is {"question": "…"}."""
    if isinstance(value, dict) and value.keys() == {"args", "kwargs"} and not (value["args"] and value["kwargs"]):
        value = value["args"] or value["kwargs"]
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
    if isinstance(value, dict) and len(value) == 1:
        (only,) = value.values()
        return only if isinstance(only, str) else value
    return value


def _as_text(value: Value) -> str:
    try:
        return orjson.dumps(value, default=repr).decode()
    except TypeError:  # orjson knows no integer beyond 64 bits
        return json.dumps(value, default=repr, ensure_ascii=False)


def text_of(message: Message) -> str:
    return "".join(p.get("text") or "" for p in message.parts if p.get("type") == "text")


_REFERENCE = re.compile(r"@@@langfuseMedia:type=([^|@]*)\|[^@]*@@@")
"""Where Langfuse's SDK has put a file; the type says more than its id."""


def one_line(text: str) -> str:
    line = " ".join(text[: 4 * PREVIEW].split())
    if "@@@" in line:
        line = _REFERENCE.sub(r"(\1)", line)
    return line if len(line) <= PREVIEW else line[: PREVIEW - 1] + "…"
