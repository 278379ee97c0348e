"""A find line for what a pane shows: the words, which lines hold them, and the hits marked. Pure but for the keys."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from tracetui.widgets.paint import Part

MOST_CHARS = 200


@dataclass(slots=True)
class Finding:
    """`text` is what is looked for, in any case; `typing` says that keys still go into it. `hits` are line indexes."""

    text: str = ""
    typing: bool = True
    hits: list[int] = field(default_factory=list)

    def look(self, lines: Sequence[Sequence[Part]]) -> None:
        """Find the lines that hold the text."""
        words = self.text.casefold()
        self.hits = (
            [n for n, parts in enumerate(lines) if words in "".join(text for text, _ in parts).casefold()]
            if words
            else []
        )

    def after(self, line: int, step: int) -> int | None:
        """The next hit from a line on, round the end; `step` 0 takes the line itself too."""
        if not self.hits:
            return None
        if step < 0:
            return self.hits[bisect_left(self.hits, line) - 1]
        at = bisect_left(self.hits, line + (1 if step else 0))
        return self.hits[at % len(self.hits)]

    def typed(self, key: str, character: str | None) -> bool:
        """Take a key into the text; False for a key that is none of it."""
        if key in ("backspace", "ctrl+h"):
            self.text = self.text[:-1]
        elif key in ("ctrl+u", "ctrl+w"):
            self.text = self.text.rstrip().rpartition(" ")[0] if key == "ctrl+w" else ""
        elif character is not None and character.isprintable():
            self.text = (self.text + character)[:MOST_CHARS]
        else:
            return False
        return True

    def line(self, cursor: int) -> list[Part]:
        """The find line itself."""
        said: list[Part] = [("/", "accent"), (self.text, "strong"), ("▏" if self.typing else " ", "accent")]
        if not self.text:
            return [*said, ("what this tab holds", "quiet")]
        if not self.hits:
            return [*said, (" nothing here holds it", "abandoned")]
        number = bisect_left(self.hits, cursor) + 1
        at = f" {min(number, len(self.hits))} of {len(self.hits)} lines"
        return [*said, (at, "quiet"), ("" if self.typing else "   n N next, esc ends", "quiet")]


def marked(parts: Sequence[Part], words: str) -> list[Part]:
    """The parts with every hit in its own ink. Hits that reach over parts are marked piece by piece."""
    whole = "".join(text for text, _ in parts)
    spans = [found.span() for found in re.finditer(re.escape(words), whole, re.IGNORECASE)] if words else []
    if not spans:
        return list(parts)
    cuts = sorted({edge for span in spans for edge in span})
    out: list[Part] = []
    at = 0
    for text, role in parts:
        edges = [at, *(cut for cut in cuts if at < cut < at + len(text)), at + len(text)]
        for start, end in pairwise(edges):
            hit = any(begin <= start and end <= stop for begin, stop in spans)
            out.append((text[start - at : end - at], "chip" if hit else role))
        at += len(text)
    return out
