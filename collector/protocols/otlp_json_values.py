"""What stands in OTLP's JSON: fields by either of their names, numbers, enums, ids, and attributes of every kind."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Mapping
from typing import Any

from collector.model import Value
from collector.protocols.limits import Limits, SpanError
from collector.protocols.parts import unique

_capital = re.compile(r"([A-Z])")
_SNAKE: dict[str, str] = {}
"""The original name of each field, which a JSON reader of protobuf must know, too."""


def get(data: Mapping[str, Any], name: str) -> Any:
    value = data.get(name)
    if value is None:
        other = _SNAKE.get(name)
        if other is None:
            other = _SNAKE[name] = _capital.sub(r"_\1", name).lower()
        return data.get(other)
    return value


def attributes(pairs: Any, limits: Limits) -> dict[str, Value]:
    """[{"key", "value"}, …] as a dict."""
    if not pairs:
        return {}
    if not isinstance(pairs, list):
        raise SpanError("attributes are not a list of key and value")
    out: dict[str, Value] = {}
    for pair in pairs:
        try:  # most values are strings
            key, text = pair["key"], pair["value"]["stringValue"]
            if type(text) is str and type(key) is str:
                out[key] = text
                continue
        except (KeyError, TypeError):
            pass
        key, value = _pair(pair)
        out[key] = None if value is None else value_of(value, limits.depth)
    if len(out) < len(pairs):
        out = unique(
            [(key, None if value is None else value_of(value, limits.depth)) for key, value in map(_pair, pairs)]
        )
    if len(out) > limits.attributes:
        raise SpanError(f"more than {limits.attributes} attributes")
    return out


def _pair(pair: Any) -> tuple[str, Any]:
    if not isinstance(pair, dict) or not isinstance(pair.get("key", ""), str):
        raise SpanError("an attribute is not an object with a key")
    return pair.get("key", ""), pair.get("value")


def value_of(value: Any, depth: int) -> Value:
    """An AnyValue; None where nothing is set, or a type that is newer than this code."""
    if not isinstance(value, dict):
        raise SpanError("an attribute's value is not an object")
    for name, said in value.items():
        read = _READ.get(name)
        if read is not None and said is not None:
            return read(said, depth)
    return None


def _string(said: Any, depth: int) -> Value:
    return text_of(said)


def _bool(said: Any, depth: int) -> Value:
    if isinstance(said, bool):
        return said
    if said in ("true", "false"):
        return bool(said == "true")
    raise SpanError("boolValue is not a boolean")


def _integer_value(said: Any, depth: int) -> Value:
    return integer(said, "intValue", -(2**63))


def _double(said: Any, depth: int) -> Value:
    try:
        return float(said)
    except (TypeError, ValueError, OverflowError) as error:
        raise SpanError("doubleValue is not a number") from error


def _bytes(said: Any, depth: int) -> Value:
    try:
        return base64.b64decode(said.translate(_URL_SAFE) + "=" * (-len(said) % 4), validate=True)
    except (AttributeError, ValueError) as error:
        raise SpanError("bytesValue is not base64") from error


def _check_depth(depth: int) -> None:
    if depth <= 0:
        raise SpanError("values nested too deeply")


def _array(said: Any, depth: int) -> Value:
    _check_depth(depth)
    items = said.get("values") if isinstance(said, dict) else said
    if not isinstance(items or [], list):
        raise SpanError("arrayValue has no list of values")
    return [None if item is None else value_of(item, depth - 1) for item in items or ()]


def _kvlist(said: Any, depth: int) -> Value:
    _check_depth(depth)
    items = said.get("values") if isinstance(said, dict) else said
    if not isinstance(items or [], list):
        raise SpanError("kvlistValue has no list of values")
    pairs = [_pair(item) for item in items or ()]
    return unique([(key, None if value is None else value_of(value, depth - 1)) for key, value in pairs])


_URL_SAFE = str.maketrans("-_", "+/")
_READ = {
    "stringValue": _string, "string_value": _string, "boolValue": _bool, "bool_value": _bool,
    "intValue": _integer_value, "int_value": _integer_value, "doubleValue": _double, "double_value": _double,
    "bytesValue": _bytes, "bytes_value": _bytes, "arrayValue": _array, "array_value": _array,
    "kvlistValue": _kvlist, "kvlist_value": _kvlist,
}  # fmt: skip


def text_of(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise SpanError("a text field is not a string")
    return value


def integer(value: Any, field: str, least: int = 0) -> int:
    """An integer of 64 bits; 0 where it is not set."""
    if value is None or value == "":
        return 0
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        number = _from_float(value, field)
    if not least <= number < 2**64 + least:
        raise SpanError(f"{field} is out of range")
    return number


def _from_float(value: Any, field: str) -> int:
    """JavaScript writes large numbers as 1.7e18, some senders as strings of such."""
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise SpanError(f"{field} is not a number") from error
    if not math.isfinite(number):
        raise SpanError(f"{field} is not a number")
    return int(number)


def enum(value: Any, names: tuple[str, ...]) -> int:
    if isinstance(value, str) and not value.isdigit():
        tail = value.rpartition("_")[2].upper()
        return names.index(tail) if tail in names else 0
    return integer(value, "enum")


def id_of(value: Any) -> str:
    """Lower-case hex. Base64, which protobuf's own JSON would use, is told apart by its length."""
    text = text_of(value)
    if len(text) in (24, 12) and not _is_hex(text):
        try:
            return base64.b64decode(text, validate=True).hex()
        except binascii.Error:
            pass
    if text and not _is_hex(text):
        raise SpanError("an id is not hex")
    return text.lower()


_is_hex = re.compile(r"(?:[0-9a-fA-F]{2})*", re.ASCII).fullmatch
