"""`4`: what goes on now. Live, and as quick in a file of any size."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, cast

from textual import on, work
from textual.app import ComposeResult

from collector.errors import TracetuiError
from collector.store.overview import WINDOW_NS, Overview, overview
from tracetui import format as fmt
from tracetui.screens import empty
from tracetui.screens.base import ExplorerScreen, Facts
from tracetui.screens.hands import Export
from tracetui.screens.menu import Choice
from tracetui.spending import moment
from tracetui.widgets.frame import ContextLine, Empty, KeyBar, Note
from tracetui.widgets.line_list import LineList
from tracetui.widgets.overview_lines import Row, lines
from tracetui.widgets.paint import Part

if TYPE_CHECKING:
    from collector.store import reader as stored

AGAIN_S = 0.5


class OverviewList(LineList):
    """Sections of lines; what can be opened is walked, the rest passed over."""

    awaited = True

    def __init__(self) -> None:
        super().__init__(id="overview")
        self.rows: list[Row] = []

    def show(self, rows: list[Row]) -> None:
        was = self.row
        self.rows, self.awaited = rows, False
        if was is not None:
            same = (n for n, row in enumerate(rows) if (row.span, row.filter) == (was.span, was.filter))
            self.cursor = next(same, min(self.cursor, max(len(rows) - 1, 0)))
        elif self.cursor == 0:
            self.cursor = next((n for n, row in enumerate(rows) if row.span or row.filter), 0)
        self.show_cursor()
        self.refresh()

    @property
    def row(self) -> Row | None:
        row = self.rows[self.cursor] if self.cursor < len(self.rows) else None
        return row if row is not None and (row.span or row.filter) else None

    def move_to(self, index: int) -> None:
        """To the nearest line that can be opened, further on in the same direction."""
        step = 1 if index >= self.cursor else -1
        at = index
        while 0 <= at < len(self.rows) and not (self.rows[at].span or self.rows[at].filter):
            at += step
        if 0 <= at < len(self.rows):
            super().move_to(at)
        elif step < 0:
            self.top = 0
            self.refresh()

    def line_count(self) -> int:
        return len(self.rows)

    def line_parts(self, index: int, width: int) -> list[Part]:
        parts = self.rows[index].parts
        if index == self.cursor and self.row is not None:
            return [(self.glyphs.cursor + " ", "accent"), (parts[0][0][2:], parts[0][1]), *parts[1:]]
        return parts


class OverviewScreen(ExplorerScreen):
    """`4`."""

    key_groups = ("list", "screen", "app")

    def __init__(self, facts: Facts) -> None:
        super().__init__(facts)
        self.found: Overview | None = None
        self._due = 0.0
        self._again = False

    def compose(self) -> ComposeResult:
        yield ContextLine(id="context")
        yield Note(id="note")
        yield OverviewList()
        yield Empty()
        yield KeyBar("list", "app", "screen", without=("show_overview",))

    def on_mount(self) -> None:  # beside ExplorerScreen's own
        self.query_one(OverviewList).focus()
        self.show_context()
        self._load()

    def on_resize(self) -> None:
        self._show()

    def reload(self) -> None:
        if self.is_mounted and not self._again:
            self._again = True
            self.set_timer(max(self._due - time.monotonic(), 0.001), self._load)

    def tick(self) -> None:
        """What runs grows."""
        if self.found is not None and self.found.live and self.found.active:
            self._show()

    @work(exclusive=True, group="overview")
    async def _load(self) -> None:
        self._again = False
        if self.found is not None and self.waits():
            return
        began, now_ns = time.monotonic(), self.facts.now_ns()
        try:
            found = await self.facts.source.ask(lambda reader: overview(cast("stored.Reader", reader), now_ns))
        except TracetuiError as error:
            self._failed(error)
            return
        finally:
            self._due = time.monotonic() + max(AGAIN_S, 5 * (time.monotonic() - began))
        self.found = found
        self.read_well()
        self.set_class(found is None, "empty")
        if found is None:
            self.query_one(Empty).say(empty.nothing(self.facts, "spans", ""))
        self._show()
        self.show_context()

    def _failed(self, error: TracetuiError) -> None:
        if self.found is not None:
            self.show_error(error)
            return
        self.set_class(True, "empty")
        self.query_one(Empty).say(empty.failed(self.facts, "spans", error))
        self.show_context()

    def _show(self) -> None:
        if self.found is None or not self.is_mounted:
            return
        view = self.query_one(OverviewList)
        now_ns = max(self.facts.now_ns(), self.found.now_ns) if self.found.live else self.found.now_ns
        view.show(lines(self.found, self.size.width, self.size.height - 2, view.glyphs, now_ns))

    def show_context(self) -> None:
        left: list[Part] = [(" overview", "strong"), ("   ", "text"), *self.live_parts()]
        right: list[Part] = []
        if self.found is not None and not self.found.live:
            at = fmt.clock(self.found.now_ns)[:16]
            right = [("nothing new; as of ", "quiet"), (at, "abandoned"), (" ", "text")]
        for context in self.query(ContextLine):
            context.show(left, right)

    @on(LineList.Chosen)
    def _chosen(self) -> None:
        row = self.query_one(OverviewList).row
        if row is None or self.found is None:
            return
        if row.span is not None:
            self.post_message(self.OpenSpan(*row.span))
        else:
            self.post_message(self.OpenTraces(_finding(row, self.found)))

    def to_export(self) -> Export | None:
        row = self.query_one(OverviewList).row
        if row is None or self.found is None:
            return None
        if row.span is not None:
            trace_id = row.span[0]
            return Export(f"trace-{trace_id[:8]}", "the trace of this line", lambda reader: [reader.trace(trace_id)])
        return self.found_by(_finding(row, self.found), "traces", "the traces of this line")

    def copy_choices(self) -> list[Choice]:
        row = self.query_one(OverviewList).row
        if row is None or self.found is None:
            return []
        if row.span is not None:
            return [Choice("trace id", row.span[0]), Choice("span id", row.span[1])]
        return [Choice("filter", _finding(row, self.found))]


def _finding(row: Row, found: Overview) -> str:
    """The filter that finds the traces of a line."""
    return row.filter.replace("{since}", moment(found.now_ns - WINDOW_NS))
