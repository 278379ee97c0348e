"""Keys and values in OTLP's protobuf: the hottest part of a hot path.

They repeat from span to span (names, models, hosts): short attributes are remembered by their bytes, keys always.
"""

from __future__ import annotations

from struct import Struct

from collector.model import Value
from collector.protocols.limits import Limits, SpanError
from collector.protocols.parts import unique
from collector.protocols.wire import message, varint

SHORT = 80
"""Attributes of up to so many bytes are remembered; longer ones seldom come again."""

REMEMBERED = 8192

PAIRS: dict[bytes, tuple[str, Value]] = {}
_keys: dict[bytes, str] = {}
_double = Struct("<d").unpack_from


def attributes(buf: bytes, fields: list[tuple[int, int, int]], wanted: int, limits: Limits) -> dict[str, Value]:
    out = unique([pair(buf, start, stop, limits.depth) for tag, start, stop in fields if tag == wanted])
    if len(out) > limits.attributes:
        raise SpanError(f"more than {limits.attributes} attributes")
    return out


def pair_of(raw: bytes, size: int, depth: int) -> tuple[str, Value]:
    """A short attribute, remembered unless its value could be changed by whoever gets it."""
    if len(raw) != size:
        raise ValueError("a field runs over its end")
    found = pair(raw, 0, len(raw), depth)
    if not isinstance(found[1], list | dict):
        if len(PAIRS) >= REMEMBERED:
            PAIRS.clear()
        PAIRS[raw] = found
    return found


def pair(buf: bytes, pos: int, end: int, depth: int) -> tuple[str, Value]:
    """A KeyValue: first the usual shape (a key below 128 bytes, then a value), then any."""
    if end - pos > 3 and buf[pos] == 0x0A and (size := buf[pos + 1]) < 128:
        after = pos + 2 + size
        if after < end - 1 and buf[after] == 0x12:
            raw = buf[pos + 2 : after]
            size = buf[after + 1]
            after += 2
            if size > 127:
                size, after = varint(buf, after - 1)
            if after + size == end:
                return _keys.get(raw) or _key(raw), value(buf, after, end, depth)
    return _odd_pair(buf, pos, end, depth)


def _odd_pair(buf: bytes, pos: int, end: int, depth: int) -> tuple[str, Value]:
    key: str = ""
    said: Value = None
    for tag, start, stop in message(buf, pos, end):
        if tag == 0x0A:
            key = buf[start:stop].decode()
        elif tag == 0x12:
            said = value(buf, start, stop, depth)
    return key, said


def _key(raw: bytes) -> str:
    if len(_keys) >= REMEMBERED:
        _keys.clear()
    key = _keys[raw] = raw.decode()
    return key


def value(buf: bytes, pos: int, end: int, depth: int) -> Value:
    """An AnyValue; None where it is unset, or of a type newer than this code."""
    if pos == end:
        return None
    tag = buf[pos]
    if tag == 0x0A:
        size = buf[pos + 1]
        at = pos + 2
        if size > 127:
            size, at = varint(buf, pos + 1)
        if at + size == end:
            return buf[at:end].decode()
    elif tag == 0x18:
        number, at = varint(buf, pos + 1)
        if at == end:
            return number if number < 0x8000000000000000 else number - 0x10000000000000000
    out: Value = None
    for tag, start, stop in message(buf, pos, end):
        if tag in _MEMBERS:
            out = _member(buf, tag, start, stop, depth)
    return out


_MEMBERS = frozenset({0x0A, 0x10, 0x18, 0x21, 0x2A, 0x32, 0x3A})


def _member(buf: bytes, tag: int, start: int, stop: int, depth: int) -> Value:
    if tag == 0x0A:
        return buf[start:stop].decode()
    if tag == 0x10:
        return start != 0
    if tag == 0x18:
        return start if start < 0x8000000000000000 else start - 0x10000000000000000
    if tag == 0x21:
        number: float = _double(start.to_bytes(8, "little"))[0]
        return number
    if tag == 0x3A:
        return buf[start:stop]
    if depth <= 0:
        raise SpanError("values nested too deeply")
    items = message(buf, start, stop)
    if tag == 0x2A:
        return [value(buf, first, last, depth - 1) for inner, first, last in items if inner == 0x0A]
    return unique([pair(buf, first, last, depth - 1) for inner, first, last in items if inner == 0x0A])
