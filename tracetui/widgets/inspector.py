"""Everything about one span, in tabs. Lays out lines in a thread, paints only those on screen."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from textual import events, work
from textual.message import Message

from collector.store.pointers import Pointer
from collector.store.rows import SpanDetail
from tracetui.keymap import bindings
from tracetui.widgets.details import TABS, document
from tracetui.widgets.finding import Finding, marked
from tracetui.widgets.line_list import LineList
from tracetui.widgets.lines import NOWHERE, DocLine, Here
from tracetui.widgets.paint import Part, clip_parts, parts_width
from tracetui.widgets.seek import Place, with_hits

RAW = len(TABS) - 1


class Inspector(LineList):
    """`show` a span; folds are kept per span and tab while the inspector lives."""

    BINDINGS = bindings("inspector")

    @dataclass
    class TabChosen(Message):
        """The name of a tab was clicked."""

        tab: int

    @dataclass
    class Followed(Message):
        """The user wants to go to this span."""

        trace_id: str
        span_id: str

    @dataclass
    class Viewed(Message):
        """The user wants to see this file, a part of a message."""

        here: Here

    @dataclass
    class RawWanted(Message):
        """The span's own OTLP is not read yet; `supply_otlp` takes it."""

        span: SpanDetail

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.span: SpanDetail | None = None
        self.tab = 0
        self.everything = False
        self.notice: list[Part] = []
        self.lines: list[DocLine] = []
        self.finding: Finding | None = None
        self.brought = False
        """What is looked for came with whoever opened the span."""
        self._sought: list[tuple[str, int]] = []
        self._otlp: tuple[str, str] = ("", "")
        self._pointers: tuple[str, Sequence[Pointer]] = ("", ())
        self._headed = 0
        self._toggled: dict[tuple[str, int], set[str]] = {}
        self._shown: tuple[str, int] | None = None
        self._goal: tuple[tuple[str, int], int] | None = None
        self._marked = ""

    @property
    def typing(self) -> bool:
        """Whether keys are letters of what to find."""
        return self.finding is not None and self.finding.typing

    @property
    def text_width(self) -> int:
        """Cells that a line of a document has."""
        return self.size.width - 2

    def mark(self, asked: str) -> None:
        """Mark in every line what was looked for; "" takes the marks away."""
        self._marked = asked
        self.refresh()

    def show_place(self, span: SpanDetail, place: Place) -> None:
        """Show that line of a span (see `seek`), once it is laid out."""
        key = (span.row.span_id, place.tab)
        self.span, self.notice, self.everything = span, [], place.everything
        self._toggled[key] = set(place.folds)
        self._goal = key, place.line
        if place.tab != self.tab:
            self.show_tab(place.tab)
        else:
            self._lay_out()

    @property
    def head(self) -> int:  # type: ignore[override]
        """The tabs, and the find line while there is one."""
        return 1 if self.finding is None else 2

    @property
    def here(self) -> Here:
        """What the cursor stands on, while the inspector is in use."""
        line = self.lines[self.cursor] if self.has_focus and self.cursor < len(self.lines) else None
        return line.here if line is not None else NOWHERE

    def show(self, span: SpanDetail | None, notice: list[Part] | None = None) -> None:
        """Show a span, or a notice where there is none to show."""
        self.span, self.notice = span, notice or []
        self._lay_out()

    def show_tab(self, tab: int) -> None:
        if 0 <= tab < len(TABS) and tab != self.tab:
            self.tab = tab
            self._lay_out()

    def show_everything(self, everything: bool) -> None:
        self.everything = everything
        self._lay_out()

    def seek(self, text: str) -> None:
        """Go to where the span says this, on whichever tab, and mark it; a phrase that lines break is found by its
        longest word."""
        self.brought = True
        texts = dict.fromkeys((text, max(text.split(), key=len, default="")))
        self._sought = [(one, tab) for one in texts if one for tab in range(RAW)]
        self._seek_on()

    def _seek_on(self) -> None:
        if self._sought:
            text, self.tab = self._sought[0]
            self.finding = Finding(text, typing=False)
        else:
            self.finding, self.tab = None, 0
        self._lay_out()

    def supply_otlp(self, span_id: str, text: str) -> None:
        """The OTLP of a span that was wanted."""
        self._otlp = (span_id, text)
        if self.span is not None and self.span.row.span_id == span_id and self.tab == RAW:
            self._lay_out()

    def supply_pointers(self, span_id: str, pointers: Sequence[Pointer]) -> None:
        """The spans that name this one, where they are others than is known."""
        if self.span is None or self.span.row.span_id != span_id:
            return
        known = self._pointers[1] if self._pointers[0] == span_id else ()
        self._pointers = (span_id, pointers)
        if list(known) != list(pointers):
            self._lay_out()

    @work(exclusive=True, group="document")
    async def _lay_out(self) -> None:
        span = self.span
        if span is None:
            self.lines, self._shown = ([DocLine(tuple(self.notice))] if self.notice else []), None
            self.cursor = self.top = 0
            self.refresh()
            return
        key = (span.row.span_id, self.tab)
        otlp = self._otlp[1] if self._otlp[0] == span.row.span_id else None
        if self.tab == RAW and otlp is None:
            self.post_message(self.RawWanted(span))
        try:
            page = await asyncio.to_thread(
                document,
                span,
                self.tab,
                self.text_width,
                toggled=frozenset(self._toggled.get(key, ())),
                everything=self.everything,
                whole=bool(self.finding and self.finding.text),
                otlp=otlp,
                pointers=self._pointers[1] if self._pointers[0] == span.row.span_id else (),
                glyphs=self.glyphs,
            )
            lines, headed = page.lines, page.head
        except Exception as error:  # noqa: BLE001 - odd content costs its tab, not the screen
            lines, headed = [DocLine(((f"This tab cannot be shown ({type(error).__name__}).", "error"),))], 0
        if key != self._shown:
            self.cursor = self.top = 0
        elif self.cursor:  # what is read stays where it is
            pushed = headed - self._headed
            self.cursor, self.top = max(self.cursor + pushed, 0), max(self.top + pushed, 0)
        self.lines, self._shown, self._headed = lines, key, headed
        if self._goal is not None and self._goal[0] == key:
            self.cursor, self._goal = self._goal[1], None
            self.top = max(self.cursor - self.page // 3, 0)
        self.cursor = min(self.cursor, max(len(self.lines) - 1, 0))
        if self.finding is not None:
            self.finding.look([line.parts for line in self.lines])
            sought = bool(self._sought)
            if sought and not self.finding.hits:
                self._sought.pop(0)
                self._seek_on()
                return
            self._sought = []
            if self.finding.typing or sought:
                self.cursor = self.finding.after(self.cursor, 0) or self.cursor
        self.show_cursor()
        self.refresh()

    # Painting.

    def line_count(self) -> int:
        return len(self.lines)

    def line_parts(self, index: int, width: int) -> list[Part]:
        whole = self.lines[index].parts
        parts = clip_parts(with_hits(whole, self._marked) if self._marked else whole, width - 2)
        return [(" ", "text"), *(marked(parts, self.finding.text) if self.finding else parts)]

    @property
    def shows_cursor(self) -> bool:
        return self.has_focus

    def head_parts(self, y: int, width: int) -> list[Part]:
        if y == 1 and self.finding is not None:
            return [(" ", "text"), *self.finding.line(self.cursor)]
        parts: list[Part] = []
        for tab, (start, end) in enumerate(self._tab_cells(width)):
            name = TABS[tab] if end - start >= len(TABS[tab]) else TABS[tab][: end - start]
            parts.append((" " * (start - parts_width(parts)), "text"))
            parts.append((name, "tab" if tab == self.tab else "quiet"))
        return parts

    def _tab_cells(self, width: int) -> list[tuple[int, int]]:
        """Where each tab's name stands; names shrink before they fall off."""
        gap = 3 if sum(map(len, TABS)) + 3 * len(TABS) <= width else 2
        short = sum(map(len, TABS)) + gap * len(TABS) > width
        spans, at = [], 1
        for name in TABS:
            size = min(len(name), 4) if short else len(name)
            spans.append((at, at + size))
            at += size + gap
        return spans

    # Folds, links, files.

    def action_choose(self) -> None:
        """Go where the line leads, show its file, turn its page, or fold and unfold."""
        if self.cursor >= len(self.lines) or not self._shown:
            return
        line = self.lines[self.cursor]
        if line.here.goto is not None:
            self.post_message(self.Followed(*line.here.goto))
        elif line.here.media is not None:
            self.post_message(self.Viewed(line.here))
        elif line.fold:
            self._toggled.setdefault(self._shown, set()).symmetric_difference_update({line.fold})
            self._lay_out()

    # Finding.

    def action_find(self) -> None:
        """Open the find line, with what was looked for before."""
        self.brought = False
        self.finding = replace(self.finding, typing=True) if self.finding else Finding()
        self.show_cursor()
        self.refresh()

    def action_next_hit(self, step: int) -> None:
        """To the next line that holds what is looked for."""
        assert self.finding is not None
        line = self.finding.after(self.cursor, step)
        if line is not None:
            self.move_to(line)
        self.refresh()

    def end_finding(self) -> bool:
        """Put the find line away; False where there was none."""
        if self.finding is None:
            return False
        self.finding = None
        self._lay_out()
        return True

    def on_key(self, event: events.Key) -> None:
        finding = self.finding
        if finding is None:
            return
        if event.key == "escape":
            self.end_finding()
        elif finding.typing and event.key in ("enter", "down", "up", "tab"):
            finding.typing = False
            self.refresh()
        elif finding.typing and finding.typed(event.key, event.character):
            self._lay_out()
            self.refresh()
        elif not finding.typing and event.key in ("n", "N"):
            self.action_next_hit(1 if event.key == "n" else -1)
        elif not finding.typing:
            return
        event.stop()
        event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        if self.finding is not None and self.finding.typing:
            event.stop()
            for character in event.text:
                self.finding.typed("", character)
            self._lay_out()

    # Mouse and size.

    def on_click(self, event: events.Click) -> None:
        if event.y >= self.head:  # LineList's own handler runs as well
            return
        event.stop()
        for tab, (start, end) in enumerate(self._tab_cells(self.size.width)):
            if event.y == 0 and start - 1 <= event.x <= end:
                self.post_message(self.TabChosen(tab))

    def on_resize(self) -> None:  # beside LineList's own
        self._lay_out()
