"""The long lists: traces, spans, sessions. Each page is found by key, forwards or backwards, never by offset."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from collector.errors import FilterError
from collector.store.conditions import SPAN_STATUS, TRACE_STATUS, Conditions
from collector.store.rows import Page, SpanRow

TRACE_ROW = f"""t.id, t.seq, t.trace_id, t.name, {TRACE_STATUS}, t.start_ns, t.end_ns, t.running_count,
    t.service, t.session_id, t.user_id, t.environment, t.release, t.project, t.level, t.tags, t.metadata, t.models,
    t.span_count, t.error_count, t.llm_calls, t.tool_calls, t.unpriced_calls, t.cost_nanousd,
    t.input_tokens, t.output_tokens, t.cache_read_tokens, t.cache_write_tokens, t.reasoning_tokens,
    t.audio_input_tokens, t.audio_output_tokens, t.in_preview, t.out_preview"""
SPAN_ROW = ", ".join(
    {"status": SPAN_STATUS, "name": "ifnull(s.name, '')", "parent_id": "s.parent_id"}.get(n, f"s.{n}")
    for n in SpanRow._fields
)
SESSION_ROW = """x.session_id, x.user_id, x.first_ns, x.last_ns, x.trace_count, x.span_count, x.error_count,
    x.llm_calls, x.tool_calls, x.unpriced_calls, x.cost_nanousd,
    x.input_tokens, x.output_tokens, x.cache_read_tokens, x.cache_write_tokens, x.reasoning_tokens"""

_TOKENS = "ifnull({0}.input_tokens, 0) + ifnull({0}.output_tokens, 0)"


@dataclass(frozen=True, slots=True)
class Sort:
    """What rows are sorted by: an expression that is never null, and the same of a row. `quick`: an index has this
    order, so that a page of it is found without reading the others."""

    sql: str
    of: Callable[[Any], Any]
    quick: bool = False


@dataclass(frozen=True, slots=True)
class List:
    """What makes a list: its table, its row, the sorts it knows, what breaks their ties, and the same of a row."""

    table: str
    row: str
    tie: str
    key: Callable[[Any], str]
    sorts: dict[str, Sort]
    base: str


def _number(column: str, of: Callable[[Any], int | None]) -> Sort:
    """A number, not known below all that are."""

    def value(row: Any) -> int:
        found = of(row)
        return -1 if found is None else found

    return Sort(f"ifnull({column}, -1)", value)


def _text(column: str, of: Callable[[Any], str | None]) -> Sort:
    return Sort(f"ifnull({column}, '')", lambda row: of(row) or "")


def _took(row: Any) -> int | None:
    return None if row.end_ns is None else row.end_ns - row.start_ns


_MODEL = "(select j.key from json_each(t.models) j limit 1)"
TRACES = List(
    "traces t", TRACE_ROW, "t.trace_id", lambda row: row.trace_id,
    {
        "start": Sort("t.start_ns", lambda row: row.start_ns, quick=True),
        "duration": _number("t.end_ns - t.start_ns", _took),
        "cost": _number("t.cost_nanousd", lambda row: row.cost_nanousd),
        "tokens": Sort(_TOKENS.format("t"), lambda row: (row.usage.input_tokens or 0) + (row.usage.output_tokens or 0)),
        "errors": Sort("t.error_count", lambda row: row.error_count),
        "spans": Sort("t.span_count", lambda row: row.span_count), "calls": Sort("t.llm_calls", lambda r: r.llm_calls),
        "tools": Sort("t.tool_calls", lambda row: row.tool_calls), "status": Sort(TRACE_STATUS, lambda row: row.status),
        "name": _text("t.name", lambda row: row.name), "input": _text("t.in_preview", lambda row: row.input_preview),
        "model": _text(_MODEL, lambda row: row.models[0] if row.models else ""),
        "service": _text("t.service", lambda r: r.service), "session": _text("t.session_id", lambda r: r.session_id),
        "user": _text("t.user_id", lambda r: r.user_id), "env": _text("t.environment", lambda row: row.environment),
        "release": _text("t.release", lambda row: row.release),
    },
    "1",
)  # fmt: skip
SPANS = List(
    "spans s", SPAN_ROW, "s.id", lambda row: str(row.id),
    {
        "start": Sort("s.start_ns", lambda row: row.start_ns, quick=True),
        "duration": _number("s.duration_ns", _took), "cost": _number("s.cost_nanousd", lambda row: row.cost_nanousd),
        "tokens": Sort(_TOKENS.format("s"), lambda row: (row.input_tokens or 0) + (row.output_tokens or 0)),
        "name": _text("s.name", lambda row: row.name), "ttft": _number("s.ttft_ns", lambda row: row.ttft_ns),
    },
    "s.start_ns is not null",
)  # fmt: skip
SESSIONS = List(
    "sessions x", SESSION_ROW, "x.session_id", lambda row: row.session_id,
    {
        "last": Sort("x.last_ns", lambda row: row.last_ns, quick=True),
        "first": Sort("x.first_ns", lambda row: row.first_ns),
        "duration": Sort("x.last_ns - x.first_ns", lambda row: row.last_ns - row.first_ns),
        "cost": _number("x.cost_nanousd", lambda row: row.cost_nanousd),
        "traces": Sort("x.trace_count", lambda r: r.trace_count), "calls": Sort("x.llm_calls", lambda r: r.llm_calls),
        "tokens": Sort(_TOKENS.format("x"), lambda row: (row.usage.input_tokens or 0) + (row.usage.output_tokens or 0)),
        "errors": Sort("x.error_count", lambda row: row.error_count), "user": _text("x.user_id", lambda r: r.user_id),
        "session": Sort("x.session_id", lambda row: row.session_id, quick=True),
    },
    "1",
)  # fmt: skip


LISTS = {"traces": TRACES, "spans": SPANS, "sessions": SESSIONS}


def place(what: List, row: Any, sort: str) -> Page:
    """Where a row stands in a list sorted so."""
    return Page(what.sorts[sort.removeprefix("-")].of(row), what.key(row))


@dataclass(frozen=True, slots=True)
class Ordering:
    """How a page is found by key: the sort's expression, its direction, what lies behind the page before."""

    column: str
    down: bool
    where: str
    values: dict[str, Any]


def ordering(what: List, after: Page | None, before: Page | None, sort: str) -> Ordering:
    """`sort` is a name of `what.sorts`, "-" before it for falling. FilterError when there is no such sort."""
    name, falling = sort.removeprefix("-"), sort.startswith("-")
    if name not in what.sorts:
        raise FilterError(f"cannot sort by {name!r}; it is one of {', '.join(what.sorts)}", sort, 0)
    column = what.sorts[name].sql
    page, backwards = (before, True) if before is not None else (after, False)
    down = falling != backwards
    if page is None:
        return Ordering(column, down, "1", {})
    tie = int(page.key or 0) if what is SPANS else page.key
    beyond = ("<" if down else ">") + ("=" if page.inclusive else "")
    where = f"({column}, {what.tie}) {beyond} (:at, :tie)"
    return Ordering(column, down, where, {"at": page.value, "tie": tie})


def query(
    what: List, conditions: Conditions, *, limit: int, after: Page | None, before: Page | None, sort: str
) -> tuple[str, dict[str, Any]]:
    """(SQL, values). With `before` the rows come in reverse."""
    order = ordering(what, after, before, sort)
    if conditions.whole and what is SPANS:  # in the order of the table, and sorted then: not by the index of starts
        order = replace(order, column=f"+{order.column}", where=order.where.replace("(", "(+", 1))
    direction = "desc" if order.down else "asc"
    sql = f"""
        select {what.row} from {what.table}
        where {what.base} and {conditions.where} and {order.where}
        order by {order.column} {direction}, {what.tie} {direction}
        limit :limit"""
    return sql, {**conditions.values, **order.values, "limit": limit}
