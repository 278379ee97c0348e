"""A list in any order, with the columns one likes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Generic

from textual import on

from collector.store.lists import List
from collector.store.rows import Page
from tracetui import format as fmt
from tracetui.screens.base import Facts
from tracetui.screens.filtered import FilteredScreen
from tracetui.source import Reader
from tracetui.widgets.columns import Column, Look, Order, remembered_order
from tracetui.widgets.window_list import WindowList
from tracetui.widgets.windows import Row

if TYPE_CHECKING:
    from tracetui.screens.menu import MenuScreen

BULK = 1000
"""An order without an index costs a look at every row: then so many are fetched at once."""
PAUSE_S = 1.0
SLOW_S = 0.5
"""What an index finds, and yet takes longer (a filter that hardly anything holds for), is not asked again at every
change of the file either."""


class OrderedScreen(FilteredScreen, Generic[Row]):
    """Subclasses say what they list, in which order by default, and ask for it."""

    what: str
    listed: List
    default_order: Order

    def __init__(self, facts: Facts, *, filter_text: str = "", order: Order | None = None) -> None:
        super().__init__(facts, filter_text=filter_text)
        known = facts.remembered.get(f"columns of {self.what}")
        shown, hidden = (_names(known, side) for side in ("shown", "hidden"))
        last = remembered_order(facts.remembered.get(f"order of {self.what}"), self.listed.sorts, self.default_order)
        self.look = Look(order or last, shown, hidden)
        self._due = self._took_s = 0.0
        self._waiting = False

    def all_columns(self, width: int) -> Sequence[Column]:
        raise NotImplementedError

    def ask(self, reader: Reader, *, limit: int, after: Page | None, before: Page | None, sort: str) -> Sequence[Row]:
        raise NotImplementedError

    @property
    def window(self) -> WindowList[Row]:
        return self.query_one(WindowList)

    # Data.

    async def fetch(
        self, limit: int, *, after: Page | None = None, before: Page | None = None, last: bool = False
    ) -> Sequence[Row]:
        """Rows in the order of the list. The longer it took, the later they are asked for again."""
        order = self.look.order
        sort = order.reversed.sort if last else order.sort

        def question(reader: Reader) -> Sequence[Row]:
            return self.ask(reader, limit=limit, after=after, before=before, sort=sort)

        began = time.monotonic()
        rows = await self.facts.source.ask_list(question)
        self._took_s = time.monotonic() - began
        self._due = began + self._took_s + max(PAUSE_S, (3 if self._quick else 10) * self._took_s)
        return rows[::-1] if last else rows

    @property
    def _quick(self) -> bool:
        return self.listed.sorts[self.look.order.name].quick

    def reload(self) -> None:
        if not self.is_mounted:
            return
        if self._quick and self._took_s < SLOW_S:
            self.window.reload()
        elif not self._waiting:
            self._waiting = True
            self.run_worker(self._reload_later(), group="later", exclusive=True)

    def begin_anew(self) -> None:
        """Another filter or order: show what it finds, however long the one before took."""
        self.workers.cancel_group(self, "later")
        self._waiting, self._took_s, self._due = False, 0.0, 0.0
        self.window.restart()

    async def _reload_later(self) -> None:
        await asyncio.sleep(max(self._due - time.monotonic(), 0))
        self._waiting = False
        if not self.waits():
            self.window.reload()

    # Order and columns.

    def sort_by(self, name: str) -> None:
        """By this; once more turns it round. Numbers begin with the greatest, names at the beginning."""
        order = self.look.order
        if name == order.name:
            order = order.reversed
        else:
            numbers = any(column.right for column in self.all_columns(200) if column.sort == name)
            order = Order(name, falling=numbers and name != self.default_order.name)
        self.set_look(replace(self.look, order=order))
        self.begin_anew()

    def set_look(self, look: Look) -> None:
        """Show it, and remember its columns and order."""
        if (look.shown, look.hidden) != (self.look.shown, self.look.hidden):
            kept = {"shown": sorted(look.shown), "hidden": sorted(look.hidden)}
            self.facts.remembered.put(f"columns of {self.what}", kept)
        if look.order != self.look.order:
            self.facts.remembered.put(f"order of {self.what}", look.order.kept)
        self.look = look
        self.settle()
        self.window.refresh()

    def settle(self) -> None:
        """Tell the list how its order is to be read."""
        self.window.by_time = self.look.order == self.default_order
        self.window.bulk = 0 if self._quick else BULK

    def action_sort(self) -> None:
        self.app.push_screen(sort_menu(self.all_columns(200), self.look.order), self._sort_chosen)

    def _sort_chosen(self, name: str | None) -> None:
        if name is not None:
            self.sort_by(name)

    @on(WindowList.HeadClicked)
    def _head_clicked(self, event: WindowList.HeadClicked) -> None:
        if event.column.sort:
            self.sort_by(event.column.sort)
        else:
            self.app.notify(f"This list cannot be sorted by {event.column.about}.", markup=False)

    def action_columns(self) -> None:
        from tracetui.screens.columns import ColumnsScreen

        width = self.window.size.width - 1
        self.app.push_screen(ColumnsScreen(self.all_columns(width), self.look, width, self.set_look))

    def glyphs(self) -> fmt.Glyphs:
        return fmt.ASCII if getattr(self.app, "ascii_mode", False) else fmt.UNICODE


TIMES = ("start", "first", "last")


def sort_menu(columns: Sequence[Column], order: Order) -> MenuScreen:
    """What one may sort by. It begins on what is sorted by, so that the same keys turn the order round."""
    from tracetui.screens.menu import Choice, MenuScreen

    choices: dict[str, Choice] = {}
    for column in columns:
        if column.sort and column.sort not in choices:
            now = f", {_way(column, order)} first; again turns it round" if column.sort == order.name else ""
            choices[column.sort] = Choice(column.title or column.name.upper(), column.sort, about=column.about + now)
    at = list(choices).index(order.name) if order.name in choices else 0
    return MenuScreen("Sort by", list(choices.values()), at=at)


def _way(column: Column, order: Order) -> str:
    if column.sort in TIMES:
        return "newest" if order.falling else "oldest"
    if column.right:
        return "greatest" if order.falling else "smallest"
    return "z" if order.falling else "a"


def _names(known: object, side: str) -> frozenset[str]:
    """Of what was remembered, which may be anything."""
    found = known.get(side) if isinstance(known, dict) else None
    return frozenset(name for name in found if isinstance(name, str)) if isinstance(found, list) else frozenset()
