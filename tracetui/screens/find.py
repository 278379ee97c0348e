"""Finding words within a trace: as one types, its spans are marked and counted; `n` goes to the very message."""

from __future__ import annotations

import asyncio
from functools import partial

from textual import on, work

from collector.errors import NotFound, TracetuiError
from collector.store import skeleton
from tracetui import format as fmt
from tracetui.screens.search import TYPING_S, as_typed
from tracetui.screens.tree_keys import TreeKeys
from tracetui.source import Reader
from tracetui.widgets.find_bar import FindBar
from tracetui.widgets.inspector import Inspector
from tracetui.widgets.seek import seek


class FindsInTrace(TreeKeys):
    """The part of the trace screen that looks for words. `_sought` is what the marks are of."""

    _sought = ""

    @property
    def inspector(self) -> Inspector:
        return self.query_one(Inspector)

    @property
    def find_bar(self) -> FindBar:
        return self.query_one(FindBar)

    def action_search(self) -> None:
        """In a trace `/` looks into this trace; `:search` into all."""
        self.find_bar.open()

    @on(FindBar.Typed)
    def _typed(self, event: FindBar.Typed) -> None:
        self._find(as_typed(event.text), wait_s=TYPING_S)

    @on(FindBar.Submitted)
    def _submitted(self) -> None:
        self.waterfall.focus()
        self._find(as_typed(self.find_bar.text), go=True)

    @work(exclusive=True, group="find")
    async def _find(self, text: str, *, wait_s: float = 0.0, go: bool = False) -> None:
        if wait_s:
            await asyncio.sleep(wait_s)
        await self.find_again(text)
        if go:
            self._go_to_match(1, stay=True)

    async def find_again(self, text: str | None = None) -> None:
        """Look for `text`, or for the same as before: the trace has grown."""
        text = self._sought if text is None else text
        if not text and not self._sought:
            return
        try:
            hits = await self.facts.source.ask_slowly(partial(_found_in, trace_id=self.trace_id, text=text))
        except NotFound:
            hits = {}
        except TracetuiError as error:
            self.show_error(error)
            return
        self._sought = text
        tree = self.waterfall
        shown = hits.keys() & set(tree.outline.ids)
        tree.find({number: hits[number] for number in shown}, only=bool(tree.only))
        self.inspector.mark(text)
        self._tell()

    def _tell(self) -> None:
        hits = self.waterfall.scene.hits
        told = ""
        if self._sought:
            told = (
                f"{_many(sum(hits.values()), 'match', 'es')} in {_many(len(hits), 'span')}" if hits else "nothing found"
            )
        if hits and self.waterfall.only:
            told += ", only these"
        self.find_bar.tell(told)

    def stop_finding(self) -> bool:
        """Take the marks away; False when there are none."""
        if not self.find_bar.is_open:
            return False
        self.workers.cancel_group(self, "find")
        self.find_bar.close()
        self._sought = ""
        self.waterfall.find({})
        self.inspector.mark("")
        self.waterfall.focus()
        return True

    def action_only_matches(self) -> None:
        tree = self.waterfall
        if not tree.scene.hits:
            self.app.notify("Find something first: / and a word.", markup=False)
            return
        tree.find(dict(tree.scene.hits), only=not tree.only)
        self._tell()

    def action_next_error(self) -> None:
        self._next(1)

    def action_previous_error(self) -> None:
        self._next(-1)

    def _next(self, step: int) -> None:
        """The next match while something is looked for, else the next error."""
        if self._sought:
            self._go_to_match(step)
        elif not self.waterfall.go_to_error(step):
            self.app.notify("No span of this trace failed.", markup=False)

    def _go_to_match(self, step: int, *, stay: bool = False) -> None:
        """`stay`: where the cursor stands already is a match as good as any."""
        tree = self.waterfall
        if not (stay and tree.selected_id in tree.scene.hits) and not tree.go_to_hit(step):
            self.app.notify(f"Nothing in this trace holds {fmt.plain(self._sought).rstrip('*')}.", markup=False)
            return
        self._seek()

    @work(exclusive=True, group="seek")
    async def _seek(self) -> None:
        """Put the inspector on the message that holds the match."""
        number = self.waterfall.selected_id
        if number is None:
            return
        span_id = skeleton.name(number)
        try:
            span = await self.facts.source.ask(lambda reader: reader.span(self.trace_id, span_id))
        except TracetuiError as error:
            self.show_error(error)
            return
        inspector = self.inspector
        place = await asyncio.to_thread(seek, span, self._sought, inspector.text_width, inspector.glyphs)
        if place is not None and self.waterfall.selected_id == number:
            inspector.show_place(span, place)


def _found_in(reader: Reader, trace_id: str, text: str) -> dict[int, int]:
    return reader.found_in(trace_id, text) if text else {}


def _many(count: int, word: str, plural: str = "s") -> str:
    return f"{fmt.count(count)} {word}" + ("" if count == 1 else plural)
