"""Reading a traces.db: lists, traces, spans and sums, as frozen rows.

`open_reader` (opening.py) makes one. What it stands on is in ground.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import orjson

from collector.errors import NotFound, StoreError
from collector.kinds import USAGE_FIELDS, Usage
from collector.store.filters import Filter
from collector.store.ground import Reading
from collector.store.lists import LISTS, SESSIONS, SPAN_ROW, SPANS, TRACE_ROW, TRACES, List
from collector.store.marks import marked
from collector.store.migrations import DAYS_FROM, SCHEMA_VERSION
from collector.store.narrow import narrow
from collector.store.pages import Asked, as_sql, narrowed, page
from collector.store.rows import Changes, LedgerRow, Page, SearchHit, SessionRow, SpanDetail, SpanRow, Totals, TraceRow

if TYPE_CHECKING:  # and imported where it is asked for: a list of traces is to be shown before
    from collector.limits import Limits
    from collector.model import Process, Score, SpanPart
    from collector.seen import Seen
    from collector.signals import Place, Signal
    from collector.store.complete import Completion
    from collector.store.measures import Measures
    from collector.store.signals import Counted
    from collector.store.skeleton import Skeleton
    from collector.store.tally import Told

ANY = Filter()

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
CHANGED = "select seq, trace_id from spans where seq > :seq order by seq limit :limit"
# Without a filter the days (or quarter hours) are summed: there are far fewer of them than traces. They hold 0 where
# no cost is known, so a sum of 0 is looked at again.
_ALL_TOTALS = """
    select (select count(*) from traces), sum(spans), sum(errors), sum(unpriced_calls),
      case when sum(cost_nanousd) <> 0 then sum(cost_nanousd) else (select sum(cost_nanousd) from traces) end
    from {}"""


class Reader(Reading):
    """See the module."""

    # -- lists ----------------------------------------------------------------------------------------

    def _list(
        self, what: List, where: Filter | None, limit: int, after: Page | None, before: Page | None, sort: str
    ) -> list[tuple[Any, ...]]:
        asked = Asked(what, where or ANY, limit, after, before, sort)
        try:
            return page(self.rows, self.moment(), asked)
        except StoreError:
            newer = self.state.schema_version > SCHEMA_VERSION
            from collector.store.salvage import salvaged

            found = None if newer else salvaged(self.rows, self.moment(), asked)
            if found is None:
                raise
            self.say_damaged()
            return found

    def traces(
        self, where: Filter | None = None, *, limit: int = 100, after: Page | None = None,
        before: Page | None = None, sort: str = "-start",
    ) -> list[TraceRow]:  # fmt: skip
        """A page of traces. `after` and `before` are the `Page` of a row: its sort value and trace id."""
        return marked(self, [trace_row(row) for row in self._list(TRACES, where, limit, after, before, sort)])

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
        return as_sql(self.rows, self.moment(), Asked(LISTS[what], where, limit, None, None, sort))

    def complete(self, text: str, cursor: int, views: Mapping[str, str]) -> Completion:
        """What could stand at the cursor of a filter's text."""
        from collector.store.complete import complete

        return complete(self.rows, text, cursor, views)

    def totals(self, where: Filter | None = None, *, told: Told | None = None) -> Totals:
        """How much the filter finds, see `tally.py`: seconds for millions of spans. `told` hears of it on the way."""
        if where:
            from collector.store.tally import tally

            return tally(self.rows, self.moment(), where, self.sampled_out(), told)
        sums = "days" if self.state.schema_version >= DAYS_FROM else "rollups"
        traces, spans, errors, unpriced, cost = self.rows(_ALL_TOTALS.format(sums))[0]
        return Totals(traces, spans or 0, errors or 0, unpriced or 0, cost, self.sampled_out())

    def session_totals(self, where: Filter | None = None) -> Totals:
        """How many sessions the filter finds, and their sums."""
        from collector.store.tally import tally_sessions

        return tally_sessions(self.rows, self.moment(), where or ANY, self.sampled_out())

    # -- one trace ------------------------------------------------------------------------------------

    def trace(self, trace_id: str) -> TraceRow:
        rows = self.rows(ONE_TRACE, {"trace_id": trace_id, **self.moment()})
        if not rows:
            raise NotFound(f"{self.state.path} has no trace {trace_id}")
        return marked(self, [trace_row(rows[0])])[0]

    def resolve_trace(self, prefix: str) -> str:
        """The one trace whose id begins so. NotFound when there is none, or more than one."""
        low = prefix.strip().lower()
        if not low or not all(c in "0123456789abcdef" for c in low):
            raise NotFound(f"{prefix!r} is no trace id: 32 hex digits, or the first few of them")
        found = [row[0] for row in self.rows(PREFIXED, {"low": low, "high": low + "g"})]
        if not found:
            raise NotFound(f"{self.state.path} has no trace that begins with {low}")
        if len(found) > 1:
            raise NotFound(f"{low} is the beginning of several traces: {', '.join(found)}")
        return str(found[0])

    def tree_spans(self, trace_id: str, *, limit: int | None = None) -> list[SpanRow]:
        """The spans of a trace by (start_ns, span_id)."""
        values = {"trace_id": trace_id, **self.moment()}
        if limit is not None:
            return list(map(SpanRow._make, self.rows(OLDEST_OF_TRACE, {**values, "limit": limit})))
        rows = list(map(SpanRow._make, self.rows(OF_TRACE, values)))
        rows.sort(key=attrgetter("start_ns", "span_id"))  # a third of the time that SQLite takes to
        return rows

    def skeleton(self, trace_id: str, *, since: int | None = None) -> Skeleton:
        """What the tree of a trace stands on, for traces of any size. `since`: only of the spans that changed after
        this `TraceRow.seq`, and of those that run."""
        from collector.store import skeleton

        return skeleton.read(self.rows, trace_id, self.moment(), since)

    def measures(self, trace_id: str) -> Measures:
        """What its spans are and cost, as columns beside the skeleton's."""
        from collector.store import measures

        return measures.read(self.rows, trace_id)

    def found_in(self, trace_id: str, text: str) -> dict[int, int]:
        """How many texts with these words each of its spans brought, by the number of the span's id."""
        from collector.store.in_trace import found_in

        return found_in(self.rows, trace_id, text)

    def span_rows(self, trace_id: str, numbers: Sequence[int]) -> dict[int, SpanRow]:
        """The rows of some of its spans, by the number that a skeleton gives them."""
        from collector.store import skeleton

        return skeleton.some_rows(self.rows, trace_id, self.moment(), numbers)

    def children(
        self, trace_id: str, parent_id: str | None, *, limit: int = 100, after: Page | None = None
    ) -> list[SpanRow]:
        """A page of the direct children of a span (None: spans without a parent), by (start_ns, span_id)."""
        values = {
            "trace_id": trace_id, "parent": parent_id, "limit": limit,
            "at": after.value if after else -1, "tie": after.key if after else "", **self.moment(),
        }  # fmt: skip
        return [_span(row) for row in self.rows(CHILDREN, values)]

    def child_counts(self, trace_id: str, span_ids: Sequence[str]) -> dict[str, int]:
        values = {"trace_id": trace_id, "ids": orjson.dumps(list(span_ids)).decode()}
        return {row[0]: row[1] for row in self.rows(CHILD_COUNTS, values)}

    def span(self, trace_id: str, span_id: str) -> SpanDetail:
        """One span with all of its content."""
        from collector.store.whole_span import whole_span

        return whole_span(self, trace_id, span_id)

    def scores(self, trace_id: str) -> list[Score]:
        from collector.store.whole_span import scores

        return scores(self, trace_id)

    def seen(self, trace_id: str) -> list[Seen]:
        """Its spans with their contents, for what looks at them together: the first `signals.LIVE_SPANS` by start."""
        from collector.store import signals

        return signals.spans_of(self, trace_id)

    def seen_before(self, trace_id: str) -> list[Sequence[Seen]]:
        """The same of the turns of its session just before it."""
        from collector.store import signals

        return [turn.spans for turn in signals.turns_before(self, trace_id, signals.NEAR_TURNS)]

    def signals(self, trace_id: str, limits: Limits) -> list[Signal]:
        """What looks wrong in a trace as it is now."""
        from collector.store import signals

        return signals.live(self, trace_id, limits)

    def signal_counts(self, where: Filter | None = None) -> list[Counted]:
        """How often each kind of signal was found."""
        from collector.store import signals

        return signals.counts(self, where)

    def unlooked(self) -> int:
        """How many traces nobody has looked at for signals as they are now."""
        from collector.store import signals

        return signals.unlooked(self)

    def first_places(self, trace_id: str, text: str) -> list[Place]:
        """Where in a trace, and in its session before it, a value stands, the first place first."""
        from collector.store import signals

        return signals.places(self, trace_id, text)

    def span_names(self, trace_id: str) -> dict[str, str]:
        from collector.store import signals

        return signals.span_names(self, trace_id)

    # -- the whole file -------------------------------------------------------------------------------

    def changes_since(self, seq: int, *, limit: int = 10_000) -> Changes:
        """The traces that changed after `seq`, at most `limit` changed spans at a time."""
        rows = self.rows(CHANGED, {"seq": seq, "limit": limit})
        traces = tuple(dict.fromkeys(row[1] for row in rows))
        return Changes(rows[-1][0] if rows else seq, traces, len(rows) == limit)

    def search(self, text: str, where: Filter | None = None, *, limit: int = 100) -> list[SearchHit]:
        """Spans that brought a text with these words (see search.py), newest first; a span is listed once."""
        from collector.store.find import find

        few = narrow(self.rows, where, by_trace=False) if where else None
        return find(self.rows, text, narrowed(SPANS, where or ANY, few), self.moment(), limit, few)

    def parts(self, where: Filter | None = None) -> Iterator[SpanPart]:
        """Every span the filter finds, as it was sent (folded), oldest first: for export."""
        from collector.store import parts

        return parts.parts(self, where)

    def parts_sql(self, where: Filter, *, limit: int | None = None) -> str:
        """The statement behind `parts`, as `list_sql` gives it."""
        from collector.store import parts

        return parts.parts_sql(self, where, limit)

    def parts_named(self, names: Iterable[tuple[str, str]]) -> Iterator[SpanPart]:
        """The spans of these (trace id, span id), as they were sent (folded); those that are not there are left out."""
        from collector.store import parts

        return parts.parts_named(self, names)

    def sampled_out(self) -> int:
        """How many spans SDKs left out of this file by sampling."""
        return int(self.rows("select coalesce(sum(n), 0) from ledger where outcome = 'sampled_out'")[0][0])

    def ledger(self) -> list[LedgerRow]:
        """What the collector did with what it was sent, newest hour first."""
        rows = self.rows(
            """select hour, source, convention, outcome, reason, n, sample from ledger
               order by hour desc, source, outcome, convention, reason"""
        )
        return [LedgerRow(*row) for row in rows]

    def last_seen(self) -> dict[str, int]:
        """When anything last came, by source: Unix ns. Not of sources that only an older version has written."""
        from collector.store.received import SEEN

        known = self.rows("select key, cast(value as integer) from meta where key glob :keys", {"keys": SEEN + "*"})
        return {key.removeprefix(SEEN): ns for key, ns in known}

    def processes(self) -> list[Process]:
        from collector.model import Process

        rows = self.rows(
            """select process_id, pid, started_ns, host, boot_id, pid_namespace, service, command, heartbeat_ns,
                 ended_ns
               from processes order by started_ns, process_id"""
        )
        return [Process(*row) for row in rows]


def _span(row: Iterable[Any]) -> SpanRow:
    return SpanRow._make(row)


def trace_row(row: tuple[Any, ...]) -> TraceRow:
    """A row of TRACE_ROW's columns."""
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
