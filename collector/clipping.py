"""Texts that are too long to keep, cut and marked; on the way in, after redaction.

The limit is for one text. A long JSON list (a resent history) is no single text: its strings are measured one by one.
A file within a text (an image as base64) may be MEDIA_PARTS times as long; a part of it would be of no use, so only its
type and its size are left of a longer one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import orjson

from collector.model import NO_READING, Content, Message, Reading, SpanPart, Value
from collector.store import media

MEDIA_PARTS = 16
_SMALL = frozenset({int, float, bool, type(None)})
_VALUES = ("tool", "params", "tool_definitions", "metadata", "documents")


def clip(part: SpanPart, limit: int) -> tuple[SpanPart, int]:
    """The part with no text longer than `limit` bytes, and how many were cut."""
    changed: dict[str, Any] = {}
    cuts = 0
    attributes, cut = _clip_mapping(part.attributes, limit)
    if cut:
        changed["attributes"], cuts = attributes, cut
    for name in ("events", "logs"):
        if getattr(part, name):
            items, cut = _clip_each(getattr(part, name), limit)
            if cut:
                changed[name], cuts = items, cuts + cut
    if part.reading is not NO_READING:
        reading, cut = _clip_reading(part.reading, limit)
        if cut:
            changed["reading"], cuts = reading, cuts + cut
    return (replace(part, **changed), cuts) if cuts else (part, 0)


def _clip_mapping(attributes: Mapping[str, Value], limit: int) -> tuple[Mapping[str, Value], int]:
    cuts = 0
    out: dict[str, Value] | None = None
    for key, value in attributes.items():
        if (type(value) is str and len(value) * 4 <= limit) or type(value) in _SMALL:
            continue
        new, cut = _clip_value(value, limit)
        if cut:
            out = dict(attributes) if out is None else out
            out[key] = new
            cuts += cut
    return (attributes, 0) if out is None else (out, cuts)


def _clip_each(items: Iterable[Any], limit: int) -> tuple[tuple[Any, ...], int]:
    """Events and log records: their attributes, and a record's body."""
    out, cuts = [], 0
    for item in items:
        attributes, cut = _clip_mapping(item.attributes, limit)
        new = replace(item, attributes=attributes) if cut else item
        cuts += cut
        if (body := getattr(item, "body", None)) is not None:
            body, cut = _clip_value(body, limit)
            new = replace(new, body=body) if cut else new
            cuts += cut
        out.append(new)
    return tuple(out), cuts


def _clip_reading(reading: Reading, limit: int) -> tuple[Reading, int]:
    """What the sender's own words say (our SDK, the proxy, Langfuse and LangSmith): attributes are not all there is."""
    changed: dict[str, Any] = {}
    cuts = 0
    if reading.system:
        messages, cut = _clip_messages(reading.system, limit)
        if cut:
            changed["system"], cuts = messages, cut
    for name in ("input", "output"):
        content = getattr(reading, name)
        if content is not None:
            clean, cut = _clip_content(content, limit)
            if cut:
                changed[name], cuts = clean, cuts + cut
    for name in _VALUES:
        if (value := getattr(reading, name)) is not None and value != ():
            clean, cut = _clip_record(value, limit)
            if cut:
                changed[name], cuts = clean, cuts + cut
    return (replace(reading, **changed), cuts) if cuts else (reading, 0)


def _clip_content(content: Content, limit: int) -> tuple[Content, int]:
    messages, cuts = _clip_messages(content.messages, limit)
    value, cut = _clip_value(content.value, limit)
    return (Content(messages, value), cuts + cut) if cuts + cut else (content, 0)


def _clip_messages(messages: tuple[Message, ...], limit: int) -> tuple[tuple[Message, ...], int]:
    """A message of which nothing is cut stays the same object: a history that many spans hold is encoded once."""
    if all(_is_short(part, limit // 4) for message in messages for part in message.parts):
        return messages, 0
    out, cuts = [], 0
    for message in messages:
        if all(_is_short(part, limit // 4) for part in message.parts):
            out.append(message)
            continue
        pairs = [_clip_mapping(part, limit) for part in message.parts]
        cut = sum(cut for _, cut in pairs)
        parts = tuple(dict(part) for part, _ in pairs) if cut else ()
        out.append(Message(message.role, parts, message.name, message.finish_reason) if cut else message)
        cuts += cut
    return (tuple(out), cuts) if cuts else (messages, 0)


def _is_short(part: Mapping[str, Any], letters: int) -> bool:
    """Whether there is surely nothing to cut, as in nearly all parts of a history."""
    for value in part.values():
        if type(value) is str:
            if len(value) > letters:
                return False
        elif type(value) is dict:  # the arguments of a call
            if not _is_short(value, letters):
                return False
        elif type(value) not in _SMALL:
            return False
    return True


def _clip_record(value: Any, limit: int) -> tuple[Any, int]:
    """A value, or a record (a tool, documents) whose fields are values."""
    if isinstance(value, tuple):
        pairs = [_clip_record(item, limit) for item in value]
        cuts = sum(cut for _, cut in pairs)
        return (tuple(item for item, _ in pairs), cuts) if cuts else (value, 0)
    names = getattr(value, "__dataclass_fields__", None)
    if names is None:
        return _clip_value(value, limit)
    changed, cuts = _clip_mapping({name: getattr(value, name) for name in names}, limit)
    return (replace(value, **changed), cuts) if cuts else (value, 0)


def _clip_value(value: Value, limit: int) -> tuple[Value, int]:
    if isinstance(value, str):
        if len(value) * 4 <= limit or (size := len(value.encode(errors="replace"))) <= limit:
            return value, 0
        if value[0] in "[{" and (inner := _clip_json(value, limit)) is not None:
            return inner
        if (found := media.split(value)) is not None:
            head = media.before(found[0])
            return (value, 0) if size <= limit * MEDIA_PARTS else (f"{head}…[{size - len(head)} bytes cut]", 1)
        kept = value.encode(errors="replace")[:limit].decode(errors="ignore")
        return f"{kept}…[{size - limit} bytes cut]", 1
    if isinstance(value, bytes) and len(value) > limit * MEDIA_PARTS:
        return value[:limit], 1
    if isinstance(value, list):
        pairs = [_clip_value(item, limit) for item in value]
        cuts = sum(cut for _, cut in pairs)
        return ([item for item, _ in pairs], cuts) if cuts else (value, 0)
    if isinstance(value, dict):
        items = {key: _clip_value(item, limit) for key, item in value.items()}
        cuts = sum(cut for _, cut in items.values())
        return ({key: item for key, (item, _) in items.items()}, cuts) if cuts else (value, 0)
    return value, 0


def _clip_json(text: str, limit: int) -> tuple[str, int] | None:
    try:
        value, cuts = _clip_value(orjson.loads(text), limit)
    except (orjson.JSONDecodeError, RecursionError):
        return None
    return (orjson.dumps(value).decode(), cuts) if cuts else (text, 0)
