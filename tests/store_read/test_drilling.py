"""What a row of a summary stands for is what its filter finds."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.ingest import Ingest
from collector.model import Batch, Reading, SpanPart
from collector.settings import Settings
from collector.store import cost_keys, filters, groups
from collector.store.costs import Asked, costs
from collector.store.filters import parse
from collector.store.opening import open_reader
from tests.builders import T0, make_part, make_started, trace_id

NAMES = ["agent", "Agent", "step", 'say "hi", * and go', "it's", "[x]?", "- or (so)", '"']


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Traces of these names and services; the first has a step that is called like another trace."""
    path = tmp_path / "t.db"
    parts = [
        make_part(1, trace=trace_id(n), name=name, reading=Reading(kind="agent", user_id=name, session_id=name))
        for n, name in enumerate(NAMES, 1)
    ]
    parts.append(make_part(2, parent=1, trace=trace_id(1), name="step", reading=Reading(kind="tool")))
    parts.append(make_part(2, parent=1, trace=trace_id(2), name='say "hi", * and go', reading=Reading(kind="tool")))
    with Ingest(path, Settings(db=path, redact="off")) as ingest:
        ingest.write(Batch("test", parts=tuple(parts)))
    return path


@pytest.mark.parametrize("by", ["name", "user", "session", "service"])
def test_a_group_leads_to_exactly_its_traces(path: Path, by: str) -> None:
    with open_reader(path) as reader:
        found = groups.groups(reader, by)
        assert sum(one.traces for one in found) == len(NAMES)
        for one in found:
            rows = reader.traces(parse(groups.filter_of(by, one.value), T0))
            assert len(rows) == one.traces, groups.filter_of(by, one.value)


def test_a_model_leads_to_the_traces_that_it_answered_not_to_those_that_asked_for_it(tmp_path: Path) -> None:
    def call(n: int, asked: str | None, answered: str | None) -> SpanPart:
        return make_part(1, trace=trace_id(n), reading=Reading(kind="llm", request_model=asked, model=answered))

    calls = (call(1, "gpt-4o", "gpt-4o-2024-08-06"), call(2, "gpt-4o", None), call(3, None, "gpt-4o"))
    with Ingest(tmp_path / "t.db", Settings(db=tmp_path / "t.db")) as ingest:
        ingest.write(Batch("test", parts=calls))
    (dimension,) = cost_keys.dimensions("model")
    with open_reader(tmp_path / "t.db") as reader:
        found = {one.value: one.traces for one in groups.groups(reader, "model")}
        assert found == {"gpt-4o": 2, "gpt-4o-2024-08-06": 1}
        for model, count in found.items():
            for text in (groups.filter_of("model", model), dimension.finds(model or "")):
                assert len(reader.traces(parse(text, T0))) == count, text
        assert len(reader.traces(parse("model:gpt-4o", T0))) == 3


def test_names_that_differ_in_case_only_are_one_group_as_filters_see_them(path: Path) -> None:
    with open_reader(path) as reader:
        assert groups.groups(reader, "name")[0].traces == 2


@pytest.mark.parametrize("value", [*NAMES, '""', 'a "" b', 'ends in "', "back\\slash"])
def test_a_quoted_value_is_read_as_it_was(value: str) -> None:
    for quoted in (filters.quoted, cost_keys.quoted):
        (term,) = parse(f"name:{quoted(value)}", T0).terms
        assert isinstance(term, filters.Term)
        assert term.values == (value,)


def test_a_quote_in_a_cost_rows_value_asks_for_that_value_alone(path: Path) -> None:
    (dimension,) = cost_keys.dimensions("user")
    with open_reader(path) as reader:
        text = dimension.finds('say "hi", * and go'.replace("*", "-"))
        assert reader.traces(parse(text, T0)) == []
        assert len(reader.traces(parse(dimension.finds('"'), T0))) == 1


def test_two_phrases_with_a_quote_between_them_are_searched_for_as_one() -> None:
    (term,) = parse('"say ""hi"" now"', T0).terms
    assert isinstance(term, filters.Term)
    assert (term.key, term.values) == ("text", ('"say  hi  now"',))


@pytest.mark.parametrize("by", ["model", "day", "model,hour"])
def test_a_call_that_runs_does_not_look_like_a_free_one(tmp_path: Path, by: str) -> None:
    path = tmp_path / "t.db"
    call = make_started(1, trace=trace_id(1), reading=Reading(kind="llm", model="gpt-4o"))
    with Ingest(path, Settings(db=path, redact="off")) as ingest:
        ingest.write(Batch("test", parts=(call,)))
    with open_reader(path) as reader:
        found = costs(reader, Asked(cost_keys.dimensions(by)))
        assert found.ahead
        assert [(row.calls, row.cost_nanousd) for row in (*found.rows, found.total)] == [(1, None), (1, None)]


def test_a_filter_of_traces_asks_the_same_of_the_traces_of_spans(path: Path) -> None:
    with open_reader(path) as reader:
        assert [row.trace_id for row in reader.traces(parse("trace:(root:name:step or name:it*)", T0))] == [
            row.trace_id for row in reader.traces(parse("root:name:step or name:it*", T0))
        ]  # fmt: skip
        spans = reader.spans(parse("trace:(user:agent) kind:tool", T0))
        assert [(row.trace_id, row.name) for row in spans] == [(trace_id(1), "step")]
        assert reader.spans(parse("-trace:user:* kind:tool", T0)) == []
