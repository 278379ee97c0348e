"""Means of scores and of numeric metadata, by what costs are grouped by.

A score belongs to its trace (one of a session to each of the session's traces), metadata to theirs; both count once in
every row which that trace has a span in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import sqrt
from typing import Any, TypeAlias

from collector.errors import FilterError
from collector.store.binding import glob_pattern
from collector.store.cost_rows import Stat
from collector.store.cost_sources import Spans, Wanted
from collector.store.ground import Reading

Value: TypeAlias = tuple[str, str, float]
"""(what tells it from others, its name, the number)."""

SCORES = """
    select t.id, c.score_id, c.name, c.value from scores c join traces t on t.trace_id = c.trace_id
    where c.value is not null and c.name glob :pattern
    union all
    select t.id, c.score_id, c.name, c.value from scores c join traces t on t.session_id = c.session_id
    where c.trace_id is null and c.value is not null and c.name glob :pattern"""
METADATA = """
    select t.id, t.trace_id, e.key, e.value from traces t join json_each(t.metadata) e
    where e.type in ('integer', 'real') and e.key glob :pattern"""
OPENINGS = ("score.", "meta.")
Told: TypeAlias = dict[tuple[str, ...], dict[str, Stat]]


def patterns(text: str) -> tuple[str, ...]:
    """`score.*,meta.vram_gb` as names. FilterError for one that is neither."""
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        if not name.startswith(OPENINGS) or name in OPENINGS:
            raise FilterError(
                f"cannot show {name!r}; it is score.NAME or meta.KEY, * for all of them", text, text.find(name)
            )
    return names


def stats(
    reading: Reading, asked: Wanted, names: Sequence[str], named: Callable[[tuple[Any, ...]], tuple[str, ...]]
) -> tuple[Told, Told]:
    """(scores, metadata): by the keys of every row, group and the total, by name."""

    def told(opening: str, sql: str) -> Told:
        values = _values(reading, sql, [name.removeprefix(opening) for name in names if name.startswith(opening)])
        found = _numbers(reading, asked, values, named)
        return {keys: {name: _stat(some) for name, some in sorted(mine.items())} for keys, mine in found.items()}

    return told("score.", SCORES), told("meta.", METADATA)


def _values(reading: Reading, sql: str, wanted: Iterable[str]) -> dict[int, set[Value]]:
    values: dict[int, set[Value]] = {}
    for pattern in wanted:
        for number, source, name, value in reading.rows(sql, {"pattern": glob_pattern(pattern)}):
            values.setdefault(number, set()).add((source, name, float(value)))
    return values


def _numbers(
    reading: Reading, asked: Wanted, values: Mapping[int, set[Value]],
    named: Callable[[tuple[Any, ...]], tuple[str, ...]],
) -> dict[tuple[str, ...], dict[str, list[float]]]:  # fmt: skip
    if not values:
        return {}
    by_keys: dict[tuple[str, ...], set[Value]] = {}
    for sums, _ in Spans(reading, asked, only=values, times=False).chunks():
        for raw, number, *_rest in sums:
            keys = named(raw)
            for depth in range(len(keys) + 1):
                by_keys.setdefault(keys[:depth], set()).update(values[number or 0])
    found: dict[tuple[str, ...], dict[str, list[float]]] = {}
    for keys, some in by_keys.items():
        mine = found[keys] = {}
        for _, name, value in some:
            mine.setdefault(name, []).append(value)
    return found


def _stat(numbers: Sequence[float]) -> Stat:
    numbers = sorted(numbers)  # so that the same numbers give the same sum
    mean = sum(numbers) / len(numbers)
    if len(numbers) < 2:
        return Stat(mean, None, len(numbers))
    return Stat(mean, sqrt(sum((n - mean) ** 2 for n in numbers) / (len(numbers) - 1)), len(numbers))
