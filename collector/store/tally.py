"""How much a filter finds: counted from the newest on, and told on the way.

The newest traces are looked at one by one, which tells something soon. The others, where they are many, are asked
together (`pages.for_all`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from collector.store.conditions import Conditions
from collector.store.filters import Filter
from collector.store.lists import SESSIONS, TRACES
from collector.store.narrow import Rows, narrow
from collector.store.pages import for_all, narrowed
from collector.store.rows import Totals

WINDOW, WINDOWS = 5_000, 4

_SUMS = """
    select count(*), sum(t.span_count), sum(t.error_count), sum(t.unpriced_calls), sum(t.cost_nanousd) from traces t
    where {where} and {among}"""
_SESSIONS = """
    select count(*), sum(x.trace_count), sum(x.span_count), sum(x.error_count), sum(x.unpriced_calls),
      sum(x.cost_nanousd)
    from sessions x where {where}"""
_EDGE = "select start_ns from traces where start_ns < :below order by start_ns desc limit 1 offset :window"
_OLDER, _BETWEEN = "t.start_ns < :below", "t.start_ns < :below and t.start_ns >= :edge"

Told: TypeAlias = Callable[[Totals], object]


@dataclass(slots=True)
class _Sums:
    """What was counted so far."""

    found: tuple[int | None, ...] = (0, None, None, None, None)

    def add(self, more: tuple[int | None, ...]) -> None:
        self.found = tuple(b if a is None else a if b is None else a + b for a, b in zip(self.found, more, strict=True))

    def totals(self, sampled_out: int) -> Totals:
        traces, spans, errors, unpriced, cost = self.found
        return Totals(traces or 0, spans or 0, errors or 0, unpriced or 0, cost, sampled_out)


def tally(rows: Rows, moment: dict[str, Any], where: Filter, sampled_out: int, told: Told | None = None) -> Totals:
    """The totals of the traces that the filter finds. `told` is given those of the newest traces on the way, where
    there are many to look at."""
    sums = _Sums()

    def add(conditions: Conditions, among: str = "1", **more: int) -> None:
        values = {**conditions.values, **moment, **more}
        sums.add(rows(_SUMS.format(where=conditions.where, among=among), values)[0])

    few = narrow(rows, where)
    conditions = narrowed(TRACES, where, few)
    if few is not None or not conditions.lookups:
        add(conditions)
        return sums.totals(sampled_out)
    below = 2**63 - 1
    for _ in range(WINDOWS):
        edge = rows(_EDGE, {"below": below, "window": WINDOW})
        if not edge:
            break
        add(conditions, _BETWEEN, below=below, edge=edge[0][0])
        below = edge[0][0]
        if told is not None:
            told(sums.totals(sampled_out))
    rest = for_all(rows, moment, TRACES, where, few, _OLDER, below=below)
    add(rest, _OLDER, below=below)
    return sums.totals(sampled_out)


def tally_sessions(rows: Rows, moment: dict[str, Any], where: Filter, sampled_out: int) -> Totals:
    """How many sessions the filter finds, and the sums of these: of all their traces, not of those that are like it."""
    conditions = for_all(rows, moment, SESSIONS, where, narrow(rows, where) if where else None)
    found = rows(_SESSIONS.format(where=conditions.where), {**conditions.values, **moment})[0]
    sessions, traces, spans, errors, unpriced, cost = found
    return Totals(traces or 0, spans or 0, errors or 0, unpriced or 0, cost, sampled_out, sessions)
