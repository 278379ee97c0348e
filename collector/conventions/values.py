"""Attribute values as the types our fields have. Whoever wrote them may have written anything."""

from __future__ import annotations

import ast
import math
import re
from typing import Any

import orjson

from collector.model import Value

MAX_DEPTH = 100
"""JSON nested deeper than this stays text: nobody reads it, and writers of JSON give up at 254."""


def text(value: Any) -> str | None:
    """A non-empty string; numbers and booleans are spelt out."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return None


def integer(value: Any) -> int | None:
    """A count: never negative; "101" and 101.0 are 101."""
    if isinstance(value, str):
        try:
            value = float(value) if "." in value or "e" in value.lower() else int(value)
        except ValueError:
            return None
    if isinstance(value, float):
        if not math.isfinite(value) or value != int(value):
            return None
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        return None
    return value


def number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        out = float(value)
    except (ValueError, OverflowError):
        return None
    return out if math.isfinite(out) else None


def decoded(value: Any) -> Any:
    """JSON objects and lists out of their strings; everything else, and broken JSON, as it is."""
    if (
        isinstance(value, str)
        and value
        and (value[0] in "{[" or (value[0] in " \n\r\t" and value.lstrip()[:1] in ("{", "[")))
    ):
        return load(value)
    return value


def scalar(value: Any) -> Any:
    """As `decoded`, and a JSON string, too, out of its quotes: some encode every value, texts included."""
    if isinstance(value, str) and len(value) > 1 and value[0] == value[-1] == '"':
        return load(value)
    return decoded(value)


def pythonic(value: Any) -> Any:
    """As `decoded`, and what Python's repr() made of a dict, too, where it is short: some SDKs write no JSON."""
    said = decoded(value)
    if isinstance(said, str) and said[:1] == "{" and len(said) <= _REPR_CHARS:
        try:
            return ast.literal_eval(said)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return said
    return said


_REPR_CHARS = 4096


def load(value: str) -> Any:
    """What a string of JSON says; the string itself where it is not JSON, or is nested too deeply."""
    try:
        out = orjson.loads(value)
    except ValueError:
        return value
    if (_opens_often(value, "{") or _opens_often(value, "[")) and _deeper_than(out, MAX_DEPTH):
        return value
    return out


def _opens_often(value: str, opening: str) -> bool:
    """Whether there is enough of it to be nested too deeply. `find` hops over text, `count` looks at each letter."""
    at = -1
    for _ in range(MAX_DEPTH // 2):
        at = value.find(opening, at + 1)
        if at < 0:
            return False
    return True


def shared(value: Any) -> Any:
    """As `decoded`, for what comes again with every span (tools, metadata, parameters). Not to be changed."""
    if not isinstance(value, str) or len(value) > _SHARED_CHARS:
        return decoded(value)
    known = _shared.get(value)
    if known is None:
        if len(_shared) >= _SHARED:
            _shared.clear()
        known = _shared[value] = (decoded(value),)
    return known[0]


_SHARED, _SHARED_CHARS = 256, 65_536
_shared: dict[str, tuple[Any]] = {}


def _deeper_than(value: Any, depth: int) -> bool:
    level = [value]
    for _ in range(depth):
        level = [
            inner
            for item in level
            for inner in (item.values() if isinstance(item, dict) else item if isinstance(item, list) else ())
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def mapping(value: Any) -> dict[str, Any] | None:
    value = shared(value)
    return value if isinstance(value, dict) and value else None


def strings(value: Any) -> tuple[str, ...]:
    """A list of strings, however it is spelt: a list, JSON of one, or words between commas."""
    value = decoded(value)
    if isinstance(value, str):
        value = value.split(",")
    elif not isinstance(value, list | tuple):
        value = [value]
    said = (text(item) for item in value)
    return tuple([word.strip() for word in said if word and word.strip()])


_UNSET = re.compile(r"<openai\.(?:Omit|NotGiven) object at 0x[0-9a-fA-F]+>|NOT_GIVEN").fullmatch


def unset(value: Any) -> bool:
    """Whether this is what Python prints for a parameter that was not given to OpenAI's client."""
    return isinstance(value, str) and _UNSET(value) is not None


def spelt(value: Any) -> str:
    """A text for something that should have been one."""
    if isinstance(value, str):
        return value
    try:
        return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:
        return repr(value)


def by_mime(value: Value, mime: Value) -> Value:
    """The value of a side: decoded where its type says that it is JSON."""
    if isinstance(value, str) and isinstance(mime, str) and "json" in mime:
        out: Value = load(value)
        return out
    return value
