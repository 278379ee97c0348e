"""Costs from the sums that are kept ahead: quarter hours by model, provider, service, environment, kind and declared
metadata keys, and days of them. Quarter hours that the asked stretch of time cuts are looked at span by span.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from collector.store.binding import Conditions, joined, matches
from collector.store.cost_keys import QUARTER_NS, Dimension
from collector.store.cost_rows import SUMMED
from collector.store.cost_sources import OF_MODEL, Keys, Measured, Spans, Summed, Wanted
from collector.store.filters import Filter, Part, Term
from collector.store.ground import Reading

_SUMS = ", ".join(
    f"sum(r.{name})" if name != "llm_calls" else "sum(case when r.kind = 'llm' then r.calls else 0 end)"
    for name in SUMMED
)
_ASKED_OTHERS = "select 1 from spans where request_model is not null and request_model <> model limit 1"
SUMS = "select {head} {sums}, min({at}), max({at}) from {table} r where {where} {group} having count(*) > 0"
TIMES = """
    select {head} h.metric, r.kind {of_model}, h.bucket, sum(h.n)
    from {table} r cross join {histograms} h on h.{id} = r.{id} where {where} group by {places}"""
REACH = "select {head} min(r.quarter), max(r.quarter) from rollups r where {where} {group} having count(*) > 0"
RUNNING = f"""
    select {{head}} count(*) from spans s join traces t on t.trace_id = s.trace_id
    where s.status = 'running' and s.counted and s.kind {OF_MODEL} {{group}}"""
A_DAY = 96
DAYS_FROM = 5
"""The schema from which on there are sums of whole days (of UTC)."""
EXACT_DAYS = 40
"""When the first or last span of a group was, is looked up to the quarter hour in so many days at most."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """What of the time is summed from which table: `low` up to but without `high`, None for no end."""

    table: str
    low: int | None
    high: int | None

    @property
    def column(self) -> str:
        return "r.day" if self.table == "days" else "r.quarter"


@dataclass(frozen=True, slots=True)
class Plan:
    """Conditions, the columns to group by, the stretches to sum, and what is left at the ends for spans to tell."""

    conditions: Conditions
    columns: list[str]
    stretches: list[Stretch]
    edges: list[Wanted]

    def where(self, stretch: Stretch) -> tuple[str, dict[str, Any]]:
        parts = [*self.conditions.parts]
        values = dict(self.conditions.values)
        if stretch.low is not None:
            parts.append(f"{stretch.column} >= :low")
            values["low"] = stretch.low
        if stretch.high is not None:
            parts.append(f"{stretch.column} < :high")
            values["high"] = stretch.high
        return joined(parts, "and") or "1", values

    @property
    def head(self) -> str:
        return "".join(f"{column}, " for column in self.columns)

    @property
    def group(self) -> str:
        return f"group by {_places(len(self.columns))}" if self.columns else ""


def ahead(reading: Reading, asked: Wanted, *, times: bool = True) -> tuple[list[Summed], list[Measured]] | None:
    """The sums and the measured times; None where they are not kept."""
    plan = _plan(reading, asked)
    if plan is None:
        return None
    sums: list[Summed] = []
    measured: list[Measured] = []
    for stretch in plan.stretches:
        found = _sums(reading, plan, stretch)
        sums += _exact(reading, plan, found) if stretch.table == "days" else found
        measured += _times(reading, plan, stretch) if times else []
    for edge in plan.edges:
        for more_sums, more_times in Spans(reading, edge, times=times).chunks():
            sums += more_sums
            measured += more_times
    return sums, measured


def running(reading: Reading, by: Sequence[Dimension]) -> list[tuple[Keys, int]]:
    """How many calls of models run, by what the sums are by. They are counted as calls while they run, and the sums
    hold 0 for what they cost: nobody knows that yet."""
    c = Conditions()
    head = "".join(f"{one.of_span(c, '')[0]}, " for one in by)
    group = f"group by {_places(len(by))}" if by else ""
    return [(row[:-1], row[-1]) for row in reading.rows(RUNNING.format(head=head, group=group), c.values)]


def ahead_sql(reading: Reading, asked: Wanted) -> tuple[str, dict[str, Any]] | None:
    """(the statement of the sums, its values): of whole quarter hours, without what is looked at span by span."""
    plan = _plan(reading, asked)
    if plan is None:
        return None
    low, high, _ = _whole_quarters(asked)
    stretch = Stretch("rollups", low, high)
    where, values = plan.where(stretch)
    return _statement(plan, stretch, where), values


def _plan(reading: Reading, asked: Wanted) -> Plan | None:
    c = Conditions()
    found = _possible(reading, asked, c)
    if found is None:
        return None
    columns, where = found
    c.parts += where
    low, high, edges = _whole_quarters(asked)
    days = reading.state.schema_version >= DAYS_FROM and not any(one.is_time for one in asked.by)
    return Plan(c, columns, _stretches(low, high) if days else [Stretch("rollups", low, high)], edges)


def _stretches(low: int | None, high: int | None) -> list[Stretch]:
    """Whole days from the sums of days, what is left at the ends from those of quarter hours."""
    first = None if low is None else -(-low // A_DAY)
    last = None if high is None else high // A_DAY
    if first is not None and last is not None and first >= last:
        return [Stretch("rollups", low, high)]
    found = [Stretch("days", first, last)]
    if first is not None and low is not None and first * A_DAY > low:
        found.append(Stretch("rollups", low, first * A_DAY))
    if last is not None and high is not None and last * A_DAY < high:
        found.append(Stretch("rollups", last * A_DAY, high))
    return found


def _statement(plan: Plan, stretch: Stretch, where: str) -> str:
    return SUMS.format(
        head=plan.head, sums=_SUMS, at=stretch.column, table=stretch.table, where=where, group=plan.group
    )  # fmt: skip


def _sums(reading: Reading, plan: Plan, stretch: Stretch) -> list[Summed]:
    where, values = plan.where(stretch)
    n = len(plan.columns)
    rows = reading.rows(_statement(plan, stretch, where), values)
    return [(row[:n], None, row[n:-2], row[-2], row[-1]) for row in rows]


def _exact(reading: Reading, plan: Plan, found: list[Summed]) -> list[Summed]:
    """Sums of days know the first and the last day: look there for the first and the last quarter hour."""
    days = sorted({day for row in found for day in row[3:]})
    reach: dict[Keys, tuple[int, int]] = {}
    n = len(plan.columns)
    for day in days if len(days) <= EXACT_DAYS else ():
        where, values = plan.where(Stretch("rollups", day * A_DAY, (day + 1) * A_DAY))
        for row in reading.rows(REACH.format(head=plan.head, where=where, group=plan.group), values):
            first, last = reach.get(row[:n], (row[n], row[n + 1]))
            reach[row[:n]] = min(first, row[n]), max(last, row[n + 1])
    out: list[Summed] = []
    for keys, number, sums, first, last in found:
        known = reach.get(keys, (first * A_DAY, last * A_DAY + A_DAY - 1))
        out.append((keys, number, sums, *known))
    return out


def _times(reading: Reading, plan: Plan, stretch: Stretch) -> list[Measured]:
    n = len(plan.columns)
    where, values = plan.where(stretch)
    of_days = stretch.table == "days"
    sql = TIMES.format(
        head=plan.head, of_model=OF_MODEL, where=where, places=_places(n + 3), table=stretch.table,
        histograms="day_histograms" if of_days else "histograms", id="id" if of_days else "key",
    )  # fmt: skip
    return [(row[:n], row[n], bool(row[n + 1]), row[n + 2], row[n + 3]) for row in reading.rows(sql, values)]


def _places(n: int) -> str:
    return ", ".join(str(at) for at in range(1, n + 1))


def _possible(reading: Reading, asked: Wanted, c: Conditions) -> tuple[list[str], list[str]] | None:
    """(columns to group by, conditions), or None where one of them is not among the sums."""
    if not all(_is_declared(part, asked.declared) for part in asked.of_traces.terms):
        return None
    if any(one.kind == "meta" and one.key not in asked.declared for one in asked.by):
        return None
    columns = [column for one in asked.by if (column := one.rolled(c)) is not None]
    parts = (*asked.of_spans.terms, *asked.of_traces.terms)
    where = [text for part in parts if (text := _condition(c, part)) is not None]
    if len(columns) < len(asked.by) or len(where) < len(parts) or not _summed_keys(reading, asked):
        return None
    if _asks_models(asked.of_spans) and reading.rows(_ASKED_OTHERS):
        return None  # a call is found by the model it asked for, too
    return columns, where


def _is_declared(part: Part, declared: Sequence[str]) -> bool:
    return isinstance(part, Term) and part.key == "meta" and part.name in declared and not part.bounds


def _summed_keys(reading: Reading, asked: Wanted) -> bool:
    """Whether the file's writers summed these metadata keys, too."""
    keys = {one.key for one in asked.by if one.kind == "meta"}
    keys |= {part.name for part in asked.of_traces.terms if isinstance(part, Term)}
    sql = "select 1 from rollups where instr(dims, :key) limit 1"
    return all(reading.rows(sql, {"key": orjson.dumps(key).decode() + ":"}) for key in sorted(keys))


def _asks_models(where: Filter) -> bool:
    return any(isinstance(part, Term) and part.key == "model" for part in where.terms)


_COLUMNS = {
    "model": "r.model", "provider": "r.provider", "service": "r.service", "env": "r.environment", "kind": "r.kind",
}  # fmt: skip


def _condition(c: Conditions, part: Part) -> str | None:
    if not isinstance(part, Term):
        return None
    if part.key == "meta":
        found = _of_dims(c, part)
    elif part.key in _COLUMNS:
        column = _COLUMNS[part.key]
        found = f"{column} <> '' and ({matches(c, column, part.values)})"
    else:
        return None
    return f"not ifnull(({found}), 0)" if part.negated else f"({found})"


def _of_dims(c: Conditions, part: Term) -> str:
    """A declared key has one of the values; of a list, one of it is enough, as in a trace's metadata."""
    path = c.bind('$."' + part.name + '"')
    text = f"json_extract(r.dims, {path})"
    listed = f"case when json_valid({text}) and {text} glob '[[]*' then {text} else '[]' end"
    one = matches(c, "cast(e.value as text)", part.values)
    return f"{matches(c, text, part.values)} or exists (select 1 from json_each({listed}) e where {one})"


def _whole_quarters(asked: Wanted) -> tuple[int | None, int | None, list[Wanted]]:
    """(first quarter hour that lies in the stretch whole, the one after the last, what is left at its ends)."""
    low = None if asked.low is None else -(-asked.low // QUARTER_NS)
    high = None if asked.high is None else asked.high // QUARTER_NS
    edges = []
    if low is not None and high is not None and low >= high:
        return low, low, [asked]
    if low is not None and low * QUARTER_NS != asked.low:
        edges.append(replace(asked, high=low * QUARTER_NS))
    if high is not None and high * QUARTER_NS != asked.high:
        edges.append(replace(asked, low=high * QUARTER_NS))
    return low, high, edges
