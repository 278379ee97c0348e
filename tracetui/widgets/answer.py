"""One answer of two that are compared: its words in the ink of what became of them, wrapped and scrolled."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from textual.strip import Strip

from tracetui import format as fmt
from tracetui.widgets.line_list import ReadLines
from tracetui.widgets.paint import Line, Part

MOST_CHARS = 200_000
"""More of an answer is not laid out here; its own trace shows all of it."""
WIDE = 60
"""So many cells of a title have room for two blanks between figures."""
_WORDS = re.compile(r"\s+|\S+")


def wrapped(parts: Iterable[Part], width: int) -> list[list[Part]]:
    """Foreign text in several inks as harmless lines of at most `width` cells, broken between words where it can be.
    A word may change its ink on the way: "Tuesday" and a full stop that is new stay together."""
    lines: list[list[Part]] = []
    for source in _source_lines(parts):
        lines.append([])
        used = 0
        for word in _words(source):
            used = _place(lines, word, used, max(width, 1))
    return lines


def _source_lines(parts: Iterable[Part]) -> list[list[Part]]:
    lines: list[list[Part]] = [[]]
    for text, role in parts:
        for number, line in enumerate(fmt.plain_lines(text)):
            if number:
                lines.append([])
            lines[-1].append((line, role))
    return lines


def _words(line: list[Part]) -> list[list[Part]]:
    """Words, and the blanks between them, each in its inks."""
    words: list[list[Part]] = []
    for text, role in line:
        for piece in _WORDS.findall(text):
            if words and not piece.isspace() and not words[-1][-1][0].isspace():
                words[-1].append((piece, role))
            else:
                words.append([(piece, role)])
    return words


def _place(lines: list[list[Part]], word: list[Part], used: int, width: int) -> int:
    """Put a word on the last line, or on new ones; gives how many cells that line holds then."""
    size = sum(fmt.cells(text) for text, _ in word)
    if used + size <= width:
        lines[-1] += word
        return used + size
    if word[0][0].isspace():  # the line breaks here
        return width
    if lines[-1]:
        lines.append([])
    if size <= width:
        lines[-1] += word
        return size
    used = 0
    for text, role in word:  # longer than a line: broken anywhere
        pieces = [text] if used + fmt.cells(text) <= width else fmt.wrap(text, width)
        for piece in pieces:
            if used + fmt.cells(piece) > width:
                lines.append([])
                used = 0
            lines[-1].append((piece, role))
            used += fmt.cells(piece)
    return used


class AnswerTitle(Line):
    """Which answer it is, of which model; at the right end its figures, to which the model gives way."""

    def say(self, which: str, said: str, role: str, figures: Sequence[str] = (), *, focused: bool = False) -> None:
        """`said` and `figures` are harmless text; `focused` is the pane below."""
        gap = "  " if self.size.width >= WIDE else " "
        right: list[Part] = [(gap.join(figures), "quiet"), (" ", "text")] if figures else []
        name: Part = (which, "tab" if focused else "strong")
        self.show([(" ", "text"), name, (gap, "text"), (said, role)], right)


class AnswerPane(ReadLines):
    """`show` parts of foreign text, or let it `grow`; the keys of lists scroll."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._parts: list[Part] = []
        self._settled = (0, 0)

    def show(self, parts: list[Part]) -> None:
        self._parts = _bounded(parts)
        self._lay_out()
        self.refresh()

    def grow(self, more: str) -> None:
        """More of an answer that began with an empty `show`. Its end stays in sight where it was; only the line that
        grew is laid out anew."""
        at_end = self.top >= len(self._lines) - self.page
        text = "".join(part for part, _ in self._parts)
        if len(text) < MOST_CHARS:
            text += more
            self._parts = _bounded([(text, "text")])
            begin, settled = self._settled
            self._lines[settled:] = wrapped([(text[begin:], "text")], self._room)
            if (last := text.rfind("\n") + 1) > begin:
                self._settled = last, len(self._lines) - len(wrapped([(text[last:], "text")], self._room))
            if len(text) > MOST_CHARS:  # and says so
                self._lay_out()
        if at_end:
            self.top = max(len(self._lines) - self.page, 0)
        self.refresh()

    @property
    def _room(self) -> int:
        return self.size.width - 2

    def _lay_out(self) -> None:
        self._settled = (0, 0)
        self._lines = wrapped(self._parts, self._room)
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
