"""Room, and who gets how much of it: texts cut to a length, a length shared among many. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

CHARS = 4
"""Characters of what is printed that are taken for a token."""
SEE_CHARS = 200


@dataclass(frozen=True, slots=True)
class Written:
    """How JSON is written, and so how long it gets: without spaces, in UTF-8 or with escapes."""

    ascii: bool = False

    def text(self, value: object) -> str:
        return json.dumps(value, ensure_ascii=self.ascii, allow_nan=False, separators=(",", ":"))

    def size(self, value: object) -> int:
        return len(self.text(value))


def cut(text: str, room: int, written: Written | None = None) -> str | None:
    """The beginning of a text with a mark that counts the rest, in at most `room` characters; None when not even the
    mark has room. With `written` as they count in JSON."""
    size = written.size if written else len
    if size(text) <= room:
        return text
    low, high = 0, min(len(text), max(room, 0))
    while low < high:
        middle = (low + high + 1) // 2
        if size(_marked(text, middle)) <= room:
            low = middle
        else:
            high = middle - 1
    return _marked(text, low) if low else None


def _marked(text: str, kept: int) -> str:
    return f"{text[:kept]}…[+{len(text) - kept} characters]"


def shares(sizes: Sequence[int], order: Iterable[int], room: int, enough: int, *, stop: bool = True) -> list[int]:
    """How much of the room each gets: nothing, or at least the smaller of `enough` and its size.

    In the given order each gets that much while there is room (`stop` ends at the first for which there is none); what
    is left then goes to all of them alike, none getting more than its size. The very first takes what there is.
    """
    given = [0] * len(sizes)
    for place, at in enumerate(order):
        want = min(sizes[at], enough) if place else min(sizes[at], enough, max(room, 0))
        if want <= room:
            given[at] = want
            room -= want
        elif stop:
            break
    hungry = sorted((at for at, got in enumerate(given) if 0 < got < sizes[at]), key=lambda at: sizes[at])
    for number, at in enumerate(hungry):
        more = min(sizes[at] - given[at], room // (len(hungry) - number))
        given[at] += more
        room -= more
    return given
