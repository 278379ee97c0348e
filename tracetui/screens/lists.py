"""Traces and sessions: one line each, live, filtered. Both lists are one screen with another table."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from textual import on, work
from textual.app import ComposeResult
from textual.message import Message
from textual.timer import Timer

from collector.errors import NotFound, TracetuiError
from collector.store.lists import SESSIONS, TRACES
from collector.store.rows import Page, SessionRow, Totals, TraceRow
from tracetui import format as fmt
from tracetui.screens.base import Facts
from tracetui.screens.hands import Export, stamp
from tracetui.screens.ordered import OrderedScreen
from tracetui.source import Reader
from tracetui.widgets.columns import Column, Order
from tracetui.widgets.filter_bar import FilterBar
from tracetui.widgets.frame import ContextLine, Empty, KeyBar, Note
from tracetui.widgets.line_list import LineList
from tracetui.widgets.paint import Part
from tracetui.widgets.tables import (
    SESSION_ORDER,
    TRACE_ORDER,
    SessionTable,
    TraceTable,
    session_columns,
    trace_columns,
)
from tracetui.widgets.window_list import WindowList
from tracetui.widgets.windows import Row, Table

if TYPE_CHECKING:
    from tracetui.screens.menu import Choice
    from tracetui.screens.neighbours import Around

TOTALS_S = 1.0
GROUPS = ("session", "user", "service", "model", "name")


class ListScreen(OrderedScreen[Row]):
    """`what` is what the list holds, in the plural."""

    what = "rows"

    class OpenTrace(Message):
        """The user wants to see this trace, of those around it."""

        def __init__(self, trace_id: str, around: Around | None = None) -> None:
            super().__init__()
            self.trace_id, self.around = trace_id, around

    class OpenSession(Message):
        """The user wants the traces of this session."""

        def __init__(self, session_id: str) -> None:
            super().__init__()
            self.session_id = session_id

    class Group(Message):
        """The user wants the traces that a filter finds in groups."""

        def __init__(self, by: str, filter_text: str) -> None:
            super().__init__()
            self.by, self.filter_text = by, filter_text

    class Counted(Message):
        """How much the filter finds; `partly`: so far. `number` says which filter it was."""

        def __init__(self, number: int, totals: Totals, *, partly: bool = False) -> None:
            super().__init__()
            self.number, self.totals, self.partly = number, totals, partly

    def __init__(self, facts: Facts, *, filter_text: str = "", order: Order | None = None) -> None:
        super().__init__(facts, filter_text=filter_text, order=order)
        self._totals: Totals | None = None
        self._totals_due = 0.0
        self._counting = self._partly = False
        self._count_number = 0
        self._count_timer: Timer | None = None

    def table(self) -> Table[Row]:
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        yield ContextLine(id="context")
        yield Note(id="note")
        yield WindowList(self.table(), self.fetch, id="list")
        yield Empty()
        yield FilterBar()
        yield KeyBar("list", "lists", "app", "screen", without=(f"show_{self.what}",))

    def on_mount(self) -> None:  # beside ExplorerScreen's own
        self.settle()
        self.window.follow = self.window.by_time
        self.window.focus()
        self.show_context()
        if self.filter_text:
            self.apply(self.filter_text)
        else:
            self.window.reload()

    # Data.

    def tick(self) -> None:
        self.window.tick()

    def restart(self) -> None:
        self._stop_counting()
        self.say("")
        self.window.restart()

    @on(WindowList.Loaded)
    def _loaded(self) -> None:
        self.chip(self.window.unseen)
        shows_empty = not self.window.rows
        self.set_class(shows_empty, "empty")
        if shows_empty:
            self.query_one(Empty).say(self.empty_lines())
        elif self.focused is None:  # Textual takes the focus from what is hidden
            self.window.focus()
        self._count()

    @on(WindowList.Failed)
    def _failed(self, event: WindowList.Failed) -> None:
        """A file that is not there is waited for; anything else is said, and what was read stays."""
        if isinstance(event.error, NotFound):
            self.window.rows = []
        if self.window.rows:
            self.show_error(event.error)
        else:
            from tracetui.screens import empty

            self.query_one(Empty).say(empty.failed(self.facts, self.what, event.error))
            self.show_context()
        self.set_class(not self.window.rows, "empty")

    def _count(self) -> None:
        """Totals may read much: seldom, on the slow lane, and the less often the longer they take."""
        wait_s = self._totals_due - time.monotonic()
        if self._counting:
            return
        self._counting = True
        self._count_timer = self.set_timer(max(wait_s, 0.001), self._count_now)

    def _stop_counting(self) -> None:
        """What is counted, or waits for it, is of another filter or file."""
        if self._count_timer is not None:
            self._count_timer.stop()
        self.workers.cancel_group(self, "totals")
        self._count_number += 1
        self._totals, self._totals_due = None, 0.0
        self._counting = self._partly = False

    @work(group="totals")
    async def _count_now(self) -> None:
        if self._totals is not None and self.waits():
            self._counting = False
            return
        began, number, filters = time.monotonic(), self._count_number, self.filters()

        def told(so_far: Totals) -> None:  # in the reader's thread
            self.post_message(self.Counted(number, so_far, partly=True))

        try:
            totals = await self.facts.source.count(lambda reader: self.totals(reader, filters, told))
        except TracetuiError as error:
            if self.window.rows:  # else the empty screen says it
                self.show_error(error)
            return
        finally:
            if number == self._count_number:
                self._counting = False
                took = time.monotonic() - began
                self._totals_due = began + max(TOTALS_S, 11 * took)
        self.post_message(self.Counted(number, totals))

    def totals(self, reader: Reader, filters: dict[str, Any], told: Callable[[Totals], object]) -> Totals:
        """How much the filter finds; `told` hears of it on the way."""
        return reader.totals(**filters, told=told)

    @on(Counted)
    def _counted(self, event: Counted) -> None:
        """Of the filter that is on; on the way to a sum only where there is no older one."""
        if event.number != self._count_number or (event.partly and self._totals is not None and not self._partly):
            return
        self._totals, self._partly = event.totals, event.partly
        if not event.partly:
            self.read_well()
        self.show_context()

    def show_facts(self) -> None:
        super().show_facts()
        if not self.window.rows:
            self.query_one(Empty).say(self.empty_lines())

    # The lines around the list.

    def show_context(self) -> None:
        for context in self.query(ContextLine):
            context.show(self.context_left(), self._sums())

    def _sums(self) -> list[Part]:
        totals = self._totals
        if totals is None:
            return [("counting " if self.filter_text else "", "quiet"), (self.what + " ", "quiet")]
        if self._partly:
            return [(f"{fmt.count(totals.traces)}+", "strong"), (" traces, counting ", "quiet")]
        parts: list[Part] = []
        if totals.sessions is not None:
            word = " session  " if totals.sessions == 1 else " sessions  "
            parts = [(fmt.count(totals.sessions), "strong"), (word, "quiet")]
        parts += [
            (fmt.count(totals.traces), "strong"),
            (" trace  " if totals.traces == 1 else " traces  ", "quiet"),
        ]
        if totals.errors:
            parts += [(fmt.count(totals.errors), "error"), (" error  " if totals.errors == 1 else " errors  ", "quiet")]
        parts.append((fmt.money(totals.cost_nanousd), "strong"))
        if totals.unpriced_calls:
            parts.append((f" +{fmt.count(totals.unpriced_calls)} unpriced", "abandoned"))
        if totals.sampled_out:
            word = "span" if totals.sampled_out == 1 else "spans"
            parts.append((f" +{fmt.count(totals.sampled_out)} {word} left out", "abandoned"))
        return [*parts, (" ", "text")]

    def to_export(self) -> Export | None:
        """The traces that the list finds, whole."""
        if not self.window.rows:
            return None
        where: Any = self._where
        about = "the traces that this list finds" if self.filter_text else "all traces"
        return Export(f"traces-{stamp()}", about, lambda reader: _found(reader, where))

    def empty_lines(self) -> list[list[Part]]:
        from tracetui.screens import empty

        return empty.nothing(self.facts, self.what, self.filter_text)

    # Filter.

    def filter_changed(self) -> None:
        self._stop_counting()
        self.show_context()
        self.begin_anew()

    def focus_list(self) -> None:
        self.window.focus()


class TracesScreen(ListScreen[TraceRow]):
    """The first screen."""

    what = "traces"
    filters_traces = True
    listed = TRACES
    default_order = TRACE_ORDER

    def table(self) -> TraceTable:
        return TraceTable(self.facts.now_ns, self.glyphs, lambda: self.look)

    def all_columns(self, width: int) -> Sequence[Column]:
        return trace_columns(width)

    def ask(
        self, reader: Reader, *, limit: int, after: Page | None, before: Page | None, sort: str
    ) -> Sequence[TraceRow]:
        return reader.traces(**self.filters(), limit=limit, after=after, before=before, sort=sort)

    @on(LineList.Chosen)
    def _chosen(self) -> None:
        if self.window.row is not None:
            from tracetui.screens.neighbours import InList

            around = InList(self._where, self.look.order)
            self.post_message(self.OpenTrace(self.window.row.trace_id, around))

    def action_group(self) -> None:
        from tracetui.screens.menu import Choice, MenuScreen

        choices = [Choice(name, name, about=f"traces by {name}, with their sums") for name in GROUPS]
        self.app.push_screen(MenuScreen("Group by", choices), self._group_chosen)

    def _group_chosen(self, by: str | None) -> None:
        if by is not None:
            self.post_message(self.Group(by, self.filter_text))

    def action_session(self) -> None:
        row = self.window.row
        if row is None or row.session_id is None:
            self.app.notify("This trace names no session.", markup=False)
        else:
            self.apply(session_filter(row.session_id))

    def copy_choices(self) -> list[Choice]:
        from tracetui.screens.menu import Choice

        row = self.window.row
        if row is None:
            return []
        choices = [Choice("trace id", row.trace_id), Choice("command that shows it", f"tracetui show {row.trace_id}")]
        if row.session_id:
            choices.append(Choice("session id", row.session_id))
        if row.input_preview:
            choices.append(Choice("input (one line)", row.input_preview))
        if row.output_preview:
            choices.append(Choice("output (one line)", row.output_preview))
        return choices


class SessionsScreen(ListScreen[SessionRow]):
    """Sessions by when they were last heard of."""

    what = "sessions"
    listed = SESSIONS
    default_order = SESSION_ORDER

    def totals(self, reader: Reader, filters: dict[str, Any], told: Callable[[Totals], object]) -> Totals:
        return reader.session_totals(**filters)

    def table(self) -> SessionTable:
        return SessionTable(self.facts.now_ns, self.glyphs, lambda: self.look)

    def all_columns(self, width: int) -> Sequence[Column]:
        return session_columns(width)

    def ask(
        self, reader: Reader, *, limit: int, after: Page | None, before: Page | None, sort: str
    ) -> Sequence[SessionRow]:
        return reader.sessions(**self.filters(), limit=limit, after=after, before=before, sort=sort)

    @on(LineList.Chosen)
    def _chosen(self) -> None:
        if self.window.row is not None:
            self.post_message(self.OpenConversation(self.window.row.session_id))

    def action_session(self) -> None:
        if self.window.row is not None:
            self.post_message(self.OpenSession(self.window.row.session_id))

    def copy_choices(self) -> list[Choice]:
        from tracetui.screens.menu import Choice

        return [] if self.window.row is None else [Choice("session id", self.window.row.session_id)]


def _found(reader: Any, where: Any) -> Iterable[TraceRow]:
    from collector.export.whole import found

    return found(reader, where)


def session_filter(session_id: str) -> str:
    """The filter that finds a session, quoted where it has to be."""
    from collector.store.filters import quoted

    return f"session:{quoted(session_id)}"
