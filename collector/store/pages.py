"""One page of a list: narrowed to what can hold (`narrow.py`), and words that are everywhere looked up row by row.

A list is walked in its order, each row's spans looked up, until the page is full. Where it is not after NEAR rows
hardly any row holds, and what holds is gathered in one walk through the spans instead (`Conditions.whole`): of ten
million spans a page that finds nothing takes 2 s so, and 10 s the other way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from textwrap import dedent
from typing import Any, NamedTuple

import orjson

from collector.store.conditions import Conditions, for_sessions, for_spans, for_traces
from collector.store.filters import Filter, Term
from collector.store.lists import SESSIONS, SPANS, TRACES, List, Ordering, ordering, query
from collector.store.narrow import MOST, Rows, holding, is_common, narrow
from collector.store.rows import Page

WINDOW = 1000
NEAR = {"traces t": 10_000, "spans s": 100_000, "sessions x": 3_000}
"""So many rows are looked at one by one, spans and all."""
FIFTH = 5
"""Or this part of all there are: to look at that many takes as long as to walk through all spans."""
HEAVY = 50_000
"""So many spans are looked through at once for the words that they brought."""

_TRACES = "select ifnull(max(id), 0) from traces"
_OF_FEW = "select n.trace_id from spans n where n.id in (select value from json_each(:narrow))"


class Shape(NamedTuple):
    """What is asked of a list's rows: which column names it, which holds its number of spans, how it is narrowed
    to spans, and which texts its rows brought."""

    conditions: Callable[..., Conditions]
    key: int
    weight: int | None
    few: str
    brought: str


_BROUGHT = "select m.text_id, j.value from json_each(:keys) j {} cross join mentions m on m.span_id = {}"
_SHAPES = {
    TRACES.table: Shape(
        for_traces, 2, 18, f"t.trace_id in ({_OF_FEW})",
        _BROUGHT.format("cross join spans s on s.trace_id = j.value", "s.id"),
    ),
    SPANS.table: Shape(
        for_spans, 0, None, "s.id in (select value from json_each(:narrow))", _BROUGHT.format("", "j.value")
    ),
    SESSIONS.table: Shape(
        for_sessions, 0, 5, f"x.session_id in (select w.session_id from traces w where w.trace_id in ({_OF_FEW}))",
        _BROUGHT.format(
            "cross join traces w on w.session_id = j.value cross join spans s on s.trace_id = w.trace_id", "s.id"
        ),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """A page as it was asked for."""

    what: List
    where: Filter
    limit: int
    after: Page | None
    before: Page | None
    sort: str


def page(rows: Rows, moment: dict[str, Any], asked: Asked) -> list[tuple[Any, ...]]:
    """The rows of a page, in the order asked for."""
    few = narrow(rows, asked.where, by_trace=asked.what is not SPANS)
    if few == []:
        return []
    common = [part for part in asked.where.terms if isinstance(part, Term) and is_common(rows, part)]
    found = _by_looking(rows, moment, asked, few, common) if common else None
    if found is None:
        found = _walked(rows, moment, asked, few)
    return found[::-1] if asked.before is not None else found


def as_sql(rows: Rows, moment: dict[str, Any], asked: Asked) -> str:
    """What a page is in one statement that can be pasted into sqlite3, with SQLite's plan below it. (It is asked for
    in other words where those are quicker: see `page`.)"""
    text, values = query(
        asked.what, narrowed(asked.what, asked.where, None), limit=asked.limit, after=asked.after,
        before=asked.before, sort=asked.sort,
    )  # fmt: skip
    return spelt(rows, text, {**values, **moment})


def spelt(rows: Rows, text: str, values: Mapping[str, Any]) -> str:
    """A statement for people: its values in place, and as comments how SQLite goes about it, a line a step."""
    steps = [row[3] for row in rows(f"explain query plan {text}", dict(values))]
    whole = dedent(_BOUND.sub(lambda found: _literal(values[found[1]]), text)).strip() + ";"
    return "\n".join([whole, *(f"-- {step}" for step in steps)])


_BOUND = re.compile(r"(?<!:):([a-z]\w*)")


def _literal(value: Any) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return "null" if value is None else str(value)


def narrowed(what: List, where: Filter, few: Sequence[int] | None, *, whole: bool = False) -> Conditions:
    """The filter as conditions, held to these spans where there are few."""
    shape = _SHAPES[what.table]
    conditions = shape.conditions(where, whole=whole)
    if few is not None:
        conditions.parts.append(shape.few)
        conditions.values["narrow"] = orjson.dumps(few).decode()
    return conditions


def for_all(
    rows: Rows, moment: dict[str, Any], what: List, where: Filter, few: Sequence[int] | None, rest: str = "1",
    **more: int,
) -> Conditions:  # fmt: skip
    """The conditions for a question about every row that the filter finds (of the `rest`, which `more` binds)."""
    conditions = narrowed(what, where, few)
    if few is not None or not conditions.lookups:
        return conditions
    own = " and ".join([what.base, rest, *conditions.own])
    sql = f"select count(*) from (select 1 from {what.table} where {own} limit :near)"
    near = max(NEAR[what.table], rows(_TRACES, {})[0][0] // FIFTH)
    many = rows(sql, {**conditions.values, **moment, **more, "near": near + 1})[0][0] > near
    return narrowed(what, where, few, whole=True) if many else conditions


def _walked(rows: Rows, moment: dict[str, Any], asked: Asked, few: Sequence[int] | None) -> list[tuple[Any, ...]]:
    """The page by walking the list: what is near first, what is far in another way."""
    what, where = asked.what, asked.where
    conditions = narrowed(what, where, few)
    if few is not None or not (conditions.lookups or (what is SPANS and where)):
        return _ask(rows, moment, asked, conditions)
    order = ordering(what, asked.after, asked.before, asked.sort)
    if order.column in _EDGES:
        edge = _edge(rows, order, what)
        if edge is None:
            return _ask(rows, moment, asked, conditions)
        conditions.parts.append(f"{order.column} {'>=' if order.down else '<='} {conditions.bind(edge)}")
        found = _ask(rows, moment, asked, conditions)
        if len(found) >= asked.limit:
            return found
    if what is not SPANS:
        return _ask(rows, moment, asked, for_all(rows, moment, what, where, few))
    return _ask(rows, moment, asked, narrowed(what, where, few, whole=True))


_EDGES = ("t.start_ns", "s.start_ns", "x.last_ns")


def _edge(rows: Rows, order: Ordering, what: List) -> int | None:
    """Where the rows end that are near the beginning of the page; None when all that follow are."""
    sign, way = ("<=", "desc") if order.down else (">=", "asc")
    sql = f"""select {order.column} from {what.table} where {what.base} and {order.column} {sign} :at
        order by {order.column} {way} limit 1 offset :near"""
    at = order.values.get("at", 2**63 - 1 if order.down else -(2**63))
    found = rows(sql, {"at": at, "near": NEAR[what.table]})
    return found[0][0] if found else None


def _ask(rows: Rows, moment: dict[str, Any], asked: Asked, conditions: Conditions) -> list[tuple[Any, ...]]:
    sql, values = query(
        asked.what, conditions, limit=asked.limit, after=asked.after, before=asked.before, sort=asked.sort
    )
    return rows(sql, {**values, **moment})


def _by_looking(
    rows: Rows, moment: dict[str, Any], asked: Asked, few: Sequence[int] | None, common: Sequence[Term]
) -> list[tuple[Any, ...]] | None:
    """The page by looking through the next rows that hold for everything else; None when that does not fill it."""
    rest = Filter(tuple(part for part in asked.where.terms if part not in common))
    for size in (2 * asked.limit, WINDOW + asked.limit, MOST + asked.limit):
        if size > WINDOW + asked.limit and few is None:
            break
        window = _walked(rows, moment, replace(asked, where=rest, limit=size), few)
        found = _saying(rows, asked.what, window, common)
        if found is None:
            break
        if len(found) >= asked.limit or len(window) < size:
            return found[: asked.limit]
    return None


def _saying(
    rows: Rows, what: List, window: list[tuple[Any, ...]], common: Sequence[Term]
) -> list[tuple[Any, ...]] | None:
    """Those rows whose spans brought the words; None when there are too many spans to look through."""
    from collector.store.search import match_expression

    shape = _SHAPES[what.table]
    if shape.weight is not None and sum(row[shape.weight] or 0 for row in window) > HEAVY:
        return None
    keys = orjson.dumps([row[shape.key] for row in window]).decode()
    brought = rows(shape.brought, {"keys": keys})
    for term in common:
        asked = match_expression(term.values[0])
        texts = holding(rows, asked, (text for text, _ in brought)) if asked is not None else set()
        saying = {key for text, key in brought if text in texts}
        window = [row for row in window if (row[shape.key] in saying) != term.negated]
    return window
