"""Everything that looks wrong in a file, by kind: how often, in how many traces, the newest one with its evidence."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult

from collector.errors import NotFound, TracetuiError
from collector.signals import ABOUT
from collector.store.signals import SKIPPED, Counted
from tracetui import format as fmt
from tracetui.keymap import bindings
from tracetui.screens import empty
from tracetui.screens.base import Facts
from tracetui.screens.menu import Choice
from tracetui.screens.paced import Paced
from tracetui.widgets.frame import ContextLine, Empty, KeyBar, Note
from tracetui.widgets.line_list import LineList
from tracetui.widgets.paint import Part, clip_parts, parts_width

MOST_NAME = 19


class SignalList(LineList):
    """One line a kind; those that this file has first, the others quiet below."""

    head = 1
    awaited = True

    def __init__(self, facts: Facts) -> None:
        super().__init__(id="list")
        self._facts = facts
        self.rows: list[Counted] = []

    def show(self, rows: Sequence[Counted]) -> None:
        kind = self.rows[self.cursor].kind if self.rows else ""
        self.rows = sorted(rows, key=lambda one: (one.signals == 0 or one.kind == SKIPPED, -one.traces))
        self.cursor = next((at for at, one in enumerate(self.rows) if one.kind == kind), 0)
        self.awaited = False
        self.refresh()

    def line_count(self) -> int:
        return len(self.rows)

    def head_parts(self, y: int, width: int) -> list[Part]:
        titles = "SIGNAL".ljust(MOST_NAME + 2) + "TRACES".rjust(7) + "SIGNALS".rjust(8) + "LAST".rjust(5)
        return [("  " + titles, "quiet"), ("  NEWEST", "quiet")]

    def line_parts(self, index: int, width: int) -> list[Part]:
        one = self.rows[index]
        has = one.signals > 0 and one.kind != SKIPPED
        last = fmt.age(one.newest_ns, self._facts.now_ns()) if one.newest_ns is not None else ""
        left: list[Part] = [
            (self.glyphs.cursor + " " if index == self.cursor else "  ", "accent"),
            (f"{self.glyphs.warn} " if has else "  ", "abandoned"),
            (one.kind.ljust(MOST_NAME), "strong" if has else "quiet"),
            (fmt.count(one.traces).rjust(7) if one.traces else fmt.UNKNOWN.rjust(7), "text" if has else "quiet"),
            (fmt.count(one.signals).rjust(8) if one.signals else fmt.UNKNOWN.rjust(8), "text" if has else "quiet"),
            (last.rjust(5), "quiet"),
        ]
        said: list[Part] = [("  ", "text"), (ABOUT.get(one.kind, "too large, or not to be read"), "quiet")]
        if has:
            said = [("  ", "text"), (fmt.plain(one.trace or "(no name)"), "accent"), ("  ", "text"),
                    (fmt.plain(one.text), "text")]  # fmt: skip
        return [*left, *clip_parts(said, max(width - parts_width(left), 0))]


class SignalsScreen(Paced):
    """`6`. Enter lists the traces that have the signal."""

    BINDINGS = bindings("signals")
    key_groups = ("list", "signals", "screen", "app")

    def compose(self) -> ComposeResult:
        yield ContextLine(id="context")
        yield Note(id="note")
        yield SignalList(self.facts)
        yield Empty()
        yield KeyBar("list", "signals", "app", "screen", without=("show_signals",))

    @property
    def kinds(self) -> SignalList:
        return self.query_one(SignalList)

    def on_mount(self) -> None:  # beside ExplorerScreen's own
        self.kinds.focus()
        self.show_context()
        self.load()  # `reload` waits until this is over

    def reload(self) -> None:
        if self.is_mounted:
            self.load()

    async def look(self) -> None:
        try:
            rows, traced = await self.facts.source.ask_slowly(
                lambda reader: (reader.signal_counts(), bool(reader.traces(limit=1)))
            )
        except TracetuiError as error:
            self._failed(error)
            return
        self.read_well()
        self.kinds.show(rows)
        self.show_context()
        any_ = any(one.signals for one in rows)
        self.set_class(not any_, "empty")
        if not any_:
            self.query_one(Empty).say(nothing() if traced else empty.nothing(self.facts, "traces", ""))
        elif self.focused is None:
            self.kinds.focus()

    def _failed(self, error: TracetuiError) -> None:
        if self.kinds.rows and not isinstance(error, NotFound):
            self.show_error(error)
            return
        self.kinds.show([])
        self.query_one(Empty).say(empty.failed(self.facts, "traces", error))
        self.set_class(True, "empty")
        self.show_context()

    def show_context(self) -> None:
        name = fmt.plain(self.facts.source.path.rsplit("/", 1)[-1])
        found = (
            [one for one in self.kinds.rows if one.signals and one.kind != SKIPPED] if self.query(SignalList) else []
        )
        n, right = len(found), list[Part]()
        if found:  # before they are read there is nothing to count, and without any the screen says so
            right = [(f"{fmt.count(sum(one.signals for one in found))}", "strong"),
                     (f" signals of {n} {'kind' if n == 1 else 'kinds'} ", "quiet")]  # fmt: skip
        for context in self.query(ContextLine):
            context.show([(" " + name, "strong"), ("  ", "text"), *self.live_parts(), ("   signals", "accent")], right)

    @on(LineList.Chosen)
    def _chosen(self) -> None:
        one = self.kinds.rows[self.kinds.cursor] if self.kinds.rows else None
        if one is None:
            return
        if one.kind == SKIPPED:
            self.app.notify(fmt.plain(one.text) + ". Open one and press !", markup=False)
        else:
            self.post_message(self.Command(f"filter signal:{one.kind}"))

    def action_newest(self) -> None:
        one = self.kinds.rows[self.kinds.cursor] if self.kinds.rows else None
        if one is not None and one.trace_id and one.span_id:
            self.post_message(self.OpenSpan(one.trace_id, one.span_id))

    def copy_choices(self) -> list[Choice]:
        one = self.kinds.rows[self.kinds.cursor] if self.kinds.rows else None
        if one is None or self.has_class("empty"):
            return []
        choices = [Choice("filter that finds it", f"signal:{one.kind}")] if one.kind != SKIPPED else []
        if one.trace_id:
            choices += [Choice("newest trace", one.trace_id), Choice("what was seen there", one.text)]
        return choices

    def action_back(self) -> None:
        self.dismiss(None)


def nothing() -> list[list[Part]]:
    """What an empty screen says."""
    return [
        [("Nothing looks wrong in the traces that were looked at.", "text")],
        [],
        [("Whoever writes to this file looks at traces a second after they ended.", "quiet")],
        [("For a file that nobody writes to:  ", "quiet"), ("tracetui signals --look", "accent")],
    ]
