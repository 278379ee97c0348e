"""What a list of any length asks of its owner: how rows look and where they stand, and rows themselves."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from collector.store.rows import Page
from tracetui.widgets.columns import Column
from tracetui.widgets.paint import Part

Row = TypeVar("Row")
Shown = TypeVar("Shown", contravariant=True)
Found = TypeVar("Found", covariant=True)


class Table(Protocol[Shown]):
    """What a row is called, where it stands in the order, and how it looks. Pure. While its `stamp` is the same
    a row looks the same."""

    def key(self, row: Shown) -> str: ...
    def stamp(self, row: Shown) -> Hashable: ...
    def place(self, row: Shown) -> Page: ...
    def ticks(self, row: Shown) -> bool: ...
    def columns(self, width: int) -> Sequence[tuple[Column, int]]: ...
    def head(self, width: int) -> list[Part]: ...
    def cells(self, row: Shown, width: int, *, at_cursor: bool, fresh: bool) -> list[Part]: ...


class Fetch(Protocol[Found]):
    """Rows in the order of the list: those next after `after`, those just before `before`, else the first of all, or
    the `last`."""

    async def __call__(
        self, limit: int, *, after: Page | None = None, before: Page | None = None, last: bool = False
    ) -> Sequence[Found]: ...


@dataclass(frozen=True, slots=True)
class Loading(Generic[Row]):
    """A window as it came: its rows, and what is known of what lies around it. `select`: the row to go to, counted
    from the end when below 0."""

    rows: list[Row]
    at_start: bool
    at_end: bool
    unseen: int = 0
    select: int | None = None
