"""What the query calls of other products' clients ask: spans, traces, sessions and scores by fixed criteria.

    find(reader, SPANS, [Is("session", "=", ("thread-42",))], limit=50)

The file's own lists (`Reader.traces`) know the filter language and page by key; a client that asks for page 3 of so
many, by columns, is answered here. Columns and operators come from the tables below, values are bound, newest first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from collector.errors import FilterError
from collector.model import Score
from collector.store.binding import glob_pattern
from collector.store.reader import Reader
from collector.store.sound import sound_text

Scalar = str | int | float


@dataclass(frozen=True, slots=True)
class Is:
    """A criterion: `column` of the list asked, `op` one of OPERATORS, one value (or, for "in" and "not in", any
    number; for "null" and "set", none). `key` picks one of a column that has several values by name (metadata)."""

    column: str
    op: str
    values: tuple[Scalar, ...] = ()
    key: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """A list: its table, what names a row, its order, and its columns. `tags` are columns that hold a JSON list;
    those with ":key" in them have a value by name. What has no environment is of the one called "default"."""

    table: str
    key: str
    order: tuple[str, str]
    columns: dict[str, str]
    base: str = "1"


_STANDS = """exists (select 1 from bodies b where b.id = {0}.id
        and json_extract(b.attributes, '$."langfuse.observation.type"') = 'trace')"""
"""Whether a span only stands for a trace, of a product in which a trace is no span."""
_VERSION = """json_extract(b.attributes, '$."langfuse.version"')"""
_BY_KEY = "(select cast(j.value as text) from json_each({0}) j where j.key = :key limit 1)"
_TOKENS = "ifnull(s.input_tokens + s.output_tokens, ifnull(s.input_tokens, s.output_tokens))"
_JUDGED = "(select s.{0} from spans s where s.trace_id = c.trace_id and s.span_id = c.span_id)"
_IN_TRACE = "ifnull(s.{0}, (select t.{0} from traces t where t.trace_id = s.trace_id))"
SPANS = Kind(
    "spans s", "s.trace_id, s.span_id", ("s.start_ns", "s.id"),
    {
        "trace": "s.trace_id", "span": "s.span_id", "parent": "s.parent_id", "name": "s.name", "kind": "s.kind",
        "start": "s.start_ns", "end": "s.end_ns", "duration": "s.duration_ns", "status": "s.status",
        "level": "s.level", "model": "s.model", "prompt": "s.prompt_name",
        "version": f"(select {_VERSION} from bodies b where b.id = s.id)",
        "environment": f"ifnull({_IN_TRACE.format('environment')}, 'default')",
        "metadata": _BY_KEY.format("s.metadata"), "cost": "s.cost_nanousd", "input_tokens": "s.input_tokens",
        "output_tokens": "s.output_tokens", "message": "s.status_message", "source": "s.source_id",
        "project": _IN_TRACE.format("project"), "user": _IN_TRACE.format("user_id"),
        "session": _IN_TRACE.format("session_id"), "tags": _IN_TRACE.format("tags"),
        "trace_name": "(select t.name from traces t where t.trace_id = s.trace_id)",
        "trace_release": "(select t.release from traces t where t.trace_id = s.trace_id)",
        "prompt_version": "s.prompt_version", "ttft": "s.ttft_ns", "streamed": "s.duration_ns - s.ttft_ns",
        "counted_cost": "case when s.counted then s.cost_nanousd end",
        "counted_input": "case when s.counted then s.input_tokens end",
        "counted_output": "case when s.counted then s.output_tokens end",
        "counted_tokens": f"case when s.counted then {_TOKENS} end",
        "output_rate": "1e9 * s.output_tokens / nullif(s.duration_ns, 0)",
        "rate": f"1e9 * {_TOKENS} / nullif(s.duration_ns, 0)",
        "scores": "(select count(*) from scores c where c.trace_id = s.trace_id and c.span_id = s.span_id)",
        "root": f"""(s.parent_id is null or exists (select 1 from spans p where p.trace_id = s.trace_id
          and p.span_id = s.parent_id and p.parent_id is null and p.source_id is not null
          and {_STANDS.format("p")}))""",
    },
    f"s.start_ns is not null and not (s.source_id is not null and s.parent_id is null and {_STANDS.format('s')})",
)  # fmt: skip
"""Without the spans that only stand for a trace. "root" is 1 for a span on top, or right under such a one, else 0."""
TRACES = Kind(
    "traces t", "t.trace_id", ("t.start_ns", "t.trace_id"),
    {
        "trace": "t.trace_id", "name": "t.name", "user": "t.user_id", "session": "t.session_id", "start": "t.start_ns",
        "environment": "ifnull(t.environment, 'default')", "release": "t.release", "tags": "t.tags",
        "version": f"""(select {_VERSION} from spans s join bodies b on b.id = s.id
          where s.trace_id = t.trace_id and {_VERSION} is not null
          order by s.parent_id is not null, s.start_ns, s.span_id limit 1)""",
        "level": "t.level", "project": "t.project", "cost": "t.cost_nanousd", "errors": "t.error_count",
        "source": "t.source_id", "duration": "t.end_ns - t.start_ns", "input_tokens": "t.input_tokens",
        "output_tokens": "t.output_tokens", "tokens": "ifnull(t.input_tokens, 0) + ifnull(t.output_tokens, 0)",
        "metadata": _BY_KEY.format("t.metadata"), "spans": "t.span_count",
        "scores": "(select count(*) from scores c where c.trace_id = t.trace_id)",
        "score": "(select avg(c.value) from scores c where c.trace_id = t.trace_id and c.name = :key)",
    },
    "t.start_ns is not null",
)  # fmt: skip
SESSIONS = Kind(
    "sessions x", "x.session_id", ("x.first_ns", "x.session_id"),
    {
        "session": "x.session_id", "user": "x.user_id", "start": "x.first_ns",
        "environment": "ifnull((select t.environment from traces t where t.session_id = x.session_id"
        " and t.environment is not null order by t.start_ns limit 1), 'default')",
    },
    "x.first_ns is not null",
)  # fmt: skip
SCORES = Kind(
    "scores c",
    "c.score_id, c.name, c.time_ns, c.trace_id, c.span_id, c.session_id, c.value, c.label, c.data_type, c.comment,"
    " c.source, c.metadata",
    ("c.time_ns", "c.score_id"),
    {
        "score": "c.score_id", "trace": "c.trace_id", "span": "c.span_id", "session": "c.session_id", "name": "c.name",
        "data_type": "c.data_type", "value": "c.value", "label": "c.label", "start": "c.time_ns",
        "source": "c.source",
        "user": "(select t.user_id from traces t where t.trace_id = c.trace_id)",
        "tags": "(select t.tags from traces t where t.trace_id = c.trace_id)",
        "trace_name": "(select t.name from traces t where t.trace_id = c.trace_id)",
        "trace_release": "(select t.release from traces t where t.trace_id = c.trace_id)",
        "api": "'API'",
        "of_session": "ifnull(c.session_id, (select t.session_id from traces t where t.trace_id = c.trace_id))",
        "span_name": _JUDGED.format("name"), "span_model": _JUDGED.format("model"),
        "span_prompt": _JUDGED.format("prompt_name"), "span_prompt_version": _JUDGED.format("prompt_version"),
        "environment": """ifnull(json_extract(c.metadata, '$."langfuse.environment"'),
          ifnull((select t.environment from traces t where t.trace_id = c.trace_id), 'default'))""",
        "about": """json_extract(c.metadata, '$."langfuse.objectType"')""",
        "object": """json_extract(c.metadata, '$."langfuse.objectId"')""",
        "author": """json_extract(c.metadata, '$."langfuse.authorUserId"')""",
        "queue": """json_extract(c.metadata, '$."langfuse.queueId"')""",
        "experiment": """json_extract(c.metadata, '$."langfuse.datasetRunId"')""",
        "config": """json_extract(c.metadata, '$."langfuse.configId"')""",
    },
)  # fmt: skip

_COMPARE = {"=": "=", "<>": "<>", ">": ">", "<": "<", ">=": ">=", "<=": "<="}
_GLOBS = {"contains": "*{}*", "starts with": "{}*", "ends with": "*{}"}
OPERATORS = (*_COMPARE, *_GLOBS, "does not contain", "in", "not in", "null", "set", "any of", "all of", "none of")


def find(
    reader: Reader, kind: Kind, wanted: Sequence[Is] = (), *, limit: int = 50, offset: int = 0,
    after: tuple[int, str | int] | None = None, oldest_first: bool = False, by: str | None = None,
) -> list[tuple[Any, ...]]:  # fmt: skip
    """Rows: the columns of `kind.key`, then the two it is ordered by. `after` is those two of the last row seen.
    `by` orders by another column (then `oldest_first` is: the smallest first). FilterError names a column or operator
    that there is not."""
    where, values = _where(kind, wanted)
    at, tie = kind.order
    down = "" if oldest_first else "desc"
    if after is not None:
        where += f" and ({at}, {tie}) {'>' if oldest_first else '<'} (:after_at, :after_tie)"
        values |= {"after_at": after[0], "after_tie": after[1]}
    sql = f"""
        select {kind.key}, {at}, {tie} from {kind.table} where {where}
        order by {f"{kind.columns[by]} {down}, " if by else ""}{at} {down}, {tie} {down} limit :limit offset :offset"""
    return reader.rows(sql, {**values, "limit": limit, "offset": offset})


def count(reader: Reader, kind: Kind, wanted: Sequence[Is] = ()) -> int:
    """How many `find` would find with no limit."""
    where, values = _where(kind, wanted)
    return int(reader.rows(f"select count(*) from {kind.table} where {where}", values)[0][0])


def values(
    reader: Reader, kind: Kind, wanted: Sequence[Is], names: Sequence[str], most: int
) -> list[tuple[Any, ...]]:  # fmt: skip
    """These columns of every row, in no order; one more than `most` where there are more."""
    where, bound = _where(kind, wanted)
    columns = ", ".join(kind.columns[name] for name in names)
    return reader.rows(f"select {columns} from {kind.table} where {where} limit :limit", {**bound, "limit": most + 1})


def distinct(reader: Reader, kind: Kind, wanted: Sequence[Is], name: str, most: int = 10_000) -> list[Any]:
    """The values that a column has, at most so many, sorted."""
    where, bound = _where(kind, wanted)
    column = kind.columns[name]
    sql = f"select distinct {column} from {kind.table} where {where} order by 1 limit :limit"
    return [row[0] for row in reader.rows(sql, {**bound, "limit": most})]


def scores(
    reader: Reader, wanted: Sequence[Is] = (), *, limit: int = 50, offset: int = 0,
    after: tuple[int, str | int] | None = None,
) -> list[Score]:  # fmt: skip
    """Scores, newest first."""
    rows = find(reader, SCORES, wanted, limit=limit, offset=offset, after=after)
    return [Score(*[*row[:11], orjson.loads(row[11]) if row[11] else None]) for row in rows]


def own_ids(reader: Reader, trace_id: str) -> dict[str, str]:
    """The ids that a trace's sender gave, where they differ from ours: of its spans, and of the trace under its own."""
    sql = """
        select s.span_id, s.source_id, b.source_trace_id from spans s join bodies b on b.id = s.id
        where s.trace_id = :trace and (s.source_id is not null or b.source_trace_id is not null)"""
    found: dict[str, str] = {}
    for span, source, trace in reader.rows(sql, {"trace": trace_id}):
        if source:
            found[span] = source
        if trace:
            found[trace_id] = trace
    return found


def saying(reader: Reader, trace_id: str, keys: Sequence[str], most: int = 10) -> list[str]:
    """The spans of a trace that have one of these attributes, from the root down, at most so many."""
    sql = """
        select s.span_id from spans s join bodies b on b.id = s.id
        where s.trace_id = :trace and s.start_ns is not null and exists (
          select 1 from json_each(:paths) j where json_type(b.attributes, j.value) is not null)
        order by s.parent_id is not null, s.start_ns, s.span_id limit :limit"""
    paths = orjson.dumps([f'$."{key}"' for key in keys]).decode()
    return [row[0] for row in reader.rows(sql, {"trace": trace_id, "paths": paths, "limit": most})]


def _where(kind: Kind, wanted: Sequence[Is]) -> tuple[str, dict[str, Any]]:
    parts = [kind.base]
    values: dict[str, Any] = {}
    for n, one in enumerate(wanted):
        column = kind.columns.get(one.column)
        if column is None:
            raise FilterError(f"there is no column {one.column!r} here; there are {', '.join(kind.columns)}")
        name = f"v{n}"
        if ":key" in column:
            column = column.replace(":key", f":k{n}")
            values[f"k{n}"] = sound_text(one.key)
        parts.append(f"({_condition(column, one, name)})")
        if one.op not in ("null", "set"):
            values[name] = _bound(one)
    return " and ".join(parts), values


def _condition(column: str, one: Is, name: str) -> str:
    listed = f"(select j.value from json_each(:{name}) j)"
    if one.op in _COMPARE:
        return f"{column} {_COMPARE[one.op]} :{name}"
    if one.op in ("in", "not in"):
        return f"ifnull({column}, '') {one.op} {listed}"
    if one.op in _GLOBS:
        return f"{column} glob :{name}"
    if one.op == "does not contain":
        return f"not ifnull({column} glob :{name}, 0)"
    if one.op in ("null", "set"):
        return f"{column} is {'not ' if one.op == 'set' else ''}null"
    of = f"select count(distinct w.value) from json_each({column}) w where w.value in {listed}"
    if one.op == "all of":
        return f"({of}) = (select count(distinct j.value) from json_each(:{name}) j)"
    if one.op in ("any of", "none of"):
        return f"({of}) {'> 0' if one.op == 'any of' else '= 0'}"
    raise FilterError(f"there is no operator {one.op!r} here; there are {', '.join(OPERATORS)}")


def _held(value: int | float) -> int | float:
    """No number of SQLite is larger."""
    return max(-(2**63), min(value, 2**63 - 1)) if isinstance(value, int) else value


def _bound(one: Is) -> Scalar:
    values = [sound_text(value) if isinstance(value, str) else _held(value) for value in one.values]
    if one.op in ("in", "not in", "any of", "all of", "none of"):
        return orjson.dumps(values).decode()
    if len(values) != 1:
        raise FilterError(f"{one.op} takes one value, not {len(values)}")
    if one.op in _GLOBS or one.op == "does not contain":
        escaped = glob_pattern(str(values[0])).replace("*", "[*]")
        return _GLOBS.get(one.op, "*{}*").replace("{}", escaped)
    return values[0]
