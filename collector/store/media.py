"""Files within texts: base64 is kept as the bytes it stands for, once, and is no matter for search.

An image is sent with every turn of its conversation, as a data URL by one client and as bare base64 by another. The
text comes back as it was, letter by letter; what would not is left a text.
"""

from __future__ import annotations

import re
from binascii import Error, a2b_base64, b2a_base64

LEAST = 1024
"""Characters. What is shorter is no file worth a place of its own."""
_LOOK = 512
_BARE = re.compile(rf"(?=.{{0,{_LOOK}}}[a-z])(?=.{{0,{_LOOK}}}[A-Z])(?=.{{0,{_LOOK}}}\d)[A-Za-z0-9+/]{{{_LOOK}}}")
"""How bare base64 begins: no prose, which has spaces, and no hex, which has one case."""
_MARK = ";base64"


def split(text: str) -> tuple[str, bytes] | None:
    """(what stands before the base64, the bytes), where all of the text after it is base64; else None."""
    if len(text) < LEAST:
        return None
    begin = 0
    if text.startswith("data:"):
        begin = text.find(",", 5, _LOOK) + 1
        if not begin or not text.endswith(_MARK, 0, begin - 1):
            return None
    elif _BARE.match(text) is None:
        return None
    held = text[begin:]
    try:
        data = a2b_base64(held, strict_mode=True)
    except (Error, ValueError):
        return None
    return (text[:begin], data) if join("", data) == held else None


def join(head: str, data: bytes) -> str:
    """The text again."""
    return head + b2a_base64(data, newline=False).decode()
