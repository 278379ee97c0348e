"""Rows and bars of a trace as plain data."""

from __future__ import annotations

import pytest

from tracetui import format as fmt
from tracetui import timeline

from .fakes import MS, NOW, S, agent_spans, make_span


def shown(rows: list, **options: object) -> list[str]:
    """Rows as `depth name` text, folded infrastructure as +n, ghosts as ?"""
    trace = timeline.outline(rows)
    lines = []
    for row in timeline.visible(trace, options.get("folded", ()), options.get("opened", ())):
        first = row if row >= 0 else ~row
        span = trace.rows[first]
        name = f"+{trace.noise_below[trace.parent[first]].spans}" if row < 0 else "?" if span is None else span.name
        lines.append(f"{trace.depth[first]} {name}")
    return lines


def test_a_trace_is_a_tree_with_its_noise_in_one_line_and_a_ghost_for_the_missing_parent() -> None:
    assert shown(agent_spans()) == [
        "0 support_agent", "1 chat gpt-4o-mini", "2 +3", "1 get_order", "1 search 日本語 🙂", "1 refund",
        "1 chat gpt-4o-mini", "1 chat gpt-4o-mini", "1 lost_child", "0 ?", "1 late_part",
    ]  # fmt: skip


def test_a_fold_hides_what_lies_below() -> None:
    assert shown(agent_spans(), folded={f"{1:016x}"}) == ["0 support_agent", "0 ?", "1 late_part"]


def test_opened_noise_is_shown_span_by_span() -> None:
    assert shown(agent_spans(), opened={f"{2:016x}"})[2:5] == ["2 POST", "2 POST", "3 connect"]


def test_a_lone_noisy_span_and_noise_that_holds_other_spans_are_shown() -> None:
    rows = [make_span(1, kind="http"), make_span(2, 1, kind="llm"), make_span(3, 2, kind="http", name="POST")]
    assert shown(rows) == ["0 span 1", "1 span 2", "2 POST"]


def test_noise_says_what_it_took() -> None:
    trace = timeline.outline(agent_spans())
    noise = trace.noise_below[1]
    assert (noise.spans, noise.total_ns, noise.errors, noise.kinds) == (3, 800 * MS, 0, {"http"})


def test_spans_of_one_id_cycles_and_selfparents_are_all_shown_once() -> None:
    rows = [make_span(1, 2), make_span(2, 1), make_span(3, 3), make_span(4), make_span(4, name="again")]
    names = shown(rows)
    assert sorted(name[2:] for name in names) == ["again", "span 1", "span 2", "span 3", "span 4"]


def test_guides_join_siblings() -> None:
    trace = timeline.outline([make_span(1), make_span(2, 1), make_span(3, 2), make_span(4, 1)])
    assert [timeline.guides(trace, n, fmt.UNICODE, 9) for n in range(4)] == ["", "├─", "│ └─", "└─"]


def test_deep_guides_keep_the_deepest_levels() -> None:
    trace = timeline.outline([make_span(n, n - 1 if n > 1 else None) for n in range(1, 40)])
    assert timeline.guides(trace, 38, fmt.UNICODE, 3) == "…     └─"


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
    trace = timeline.outline(agent_spans())
    failed = next(n for n, row in enumerate(trace.rows) if row is not None and row.name == "refund")
    assert timeline.next_error(trace, 0, 1) == timeline.next_error(trace, 0, -1) == failed
    assert timeline.next_error(trace, failed, 1) == failed
    assert timeline.next_error(timeline.outline([make_span(1)]), 0, 1) is None
