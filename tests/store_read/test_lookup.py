"""Criteria of other products' query calls: by column, page by page, counted; and nothing of a value becomes SQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from collector.errors import FilterError
from collector.ingest import Ingest
from collector.model import Batch, Reading, Score
from collector.settings import Settings
from collector.store import open_reader
from collector.store.lookup import OPERATORS, SCORES, SESSIONS, SPANS, TRACES, Is, count, find, own_ids, scores
from collector.store.reader import Reader
from tests.builders import MS, T0, make_llm, make_part, span_id, trace_id

NASTY = "it's 100% [*]?_\"; drop table spans; --"


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    path = tmp_path_factory.mktemp("lookup") / "traces.db"
    with Ingest(path, Settings(db=path, redact="off")) as ingest:
        for n in range(1, 6):
            root = Reading(kind="agent", user_id=f"u{n % 2}", session_id="s", tags=("a", f"t{n}"), environment="test")
            parts = (
                make_part(10 * n, trace=trace_id(n), name=f"run {n}", reading=root, start_ns=T0 + n * MS),
                make_llm(10 * n + 1, trace=trace_id(n), parent=10 * n, name=NASTY if n == 3 else "call"),
            )
            score = Score(f"c{n}", "quality", T0 + n, trace_id(n), span_id(10 * n), value=n / 10)
            ingest.write(Batch("test", parts, (score,)))
        trace = make_part(
            99, trace=trace_id(9), name="trace", attributes={"langfuse.observation.type": "trace"}, source_id="t",
            source_trace_id="t", start_ns=T0 + 900 * MS,
        )  # fmt: skip
        ingest.write(Batch("test", (trace, make_part(98, trace=trace_id(9), parent=99, source_id="o"))))
    with open_reader(path) as reader:
        yield reader


def names(reader: Reader, *wanted: Is) -> list[str]:
    return [reader.span(row[0], row[1]).row.name for row in find(reader, SPANS, wanted)]


def test_spans_are_found_by_their_columns(reader: Reader) -> None:
    assert names(reader, Is("kind", "=", ("agent",))) == [f"run {n}" for n in (5, 4, 3, 2, 1)]
    assert names(reader, Is("user", "=", ("u1",)), Is("kind", "in", ("agent",))) == ["run 5", "run 3", "run 1"]
    assert names(reader, Is("trace", "=", (trace_id(2),)), Is("parent", "null")) == ["run 2"]
    assert names(reader, Is("tags", "any of", ("t1", "t2")), Is("parent", "null")) == ["run 2", "run 1"]
    assert names(reader, Is("tags", "all of", ("a", "t2")), Is("parent", "null")) == ["run 2"]
    assert names(reader, Is("start", ">=", (T0 + 4 * MS,)), Is("start", "<", (T0 + 5 * MS,))) == ["run 4"]


def test_a_span_that_only_stands_for_a_trace_is_none(reader: Reader) -> None:
    assert names(reader, Is("trace", "=", (trace_id(9),))) == ["span 98"]
    assert own_ids(reader, trace_id(9)) == {trace_id(9): "t", span_id(98): "o", span_id(99): "t"}


def test_a_page_follows_a_page_by_number_and_by_key(reader: Reader) -> None:
    agents = [Is("kind", "=", ("agent",))]
    first, second = (find(reader, SPANS, agents, limit=2, offset=offset) for offset in (0, 2))
    assert [row[0] for row in (*first, *second)] == [trace_id(n) for n in (5, 4, 3, 2)]
    assert find(reader, SPANS, agents, limit=2, after=first[-1][-2:]) == second
    assert count(reader, SPANS, agents) == 5
    assert [row[0] for row in find(reader, TRACES, oldest_first=True, limit=1)] == [trace_id(1)]
    assert [row[0] for row in find(reader, SESSIONS)] == ["s"]


def test_scores_are_found_by_what_they_judge(reader: Reader) -> None:
    assert [s.score_id for s in scores(reader, [Is("value", ">=", (0.3,)), Is("user", "=", ("u1",))])] == ["c5", "c3"]
    assert [s.score_id for s in scores(reader, [Is("span", "=", (span_id(20),))])] == ["c2"]
    assert count(reader, SCORES, [Is("environment", "=", ("test",))]) == 5


@pytest.mark.parametrize(
    ("op", "value"), [("=", NASTY), ("contains", "100% [*]?_"), ("starts with", "it's 1"), ("ends with", "--"),
                      ("in", NASTY)],
)  # fmt: skip
def test_a_value_is_only_a_value(reader: Reader, op: str, value: str) -> None:
    assert names(reader, Is("name", op, (value,))) == [NASTY]
    assert names(reader, Is("name", "contains", ("?",))) == [NASTY]
    assert NASTY not in names(reader, Is("name", "does not contain", (value,)))


def test_every_operator_can_be_asked(reader: Reader) -> None:
    for op in OPERATORS:
        find(reader, SPANS, [Is("tags", op, () if op in ("null", "set") else ("a",))])


@pytest.mark.parametrize("wanted", [Is("colour", "=", ("x",)), Is("name", "~", ("x",)), Is("name", "=", ())])
def test_what_there_is_not_is_said(reader: Reader, wanted: Is) -> None:
    with pytest.raises(FilterError):
        find(reader, SPANS, [wanted])
