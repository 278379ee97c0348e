"""Reading a trace for the tree, on a real file: its first lines, its bones, and only what changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from collector import tree
from collector.ingest import Ingest
from collector.model import KINDS, Batch, Reading, SpanPart, Tool, Usage
from collector.settings import Settings
from collector.store import open_reader, skeleton
from collector.store.measures import Measures
from collector.store.reader import Reader
from collector.store.skeleton import Skeleton
from tests.builders import TRACE, make_part, make_started, span_id
from tracetui import loading, trees

from .hostile import HOSTILE


@pytest.fixture
def ingest(tmp_path: Path) -> Iterator[Ingest]:
    with Ingest(tmp_path / "traces.db", Settings(db=tmp_path / "traces.db")) as opened:
        yield opened


@pytest.fixture
def reader(ingest: Ingest, tmp_path: Path) -> Iterator[Reader]:
    write(ingest, *(make_part(n, parent=n // 3 or None) for n in range(1, 40)))
    with open_reader(tmp_path / "traces.db") as opened:
        yield opened


def write(ingest: Ingest, *parts: SpanPart) -> None:
    ingest.write(Batch("test", parts))


def shown(loaded: loading.Loaded, near: int = 10) -> loading.Shown:
    assert loaded.outline is not None
    return loading.Shown(loaded.trace, loaded.outline, tuple(loaded.outline.ids[:near]), frozenset(), frozenset())


def test_a_skeleton_holds_what_the_rows_say(reader: Reader) -> None:
    bones = reader.skeleton(TRACE)
    rows = {int(row.span_id, 16): row for row in reader.tree_spans(TRACE)}
    assert sorted(bones.ids) == sorted(rows)
    for place, number in enumerate(bones.ids):
        row = rows[number]
        assert (bones.starts_ns[place], bones.ends_ns[place]) == (row.start_ns, row.end_ns)
        assert bones.parents[place] == int(row.parent_id or "0", 16)
    assert reader.span_rows(TRACE, bones.ids[:5]) == {number: rows[number] for number in bones.ids[:5]}


@pytest.mark.parametrize("own", ["zz-hand-made", "0x12", "-1", "1_0", "F" * 16, "f" * 40, "é" * 16, "", *HOSTILE])
def test_ids_that_are_none_have_no_place_in_the_columns(reader: Reader, own: str) -> None:
    rows = list(reader.tree_spans(TRACE))[:3]
    odd = [rows[0], rows[1]._replace(span_id=own), rows[2]._replace(parent_id=own)]
    assert skeleton.number(own) == 0
    assert list(Measures.of(odd).ids) == list(Skeleton.of(odd).ids) == [int(rows[at].span_id, 16) for at in (0, 2)]
    assert Skeleton.of(odd).parents[1] == 0


def test_statuses_and_infrastructure_are_marked(ingest: Ingest, reader: Reader) -> None:
    write(ingest, make_part(50, status="error", reading=Reading(kind="db")), make_started(51))
    bones = reader.skeleton(TRACE)
    marks = dict(zip(bones.ids, bones.marks, strict=True))
    assert (marks[1], marks[50], marks[51]) == (0, 4 * 1 + 2, 4 * 2)


def test_only_what_changed_is_asked_for(ingest: Ingest, reader: Reader) -> None:
    first = loading.first(reader, TRACE, 10)
    assert len(first.rows) == 10
    again = loading.again(reader, shown(first))
    assert (again.outline, again.changed) == (None, frozenset())
    write(ingest, make_started(41, parent=1))
    news = loading.again(reader, shown(first))
    assert news.changed == {41}
    assert news.outline is not None
    assert news.outline.ids[-1] != 41 or len(news.outline) == 40
    quiet = loading.again(reader, shown(news))
    assert quiet.outline is None
    write(ingest, make_part(41, parent=1))
    ended = loading.again(reader, shown(news))
    assert ended.outline is not None
    assert not ended.outline.running


def test_after_any_change_the_tree_is_that_of_the_file(ingest: Ingest, reader: Reader) -> None:
    loaded = loading.first(reader, TRACE, 10)
    for parts in (
        [make_part(n, parent=n // 2) for n in range(60, 70)],
        [make_started(80, parent=90)],
        [make_part(90, parent=2)],
        [replace(make_part(80, parent=90), status="error")],
    ):
        write(ingest, *parts)
        loaded = loading.again(reader, shown(loaded))
        assert loaded.outline is not None
        nodes = tree.build(reader.tree_spans(TRACE))
        assert [span_id(number) for number in loaded.outline.ids] == [node.span_id for node in nodes]
        assert list(loaded.outline.depth) == [node.depth for node in nodes]


def test_a_big_trace_begins_with_its_first_lines(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "AT_ONCE", 5)
    first = loading.first(reader, TRACE, 12)
    assert first.outline is not None
    assert first.outline.partial
    whole = trees.outline(reader.skeleton(TRACE))
    assert len(first.outline) == 12
    assert first.outline.ids == whole.ids[:12]
    rest = loading.again(reader, shown(first))
    assert rest.outline is not None
    assert rest.outline.ids == whole.ids
    assert not rest.outline.partial


def test_the_news_are_found_without_reading_the_trace(reader: Reader) -> None:
    steps: list[str] = []
    run = reader.rows

    def explained(sql: str, values: dict[str, object] | None = None) -> list[tuple[object, ...]]:
        steps.extend(row[3] for row in run("explain query plan " + sql, values))
        return run(sql, values)

    reader.rows = explained  # type: ignore[method-assign]
    reader.skeleton(TRACE, since=3)
    assert any("spans_seq" in step for step in steps)
    assert not any("(trace_id=?)" in step and "spans_running" not in step for step in steps), steps
    steps.clear()
    reader.span_rows(TRACE, [1, 2])
    assert "SEARCH s USING INDEX spans_key (trace_id=? AND span_id=?)" in steps


def test_measures_of_a_file_are_those_of_its_rows(ingest: Ingest, tmp_path: Path) -> None:
    called = Reading(kind="llm", model="gpt-4o", usage=Usage(input_tokens=7), cost_nanousd=9, ttft_ns=3)
    kinds = [called, Reading(kind="tool", tool=Tool("look")), Reading(kind="agent", agent_name="boss"), Reading()]
    write(ingest, *(make_part(n, name=HOSTILE[n - 1], reading=one) for n, one in enumerate(kinds, start=1)))
    with open_reader(tmp_path / "traces.db") as reader:
        found = reader.measures(TRACE)
        rows = Measures.of(reader.tree_spans(TRACE))
    columns = (found.kinds, found.costs, found.tokens, found.ttfts, found.label_of)
    told = [(KINDS[kind], *numbers, found.labels[label]) for kind, *numbers, label in zip(*columns, strict=True)]
    assert told == [
        ("llm", 9, 7, 3, "gpt-4o"), ("tool", -1, -1, -1, "look"), ("agent", -1, -1, -1, "boss"),
        ("span", -1, -1, -1, HOSTILE[3]),
    ]  # fmt: skip
    assert (found.ids, found.kinds, found.costs, found.tokens) == (rows.ids, rows.kinds, rows.costs, rows.tokens)


def test_a_trace_that_is_not_there_has_no_measures(reader: Reader) -> None:
    assert len(reader.measures("f" * 32)) == 0
