"""Traces in groups: by session, user, service, model or name, with their sums.

What a trace used and cost belongs to one model only when it called no other: by model, the calls themselves are
summed, each counted once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from collector.errors import FilterError
from collector.store.filters import Filter, quoted
from collector.store.ground import Reading
from collector.store.lists import TRACES
from collector.store.narrow import narrow
from collector.store.pages import for_all

MOST = 1000

_COLUMNS = {"session": "t.session_id", "user": "t.user_id", "service": "t.service",
            "name": "t.name collate nocase"}  # fmt: skip
BY = (*_COLUMNS, "model")

_BY_COLUMN = """
    select {column}, count(*), sum(t.error_count > 0), sum(t.llm_calls),
      sum(ifnull(t.input_tokens, 0) + ifnull(t.output_tokens, 0)), sum(t.cost_nanousd), sum(t.unpriced_calls),
      min(t.start_ns), max(t.start_ns)
    from traces t where {where}
    group by 1 order by 2 desc, 9 desc, 1 limit :limit"""
_BY_MODEL = """
    select s.model, count(distinct s.trace_id), count(distinct case when s.status = 'error' then s.trace_id end),
      sum(s.counted and s.kind = 'llm'),
      sum(case when s.counted then ifnull(s.input_tokens, 0) + ifnull(s.output_tokens, 0) else 0 end),
      sum(case when s.counted then s.cost_nanousd end),
      sum(s.counted and s.kind = 'llm' and s.cost_nanousd is null and s.status <> 'running'),
      min(s.start_ns), max(s.start_ns)
    from spans s where s.model is not null and s.start_ns is not null and {where}
    group by 1 order by 2 desc, 9 desc, 1 limit :limit"""


@dataclass(frozen=True, slots=True)
class Group:
    """Traces that share a value (None: those that have none). `errors` counts traces with a failed span;
    `cost_nanousd` is None when no cost is known; times are starts of the first and the last trace."""

    value: str | None
    traces: int
    errors: int
    calls: int
    tokens: int
    cost_nanousd: int | None
    unpriced_calls: int
    first_ns: int
    last_ns: int


def groups(reading: Reading, by: str, where: Filter | None = None) -> list[Group]:
    """At most MOST groups of the traces that the filter finds, the largest first. Reads all of these traces (by model:
    their calls). FilterError for another `by`."""
    if by not in BY:
        raise FilterError(f"cannot group by {by!r}; it is one of {', '.join(BY)}", by, 0)
    where = where or Filter()
    few = narrow(reading.rows, where) if where else None
    conditions = for_all(reading.rows, reading.moment(), TRACES, where, few)
    found = conditions.where
    if by == "model":
        some = "1" if not conditions.parts else f"s.trace_id in (select t.trace_id from traces t where {found})"
        sql = _BY_MODEL.format(where=some)
    else:
        sql = _BY_COLUMN.format(column=_COLUMNS[by], where=found)
    values: dict[str, Any] = {**conditions.values, **reading.moment(), "limit": MOST}
    return [Group(*row) for row in reading.rows(sql, values)]


def filter_of(by: str, value: str | None) -> str:
    """A filter for the traces of a group."""
    own = "root:" if by in ("name", "service") else ""  # the trace's, not that of any of its spans
    by = "answered" if by == "model" else by  # not those that asked for it and were answered by another
    if value is None:
        return f"-{own}{by}:*" if own else f"-has:{by}"
    return f"{own}{by}:{quoted(value)}"
