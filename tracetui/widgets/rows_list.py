"""A list of rows that are all at hand, in any order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from textual import events

from tracetui.widgets.columns import Column, Look, Order, column_at, head, laid_out, line
from tracetui.widgets.line_list import LineList
from tracetui.widgets.paint import Part
from tracetui.widgets.window_list import WindowList

Row = TypeVar("Row")
Cells = Callable[[Row], dict[str, list[Part]]]


class RowsList(LineList, Generic[Row]):
    """`columns` says which there are at a width, `cells` what stands in them; `values` gives by sort name what to sort
    by, `key` what a row is known by when it is shown anew."""

    head = 1

    def __init__(
        self, columns: Callable[[int], tuple[Column, ...]], cells: Cells[Row], values: dict[str, Callable[[Row], Any]],
        key: Callable[[Row], object], order: Order,
    ) -> None:  # fmt: skip
        super().__init__(id="rows")
        self.columns, self.cells, self.values, self.key = columns, cells, values, key
        self.look = Look(order)
        self.rows: list[Row] = []

    @property
    def row(self) -> Row | None:
        return self.rows[self.cursor] if self.cursor < len(self.rows) else None

    def show(self, rows: Sequence[Row]) -> None:
        """Other rows; the cursor stays with the one it is on, and at the top when it is there."""
        old, at_top = self.row, self.cursor == self.top == 0
        order = self.look.order
        self.rows = sorted(rows, key=self.values[order.name], reverse=order.falling)
        if old is not None and not at_top:
            wanted = self.key(old)
            self.cursor = next((n for n, row in enumerate(self.rows) if self.key(row) == wanted), 0)
        self.cursor = min(self.cursor, max(len(self.rows) - 1, 0))
        self.show_cursor()
        self.refresh()
        self.post_message(self.Moved(self, self.cursor))

    def sort_by(self, order: Order) -> None:
        self.look = Look(order)
        self.cursor = self.top = 0
        self.show(self.rows)

    def line_count(self) -> int:
        return len(self.rows)

    def _laid_out(self, width: int) -> list[tuple[Column, int]]:
        """Numbers do not touch the edge: the last cell is free, as where a list has its scroll bar."""
        return laid_out(self.columns(width), self.look, width - 1)

    def head_parts(self, y: int, width: int) -> list[Part]:
        return head(self._laid_out(width), self.look.order)

    def line_parts(self, index: int, width: int) -> list[Part]:
        columns = self._laid_out(width)
        mark = self.glyphs.cursor + " " if index == self.cursor else "  "
        return [(mark, "accent"), *line(columns, self.cells(self.rows[index]))]

    def on_click(self, event: events.Click) -> None:
        """Beside LineList's own, which takes the lines below."""
        columns = self._laid_out(self.size.width)
        column = column_at(columns, event.x) if event.y < self.head else None
        if column is not None:
            event.stop()
            self.post_message(WindowList.HeadClicked(column))
