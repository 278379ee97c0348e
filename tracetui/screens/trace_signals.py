"""What looks wrong in a trace: marks on its spans, the list behind `!`, and `w`, where a value stood first."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input

from collector.errors import TracetuiError
from collector.signals import Place, Signal
from collector.store.signals import LIVE_SPANS
from tracetui import format as fmt
from tracetui.screens.base import ExplorerScreen, Facts
from tracetui.widgets.line_list import LineList
from tracetui.widgets.paint import Line, Part

if TYPE_CHECKING:
    from tracetui.widgets.waterfall import Waterfall

MARKED_SPANS = 2000
"""Larger traces are looked at when somebody asks (`!`): it takes a second a few thousand spans."""
PAUSE = 20
"""Between two looks at a trace that goes on, in times of how long the last one took."""


class Evidence(LineList):
    """Things found in a trace, two lines each: what and where, then the words for it."""

    def __init__(self) -> None:
        super().__init__()
        self.items: list[tuple[list[Part], str, str]] = []
        self.notice = "reading …"

    def show(self, items: Sequence[tuple[list[Part], str, str]], otherwise: str) -> None:
        """Items are (what, the words, the span's id); `otherwise` is said when there are none."""
        self.items, self.notice = list(items), otherwise
        self.styles.height = max(self.line_count(), 1)
        self.refresh()

    @property
    def shows_cursor(self) -> bool:
        return bool(self.items)

    def line_count(self) -> int:
        return 2 * len(self.items) or 1

    def line_parts(self, index: int, width: int) -> list[Part]:
        if not self.items:
            return [(f"  {self.notice}", "quiet")]
        what, words, _ = self.items[index // 2]
        if index % 2:
            return [("      ", "text"), (fmt.plain(words), "text")]
        cursor = self.glyphs.cursor + " " if index // 2 == self.cursor // 2 else "  "
        return [(cursor, "accent"), *what]

    def move_to(self, index: int) -> None:
        """From item to item."""
        step = 1 if index > self.cursor else -1 if index < self.cursor else 0
        if self.items and step and index % 2:
            index = min(max(index + step, 0), self.line_count() - 1)
        super().move_to(index - index % 2)
        self.refresh()


class FoundScreen(ModalScreen[str | None]):
    """A list over a trace; gives the id of the span that was chosen, or None."""

    BINDINGS = [("escape,q", "cancel", "close")]  # noqa: RUF012 - Textual's way
    title_text = ""
    starts_at: type[Widget] = Evidence

    def __init__(self, facts: Facts, trace_id: str) -> None:
        super().__init__()
        self._facts, self._trace_id = facts, trace_id

    def compose(self) -> ComposeResult:
        with Vertical(id="found"):
            yield Line(id="title")
            yield Evidence()

    def on_mount(self) -> None:
        self.heading("")
        self.query(self.starts_at).first().focus()

    def heading(self, text: str) -> None:
        self.query_one("#title", Line).show([(f"  {self.title_text}  ", "strong"), (text, "quiet")],
                                            [("enter to the span, esc  ", "quiet")])  # fmt: skip

    @on(LineList.Chosen)
    def _chosen(self, event: LineList.Chosen) -> None:
        items = self.query_one(Evidence).items
        if items:
            self.dismiss(items[event.index // 2][2] or None)

    def action_cancel(self) -> None:
        self.dismiss(None)


class TraceSignalsScreen(FoundScreen):
    """`!`. Looks at the trace as it is now, with today's thresholds."""

    BINDINGS = [("escape,q,exclamation_mark", "cancel", "close")]  # noqa: RUF012
    title_text = "What looks wrong"

    def on_mount(self) -> None:  # beside FoundScreen's own
        self._load()

    @work(exclusive=True)
    async def _load(self) -> None:
        shown = self.query_one(Evidence)
        limits, trace_id = self._facts.source.limits, self._trace_id
        try:
            found, names, size = await self._facts.source.ask_slowly(
                lambda r: (r.signals(trace_id, limits), r.span_names(trace_id), r.trace(trace_id).span_count)
            )
        except TracetuiError as error:
            shown.show([], fmt.plain(str(error)))
            return
        if size > LIVE_SPANS:
            self.heading(f"in its first {fmt.count(LIVE_SPANS)} spans")
        elif found:
            self.heading(fmt.count(len(found)))
        shown.show([item(one, names, shown.glyphs) for one in found], "Nothing looks wrong in this trace.")


class FirstPlacesScreen(FoundScreen):
    """`w`. Asks for a value, and lists where in the trace it stands, the first place first."""

    title_text = "Where does it first appear?"
    starts_at = Input

    def __init__(self, facts: Facts, trace_id: str, value: str) -> None:
        super().__init__(facts, trace_id)
        self._value = value

    def compose(self) -> ComposeResult:
        with Vertical(id="found"):
            yield Line(id="title")
            yield Input(self._value, placeholder="an id, a number, a date, some words", compact=True)
            yield Evidence()

    def on_mount(self) -> None:  # beside FoundScreen's own
        if self._value:
            self._look(self._value)
        else:
            self.query_one(Evidence).show([], "type a value, then enter")

    @on(Input.Submitted)
    def _asked(self, event: Input.Submitted) -> None:
        if event.value.strip():
            self._look(event.value.strip())

    @work(exclusive=True)
    async def _look(self, value: str) -> None:
        shown = self.query_one(Evidence)
        trace_id = self._trace_id
        try:
            places, names = await self._facts.source.ask_slowly(
                lambda reader: (reader.first_places(trace_id, value), reader.span_names(trace_id))
            )
        except TracetuiError as error:
            shown.show([], fmt.plain(str(error)))
            return
        shown.show([place(one, at, names) for at, one in enumerate(places)], "It stands nowhere in this trace.")
        if places:
            shown.focus()


def item(one: Signal, names: dict[str, str], glyphs: fmt.Glyphs) -> tuple[list[Part], str, str]:
    """A signal as two lines."""
    where = fmt.plain(names.get(one.span_id, "")) or one.span_id[:8]
    return [(f"{glyphs.warn} ", "abandoned"), (one.kind, "strong"), (f"  {where}", "accent")], one.text, one.span_id


def place(one: Place, at: int, names: dict[str, str]) -> tuple[list[Part], str, str]:
    """A place as two lines; the first one stands out."""
    side = f"{one.side} {one.message}" if one.message else one.side
    role = f" ({fmt.plain(one.role)})" if one.role else ""
    where = fmt.plain(names.get(one.span_id, "")) or one.span_id[:8]
    first: Part = ("first  " if at == 0 else "then   ", "ok" if at == 0 else "quiet")
    return [first, (where, "accent"), (f"  {side}{role}", "quiet")], one.excerpt, one.span_id


class SignalActions(ExplorerScreen):
    """The keys of a trace that are about signals and contexts."""

    trace_id: str
    _marks_due = 0.0
    _found: Sequence[Signal] = ()

    @property
    def waterfall(self) -> Waterfall:
        raise NotImplementedError

    @work(exclusive=True, group="signals")
    async def mark_signals(self, spans: int) -> None:
        """Mark the spans that something looks wrong with."""
        now = time.monotonic()
        if spans > MARKED_SPANS or now < self._marks_due:
            return
        limits = self.facts.source.limits
        try:
            found = await self.facts.source.ask_slowly(lambda reader: reader.signals(self.trace_id, limits))
        except TracetuiError:
            return  # the tree says what is wrong with the file
        self._found = found
        took = time.monotonic() - now
        self._marks_due = now + took * (1 + PAUSE)
        kinds: dict[int, list[str]] = {}
        for one in found:
            kinds.setdefault(int(one.span_id, 16), []).append(one.kind)
        self.waterfall.mark({span: list(dict.fromkeys(names)) for span, names in kinds.items()})

    def action_signals(self) -> None:
        self.app.push_screen(TraceSignalsScreen(self.facts, self.trace_id), self._go_to_span)

    def action_first_places(self) -> None:
        self.app.push_screen(FirstPlacesScreen(self.facts, self.trace_id, self.value_at_hand()), self._go_to_span)

    def action_context(self) -> None:
        from tracetui.screens.context import ContextScreen

        index = self.waterfall.selected
        chosen = f"{self.waterfall.outline.ids[index]:016x}" if index is not None else None
        self.app.push_screen(ContextScreen(self.facts, self.trace_id, chosen, self._go_to_span))

    def value_at_hand(self) -> str:
        """The value that `w` begins with: the one that is in question on the span under the cursor."""
        here = self.waterfall.selected_id
        return next((one.value for one in self._found if one.value and int(one.span_id, 16) == here), "")

    def _go_to_span(self, span_id: str | None) -> None:
        ids = self.waterfall.outline.ids
        if span_id is not None and int(span_id, 16) in ids:
            self.waterfall.reveal(ids.index(int(span_id, 16)))
