"""What a filter means in SQL, for traces (t), spans (s) and sessions (x).

Only fixed fragments make the text; every value is bound. A trace matches a span's condition when any of its spans
does; what a trace or a session has a column or a sum for is looked up there. A plus before a column keeps its index
out: half of all spans may be of one kind, and where they are few, `narrow.py` has found them before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import orjson

from collector.ids import RUN_ATTRIBUTE, run_start_ns
from collector.kinds import SIGNALS
from collector.store import valued
from collector.store.binding import NEVER, Conditions, bounded, chosen, glob_pattern, joined, matches
from collector.store.filter_keys import FOLDED
from collector.store.filter_values import asks_for_some
from collector.store.filters import Filter, Part, Term, Within

__all__ = ["SPAN_STATUS", "TRACE_STATUS", "Conditions", "for_sessions", "for_spans", "for_traces", "glob_pattern"]

SPAN_DEAD = """(ifnull(s.process_id in (select value from json_each(:dead)), 0) or (s.seen_ns < :quiet
    and (s.process_id is null or not exists (select 1 from processes p where p.process_id = s.process_id))))"""
SPAN_STATUS = f"case when s.status <> 'running' then s.status when {SPAN_DEAD} then 'abandoned' else 'running' end"
TRACE_STATUS = f"""case when t.root_status = 'error' then 'error' when t.running_count = 0 then 'ok'
    when exists (select 1 from spans s where s.trace_id = t.trace_id and s.status = 'running'
      and s.start_ns is not null and not {SPAN_DEAD}) then 'running' else 'abandoned' end"""

_TEXT = """s.id in (select m.span_id from search f join mentions m on m.text_id = f.rowid where f.search match {})"""
_TRACE_TEXT = """t.trace_id in (select w.trace_id from search f join mentions m on m.text_id = f.rowid
    join spans w on w.id = m.span_id where f.search match {})"""
_RUN = f"exists (select 1 from bodies b where b.id = s.id and {valued.CONTEXT})"
_RUN_NAME = f"""json_extract(c.body, '$[0]."{RUN_ATTRIBUTE}"')"""
_RUNS = "t.trace_id in (select r.trace_id from spans r where r.status = 'running')"
_FAILED = "+s.trace_id in (select r.trace_id from spans r where r.status = 'error')"
_BODY = "exists (select 1 from bodies b where b.id = s.id and {})"
_ANY_SPAN = "exists (select 1 from spans s where s.trace_id = t.trace_id and ({}))"
_SOME_SPAN = "t.trace_id in (select s.trace_id from spans s where ({}))"
_ROOT = "exists (select 1 from spans s where s.trace_id = t.trace_id and s.span_id = t.root_span_id and ({}))"
_TRACE_OF = "exists (select 1 from traces t where t.trace_id = s.trace_id and ({}))"
_TRACE_IN = "exists (select 1 from traces t where t.session_id = x.session_id and ({}))"
_SOME_TRACE = "x.session_id in (select t.session_id from traces t where ({}))"
_SUM = "case when {0}.input_tokens is not null or {0}.output_tokens is not null then {1} end"
_TOKENS = {
    alias: _SUM.format(alias, f"ifnull({alias}.input_tokens, 0) + ifnull({alias}.output_tokens, 0)") for alias in "tsx"
}
_DOCS = """case when s.kind in ('retriever', 'reranker') then ifnull(json_array_length(b.documents), 0)
    else json_array_length(b.documents) end"""
_TOOK = "case when t.running_count = 0 then t.end_ns - t.start_ns end"

# By key: what a trace, a span, a session has a column for. All else a trace asks its spans, a session its traces.
_TRACE_NUMBERS = {
    "cost": "t.cost_nanousd", "tokens": _TOKENS["t"], "errors": "t.error_count", "latency": _TOOK,
}  # fmt: skip
_TRACE_TEXTS = {
    "session": "t.session_id", "user": "t.user_id", "env": "t.environment", "release": "t.release",
    "project": "t.project",
}  # fmt: skip
_SPAN_NUMBERS = {
    "cost": "s.cost_nanousd", "tokens": _TOKENS["s"], "latency": "s.duration_ns", "ttft": "s.ttft_ns",
}  # fmt: skip
_SPAN_TEXTS = {
    "kind": "+s.kind", "name": "s.name", "session": "s.session_id", "user": "s.user_id", "service": "s.service",
    "env": "s.environment", "release": "s.release", "project": "s.project", "level": "s.level",
    "error.type": "s.error_type", "answered": "+s.model", "provider": "s.provider", "tool": "s.tool_name",
    "agent": "s.agent_name", "prompt": "s.prompt_name", "version": "s.prompt_version",
}  # fmt: skip
_SESSION_NUMBERS = {"cost": "x.cost_nanousd", "tokens": _TOKENS["x"], "errors": "x.error_count"}
_HAS = {
    "replay": _BODY.format("b.replay_of is not null"),
    "score": "exists (select 1 from scores c where c.trace_id = s.trace_id and c.span_id = s.span_id)",
    "error": "s.status = 'error'", "cost": "s.cost_nanousd is not null",
    "tokens": "(s.input_tokens is not null or s.output_tokens is not null)", "cache": "s.cache_read_tokens > 0",
    "reasoning": "s.reasoning_tokens > 0", "docs": _BODY.format("json_array_length(b.documents) > 0"),
    "tool": "s.tool_name is not null", "prompt": "s.prompt_name is not null",
    "model": "(s.model is not null or s.request_model is not null)", "session": "s.session_id is not null",
    "user": "s.user_id is not null", "tag": "json_array_length(s.tags) > 0", "meta": "s.metadata is not null",
    "input": _BODY.format("(b.in_node is not null or b.in_value is not null)"),
    "output": _BODY.format("(b.out_node is not null or b.out_value is not null)"),
    "system": _BODY.format("b.system_node is not null"), "events": _BODY.format("b.events is not null"),
    "links": _BODY.format("b.links is not null"), "logs": _BODY.format("b.logs is not null"),
    "notes": _BODY.format("b.notes is not null"),
}  # fmt: skip
_TRACE_HAS = {"score": "exists (select 1 from scores c where c.trace_id = t.trace_id)"}
_SIGNAL = """(exists (select 1 from signals g where g.trace_id = s.trace_id and g.span_id = s.span_id
    and g.kind in (select value from json_each({}))))"""
_TRACE_SIGNAL = (
    "(exists (select 1 from signals g where g.trace_id = t.trace_id and g.kind in (select value from json_each({}))))"
)
_GONE = f"(s.status = 'running' and s.start_ns is not null and {SPAN_DEAD})"
JOINED_WITHIN_NS = 3_600_000_000_000
SKEW_NS = 60_000_000_000

_One = Callable[[Conditions, Term], str]
_Scope = Callable[[Conditions, Within], str]


def for_traces(where: Filter, *, whole: bool = False) -> Conditions:
    return _all(Conditions(whole=whole), where, _trace_term, _trace_scope)


def for_spans(where: Filter, *, whole: bool = False) -> Conditions:
    return _all(Conditions(whole=whole), where, _span_term, _span_scope)


def for_calls(of_traces: Filter, of_spans: Filter) -> tuple[Conditions, Conditions]:
    """Conditions on traces (t), and on spans (s); what the second binds stands beside the values of the first."""
    traces = for_traces(of_traces)
    spans = Conditions(values=dict(traces.values))
    return traces, _all(spans, of_spans, _span_term, _span_scope)


def for_sessions(where: Filter, *, whole: bool = False) -> Conditions:
    return _all(Conditions(whole=whole), where, _session_term, _session_scope)


def _all(c: Conditions, where: Filter, one: _One, scope: _Scope) -> Conditions:
    for part in dict.fromkeys(replace(part, column=0) for part in where.terms):
        before = c.lookups
        c.parts.append(_part(c, part, one, scope))
        if c.lookups == before:
            c.own.append(c.parts[-1])
    return c


def _nested(c: Conditions, where: Filter, one: _One, scope: _Scope) -> str:
    """A filter inside another: its values join the outer's."""
    return joined([_part(c, part, one, scope) for part in where.terms], "and") or "1"


def _part(c: Conditions, part: Part, one: _One, scope: _Scope) -> str:
    if isinstance(part, Term):
        sql = one(c, part)
    elif isinstance(part, Within):
        sql = scope(c, part)
    else:
        sql = joined([f"({_nested(c, way, one, scope)})" for way in part.ways], "or")
    return f"not ifnull(({sql}), 0)" if part.negated else f"({sql})"


def _trace_scope(c: Conditions, part: Within) -> str:
    if part.scope == "trace":
        return _nested(c, part.where, _trace_term, _trace_scope) or "1"
    own = _of_the_root(part)
    if own is not None:
        return matches(c, _TRACE_OWN[own.key], own.values, fold=own.key in FOLDED)
    of_span = _nested(c, part.where, _span_term, _span_scope)
    return _spans_of_trace(c, of_span) if part.scope == "any" else _ROOT.format(of_span)


def _of_the_root(part: Within) -> Term | None:
    """A term of its root that the trace answers itself: its name is the one it was given, else its root's."""
    only = part.where.terms[0] if part.scope == "root" and len(part.where.terms) == 1 else None
    return only if isinstance(only, Term) and not only.negated and only.key in _TRACE_OWN else None


def _span_scope(c: Conditions, part: Within) -> str:
    return _TRACE_OF.format(_trace_scope(c, part))


def _session_scope(c: Conditions, part: Within) -> str:
    return _traces_of_session(c, _trace_scope(c, part))


def _spans_of_trace(c: Conditions, of_span: str) -> str:
    """Of a trace: one of its spans is like that."""
    c.lookups += 1
    return (_SOME_SPAN if c.whole else _ANY_SPAN).format(of_span)


def _traces_of_session(c: Conditions, of_trace: str) -> str:
    """Of a session: one of its traces is like that."""
    c.lookups += 1
    return (_SOME_TRACE if c.whole else _TRACE_IN).format(of_trace)


def _trace_term(c: Conditions, term: Term) -> str:
    if term.key == "status":
        return _status(c, term, "t.root_status", _RUNS, TRACE_STATUS)
    if term.key in ("since", "until"):
        return _moment(c, "t.start_ns", term)
    if term.key in _TRACE_NUMBERS:
        return bounded(c, _TRACE_NUMBERS[term.key], term.bounds)
    if term.key in _TRACE_TEXTS:
        return matches(c, _TRACE_TEXTS[term.key], term.values)
    found = _OF_TRACE.get(term.key)
    return found(c, term) if found is not None else _any_span(c, term)


def _any_span(c: Conditions, term: Term) -> str:
    return _spans_of_trace(c, _span_term(c, term))


def _own_or_any(column: str) -> _One:
    """The trace's own, which is at hand, or that of any span."""

    def sql(c: Conditions, term: Term) -> str:
        return f"{matches(c, column, term.values, fold=term.key in FOLDED)} or {_any_span(c, term)}"

    return sql


def _has_of_trace(c: Conditions, term: Term) -> str:
    own = [_TRACE_HAS[name] for name in _things(term) if name in _TRACE_HAS]
    return joined([*own, _any_span(c, term)], "or")


_TRACE_OWN = {"name": "t.name", "service": "t.service"}
_OF_TRACE: dict[str, _One] = {
    "text": lambda c, term: _text(c, term, _TRACE_TEXT),
    "run": lambda c, term: _run_of_trace(c, term),
    "name": _own_or_any("t.name"),
    "service": _own_or_any("t.service"),
    "tag": lambda c, term: valued.in_list(c, "t.tags", term.values),
    "meta": lambda c, term: valued.in_object(c, "t.metadata", term),
    "score": lambda c, term: valued.scored(c, "c.trace_id = t.trace_id", term),
    "has": _has_of_trace,
    "signal": lambda c, term: _signal(c, term, _TRACE_SIGNAL, f"{_RUNS} and {_ANY_SPAN.format(_GONE)}"),
}


def _span_term(c: Conditions, term: Term) -> str:
    if term.key == "status":
        return _status(c, term, "s.status", "s.status = 'running'", SPAN_STATUS)
    if term.key in ("since", "until"):
        return _moment(c, "s.start_ns", term)
    if term.key in _SPAN_NUMBERS:
        return bounded(c, _SPAN_NUMBERS[term.key], term.bounds)
    if term.key in _SPAN_TEXTS:
        return matches(c, _SPAN_TEXTS[term.key], term.values, fold=term.key in FOLDED)
    return _OF_SPAN[term.key](c, term)


def _errors(c: Conditions, term: Term) -> str:
    """Of the trace. Where there must be one, the failed spans, which have an index, say which traces to look at."""
    counted = _TRACE_OF.format(bounded(c, "t.error_count", term.bounds))
    return f"{_FAILED} and {counted}" if asks_for_some(term.bounds) else counted


def _run_of_span(c: Conditions, term: Term) -> str:
    since, ours = _since_run(term), _RUN.format(matches(c, _RUN_NAME, term.values))
    return f"s.start_ns >= {c.bind(since)} and {ours}" if since else ours


def _model(c: Conditions, term: Term) -> str:
    return f"{matches(c, '+s.model', term.values)} or {matches(c, '+s.request_model', term.values)}"


def _signal(c: Conditions, term: Term, stored: str, gone: str) -> str:
    """Signals are stored, but for what comes with time: that a span was abandoned."""
    kinds = chosen(term.values, SIGNALS)
    asked = [stored.format(c.bind(orjson.dumps(kinds).decode()))] if set(kinds) - {"abandoned"} else []
    return joined([*asked, *((gone,) if "abandoned" in kinds else ())], "or") or NEVER


def _things(term: Term) -> list[str]:
    """What `has:` asks for."""
    return chosen(term.values, _HAS)


_OF_SPAN: dict[str, _One] = {
    "text": lambda c, term: _text(c, term, _TEXT),
    "run": _run_of_span,
    "model": _model,
    "errors": lambda c, term: _errors(c, term),
    "tag": lambda c, term: valued.in_list(c, "s.tags", term.values),
    "meta": lambda c, term: valued.in_object(c, "s.metadata", term),
    "score": lambda c, term: valued.scored(c, "c.trace_id = s.trace_id and c.span_id = s.span_id", term),
    "attr": lambda c, term: _BODY.format(valued.in_object(c, "b.attributes", term)),
    "res": lambda c, term: _BODY.format(valued.in_resource(c, term)),
    "finish": lambda c, term: _BODY.format(valued.in_list(c, "b.finish_reasons", term.values)),
    "docs": lambda c, term: _BODY.format(bounded(c, _DOCS, term.bounds)),
    "doc.score": lambda c, term: _BODY.format(valued.document_scores(c, term.bounds)),
    "signal": lambda c, term: _signal(c, term, _SIGNAL, _GONE),
    "has": lambda c, term: joined([_HAS[name] for name in _things(term)], "or") or NEVER,
}


def _session_term(c: Conditions, term: Term) -> str:
    if term.key == "session":
        return matches(c, "x.session_id", term.values)
    if term.key == "since":
        return _moment(c, "x.last_ns", term)
    if term.key == "until":
        return _moment(c, "x.first_ns", term)
    if term.key in _SESSION_NUMBERS:
        return bounded(c, _SESSION_NUMBERS[term.key], term.bounds)
    if term.key == "user":  # the user's traces are few, and have an index
        return f"x.session_id in (select t.session_id from traces t where {_trace_term(c, term)})"
    of_a_trace = _traces_of_session(c, _trace_term(c, term))
    if term.key == "score":
        return f"{valued.scored(c, 'c.session_id = x.session_id', term)} or {of_a_trace}"
    return of_a_trace


def _moment(c: Conditions, column: str, term: Term) -> str:
    return f"{column} {'>=' if term.key == 'since' else '<'} {c.bind(int(term.values[0]))}"


def _run_of_trace(c: Conditions, term: Term) -> str:
    """A run's name says when it began, so that older traces need not be opened. The run may have joined a trace
    that was under way, but hardly for more than an hour."""
    any_span = _any_span(c, term)
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
    found = matches(c, f"({computed})", term.values)
    if not term.negated and set(term.values) <= {"running", "abandoned"}:
        return f"{stored_running} and {found}"  # the few spans that run have an index of their own
    return found


def _text(c: Conditions, term: Term, template: str) -> str:
    from collector.store.search import match_expression

    expression = match_expression(term.values[0])
    return NEVER if expression is None else template.format(c.bind(expression))
