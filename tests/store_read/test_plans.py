"""What is asked for on every refresh reads no table from end to end, however large the file.

An index that is walked in the order of the answer until a limit ends it (SCAN t USING INDEX traces_start) is
fine: it costs as much as the page, when most rows hold. The plans are those of the reader's own statements.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from collector.model import Usage
from collector.store import narrow, open_reader, signals
from collector.store.cost_ahead import running
from collector.store.cost_keys import dimensions
from collector.store.filters import Filter, parse
from collector.store.overview import overview
from collector.store.pointers import pointing_at
from collector.store.reader import Reader
from collector.store.rows import Page
from tests.builders import T0, conversation, make_part, span_id, trace_id, user
from tests.store_read.files import Plans, make_trace, write


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    parts = [
        make_trace(n, kind="llm", model="m", usage=Usage(1, 1), session_id="s", input=conversation(user(f"word {n}")))
        for n in range(1, 20)
    ]
    return write(tmp_path_factory.mktemp("plans") / "traces.db", *parts, make_part(2, parent=1, trace=trace_id(1)))


def where(text: str) -> Filter:
    return parse(text, T0)


Ask = Callable[[Reader], Any]
PAGE = Page(T0, trace_id(5))
NEVER_READ_ALL: dict[str, Ask] = {
    "newest traces": lambda r: r.traces(),
    "next page": lambda r: r.traces(after=PAGE),
    "page before": lambda r: r.traces(before=PAGE),
    "session's traces": lambda r: r.traces(where("session:s")),
    "user's traces": lambda r: r.traces(where("user:u")),
    "traces of a model": lambda r: r.traces(where("model:m")),
    "failed traces": lambda r: r.traces(where("status:error")),
    "running traces": lambda r: r.traces(where("status:running")),
    "abandoned traces": lambda r: r.traces(where("status:abandoned,running")),
    "recent traces": lambda r: r.traces(where("since:1h")),
    "traces with words": lambda r: r.traces(where("word")),
    "one trace": lambda r: r.trace(trace_id(1)),
    "a trace by its beginning": lambda r: r.resolve_trace(trace_id(1)),
    "newest spans": lambda r: r.spans(),
    "session's spans": lambda r: r.spans(where("session:s")),
    "spans of a model": lambda r: r.spans(where("model:m")),
    "failed spans": lambda r: r.spans(where("status:error")),
    "running spans": lambda r: r.spans(where("status:running")),
    "spans with words": lambda r: r.spans(where("word")),
    "changes": lambda r: r.changes_since(1),
    "spans of a trace": lambda r: r.tree_spans(trace_id(1)),
    "children": lambda r: r.children(trace_id(1), span_id(1)),
    "roots": lambda r: r.children(trace_id(1), None, after=Page(T0, span_id(1))),
    "child counts": lambda r: r.child_counts(trace_id(1), [span_id(1), span_id(2)]),
    "one span": lambda r: r.span(trace_id(1), span_id(1)),
    "what names a span": lambda r: pointing_at(r, trace_id(1), span_id(1), T0),
    "sessions": lambda r: r.sessions(),
    "next sessions": lambda r: r.sessions(after=Page(T0, "s")),
    "recent sessions": lambda r: r.sessions(where("since:1h")),
    "search": lambda r: r.search("word"),
    "search with a filter": lambda r: r.search("word", where("session:s status:ok")),
    "totals of a session": lambda r: r.totals(where("session:s")),
    "totals of what failed": lambda r: r.totals(where("status:error")),
    "traces with errors": lambda r: r.traces(where("errors:>0")),
    "spans of traces with errors": lambda r: r.spans(where("errors:>0")),
    "traces of some cost": lambda r: r.traces(where("cost:>0.05 latency:>2s tokens:>10k tag:prod service:api")),
    "spans of some cost": lambda r: r.spans(where("cost:>0.05 latency:>2s tokens:>10k tag:prod service:api")),
    "traces of either": lambda r: r.traces(where("status:error or model:m or word")),
    "spans of either": lambda r: r.spans(where("status:error or (model:m -kind:tool)")),
    "traces of one span": lambda r: r.traces(where("any:(kind:llm status:error) root:name:x")),
    "spans of such traces": lambda r: r.spans(where("any:(kind:llm status:error) root:name:x")),
    "scored traces": lambda r: r.traces(where("score.q:<0.5")),
    "scored spans": lambda r: r.spans(where("score.q:<0.5")),
    "scored sessions": lambda r: r.sessions(where("score.q:<0.5")),
    "metadata": lambda r: r.traces(where("meta.tier:premium since:1h")),
    "attributes": lambda r: r.traces(where("attr.http.route:/pay since:1h until:1m")),
    "spans with attributes": lambda r: r.spans(where("attr.http.route:/pay finish:length has:docs")),
    "traces of a kind": lambda r: r.traces(where("kind:llm")),
    "traces of kinds": lambda r: r.traces(where("kind:r*,llm -kind:tool")),
    "traces of some models": lambda r: r.traces(where("model:m*")),
    "traces with a name": lambda r: r.traces(where("name:x")),
    "traces with names": lambda r: r.traces(where("name:*x*")),
    "page of traces with a name": lambda r: r.traces(where("name:x"), after=PAGE),
    "spans with names": lambda r: r.spans(where("name:*x*")),
    "sessions of a user": lambda r: r.sessions(where("user:u")),
    "sessions with words": lambda r: r.sessions(where("word")),
    "scores": lambda r: r.scores(trace_id(1)),
    "sequence": lambda r: r.seq(),
}
SMALL = "SCAN ledger"
"""A few rows an hour, read for what sampling left out."""
MAY_SORT = {"search", "search with a filter", "running traces", "abandoned traces", "traces with words",
            "spans with words", "running spans", "child counts", "spans of a trace", "one span", "scores",
            "sessions of a user"}  # fmt: skip


@pytest.mark.parametrize("most", [0, narrow.MOST])
@pytest.mark.parametrize("what", NEVER_READ_ALL)
def test_no_table_is_read_from_end_to_end(path: Path, what: str, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether what a filter holds for are few (it is narrowed to them) or many (the list is walked)."""
    monkeypatch.setattr(narrow, "MOST", most)
    with open_reader(path) as reader:
        plans = Plans(reader)
        NEVER_READ_ALL[what](reader)
        assert plans.seen
        assert [step for step in plans.scans() if step != SMALL] == []
        assert what in MAY_SORT or plans.sorts() == []


def test_what_runs_is_found_by_the_index_of_what_runs(path: Path) -> None:
    with open_reader(path) as reader:
        plans = Plans(reader)
        running(reader, dimensions("model,user,day"))
        signals.counts(reader)
        assert overview(reader, T0 + 10**15) is not None
    walked = [
        step
        for sql, step in plans.seen
        if "where s.status = 'running'" in sql and step.startswith(("SCAN s", "SEARCH s"))
    ]
    assert [step for step in walked if "spans_running" not in step] == []
    assert len(walked) >= 3


def test_totals_without_a_filter_read_the_days_and_no_trace(path: Path) -> None:
    with open_reader(path) as reader:
        plans = Plans(reader)
        assert reader.totals().traces == 19
    steps = {step for _, step in plans.seen if step.startswith("SCAN")}
    assert "SCAN days" in steps
    # `traces` twice: counted through an index, and for the case that no cost is known at all
    assert steps - {"SCAN days", SMALL} <= {"SCAN traces USING COVERING INDEX traces_seq", "SCAN traces"}


def test_the_watch_on_plans_sees_a_table_that_is_read_from_end_to_end(path: Path) -> None:
    with open_reader(path) as reader:
        plans = Plans(reader)
        reader.traces(sort="-cost")
        assert plans.scans() == ["SCAN t"]
        assert plans.sorts() == ["USE TEMP B-TREE FOR ORDER BY"]
