"""The counting rule, as a function of spans alone."""

from __future__ import annotations

from dataclasses import dataclass

from collector.store.counting import OVERLAP_NS, counts_alone, owner_counts, same_calls

S = 1_000_000_000


@dataclass
class Span:
    span_id: str
    start_ns: int | None = 0
    end_ns: int | None = S
    trace_id: str = "t"
    kind: str = "llm"
    model: str | None = "gpt-4o"
    request_model: str | None = None
    response_id: str | None = "r1"
    call_key: str | None = None
    project: str | None = None
    source_id: str | None = None
    below: int = 0
    carries_usage: bool = True


def ids(calls: list[list[Span]]) -> list[list[str]]:
    return [[span.span_id for span in call] for call in calls]


def test_spans_of_one_response_are_one_call_owned_by_the_first():
    assert ids(same_calls([Span("b", 5), Span("a", 9), Span("c", 2)])) == [["c", "b", "a"]]


def test_ties_are_broken_by_trace_then_span():
    assert ids(same_calls([Span("b", trace_id="2"), Span("z", trace_id="1"), Span("a", trace_id="2")])) == [
        ["z", "a", "b"]
    ]


def test_the_same_id_much_later_is_another_call():
    later = S + OVERLAP_NS + 1
    assert ids(same_calls([Span("a"), Span("b", later, later + S)])) == [["a"], ["b"]]
    assert ids(same_calls([Span("a"), Span("b", later - 1, later + S)])) == [["a", "b"]]


def test_a_long_span_reaches_over_a_short_one():
    assert ids(same_calls([Span("a", 0, 9 * S), Span("b", 1 * S, 2 * S), Span("c", 10 * S, 11 * S)])) == [
        ["a", "b", "c"]
    ]


def test_another_model_is_another_call():
    assert ids(same_calls([Span("a"), Span("b", model="gpt-4o-mini")])) == [["a"], ["b"]]


def test_a_model_goes_by_the_name_it_was_asked_by_too_and_a_gateway_before_it_is_none_of_it():
    spans = [Span("a", model="openai/GPT-4o"), Span("b", model="gpt-4o-2024-08-06", request_model="gpt-4o"),
             Span("c", model="gpt-4o-2024-08-06")]  # fmt: skip
    assert ids(same_calls(spans)) == ids(same_calls(reversed(spans))) == [["a", "b", "c"]]
    assert ids(same_calls([spans[0], spans[2]])) == [["a"], ["c"]]
    spans[1].start_ns = spans[1].end_ns = 99 * S  # another call, which says nothing of these
    assert ids(same_calls(spans)) == [["a"], ["c"], ["b"]]


def test_a_key_joins_who_tells_no_id_of_the_answer_whatever_the_model_is_called():
    spans = [Span("a", call_key="n1"), Span("b", model="m", response_id=None, call_key="n1"), Span("c", model="n")]
    assert ids(same_calls(spans)) == [["a", "b"], ["c"]]


def test_two_identities_reach_over_whoever_has_both():
    spans = [Span("a", call_key="n1", response_id=None), Span("b"), Span("c", call_key="n1")]
    assert ids(same_calls(spans)) == [["a", "b", "c"]]


def test_by_its_times_alone_a_call_is_told_once_each_way():
    def run(span_id: str, project: str, source_id: str | None) -> Span:
        return Span(span_id, call_key="t1", response_id=None, project=project, source_id=source_id)

    assert ids(same_calls([run("a", "one", "x"), run("b", "one", "y")])) == [["a"], ["b"]]
    ways = [("a", "one", "x"), ("b", "one", "y"), ("c", "two", "z"), ("d", "two", "w"), ("e", "one", None)]
    assert ids(same_calls([run(*way) for way in ways])) == [["a", "c", "e"], ["b", "d"]]


def test_who_tells_a_call_may_be_a_part_of_its_key():
    spans = [
        Span(name, call_key=f"t1/{way}", response_id=None) for name, way in (("a", 0), ("b", 0), ("c", 1), ("d", 1))
    ]
    assert ids(same_calls(spans)) == [["a", "c"], ["b", "d"]]


def test_who_tells_usage_owns_the_call_however_late():
    assert ids(same_calls([Span("a", carries_usage=False), Span("z", 1), Span("c", 2)])) == [["z", "c", "a"]]


def test_spans_that_know_no_usage_are_one_call_too_and_it_counts_unless_usage_is_below():
    (call,) = same_calls([Span(name, carries_usage=False) for name in "ba"])
    assert ids([call]) == [["a", "b"]]
    assert owner_counts(call[0])
    assert not owner_counts(Span("a", carries_usage=False, below=1))
    assert owner_counts(Span("a", below=1))


def test_what_is_no_model_call_takes_no_part():
    others = [Span("c", kind="agent"), Span("d", response_id=None), Span("e", start_ns=None)]
    assert ids(same_calls([Span("a"), *others])) == [["a"]]


def test_a_span_counts_unless_usage_is_below_it():
    assert counts_alone(Span("a"))
    assert not counts_alone(Span("a", below=1))
