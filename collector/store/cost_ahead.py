"""Costs from the sums that are kept ahead: quarter hours by model, provider, service, environment, kind and declared
metadata keys, and days of them. Quarter hours that the asked stretch of time cuts are looked at span by span.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import orjson

from collector.store.binding import Conditions
from collector.store.cost_days import A_DAY, COARSE, Key, Periods, folded, periods, reach
from collector.store.cost_keys import QUARTER_NS, Dimension
from collector.store.cost_plan import Plan, Stretch, first_columns, plan_of, whole_quarters
from collector.store.cost_rows import SUMMED
from collector.store.cost_sources import OF_MODEL, Keys, Measured, Spans, Summed, Wanted
from collector.store.ground import Reading
from collector.store.migrations import DAYS_FROM
from collector.store.zones import Zone

_SUMS = ", ".join(
    f"sum(r.{name})" if name != "llm_calls" else "sum(case when r.kind = 'llm' then r.calls else 0 end)"
    for name in SUMMED
)
SUMS = "select {head} {sums}, min({at}), max({at}) from {table} r where {where} {group} having count(*) > 0"
TIMES = """
    select {head} h.metric, r.kind {of_model}, h.bucket, sum(h.n)
    from {table} r cross join {histograms} h on h.{id} = r.{id} where {where} group by {places}"""
WITHIN = """
    select {head} h.metric, r.kind {of_model}, h.bucket, sum(h.n)
    from json_each(:windows) j cross join rollups r
      on r.quarter >= json_extract(j.value, '$[0]') and r.quarter < json_extract(j.value, '$[1]')
    cross join histograms h on h.key = r.key where {where} group by {places}"""
REACH = "select {head} min(r.quarter), max(r.quarter) from rollups r where {where} {group} having count(*) > 0"
BY_DAY = "select r.day, {others} {sums} from days r {joined} where {where} group by {places}"
BY_EDGE = """
    select j.key, {others} {sums} from json_each(:edges) j cross join rollups r
      on r.quarter >= json_extract(j.value, '$[0]') and r.quarter < json_extract(j.value, '$[1]') {joined}
    where {where} group by {places}"""
SPANNED = """
    select min(r.quarter), max(r.quarter) from json_each(:stretches) j cross join rollups r
      on r.quarter >= json_extract(j.value, '$[0]') and r.quarter < json_extract(j.value, '$[1]') group by j.key"""
SPANNED_BY = """
    select {others} min(r.quarter), max(r.quarter) from rollups r where {where} group by {hour}, {places}"""
ENDS = "select (select min(quarter) from rollups), (select max(quarter) from rollups)"
# By the index of those that run, which are few: hence cross, and + before what there is another index for.
RUNNING = f"""
    select {{head}} count(*) from spans s cross join traces t on t.trace_id = s.trace_id
    where s.status = 'running' and s.counted and +s.kind {OF_MODEL} {{group}}"""
EXACT_DAYS = 40
"""When the first or last span of a group was, is looked up to the quarter hour in so many days at most."""


def ahead(
    reading: Reading, asked: Wanted, zone: Zone | None = None, *, times: bool = True
) -> tuple[list[Summed], list[Measured]] | None:
    """The sums and the measured times; None where they are not kept. The quarter hours in the keys are those in which
    the stretches of time begin, as far as `zone` allows to sum them up to these. Without `times` the first and the last
    quarter hour of a sum are those of its stretch of time, or of its first and last day."""
    plan = plan_of(reading, asked)
    if plan is None:
        return None
    sums: list[Summed] = []
    measured: list[Measured] = []
    of = None if zone is None else _periods(reading, plan, asked.by, zone)
    if of is not None:
        sums, measured = _by_days(reading, plan, asked.by, of, times=times)
        plan.stretches.clear()
    elif zone is not None:
        _by_hours(reading, plan, asked.by, zone)
    for stretch in plan.stretches:
        found = _sums(reading, plan, stretch)
        sums += _reaching(found, _reach(reading, plan, found) if times else {}) if stretch.table == "days" else found
        measured += _times(reading, plan, stretch) if times else []
    for edge in plan.edges:
        for more_sums, more_times in Spans(reading, edge, times=times).chunks():
            sums += more_sums
            measured += more_times
    return sums, measured


def times_within(reading: Reading, asked: Wanted, zone: Zone, windows: Sequence[tuple[int, int]]) -> list[Measured]:
    """The measured times of what began in these windows of quarter hours (from, up to but without); the keys are those
    of `ahead`. Nothing where they are not kept."""
    plan = plan_of(reading, asked)
    if plan is None:
        return []
    _by_hours(reading, plan, asked.by, zone)
    whole, asked_for = plan.stretches[0], windows
    where, values = plan.where(Stretch("rollups", None, None))
    windows = [(max(low, whole.low or low), min(high, whole.high or high)) for low, high in windows]
    n = len(plan.columns)
    sql = WITHIN.format(head=plan.head, of_model=OF_MODEL, where=where, places=first_columns(n + 3))
    rows = reading.rows(sql, {**values, "windows": orjson.dumps(windows).decode()})
    measured = [(row[:n], row[n], bool(row[n + 1]), row[n + 2], row[n + 3]) for row in rows]
    for edge in plan.edges:
        for low, high in asked_for:
            begin = low * QUARTER_NS if edge.low is None else max(edge.low, low * QUARTER_NS)
            end = high * QUARTER_NS if edge.high is None else min(edge.high, high * QUARTER_NS)
            if begin < end:
                for _, more in Spans(reading, replace(edge, low=begin, high=end), sums=False).chunks():
                    measured += more
    return measured


def _ends(reading: Reading, plan: Plan) -> tuple[int, int] | None:
    """(first quarter hour, the one after the last) of what is asked; None where there is nothing. Ends that nobody
    asked for are those of days: there is nothing beyond."""
    ((first, last),) = reading.rows(ENDS)
    if first is None:
        return None
    low, high = plan.stretches[0].low, plan.stretches[0].high
    begin, end = first // A_DAY * A_DAY, (last // A_DAY + 1) * A_DAY
    return begin if low is None else max(low, begin), end if high is None else min(high, end)


def _periods(reading: Reading, plan: Plan, by: Sequence[Dimension], zone: Zone) -> Periods | None:
    units = [one.name for one in by if one.is_time]
    if not units or not COARSE.issuperset(units) or reading.state.schema_version < DAYS_FROM:
        return None
    ends = _ends(reading, plan)
    return None if ends is None else periods(*ends, units, zone)


def _by_hours(reading: Reading, plan: Plan, by: Sequence[Dimension], zone: Zone) -> None:
    """Let SQL sum up hours, where nothing finer is asked for."""
    units = {one.name for one in by if one.is_time}
    ends = _ends(reading, plan) if units and "quarter" not in units else None
    shift = zone.hour_shift(*ends) if ends is not None and ends[0] >= 0 else None
    if shift is not None:
        hour = f"(r.quarter + {shift}) / 4 * 4 - {shift}"
        plan.columns[:] = [hour if one.is_time else column for one, column in zip(by, plan.columns, strict=True)]


def _by_days(
    reading: Reading, plan: Plan, by: Sequence[Dimension], of: Periods, *, times: bool
) -> tuple[list[Summed], list[Measured]]:
    others = [column for one, column in zip(by, plan.columns, strict=True) if not one.is_time]
    spanned = _spanned(reading, plan, of, others) if times else {}

    def keys(key: Key) -> Keys:
        rest = iter(key[1])
        return tuple(of.bounds[key[0]] if one.is_time else next(rest) for one in by)

    sums: list[Summed] = []
    for key, numbers in _folded(reading, plan, of, others, [], _SUMS).items():
        first, last = spanned.get(key, (of.bounds[key[0]], of.bounds[key[0] + 1] - 1))
        sums.append((keys(key), None, numbers, first, last))
    if not times:
        return sums, []
    measured: list[Measured] = []
    more = ["h.metric", f"r.kind {OF_MODEL}", "h.bucket"]
    for (stretch, row), (n,) in _folded(reading, plan, of, others, more, "sum(h.n)").items():
        *rest, metric, of_model, bucket = row
        measured.append((keys((stretch, tuple(rest))), metric, bool(of_model), bucket, n))
    return sums, measured


def _folded(
    reading: Reading, plan: Plan, of: Periods, others: list[str], more: list[str], sums: str
) -> dict[Key, list[int]]:
    """Sums by stretch, by the other columns and by `more` of the histograms."""
    columns = [*others, *more]
    listed, places = "".join(f"{column}, " for column in columns), first_columns(len(columns) + 1)
    text = {"others": listed, "sums": sums, "places": places}
    where, values = plan.where(Stretch("days", of.marks[0], of.marks[-1]))
    joins = {"days": "cross join day_histograms h on h.id = r.id", "edges": "cross join histograms h on h.key = r.key"}
    day_sql = BY_DAY.format(joined=joins["days"] if more else "", where=where, **text)
    days = reading.rows(day_sql, values)
    windows = [(low, high) for low, high, _, _ in of.edges()]
    if not windows:
        return folded(of, days, [], len(columns))
    edge_where, _ = plan.where(Stretch("rollups", None, None))
    edge_sql = BY_EDGE.format(joined=joins["edges"] if more else "", where=edge_where, **text)
    edges = reading.rows(edge_sql, {**plan.conditions.values, "edges": orjson.dumps(windows).decode()})
    return folded(of, days, edges, len(columns))


def _spanned(reading: Reading, plan: Plan, of: Periods, others: list[str]) -> dict[Key, tuple[int, int]]:
    """From when to when there is something, by stretch and the other columns."""
    if not others and not plan.conditions.parts:
        stretches = orjson.dumps(list(pairwise(of.bounds))).decode()
        return reach(of, reading.rows(SPANNED, {"stretches": stretches}))
    where, values = plan.where(plan.stretches[0])
    listed, shifts = "".join(f"{column}, " for column in others), {-bound % 4 for bound in of.bounds[1:-1]}
    hour = f"(r.quarter + {shifts.pop()}) / 4" if len(shifts) == 1 else "r.quarter"
    places = first_columns(len(others))
    sql = SPANNED_BY.format(others=listed, where=where, hour=hour, places=places)
    return reach(of, reading.rows(sql if others else sql.replace(f"{hour}, ", hour), values))


def running(reading: Reading, by: Sequence[Dimension]) -> list[tuple[Keys, int]]:
    """How many calls of models run, by what the sums are by. They are counted as calls while they run, and the sums
    hold 0 for what they cost: nobody knows that yet."""
    c = Conditions()
    head = "".join(f"{one.of_span(c, '')[0]}, " for one in by)
    group = f"group by {first_columns(len(by))}" if by else ""
    return [(row[:-1], row[-1]) for row in reading.rows(RUNNING.format(head=head, group=group), c.values)]


def ahead_sql(reading: Reading, asked: Wanted) -> tuple[str, dict[str, Any]] | None:
    """(the statement of the sums, its values): of whole quarter hours, without what is looked at span by span."""
    plan = plan_of(reading, asked)
    if plan is None:
        return None
    low, high, _ = whole_quarters(asked)
    stretch = Stretch("rollups", low, high)
    where, values = plan.where(stretch)
    return _statement(plan, stretch, where), values


def _statement(plan: Plan, stretch: Stretch, where: str) -> str:
    return SUMS.format(
        head=plan.head, sums=_SUMS, at=stretch.column, table=stretch.table, where=where, group=plan.group
    )  # fmt: skip


def _sums(reading: Reading, plan: Plan, stretch: Stretch) -> list[Summed]:
    where, values = plan.where(stretch)
    n = len(plan.columns)
    rows = reading.rows(_statement(plan, stretch, where), values)
    return [(row[:n], None, row[n:-2], row[-2], row[-1]) for row in rows]


def _reach(reading: Reading, plan: Plan, found: list[Summed]) -> dict[Keys, tuple[int, int]]:
    """Sums of days know the first and the last day: look there for the first and the last quarter hour."""
    days = sorted({day for row in found for day in row[3:]})
    reach: dict[Keys, tuple[int, int]] = {}
    n = len(plan.columns)
    for day in days if len(days) <= EXACT_DAYS else ():
        where, values = plan.where(Stretch("rollups", day * A_DAY, (day + 1) * A_DAY))
        for row in reading.rows(REACH.format(head=plan.head, where=where, group=plan.group), values):
            first, last = reach.get(row[:n], (row[n], row[n + 1]))
            reach[row[:n]] = min(first, row[n]), max(last, row[n + 1])
    return reach


def _reaching(found: list[Summed], reach: dict[Keys, tuple[int, int]]) -> list[Summed]:
    """Sums of days with quarter hours in place of days: those known, else the first of the day and the last."""
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
        head=plan.head, of_model=OF_MODEL, where=where, places=first_columns(n + 3), table=stretch.table,
        histograms="day_histograms" if of_days else "histograms", id="id" if of_days else "key",
    )  # fmt: skip
    return [(row[:n], row[n], bool(row[n + 1]), row[n + 2], row[n + 3]) for row in reading.rows(sql, values)]
