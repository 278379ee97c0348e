"""What looks wrong in a trace: marks on its spans, the list behind `!`, and the keys to both."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import work

from collector.errors import TracetuiError
from collector.signals import Signal
from collector.store.signals import LIVE_SPANS
from collector.store.skeleton import number
from tracetui import format as fmt
from tracetui.screens.base import ExplorerScreen
from tracetui.screens.found import Evidence, FoundScreen, Item, Spot
from tracetui.widgets.inspector import Inspector
from tracetui.widgets.paint import Part

if TYPE_CHECKING:
    from tracetui.widgets.waterfall import Waterfall

MARKED_SPANS = 2000
"""Larger traces are looked at when somebody asks (`!`): it takes a second a few thousand spans."""
PAUSE = 20
"""Between two looks at a trace that goes on, in times of how long the last one took."""


class TraceSignalsScreen(FoundScreen):
    """`!`. Looks at the trace as it is now, with today's thresholds."""

    BINDINGS = [("escape,q,exclamation_mark", "cancel", "close"), ("w", "first_places", "where")]  # noqa: RUF012
    title_text = "What looks wrong"
    keys = "enter to the span, w where its value is from, esc  "

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

    def action_first_places(self) -> None:
        """Where the value in question stood first."""
        from tracetui.screens.places import FirstPlacesScreen

        chosen = self.query_one(Evidence).chosen
        if chosen is None or not chosen.value:
            self.app.notify("No value is in question here.", markup=False)
            return
        self.app.push_screen(FirstPlacesScreen(self._facts, self._trace_id, [chosen.value]), self._went)

    def _went(self, spot: Spot | None) -> None:
        if spot is not None:
            self.dismiss(spot)


def item(one: Signal, names: dict[str, str], glyphs: fmt.Glyphs) -> Item:
    """A signal as two lines."""
    where = fmt.plain(names.get(one.span_id, "")) or one.span_id[:8]
    what: tuple[Part, ...] = ((f"{glyphs.warn} ", "abandoned"), (one.kind, "strong"), (f"  {where}", "accent"))
    return Item(what, one.text, one.span_id, value=one.value)


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
            kinds.setdefault(number(one.span_id), []).append(one.kind)
        self.waterfall.mark({span: list(dict.fromkeys(names)) for span, names in kinds.items()})

    def action_signals(self) -> None:
        self.app.push_screen(TraceSignalsScreen(self.facts, self.trace_id), self._go_to_spot)

    def action_first_places(self) -> None:
        from tracetui.screens.places import FirstPlacesScreen

        self.app.push_screen(FirstPlacesScreen(self.facts, self.trace_id, self.values_at_hand()), self._go_to_spot)

    def action_context(self) -> None:
        from tracetui.screens.context import ContextScreen

        index = self.waterfall.selected
        chosen = f"{self.waterfall.outline.ids[index]:016x}" if index is not None else None
        self.app.push_screen(ContextScreen(self.facts, self.trace_id, chosen, self._go_to_span))

    def values_at_hand(self) -> list[str]:
        """What `w` begins with: the values on the inspector's line while that is in use, else those that are in
        question on the span under the cursor."""
        from tracetui.screens.places import values_on

        inspector = self.query_one(Inspector)
        if inspector.has_focus and inspector.cursor < len(inspector.lines):
            return values_on(inspector.lines[inspector.cursor])
        here = self.waterfall.selected_id
        return list(dict.fromkeys(one.value for one in self._found if one.value and number(one.span_id) == here))

    def _go_to_spot(self, spot: Spot | None) -> None:
        if spot is not None and spot[0]:
            self.post_message(self.OpenSpan(*spot))
        elif spot is not None:
            self._go_to_span(spot[1])

    def _go_to_span(self, span_id: str | None) -> None:
        ids = self.waterfall.outline.ids
        if (at := number(span_id)) in ids:
            self.waterfall.reveal(ids.index(at))
