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

from collector.errors import FilterError, NotFound, TracetuiError
from collector.store.filters import Either, Filter, Term, words_and_rest
from collector.store.rows import SearchHit
from collector.store.search import spelt
from tracetui import format as fmt
from tracetui.keymap import bindings
from tracetui.screens import empty
from tracetui.screens.base import LISTS, ExplorerScreen, Facts
from tracetui.screens.hands import Export, stamp
from tracetui.screens.menu import Choice
from tracetui.screens.neighbours import InHits, said_in
from tracetui.source import Reader, Where
from tracetui.widgets.frame import ContextLine, Empty, KeyBar, Note
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
        return [("    " + "SPAN".ljust(_name_cells(width)) + " FOUND".ljust(width - _name_cells(width) - 8), "quiet"),
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


LEAST_BEGINNING = 3
"""A letter or two begin so many words that gathering their texts takes up to 2 s in a million messages. A prefix
index of FTS5 answers in 1 ms, but doubles the cost of indexing (48 MB of text: 7.5 to 14.4 s of CPU, 24 to 54 MB)."""


def as_typed(text: str) -> str:
    """What to look for while one types: the last word may go on, once it is long enough to say something."""
    text = text.strip()
    last = text.split()[-1] if text else ""
    goes_on = bool(last) and last[-1].isalnum() and (len(last) >= LEAST_BEGINNING or not last.isascii())
    return text + "*" if goes_on and text.count('"') % 2 == 0 else text


class SearchScreen(ExplorerScreen):
    """Opened with what to look for, or nothing yet."""

    BINDINGS = bindings("hits")
    key_groups = ("list", "hits", "screen", "app")

    def __init__(self, facts: Facts, text: str = "") -> None:
        super().__init__(facts)
        self._text = text
        self._found = ""
        self._entered = False
        self._due = 0.0

    def compose(self) -> ComposeResult:
        yield ContextLine(id="context")
        yield Note(id="note")
        with Horizontal(id="search"):
            yield Label("search", markup=False)
            yield Input(
                self._text,
                placeholder='words that were said; "a phrase", begin*; filters too: kind:llm since:1d',
                select_on_focus=False,
            )
        yield Hits(self.facts)
        yield Empty()
        yield KeyBar("list", "hits", "screen", "app", without=(*LISTS, "pause"))

    @property
    def hits(self) -> Hits:
        return self.query_one(Hits)

    def on_mount(self) -> None:  # beside ExplorerScreen's own
        self.query_one(Input).focus()
        self.show_context()
        self._show_empty(empty.to_search())
        if self._text:
            self._search(self._text)

    def _show_empty(self, lines: list[list[Part]]) -> None:
        """In place of the hits; no lines: there are some."""
        self.set_class(bool(lines), "empty")
        self.query_one(Empty).say(lines)

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
        self._entered = False
        self._search(event.value.strip(), wait_s=TYPING_S)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        """To the hits; to those of what stands there now, once they are here."""
        if event.value.strip() != self._found:
            self._entered = True
            self._search(event.value.strip())
        elif self.hits.hits:
            self.hits.focus()

    @work(exclusive=True, group="search")
    async def _search(self, text: str, wait_s: float = 0.0) -> None:
        if wait_s:
            await asyncio.sleep(wait_s)
        began = time.monotonic()
        try:
            asked, where, doubt = self._asked(text)
            hits = await self.facts.source.ask_slowly(partial(_find, text=asked, where=where)) if asked else []
        except TracetuiError as error:
            self._failed(error)
            return
        self._due = time.monotonic() + max(AGAIN_S, 10 * (time.monotonic() - began))
        self._found = text
        self.hits.show(hits)
        if self._entered and hits:
            self.hits.focus()
        self._entered = False
        self.say(doubt or self.facts.source.note)
        self._show_empty([] if hits else empty.not_said(spelt(asked).rstrip("*"), within=where is not None))
        self.show_context()

    def _failed(self, error: TracetuiError) -> None:
        if self.hits.hits and not isinstance(error, NotFound):
            self.show_error(error)
            return
        self.hits.show(())
        self._show_empty(empty.failed(self.facts, "traces", error))
        self.show_context()

    def _asked(self, text: str) -> tuple[str, Where | None, str]:
        """(the words, the filter among them, a doubt about it). What is no filter is looked for as it stands."""
        try:
            found = self.facts.source.parse(text) if text else None
        except FilterError as error:
            return as_typed(text), None, f"Looked for as it stands: {error}" if ":" in text else ""
        if not isinstance(found, Filter):
            return as_typed(text), None, ""
        words, rest = words_and_rest(found)
        last: object = found.terms[-1]
        while isinstance(last, Either) and not last.negated:
            last = last.ways[-1].terms[-1]
        if not words:
            return "", None, "Type words: they are looked for in what the filter finds. ctrl+u takes the filter away."
        goes_on = isinstance(last, Term) and last.key == "text" and not last.negated
        return (as_typed(words) if goes_on and text[-1].isalnum() else words), rest or None, ""

    @on(LineList.Chosen)
    def _chosen(self) -> None:
        hit = self.hits.hit
        if hit is not None:
            around = InHits(self.hits.hits, self.hits.cursor)
            self.post_message(self.OpenSpan(hit.trace_id, hit.span_id, around, said_in(hit)))

    def awaits(self, key: str) -> bool:
        """After Enter the hits are what is next."""
        return super().awaits(key) or (self._entered and self.acts(key))

    def action_next_hit(self) -> None:
        self.hits.move_to(self.hits.cursor + 1)

    def action_previous_hit(self) -> None:
        self.hits.move_to(self.hits.cursor - 1)

    def action_back(self) -> None:
        self.dismiss(None)

    def action_search(self) -> None:
        self.query_one(Input).focus()

    def to_export(self) -> Export | None:
        """The traces of the hits, as they stand there."""
        ids = list(dict.fromkeys(hit.trace_id for hit in self.hits.hits))
        about = f"the {fmt.count(len(ids))} traces of these hits" if len(ids) > 1 else "the trace of these hits"
        return Export(f"found-{stamp()}", about, lambda reader: map(reader.trace, ids)) if ids else None

    def copy_choices(self) -> list[Choice]:
        hit = self.hits.hit
        if hit is None:
            return []
        return [Choice("trace id", hit.trace_id), Choice("span id", hit.span_id), Choice("what was found", hit.snippet)]


def _find(reader: Reader, text: str, where: Where | None) -> Sequence[SearchHit]:
    return reader.search(text, **({} if where is None else {"where": where}), limit=MOST_HITS)
