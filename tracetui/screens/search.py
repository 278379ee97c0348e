"""Full-text search: type, see what was said, go to the span that said it. Newest first."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from functools import partial

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input, Label

from collector.errors import TracetuiError
from collector.store.rows import SearchHit
from tracetui import format as fmt
from tracetui.screens.base import LISTS, ExplorerScreen, Facts
from tracetui.screens.menu import Choice
from tracetui.source import Reader
from tracetui.widgets.frame import ContextLine, KeyBar, Note
from tracetui.widgets.line_list import LineList
from tracetui.widgets.paint import Part, clip_parts

MOST_HITS = 200
TYPING_S = 0.06
AGAIN_S = 1.0


class Hits(LineList):
    """One line a hit: what kind of span, its name, the words around the hit, how long ago."""

    head = 1

    def __init__(self, facts: Facts) -> None:
        super().__init__(id="hits")
        self._facts = facts
        self.hits: Sequence[SearchHit] = ()

    def show(self, hits: Sequence[SearchHit]) -> None:
        """Swap in other hits; the cursor stays with the span it is on."""
        at = self.hit
        self.hits = hits
        same = (n for n, hit in enumerate(hits) if at and (hit.trace_id, hit.span_id) == (at.trace_id, at.span_id))
        self.cursor = next(same, 0)
        self.show_cursor()
        self.refresh()

    @property
    def hit(self) -> SearchHit | None:
        return self.hits[self.cursor] if self.cursor < len(self.hits) else None

    def line_count(self) -> int:
        return len(self.hits)

    def head_parts(self, y: int, width: int) -> list[Part]:
        return [("    " + "SPAN".ljust(_name_cells(width)) + " FOUND".ljust(width - _name_cells(width) - 9), "quiet"),
                ("AGE", "quiet")]  # fmt: skip

    def line_parts(self, index: int, width: int) -> list[Part]:
        hit, glyphs = self.hits[index], self.glyphs
        name, room = _name_cells(width), width - _name_cells(width) - 12
        kind = hit.kind if hit.kind in glyphs.kinds else "span"
        said = marked(hit, room)
        return [
            (glyphs.cursor + " " if index == self.cursor else "  ", "accent"),
            (glyphs.kinds[kind] + " ", kind),
            (fmt.fit(fmt.plain(hit.name) or "(no name)", name) + " ", "text"),
            *said,
            (" " * (room - sum(fmt.cells(text) for text, _ in said)), "text"),
            (fmt.age(hit.start_ns, self._facts.now_ns()).rjust(6), "quiet"),
        ]


def _name_cells(width: int) -> int:
    return 18 if width < 100 else 28


def marked(hit: SearchHit, width: int) -> list[Part]:
    """The snippet in `width` cells, its hits marked; it begins later when the first hit would not be seen."""
    begin = 0
    if hit.marks and fmt.cells(fmt.plain(hit.snippet[: hit.marks[0][1]])) > width - 8:
        begin = max(min(hit.marks[0][0] - width // 4, len(hit.snippet) - width + 2), 0)
    parts: list[Part] = [(fmt.ELLIPSIS, "quiet")] if begin else []
    at = begin
    for start, end in hit.marks:
        if start >= at:
            parts += [(fmt.plain(hit.snippet[at:start]), "quiet"), (fmt.plain(hit.snippet[start:end]), "fresh")]
            at = end
    parts.append((fmt.plain(hit.snippet[at:]), "quiet"))
    return clip_parts([part for part in parts if part[0]], width)


def as_typed(text: str) -> str:
    """What to look for while one types: the last word may go on."""
    text = text.strip()
    return text + "*" if text and text[-1].isalnum() and text.count('"') % 2 == 0 else text


class SearchScreen(ExplorerScreen):
    """Opened with what to look for, or nothing yet."""

    def __init__(self, facts: Facts, text: str = "") -> None:
        super().__init__(facts)
        self._text = text
        self._found = ""
        self._took_s = 0.0
        self._due = 0.0

    def compose(self) -> ComposeResult:
        yield ContextLine(id="context")
        yield Note(id="note")
        with Horizontal(id="search"):
            yield Label("search", markup=False)
            yield Input(self._text, placeholder='words that were said; "a phrase", begin*', select_on_focus=False)
        yield Hits(self.facts)
        yield KeyBar("list", "screen", "app", without=(*LISTS, "pause"))

    @property
    def hits(self) -> Hits:
        return self.query_one(Hits)

    def on_mount(self) -> None:  # beside ExplorerScreen's own
        self.query_one(Input).focus()
        self.show_context()
        if self._text:
            self._search(self._text)

    def show_context(self) -> None:
        name = fmt.plain(self.facts.source.path.rsplit("/", 1)[-1])
        left: list[Part] = [(" " + name, "strong"), ("  ", "text"), *self.live_parts()]
        right: list[Part] = []
        if self._found:
            count = len(self.hits.hits)
            many = f"{count}+" if count >= MOST_HITS else str(count)
            right = [(many, "strong"), (" hit " if count == 1 else " hits ", "quiet")]
        for context in self.query(ContextLine):
            context.show(left, right)

    def reload(self) -> None:
        """News: the same search again, but not all the time."""
        if self._found and time.monotonic() >= self._due:
            self._search(self._found)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._search(as_typed(event.value), wait_s=TYPING_S)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        if self.hits.hits:
            self.hits.focus()

    @work(exclusive=True, group="search")
    async def _search(self, text: str, wait_s: float = 0.0) -> None:
        if wait_s:
            await asyncio.sleep(wait_s)
        began = time.monotonic()
        try:
            hits = await self.facts.source.ask_slowly(partial(_find, text=text)) if text else []
        except TracetuiError as error:
            self.show_error(error)
            return
        self._due = time.monotonic() + max(AGAIN_S, 10 * (time.monotonic() - began))
        self._found = text
        self.hits.show(hits)
        self.say(f"Nothing that was said holds {text.rstrip('*')}." if text and not hits else "")
        self.show_context()

    @on(LineList.Chosen)
    def _chosen(self) -> None:
        if self.hits.hit is not None:
            self.post_message(self.OpenSpan(self.hits.hit.trace_id, self.hits.hit.span_id))

    def action_back(self) -> None:
        self.dismiss(None)

    def action_search(self) -> None:
        self.query_one(Input).focus()

    def copy_choices(self) -> list[Choice]:
        hit = self.hits.hit
        if hit is None:
            return []
        return [Choice("trace id", hit.trace_id), Choice("span id", hit.span_id), Choice("what was found", hit.snippet)]


def _find(reader: Reader, text: str) -> Sequence[SearchHit]:
    return reader.search(text, limit=MOST_HITS)
