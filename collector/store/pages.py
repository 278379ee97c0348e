"""One page of a list: narrowed to what can hold (`narrow.py`), and words that are everywhere looked up row by row."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import dedent
from typing import Any

import orjson

from collector.store.conditions import Conditions, for_sessions, for_spans, for_traces
from collector.store.filters import Filter, Term
from collector.store.lists import SESSIONS, SPANS, TRACES, List, query
from collector.store.narrow import MOST, Rows, holding, is_common, narrow
from collector.store.rows import Page
from collector.store.search import match_expression

WINDOW = 1000
HEAVY = 50_000
"""So many spans are looked through at once for the words that they brought."""

_OF_FEW = "select n.trace_id from spans n where n.id in (select value from json_each(:narrow))"


@dataclass(frozen=True, slots=True)
class Shape:
    """What is asked of a list's rows: which column names it, which holds its number of spans, how it is narrowed
    to spans, and which texts its rows brought."""

    conditions: Callable[[Filter], Conditions]
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
    common = [part for part in asked.where.terms if isinstance(part, Term) and is_common(rows, part)]
    found = _by_looking(rows, moment, asked, few, common) if common else None
    if found is None:
        found = _ask(rows, moment, asked, narrowed(asked.what, asked.where, few), asked.limit)
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


def narrowed(what: List, where: Filter, few: Sequence[int] | None) -> Conditions:
    """The filter as conditions, held to these spans where there are few."""
    shape = _SHAPES[what.table]
    conditions = shape.conditions(where)
    if few is not None:
        conditions.parts.append(shape.few)
        conditions.values["narrow"] = orjson.dumps(few).decode()
    return conditions


def _ask(rows: Rows, moment: dict[str, Any], asked: Asked, conditions: Conditions, limit: int) -> list[tuple[Any, ...]]:
    sql, values = query(asked.what, conditions, limit=limit, after=asked.after, before=asked.before, sort=asked.sort)
    return rows(sql, {**values, **moment})


def _by_looking(
    rows: Rows, moment: dict[str, Any], asked: Asked, few: Sequence[int] | None, common: Sequence[Term]
) -> list[tuple[Any, ...]] | None:
    """The page by looking through the next rows that hold for everything else; None when that does not fill it."""
    rest = Filter(tuple(part for part in asked.where.terms if part not in common))
    conditions = narrowed(asked.what, rest, few)
    for size in (2 * asked.limit, WINDOW + asked.limit, MOST + asked.limit):
        if size > WINDOW + asked.limit and few is None:
            break
        window = _ask(rows, moment, asked, conditions, size)
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
