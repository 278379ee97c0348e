"""Traces and sessions: one line each, live, filtered. Both lists are one screen with another table."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any, Generic, TypeVar

from textual import on, work
from textual.app import ComposeResult
from textual.message import Message

from collector.errors import FilterError, NotFound, TracetuiError
from collector.store.complete import complete
from collector.store.rows import Page, SessionRow, Totals, TraceRow
from tracetui import format as fmt
from tracetui.keymap import bindings
from tracetui.screens import empty
from tracetui.screens.base import ExplorerScreen, Facts
from tracetui.screens.hands import Export, stamp
from tracetui.screens.menu import Choice
from tracetui.source import Reader, Where
from tracetui.widgets.frame import ContextLine, Empty, FilterBar, KeyBar, Note
from tracetui.widgets.line_list import LineList
from tracetui.widgets.paint import Part
from tracetui.widgets.tables import SessionTable, TraceTable
from tracetui.widgets.window_list import Table, WindowList

Row = TypeVar("Row")
TOTALS_S = 1.0


class ListScreen(ExplorerScreen, Generic[Row]):
    """`what` is what the list holds, in the plural."""

    BINDINGS = bindings("lists")
    key_groups = ("list", "lists", "screen", "app")
    what = "rows"

    class OpenTrace(Message):
        """The user wants to see this trace."""

        def __init__(self, trace_id: str) -> None:
            super().__init__()
            self.trace_id = trace_id

    class OpenSession(Message):
        """The user wants the traces of this session."""

        def __init__(self, session_id: str) -> None:
            super().__init__()
            self.session_id = session_id

    def __init__(self, facts: Facts, *, filter_text: str = "") -> None:
        super().__init__(facts)
        self.filter_text = filter_text
        self._where: Where | None = None
        self._totals: Totals | None = None
        self._totals_due = 0.0
        self._counting = False

    def table(self) -> Table[Row]:
        raise NotImplementedError

    def ask(self, reader: Reader, *, limit: int, after: Page | None, newest_first: bool) -> Sequence[Row]:
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        yield ContextLine(id="context")
        yield Note(id="note")
        yield WindowList(self.table(), self._fetch, id="list")
        yield Empty()
        yield FilterBar()
        yield KeyBar("list", "lists", "app", "screen", without=(f"show_{self.what}",))

    def glyphs(self) -> fmt.Glyphs:
        return fmt.ASCII if getattr(self.app, "ascii_mode", False) else fmt.UNICODE

    @property
    def window(self) -> WindowList[Row]:
        return self.query_one(WindowList)

    def on_mount(self) -> None:  # beside ExplorerScreen's own
        self.window.focus()
        self.show_context()
        if self.filter_text:
            self.apply(self.filter_text)
        else:
            self.window.reload()

    # Data.

    def _filters(self) -> dict[str, Any]:
        return {} if self._where is None else {"where": self._where}

    async def _fetch(self, limit: int, *, after: Page | None = None, before: Page | None = None) -> Sequence[Row]:
        """Rows oldest first, whichever way they had to be asked for."""
        backwards = after is None

        def question(reader: Reader) -> Sequence[Row]:
            return self.ask(reader, limit=limit, after=before if backwards else after, newest_first=backwards)

        rows = await self.facts.source.ask(question)
        return rows[::-1] if backwards else rows

    def tick(self) -> None:
        self.window.tick()

    def reload(self) -> None:
        if self.is_mounted:
            self.window.reload()

    def restart(self) -> None:
        self._totals = None
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
        missing = isinstance(event.error, NotFound)
        if missing:
            self.facts.exists = False
            self.window.rows = []
            self.show_context()
        elif self.window.rows:
            self.show_error(event.error)
        self.set_class(not self.window.rows, "empty")
        if not self.window.rows:
            why = [] if missing else empty.unreadable(self.facts, event.error)
            self.query_one(Empty).say(why or self.empty_lines())

    def _count(self) -> None:
        """Totals may read much: seldom, on the slow lane, and the less often the longer they take."""
        wait_s = self._totals_due - time.monotonic()
        if self._counting:
            return
        self._counting = True
        self.set_timer(max(wait_s, 0.001), self._count_now)

    @work(group="totals")
    async def _count_now(self) -> None:
        began = time.monotonic()
        text, filters = self.filter_text, self._filters()
        try:
            state, totals = await self.facts.source.ask_slowly(lambda reader: (reader.state, reader.totals(**filters)))
        except TracetuiError as error:
            if self.window.rows:  # else the empty screen says it
                self.show_error(error)
            return
        finally:
            self._counting = False
            took = time.monotonic() - began
            self._totals_due = began + max(TOTALS_S, 11 * took)
        if text == self.filter_text:
            self._totals = totals
            self.say(state.note or self.facts.notice)
            self.show_context()
        else:
            self._count()

    def facts_changed(self) -> None:
        super().facts_changed()
        if not self.window.rows:
            self.query_one(Empty).say(self.empty_lines())

    # The lines around the list.

    def show_context(self) -> None:
        name = fmt.plain(self.facts.source.path.rsplit("/", 1)[-1])
        left: list[Part] = [(" " + name, "strong"), ("  ", "text"), *self.live_parts()]
        if self.filter_text:
            left += [("   / ", "quiet"), (fmt.plain(self.filter_text), "accent")]
        for context in self.query(ContextLine):
            context.show(left, self._sums())

    def _sums(self) -> list[Part]:
        if self._totals is None:
            return [(self.what + " ", "quiet")]
        totals = self._totals
        parts: list[Part] = [
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
        return empty.nothing(self.facts, self.what, self.filter_text)

    # Filter.

    def action_filter(self) -> None:
        self.query_one(FilterBar).open(self.filter_text, self.facts.history.entries())
        self._offer(self.filter_text, len(self.filter_text))

    def action_back(self) -> None:
        bar = self.query_one(FilterBar)
        if bar.is_open:
            bar.close()
        elif self.filter_text:
            self.apply("")
        else:
            self.facts.notice = ""
            self.say("")

    @on(FilterBar.Submitted)
    def _submitted(self, event: FilterBar.Submitted) -> None:
        self.apply(event.text)
        if not self.query_one(FilterBar).is_open:
            self.facts.history.add(event.text)

    @on(FilterBar.Typed)
    def _typed(self, event: FilterBar.Typed) -> None:
        self._offer(event.text, event.cursor)

    @work(exclusive=True, group="offers")
    async def _offer(self, text: str, cursor: int) -> None:
        source = self.facts.source
        try:
            found = await source.ask(lambda reader: reader.complete(text, cursor, source.views))
        except TracetuiError:
            found = complete(None, text, cursor, source.views)
        self.query_one(FilterBar).offer(text, found)

    @on(FilterBar.Closed)
    def _filter_closed(self) -> None:
        self.window.focus()

    def apply(self, text: str) -> None:
        """Filter the list. A filter that cannot be read leaves it as it is, and says where it went wrong."""
        bar = self.query_one(FilterBar)
        text = text.strip()
        try:
            self._where = self.facts.source.parse(text) if text else None
        except FilterError as error:
            if not bar.is_open:
                bar.open(text)
            bar.refuse(error)
            return
        bar.accept()
        self.filter_text = text
        self._totals, self._totals_due = None, 0.0
        self.window.focus()
        self.show_context()
        self.window.restart()


class TracesScreen(ListScreen[TraceRow]):
    """The first screen."""

    what = "traces"

    def table(self) -> TraceTable:
        return TraceTable(self.facts.now_ns, self.glyphs)

    def ask(self, reader: Reader, *, limit: int, after: Page | None, newest_first: bool) -> Sequence[TraceRow]:
        return reader.traces(**self._filters(), limit=limit, after=after, sort="-start" if newest_first else "start")

    @on(LineList.Chosen)
    def _chosen(self) -> None:
        if self.window.row is not None:
            self.post_message(self.OpenTrace(self.window.row.trace_id))

    def action_session(self) -> None:
        row = self.window.row
        if row is None or row.session_id is None:
            self.app.notify("This trace names no session.", markup=False)
        else:
            self.apply(session_filter(row.session_id))

    def copy_choices(self) -> list[Choice]:
        row = self.window.row
        if row is None:
            return [Choice("the endpoint variable", empty.endpoint(self.facts))]
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

    def table(self) -> SessionTable:
        return SessionTable(self.facts.now_ns, self.glyphs)

    def ask(self, reader: Reader, *, limit: int, after: Page | None, newest_first: bool) -> Sequence[SessionRow]:
        return reader.sessions(**self._filters(), limit=limit, after=after, sort="-last" if newest_first else "last")

    @on(LineList.Chosen)
    def _chosen(self) -> None:
        if self.window.row is not None:
            self.post_message(self.OpenConversation(self.window.row.session_id))

    def action_session(self) -> None:
        if self.window.row is not None:
            self.post_message(self.OpenSession(self.window.row.session_id))

    def copy_choices(self) -> list[Choice]:
        return [] if self.window.row is None else [Choice("session id", self.window.row.session_id)]


def _found(reader: Any, where: Any) -> Iterable[TraceRow]:
    from collector.export.whole import found

    return found(reader, where)


def session_filter(session_id: str) -> str:
    """The filter that finds a session, quoted where it has to be."""
    bare = session_id.replace("-", "").replace("_", "").isalnum()
    return f"session:{session_id}" if bare else 'session:"' + session_id.replace("\\", "\\\\").replace('"', '\\"') + '"'
