"""Latencies of costs that were added up without them (`Asked.later`).

Sums come first: people want to see them within a blink, and the histograms of ten million spans by hour are millions of
rows. So of stretches of time finer than a day the times of those rows are read that somebody looks at; for everything
else the sums of days answer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from collector.store.cost_ahead import times_within
from collector.store.cost_keys import QUARTER_NS
from collector.store.cost_rows import CostRow, Sums
from collector.store.cost_sources import Progress, wanted
from collector.store.costs import Asked, Costs, Gathered, costs
from collector.store.ground import Reading

FINE = frozenset({"quarter", "hour"})
WINDOWS = 12
"""Of so many hours at once; in between, an answer that nobody waits for any more can be given up."""
Keys: TypeAlias = tuple[str, ...]


def timed(
    reading: Reading, asked: Asked, found: Costs, rows: Sequence[CostRow], progress: Progress | None = None
) -> Costs:
    """`found` with what was left for later: of its total, of its groups, and of `rows` of it at least. (Of groups that
    are stretches of time finer than a day: of those that `rows` are of.)"""
    if not found.ahead:
        gathered = Gathered(found.by, asked.zone)
        gathered.sums = False
        gathered.fill(reading, wanted(found.by, asked.where, asked.declared), False, progress)
        return _changed(found, lambda row: _measured(row, gathered))
    fine = [one.name in FINE for one in found.by]
    above = () if fine[:1] == [True] else found.by[:1] if any(fine) else found.by
    if not found.total.timed:
        whole = costs(reading, Asked(above, asked.where, asked.zone, "name", declared=asked.declared))
        found = with_times(found, {row.keys: row for row in (*whole.rows, *whole.groups, whole.total)})
    return _of_rows(reading, asked, found, rows, progress) if any(fine) else found


def with_times(found: Costs, known: Mapping[Keys, CostRow]) -> Costs:
    """`found` with the times of what rows are known by these keys; other rows stay as they are."""
    return _changed(found, lambda row: _taken(row, known.get(row.keys)))


def _of_rows(reading: Reading, asked: Asked, found: Costs, rows: Sequence[CostRow], progress: Progress | None) -> Costs:
    """The same with the times of these rows, or of all rows of their groups where these are hours."""
    by_groups = found.by[0].name in FINE
    mine = {row.keys[:1] if by_groups else row.keys for row in rows if by_groups or len(row.keys) == len(found.by)}
    if not mine:
        return found
    gathered = Gathered(found.by, asked.zone)
    what = wanted(found.by, asked.where, asked.declared)
    windows = _windows(found, mine)
    for at, some in enumerate(windows):
        if progress is not None:
            progress(at, len(windows))
        gathered.add([], times_within(reading, what, asked.zone, some), 0)
    return _changed(found, lambda row: _measured(row, gathered) if _is_of(row.keys, mine) else row)


def _is_of(keys: Keys, mine: Collection[Keys]) -> bool:
    return keys in mine or keys[:1] in mine


def _windows(found: Costs, some: Collection[Keys]) -> list[list[tuple[int, int]]]:
    """The stretches of time of rows or groups in quarter hours, each once, a few at a time."""
    own = set()
    for keys in some:
        times = [found.times[key] for one, key in zip(found.by, keys, strict=False) if one.is_time]
        own.add((max(start for start, _ in times) // QUARTER_NS, min(end for _, end in times) // QUARTER_NS))
    windows = sorted(own)
    return [windows[at : at + WINDOWS] for at in range(0, len(windows), WINDOWS)]


def _changed(found: Costs, change: Callable[[CostRow], CostRow]) -> Costs:
    return replace(
        found, rows=tuple(map(change, found.rows)), groups=tuple(map(change, found.groups)), total=change(found.total)
    )


def _measured(row: CostRow, gathered: Gathered) -> CostRow:
    sums = gathered.levels[len(row.keys)].get(row.keys, Sums())
    duration, ttft, buckets = sums.times()
    return replace(row, duration=duration, ttft=ttft, buckets=buckets, timed=True)


def _taken(row: CostRow, known: CostRow | None) -> CostRow:
    if known is None:
        return row
    return replace(
        row, duration=known.duration, ttft=known.ttft, buckets=known.buckets, minutes=known.minutes, timed=True
    )
