"""Looking ahead: what a filter can hold for at all, before a list is walked.

A list is walked in its own order until a page is full. That is quick while most rows hold, and reads the whole
file when hardly any does. So each term that an index knows is probed first: when at most MOST spans hold for one,
the list is asked for these only. Words that many texts hold are the other way round: there the newest rows are
looked at, and what their spans brought is compared with the index.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

import orjson

from collector.kinds import SIGNALS
from collector.store import valued
from collector.store.binding import Conditions, chosen, glob_pattern
from collector.store.filter_values import asks_for_some
from collector.store.filters import Either, Filter, Part, Term, Within
from collector.store.sound import sound_text

Rows = Callable[[str, dict[str, Any]], list[tuple[Any, ...]]]

MOST = 3000
DISTINCT = 300
GAP, RUNS = 500, 1000
OF_THE_TRACE = ("errors",)
"""Keys that ask a span for something of its trace."""

KINDS = """
    with recursive v(value) as (select min(kind) from spans
      union all select (select min(kind) from spans where kind > v.value) from v where v.value is not null limit :most)
    select value from v where value is not null"""
MODELS = """
    with recursive v(value) as (select min(model) from spans where model is not null
      union all select (select min(model) from spans where model > v.value) from v where v.value is not null
      limit :most)
    select value from v where value is not null"""
ASKED_MODELS = """
    with recursive v(value) as (
      select min(request_model) from spans where request_model is not null and request_model <> model
      union all select (select min(request_model) from spans
        where request_model is not null and request_model <> model and request_model > v.value)
      from v where v.value is not null limit :most)
    select value from v where value is not null"""
NAMES = """
    with recursive v(value) as (select min(name collate nocase) from spans where kind = :kind
      union all select (select min(name collate nocase) from spans where kind = :kind and name > v.value collate nocase)
      from v where v.value is not null limit :most)
    select value from v where value is not null"""
GLOBS = """
    select v.value from json_each(:values) v
    where exists (select 1 from json_each(:globs) j
      where case when :fold then lower(v.value) else v.value end glob j.value)"""
OF_KINDS = "select s.id from json_each(:values) v cross join spans s on s.kind = v.value limit :most"
OF_MODELS = """
    select s.id from json_each(:values) v cross join spans s on s.model = v.value
    union all
    select s.id from json_each(:values) v cross join spans s on s.request_model = v.value
      and s.request_model is not null and s.request_model <> s.model
    limit :most"""
OF_NAMES = """
    select s.id from json_each(:kinds) j cross join json_each(:values) v
    cross join spans s on s.kind = j.value and s.name = v.value collate nocase limit :most"""
RUNNING = "select s.id from spans s where s.status = 'running' limit :most"
FAILED = "select s.id from spans s where s.status = 'error' limit :most"
OF_SIGNALS = """
    select s.id from json_each(:values) v cross join signals g on g.kind = v.value
    cross join spans s on s.trace_id = g.trace_id and s.span_id = g.span_id limit :most"""
OF_SCORES = """
    select * from (
      select s.id from scores c cross join spans s on s.trace_id = c.trace_id and s.span_id = c.span_id
      where c.name = :name
      union
      select (select min(s.id) from spans s where s.trace_id = c.trace_id) from scores c
      where c.name = :name and c.trace_id is not null
      union
      select (select min(s.id) from spans s where s.trace_id = (
        select t.trace_id from traces t where t.session_id = c.session_id limit 1)) from scores c
      where c.name = :name and c.session_id is not null)
    where id is not null limit :most"""
TEXTS = "select rowid from search where search match :asked limit :most"
OF_TEXTS = """
    select distinct m.span_id from json_each(:values) v cross join mentions m on m.text_id = v.value limit :most"""
RESOURCES = "select 1 from contexts c where c.kind = 'resource' and {} limit 1"
AMONG = "select rowid from search where search match :asked and rowid between :first and :last"


def narrow(rows: Rows, where: Filter, *, by_trace: bool = True) -> list[int] | None:
    """The `spans.id` of the few spans of which one must hold for whatever the filter finds; [] when it finds
    nothing, None when they are not few. Traces and sessions are found by their spans; without `by_trace` a span is
    found by itself, and what is asked of its trace says nothing about it."""
    best: list[int] | None = None
    for part in where.terms:
        found = None if part.negated else _few(rows, part, by_trace)
        if found is not None and len(found) <= MOST and (best is None or len(found) < len(best)):
            best = found
    return best


def _few(rows: Rows, part: Part, by_trace: bool) -> list[int] | None:
    if isinstance(part, Within):
        return narrow(rows, part.where, by_trace=part.scope == "trace") if by_trace else None
    if isinstance(part, Either):
        return _of_ways(rows, part, by_trace)
    if not by_trace and part.key in OF_THE_TRACE:
        return None
    probe = _PROBES.get(part.key)
    return probe(rows, part) if probe is not None else None


def _of_ways(rows: Rows, part: Either, by_trace: bool) -> list[int] | None:
    found: dict[int, None] = {}
    for way in part.ways:
        some = narrow(rows, way, by_trace=by_trace)
        if some is None:
            return None
        found.update(dict.fromkeys(some))
    return list(found)


def is_common(rows: Rows, part: Part) -> bool:
    """Whether a text term's words stand in so many texts that gathering what brought them takes long."""
    if not isinstance(part, Term) or part.key != "text":
        return False
    asked = _expression(part)
    return asked is not None and len(rows(TEXTS, {"asked": asked, "most": MOST + 1})) > MOST


def holding(rows: Rows, asked: str, texts: Iterable[int]) -> set[int]:
    """Those of these texts that match. Texts that arrived together lie together, and are asked for together."""
    numbers = sorted(set(texts))
    if not numbers:
        return set()
    cuts = [at for at, (a, b) in enumerate(pairwise(numbers), 1) if b - a > GAP]
    runs = list(zip([0, *cuts], [*cuts, len(numbers)], strict=True)) if len(cuts) < RUNS else [(0, len(numbers))]
    found: set[int] = set()
    for start, end in runs:
        values = {"asked": asked, "first": numbers[start], "last": numbers[end - 1]}
        found.update(row[0] for row in rows(AMONG, values))
    return found.intersection(numbers)


def _of_kind(rows: Rows, term: Term) -> list[int] | None:
    return _by_values(rows, OF_KINDS, _expanded(rows, term, lambda: _column(rows, KINDS)))


def _of_model(rows: Rows, term: Term) -> list[int] | None:
    def known() -> list[str]:
        return _column(rows, MODELS) + _column(rows, ASKED_MODELS)

    return _by_values(rows, OF_MODELS, _expanded(rows, term, known))


def _of_name(rows: Rows, term: Term) -> list[int] | None:
    kinds = _column(rows, KINDS)

    def known() -> list[str]:
        return [name for kind in kinds for name in _column(rows, NAMES, kind=kind)]

    return _by_values(rows, OF_NAMES, _expanded(rows, term, known, fold=True), kinds=_json(kinds))


def _running(rows: Rows, term: Term) -> list[int] | None:
    if not set(term.values) <= {"running", "abandoned"}:
        return None
    return [row[0] for row in rows(RUNNING, {"most": MOST + 1})]


def _failed(rows: Rows, term: Term) -> list[int] | None:
    """Traces that have failed spans, where each alternative asks for at least one."""
    if not asks_for_some(term.bounds):
        return None
    return [row[0] for row in rows(FAILED, {"most": MOST + 1})]


def _scored(rows: Rows, term: Term) -> list[int] | None:
    """The spans that have such a score; of a trace or a session that has one, any of its spans."""
    return [row[0] for row in rows(OF_SCORES, {"name": sound_text(term.name), "most": MOST + 1})]


def _expression(term: Term) -> str | None:
    """What full text is asked for; None where the words hold nothing that it knows."""
    from collector.store.search import match_expression  # tables of many scripts: not before words are looked for

    return match_expression(term.values[0])


def _of_text(rows: Rows, term: Term) -> list[int] | None:
    asked = _expression(term)
    if asked is None:
        return []
    texts = [row[0] for row in rows(TEXTS, {"asked": asked, "most": MOST + 1})]
    return _by_values(rows, OF_TEXTS, texts) if len(texts) <= MOST else None


def _of_resource(rows: Rows, term: Term) -> list[int] | None:
    """Resources are few: where none is like that, no span is."""
    c = Conditions()
    asked = valued.in_object(c, valued.OF_RESOURCE, term)
    return None if rows(RESOURCES.format(asked), c.values) else []


def _signalled(rows: Rows, term: Term) -> list[int] | None:
    kinds = chosen(term.values, SIGNALS)
    found = _by_values(rows, OF_SIGNALS, kinds)
    return (
        found
        if found is None or "abandoned" not in kinds
        else [*found, *(r[0] for r in rows(RUNNING, {"most": MOST + 1}))]
    )


_PROBES: dict[str, Callable[[Rows, Term], list[int] | None]] = {
    "kind": _of_kind, "model": _of_model, "answered": _of_model, "name": _of_name, "status": _running, "text": _of_text,
    "signal": _signalled, "errors": _failed, "score": _scored, "res": _of_resource,
}  # fmt: skip


def _by_values(rows: Rows, sql: str, values: Sequence[object] | None, **more: str) -> list[int] | None:
    if values is None or _has_nul(values):
        return None
    return [row[0] for row in rows(sql, {"values": _json(values), "most": MOST + 1, **more})]


def _column(rows: Rows, sql: str, **more: str) -> list[str]:
    """The distinct values of a column by way of its index, DISTINCT at most."""
    return [row[0] for row in rows(sql, {"most": DISTINCT, **more})]


def _expanded(rows: Rows, term: Term, known: Callable[[], list[str]], *, fold: bool = False) -> list[str] | None:
    """The values that a term stands for, globs resolved; None when there are too many values to tell."""
    exact = [sound_text(value) for value in term.values if "*" not in value]
    globs = [sound_text(glob_pattern(value, fold=fold)) for value in term.values if "*" in value]
    if not globs:
        return exact
    values = known()
    if len(values) >= DISTINCT - 1 or _has_nul(values) or _has_nul(globs):
        return None
    asked = {"values": _json(values), "globs": _json(globs), "fold": int(fold)}
    return exact + [row[0] for row in rows(GLOBS, asked)]


def _has_nul(values: Iterable[object]) -> bool:
    """SQLite ends JSON texts at a NUL."""
    return any(isinstance(value, str) and "\0" in value for value in values)


def _json(values: Sequence[object]) -> str:
    return orjson.dumps(values).decode()
