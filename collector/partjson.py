"""Parts as plain JSON-ready dicts, and back: the shape of native files and of kept parts.

Only what is set is written. Values stay model Values (bytes, nan and so on): whoever writes JSON
encodes those. `from_json(to_json(part)) == part`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from operator import attrgetter
from typing import Any

from collector.model import (
    NO_READING,
    Content,
    Document,
    Event,
    Link,
    LogRecord,
    Message,
    Rank,
    Reading,
    Resource,
    Scope,
    SpanPart,
    Tool,
    Usage,
)  # fmt: skip

_Decode = Callable[[Any], Any]


def to_json(part: SpanPart) -> dict[str, Any]:
    data: dict[str, Any] = _dump(part)
    return data


def from_json(data: Mapping[str, Any]) -> SpanPart:
    """Rebuild a part. Unknown keys are left out: a newer version may have written them.

    Raises TypeError, ValueError or KeyError when the data is not such a dict.
    """
    part = _load(SpanPart, data)
    assert isinstance(part, SpanPart)
    return part


def _dump(value: Any) -> Any:
    kind = type(value)
    if kind in _PLAN:
        out = {}
        for (name, default), item in zip(_PLAN[kind], _VALUES[kind](value), strict=True):
            if item is default:
                continue
            if type(item) is not type(default) or item != default:
                out[name] = item if type(item) in _PLAIN else _dump(item)
        return out
    if kind is tuple:
        return [_dump(item) for item in value]
    if kind is Rank:
        return int(value)
    return value


def _default(field: Any) -> Any:
    if field.default is not MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not MISSING else MISSING


_PLAN: dict[type, list[tuple[str, Any]]] = {
    cls: [(f.name, _default(f)) for f in fields(cls)]
    for cls in (
        SpanPart,
        Reading,
        Usage,
        Content,
        Message,
        Tool,
        Document,
        Event,
        Link,
        LogRecord,
        Resource,
        Scope,
    )  # fmt: skip
}

_VALUES: dict[type, _Decode] = {cls: attrgetter(*(name for name, _ in plan)) for cls, plan in _PLAN.items()}
"""What takes all fields of one in one call: most of them are what they are by default."""
_PLAIN = frozenset((str, int, float, bool, bytes, dict))


def _load(cls: type, data: Mapping[str, Any]) -> Any:
    decoders = _DECODE.get(cls, {})
    known = {}
    for name, _ in _PLAN[cls]:
        if name in data:
            decode = decoders.get(name)
            known[name] = decode(data[name]) if decode is not None else data[name]
    return cls(**known)


def _one(cls: type) -> _Decode:
    return lambda data: None if data is None else _load(cls, data)


def _many(cls: type) -> _Decode:
    return lambda items: tuple(_load(cls, item) for item in items)


_strings: _Decode = tuple
_DECODE: dict[type, dict[str, _Decode]] = {
    SpanPart: {
        "rank": Rank,
        "events": _many(Event),
        "links": _many(Link),
        "logs": _many(LogRecord),
        "resource": _one(Resource),
        "scope": _one(Scope),
        "reading": lambda data: _load(Reading, data) if data else NO_READING,
    },
    Reading: {
        "usage": _one(Usage),
        "system": _many(Message),
        "input": _one(Content),
        "output": _one(Content),
        "tool": _one(Tool),
        "documents": _many(Document),
        "tags": _strings,
        "finish_reasons": _strings,
        "notes": _strings,
    },
    Content: {"messages": _many(Message)},
    Resource: {"entity_refs": tuple},
    Message: {"parts": _strings},
}
