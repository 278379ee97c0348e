"""JSON that anybody may have sent: read with a limit on its depth, and with what strict parsers refuse.

`orjson` reads a thousand levels, which is more than Python functions can then walk, and than `orjson` writes (254).
"""

from __future__ import annotations

import json
from typing import Any

import orjson

from collector.errors import DecodeError

DEPTH = 100
"""Arrays and objects within one another. Real bodies have under 30; a JSON string in a string does not count."""


def load(body: bytes, what: str = "a body", *, depth: int | None = DEPTH) -> Any:
    """The document. DecodeError names `what` it should have been; also where it is nested deeper than `depth`.

    NaN and Infinity as bare words, a byte order mark and half surrogate pairs (which become U+FFFD) are read.
    """
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
