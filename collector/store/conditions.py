"""What a filter means in SQL, for traces (t), spans (s) and sessions (x).

Only fixed fragments make the text; every value is bound. A trace matches a span's condition when any of its spans
does; `status:` and `since:` look at the trace itself. A plus before a column keeps its index out: half of all spans
may be of one kind, and where they are few, `narrow.py` has found them before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from collector.ids import RUN_ATTRIBUTE, run_start_ns
from collector.store.filters import Filter, Term
from collector.store.search import match_expression
from collector.store.sound import sound_text

SPAN_DEAD = """(ifnull(s.process_id in (select value from json_each(:dead)), 0) or (s.seen_ns < :quiet
    and (s.process_id is null or not exists (select 1 from processes p where p.process_id = s.process_id))))"""
SPAN_STATUS = f"case when s.status <> 'running' then s.status when {SPAN_DEAD} then 'abandoned' else 'running' end"
TRACE_STATUS = f"""case when t.root_status = 'error' then 'error' when t.running_count = 0 then 'ok'
    when exists (select 1 from spans s where s.trace_id = t.trace_id and s.status = 'running'
      and s.start_ns is not null and not {SPAN_DEAD}) then 'running' else 'abandoned' end"""

_TEXT = """s.id in (select m.span_id from search f join mentions m on m.text_id = f.rowid where f.search match {})"""
_TRACE_TEXT = """t.trace_id in (select w.trace_id from search f join mentions m on m.text_id = f.rowid
    join spans w on w.id = m.span_id where f.search match {})"""
_RUN = """exists (select 1 from bodies b where b.id = s.id and b.resource in (
    select c.hash from contexts c where c.kind = 'resource' and {}))"""
_RUN_NAME = f"""json_extract(c.body, '$[0]."{RUN_ATTRIBUTE}"')"""
_RUNS = "t.trace_id in (select r.trace_id from spans r where r.status = 'running')"
_NEVER = "0"
JOINED_WITHIN_NS = 3_600_000_000_000
SKEW_NS = 60_000_000_000


@dataclass(slots=True)
class Conditions:
    """A where clause and the values it binds."""

    parts: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)

    def bind(self, value: str | int) -> str:
        name = f"f{len(self.values)}"
        self.values[name] = sound_text(value) if isinstance(value, str) else value
        return f":{name}"

    @property
    def where(self) -> str:
        return joined(self.parts, "and") or "1"


def for_traces(where: Filter) -> Conditions:
    return _all(where, _trace_term)


def for_spans(where: Filter) -> Conditions:
    return _all(where, _span_term)


def for_sessions(where: Filter) -> Conditions:
    return _all(where, _session_term)


def _all(where: Filter, one: Callable[[Conditions, Term], str]) -> Conditions:
    found = Conditions()
    for term in dict.fromkeys(replace(term, column=0) for term in where.terms):
        sql = one(found, term)
        found.parts.append(f"not ifnull(({sql}), 0)" if term.negated else f"({sql})")
    return found


def _trace_term(c: Conditions, term: Term) -> str:
    if term.key == "status":
        return _status(c, term, "t.root_status", _RUNS, TRACE_STATUS)
    if term.key == "since":
        return f"t.start_ns >= {c.bind(int(term.values[0]))}"
    if term.key == "session":
        return _matches(c, "t.session_id", term.values)
    if term.key == "user":
        return _matches(c, "t.user_id", term.values)
    if term.key == "text":
        return _text(c, term, _TRACE_TEXT)
    if term.key == "run":
        return _run_of_trace(c, term)
    any_span = f"exists (select 1 from spans s where s.trace_id = t.trace_id and ({_span_term(c, term)}))"
    if term.key == "name":
        return f"{_matches(c, 't.name', term.values, fold=True)} or {any_span}"
    return any_span


def _span_term(c: Conditions, term: Term) -> str:
    if term.key == "status":
        return _status(c, term, "s.status", "s.status = 'running'", SPAN_STATUS)
    if term.key == "since":
        return f"s.start_ns >= {c.bind(int(term.values[0]))}"
    if term.key == "text":
        return _text(c, term, _TEXT)
    if term.key == "run":
        since, ours = _since_run(term), _RUN.format(_matches(c, _RUN_NAME, term.values))
        return f"s.start_ns >= {c.bind(since)} and {ours}" if since else ours
    if term.key == "model":
        return f"{_matches(c, '+s.model', term.values)} or {_matches(c, '+s.request_model', term.values)}"
    column = {"kind": "+s.kind", "name": "s.name", "session": "s.session_id", "user": "s.user_id"}[term.key]
    return _matches(c, column, term.values, fold=term.key == "name")


def _session_term(c: Conditions, term: Term) -> str:
    if term.key == "session":
        return _matches(c, "x.session_id", term.values)
    if term.key == "since":
        return f"x.last_ns >= {c.bind(int(term.values[0]))}"
    if term.key == "user":  # the user's traces are few, and have an index
        return f"x.session_id in (select t.session_id from traces t where {_trace_term(c, term)})"
    return f"exists (select 1 from traces t where t.session_id = x.session_id and ({_trace_term(c, term)}))"


def _run_of_trace(c: Conditions, term: Term) -> str:
    """A run's name says when it began, so that older traces need not be opened. The run may have joined a trace
    that was under way, but hardly for more than an hour."""
    any_span = f"exists (select 1 from spans s where s.trace_id = t.trace_id and ({_span_term(c, term)}))"
    since = _since_run(term)
    if not since:
        return any_span
    alive = f"(t.end_ns is null or t.end_ns >= {c.bind(since)})"
    return f"t.start_ns >= {c.bind(since - JOINED_WITHIN_NS)} and {alive} and {any_span}"


def _since_run(term: Term) -> int:
    """When the first of these runs began, clocks that differ a little forgiven; 0 where a name does not tell."""
    starts = [run_start_ns(value) if "*" not in value else None for value in term.values]
    return max(min(start or 0 for start in starts) - SKEW_NS, 0)


def _status(c: Conditions, term: Term, stored: str, stored_running: str, computed: str) -> str:
    if term.values == ("error",):
        return f"{stored} = 'error'"  # never computed: lets an index help
    matches = _matches(c, f"({computed})", term.values)
    if not term.negated and set(term.values) <= {"running", "abandoned"}:
        return f"{stored_running} and {matches}"  # the few spans that run have an index of their own
    return matches


def _text(c: Conditions, term: Term, template: str) -> str:
    expression = match_expression(term.values[0])
    return _NEVER if expression is None else template.format(c.bind(expression))


def _matches(c: Conditions, column: str, values: Sequence[str], fold: bool = False) -> str:
    """The column equals, or globs to, one of the values. `fold` ignores the case of ASCII letters."""
    exact = [value for value in values if "*" not in value]
    out = []
    if len(exact) == 1:
        out.append(f"{column} = {c.bind(exact[0])}{' collate nocase' if fold else ''}")
    elif exact:
        listed = ", ".join(c.bind(value) for value in exact)
        out.append(f"{column}{' collate nocase' if fold else ''} in ({listed})")
    for value in values:
        if "*" in value:
            pattern = c.bind(glob_pattern(value, fold=fold))
            out.append(f"{f'lower({column})' if fold else column} glob {pattern}")
    return joined(out, "or")


def joined(parts: Sequence[str], word: str) -> str:
    """The parts with the word between them, as a balanced tree: SQLite takes expressions 1000 levels deep."""
    if len(parts) < 2:
        return "".join(parts)
    half = len(parts) // 2
    return f"({joined(parts[:half], word)} {word} {joined(parts[half:], word)})"


def glob_pattern(value: str, *, fold: bool = False) -> str:
    """The value as a GLOB pattern in which only `*` is special; in lower case where case is no matter."""
    value = value.lower() if fold else value
    return value.replace("[", "[[]").replace("?", "[?]")
