"""Protobuf's wire format, read without making an object for every field.

The official library makes three Python objects an attribute, and refuses a whole body for one broken string. Here a
message is read in place, by its tags, so that a broken span costs itself only.
https://protobuf.dev/programming-guides/encoding/ ; tests compare every result with the official library's.
"""

from __future__ import annotations

from struct import Struct
from struct import error as StructError  # noqa: N812

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
fixed64, _fixed32 = Struct("<Q").unpack_from, Struct("<I").unpack_from

BROKEN = (IndexError, StructError, UnicodeDecodeError, ValueError)
"""What reading broken bytes raises."""

Fields = list[tuple[int, int, int]]


def varint(buf: bytes, pos: int) -> tuple[int, int]:
    """(number below 2**64, where it ends)."""
    number = shift = 0
    while True:
        byte = buf[pos]
        pos += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number & 0xFFFFFFFFFFFFFFFF, pos
        shift += 7
        if shift > 63:
            raise ValueError("a number of more than ten bytes")


def one_field(buf: bytes, pos: int) -> tuple[int, int | bytes, int]:
    """(tag, number or bytes, where it ends) of the field at `pos`."""
    tag, pos = varint(buf, pos)
    if tag < 8:
        raise ValueError("field number 0")
    kind = tag & 7
    if kind == VARINT:
        number, pos = varint(buf, pos)
        return tag, number, pos
    if kind == LENGTH:
        size, pos = varint(buf, pos)
        return tag, buf[pos : pos + size], pos + size
    if kind == FIXED64:
        return tag, fixed64(buf, pos)[0], pos + 8
    if kind == FIXED32:
        return tag, _fixed32(buf, pos)[0], pos + 4
    raise ValueError(f"wire type {kind}")


MOST_FIELDS = 250_000
"""Of one message: a body of 60 MB could hold thirty million of two bytes, at a hundred times the memory."""


def message(buf: bytes, pos: int, end: int) -> Fields:
    """(tag, value or start, stop) of each field between `pos` and `end`; `stop` is -1 where the field is a number.

    A tag is the field's number times 8 plus its wire type. Unknown fields are among them, to be passed over.
    ValueError for one with more than MOST_FIELDS.
    """
    out: Fields = []
    if end - pos > 2 * MOST_FIELDS:
        check_fields(buf, pos, end)
    while pos < end:
        tag = buf[pos]
        pos += 1
        if tag > 127:
            tag, pos = varint(buf, pos - 1)
        kind = tag & 7
        if kind == LENGTH:
            size = buf[pos]
            pos += 1
            if size > 127:
                size, pos = varint(buf, pos - 1)
            out.append((tag, pos, pos + size))
            pos += size
        elif kind == VARINT:
            number, pos = varint(buf, pos)
            out.append((tag, number, -1))
        elif kind == FIXED64:
            out.append((tag, fixed64(buf, pos)[0], -1))
            pos += 8
        elif kind == FIXED32:
            out.append((tag, _fixed32(buf, pos)[0], -1))
            pos += 4
        else:
            raise ValueError(f"wire type {kind}")
        if tag < 8:
            raise ValueError("field number 0")
    if pos != end:
        raise ValueError("a field runs over its end")
    return out


def check_fields(buf: bytes, pos: int, end: int) -> None:
    """ValueError where a message has more than MOST_FIELDS: counted, none kept. What is broken is found later."""
    if end - pos <= 2 * MOST_FIELDS:  # nearly every one
        return
    for _ in range(MOST_FIELDS):
        kind = buf[pos] & 7
        _, pos = varint(buf, pos)
        if kind == LENGTH:
            size, pos = varint(buf, pos)
            pos += size
        elif kind == VARINT:
            _, pos = varint(buf, pos)
        else:
            pos += 8 if kind == FIXED64 else 4
        if pos >= end:
            return
    raise ValueError(f"a message of more than {MOST_FIELDS:,} fields")
