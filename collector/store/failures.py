"""Failures grouped by what they have in common, and the nearest run that went well.

A failure goes up through the spans above it, which fail with the same words: it is counted where it arose, in the
deepest of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from collector.errors import FilterError
from collector.fingerprint import error_class, fingerprint, longest_words
from collector.store.conditions import TRACE_STATUS
from collector.store.filters import Filter, quoted
from collector.store.ground import Reading
from collector.store.lists import SPANS, TRACE_ROW
from collector.store.narrow import narrow
from collector.store.pages import narrowed, spelt
from collector.store.reader import trace_row
from collector.store.rows import TraceRow

MOST_SPANS = 20_000
BUCKETS = 24
MOST_NAMES = 20

_FAILED = """
    select s.trace_id, s.span_id, s.parent_id, ifnull(s.name, ''), s.start_ns, s.service, s.model, s.tool_name,
      ifnull(s.user_id, (select t.user_id from traces t where t.trace_id = s.trace_id)), s.error_type, s.status_message
    from spans s where s.status = 'error' and s.start_ns is not null and {where}
    order by s.start_ns desc limit :limit"""
_NEAR = f"""
    select {TRACE_ROW} from traces t
    where t.start_ns {{sign}} :at and t.trace_id <> :trace_id and t.name is :name and t.service is :service
      and t.error_count = 0 and t.running_count = 0 and {TRACE_STATUS} = 'ok'
    order by t.start_ns {{way}} limit 1"""


class _Failed(NamedTuple):
    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    start_ns: int
    service: str | None
    model: str | None
    tool: str | None
    user: str | None
    error_type: str | None
    message: str | None


@dataclass(slots=True)
class Failure:
    """Failures of one type and fingerprint. `count` is how often it arose, `spans` how many spans failed of it,
    `traces` in how many traces; `message` is the newest as it was said. Names come with how often, the most frequent
    first. `last_trace` and `last_span` are the newest. `history` counts BUCKETS equal parts of the time all failures
    of the answer took."""

    error_type: str
    fingerprint: str
    message: str
    last_trace: str
    last_span: str
    first_ns: int
    last_ns: int
    count: int = 0
    spans: int = 0
    traces: int = 0
    names: dict[str, int] = field(default_factory=dict)
    tools: dict[str, int] = field(default_factory=dict)
    models: dict[str, int] = field(default_factory=dict)
    users: dict[str, int] = field(default_factory=dict)
    services: dict[str, int] = field(default_factory=dict)
    history: tuple[int, ...] = ()
    read_from_message: bool = False
    """Nobody sent the type: it stands at the beginning of the message."""

    @property
    def key(self) -> tuple[str, str]:
        return self.error_type, self.fingerprint

    @property
    def filter(self) -> str:
        """A filter that finds its traces: by its type and the longest part of its words that does not differ."""
        words = longest_words(self.fingerprint)
        said = f' "{words}"' if words else ""
        kind = f" error.type:{quoted(self.error_type)}" if self.error_type and not self.read_from_message else ""
        return f"any:(status:error{kind}{said})"


@dataclass(frozen=True, slots=True)
class Failures:
    """The most frequent first. `partial`: there were more than MOST_SPANS failed spans, and the oldest were left
    out."""

    groups: Sequence[Failure]
    spans: int
    partial: bool


SORTS: dict[str, Callable[[Failure], Any]] = {
    "count": lambda one: (one.count, one.last_ns), "type": lambda one: one.error_type.lower(),
    "message": lambda one: one.fingerprint.lower(), "users": lambda one: len(one.users),
    "traces": lambda one: one.traces, "first": lambda one: one.first_ns, "last": lambda one: one.last_ns,
}  # fmt: skip


def ordered(groups: Sequence[Failure], sort: str) -> list[Failure]:
    """By one of SORTS, "-" before it for falling. FilterError when there is no such sort."""
    name = sort.removeprefix("-")
    if name not in SORTS:
        raise FilterError(f"cannot sort by {name!r}; it is one of {', '.join(SORTS)}", sort, 0)
    return sorted(groups, key=SORTS[name], reverse=sort.startswith("-"))


def failures(reading: Reading, where: Filter | None = None) -> Failures:
    """The failed spans that the filter finds, grouped. Reads the newest MOST_SPANS by the index of failures."""
    sql, values = _question(reading, where or Filter())
    rows = [_Failed(*row) for row in reading.rows(sql, values)]
    partial = len(rows) > MOST_SPANS
    rows = rows[:MOST_SPANS]
    return Failures(grouped(rows), len(rows), partial)


def failures_sql(reading: Reading, where: Filter) -> str:
    """The statement behind it, for people, and SQLite's plan for it."""
    conditions = narrowed(SPANS, where, None)
    sql = _FAILED.format(where=conditions.where)
    return spelt(reading.rows, sql, {**conditions.values, **reading.moment(), "limit": MOST_SPANS + 1})


def _question(reading: Reading, where: Filter) -> tuple[str, dict[str, Any]]:
    few = narrow(reading.rows, where, by_trace=False) if where else None
    conditions = narrowed(SPANS, where, few)
    values = {**conditions.values, **reading.moment(), "limit": MOST_SPANS + 1}
    return _FAILED.format(where=conditions.where), values


def grouped(rows: Sequence[_Failed]) -> list[Failure]:
    """Groups of failed spans, which come newest first."""
    keys = [_key(row) for row in rows]
    passed_on = {(row.trace_id, row.parent_id, key) for row, key in zip(rows, keys, strict=True)}
    groups: dict[tuple[str, str], tuple[Failure, list[_Failed], list[_Failed]]] = {}
    for row, key in zip(rows, keys, strict=True):
        found = groups.get(key)
        if found is None:
            message = row.message or ""
            group = Failure(*key, message, row.trace_id, row.span_id, row.start_ns, row.start_ns)
            group.read_from_message = not row.error_type
            found = groups[key] = (group, [], [])
        found[1].append(row)
        if (row.trace_id, row.span_id, key) not in passed_on:
            found[2].append(row)
    ends = (rows[-1].start_ns, rows[0].start_ns) if rows else (0, 0)
    for group, all_, arose in groups.values():
        _fill(group, all_, arose or all_, ends)
    return sorted((group for group, _, _ in groups.values()), key=lambda one: (-one.count, -one.last_ns))


def _key(row: _Failed) -> tuple[str, str]:
    kind, message = error_class(row.error_type, row.message or "")
    return kind, fingerprint(message)


def _fill(group: Failure, rows: list[_Failed], arose: list[_Failed], ends: tuple[int, int]) -> None:
    group.spans, group.count = len(rows), len(arose)
    group.traces = len({row.trace_id for row in rows})
    newest = arose[0]
    group.message, group.last_trace, group.last_span = newest.message or "", newest.trace_id, newest.span_id
    group.last_ns, group.first_ns = rows[0].start_ns, rows[-1].start_ns
    group.names, group.tools = _often(row.name for row in arose), _often(row.tool for row in arose)
    group.models, group.users = _often(row.model for row in arose), _often(row.user for row in arose)
    group.services = _often(row.service for row in arose)
    group.history = history((row.start_ns for row in arose), ends)


def _often(names: Iterable[str | None]) -> dict[str, int]:
    """At most MOST_NAMES, the most frequent first."""
    return dict(Counter(name for name in names if name).most_common(MOST_NAMES))


def history(times: Iterable[int], ends: tuple[int, int]) -> tuple[int, ...]:
    """How many of these moments lie in each of BUCKETS equal parts of (first, last)."""
    first, last = ends
    counts = [0] * BUCKETS
    for time in times:
        counts[min((time - first) * BUCKETS // max(last - first, 1), BUCKETS - 1)] += 1
    return tuple(counts)


def nearest_success(reading: Reading, trace_id: str) -> TraceRow | None:
    """The trace of the same name and service nearest in time that holds no failure; None when there is none."""
    asked = reading.rows(
        "select start_ns, name, service from traces where trace_id = :trace_id", {"trace_id": trace_id}
    )
    if not asked:
        return None
    at, name, service = asked[0]
    values = {"at": at, "name": name, "service": service, "trace_id": trace_id, **reading.moment()}
    near = [
        trace_row(row)
        for sign, way in (("<=", "desc"), (">=", "asc"))
        for row in reading.rows(_NEAR.format(sign=sign, way=way), values)
    ]
    return min(near, key=lambda row: abs(row.start_ns - at), default=None)
