"""A screen of rows that are worked out from the whole file: kinds of failures, groups of traces.

They may take a while to find, so they come by the slow lane, and the longer it took the later they are asked again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic

from textual import on
from textual.app import ComposeResult

from collector.errors import NotFound, TracetuiError
from tracetui import format as fmt
from tracetui.screens import empty
from tracetui.screens.base import Facts
from tracetui.screens.filtered import FilteredScreen
from tracetui.screens.ordered import sort_menu
from tracetui.screens.paced import Paced
from tracetui.source import Reader
from tracetui.widgets.columns import Order, remembered_order
from tracetui.widgets.filter_bar import FilterBar
from tracetui.widgets.frame import ContextLine, Empty, KeyBar, Note
from tracetui.widgets.line_list import LineList
from tracetui.widgets.paint import Line, Part
from tracetui.widgets.rows_list import Row, RowsList
from tracetui.widgets.window_list import WindowList


class SummaryScreen(Paced, FilteredScreen, Generic[Row]):
    """Subclasses say what to ask (`find`), how it looks (`rows_list`) and what is told of the row under the cursor
    (`told`)."""

    what = "rows"
    kept_in = "traces"
    """What the file lacks where there is nothing to list."""
    without: tuple[str, ...] = ("session", "columns")
    detail_lines = 0
    pause_s = 1.0
    rest = 10

    def __init__(self, facts: Facts, *, filter_text: str = "") -> None:
        super().__init__(facts, filter_text=filter_text)
        self.loaded = False
        self._generation = 0

    def rows_list(self) -> RowsList[Row]:
        raise NotImplementedError

    def find(self, reader: Reader) -> Sequence[Row]:
        """In the reader's thread."""
        raise NotImplementedError

    def sums(self, rows: Sequence[Row]) -> list[Part]:
        """The right end of the top line."""
        raise NotImplementedError

    def told(self, row: Row) -> list[list[Part]]:
        """`detail_lines` lines about the row under the cursor."""
        return []

    def compose(self) -> ComposeResult:
        yield ContextLine(id="context")
        yield Note(id="note")
        yield self.rows_list()
        yield Empty()
        for number in range(self.detail_lines):
            yield Line(id=f"told-{number}")
        yield FilterBar()
        yield KeyBar(*self.key_groups, without=(f"show_{self.what}", *self.without))

    def on_mount(self) -> None:  # beside ExplorerScreen's own
        self.listed.sort_by(
            remembered_order(
                self.facts.remembered.get(f"order of {self.what}"), self.listed.values, self.listed.look.order
            )
        )
        self.listed.focus()
        self._show_empty([[("reading …", "quiet")]])
        if self.filter_text:
            self.apply(self.filter_text)
        else:
            self.show_context()
            self.load()

    def awaits(self, key: str) -> bool:
        return super().awaits(key) or (not self.loaded and not self.in_field and self.acts(key))

    @property
    def listed(self) -> RowsList[Row]:
        return self.query_one(RowsList)

    def glyphs(self) -> fmt.Glyphs:
        return fmt.ASCII if getattr(self.app, "ascii_mode", False) else fmt.UNICODE

    # Data.

    def reload(self) -> None:
        self.load()

    def filter_changed(self) -> None:
        self._generation += 1
        self.loaded = False
        self._show_empty([[("reading …", "quiet")]])
        self.show_context()
        self.load(now=True)

    async def look(self) -> None:
        generation = self._generation
        try:
            rows = await self.facts.source.ask_slowly(self.find)
        except TracetuiError as error:
            if self.listed.rows and not isinstance(error, NotFound):
                self.show_error(error)
            else:
                self.listed.show([])
                self._show_empty(empty.failed(self.facts, self.kept_in, error))
                self.show_context()
            return
        if generation == self._generation:
            self._show(rows)

    def _show(self, rows: Sequence[Row]) -> None:
        self.loaded = True
        self.listed.show(rows)
        self._show_empty([] if rows else self.empty_lines())
        self.show_context()
        self.read_well()

    def _show_empty(self, lines: list[list[Part]]) -> None:
        self.set_class(bool(lines), "empty")
        if lines:
            self.query_one(Empty).say(lines)
        elif self.focused is None:  # Textual takes the focus from what is hidden
            self.listed.focus()

    def empty_lines(self) -> list[list[Part]]:
        return empty.nothing(self.facts, self.kept_in, self.filter_text)

    def show_context(self) -> None:
        for context in self.query(ContextLine):
            context.show(
                self.context_left(), self.sums(self.listed.rows) if self.loaded else [(self.what + " ", "quiet")]
            )

    @on(LineList.Moved, "#rows")
    def _moved(self) -> None:
        row = self.listed.row
        told = self.told(row) if row is not None else []
        for number in range(self.detail_lines):
            self.query_one(f"#told-{number}", Line).show(told[number] if number < len(told) else [])

    # Order.

    def action_sort(self) -> None:
        self.app.push_screen(sort_menu(self.listed.columns(200), self.listed.look.order), self._sort_chosen)

    def _sort_chosen(self, name: str | None) -> None:
        if name is not None:
            self.sort_by(name)

    def sort_by(self, name: str) -> None:
        """By this; once more turns it round."""
        order = self.listed.look.order
        right = any(column.right for column in self.listed.columns(200) if column.sort == name)
        order = order.reversed if name == order.name else Order(name, falling=right)
        self.facts.remembered.put(f"order of {self.what}", order.kept)
        self.listed.sort_by(order)

    @on(WindowList.HeadClicked)
    def _head_clicked(self, event: WindowList.HeadClicked) -> None:
        if event.column.sort:
            self.sort_by(event.column.sort)
