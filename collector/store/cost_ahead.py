"""Costs from the sums that are kept ahead: quarter hours by model, provider, service, environment, kind and declared
metadata keys. Quarter hours that the asked stretch of time cuts are looked at span by span.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson

from collector.store.binding import Conditions, matches
from collector.store.cost_keys import QUARTER_NS
from collector.store.cost_rows import SUMMED
from collector.store.cost_sources import OF_MODEL, Measured, Spans, Summed, Wanted
from collector.store.filters import Filter, Part, Term
from collector.store.ground import Reading

_SUMS = ", ".join(
    f"sum(r.{name})" if name != "llm_calls" else "sum(case when r.kind = 'llm' then r.calls else 0 end)"
    for name in SUMMED
)
_ASKED_OTHERS = "select 1 from spans where request_model is not null and request_model <> model limit 1"
SUMS = "select {head} {sums}, min(r.quarter), max(r.quarter) from rollups r where {where} {group} having count(*) > 0"
TIMES = """
    select {head} h.metric, r.kind {of_model}, h.bucket, sum(h.n)
    from rollups r cross join histograms h on h.key = r.key where {where} group by {places}"""


def ahead(reading: Reading, asked: Wanted, *, times: bool = True) -> tuple[list[Summed], list[Measured]] | None:
    """The sums and the measured times; None where they are not kept."""
    found = _conditions(reading, asked)
    if found is None:
        return None
    c, columns, edges = found
    n = len(columns)
    sums: list[Summed] = [
        (row[:n], None, row[n:-2], row[-2], row[-1]) for row in reading.rows(_sums(c, columns), c.values)
    ]
    measured = _times(reading, c, columns) if times else []
    for edge in edges:
        for more_sums, more_times in Spans(reading, edge, times=times).chunks():
            sums += more_sums
            measured += more_times
    return sums, measured


def ahead_sql(reading: Reading, asked: Wanted) -> tuple[str, dict[str, Any]] | None:
    """(the statement of the sums, its values); without the quarter hours at the ends that are looked at by span."""
    found = _conditions(reading, asked)
    return None if found is None else (_sums(found[0], found[1]), found[0].values)


def _conditions(reading: Reading, asked: Wanted) -> tuple[Conditions, list[str], list[Wanted]] | None:
    """(conditions, columns to group by, what is left at the ends of the stretch of time)."""
    c = Conditions()
    found = _possible(reading, asked, c)
    if found is None:
        return None
    columns, where = found
    low, high, edges = _whole_quarters(asked)
    c.parts += where
    if low is not None:
        c.parts.append(f"r.quarter >= {c.bind(low)}")
    if high is not None:
        c.parts.append(f"r.quarter < {c.bind(high)}")
    return c, columns, edges


def _sums(c: Conditions, columns: Sequence[str]) -> str:
    return SUMS.format(
        head="".join(f"{column}, " for column in columns), sums=_SUMS, where=c.where,
        group=f"group by {_places(len(columns))}" if columns else "",
    )  # fmt: skip


def _times(reading: Reading, c: Conditions, columns: Sequence[str]) -> list[Measured]:
    n = len(columns)
    head = "".join(f"{column}, " for column in columns)
    sql = TIMES.format(head=head, of_model=OF_MODEL, where=c.where, places=_places(n + 3))
    return [(row[:n], row[n], bool(row[n + 1]), row[n + 2], row[n + 3]) for row in reading.rows(sql, c.values)]


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
