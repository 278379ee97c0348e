"""Files that benchmarks read are copied by SQL; they are to be what ingest would have written."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from bench.tenmillion import many_varied
from bench.varied import SESSION, TOKEN, USER, session_of, user_of
from collector.store import open_reader
from collector.store.costs import Asked, costs, dimensions
from collector.store.filters import parse
from collector.store.upkeep import problems

RUNS, COPIES = 10, 3


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    path = tmp_path_factory.mktemp("big") / "traces.db"
    return path, many_varied(path, 600, days=0.03)  # copies that share their quarter hours


def test_a_big_file_is_whole_and_its_counts_are_right(made):
    path, spans = made
    assert problems(path) == []
    with open_reader(path) as reader:
        totals = reader.totals()
        assert (totals.traces, totals.spans) == (RUNS * COPIES, spans)
        traces = reader.traces(limit=1000)
        assert sum(row.span_count for row in traces) == spans
        assert len({row.trace_id for row in traces}) == RUNS * COPIES
        assert reader.seq() == max(row.seq for row in traces)


def test_sums_that_were_moved_are_those_of_the_spans(made):
    path, spans = made
    with open_reader(path) as reader:
        for by in ("model,quarter", "kind,env", "service,meta.department", "hour", "day"):
            declared = ("department", "feature", "tier")
            kept = costs(reader, Asked(dimensions(by), declared=declared))
            counted = costs(reader, Asked(dimensions(by), declared=declared, traces=True))
            assert kept.ahead
            assert not counted.ahead
            assert kept.total.spans == spans
            bare = [(row.keys, row.spans, row.calls, row.cost_nanousd, row.buckets) for row in kept.rows]
            assert bare == [(row.keys, row.spans, row.calls, row.cost_nanousd, row.buckets) for row in counted.rows]


def test_every_copy_says_something_of_its_own_and_is_found_by_it(made):
    path, _ = made
    with open_reader(path) as reader:
        for number in (0, RUNS, RUNS * COPIES - 1):
            token = TOKEN.format(number)
            (trace_id,) = {hit.trace_id for hit in reader.search(token)}
            row = reader.trace(trace_id)
            session = session_of(number)
            assert (row.session_id, row.user_id) == (SESSION.format(session), USER.format(user_of(session)))
            assert row.input_preview is not None
            assert row.input_preview.startswith(token)
            root = reader.span(trace_id, next(span.span_id for span in reader.children(trace_id, None)))
            assert token in str(root.input.value)
            assert token in str(root.output.value)
            assert root.attributes["input.value"] == root.input.value
            assert root.attributes["session.id"] == row.session_id
            assert len(reader.search(f'"{token}"', parse(f"session:{row.session_id}", 0))) == 1


def test_sessions_and_users_are_the_sums_of_their_traces(made):
    path, _ = made
    with open_reader(path) as reader:
        for one in reader.sessions(limit=1000):
            of_it = reader.traces(parse(f"session:{one.session_id}", 0), limit=1000)
            assert (one.trace_count, one.span_count) == (len(of_it), sum(row.span_count for row in of_it))
            assert one.last_ns == max(row.start_ns for row in of_it)
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("select sum(trace_count), count(*) from users").fetchone() == (RUNS * COPIES, RUNS * COPIES)
