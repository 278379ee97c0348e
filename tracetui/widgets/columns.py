"""The columns of a list: which are shown at a width, how wide, in what order the rows come. Pure."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from tracetui.widgets.paint import Part, clipped

NEVER = 10_000
"""As `least`: only where it is asked for."""
INDENT = 2
LEAST_REST = 12


@dataclass(frozen=True, slots=True)
class Column:
    """A column: what stands above it and how many cells it takes (0: what is left), `gap` cells after the one before
    it. `sort` names what a click on its head sorts by; it is shown from `least` cells of screen on. `fixed` ones are
    always there."""

    name: str
    title: str
    width: int
    right: bool = False
    gap: int = 2
    sort: str = ""
    least: int = 0
    fixed: bool = False
    about: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """What rows are sorted by; `falling`: the greatest first. The default runs from oldest to newest, downwards."""

    name: str
    falling: bool = False

    @property
    def sort(self) -> str:
        return ("-" if self.falling else "") + self.name

    @property
    def kept(self) -> dict[str, object]:
        """As it is remembered."""
        return {"by": self.name, "falling": self.falling}

    @property
    def reversed(self) -> Order:
        return replace(self, falling=not self.falling)


def remembered_order(known: object, names: Container[str], default: Order) -> Order:
    """The order that was put away as `Order.kept`, which may be anything by now; else the default."""
    by, falling = (known.get("by"), known.get("falling")) if isinstance(known, dict) else (None, None)
    return Order(by, falling) if isinstance(by, str) and by in names and isinstance(falling, bool) else default


@dataclass(frozen=True, slots=True)
class Look:
    """How a list is to look: its order, and the columns that were asked for and put away."""

    order: Order
    shown: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()

    def shows(self, column: Column, width: int) -> bool:
        if column.fixed or column.name in self.shown:
            return True
        return column.name not in self.hidden and width >= column.least

    def turned(self, column: Column, width: int) -> Look:
        """With this column put away, or shown."""
        name = {column.name}
        if self.shows(column, width):
            return replace(self, shown=self.shown - name, hidden=self.hidden | name)
        return replace(self, shown=self.shown | name, hidden=self.hidden - name)


@lru_cache(maxsize=64)
def laid_out(columns: tuple[Column, ...], look: Look, width: int) -> list[tuple[Column, int]]:
    """The columns that are shown, with their cells. Those that a screen of this width lacks room for stay away."""
    kept = [column for column in columns if look.shows(column, width)]
    if not any(column.sort == look.order.name for column in kept):  # what the rows are sorted by is to be seen
        by = next((column.name for column in columns if column.sort == look.order.name), "")
        kept = [column for column in columns if column in kept or column.name == by]
    while _fixed_cells(kept) + LEAST_REST > width - INDENT:
        spare = [one for one in kept if not one.fixed and one.width and one.sort != look.order.name]
        if not spare:
            break
        kept.remove(max(reversed(spare), key=lambda column: column.least))
    return lay_out(kept, width - INDENT)


def lay_out(columns: Sequence[Column], width: int) -> list[tuple[Column, int]]:
    """Give every column its cells; the one with width 0 gets what is left."""
    rest = width - _fixed_cells(columns)
    return [(column, column.width or max(rest, 4)) for column in columns]


def _fixed_cells(columns: Sequence[Column]) -> int:
    return sum(column.width for column in columns) + sum(column.gap for column in columns[1:])


def line(columns: Sequence[tuple[Column, int]], cells: dict[str, list[Part]]) -> list[Part]:
    """Put cells into their columns, numbers at the right edge of theirs."""
    parts: list[Part] = []
    for index, (column, width) in enumerate(columns):
        if index:
            parts.append((" " * column.gap, "text"))
        cell, room = clipped(cells.get(column.name, []), width)
        pad = (" " * room, "text")
        parts += [pad, *cell] if column.right else [*cell, pad]
    return parts


def head(columns: Sequence[tuple[Column, int]], order: Order | None = None) -> list[Part]:
    """The titles; an arrow where the rows are sorted."""
    titles: dict[str, list[Part]] = {}
    for column, width in columns:
        if order is not None and column.sort and column.sort == order.name:
            arrow = "↓" if order.falling else "↑"
            titles[column.name] = [(column.title[: width - 1] + arrow, "accent")]
        else:
            titles[column.name] = [(column.title, "quiet")]
    return [(" " * INDENT, "text"), *line(columns, titles)]


def column_at(columns: Sequence[tuple[Column, int]], x: int) -> Column | None:
    """The column under a cell of the line; the gap before a column is its own."""
    at = INDENT
    for index, (column, width) in enumerate(columns):
        at += width + (column.gap if index else 0)
        if x < at:
            return column
    return None
