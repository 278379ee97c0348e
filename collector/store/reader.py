"""Reading a traces.db: one connection, never a transaction left open, answers as frozen rows.

`open_reader` (opening.py) makes one. Use it in the thread that opened it. Statuses are computed here:
what is stored as running is abandoned when its process is gone.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from operator import attrgetter
from pathlib import Path
from typing import Any

import orjson

from collector.errors import NotFound, StoreError
from collector.model import USAGE_FIELDS, Process, Resource, Scope, Score, SpanPart, Usage
from collector.store import hostid, skeleton
from collector.store.complete import Completion, complete
from collector.store.conditions import Conditions, for_spans
from collector.store.expand import Expander
from collector.store.filters import Filter
from collector.store.find import find
from collector.store.lists import LISTS, SESSIONS, SPAN_ROW, SPANS, TRACE_ROW, TRACES, List
from collector.store.migrations import SCHEMA_VERSION
from collector.store.narrow import narrow
from collector.store.pages import Asked, as_sql, narrowed, page, plan
from collector.store.rows import (
    Changes,
    FileState,
    LedgerRow,
    Page,
    SearchHit,
    SessionRow,
    SpanDetail,
    SpanRow,
    Totals,
    TraceRow,
)  # fmt: skip
from collector.store.salvage import salvaged
from collector.store.skeleton import Skeleton
from collector.store.state import BODY_COLUMNS, SPAN_COLUMNS, SpanState

ANY = Filter()
HEARTBEAT_NS = 60_000_000_000
QUIET_NS = 3_600_000_000_000
EXPORT_PAGE = 500

ONE_TRACE = f"select {TRACE_ROW} from traces t where t.trace_id = :trace_id"
PREFIXED = "select trace_id from traces where trace_id >= :low and trace_id < :high order by trace_id limit 3"
OF_TRACE = f"""
    select {SPAN_ROW} from spans s where s.trace_id = :trace_id and s.start_ns is not null"""
OLDEST_OF_TRACE = f"{OF_TRACE} order by s.start_ns, s.span_id limit :limit"
CHILDREN = f"""
    select {SPAN_ROW} from spans s
    where s.trace_id = :trace_id and s.parent_id is :parent and s.start_ns is not null
      and (s.start_ns, s.span_id) > (:at, :tie)
    order by s.start_ns, s.span_id limit :limit"""
CHILD_COUNTS = """
    select j.value, (select count(*) from spans s where s.trace_id = :trace_id and s.parent_id = j.value)
    from json_each(:ids) j"""
ONE_SPAN = f"""
    select {SPAN_ROW}, {", ".join(f"s.{n}" for n in SPAN_COLUMNS)}, {", ".join(f"b.{n}" for n in BODY_COLUMNS)}
    from spans s join bodies b on b.id = s.id where s.trace_id = :trace_id and s.span_id = :span_id"""
EXPORT = f"""
    select {", ".join(f"s.{n}" for n in SPAN_COLUMNS)}, {", ".join(f"b.{n}" for n in BODY_COLUMNS)}
    from spans s join bodies b on b.id = s.id
    where s.start_ns is not null and (s.start_ns, s.id) > (:at, :tie) and {{where}}
    order by s.start_ns, s.id limit :limit"""
EXPORT_ONE = EXPORT.replace("order by s.start_ns, s.id limit :limit", "and s.id = :number")
EXPORT_NAMED = f"""
    select {", ".join(f"s.{n}" for n in SPAN_COLUMNS)}, {", ".join(f"b.{n}" for n in BODY_COLUMNS)}
    from spans s join bodies b on b.id = s.id
    where s.trace_id = :trace_id and s.span_id = :span_id and s.start_ns is not null"""
DAMAGED = "what can be read of it is shown"
GHOSTS = f"""
    select {", ".join(f"s.{n}" for n in SPAN_COLUMNS)}, {", ".join(f"b.{n}" for n in BODY_COLUMNS)}
    from spans s join bodies b on b.id = s.id where s.start_ns is null order by s.id"""
CHANGED = "select seq, trace_id from spans where seq > :seq order by seq limit :limit"
SCORES = """
    select score_id, name, time_ns, trace_id, span_id, session_id, value, label, data_type, comment, source, metadata
    from scores where trace_id = :trace_id order by time_ns, score_id"""
_TOTALS = (
    "select count(*), sum(t.span_count), sum(t.error_count), sum(t.unpriced_calls), sum(t.cost_nanousd) from traces t"
)
# Without a filter the quarter hours are summed: there are far fewer of them than traces. They hold 0 where no
# cost is known, so a sum of 0 is looked at again.
_ALL_TOTALS = """
    select (select count(*) from traces), sum(spans), sum(errors), sum(unpriced_calls),
      case when sum(cost_nanousd) <> 0 then sum(cost_nanousd) else (select sum(cost_nanousd) from traces) end
    from rollups"""


class Reader:
    """See the module. `alive(pid, started_ns)` and `now_ns` are seams for tests."""

    def __init__(
        self, connection: sqlite3.Connection, state: FileState, *, now_ns: Callable[[], int] = time.time_ns,
        alive: Callable[[int, int], bool] = hostid.alive,
    ) -> None:  # fmt: skip
        self.state = state
        self._connection = connection
        self._now_ns = now_ns
        self._alive = alive
        self._expander = Expander(connection, forgiving=True)

    def _rows(self, sql: str, values: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(sql, values or {}).fetchall()
        except sqlite3.DatabaseError as error:
            raise self._unreadable(error) from error

    def rows(self, sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        """Rows of a statement, for the other readers of the store (`library.py`)."""
        return self._rows(sql, values)

    def _unreadable(self, error: Exception) -> StoreError:
        newer = self.state.schema_version > SCHEMA_VERSION
        hint = "; a newer version wrote it: upgrade tracetui" if newer else ""
        return StoreError(f"cannot read {self.state.path}: {error}{hint}")

    @contextmanager
    def _sound(self) -> Iterator[None]:
        """A StoreError for whatever a damaged column turns out to hold."""
        try:
            yield
        except (sqlite3.DatabaseError, ValueError, TypeError, LookupError, AttributeError) as error:
            raise self._unreadable(error) from error

    def data_version(self) -> int:
        """A number that changes when another connection commits."""
        return int(self._rows("pragma data_version")[0][0])

    def seq(self) -> int:
        """The number of the last change."""
        return int(self._rows("select seq from counters")[0][0])

    # -- who is alive ---------------------------------------------------------------------------------

    def _moment(self) -> dict[str, Any]:
        """What the status expressions bind: processes that are gone, and how long is too quiet."""
        now = self._now_ns()
        rows = self._rows(
            """select process_id, pid, started_ns, boot_id, pid_namespace, heartbeat_ns, ended_ns from processes
               where process_id in (select process_id from spans where status = 'running')"""
        )
        dead = [row[0] for row in rows if self._is_dead(row, now)]
        return {"dead": orjson.dumps(dead).decode(), "quiet": now - QUIET_NS}

    def _is_dead(self, row: tuple[Any, ...], now: int) -> bool:
        _, pid, started_ns, boot_id, namespace, heartbeat_ns, ended_ns = row
        if ended_ns is not None:
            return True
        if boot_id and boot_id == hostid.boot_id() and namespace == hostid.pid_namespace():
            return not self._alive(pid, started_ns)
        return bool(now - heartbeat_ns > HEARTBEAT_NS)

    # -- lists ----------------------------------------------------------------------------------------

    def _list(
        self, what: List, where: Filter | None, limit: int, after: Page | None, before: Page | None, sort: str
    ) -> list[tuple[Any, ...]]:
        asked = Asked(what, where or ANY, limit, after, before, sort)
        try:
            return page(self._rows, self._moment(), asked)
        except StoreError:
            newer = self.state.schema_version > SCHEMA_VERSION
            found = None if newer else salvaged(self._rows, self._moment(), asked)
            if found is None:
                raise
            self._say_damaged()
            return found

    def _say_damaged(self) -> None:
        """What is read from here on may be less than there was; people should know."""
        if DAMAGED not in (self.state.note or ""):
            note = f"{Path(self.state.path).name} is damaged: {DAMAGED}; `tracetui check` says what is wrong"
            self.state = replace(self.state, note="; ".join(filter(None, (self.state.note, note))))

    def traces(
        self, where: Filter | None = None, *, limit: int = 100, after: Page | None = None,
        before: Page | None = None, sort: str = "-start",
    ) -> list[TraceRow]:  # fmt: skip
        """A page of traces. `after` and `before` are the `Page` of a row: its sort value and trace id."""
        return [_trace(row) for row in self._list(TRACES, where, limit, after, before, sort)]

    def spans(
        self, where: Filter | None = None, *, limit: int = 100, after: Page | None = None,
        before: Page | None = None, sort: str = "-start",
    ) -> list[SpanRow]:  # fmt: skip
        """A page of spans of all traces; ties are broken by `SpanRow.id`."""
        return [_span(row) for row in self._list(SPANS, where, limit, after, before, sort)]

    def sessions(
        self, where: Filter | None = None, *, limit: int = 100, after: Page | None = None,
        before: Page | None = None, sort: str = "-last",
    ) -> list[SessionRow]:  # fmt: skip
        rows = self._list(SESSIONS, where, limit, after, before, sort)
        return [SessionRow(*[*row[:11], Usage(*row[11:])]) for row in rows]

    def list_sql(self, what: str, where: Filter, *, limit: int, sort: str) -> str:
        """The statement behind the first page of "traces", "spans" or "sessions", values and all, for people; below
        it, as comments, SQLite's plan for it."""
        asked = Asked(LISTS[what], where, limit, None, None, sort)
        steps = plan(self._rows, self._moment(), asked)
        return "\n".join([as_sql(self._moment(), asked), *(f"-- {step}" for step in steps)])

    def complete(self, text: str, cursor: int, views: Mapping[str, str]) -> Completion:
        """What could stand at the cursor of a filter's text."""
        return complete(self._rows, text, cursor, views)

    def totals(self, where: Filter | None = None) -> Totals:
        """How much the filter finds. With a filter it reads every trace found: seconds for millions."""
        if not where:
            found = self._rows(_ALL_TOTALS)[0]
        else:
            conditions = narrowed(TRACES, where, narrow(self._rows, where))
            values = {**conditions.values, **self._moment()}
            found = self._rows(f"{_TOTALS} where {conditions.where}", values)[0]
        traces, spans, errors, unpriced, cost = found
        return Totals(traces, spans or 0, errors or 0, unpriced or 0, cost, self.sampled_out())

    # -- one trace ------------------------------------------------------------------------------------

    def trace(self, trace_id: str) -> TraceRow:
        rows = self._rows(ONE_TRACE, {"trace_id": trace_id, **self._moment()})
        if not rows:
            raise NotFound(f"{self.state.path} has no trace {trace_id}")
        return _trace(rows[0])

    def resolve_trace(self, prefix: str) -> str:
        """The one trace whose id begins so. NotFound when there is none, or more than one."""
        low = prefix.strip().lower()
        if not low or not all(c in "0123456789abcdef" for c in low):
            raise NotFound(f"{prefix!r} is no trace id: 32 hex digits, or the first few of them")
        found = [row[0] for row in self._rows(PREFIXED, {"low": low, "high": low + "g"})]
        if not found:
            raise NotFound(f"{self.state.path} has no trace that begins with {low}")
        if len(found) > 1:
            raise NotFound(f"{low} is the beginning of several traces: {', '.join(found)}")
        return str(found[0])

    def tree_spans(self, trace_id: str, *, limit: int | None = None) -> list[SpanRow]:
        """The spans of a trace by (start_ns, span_id)."""
        values = {"trace_id": trace_id, **self._moment()}
        if limit is not None:
            return list(map(SpanRow._make, self._rows(OLDEST_OF_TRACE, {**values, "limit": limit})))
        rows = list(map(SpanRow._make, self._rows(OF_TRACE, values)))
        rows.sort(key=attrgetter("start_ns", "span_id"))  # a third of the time that SQLite takes to
        return rows

    def skeleton(self, trace_id: str, *, since: int | None = None) -> Skeleton:
        """What the tree of a trace stands on, for traces of any size. `since`: only of the spans that changed after
        this `TraceRow.seq`, and of those that run."""
        return skeleton.read(self._rows, trace_id, self._moment(), since)

    def span_rows(self, trace_id: str, numbers: Sequence[int]) -> dict[int, SpanRow]:
        """The rows of some of its spans, by the number that a skeleton gives them."""
        return skeleton.some_rows(self._rows, trace_id, self._moment(), numbers)

    def children(
        self, trace_id: str, parent_id: str | None, *, limit: int = 100, after: Page | None = None
    ) -> list[SpanRow]:
        """A page of the direct children of a span (None: spans without a parent), by (start_ns, span_id)."""
        values = {
            "trace_id": trace_id, "parent": parent_id, "limit": limit,
            "at": after.value if after else -1, "tie": after.key if after else "", **self._moment(),
        }  # fmt: skip
        return [_span(row) for row in self._rows(CHILDREN, values)]

    def child_counts(self, trace_id: str, span_ids: Sequence[str]) -> dict[str, int]:
        values = {"trace_id": trace_id, "ids": orjson.dumps(list(span_ids)).decode()}
        return {row[0]: row[1] for row in self._rows(CHILD_COUNTS, values)}

    def span(self, trace_id: str, span_id: str) -> SpanDetail:
        """One span with all of its content."""
        rows = self._rows(ONE_SPAN, {"trace_id": trace_id, "span_id": span_id, **self._moment()})
        if not rows:
            raise NotFound(f"{self.state.path} has no span {span_id} in trace {trace_id}")
        row = rows[0]
        light, rest = row[: len(SpanRow._fields)], row[len(SpanRow._fields) :]
        state, body = _state_and_body(rest)
        scores = tuple(score for score in self.scores(trace_id) if score.span_id == span_id)
        with self._sound():
            return self._detail(_span(light), state, body, scores)

    def _detail(self, row: SpanRow, state: SpanState, body: dict[str, Any], scores: tuple[Score, ...]) -> SpanDetail:
        x = self._expander
        r = x.reading(state, body)
        return SpanDetail(
            row=row, operation=r.operation, request_model=r.request_model, response_id=r.response_id,
            convention=r.convention, params=r.params, usage=r.usage or Usage(), cost_source=state.cost_source,
            system=r.system, input=r.input, output=r.output, tool=r.tool, tool_definitions=r.tool_definitions,
            documents=r.documents, prompt_name=r.prompt_name, prompt_version=r.prompt_version,
            agent_name=r.agent_name, environment=r.environment, release=r.release, project=r.project,
            level=r.level, finish_reasons=r.finish_reasons, tags=r.tags, metadata=r.metadata, notes=r.notes,
            replay_of=r.replay_of, attributes=x.attributes(body["attributes"]), events=x.events(body["events"]),
            links=x.links(body["links"]), logs=x.logs(body["logs"]),
            resource=x.resource(body["resource"]) or Resource(), scope=x.scope(body["scope"]) or Scope(),
            scores=scores, source_id=state.source_id,
        )  # fmt: skip

    def scores(self, trace_id: str) -> list[Score]:
        rows = self._rows(SCORES, {"trace_id": trace_id})
        return [Score(*[*row[:11], orjson.loads(row[11]) if row[11] else None]) for row in rows]

    # -- the whole file -------------------------------------------------------------------------------

    def changes_since(self, seq: int, *, limit: int = 10_000) -> Changes:
        """The traces that changed after `seq`, at most `limit` changed spans at a time."""
        rows = self._rows(CHANGED, {"seq": seq, "limit": limit})
        traces = tuple(dict.fromkeys(row[1] for row in rows))
        return Changes(rows[-1][0] if rows else seq, traces, len(rows) == limit)

    def search(self, text: str, where: Filter | None = None, *, limit: int = 100) -> list[SearchHit]:
        """Spans that brought a text with these words (see search.py), newest first; a span is listed once."""
        few = narrow(self._rows, where, by_trace=False) if where else None
        return find(self._rows, text, narrowed(SPANS, where or ANY, few), self._moment(), limit, few)

    def parts(self, where: Filter | None = None) -> Iterator[SpanPart]:
        """Every span the filter finds, as it was sent (folded), oldest first: for export."""
        conditions = for_spans(where or ANY)
        sql = EXPORT.format(where=conditions.where)
        at, tie = -(2**62), 0
        while True:
            values = {"at": at, "tie": tie, "limit": EXPORT_PAGE, **conditions.values, **self._moment()}
            try:
                rows = self._rows(sql, values)
            except StoreError:
                yield from self._parts_one_by_one(conditions, (at, tie))
                break
            for row in rows:
                state, body = _state_and_body(row)
                at, tie = state.start_ns or 0, state.id
                with self._sound():
                    part = self._expander.part(state, body)
                yield part
            if len(rows) < EXPORT_PAGE:
                break
        if not where:
            yield from self._ghosts()

    def parts_named(self, names: Iterable[tuple[str, str]]) -> Iterator[SpanPart]:
        """The spans of these (trace id, span id), as they were sent (folded); those that are not there are left out."""
        for trace_id, span_id in names:
            for row in self._rows(EXPORT_NAMED, {"trace_id": trace_id, "span_id": span_id}):
                with self._sound():
                    part = self._expander.part(*_state_and_body(row))
                yield part

    def _ghosts(self) -> Iterator[SpanPart]:
        """Spans of which only late parts are here."""
        try:
            rows = self._rows(GHOSTS)
        except StoreError:
            self._say_damaged()
            return
        for row in rows:
            with self._sound():
                part = self._expander.part(*_state_and_body(row))
            yield part

    def _parts_one_by_one(self, conditions: Conditions, after: tuple[int, int]) -> Iterator[SpanPart]:
        """The spans of a damaged file after (start, id): by their numbers, passing over those that cannot be read."""
        sql = EXPORT_ONE.format(where=conditions.where)
        values = {"at": after[0], "tie": after[1], **conditions.values, **self._moment()}
        last = self._rows("select spans from counters")[0][0]
        for number in range(1, last + 1):
            try:
                for row in self._rows(sql, {**values, "number": number}):
                    with self._sound():
                        part = self._expander.part(*_state_and_body(row))
                    yield part
            except StoreError:
                self._say_damaged()

    def sampled_out(self) -> int:
        """How many spans SDKs left out of this file by sampling."""
        return int(self._rows("select coalesce(sum(n), 0) from ledger where outcome = 'sampled_out'")[0][0])

    def ledger(self) -> list[LedgerRow]:
        """What the collector did with what it was sent, newest hour first."""
        rows = self._rows(
            """select hour, source, convention, outcome, reason, n, sample from ledger
               order by hour desc, source, outcome, convention, reason"""
        )
        return [LedgerRow(*row) for row in rows]

    def processes(self) -> list[Process]:
        rows = self._rows(
            """select process_id, pid, started_ns, host, boot_id, pid_namespace, service, command, heartbeat_ns,
                 ended_ns
               from processes order by started_ns, process_id"""
        )
        return [Process(*row) for row in rows]


def _state_and_body(row: Sequence[Any]) -> tuple[SpanState, dict[str, Any]]:
    width = len(SPAN_COLUMNS)
    return SpanState(*row[:width]), dict(zip(BODY_COLUMNS, row[width:], strict=True))


def _span(row: Iterable[Any]) -> SpanRow:
    return SpanRow._make(row)


def _trace(row: tuple[Any, ...]) -> TraceRow:
    start, end, running = row[5], row[6], row[7]
    tags = tuple(orjson.loads(row[15])) if row[15] else ()
    metadata = orjson.loads(row[16]) if row[16] else {}
    models = tuple(orjson.loads(row[17]))
    duration = None if running or end is None else max(0, end - start)
    usage = Usage(*row[24 : 24 + len(USAGE_FIELDS)])
    counts = (row[18], running, *row[19:24])
    columns: list[Any] = [*row[:7], duration, *row[8:15], tags, metadata, models, *counts, usage, *row[31:33]]
    return TraceRow(*columns)


def _json(column: str | None, default: Any) -> Any:
    """A JSON column of a list; the default when there is none, or a damaged file holds something else."""
    try:
        return orjson.loads(column) if column else default
    except orjson.JSONDecodeError:
        return default
