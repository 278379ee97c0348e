"""A list of any length: holds a window of rows fetched by key, and asks for more as one comes near its edge.

By default rows run from oldest to newest, downwards, so new ones never move what is being read, and the list opens at
its end. In any other order (`by_time` off) it opens at its beginning. Nothing is counted and nothing is loaded but
the window: a file with a million traces opens like one with a hundred.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Any, Generic

from textual import events, work
from textual.message import Message
from textual.strip import Strip
from textual.worker import Worker

from collector.errors import TracetuiError
from collector.store.rows import Page
from tracetui.widgets.columns import Column, column_at
from tracetui.widgets.line_list import LineList
from tracetui.widgets.paint import Part
from tracetui.widgets.windows import Fetch, Loading, Row, Table

MOST_NEW = 99
FRESH_S = 1.5
MOST_STRIPS = 500


class WindowList(LineList, Generic[Row]):
    """`follow` keeps the cursor on the newest row; any move upwards ends it, `G` begins it again.
    `unseen` counts the rows newer than any that was on screen (100 means more). `bulk`: so many rows at least are
    fetched at once, for orders of which a page costs as much as many."""

    head = 1
    awaited = True

    @dataclass
    class Loaded(Message):
        """The window changed, or how many newer rows wait below the screen."""

        list: WindowList[Any]

    @dataclass
    class Failed(Message):
        """A fetch raised this."""

        error: TracetuiError

    @dataclass
    class HeadClicked(Message):
        """The head of this column was clicked."""

        column: Column

    def __init__(self, table: Table[Row], fetch: Fetch[Row], *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.table = table
        self.fetch = fetch
        self.rows: list[Row] = []
        self.follow = True
        self.loaded = False
        self.by_time = True
        self.bulk = 0
        self.unseen = 0
        self._at_start = False
        self._at_end = False
        self._seen: Page | None = None
        self._fresh: set[str] = set()
        self._strips: dict[Hashable, Strip] = {}
        self._wanted: set[str] = set()
        self._loading = self._jumps = False
        self._loads: Worker[None] | None = None
        self._generation = 0

    # Painting.

    def line_count(self) -> int:
        return len(self.rows)

    def head_parts(self, y: int, width: int) -> list[Part]:
        return self.table.head(width - 1)

    def line(self, index: int, width: int) -> Strip:
        """Rows that look as they did are not made again: most of a list that scrolls, or is asked for again."""
        row = self.rows[index]
        fresh = self.table.key(row) in self._fresh
        at_cursor = index == self.cursor and (1 + self.has_focus)
        look = (self.table.stamp(row), width, fresh, at_cursor, self._thumb(index))
        strip = self._strips.get(look)
        if strip is None:
            if len(self._strips) > MOST_STRIPS:
                self._strips.clear()
            strip = self._strips[look] = super().line(index, width)
        return strip

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips = {}

    def line_parts(self, index: int, width: int) -> list[Part]:
        row = self.rows[index]
        fresh = self.table.key(row) in self._fresh
        parts = self.table.cells(row, width - 1, at_cursor=index == self.cursor, fresh=fresh)
        return [*parts, (self._thumb(index), "faint")]

    def _thumb(self, index: int) -> str:
        """An honest scroll bar: the list knows whether there is more above and below, not how much."""
        _, page = self._cells
        if self._at_start and self._at_end and len(self.rows) <= page:
            return " "
        above = self.top if self._at_start else self.top + 10 * page
        below = len(self.rows) - self.top - page + (0 if self._at_end else 10 * page)
        place = round((page - 1) * above / max(above + below, 1))
        return self.glyphs.thumb if index - self.top == place else " "

    def tick(self) -> None:
        """Repaint the rows on screen whose duration is running."""
        for index in range(self.top, min(self.top + self.page, len(self.rows))):
            if self.table.ticks(self.rows[index]):
                self.refresh_index(index)

    # The row under the cursor.

    @property
    def row(self) -> Row | None:
        return self.rows[self.cursor] if self.cursor < len(self.rows) else None

    # Moving.

    def move_to(self, index: int) -> None:
        if index < self.cursor:
            self.follow = False
        super().move_to(index)

    def action_last(self) -> None:
        self.follow = self.by_time
        self._jumps = not self._at_end
        if self._at_end:
            super().action_last()
        if self.follow:
            self.reload()
        elif not self._at_end:
            self._want("last")

    def on_click(self, event: events.Click) -> None:
        """Beside LineList's own, which takes the lines below."""
        column = column_at(self.table.columns(self.size.width - 1), event.x) if event.y < self.head else None
        if column is not None:
            event.stop()
            self.post_message(self.HeadClicked(column))

    def action_first(self) -> None:
        self.follow = False
        if self._at_start:
            super().action_first()
        else:
            self._jumps = True
            self._want("first")

    def moved(self) -> None:
        """Fetch more when an edge of the window comes near."""
        if self._at_end and self.top + self.page >= len(self.rows) and self.rows:
            self._note_seen()
        if not self.loaded:
            return
        if not self._at_end and len(self.rows) - self.top - self.page < self.page:
            self._want("below")
        elif not self._at_start and self.top < self.page:
            self._want("above")

    def _note_seen(self) -> None:
        self._seen = self.table.place(self.rows[-1])
        if self.unseen:
            self.unseen = 0
            self.post_message(self.Loaded(self))

    # Loading. One fetch at a time; what is wanted meanwhile waits, and asking twice is asking once.

    @property
    def _window(self) -> int:
        return max(4 * self.page, 120, self.bulk)

    @property
    def _step(self) -> int:
        return max(2 * self.page, self.bulk)

    @property
    def _most(self) -> int:
        return max(8 * self.page, 3 * self.bulk)

    def restart(self) -> None:
        """Another filter, order or file: forget the rows and show the newest, or the first."""
        self.rows, self.follow, self.loaded, self.unseen, self._seen = [], self.by_time, False, 0, None
        self.cursor = self.top = 0
        self._generation += 1
        self._fresh.clear()
        if self._loads is not None:
            self._loads.cancel()
        self._loading = self._jumps = False
        self._wanted.clear()
        self.await_lines()
        self.refresh()
        self.reload()

    def reload(self) -> None:
        """Ask again for what is on screen, and for the newest rows when following."""
        self._want("reload")

    def _want(self, what: str) -> None:
        self._wanted.add(what)
        if not self._loading and self.is_attached:
            self._loading = True
            self._loads = self._load(self._generation)

    @work(group="window")
    async def _load(self, begun: int) -> None:
        loads = {
            "first": self._load_first, "last": self._load_last, "reload": self._reload, "below": self._below,
            "above": self._above,
        }  # fmt: skip
        try:
            while self._wanted:
                what = next(name for name in loads if name in self._wanted)
                self._wanted.discard(what)
                try:
                    loaded = await loads[what]()
                except TracetuiError as error:  # what was wanted meanwhile is asked all the same
                    self.awaited = False
                    self.post_message(self.Failed(error))
                    continue
                if loaded is not None and begun == self._generation:
                    self._put(loaded)
        finally:
            if begun == self._generation:  # else another has taken over
                self._loading = self._jumps = False

    @property
    def behind(self) -> bool:
        """Also while the other end of the list, where a key leads, is being read."""
        return super().behind or self._jumps

    async def _reload(self) -> Loading[Row]:
        if self.follow or not self.rows:
            size = max(2 * self.page, 50, self.bulk)  # live files ask for this at every frame
            rows = list(await self.fetch(size, last=self.by_time))
            cut = len(rows) < size
            return Loading(rows, cut or not self.by_time, cut or self.by_time)
        first = max(self.top - self.page // 2, 0)
        at_start = self._at_start and first == 0
        size = max(2 * self.page + self.page // 2, self.bulk)
        if at_start and not self.by_time:  # what comes above the first row is to be seen as well
            rows = list(await self.fetch(size))
        else:
            rows = list(await self.fetch(size, after=replace(self.table.place(self.rows[first]), inclusive=True)))
        at_end = len(rows) < size
        return Loading(rows, at_start, at_end, await self._count_unseen(rows, at_end))

    async def _count_unseen(self, rows: list[Row], at_end: bool) -> int:
        if self._seen is None or self.unseen > MOST_NEW or not self.by_time:
            return self.unseen  # new ones only make it more
        newer = rows if at_end else await self.fetch(MOST_NEW + 1, after=self._seen)
        seen = (self._seen.value, self._seen.key)
        places = [self.table.place(row) for row in newer]
        return sum((place.value, place.key) > seen for place in places)

    async def _load_first(self) -> Loading[Row]:
        rows = list(await self.fetch(self._window))
        return Loading(rows, at_start=True, at_end=len(rows) < self._window, select=0, unseen=self.unseen)

    async def _load_last(self) -> Loading[Row]:
        rows = list(await self.fetch(self._window, last=True))
        return Loading(rows, at_start=len(rows) < self._window, at_end=True, select=-1, unseen=self.unseen)

    async def _below(self) -> Loading[Row] | None:
        if not self.rows or self._at_end:
            return None
        more = list(await self.fetch(self._step, after=self.table.place(self.rows[-1])))
        rows = [*self.rows, *more]
        cut = max(len(rows) - self._most, 0)
        return Loading(rows[cut:], self._at_start and not cut, len(more) < self._step, self.unseen)

    async def _above(self) -> Loading[Row] | None:
        if not self.rows or self._at_start:
            return None
        more = list(await self.fetch(self._step, before=self.table.place(self.rows[0])))
        rows = [*more, *self.rows]
        return Loading(
            rows[: self._most], len(more) < self._step, self._at_end and len(rows) <= self._most, self.unseen
        )

    def _put(self, loaded: Loading[Row]) -> None:
        """Swap the window; the cursor, and the screen line it stands on, stay with the row they were on."""
        old, known, was_loaded = self.row, {self.table.key(row) for row in self.rows}, self.loaded
        looked = self._looks()
        self.rows, self._at_start, self._at_end = loaded.rows, loaded.at_start, loaded.at_end
        self.unseen, self.loaded, self.awaited = loaded.unseen, True, False
        self._place_cursor(old, loaded.select)
        if was_loaded and self._at_end:
            self._glow({self.table.key(row) for row in self.rows[-self.page :]} - known)
        if self._at_end and self.rows and self.top + self.page >= len(self.rows):
            self._seen, self.unseen = self.table.place(self.rows[-1]), 0
        self._repaint(looked)
        if self.row is not None and (old is None or self.table.key(self.row) != self.table.key(old)):
            self.post_message(self.Moved(self, self.cursor))
        self.post_message(self.Loaded(self))
        self.moved()

    def _looks(self) -> list[Hashable]:
        """What each line on screen looks like."""
        shown = range(self.top, min(self.top + self.page, len(self.rows)))
        return [(self.table.stamp(self.rows[n]), n == self.cursor, self._thumb(n)) for n in shown]

    def _repaint(self, looked: list[Hashable]) -> None:
        """Paint the lines that look different now; all of them when most do."""
        looks = self._looks()
        changed = [n for n, look in enumerate(looks) if n >= len(looked) or look != looked[n]]
        if len(looks) < len(looked) or len(changed) > self.page // 2:
            self.refresh()
            return
        for line in changed:
            self.refresh_index(self.top + line)

    def _place_cursor(self, old: Row | None, select: int | None) -> None:
        offset = self.cursor - self.top
        if self.follow:
            self.cursor = max(len(self.rows) - 1, 0)
            self.top = max(len(self.rows) - self.page, 0)
        elif select is not None:
            self.cursor = self.top = select if select >= 0 else max(len(self.rows) - 1, 0)
        elif not self.by_time and self.cursor == self.top == 0 and self._at_start:
            pass  # at the head of the list one stays there
        elif old is not None:
            wanted = self.table.key(old)
            found = (index for index, row in enumerate(self.rows) if self.table.key(row) == wanted)
            self.cursor = next(found, min(self.cursor, max(len(self.rows) - 1, 0)))
            self.top = max(self.cursor - offset, 0)
        self.show_cursor()

    def _glow(self, keys: set[str]) -> None:
        """New rows stand out once, for a moment."""
        if not keys:
            return
        self._fresh |= keys

        def fade() -> None:
            self._fresh -= keys
            self.refresh()

        self.set_timer(FRESH_S, fade)
