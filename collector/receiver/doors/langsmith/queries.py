"""`POST /runs/query` and its kin: which spans are asked for, read page by page, filtered, and told as runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from collector.errors import DecodeError, NotFound
from collector.model import Score
from collector.protocols import langsmith_filter
from collector.protocols.langsmith_feedback import feedback_of
from collector.protocols.times import time_ns
from collector.receiver.doors.langsmith.projects import Projects
from collector.receiver.doors.langsmith.views import DEFAULT_PROJECT, Run, run_of, run_uuid, trace_uuid
from collector.store import runs
from collector.store.reader import Reader
from collector.store.rows import SpanDetail
from collector.store.runs import Place, Where

MOST = 100
PAGE = 200
CHILDREN = 10_000
LOOKED_AT = 100_000
"""So many spans are looked through for one page; a filter that finds nothing among them ends there."""
KINDS = {
    "llm": ("llm",), "tool": ("tool",), "embedding": ("embedding",), "retriever": ("retriever", "reranker"),
    "prompt": ("prompt",), "parser": ("chain",),
    "chain": ("chain", "agent", "guardrail", "evaluator", "event", "http", "db", "span"),
}  # fmt: skip


@dataclass
class Runs:
    """Runs out of one reader; what belongs to several of a page is asked for once."""

    reader: Reader
    _projects: Projects = field(init=False)
    _roots: dict[str, Run | None] = field(default_factory=dict)
    _trees: dict[str, list[Run]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._projects = Projects(self.reader)

    def one(self, run_id: str) -> Run:
        """A run by its id. NotFound."""
        found = runs.find(self.reader, run_id)
        if found is None:
            raise NotFound(f"no run {run_id} is here")
        return {**self._run(*found), "child_run_ids": self._below(*found)}

    def _below(self, trace_id: str, span_id: str) -> list[str]:
        """The ids of all runs below one, as old SDKs want them to load its children by."""
        spans = self.reader.tree_spans(trace_id, limit=CHILDREN)
        below, found = {span_id}, []
        for span in spans:  # by their start: parents come first, but for clocks that disagree
            if span.parent_id in below and span.span_id not in below:
                below.add(span.span_id)
                found.append(span.span_id)
        known = runs.sources(self.reader, trace_id, found)
        return [run_uuid(trace_id, one, known.get(one)) for one in found]

    def query(self, asked: dict[str, Any]) -> tuple[list[Run], str | None]:
        """A page of runs, and the cursor of the next one."""
        limit = asked.get("limit")
        limit = min(limit, MOST) if isinstance(limit, int) and limit > 0 else MOST
        tests = self._tests(asked)
        found: list[Run] = []
        last: Place | None = _place(asked.get("cursor"))
        for at, place in enumerate(self._places(asked, last)):
            run = self._run(place.trace_id, place.span_id)
            last = place
            if all(test(run) for test in tests):
                found.append(run)
                if len(found) == limit:
                    return found, f"{place.start_ns}.{place.number}"
            if at >= LOOKED_AT:
                break
        return found, None

    def _places(self, asked: dict[str, Any], after: Place | None) -> Iterator[Place]:
        ids = texts(asked.get("id"))
        if ids is not None:
            for number, run_id in enumerate(ids[after.number if after else 0 :], after.number + 1 if after else 1):
                found = runs.find(self.reader, run_id)
                if found is not None:
                    yield Place(0, number, *found)
            return
        where = self._where(asked)
        oldest_first = _order(asked.get("order"))
        while where is not None:
            rows = runs.page(self.reader, where, before=after, limit=PAGE, oldest_first=oldest_first)
            yield from rows
            if len(rows) < PAGE:
                return
            after = rows[-1]

    def _where(self, asked: dict[str, Any]) -> Where | None:
        """None where nothing can match: a project, trace or parent that is not here."""
        names = None
        if (projects := texts(asked.get("session"))) is not None:
            names = [name for one in projects if (name := self._projects.name(one)) is not None]
            if not names:
                return None
        parent = trace = None
        if asked.get("parent_run"):
            place = runs.find(self.reader, str(asked["parent_run"]))
            if place is None:
                return None
            trace, parent = place
        if asked.get("trace"):
            trace = str(asked["trace"]).replace("-", "").lower()
        kind = asked.get("run_type")
        return Where(
            projects=names, default_too=bool(names and DEFAULT_PROJECT in names),
            kinds=KINDS.get(kind, (kind,)) if isinstance(kind, str) else None, trace_id=trace, parent_id=parent,
            failed=_truth(asked.get("error")), root=_truth(asked.get("is_root")),
            since_ns=time_ns(asked.get("start_time")), until_ns=time_ns(asked.get("end_time")),
        )  # fmt: skip

    def _tests(self, asked: dict[str, Any]) -> list[langsmith_filter.Predicate]:
        tests: list[langsmith_filter.Predicate] = []
        if asked.get("execution_order") is not None:  # of SDKs below 0.2: a root's is 1, and no other is known
            tests.append(lambda run: bool((run["parent_run_id"] is None) == (asked["execution_order"] == 1)))
        if asked.get("filter"):
            tests.append(langsmith_filter.parse(_text(asked, "filter")))
        if asked.get("query"):
            words = _text(asked, "query").replace("\\", "\\\\").replace('"', '\\"')
            tests.append(langsmith_filter.parse(f'search("{words}")'))
        examples = texts(asked.get("reference_example"))
        if examples is not None:
            tests.append(lambda run: run["reference_example_id"] in examples)
        if isinstance(asked.get("run_type"), str):
            kind = asked["run_type"]
            tests.append(lambda run: bool(run["run_type"] == kind))
        if asked.get("trace_filter"):
            of_root = langsmith_filter.parse(_text(asked, "trace_filter"))
            tests.append(lambda run: (root := self._root(run["trace_id"])) is not None and of_root(root))
        if asked.get("tree_filter"):
            of_any = langsmith_filter.parse(_text(asked, "tree_filter"))
            tests.append(lambda run: any(of_any(one) for one in self._tree(run["trace_id"])))
        return tests

    def _root(self, trace: str) -> Run | None:
        trace_id = trace.replace("-", "")
        if trace_id not in self._roots:
            span = runs.root_of(self.reader, trace_id)
            self._roots[trace_id] = self._run(trace_id, span) if span else None
        return self._roots[trace_id]

    def _tree(self, trace: str) -> list[Run]:
        trace_id = trace.replace("-", "")
        if trace_id not in self._trees:
            spans = self.reader.tree_spans(trace_id, limit=1000)
            self._trees[trace_id] = [self._run(trace_id, span.span_id) for span in spans]
        return self._trees[trace_id]

    def _run(self, trace_id: str, span_id: str) -> Run:
        detail = self.reader.span(trace_id, span_id)
        parent = detail.row.parent_id
        source = runs.sources(self.reader, trace_id, [parent]).get(parent) if parent is not None else None
        scores = runs.scores_of(self.reader, trace_id, span_id)
        whole = self.reader.trace(trace_id) if parent is None else None
        run = run_of(detail, self._project_id(detail), source, scores, whole)
        run["feedback"] = [feedback_of(score, run["id"], run["trace_id"]) for score in scores]
        return run

    def _project_id(self, detail: SpanDetail) -> str:
        name = detail.project or self.reader.trace(detail.row.trace_id).project or DEFAULT_PROJECT
        return self._projects.id(name)


def feedback(reader: Reader, asked: dict[str, Any], limit: int, offset: int) -> list[Run]:
    """`GET /feedback`: of some runs (`run`, each by its id), or of all; by key and source."""
    names, sources, wanted = texts(asked.get("key")), texts(asked.get("source")), texts(asked.get("run"))
    if wanted is None:
        found = runs.scores(
            reader, names=names, sources=sources, project_id=asked.get("session"), limit=limit, offset=offset
        )
        return [told(reader, score) for score in found]
    listed: list[Run] = []
    for run_id in wanted:
        place = runs.find(reader, run_id)
        if place is not None:
            listed += [feedback_of(score, run_id, trace_uuid(place[0])) for score in runs.scores_of(reader, *place)]
    if names is not None:
        listed = [one for one in listed if one["key"] in names]
    if sources is not None:
        listed = [one for one in listed if ((one["feedback_source"] or {}).get("type") or "api") in sources]
    return listed[offset : offset + limit]


def told(reader: Reader, score: Score) -> Run:
    """A score as feedback, with the ids of its run and trace."""
    if score.trace_id is None:
        return feedback_of(score, None, None)
    span = score.span_id or runs.root_of(reader, score.trace_id)
    source = runs.sources(reader, score.trace_id, [span]).get(span) if span else None
    run_id = run_uuid(score.trace_id, span, source) if span else None
    return feedback_of(score, run_id, trace_uuid(score.trace_id))


def select(run: Run, wanted: Any) -> Run:
    """The fields that were asked for, and those without which a run is none."""
    names = texts(wanted)
    if names is None:
        return {name: value for name, value in run.items() if name != "feedback"}
    keep = {*names, "id", "trace_id", "name", "run_type", "start_time", "session_id", "dotted_order", "status"}
    return {name: value for name, value in run.items() if name in keep and name != "feedback"}


def _place(cursor: Any) -> Place | None:
    if cursor is None:
        return None
    start, _, number = str(cursor).partition(".")
    if not (start.isdecimal() and number.isdecimal()):
        raise DecodeError(f"cursor {str(cursor)[:60]!r} is none of ours")
    return Place(int(start), int(number))


def texts(value: Any) -> list[str] | None:
    """A list of texts, or one text alone; None for none. DecodeError."""
    if value is None:
        return None
    if isinstance(value, str):
        return [value]
    if isinstance(value, Sequence):
        return [str(one) for one in value]
    raise DecodeError(f"{value!r} is no list of ids or names"[:200])


def _text(asked: dict[str, Any], name: str) -> str:
    if not isinstance(asked[name], str):
        raise DecodeError(f'"{name}" of a query is a text, not {type(asked[name]).__name__}')
    return str(asked[name])


def _order(value: Any) -> bool:
    """Whether the oldest are to come first."""
    if value not in (None, "asc", "desc"):
        raise DecodeError(f'runs are ordered by their start: "asc" or "desc", not {str(value)[:60]!r}')
    return bool(value == "asc")


def _truth(value: Any) -> bool | None:
    return None if value is None else bool(value)
