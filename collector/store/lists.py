"""The long lists: traces, spans, sessions. Each page is found by key, forwards or backwards, never by offset."""

from __future__ import annotations

from dataclasses import dataclass
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
class List:
    """What makes a list: its table, its row, the sorts it knows (never null) and what breaks their ties."""

    table: str
    row: str
    tie: str
    sorts: dict[str, str]
    base: str


TRACES = List(
    "traces t", TRACE_ROW, "t.trace_id",
    {
        "start": "t.start_ns", "duration": "ifnull(t.end_ns - t.start_ns, -1)", "cost": "ifnull(t.cost_nanousd, -1)",
        "tokens": _TOKENS.format("t"), "errors": "t.error_count", "spans": "t.span_count", "name": "ifnull(t.name, '')",
    },
    "1",
)  # fmt: skip
SPANS = List(
    "spans s", SPAN_ROW, "s.id",
    {
        "start": "s.start_ns", "duration": "ifnull(s.duration_ns, -1)", "cost": "ifnull(s.cost_nanousd, -1)",
        "tokens": _TOKENS.format("s"), "name": "ifnull(s.name, '')", "ttft": "ifnull(s.ttft_ns, -1)",
    },
    "s.start_ns is not null",
)  # fmt: skip
SESSIONS = List(
    "sessions x", SESSION_ROW, "x.session_id",
    {
        "last": "x.last_ns", "first": "x.first_ns", "cost": "ifnull(x.cost_nanousd, -1)", "traces": "x.trace_count",
        "tokens": _TOKENS.format("x"), "errors": "x.error_count", "session": "x.session_id",
    },
    "1",
)  # fmt: skip


LISTS = {"traces": TRACES, "spans": SPANS, "sessions": SESSIONS}


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
    column = what.sorts[name]
    page, backwards = (before, True) if before is not None else (after, False)
    down = falling != backwards
    if page is None:
        return Ordering(column, down, "1", {})
    tie = int(page.key or 0) if what is SPANS else page.key
    where = f"({column}, {what.tie}) {'<' if down else '>'} (:at, :tie)"
    return Ordering(column, down, where, {"at": page.value, "tie": tie})


def query(
    what: List, conditions: Conditions, *, limit: int, after: Page | None, before: Page | None, sort: str
) -> tuple[str, dict[str, Any]]:
    """(SQL, values). With `before` the rows come in reverse."""
    order = ordering(what, after, before, sort)
    direction = "desc" if order.down else "asc"
    sql = f"""
        select {what.row} from {what.table}
        where {what.base} and {conditions.where} and {order.where}
        order by {order.column} {direction}, {what.tie} {direction}
        limit :limit"""
    return sql, {**conditions.values, **order.values, "limit": limit}
