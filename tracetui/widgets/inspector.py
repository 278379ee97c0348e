"""Everything about one span, in tabs. Lays out lines in a thread, paints only those on screen."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from textual import events, work
from textual.message import Message

from collector.store.rows import SpanDetail
from tracetui.widgets.details import TABS, document
from tracetui.widgets.line_list import LineList
from tracetui.widgets.lines import DocLine
from tracetui.widgets.paint import Part, clip_parts, parts_width


class Inspector(LineList):
    """`show` a span; folds are kept per span and tab while the inspector lives."""

    head = 1

    @dataclass
    class TabChosen(Message):
        """Another tab is on show."""

        tab: int

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.span: SpanDetail | None = None
        self.tab = 0
        self.everything = False
        self.notice: list[Part] = []
        self.lines: list[DocLine] = []
        self._toggled: dict[tuple[str, int], set[str]] = {}
        self._shown: tuple[str, int] | None = None

    def show(self, span: SpanDetail | None, notice: list[Part] | None = None) -> None:
        """Show a span, or a notice where there is none to show."""
        self.span, self.notice = span, notice or []
        self._lay_out()

    def show_tab(self, tab: int) -> None:
        if 0 <= tab < len(TABS) and tab != self.tab:
            self.tab = tab
            self._lay_out()
            self.post_message(self.TabChosen(tab))

    def show_everything(self, everything: bool) -> None:
        self.everything = everything
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
        page = await asyncio.to_thread(
            document,
            span,
            self.tab,
            self.size.width - 2,
            toggled=frozenset(self._toggled.get(key, ())),
            everything=self.everything,
            glyphs=self.glyphs,
        )
        if key != self._shown:
            self.cursor = self.top = 0
        self.lines, self._shown = page.lines, key
        self.cursor = min(self.cursor, max(len(self.lines) - 1, 0))
        self.show_cursor()
        self.refresh()

    # Painting.

    def line_count(self) -> int:
        return len(self.lines)

    def line_parts(self, index: int, width: int) -> list[Part]:
        line = self.lines[index]
        return [(" ", "text"), *clip_parts(line.parts, width - 2)]

    @property
    def shows_cursor(self) -> bool:
        return self.has_focus

    def head_parts(self, y: int, width: int) -> list[Part]:
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

    # Folds, mouse, size.

    def action_choose(self) -> None:
        fold = self.lines[self.cursor].fold if self.cursor < len(self.lines) else ""
        if fold and self._shown:
            self._toggled.setdefault(self._shown, set()).symmetric_difference_update({fold})
            self._lay_out()

    def on_click(self, event: events.Click) -> None:
        if event.y >= self.head:  # LineList's own handler runs as well
            return
        event.stop()
        for tab, (start, end) in enumerate(self._tab_cells(self.size.width)):
            if start - 1 <= event.x <= end:
                self.show_tab(tab)

    def on_resize(self) -> None:  # beside LineList's own
        self._lay_out()
