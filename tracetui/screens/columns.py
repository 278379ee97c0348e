"""Choosing which columns a list shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical

from tracetui.screens.modal import Modal
from tracetui.widgets.columns import Column, Look
from tracetui.widgets.line_list import LineList
from tracetui.widgets.paint import Line, Part, spread


class Columns(LineList):
    """A column a line, and whether it is shown at this width."""

    def __init__(self, columns: Sequence[Column], look: Look, width: int) -> None:
        super().__init__()
        self.columns = columns
        self.look = look
        self.screen_width = width

    def on_mount(self) -> None:
        self.styles.height = len(self.columns)

    def line_count(self) -> int:
        return len(self.columns)

    def line_parts(self, index: int, width: int) -> list[Part]:
        column = self.columns[index]
        shown = self.look.shows(column, self.screen_width)
        parts: list[Part] = [
            (f"{self.glyphs.cursor if index == self.cursor else ' '} ", "accent"),
            ("[x] " if shown else "[ ] ", "quiet" if column.fixed else "accent" if shown else "quiet"),
            ((column.title or column.name.upper()).ljust(16), "text"),
            (column.about + ("  (always)" if column.fixed else ""), "quiet"),
        ]
        return spread(parts, self.more(index), width)


class ColumnsScreen(Modal[None]):
    """`changed` is told each new look, so that the list behind shows it at once."""

    BINDINGS = [("escape,q,T", "close", "close"), ("space", "turn", "")]  # noqa: RUF012 - Textual's way

    def __init__(self, columns: Sequence[Column], look: Look, width: int, changed: Callable[[Look], None]) -> None:
        super().__init__()
        self._list = Columns(columns, look, width)
        self._changed = changed

    def compose(self) -> ComposeResult:
        with Vertical(id="menu"):
            yield Line(id="title")
            yield self._list

    def on_mount(self) -> None:
        self.query_one("#title", Line).show([("  Columns", "strong")], [("space shows or hides, esc  ", "quiet")])
        self._list.focus()

    @on(LineList.Chosen)
    def _chosen(self) -> None:
        self.action_turn()

    def action_turn(self) -> None:
        column = self._list.columns[self._list.cursor]
        if column.fixed:
            return
        self._list.look = self._list.look.turned(column, self._list.screen_width)
        self._list.refresh()
        self._changed(self._list.look)

    def action_close(self) -> None:
        self.dismiss(None)
