"""Finding spans the way LangSmith's API names them: by the id that their source gave them, by project, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from collector.model import Score
from collector.store.reader import Reader

BY_SOURCE = """
    select trace_id, span_id from spans where source_id = :id and start_ns is not null order by id limit 1"""
BY_KEY = """
    select trace_id, span_id from spans
    where trace_id >= :low and trace_id < :high and span_id = :span and start_ns is not null limit 1"""
SOURCES = """
    select s.span_id, s.source_id from json_each(:ids) j
    join spans s on s.trace_id = :trace and s.span_id = j.value"""
PAGE = """
    select s.start_ns, s.id, s.trace_id, s.span_id from spans s
    where s.start_ns is not null
      and (:before is null or (s.start_ns, s.id) < (:before, :tie))
      and (:since is null or s.start_ns >= :since) and (:until is null or s.start_ns <= :until)
      and (:trace is null or s.trace_id = :trace)
      and (:parent is null or s.parent_id = :parent)
      and (:kinds is null or s.kind in (select j.value from json_each(:kinds) j))
      and (:failed is null or (s.status = 'error') = :failed)
      and (:root is null or (s.parent_id is null) = :root)
      and (:session is null or s.session_id = :session)
      and (:projects is null or ifnull(s.project, (
        select t.project from traces t where t.trace_id = s.trace_id)) in (select j.value from json_each(:projects) j)
        or (:default and s.project is null and not exists (
          select 1 from traces t where t.trace_id = s.trace_id and t.project is not null)))
    order by s.start_ns desc, s.id desc limit :limit"""
OLDEST = PAGE.replace("(s.start_ns, s.id) < (", "(s.start_ns, s.id) > (").replace(" desc", "")
PROJECTS = """
    select ifnull(project, ''), count(*), min(start_ns), max(start_ns), sum(error_count > 0), sum(input_tokens),
      sum(output_tokens), sum(cost_nanousd)
    from traces where start_ns is not null group by 1 order by 4 desc limit :limit"""
ROOT = """
    select span_id from spans where trace_id = :trace and parent_id is null and start_ns is not null
    order by start_ns, span_id limit 1"""
_SCORE = """
    select score_id, name, time_ns, trace_id, span_id, session_id, value, label, data_type, comment, source, metadata
    from scores"""
SCORES_OF = f"{_SCORE} where trace_id = :trace and span_id = :span order by time_ns desc, score_id"
SCORES = f"""{_SCORE}
    where (:names is null or name in (select j.value from json_each(:names) j))
      and (:sources is null or ifnull(json_extract(metadata, '$.langsmith.feedback_source.type'), 'api')
        in (select j.value from json_each(:sources) j))
      and (:project is null or json_extract(metadata, '$.langsmith.session_id') = :project)
    order by time_ns desc, score_id limit :limit offset :offset"""
SCORES_OF_COMPARISON = f"""{_SCORE}
    where json_extract(metadata, '$.langsmith.comparative_experiment_id') = :id
    order by time_ns desc, score_id limit :limit"""
ONE_SCORE = f"{_SCORE} where score_id = :id"
MOST_PROJECTS = 10_000


@dataclass(frozen=True, slots=True)
class Where:
    """Which spans. None asks nothing; `default_too` counts spans of no project to those asked for."""

    projects: Sequence[str] | None = None
    default_too: bool = False
    kinds: Sequence[str] | None = None
    trace_id: str | None = None
    parent_id: str | None = None
    session_id: str | None = None
    failed: bool | None = None
    root: bool | None = None
    since_ns: int | None = None
    until_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A span in the order of a list: by its start, and its number where starts are equal."""

    start_ns: int
    number: int
    trace_id: str = ""
    span_id: str = ""


@dataclass(frozen=True, slots=True)
class Project:
    """A project's traces, summed. `name` is "" for those of no project."""

    name: str
    traces: int
    first_ns: int
    last_ns: int
    failed: int
    input_tokens: int | None
    output_tokens: int | None
    cost_nanousd: int | None


def find(reader: Reader, source_id: str) -> tuple[str, str] | None:
    """(trace id, span id) of the span that its source called so; of a span that has an id of our making, the UUID
    that is made of it does, too (16 hex of the trace, then the span). Spans of which only late parts are here are
    not found: where those are may be a guess."""
    rows = reader.rows(BY_SOURCE, {"id": source_id})
    if not rows and len(packed := source_id.replace("-", "")) == 32:
        low = packed[:16]
        rows = reader.rows(BY_KEY, {"low": low, "high": low + "g", "span": packed[16:]})
    return (str(rows[0][0]), str(rows[0][1])) if rows else None


def page(
    reader: Reader, where: Where, *, before: Place | None, limit: int, oldest_first: bool = False
) -> list[Place]:  # fmt: skip
    """Spans, newest first (or oldest), after `before` in that order."""
    values = {
        "before": before.start_ns if before else None, "tie": before.number if before else None, "limit": limit,
        "since": where.since_ns, "until": where.until_ns, "trace": where.trace_id, "parent": where.parent_id,
        "session": where.session_id, "failed": where.failed, "root": where.root, "kinds": _list(where.kinds),
        "projects": _list(where.projects), "default": where.default_too,
    }  # fmt: skip
    return [Place(*row) for row in reader.rows(OLDEST if oldest_first else PAGE, values)]


def sources(reader: Reader, trace_id: str, span_ids: Sequence[str]) -> dict[str, str]:
    """The ids that their sources gave some spans of a trace, by ours; without those that have none."""
    rows = reader.rows(SOURCES, {"trace": trace_id, "ids": _list(span_ids)})
    return {row[0]: row[1] for row in rows if row[1]}


def root_of(reader: Reader, trace_id: str) -> str | None:
    rows = reader.rows(ROOT, {"trace": trace_id})
    return str(rows[0][0]) if rows else None


def projects(reader: Reader) -> list[Project]:
    """Every project that traces name, the one with the newest trace first."""
    return [Project(*row) for row in reader.rows(PROJECTS, {"limit": MOST_PROJECTS})]


def scores_of(reader: Reader, trace_id: str, span_id: str) -> list[Score]:
    """The scores of one span, newest first."""
    return [_score(row) for row in reader.rows(SCORES_OF, {"trace": trace_id, "span": span_id})]


def scores(
    reader: Reader, *, names: Sequence[str] | None, sources: Sequence[str] | None, project_id: str | None, limit: int,
    offset: int,
) -> list[Score]:  # fmt: skip
    """All scores, newest first."""
    values = {"names": _list(names), "sources": _list(sources), "project": project_id, "limit": limit, "offset": offset}
    return [_score(row) for row in reader.rows(SCORES, values)]


def scores_of_comparison(reader: Reader, comparison_id: str) -> list[Score]:
    """The scores that one comparison of experiments gave, the newest first; 100,000 at most."""
    return [_score(row) for row in reader.rows(SCORES_OF_COMPARISON, {"id": comparison_id, "limit": 100_000})]


def score(reader: Reader, score_id: str) -> Score | None:
    rows = reader.rows(ONE_SCORE, {"id": score_id})
    return _score(rows[0]) if rows else None


def _score(row: tuple[Any, ...]) -> Score:
    return Score(*[*row[:11], orjson.loads(row[11]) if row[11] else None])


def _list(values: Sequence[str] | None) -> str | None:
    return None if values is None else orjson.dumps(list(values)).decode()
