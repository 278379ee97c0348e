"""JSON that anybody may have sent: read with a limit on its depth, and with what strict parsers refuse.

`orjson` reads a thousand levels, which is more than Python functions can then walk, and than `orjson` writes (254).
"""

from __future__ import annotations

import json
from typing import Any

import orjson

from collector.errors import DecodeError, TooLarge

LIGHT_BYTES, MEMORY_BYTES = 2_000_000, 512 * 2**20
"""A body up to the one is read whatever it holds; a longer one where what it holds takes up to the other."""
_OBJECT_BYTES, _LIST_BYTES, _PIECE_BYTES = 200, 64, 48
DEPTH = 100
"""Arrays and objects within one another. Real bodies have under 30; a JSON string in a string does not count."""


def weigh(body: bytes, what: str = "a body", most: int = MEMORY_BYTES) -> None:
    """TooLarge for JSON that is small in bytes and large in memory: three bytes of `{},` become a hundred, and 60 MB of
    them are packed into 60 KB. Estimated by what begins objects and lists and what divides their pieces, wherever it
    stands: a text of prose weighs next to nothing."""
    if len(body) <= LIGHT_BYTES:
        return
    needs = body.count(b"{") * _OBJECT_BYTES + body.count(b"[") * _LIST_BYTES + body.count(b",") * _PIECE_BYTES
    if needs > most:
        raise TooLarge(
            f"{what} of {len(body):,} bytes is made of so many small pieces that reading it may take {needs >> 20:,} "
            f"MB, where {most >> 20:,} are the limit; send smaller batches"
        )


def load(body: bytes, what: str = "a body", *, depth: int | None = DEPTH) -> Any:
    """The document. DecodeError names `what` it should have been; also where it is nested deeper than `depth`. TooLarge
    where it would take too much memory (see `weigh`).

    NaN and Infinity as bare words, a byte order mark and half surrogate pairs (which become U+FFFD) are read.
    """
    weigh(body, what)
    try:
        document = orjson.loads(body)
    except ValueError:
        document = _load_leniently(body, what)
    if depth is not None and body.count(b"[") + body.count(b"{") > depth and _is_deeper(document, depth):
        raise DecodeError(f"{what} of {len(body):,} bytes is JSON nested deeper than {depth} levels")
    return document


def _is_deeper(document: Any, depth: int) -> bool:
    level = [document]
    for _ in range(depth):
        level = [
            child
            for one in level
            for child in (one.values() if type(one) is dict else one if type(one) is list else ())
            if type(child) in (dict, list)
        ]
        if not level:
            return False
    return True


def _load_leniently(body: bytes, what: str) -> Any:
    try:
        return _whole(json.loads(body.decode("utf-8-sig"), parse_constant=float))
    except RecursionError as error:
        raise DecodeError(f"{what} of {len(body):,} bytes is JSON nested too deeply") from error
    except ValueError as error:
        raise DecodeError(f"{what} of {len(body):,} bytes is not JSON: {error}") from error


def _whole(value: Any) -> Any:
    """With half surrogate pairs replaced: no UTF-8 can hold them."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {_whole(key): _whole(item) for key, item in value.items()}
    return value
