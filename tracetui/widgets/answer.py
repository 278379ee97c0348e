"""One answer of two that are compared: its words in the ink of what became of them, wrapped and scrolled."""

from __future__ import annotations

import re
from collections.abc import Iterable

from textual.strip import Strip

from tracetui import format as fmt
from tracetui.widgets.line_list import ReadLines
from tracetui.widgets.paint import Part

MOST_CHARS = 200_000
"""More of an answer is not laid out here; its own trace shows all of it."""
_WORDS = re.compile(r"\s+|\S+")


def wrapped(parts: Iterable[Part], width: int) -> list[list[Part]]:
    """Foreign text in several inks as harmless lines of at most `width` cells, broken between words where it can be."""
    lines: list[list[Part]] = [[]]
    used = 0
    for text, role in parts:
        for number, line in enumerate(fmt.plain_lines(text)):
            if number:
                lines.append([])
                used = 0
            for word in _WORDS.findall(line):
                used = _place(lines, word, role, used, max(width, 1))
    return lines


def _place(lines: list[list[Part]], word: str, role: str, used: int, width: int) -> int:
    """Put a word on the last line, or on new ones; gives how many cells that line holds then."""
    size = fmt.cells(word)
    if used + size <= width:
        lines[-1].append((word, role))
        return used + size
    if word.isspace():  # the line breaks here
        return width
    pieces = fmt.wrap(word, width) if size > width else [word]
    for piece in pieces:
        if lines[-1]:
            lines.append([])
        lines[-1].append((piece, role))
    return fmt.cells(pieces[-1])


class AnswerPane(ReadLines):
    """`show` parts of foreign text; the keys of lists scroll."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._parts: list[Part] = []

    def show(self, parts: list[Part], *, follow: bool = False) -> None:
        """`follow` keeps the end in sight, for an answer that grows."""
        self._parts = _bounded(parts)
        self._lay_out()
        if follow:
            self.top = max(len(self._lines) - self.page, 0)
        self.refresh()

    def _lay_out(self) -> None:
        self._lines = wrapped(self._parts, self.size.width - 2)
        self.top = min(self.top, max(len(self._lines) - 1, 0))

    def on_resize(self) -> None:  # beside ReadLines' own
        self._lay_out()
        self.refresh()

    def line_parts(self, index: int, width: int) -> list[Part]:
        return [(" ", "text"), *self._lines[index]]

    def line(self, index: int, width: int) -> Strip:
        return self.strip(self.line_parts(index, width), width)


def _bounded(parts: list[Part]) -> list[Part]:
    kept: list[Part] = []
    room = MOST_CHARS
    for text, role in parts:
        if len(text) > room:
            return [*kept, (text[:room], role), ("\n… the rest is in its trace", "quiet")]
        kept.append((text, role))
        room -= len(text)
    return kept
