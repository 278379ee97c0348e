"""Own time, gaps, lanes, jumps and heat as plain data."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.store.measures import Measures
from collector.store.rows import SpanRow
from collector.store.skeleton import Skeleton
from tracetui import critical, jumps, siblings, trees, weights
from tracetui.outline import Outline

from .fakes import NOW, agent_spans, make_span


def at(number: int, parent: int | None, begin: int, end: int | None, **changes: object) -> SpanRow:
    return make_span(number, parent, start_ns=begin, end_ns=end, status="running" if end is None else "ok", **changes)


def outline(rows: list[SpanRow]) -> Outline:
    return trees.outline(Skeleton.of(rows))


def test_own_time_is_what_no_child_ran_in() -> None:
    made = outline([at(1, None, 0, 100), at(2, 1, 10, 40), at(3, 1, 30, 50), at(4, 1, 80, 300)])
    assert siblings.self_ns(made, 0, NOW) == 10 + 30
    assert list(siblings.gaps(made, 0, NOW)) == [(0, 10), (50, 80)]
    assert siblings.self_ns(made, 1, NOW) == 30
    assert list(siblings.gaps(made, 1, NOW)) == []


def test_what_runs_lasts_until_now() -> None:
    made = outline([at(1, None, 0, None), at(2, 1, 10, None)])
    assert siblings.self_ns(made, 0, 50) == 10
    assert siblings.self_ns(made, 1, 50) == 40


def test_the_longest_gap_of_all_spans_is_found() -> None:
    made = outline([at(1, None, 0, 100), at(2, 1, 5, 95), at(3, 2, 5, 20), at(4, 2, 70, 95)])
    assert siblings.longest_gap(made, NOW) == (1, 20, 70)
    assert siblings.longest_gap(outline([at(1, None, 0, 100)]), NOW) is None


def test_children_side_by_side_have_lanes_and_lanes_are_used_again() -> None:
    rows = [
        at(1, None, 0, 100),
        at(2, 1, 0, 50),
        at(3, 1, 10, 20),
        at(4, 1, 20, 40),
        at(5, 1, 30, 35),
        at(6, 1, 60, 70),
    ]
    made = outline(rows)
    assert {made.ids[n]: lane for n, lane in siblings.lanes(made, 0, NOW).items()} == {2: 1, 3: 2, 4: 2, 5: 3}
    assert siblings.lanes(outline([at(1, None, 0, 9), at(2, None, 5, 8)]), -1, NOW) == {0: 1, 1: 2}


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 20)), max_size=12))
def test_own_time_and_children_make_the_whole_and_lanes_never_overlap(spans: list[tuple[int, int]]) -> None:
    rows = [at(n, 1, begin, begin + size) for n, (begin, size) in enumerate(spans, start=2)]
    made = outline([at(1, None, 0, 50), *rows])
    covered = sum(any(row.start_ns <= t < (row.end_ns or 0) for row in rows) for t in range(50))
    assert siblings.self_ns(made, 0, NOW) == 50 - covered
    assert sum(end - start for start, end in siblings.gaps(made, 0, NOW)) == (50 - covered if rows else 0)
    by_lane: dict[int, int] = {}
    for child, lane in siblings.lanes(made, 0, NOW).items():
        assert by_lane.get(lane, -1) <= made.start(child)
        by_lane[lane] = made.over(child, NOW)


def test_the_critical_path_adds_up_to_the_trace() -> None:
    rows = [at(1, None, 0, 100, kind="agent"), at(2, 1, 0, 40, kind="llm"), at(3, 1, 5, 30, kind="tool"),
            at(4, 1, 45, 90, kind="tool"), at(5, 4, 50, 80, kind="llm")]  # fmt: skip
    made = outline(rows)
    assert dict(zip(made.ids, made.waited_ns, strict=True)) == {1: 15, 2: 40, 3: 0, 4: 15, 5: 30}
    weighed = weights.weigh(made, Measures.of(rows))
    assert critical.waited_by_kind(made, weighed.kind, range(len(made)), NOW) == [
        ("llm", 70),
        ("agent", 15),
        ("tool", 15),
    ]


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 40), st.integers(0, 20)), max_size=10))
def test_the_critical_path_of_one_root_is_as_long_as_the_root(spans: list[tuple[int, int, int]]) -> None:
    rows = [at(n, min(parent, n - 1), begin, min(begin + size, 50)) for n, (parent, begin, size) in enumerate(spans, 2)]
    made = outline([at(1, None, 0, 50), *rows])
    assert sum(made.waited_ns) == 50


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 40), st.integers(0, 20)), max_size=10))
def test_the_critical_path_is_never_longer_than_the_trace(spans: list[tuple[int, int, int]]) -> None:
    made = outline([at(n, parent or None, begin, begin + size) for n, (parent, begin, size) in enumerate(spans, 1)])
    assert sum(made.waited_ns) <= made.end_ns - made.start_ns


def test_what_runs_is_waited_for_until_now() -> None:
    made = outline([at(1, None, 0, None), at(2, 1, 0, 40), at(3, 1, 50, None), at(4, 99, 60, 70)])
    assert list(critical.waits(made, range(len(made)), 100)) == [(0, 10), (1, 40), (2, 50)]


def test_a_span_not_measured_yet_is_of_no_kind_and_costs_nothing_known() -> None:
    rows = [at(1, None, 0, 9, kind="llm", cost_nanousd=7), at(2, 1, 0, 9), at(3, 99, 1, 2)]
    weighed = weights.weigh(outline(rows), Measures.of(rows[:1]))
    assert [weighed.kind(n) for n in range(4)] == ["llm", "span", "span", "span"]
    assert list(weighed.costs) == [7, -1, -1, -1]
    assert [weighed.label(n) for n in range(4)] == ["span 1", "", "", ""]


@pytest.mark.parametrize(
    ("amount", "most", "level"),
    [(-1, 100, 0), (0, 100, 0), (10, 100, 1), (11, 100, 2), (34, 100, 3), (67, 100, 4), (100, 100, 4), (5, 0, 0)],
)
def test_heat_has_steps(amount: int, most: int, level: int) -> None:
    assert weights.level(amount, most) == level


def test_heat_is_of_cost_of_tokens_or_of_own_time() -> None:
    rows = agent_spans()
    made, weighed = outline(rows), weights.weigh(outline(rows), Measures.of(rows))
    assert weights.most("cost", made, weighed, NOW) == 238_000
    assert weights.most("tokens", made, weighed, NOW) == 2580
    assert weights.amount("tokens", made, weighed, NOW)(1) == 1300
    assert weights.most("self", made, weighed, NOW) == weights.amount("self", made, weighed, NOW)(made.ids.index(10))


def test_the_most_own_time_is_what_asking_every_span_for_it_would_find() -> None:
    rows = [at(n, None if n == 1 else 1 + n * 7 % (n - 1), n, None if n % 11 == 0 else n + n * 37 % 90)
            for n in range(1, 60)]  # fmt: skip
    made = outline([*rows[:4], *rows[5:]])  # one is missing, so that there is a ghost
    own = [siblings.self_ns(made, index, NOW) for index in range(len(made))]
    assert siblings.greatest_self(made, NOW) == (own.index(max(own)), max(own))
    assert siblings.greatest_self(Outline(), NOW) == (-1, 0)


def test_jumps_name_what_stands_out_and_only_what_there_is() -> None:
    rows = agent_spans()
    made = outline(rows)
    found = jumps.targets(made, weights.weigh(made, Measures.of(rows)), 0, NOW)
    assert [(target.title, made.ids[target.index]) for target in found] == [
        ("slowest by itself", 10), ("slowest model call", 10), ("slowest tool", 6), ("dearest call", 2),
        ("most tokens", 9), ("latest first token", 10), ("next error", 8), ("still running", 10), ("longest gap", 9),
    ]  # fmt: skip
    bare = outline([at(1, None, 0, 9)])
    titles = [target.title for target in jumps.targets(bare, weights.weigh(bare, Measures.of([])), 0, NOW)]
    assert titles == ["slowest by itself"]
    assert jumps.targets(Outline(), weights.Weights(), 0, NOW) == []
