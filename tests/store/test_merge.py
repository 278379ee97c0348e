"""The merge rule, as a function of parts alone."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from collector.model import LogRecord, Rank, Reading, SpanPart, Usage
from collector.store.merge import fold, state_of
from tests.builders import T0, make_part, make_started, span_id


def test_a_late_start_never_overwrites_an_end():
    end = make_part(1, name="answer", status="ok")
    start = make_started(1, name="draft")
    for order in ([start, end], [end, start]):
        span, contributors = fold(order)
        assert span == end
        assert contributors == [end]
        assert state_of(span) == "ok"


def test_each_field_comes_from_the_greatest_part_that_sets_it():
    start = make_started(1, name="plan", attributes={"a": 1, "b": 1})
    update = SpanPart(start.trace_id, start.span_id, rank=Rank.UPDATE, at_ns=T0 + 5, attributes={"b": 2, "c": ""})
    end = replace(make_part(1, name=""), attributes={"d": 3, "a": None})
    span, contributors = fold([update, end, start])
    assert span.name == "plan"
    assert span.attributes == {"d": 3, "a": 1, "b": 2}
    assert contributors == [end, update, start]


def test_false_and_zero_are_values():
    early = make_started(1, attributes={"stream": True, "n": 5}, reading=Reading(usage=Usage(input_tokens=7)))
    late = make_part(1, attributes={"stream": False, "n": 0}, reading=Reading(usage=Usage(input_tokens=0)))
    span, _ = fold([early, late])
    assert span.attributes == {"stream": False, "n": 0}
    assert span.reading.usage == Usage(input_tokens=0)


def test_tokens_and_metadata_merge_key_by_key():
    first = make_started(1, reading=Reading(usage=Usage(input_tokens=7), metadata={"plan": "pro", "run": 1}))
    second = make_part(1, reading=Reading(usage=Usage(output_tokens=2), metadata={"run": 2}))
    span, _ = fold([first, second])
    assert span.reading.usage == Usage(input_tokens=7, output_tokens=2)
    assert span.reading.metadata == {"plan": "pro", "run": 2}


def test_log_records_are_all_kept_by_time():
    logs = [LogRecord(T0 + n, "gen_ai.choice", {"n": n}) for n in (3, 1, 2)]
    parts = [SpanPart("t" * 32, span_id(1), rank=Rank.UPDATE, at_ns=T0, logs=(record,)) for record in logs]
    span, _ = fold([*parts, make_part(1, trace="t" * 32), parts[0]])
    assert [record.body for record in span.logs] == [{"n": 1}, {"n": 2}, {"n": 3}]


def test_log_records_of_one_time_keep_the_order_of_their_body():
    """JavaScript's clocks know milliseconds: the messages of a request are all of one time."""
    said = [LogRecord(T0, f"gen_ai.{who}.message", who, position=n) for n, who in enumerate(("system", "user", "tool"))]
    other = LogRecord(T0 + 1, "gen_ai.choice", "sunny")
    parts = [SpanPart("t" * 32, span_id(1), rank=Rank.UPDATE, at_ns=T0, logs=logs) for logs in (tuple(said), (other,))]
    again = replace(parts[0], logs=(replace(said[2], position=0),))  # the same record, sent by itself
    for some in permutations([*parts, make_part(1, trace="t" * 32)]):
        assert [record.body for record in fold(some)[0].logs] == ["system", "user", "tool", "sunny"]
    assert len({repr(fold(some)[0].logs) for some in permutations([*parts, again])}) == 1


def test_an_error_that_comes_late_still_counts():
    late = SpanPart("t" * 32, span_id(1), rank=Rank.UPDATE, at_ns=T0, status="error", status_message="429")
    span, _ = fold([make_part(1, trace="t" * 32), late])
    assert (state_of(span), span.status_message) == ("error", "429")


names = st.sampled_from([None, "", "a", "b"])
values = st.sampled_from([None, "", "x", 0, 1, False, [], [1], {}])
readings = st.builds(
    Reading,
    kind=st.sampled_from([None, "llm", "tool"]),
    tags=st.sampled_from([(), ("a",), ("a", "b")]),
    metadata=st.sampled_from([None, {}, {"k": 1}, {"k": 2, "j": None}]),
    usage=st.none() | st.builds(Usage, input_tokens=st.none() | st.integers(0, 3)),
)
parts = st.builds(
    SpanPart,
    trace_id=st.just("t" * 32),
    span_id=st.just(span_id(1)),
    rank=st.sampled_from(list(Rank)),
    at_ns=st.integers(1, 3),
    name=names,
    start_ns=st.none() | st.integers(1, 3),
    end_ns=st.none() | st.integers(4, 6),
    status=st.sampled_from([None, "ok", "error"]),
    attributes=st.dictionaries(st.sampled_from("abc"), values, max_size=3),
    reading=readings,
)


def plain(span: SpanPart) -> tuple[object, ...]:
    attributes = tuple(sorted((k, repr(v)) for k, v in span.attributes.items() if v not in (None, "", [], {})))
    return (span.rank, span.at_ns, span.name or None, span.start_ns, span.end_ns, span.status, attributes,
            span.reading.kind, span.reading.tags, repr(span.reading.usage or None),
            tuple(sorted((span.reading.metadata or {}).items(), key=repr)))  # fmt: skip


@given(st.lists(parts, min_size=1, max_size=4))
def test_any_order_and_repetition_gives_the_same_span(said):
    outcomes = {plain(fold([*order, *order[:1]])[0]) for order in permutations(said)}
    assert len(outcomes) == 1


@given(st.lists(parts, min_size=1, max_size=4), st.lists(parts, min_size=1, max_size=3))
def test_folding_the_contributors_is_folding_everything(before, after):
    _, contributors = fold(before)
    assert plain(fold([*contributors, *after])[0]) == plain(fold([*before, *after])[0])
