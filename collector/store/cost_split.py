"""Costs by what they were paid for, and what caching saved: sums of tokens at the price list of their day.

The list says how a cost is shared out; the cost itself stays what was stored (reported by the source, or priced call
by call), so that the parts add up to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from collector.model import Usage
from collector.pricing import DAY_NS, Parts
from collector.store.cost_ahead import ahead
from collector.store.cost_keys import QUARTER_NS, Dimension
from collector.store.cost_rows import SUMMED, CostRow, Split
from collector.store.cost_sources import Spans, Summed, Wanted
from collector.store.ground import Reading
from collector.store.zones import Zone

_CALLS, _COST = SUMMED.index("calls"), SUMMED.index("cost_nanousd")
_MORE = (Dimension("provider", "column"), Dimension("model", "column"))
_DAY, _QUARTER = Dimension("day", "time"), Dimension("quarter", "time")
_NAMES = ("input", "cache_read", "cache_write", "output", "reasoning")


class Pricer(Protocol):
    """A price list (`collector.pricing.Prices`)."""

    def parts(self, provider: str | None, model: str, usage: Usage, calls: int, at_ns: int) -> Parts | None: ...


def splits(
    reading: Reading, asked: Wanted, prices: Pricer, named: Callable[[tuple[Any, ...]], tuple[str, ...]]
) -> dict[tuple[str, ...], Split]:
    """By the keys of every row, group and the total. `named` makes keys of what SQL gives."""
    shares: dict[tuple[str, ...], Split] = {}
    for raw, numbers in _by_model_and_day(reading, asked).items():
        *keys, provider, model, day = raw
        split = _split(prices, str(provider), str(model), int(day), numbers)
        names = named(tuple(keys))
        for depth in range(len(names) + 1):
            shares[names[:depth]] = _added(shares.get(names[:depth], Split()), split)
    return shares


def with_split(row: CostRow, shares: Mapping[tuple[str, ...], Split]) -> CostRow:
    """The row with its split; none where it has no cost. (What tags put into two rows is twice in what stands above
    them, and has no split there.)"""
    found = shares.get(row.keys)
    if found is None or row.cost_nanousd is None:
        return row
    whole = sum(getattr(found, name) for name in (*_NAMES, "other"))
    return replace(row, split=found) if whole == row.cost_nanousd else row


def _by_model_and_day(reading: Reading, asked: Wanted) -> dict[tuple[Any, ...], list[int]]:
    day = (
        _QUARTER if any(one.is_time for one in asked.by) else _DAY
    )  # a day of UTC, where no other zone's are asked for
    wanted = replace(asked, by=(*asked.by, *_MORE, day))
    found: dict[tuple[Any, ...], list[int]] = {}
    for sums in _sums(reading, wanted):
        *keys, quarter = sums[0]
        row = found.setdefault((*keys, quarter * QUARTER_NS // DAY_NS), [0] * len(SUMMED))
        for at, number in enumerate(sums[2]):
            row[at] += number or 0
    return found


def _sums(reading: Reading, asked: Wanted) -> list[Summed]:
    kept = ahead(reading, asked, Zone("UTC"), times=False)
    if kept is not None:
        return kept[0]
    return [row for sums, _ in Spans(reading, asked, times=False).chunks() for row in sums]


def _split(prices: Pricer, provider: str, model: str, day: int, numbers: list[int]) -> Split:
    cost = numbers[_COST]
    if not cost or not model:
        return Split(other=cost)
    usage = Usage(*numbers[_COST + 1 :])
    parts = prices.parts(provider or None, model, usage, numbers[_CALLS], day * DAY_NS + DAY_NS // 2)
    listed = 0.0 if parts is None else sum(getattr(parts, name) for name in _NAMES)
    if parts is None or listed <= 0:
        return Split(other=cost)
    scale = min(cost / listed, 1.0)
    shares = {name: round(getattr(parts, name) * scale) for name in _NAMES}
    return Split(**shares, other=cost - sum(shares.values()), saved=round(parts.saved * scale))


def _added(one: Split, other: Split) -> Split:
    return Split(*(getattr(one, name) + getattr(other, name) for name in Split.__slots__))
