"""Means of scores and of numeric metadata, by what costs are grouped by.

A score belongs to its trace (one of a session to each of the session's traces), metadata to theirs; both count once in
every row which that trace has a span in.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Container, Iterable, Sequence
from functools import partial
from math import sqrt
from typing import Any, TypeAlias

import orjson

from collector.errors import FilterError
from collector.store.binding import glob_pattern
from collector.store.cost_rows import Stat
from collector.store.cost_sources import REACH, Progress, Spans, TooMany, Wanted
from collector.store.ground import Reading

Value: TypeAlias = tuple[int, str, str, float]
"""(whether several traces may have the same, what tells it from others, its name, the number)."""

# Of some traces: (number of the trace, and the value as above).
SCORES = """
    select t.id, 0, c.score_id, c.name, c.value from json_each(:ids) j cross join traces t on t.id = j.value
    cross join scores c on c.trace_id = t.trace_id where c.value is not null and c.name glob :pattern
    union all
    select t.id, 1, c.score_id, c.name, c.value from json_each(:ids) j cross join traces t on t.id = j.value
    cross join scores c on c.session_id = t.session_id
    where c.trace_id is null and c.value is not null and c.name glob :pattern"""
METADATA = """
    select t.id, 0, '', e.key, e.value from json_each(:ids) i cross join traces t on t.id = i.value
    join json_each(t.metadata) e where e.type in ('integer', 'real') and e.key glob :pattern"""
# Traces that have any.
SCORED = """
    select t.id from scores c join traces t on t.trace_id = c.trace_id where c.value is not null
      and c.name glob :pattern and {reach}
    union
    select t.id from scores c join traces t on t.session_id = c.session_id
    where c.trace_id is null and c.value is not null and c.name glob :pattern and {reach} limit :most"""
DESCRIBED = """
    select t.id from traces t where {reach} and t.metadata <> '{{}}' and exists (select 1 from json_each(t.metadata) e
      where e.type in ('integer', 'real') and e.key glob :pattern) limit :most"""
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
    reading: Reading, asked: Wanted, names: Sequence[str], named: Callable[[tuple[Any, ...]], tuple[str, ...]],
    *, most: int | None = None, progress: Progress | None = None,
) -> tuple[Told, Told]:  # fmt: skip
    """(scores, metadata): by the keys of every row, group and the total, by name. TooMany where more than `most` of the
    traces have some."""

    def told(opening: str, having: str, sql: str) -> Told:
        patterns = [name.removeprefix(opening) for name in names if name.startswith(opening)]
        some = set().union(*(_having(reading, asked, having, text, most) for text in patterns))
        found = _numbers(reading, asked, some, partial(_values, reading, sql, patterns), named, most, progress)
        return {keys: {name: _stat(mine[name]) for name in sorted(mine)} for keys, mine in found.items()}

    return told("score.", SCORED, SCORES), told("meta.", DESCRIBED, METADATA)


def _having(reading: Reading, asked: Wanted, sql: str, pattern: str, most: int | None) -> set[int]:
    """Traces that have any, of those that reach into the stretch of time. Without a filter it need not look further
    than what is too many."""
    limit = -1 if most is None or asked.of_traces or asked.of_spans else most + 1
    values = {"pattern": glob_pattern(pattern), "most": limit, **asked.bounds()}
    found = {row[0] for row in reading.rows(sql.format(reach=REACH), values)}
    if most is not None and 0 <= most < len(found) == limit:
        raise TooMany(most)
    return found


def _values(reading: Reading, sql: str, patterns: Sequence[str], ids: Collection[int]) -> dict[int, set[Value]]:
    """What these traces say, each once however many patterns name it."""
    found: dict[int, set[Value]] = {}
    listed = orjson.dumps(sorted(ids)).decode()
    for pattern in patterns:
        for number, *said, value in reading.rows(sql, {"pattern": glob_pattern(pattern), "ids": listed}):
            found.setdefault(number, set()).add((said[0], said[1], said[2], float(value)))
    return found


def _numbers(
    reading: Reading, asked: Wanted, some: Container[int], values: Callable[[Collection[int]], dict[int, set[Value]]],
    named: Callable[[tuple[Any, ...]], tuple[str, ...]], most: int | None, progress: Progress | None,
) -> dict[tuple[str, ...], dict[str, array[float]]]:  # fmt: skip
    """Numbers by the keys of rows and by name. A trace is in one chunk, so only what several traces say, a score of
    their session, has to be kept in mind."""
    found: dict[tuple[str, ...], dict[str, array[float]]] = {}
    counted: set[tuple[tuple[str, ...], Value]] = set()
    for members in Spans(reading, asked, progress, only=some, most=most).members():
        by_trace = values({number for _, number in members})
        of: dict[tuple[str, ...], set[int]] = {}
        for raw, number in members:
            keys = named(raw)
            for depth in range(len(keys) + 1):
                of.setdefault(keys[:depth], set()).add(number)
        for keys, numbers in of.items():
            mine = found.setdefault(keys, {})
            for value in (value for number in numbers for value in by_trace.get(number, ())):
                if value[0] and (keys, value) in counted:
                    continue
                if value[0]:
                    counted.add((keys, value))
                mine.setdefault(value[2], array("d")).append(value[3])
    return found


def _stat(numbers: Iterable[float]) -> Stat:
    values = sorted(numbers)  # so that the same numbers give the same sum
    mean = sum(values) / len(values)
    if len(values) < 2:
        return Stat(mean, None, len(values))
    return Stat(mean, sqrt(sum((n - mean) ** 2 for n in values) / (len(values) - 1)), len(values))
