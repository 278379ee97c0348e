"""What stands around the data: the line of context on top, the line of keys below, empty states."""

from __future__ import annotations

from textual.events import Click
from textual.strip import Strip

from tracetui import format as fmt
from tracetui import keymap
from tracetui.widgets.paint import Line, Painter, Part, clip_parts, parts_width

MOST_NOTE = 3


class ContextLine(Line):
    """File, live state, filter and totals."""


class Note(Painter):
    """A sentence about the file, when there is something to say: whole, in as many lines as it needs, up to three."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._text = ""
        self._lines: list[str] = []

    def say(self, text: str) -> None:
        self._text = fmt.plain(text)
        self.set_class(bool(text), "shown")
        self._fold()

    def on_resize(self) -> None:
        self._fold()

    def _fold(self) -> None:
        width = max((self.size.width or self.app.size.width) - 2, 10)
        lines = fmt.wrap(self._text, width)
        kept = [*lines[: MOST_NOTE - 1], fmt.clip(" ".join(lines[MOST_NOTE - 1 :]), width)][: len(lines)]
        if kept != self._lines:
            self._lines = kept
            self.styles.height = max(len(kept), 1)
            self.refresh()

    def render_line(self, y: int) -> Strip:
        return self.strip([(" " + self._lines[y], "abandoned")] if y < len(self._lines) else [], self.size.width)


class KeyBar(Line):
    """The keys that matter here, and on the right what waits to be seen. A click on one presses it."""

    def __init__(self, *groups: str, without: tuple[str, ...] = ()) -> None:
        super().__init__(id="keys")
        self._groups, self._without = groups, without
        self._keys: list[keymap.Key] = []
        self._chip: list[Part] = []
        self._places: list[tuple[int, str]] = []

    def on_mount(self) -> None:
        self.typing(False)

    def typing(self, on: bool) -> None:
        """Whether letters are text now: keys that would write are no keys then."""
        known = getattr(self.app, "keys", keymap.KEYS)
        self._keys = keymap.bar(self._groups, self._without, known, typing=on)
        self._fill()

    def on_resize(self) -> None:
        self._fill()

    def chip(self, count: int, most: int = 99) -> None:
        """Say that newer rows wait below the screen."""
        many = f"{most}+" if count > most else str(count)
        text = f" {many} new {self.glyphs.down} G "
        self._chip = [("── ", "faint"), (text, "chip"), (" ──", "faint"), (" ", "text")] if count else []
        self._fill()

    def _fill(self) -> None:
        room = self.size.width - parts_width(self._chip) - 2
        parts: list[Part] = [(" ", "text")]
        self._places = []
        for key in self._keys:
            item: list[Part] = [(self._sign(key.sign), "accent"), (f" {key.label}  ", "quiet")]
            at = parts_width(parts)
            if at + parts_width(item) > room:
                break
            self._places += _words(key, at)
            parts += item
        self._places.append((parts_width(parts), ""))
        self.show(parts, self._chip)

    def on_click(self, event: Click) -> None:
        if event.x >= self.size.width - parts_width(self._chip):
            self.app.simulate_key("G")
            return
        pressed = [name for at, name in self._places if at <= event.x][-1:]
        if pressed and pressed[0]:
            self.app.simulate_key(pressed[0])

    def _sign(self, sign: str) -> str:
        return "enter" if self.ascii_mode and sign == "↵" else sign


def _words(key: keymap.Key, at: int) -> list[tuple[int, str]]:
    """Where each word of a sign begins, and the key that it stands for. The label goes with the first."""
    words = key.sign.split()
    starts = [at + sum(len(word) + 1 for word in words[:number]) for number in range(len(words))]
    names = [(start, keymap.signed(key, number)) for number, start in enumerate(starts)]
    return [*names, (at + len(key.sign), keymap.signed(key, 0))]


class Empty(Painter):
    """Why there is nothing, and what to type next: a few centred lines."""

    def __init__(self) -> None:
        super().__init__(id="empty")
        self._lines: list[list[Part]] = []

    def say(self, lines: list[list[Part]]) -> None:
        if lines != self._lines:
            self._lines = lines
            self.refresh()

    def says(self, text: str) -> bool:
        """Whether this stands there."""
        return any(part == text for line in self._lines for part, _ in line)

    def render_line(self, y: int) -> Strip:
        width, height = self.size
        first = max((height - len(self._lines)) // 3, 0)
        if not 0 <= y - first < len(self._lines):
            return self.strip([], width)
        block = max((parts_width(line) for line in self._lines[1:]), default=0)
        line = self._lines[y - first]
        size = parts_width(line) if y == first else block
        return self.strip([(" " * max((width - size) // 2, 1), "text"), *clip_parts(line, width - 2)], width)
