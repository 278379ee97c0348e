"""Whether costs can be told from the sums that are kept ahead, and how: which conditions and columns they know, which
stretch of time is summed from days and which from quarter hours, and what is left for spans to tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from collector.store.binding import Conditions, joined, matches
from collector.store.cost_days import A_DAY
from collector.store.cost_keys import QUARTER_NS
from collector.store.cost_sources import Wanted
from collector.store.filters import Filter, Part, Term
from collector.store.ground import Reading
from collector.store.migrations import DAYS_FROM

_ASKED_OTHERS = "select 1 from spans where request_model is not null and request_model <> model limit 1"


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
        return f"group by {first_columns(len(self.columns))}" if self.columns else ""


def plan_of(reading: Reading, asked: Wanted) -> Plan | None:
    """None where the sums do not know all of it."""
    c = Conditions()
    found = _possible(reading, asked, c)
    if found is None:
        return None
    columns, where = found
    c.parts += where
    low, high, edges = whole_quarters(asked)
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


def first_columns(n: int) -> str:
    """The first n columns, for `group by`."""
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


def whole_quarters(asked: Wanted) -> tuple[int | None, int | None, list[Wanted]]:
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
