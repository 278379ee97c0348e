"""Rows and bars of a trace as plain data."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector import tree
from collector.store.rows import SpanRow
from collector.store.skeleton import ERROR, Skeleton
from tracetui import branches, timeline, trees
from tracetui import format as fmt

from .fakes import MS, NOW, S, agent_spans, make_span


def outline(rows: list[SpanRow]) -> trees.Outline:
    return trees.outline(Skeleton.of(rows))


def shown(rows: list, **options: object) -> list[str]:
    """Rows as `depth name` text, folded infrastructure as +n, ghosts as ?"""
    trace = outline(rows)
    by_id = {int(row.span_id, 16): row for row in rows}
    lines = []
    for row in branches.visible(trace, options.get("folded", ()), options.get("opened", ())):
        first = row if row >= 0 else ~row
        span = None if trace.is_ghost(first) else by_id[trace.ids[first]]
        name = f"+{trace.noise_below[trace.parent[first]].spans}" if row < 0 else "?" if span is None else span.name
        lines.append(f"{trace.depth[first]} {name}")
    return lines


def test_a_trace_is_a_tree_with_its_noise_in_one_line_and_a_ghost_for_the_missing_parent() -> None:
    assert shown(agent_spans()) == [
        "0 support_agent", "1 chat gpt-4o-mini", "2 +3", "1 get_order", "1 search 日本語 🙂", "1 refund",
        "1 chat gpt-4o-mini", "1 chat gpt-4o-mini", "1 lost_child", "0 ?", "1 late_part",
    ]  # fmt: skip


def test_a_fold_hides_what_lies_below() -> None:
    assert shown(agent_spans(), folded={1}) == ["0 support_agent", "0 ?", "1 late_part"]


def test_opened_noise_is_shown_span_by_span() -> None:
    assert shown(agent_spans(), opened={2})[2:5] == ["2 POST", "2 POST", "3 connect"]


def test_a_lone_noisy_span_and_noise_that_holds_other_spans_are_shown() -> None:
    rows = [make_span(1, kind="http"), make_span(2, 1, kind="llm"), make_span(3, 2, kind="http", name="POST")]
    assert shown(rows) == ["0 span 1", "1 span 2", "2 POST"]


def test_noise_says_what_it_took() -> None:
    trace = outline(agent_spans())
    noise = trace.noise_below[1]
    assert (noise.spans, noise.total_ns, noise.errors, noise.kinds) == (3, 800 * MS, 0, {"http"})


def test_cycles_and_selfparents_are_all_shown_once() -> None:
    rows = [make_span(1, 2), make_span(2, 1), make_span(3, 3), make_span(4)]
    names = shown(rows)
    assert sorted(name[2:] for name in names) == ["span 1", "span 2", "span 3", "span 4"]


def test_guides_join_siblings() -> None:
    trace = outline([make_span(1), make_span(2, 1), make_span(3, 2), make_span(4, 1)])
    assert [branches.guides(trace, n, fmt.UNICODE, 9) for n in range(4)] == ["", "├─", "│ └─", "└─"]


def test_deep_guides_keep_the_deepest_levels() -> None:
    trace = outline([make_span(n, n - 1 if n > 1 else None) for n in range(1, 40)])
    assert branches.guides(trace, 38, fmt.UNICODE, 3) == "…     └─"


@pytest.mark.parametrize(
    ("start", "end", "cells"),
    [(0, 100, (0, 10)), (50, 50, (5, 6)), (0, 1, (0, 1)), (99, 100, (9, 10)), (100, 100, (9, 10)), (-50, 20, (0, 2)),
     (95, 900, (9, 10)), (200, 300, (0, 0)), (-9, -1, (0, 0))],
)  # fmt: skip
def test_bars_cover_their_cells_and_at_least_one(start: int, end: int, cells: tuple[int, int]) -> None:
    assert timeline.bar_cells(start, end, (0, 100), 10) == cells


def test_the_ruler_has_round_steps_that_fit() -> None:
    assert timeline.ticks(6 * S, 60) == [(0, "0"), (10, "1s"), (20, "2s"), (30, "3s"), (40, "4s"), (50, "5s")]
    assert timeline.ruler(90 * S, 40).split() == ["0", "30s", "1m"]
    assert timeline.ruler(0, 40).strip() == ""
    assert len(timeline.ruler(5 * MS, 33)) == 33


def test_the_view_grows_in_steps_while_something_runs() -> None:
    one = timeline.grown_view(NOW, NOW + S, NOW + 3 * S, True)
    two = timeline.grown_view(NOW, NOW + S, NOW + 3 * S + S // 50, True)
    assert one == two
    assert one[1] >= NOW + 3 * S
    assert timeline.grown_view(NOW, NOW + S, NOW + 3 * S, False) == (NOW, NOW + S)


def test_next_error_goes_round() -> None:
    trace = outline(agent_spans())
    failed = trace.ids.index(8)
    assert trace.status(failed) == ERROR
    assert branches.next_error(trace, 0, 1) == branches.next_error(trace, 0, -1) == failed
    assert branches.next_error(trace, failed, 1) == failed
    assert branches.next_error(outline([make_span(1)]), 0, 1) is None


@given(st.lists(st.tuples(st.integers(1, 12), st.integers(0, 14), st.integers(0, 3)), unique_by=lambda one: one[0]))
def test_an_outline_is_the_tree_that_the_collector_builds(spans: list[tuple[int, int, int]]) -> None:
    rows = [make_span(number, parent or None, start_ns=start) for number, parent, start in spans]
    made = outline(rows)
    nodes = tree.build(rows)
    told = [(int(node.span_id, 16), node.row is None, node.depth, node.children) for node in nodes]
    assert [
        (made.ids[n], made.is_ghost(n), made.depth[n], sum(1 for _ in made.children(n))) for n in range(len(made))
    ] == told
    depths = [*made.depth, 0]
    for n in range(len(made)):
        after = [depths[at] for at in range(n + 1, len(depths)) if depths[at] <= depths[n]]
        is_last = made.end[n] == len(made) or after[0] < depths[n]
        assert bool(made.last[n]) == is_last


def test_the_critical_path_is_what_the_trace_waited_for() -> None:
    def at(number: int, parent: int | None, begin: int, end: int | None) -> SpanRow:
        status = "running" if end is None else "ok"
        return make_span(number, parent, start_ns=begin, end_ns=end, status=status)

    done = [at(1, None, 0, 100), at(2, 1, 0, 40), at(3, 1, 5, 30), at(4, 1, 45, 90), at(5, 4, 50, 80), at(6, 4, 50, 60)]
    assert on_path(done) == [1, 2, 4, 5]
    assert on_path([*done, at(7, 1, 60, None)]) == [1, 2, 7]
    assert on_path([at(1, None, 0, 50), at(2, 1, 10, 900), at(3, 1, 5, 9)]) == [1, 2, 3]


def on_path(rows: list[SpanRow]) -> list[int]:
    trace = outline(rows)
    return sorted(trace.ids[n] for n in range(len(trace)) if trace.critical[n])


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9), st.sampled_from(["ok", "error", "running"]))))
def test_news_make_the_same_outline_as_reading_all(changes: list[tuple[int, int, str]]) -> None:
    rows = {n: make_span(n, n - 1 if n > 1 else None, kind="db" if n == 4 else "llm") for n in range(1, 7)}
    shown = outline(list(rows.values()))
    for number, parent, status in changes:
        known = rows.get(number, make_span(number, parent or None))
        rows[number] = known._replace(status=status, end_ns=known.start_ns + 9 if status == "ok" else None)
        shown = trees.renewed(shown, shown.spans.merged(Skeleton.of([rows[number]])))
    whole = outline(list(rows.values()))
    for column in ("ids", "depth", "parent", "end", "last", "noise", "critical", "start_ns", "end_ns", "running"):
        assert getattr(shown, column) == getattr(whole, column), column


def test_zooming_out_as_often_as_in_ends_at_the_whole() -> None:
    whole = (0, 2_540_123_457)
    for steps in range(1, 22):
        view: tuple[int, int] | None = whole
        for closer in [True] * steps + [False] * steps:
            assert view is not None
            view = timeline.zoomed(view, whole, 7, closer=closer)
        assert view is None, steps
