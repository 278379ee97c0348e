"""Ids of other systems as ours: 32 hex characters for a trace, 16 for a span.

Hex that fits is used as it is (in lower case; a UUID without its dashes, `trace_<32 hex>`,
`span_<16 hex>`). Anything else becomes the first 32 or 16 hex characters of sha256(kind + text),
so that the same foreign id always names the same span. The original belongs into `source_id`.
"""

from __future__ import annotations

import hashlib
import re

from collector.errors import DecodeError

TRACE_HEX, SPAN_HEX = 32, 16

_hex = re.compile(r"[0-9a-f]+", re.ASCII).fullmatch


def trace_id(text: str) -> str:
    """32 lower-case hex characters. DecodeError for an id that is empty or all zero."""
    return _ours("trace", text, TRACE_HEX)


def span_id(text: str) -> str:
    """16 lower-case hex characters. DecodeError for an id that is empty or all zero."""
    return _ours("span", text, SPAN_HEX)


def _ours(kind: str, text: str, length: int) -> str:
    bare = text.strip().lower().removeprefix(f"{kind}_")
    packed = bare.replace("-", "") if len(bare) == length + 4 else bare
    if not bare.strip("0-"):
        raise DecodeError(
            f"{kind} id {text[:80]!r} is {'all zero' if bare else 'empty'}; every {kind} needs one of its own"
        )
    if len(packed) == length and _hex(packed):
        return packed
    return hashlib.sha256(f"{kind}{text}".encode(errors="surrogatepass")).hexdigest()[:length]
