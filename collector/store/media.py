"""Files within texts: base64 is kept as the bytes it stands for, once, and is no matter for search.

An image is sent with every turn of its conversation, as a data URL by one client, as bare base64 by another and in
base64url by a third. The text comes back as it was, letter by letter; what would not is left a text.
"""

from __future__ import annotations

import re
from binascii import Error, a2b_base64, b2a_base64

LEAST = 1024
"""Characters. What is shorter is no file worth a place of its own."""
_LOOK = 512
_BARE = re.compile(rf"(?=.{{0,{_LOOK}}}[a-z])(?=.{{0,{_LOOK}}}[A-Z])(?=.{{0,{_LOOK}}}\d)[A-Za-z0-9+/_-]{{{_LOOK}}}")
"""How bare base64 begins: no prose, which has spaces, and no hex, which has one case."""
_MARK = ";base64"
_SPELT = "\x01"
"""Between what stands before the base64 and how it is spelt, where that is not RFC 4648's first way."""
_STYLE = re.compile(r"(u?)(n?)(?:w(\d+)(r?)(e?))?")
_WIDEST = 200
"""Characters of a line of base64 that is broken into lines (MIME has 76, PEM 64)."""
_TO_URL, _FROM_URL = str.maketrans("+/", "-_"), str.maketrans("-_", "+/")


def split(text: str) -> tuple[str, bytes] | None:
    """(what stands before the base64, the bytes), where all of the text after it is base64; else None.

    What stands before says too how it is spelt: it is for `join` alone.
    """
    if len(text) < LEAST:
        return None
    begin = 0
    if text.startswith("data:"):
        begin = text.find(",", 5, _LOOK) + 1
        if not begin or not text.endswith(_MARK, 0, begin - 1):
            return None
    elif _BARE.match(text) is None and not _is_broken_into_lines(text):
        return None
    held = text[begin:]
    letters, style = _unspelt(held)
    try:
        data = a2b_base64(letters, strict_mode=True)
    except (Error, ValueError):
        return None
    head = f"{text[:begin]}{_SPELT}{style}" if style else text[:begin]
    return (head, data) if join(head, data) == text else None


def before(head: str) -> str:
    """What stood before the base64, of what `split` says of it."""
    return head.partition(_SPELT)[0]


def join(head: str, data: bytes) -> str:
    """The text again."""
    before, _, style = head.partition(_SPELT)
    letters = b2a_base64(data, newline=False).decode()
    if not style or (found := _STYLE.fullmatch(style)) is None:
        return before + letters
    url, bare, width, carriage, ended = found.groups()
    if url:
        letters = letters.translate(_TO_URL)
    if bare:
        letters = letters.rstrip("=")
    if width and int(width):
        size, end = int(width), "\r\n" if carriage else "\n"
        letters = end.join(letters[at : at + size] for at in range(0, len(letters), size)) + (end if ended else "")
    return before + letters


def _is_broken_into_lines(text: str) -> bool:
    if text.find("\n", 0, _WIDEST + 2) <= 0:
        return False
    return _BARE.match(text[: 4 * _LOOK].replace("\r", "").replace("\n", "")) is not None


def _unspelt(held: str) -> tuple[str, str]:
    """The letters as RFC 4648 has them first, and in which other way they were spelt: "u" with - and _, "n" without
    padding, "w76" in lines of so many, "r" with carriage returns, "e" after the last line too."""
    style = lines = ""
    if (width := held.find("\n", 0, _WIDEST + 2)) > 0:
        end = "\r\n" if held[width - 1] == "\r" else "\n"
        width -= len(end) - 1
        lines = f"w{width}{'r' if len(end) > 1 else ''}{'e' if held.endswith(end) else ''}"
        held = held.replace(end, "")
    if "-" in held or "_" in held:
        held, style = held.translate(_FROM_URL), "u"
    if missing := -len(held) % 4:
        held, style = held + "=" * missing, style + "n"
    return held, style + lines
