"""Signals in the file: found when a trace has settled, off the way of whoever waits for a commit; listed and counted.

Traces are looked at in the order of their last change. One that has ended is looked at a second after it (one mark
in `signal_marks`), one that has not once it was silent for a minute (the other mark); a change brings it back.
Looking takes no lock: it reads, like any reader. What it found is written in one short transaction.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from collector.errors import FilterError
from collector.kinds import SIGNALS as KINDS
from collector.limits import Limits
from collector.seen import Seen
from collector.store.conditions import SPAN_DEAD, for_traces
from collector.store.filters import Filter
from collector.store.ground import Reading
from collector.store.seen import seen_spans
from collector.store.shelving import write

if TYPE_CHECKING:  # the rules take 25 ms to import, and lists are to be shown before any trace is looked at
    from collector.signals import Place, Signal, Turn, Window

SKIPPED = "skipped"
LIVE_SPANS = 20_000
"""Spans of a trace that are looked at when it is opened."""
A_LOOK = 200
LAST_TURNS = 10
NEAR_TURNS = 3
"""What the first call of a trace is compared with is in the last of these that carries its conversation."""
TURN_SPANS = 200
"""Of each of the LAST_TURNS traces of the session before a trace, so many spans are read for where a value is from."""
A_SPAN_S = 0.0005
"""What looking at a span takes, about."""
MOST_WAITING = 10_000
"""Traces that wait to be looked at are counted up to here."""

MARKS = "select key, value from meta where key in ('signals_settled', 'signals_quiet')"
ENDED = """t.running_count = 0 and exists (
        select 1 from spans s where s.trace_id = t.trace_id and s.span_id = t.root_span_id and s.parent_id is null)"""
DUE = f"""
    select t.id, t.trace_id, t.seq, t.span_count, {ENDED}
    from traces t where (t.seq, t.id) > (:seq, :id) and t.seq <= :until order by t.seq, t.id limit :limit"""
BEFORE = """
    select t.trace_id, t.name from traces t join traces o on o.trace_id = :trace_id
    where t.session_id = o.session_id and (t.start_ns, t.trace_id) < (o.start_ns, o.trace_id)
    order by t.start_ns desc, t.trace_id desc limit :limit"""
# The next turns, so many as look back at this one; of all of a session, which may be thousands, they would be sought
# anew with each turn.
_LATER = """(
      select t.id, t.trace_id, t.seq, t.span_count, t.running_count, t.root_span_id, t.cache_read_tokens
      from traces t join traces o on o.trace_id = :trace_id
      where t.session_id = o.session_id and (t.start_ns, t.trace_id) > (o.start_ns, o.trace_id)
      order by t.start_ns, t.trace_id limit :limit)"""
# Those whose values were looked for in this one, and not found or found elsewhere.
AFTER = f"""
    select t.trace_id, t.seq, t.span_count from {_LATER} t
    where exists (select 1 from signals g where g.trace_id = t.trace_id and g.kind in ('invented', 'borrowed'))"""
# Those whose prompts were compared with this one's, or would have been.
NEXT = f"""
    select t.id, t.trace_id, t.seq, t.span_count, {ENDED} from {_LATER} t where t.cache_read_tokens is not null"""
# A trace that changed since it was looked at is due again; somebody else may have looked at it already, and later.
UNCHANGED = """
    select t.trace_id from json_each(:looked) j join traces t
      on t.trace_id = json_extract(j.value, '$[0]') and t.seq = json_extract(j.value, '$[1]')"""
FORGET = f"delete from signals where trace_id in ({UNCHANGED})"
KEEP = f"""
    insert into signals(kind, trace_id, n, span_id, text, spans, value)
    select json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
      json_extract(value, '$[3]'), json_extract(value, '$[4]'), json_extract(value, '$[5]'),
      json_extract(value, '$[6]')
    from json_each(:rows) where json_extract(value, '$[1]') in ({UNCHANGED})"""
# Only from where the look began: whoever set the marks back meanwhile wants all of it looked at.
MARK = """
    update meta set value = json_array(:seq, :id)
    where key = :key and json_extract(value, '$[0]') = :was_seq and json_extract(value, '$[1]') = :was_id"""
REWIND = """
    update meta set value = '[0,0]' where key in ('signals_settled', 'signals_quiet')
      and (:always or exists (select 1 from meta where key = 'signals_passed_over'))"""
PASSED_OVER = "select cast(value as integer) from meta where key = 'signals_passed_over'"
UNLOOKED = f"""
    select count(*) from (
      select {ENDED} as ended from traces t where (t.seq, t.id) > (:seq, :id) order by t.seq, t.id limit :most)
    where ended = :ended"""
UNTOUCHED = "select count(*) from (select 1 from traces t where t.seq <= :seq limit :most)"
NO_MORE = "delete from meta where key = 'signals_passed_over'"
OF_TRACE = "select kind, span_id, text, spans, value from signals where trace_id = :trace_id order by kind, n"
# Of bare columns SQLite takes those of the row that max() found.
COUNTS = """
    select g.kind, count(distinct g.trace_id), count(*), max(t.start_ns), g.trace_id, g.span_id, t.name, g.text
    from signals g join traces t on t.trace_id = g.trace_id where {where} group by g.kind"""
NAMES = "select span_id, name from spans where trace_id = :trace_id limit :limit"
GONE = f"""
    select 'abandoned', count(distinct s.trace_id), count(*), max(s.start_ns), s.trace_id, s.span_id, t.name,
      ifnull(s.name, '') || ' never ended: its process is gone, or has gone quiet'
    from spans s cross join traces t on t.trace_id = s.trace_id
    where s.status = 'running' and +s.start_ns is not null and {SPAN_DEAD} and {{where}}"""


@dataclass(frozen=True, slots=True)
class Counted:
    """How often a kind of signal is in the file: `traces` that have it, and all of them. The rest is of the newest
    trace that has one: when it began, where the signal is, the trace's name, the evidence (foreign texts)."""

    kind: str
    traces: int = 0
    signals: int = 0
    newest_ns: int | None = None
    trace_id: str = ""
    span_id: str = ""
    trace: str | None = None
    text: str = ""


Mark = tuple[int, int]
"""(traces.seq, traces.id) of the last trace that was looked at: all traces of a batch have one seq."""


@dataclass(slots=True)
class Looked:
    """What a round of looking brought: the signals by trace, the change of each trace that was looked at, and the
    marks before and after it."""

    found: dict[str, list[Signal]]
    settled: Mark
    quiet: Mark
    more: bool = False
    seqs: dict[str, int] = field(default_factory=dict)
    was: tuple[Mark, Mark] = ((0, 0), (0, 0))


def spans_of(reading: Reading, trace_id: str, limit: int = LIVE_SPANS, *, unread: bool = False) -> list[Seen]:
    """The spans of a trace with their contents, the first `limit` by start. `unread`: see `seen_spans`."""
    with reading.sound():
        later, moment = reading.sound if unread else None, reading.moment()
        return seen_spans(reading.rows, reading.expander, trace_id, moment, limit=limit, unread=later)


def turns_before(
    reading: Reading, trace_id: str, most: int | None = None, *, unread: bool = False
) -> list[Turn]:  # fmt: skip
    """The traces of its session that began before a trace, newest first: LAST_TURNS, TURN_SPANS of each."""
    from collector.signals import Turn

    rows = reading.rows(BEFORE, {"trace_id": trace_id, "limit": LAST_TURNS if most is None else most})
    return [Turn(one, name or "", spans_of(reading, one, TURN_SPANS, unread=unread)) for one, name in rows]


def places(reading: Reading, trace_id: str, text: str) -> list[Place]:
    """Where a value stands in a trace, and before it in its session, the first place first."""
    from collector.signals import first_places

    return first_places(spans_of(reading, trace_id), text, earlier=turns_before(reading, trace_id))


def live(reading: Reading, trace_id: str, limits: Limits, window: Window | None = None) -> list[Signal]:
    """The signals of a trace as it stands now, whatever is stored of it."""
    from collector.signals.windows import windows

    return _detected(reading, trace_id, LIVE_SPANS, limits, window or windows(limits))


def _detected(reading: Reading, trace_id: str, most: int, limits: Limits, window: Window) -> list[Signal]:
    from collector.signals import detect

    spans = spans_of(reading, trace_id, most, unread=True)
    return detect(spans, limits, window, lambda most: turns_before(reading, trace_id, most, unread=True))


def of_trace(reading: Reading, trace_id: str) -> list[Signal]:
    """Those that are stored of a trace."""
    from collector.signals import Signal

    rows = reading.rows(OF_TRACE, {"trace_id": trace_id})
    return [
        Signal(kind, span, text, tuple(orjson.loads(more or "[]")), value or "")
        for kind, span, text, more, value in rows
    ]


def counts(reading: Reading, where: Filter | None = None) -> list[Counted]:
    """All kinds in the order of `KINDS`, with what the traces that a filter finds have of them; "skipped" last,
    where there are any."""
    conditions = for_traces(where or Filter())
    values = {**conditions.values, **reading.moment()}
    rows = reading.rows(COUNTS.format(where=conditions.where), values)
    rows += reading.rows(GONE.format(where=conditions.where), values)
    found = {row[0]: Counted(*row) for row in rows if row[2]}
    kinds = [*KINDS, *((SKIPPED,) if SKIPPED in found else ())]
    return [found.get(kind, Counted(kind)) for kind in kinds]


SORTS: dict[str, Callable[[Counted], Any]] = {
    "traces": lambda one: one.traces, "signals": lambda one: one.signals, "last": lambda one: one.newest_ns or 0,
    "kind": lambda one: one.kind,
}  # fmt: skip


def ordered(found: Sequence[Counted], sort: str) -> list[Counted]:
    """By one of SORTS, "-" before it for falling; what could not be looked at last. FilterError when there is no such
    sort."""
    name = sort.removeprefix("-")
    if name not in SORTS:
        raise FilterError(f"cannot sort by {name!r}; it is one of {', '.join(SORTS)}", sort, 0)
    in_order = sorted(found, key=SORTS[name], reverse=sort.startswith("-"))
    return sorted(in_order, key=lambda one: one.kind == SKIPPED)


def unlooked(reading: Reading) -> int:
    """How many traces nobody has looked at as they are now, among the first MOST_WAITING that may be so."""
    marks = {key: orjson.loads(value) for key, value in reading.rows(MARKS)}
    if len(marks) < 2:
        return 0  # a file from before signals
    found = 0
    for ended, (seq, number) in ((True, marks["signals_settled"]), (False, marks["signals_quiet"])):
        at = {"seq": seq, "id": number, "ended": ended, "most": MOST_WAITING}
        found += reading.rows(UNLOOKED, at)[0][0]
    for (seq,) in reading.rows(PASSED_OVER):
        found += reading.rows(UNTOUCHED, {"seq": seq, "most": MOST_WAITING})[0][0]
    return min(found, MOST_WAITING)


def span_names(reading: Reading, trace_id: str) -> dict[str, str]:
    """What the spans of a trace are called, by their ids."""
    return {row[0]: row[1] or "" for row in reading.rows(NAMES, {"trace_id": trace_id, "limit": LIVE_SPANS})}


def look(
    reading: Reading, limits: Limits, window: Window, *, settled_until: int, quiet_until: int, budget_s: float,
    strict: bool = False, clock: Callable[[], float] = time.monotonic,
) -> Looked | None:  # fmt: skip
    """Look at traces whose last change is no later than these, until the budget is spent (by one trace too much at
    most; `strict`: a trace that would not fit is left to somebody else); None when there is nothing to look at."""
    marks = {key: tuple(orjson.loads(value)) for key, value in reading.rows(MARKS)}
    if len(marks) < 2:
        return None  # a file from before signals
    was = marks["signals_settled"], marks["signals_quiet"]
    looked = Looked({}, *was, was=was)
    due = [(True, settled_until, looked.settled), (False, quiet_until, looked.quiet)]
    until, any_new = clock() + budget_s, False
    for ended, last, mark in due:
        rows = reading.rows(DUE, {"seq": mark[0], "id": mark[1], "until": last, "limit": A_LOOK})
        any_new = any_new or bool(rows)
        looked.more = looked.more or len(rows) == A_LOOK
        for number, trace_id, seq, size, has_ended in rows:
            if bool(has_ended) == ended:
                if strict and size <= limits.max_spans and clock() + size * A_SPAN_S > until:
                    looked.more = False
                    return looked
                looked.seqs[trace_id] = seq
                _look_at(reading, looked, trace_id, size, limits, window)
                for later, changed, many in _again(reading, looked, trace_id):
                    if later not in looked.seqs:
                        looked.seqs[later] = changed
                        _look_at(reading, looked, later, many, limits, window)
            if ended:
                looked.settled = (seq, number)
            else:
                looked.quiet = (seq, number)
            if clock() > until:
                looked.more = True
                return looked
    return looked if any_new else None


def _again(reading: Reading, looked: Looked, trace_id: str) -> list[tuple[str, int, int]]:
    """The turns after a trace, (trace, change, spans), in which something else may be found now that it is there."""
    from collector.signals.caches import NEAR_TURNS as COMPARED

    found = [(row[0], row[1], row[2]) for row in reading.rows(AFTER, {"trace_id": trace_id, "limit": LAST_TURNS})]
    for number, later, seq, size, ended in reading.rows(NEXT, {"trace_id": trace_id, "limit": COMPARED}):
        if (seq, number) <= looked.was[0 if ended else 1]:  # the others are to come anyway
            found.append((later, seq, size))
    return found


def _look_at(reading: Reading, looked: Looked, trace_id: str, size: int, limits: Limits, window: Window) -> None:
    from collector.signals import Signal

    if size > limits.max_spans:
        text = f"{size:,} spans; up to {limits.max_spans:,} are looked at before the trace is opened"
        looked.found[trace_id] = [Signal(SKIPPED, "", text)]
        return
    try:
        found = _detected(reading, trace_id, limits.max_spans, limits, window)
    except Exception as error:  # noqa: BLE001  # of data that nobody foresaw: the others must be looked at all the same
        found = [Signal(SKIPPED, "", f"it could not be looked at: {type(error).__name__}: {error}"[:300])]
    looked.found[trace_id] = [one for one in found if one.kind != "abandoned"]


def keep(connection: sqlite3.Connection, looked: Looked) -> None:
    """Write what was found. The caller holds the lock."""
    rows = []
    for trace_id, found in looked.found.items():
        numbers: dict[str, int] = {}
        for one in found:
            numbers[one.kind] = numbers.get(one.kind, 0) + 1
            more = orjson.dumps(one.spans).decode() if one.spans else None
            rows.append([one.kind, trace_id, numbers[one.kind], one.span_id, _sound(one.text), more, _sound(one.value)])
    at = {"looked": orjson.dumps(list(looked.seqs.items())).decode()}
    write(
        connection,
        [
            (FORGET, at),
            (KEEP, {"rows": orjson.dumps(rows).decode(), **at}),
            (MARK, _moved("signals_settled", looked.was[0], looked.settled)),
            (MARK, _moved("signals_quiet", looked.was[1], looked.quiet)),
        ],
    )


def rewind(connection: sqlite3.Connection, *, always: bool = True) -> None:
    """As if nobody had looked at any trace yet; not `always`: only where traces were passed over when the file got
    its signals. What was found stays until it is looked at anew."""
    write(connection, [(REWIND, {"always": always}), (NO_MORE, {})])


def _moved(key: str, was: Mark, to: Mark) -> dict[str, Any]:
    return {"key": key, "was_seq": was[0], "was_id": was[1], "seq": to[0], "id": to[1]}


def _sound(text: str) -> str:
    """As SQLite and UTF-8 can hold it: a text of SQLite's JSON ends at a NUL."""
    return text.replace("\0", "�").encode(errors="replace").decode()
