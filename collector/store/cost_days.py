"""Sums by day, week or month of any zone, from those of whole days of UTC.

A zone's midnight is off UTC's by some hours. So the days of UTC nearest to a stretch are taken, and the quarter hours
between a zone's midnight and the nearest one of UTC are added where they belong and taken from where they were counted:
for UTC that is none, for most zones a small part of all rows. Midnights come from the zone, one by one, so that days of
23 or 25 hours are right.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from collector.store.cost_keys import QUARTER_NS
from collector.store.zones import Zone

A_DAY = 96
COARSE = frozenset({"day", "week", "month"})
MOST_QUARTERS = 20 * 366 * A_DAY
"""A file whose clock went mad is summed by quarter hours."""
Row: TypeAlias = tuple[Any, ...]
Key: TypeAlias = tuple[int, Row]
"""(stretch, keys)."""


@dataclass(frozen=True, slots=True)
class Periods:
    """`bounds` are quarter hours: stretch i is from bounds[i] up to but without bounds[i + 1]. Of `marks` (days of UTC)
    the same is made of: the days nearest to it."""

    bounds: list[int]
    marks: list[int]

    def of_day(self, day: int) -> int:
        return bisect_right(self.marks, day) - 1

    def of_quarter(self, quarter: int) -> int:
        return bisect_right(self.bounds, quarter) - 1

    def edges(self) -> Iterator[tuple[int, int, int | None, int | None]]:
        """(from, to, the stretch that these quarter hours belong to, the one that their day was counted in)."""
        last = len(self.bounds) - 1
        for at, (bound, mark) in enumerate(zip(self.bounds, self.marks, strict=True)):
            before = at - 1 if at else None
            after = at if at < last else None
            if bound < mark * A_DAY:
                yield bound, mark * A_DAY, after, before
            elif bound > mark * A_DAY:
                yield mark * A_DAY, bound, before, after


def periods(low: int, high: int, units: Sequence[str], zone: Zone) -> Periods | None:
    """The stretches of these units between two quarter hours; None where there is no whole day of UTC in them."""
    first, last = -(-low // A_DAY), high // A_DAY
    if first >= last or high - low > MOST_QUARTERS:
        return None
    bounds = [low]
    while bounds[-1] < high:
        ends = [zone.spans[zone.label(bounds[-1], unit)][1] // QUARTER_NS for unit in units]
        bounds.append(min(max(min(ends), bounds[-1] + 1), high))
    inner = [min(max((bound + A_DAY // 2) // A_DAY, first), last) for bound in bounds[1:-1]]
    return Periods(bounds, [first, *inner, last])


def folded(of: Periods, days: Sequence[Row], edges: Sequence[Row], width: int) -> dict[Key, list[int]]:
    """Numbers by (stretch, keys): those of its days, and those of its edges, added or taken away. Rows are (day, or the
    place of the edge; `width` keys; numbers). What is nothing then is left out."""
    found: dict[Key, list[int]] = {}

    def add(stretch: int | None, row: Row, sign: int) -> None:
        if stretch is None:
            return
        into = found.setdefault((stretch, row[1 : 1 + width]), [0] * (len(row) - 1 - width))
        for at, number in enumerate(row[1 + width :]):
            into[at] += sign * (number or 0)

    for row in days:
        add(of.of_day(row[0]), row, 1)
    places = list(of.edges())
    for row in edges:
        _, _, belongs, counted = places[row[0]]
        add(belongs, row, 1)
        add(counted, row, -1)
    return {key: numbers for key, numbers in found.items() if numbers[0]}


def reach(of: Periods, rows: Sequence[Row]) -> dict[Key, tuple[int, int]]:
    """The first and last quarter hour by (stretch, keys), from rows (keys, first, last) none of which is of two
    stretches."""
    found: dict[Key, tuple[int, int]] = {}
    for *keys, first, last in rows:
        key = (of.of_quarter(first), tuple(keys))
        known = found.get(key, (first, last))
        found[key] = min(first, known[0]), max(last, known[1])
    return found
