"""What stands around the data: the line of context on top, the line of keys below, empty states, the filter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.events import Click, Key
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input, Label

from collector.errors import FilterError
from collector.store.complete import Completion
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


class FilterBar(Widget):
    """One line to type a filter into, and one below it: what could be typed next, or where it cannot be read."""

    @dataclass
    class Submitted(Message):
        """A filter was typed; the screen answers with `accept` or `refuse`."""

        text: str

    class Closed(Message):
        """Left without a change."""

    class Saving(Message):
        """What stands in the bar is to be saved as a view."""

    @dataclass
    class Typed(Message):
        """Something was typed; the screen answers with `offer`."""

        text: str
        cursor: int

    def __init__(self) -> None:
        super().__init__()
        self._offered: Completion | None = None
        self._before: list[str] = []
        self._back = -1

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Label("filter", markup=False)
            yield Input(
                placeholder="status:error model:gpt-4o* kind:tool since:1h free text",
                select_on_focus=False,
            )
        yield Label("", classes="problem", markup=False)
        yield Label("", classes="offers", markup=False)

    def open(self, text: str, before: Sequence[str] = ()) -> None:
        """`before` are earlier filters, newest first, for ↑ and ↓."""
        self.add_class("open")
        self._before, self._back = list(before), -1
        field = self.query_one(Input)
        field.value = text
        field.cursor_position = len(text)
        field.focus()

    @property
    def text(self) -> str:
        return self.query_one(Input).value

    @property
    def is_open(self) -> bool:
        return self.has_class("open")

    def accept(self) -> None:
        """The filter holds: put the line away."""
        self.remove_class("open")
        self._problem("")
        self._offer_none()

    def refuse(self, error: FilterError) -> None:
        """Point at the column that could not be read."""
        self.query_one(Input).cursor_position = error.column
        self._point(error)
        self.call_after_refresh(self._point, error)  # by then a long line has scrolled to its cursor

    def _point(self, error: FilterError) -> None:
        field = self.query_one(Input)
        at = 9 + fmt.cells(field.value[: error.column]) - round(field.scroll_offset.x)
        said, room = fmt.plain(str(error)), self.size.width - 1
        if at > fmt.cells(said) and at + 2 + fmt.cells(said) > room:
            self._problem(f"{said} ^".rjust(at + 1))
        else:
            self._problem(" " * min(at, max(room - 1, 0)) + ("^ " if at + 20 < room else "^\n") + said)

    def _problem(self, text: str) -> None:
        self.query_one(".problem", Label).update(text)
        self.set_class(bool(text), "refused")

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._offered = None
        self._problem("")
        if self.is_open:
            self.post_message(self.Typed(event.value, event.input.cursor_position))

    def offer(self, text: str, found: Completion) -> None:
        """What could stand at the cursor; a late answer to what was typed before is dropped."""
        if not self.is_open or text != self.query_one(Input).value:
            return
        if not found.choices:
            self._offer_none()
            return
        self._offered = found
        about = f"  {found.choices[0].about}" if len(found.choices) == 1 and found.choices[0].about else ""
        label = self.query_one(".offers", Label)
        said = "tab  " + fmt.plain("  ".join(choice.text for choice in found.choices) + about)
        label.update(fmt.clip(said, max(label.size.width, 20)))

    def _offer_none(self) -> None:
        self._offered = None
        self.query_one(".offers", Label).update("")

    def on_key(self, event: Key) -> None:
        if event.key == "tab":  # with nothing to take it stays here: what is typed next belongs here as well
            field = self.query_one(Input)
            if self._offered is not None:
                field.value, field.cursor_position = self._offered.taken(field.value)
        elif event.key == "ctrl+s":
            self.post_message(self.Saving())
        elif event.key in ("up", "down") and self._before:
            self._recall(1 if event.key == "up" else -1)
        else:
            return
        event.stop()
        event.prevent_default()

    def _recall(self, step: int) -> None:
        self._back = max(-1, min(self._back + step, len(self._before) - 1))
        field = self.query_one(Input)
        field.value = self._before[self._back] if self._back >= 0 else ""
        field.cursor_position = len(field.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Submitted(event.value))

    def close(self) -> None:
        self.accept()
        self.post_message(self.Closed())
