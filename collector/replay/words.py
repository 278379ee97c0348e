"""What differs between two answers, word by word."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

MOST_WORDS = 3_000
"""Of both together; longer answers are compared line by line: comparing takes the square of their length."""
_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
_LINES = re.compile(r"[^\n]*\n?")


_CUT = {
    "length": "cut by the token limit", "max_tokens": "cut by the token limit",
    "model_context_window_exceeded": "cut: the model's window is full", "content_filter": "stopped by a filter",
    "refusal": "refused", "pause_turn": "paused by the provider",
}  # fmt: skip


def cut_short(reason: str | None) -> str:
    """What kept an answer from being whole, in words; "" where it is. None: its stream ended and did not say why."""
    return _CUT.get(reason, "") if reason else "its end did not come: it may be cut"


class Piece(NamedTuple):
    """Text that both have ("same"), only the first ("gone") or only the second ("new")."""

    kind: Literal["same", "gone", "new"]
    text: str


def compared(before: str, after: str) -> list[Piece]:
    """The pieces of both, in order: "same" and "gone" make up `before`, "same" and "new" make up `after`."""
    a, b = _WORDS.findall(before), _WORDS.findall(after)
    if len(a) + len(b) > MOST_WORDS:
        a, b = _LINES.findall(before), _LINES.findall(after)
    if len(a) + len(b) > MOST_WORDS:  # more lines than that, too
        return [Piece("same", before)] if before == after else [Piece("gone", before), Piece("new", after)]
    return _joined(a, b)


def _joined(a: Sequence[str], b: Sequence[str]) -> list[Piece]:
    pieces: list[Piece] = []
    for tag, a_from, a_to, b_from, b_to in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if tag == "equal":
            pieces.append(Piece("same", "".join(a[a_from:a_to])))
            continue
        if a_to > a_from:
            pieces.append(Piece("gone", "".join(a[a_from:a_to])))
        if b_to > b_from:
            pieces.append(Piece("new", "".join(b[b_from:b_to])))
    return pieces
