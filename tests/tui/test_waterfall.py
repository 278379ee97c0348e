"""The waterfall on the screen: zoom, pan, roots, colours, folds by kind, jumps; every key of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual import events
from textual.pilot import Pilot

from collector.store.measures import Measures
from collector.store.rows import SpanRow
from collector.store.skeleton import Skeleton
from tracetui import branches, timeline, trees
from tracetui import format as fmt
from tracetui.screens.menu import MenuScreen
from tracetui.screens.trace import TraceScreen
from tracetui.siblings import Shares
from tracetui.weights import weigh
from tracetui.widgets import bars
from tracetui.widgets.span_lines import Scene, columns, head_line, map_line, span_line
from tracetui.widgets.waterfall import Waterfall

from .fakes import MS, NOW, FakeReader, S, agent_spans, make_app, make_span, make_trace, some_traces
from .hostile import CONTROL_STRINGS, HOSTILE
from .until import screen_text, shows, until


@asynccontextmanager
async def opened(
    rows: list[SpanRow] | None = None, size: tuple[int, int] = (120, 30), **changes: object
) -> AsyncIterator[tuple[Pilot, Waterfall]]:
    """A trace on the screen, weighed."""
    spans = agent_spans() if rows is None else rows
    traces = some_traces() if rows is None else [make_trace(0, name="support_agent")]
    async with make_app(FakeReader(traces, spans), **changes).run_test(size=size) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, TraceScreen) and pilot.app.screen.waterfall.lines)
        await until(pilot, lambda: pilot.app.screen.waterfall.is_weighed)
        yield pilot, pilot.app.screen.waterfall


def length(tree: Waterfall) -> int:
    return tree.view[1] - tree.view[0]


def scene(rows: list[SpanRow], **changes: object) -> Scene:
    outline = trees.outline(Skeleton.of(rows))
    whole = (outline.start_ns, outline.end_ns)
    shown = {"view": whole, "whole": whole, "shares": Shares(outline), "now_ns": NOW} | changes
    return Scene(outline, weighed=weigh(outline, Measures.of(rows)), **shown)


def text_of(parts: list[tuple[str, str]]) -> str:
    return "".join(text for text, _ in parts)


def at(number: int, parent: int | None, begin: int, end: int, **changes: object) -> SpanRow:
    return make_span(number, parent, start_ns=NOW + begin * MS, end_ns=NOW + end * MS, **changes)


# Pure.


def test_zoom_halves_around_a_moment_and_doubles_back() -> None:
    whole = (0, 1_000_000)
    one = timeline.zoomed(whole, whole, 750_000, closer=True)
    assert one == (375_000, 875_000)
    assert timeline.zoomed((0, 500_000), whole, 0, closer=True) == (0, 250_000)
    assert timeline.zoomed((0, 250_000), whole, 0, closer=False) == (0, 500_000)
    assert timeline.zoomed((0, 500_000), whole, 0, closer=False) is None
    assert timeline.zoomed((5_000, 6_000), whole, 5_500, closer=True) == (5_000, 6_000)


def test_panning_stops_at_the_ends() -> None:
    assert timeline.panned((100, 200), (0, 1000), 0.5) == (150, 250)
    assert timeline.panned((100, 200), (0, 1000), -9) == (0, 100)
    assert timeline.panned((100, 200), (0, 1000), 99) == (900, 1000)


def test_the_ruler_of_a_part_shows_the_time_of_the_trace() -> None:
    assert timeline.ticks(2 * S, 40, from_ns=3_500 * MS) == [(0, "3.5s"), (10, "4s"), (20, "4.5s"), (30, "5s")]
    assert timeline.ruler(400_000, 40, 1_000_200_000).split()[0] == "1.0002s"


def test_the_map_counts_what_ran_in_each_cell() -> None:
    assert timeline.density([(0, 50), (40, 100), (40, 45)], (0, 100), 10) == [1, 1, 1, 1, 3, 1, 1, 1, 1, 1]
    parts = bars.minimap([0, 1, 2, 4], (1, 3), fmt.UNICODE)
    assert parts == [("·", "faint"), ("▂▄", "accent"), ("█", "faint")]


def test_the_time_of_a_cell_is_in_its_middle() -> None:
    assert timeline.cell_time(0, (0, 100), 10) == 5
    assert timeline.cell_time(9, (100, 200), 10) == 195


def test_a_gap_is_dashed_in_the_bar_of_its_span() -> None:
    row = at(1, None, 0, 100)
    view = (row.start_ns, row.end_ns)
    gap = (row.start_ns + 25 * MS, row.start_ns + 70 * MS)
    assert text_of(bars.span_bar(row, view, 10, NOW, fmt.UNICODE, gaps=[gap])) == "━━━╌╌╌╌━━━"
    assert text_of(bars.span_bar(row, view, 10, NOW, fmt.ASCII, gaps=[gap])) == "===....==="
    assert bars.span_bar(row, view, 10, NOW, fmt.UNICODE, gaps=[gap], heat=3) == [("", "text"), ("▅" * 10, "heat-3")]


def test_a_bar_out_of_view_is_an_arrow_to_where_it_lies() -> None:
    row = at(1, None, 20, 40)
    for glyphs, arrows in ((fmt.UNICODE, "‹›"), (fmt.ASCII, "<>")):
        told = [
            text_of(bars.span_bar(row, (NOW + begin * MS, NOW + end * MS), 10, NOW, glyphs))
            for begin, end in ((50, 60), (0, 10))
        ]
        assert told == [arrows[0], " " * 9 + arrows[1]]


def test_a_first_token_out_of_view_is_not_marked() -> None:
    row = at(1, None, 0, 100, kind="llm", ttft_ns=10 * MS)
    late = (row.start_ns + 50 * MS, row.end_ns)
    assert fmt.UNICODE.first_token not in text_of(bars.span_bar(row, late, 10, NOW, fmt.UNICODE))
    assert fmt.UNICODE.first_token in text_of(bars.span_bar(row, (row.start_ns, row.end_ns), 10, NOW, fmt.UNICODE))


@pytest.mark.parametrize(
    ("width", "heat", "shown"),
    [(59, "kind", ()), (60, "cost", ()), (80, "kind", ("tokens",)), (80, "cost", ("cost",)), (80, "self", ("self",)),
     (100, "self", ("tokens", "self")), (120, "tokens", ("tokens", "cost", "self"))],
)  # fmt: skip
def test_columns_come_with_room_and_what_is_in_colours_comes_first(
    width: int, heat: str, shown: tuple[str, ...]
) -> None:
    cols = columns(width, heat)
    assert cols.shown == shown
    assert cols.tree + cols.numbers + cols.bar <= width


@pytest.mark.parametrize("width", [30, 60, 80, 119, 200])
@pytest.mark.parametrize("name", [*HOSTILE, *CONTROL_STRINGS[:4], "日本語🙂" * 20])
def test_every_line_fits_whatever_the_names(width: int, name: str) -> None:
    rows = [at(1, None, 0, 100, name=name, kind="agent"), at(2, 1, 10, 60, name=name, model=name, status="error"),
            at(3, 1, 20, 70, name=name, kind="llm", input_tokens=5, cost_nanousd=7)]  # fmt: skip
    for heat in ("kind", "cost", "tokens", "self"):
        shown = scene(rows, heat=heat, most=50, view=(NOW + 20 * MS, NOW + 40 * MS), hits={2: 3})
        lines = [span_line(shown, n, row, width, at_cursor=n == 1) for n, row in enumerate(rows)]
        for line in [head_line(shown, width), map_line(shown, width), *lines]:
            text = text_of(line)
            assert fmt.cells(text) <= width
            assert text.isprintable()


def test_own_time_stands_beside_the_total_where_something_lies_below() -> None:
    rows = [at(1, None, 0, 100), at(2, 1, 10, 60)]
    assert text_of(span_line(scene(rows), 0, rows[0], 120, at_cursor=False)).split()[4:6] == ["50ms", "100ms"]
    assert "50ms" in text_of(span_line(scene(rows), 1, rows[1], 120, at_cursor=False))


def test_siblings_side_by_side_say_their_lane() -> None:
    rows = [at(1, None, 0, 100), at(2, 1, 10, 60), at(3, 1, 20, 70), at(4, 1, 80, 90)]
    told = [text_of(span_line(scene(rows), n, row, 120, at_cursor=False)) for n, row in enumerate(rows)]
    assert ["∥" in line for line in told] == [False, True, True, False]
    assert "∥2" in told[2]


def test_the_head_totals_the_critical_path_by_kind() -> None:
    rows = [at(1, None, 0, 100, kind="agent"), at(2, 1, 20, 100, kind="llm")]
    assert "path 100ms  llm 80%  agent 20%" in text_of(head_line(scene(rows), 140))
    below = scene(rows, root=1)
    assert "path 80ms  from here, u back  llm 100%" in text_of(head_line(below, 160))


def test_the_head_says_less_rather_than_half_of_it() -> None:
    rows = [at(1, None, 0, 100, kind="agent"), at(2, 1, 20, 100, kind="llm", input_tokens=5, cost_nanousd=7_000_000)]
    wide, narrow = scene(rows, root=1, heat="cost", most=7_000_000), scene(rows, heat="cost", most=7_000_000)
    assert "path 80ms  from here, u back  ▁▃▅█ cost in colours, at most $0.0070  llm 100%" in text_of(
        head_line(wide, 240)
    )
    assert text_of(head_line(narrow, 80)).startswith("  SPAN  path 100ms  ▁▃▅█ cost   ")
    assert text_of(head_line(scene(rows), 80)).startswith("  SPAN  path 100ms  llm 80%   ")


def test_only_what_lies_below_a_root_is_shown_and_only_matches_with_those_above() -> None:
    outline = trees.outline(Skeleton.of(agent_spans()))
    call = outline.ids.index(2)
    assert [outline.ids[n] for n in branches.visible(outline, (), {2}, root=call)] == [2, 3, 4, 5]
    assert list(branches.visible(outline, (), root=call)) == [call, ~(call + 1)]
    tool = outline.ids.index(6)
    assert [outline.ids[n] for n in branches.visible(outline, {1}, only=[tool])] == [1, 6]
    assert branches.visible(outline, (), root=call, only=[tool]) == [call]
    assert branches.guides(outline, call + 1, fmt.UNICODE, 9, top=1) == "├─"


# On the screen.


async def test_plus_and_minus_zoom_and_0_shows_all_again() -> None:
    async with opened() as (pilot, tree):
        whole = length(tree)
        await pilot.press("j", "plus", "plus")
        assert length(tree) == whole // 4
        await until(pilot, lambda: shows(pilot, "s of 6.39s  + - 0"))
        await pilot.press("minus")
        assert length(tree) == 2 * (whole // 4)
        await pilot.press("0")
        assert length(tree) == whole
        await until(pilot, lambda: not shows(pilot, "+ - 0"))


async def test_zoom_keeps_the_span_under_the_cursor_in_view_and_shift_arrows_pan() -> None:
    async with opened() as (pilot, tree):
        await pilot.press("n", "plus", "plus", "plus")
        failed = tree.outline.ids.index(8)
        assert tree.view[0] <= tree.outline.start(failed) <= tree.view[1]
        before = tree.view
        await pilot.press("shift+right")
        assert tree.view == (before[0] + length(tree) // 4, before[1] + length(tree) // 4)
        await pilot.press("shift+left", "shift+left")
        assert tree.view == (before[0] - length(tree) // 4, before[1] - length(tree) // 4)


async def test_the_wheel_zooms_over_the_ruler_pans_with_shift_and_else_scrolls() -> None:
    async with opened() as (pilot, tree):
        cell = columns(tree.size.width).bar_at + 3

        def wheel(kind: type[events.MouseEvent], y: int, **more: bool) -> None:
            keys = {"shift": False, "meta": False, "ctrl": False} | more
            tree.post_message(kind(tree, cell, y, 0, 0, 0, **keys, screen_x=cell, screen_y=y))

        whole = length(tree)
        wheel(events.MouseScrollUp, 0)
        await until(pilot, lambda: length(tree) == whole // 2)
        wheel(events.MouseScrollUp, 5, ctrl=True)
        await until(pilot, lambda: length(tree) == whole // 4)
        before = tree.view
        wheel(events.MouseScrollDown, 5, shift=True)
        await until(pilot, lambda: tree.view[0] > before[0])
        wheel(events.MouseScrollLeft, 5)
        await until(pilot, lambda: tree.view == before)
        wheel(events.MouseScrollDown, 0)
        await until(pilot, lambda: length(tree) == 2 * (whole // 4))
        assert tree.cursor == 0
        wheel(events.MouseScrollDown, 5)
        await pilot.pause()
        assert length(tree) == 2 * (whole // 4)


async def test_a_span_becomes_the_root_and_esc_or_u_goes_back() -> None:
    async with opened() as (pilot, tree):
        await pilot.press("j", "u")
        await until(pilot, lambda: not shows(pilot, "get_order"))
        assert [tree.outline.ids[n] for n in tree.lines if n >= 0] == [2]
        assert tree.view == (tree.outline.start(1), tree.outline.over(1, NOW))
        await pilot.press("escape")
        await until(pilot, lambda: shows(pilot, "get_order"))
        assert tree.selected_id == 2
        await pilot.press("u", "u")
        await until(pilot, lambda: shows(pilot, "get_order"))
        await pilot.press("u", "n")
        await until(pilot, lambda: shows(pilot, "refund"))
        assert (tree.roots, tree.selected_id) == ([], 8)


async def test_a_span_with_nothing_below_it_is_no_root() -> None:
    async with opened() as (pilot, tree):
        await pilot.press("n", "u")
        assert tree.roots == []


async def test_v_shows_cost_tokens_and_own_time_in_colours() -> None:
    async with opened(size=(80, 24)) as (pilot, tree):
        for told, column in (("█ cost", "COST"), ("█ tokens", "TOKENS"), ("█ own time", "SELF")):
            await pilot.press("v")
            await until(pilot, lambda told=told, column=column: shows(pilot, told, column))
        assert tree.scene.most == tree.scene.shares.self_ns(tree.outline.ids.index(10), NOW)
        await pilot.press("v")
        await until(pilot, lambda: not shows(pilot, "▁▃▅█"))


async def test_a_kind_is_folded_and_unfolded() -> None:
    async with opened() as (pilot, tree):
        await pilot.press("j", "K")
        await until(
            pilot, lambda: isinstance(pilot.app.screen, MenuScreen) and shows(pilot, "llm", "agent", "1 to fold")
        )
        await pilot.press("2")
        await until(pilot, lambda: tree.folded == {2} and shows(pilot, "+3"))
        await pilot.press("K")
        await until(pilot, lambda: shows(pilot, "llm", "folded"))
        await pilot.press("2")
        await until(pilot, lambda: not tree.folded)


async def test_the_jump_menu_leads_to_what_stands_out() -> None:
    for number, span in (("4", 2), ("7", 8), ("1", 10)):
        async with opened() as (pilot, tree):
            await pilot.press("J")
            await until(pilot, lambda: shows(pilot, "dearest call", "longest gap", "slowest tool"))
            await pilot.press(number)
            await until(pilot, lambda tree=tree, span=span: tree.selected_id == span)


async def test_the_way_along_the_critical_path_tells_what_it_is_made_of() -> None:
    async with opened(size=(200, 50)) as (pilot, tree):
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: shows(pilot, "path 6.20s  llm 74%"))
        assert tree.outline.critical[tree.selected]


async def test_one_pane_alone_and_both_again() -> None:
    async with opened(size=(80, 24)) as (pilot, tree):
        inspector = pilot.app.screen.inspector
        await pilot.press("Z")
        await until(pilot, lambda: not inspector.display and tree.size.height > 18)
        await pilot.press("tab")
        await until(pilot, lambda: inspector.display and not tree.display)
        await pilot.press("Z")
        await until(pilot, lambda: inspector.display and tree.display)


async def test_a_zoomed_trace_that_grows_stays_where_it_was() -> None:
    rows = [at(1, None, -4000, -1000), *(at(n, 1, -4000 + n, -3000) for n in range(2, 30))]
    async with opened(rows) as (pilot, tree):
        await pilot.press("plus", "plus")
        before = tree.view
        rows.append(at(99, 1, -900, -100))
        tree.show(trees.outline(Skeleton.of(rows)), {99: rows[-1]})
        assert tree.view == before
        assert tree.scene.whole[1] > before[1]


async def test_ascii_mode_zooms_in_ascii() -> None:
    rows = [at(1, None, -4000, -1000, name="a"), at(2, 1, -3900, -3800, name="b"), at(3, 1, -3850, -3700, name="c")]
    async with opened(rows, (80, 24), ascii_mode=True) as (pilot, _):
        await pilot.press("plus", "v")
        await until(pilot, lambda: shows(pilot, "-=#@ cost"))
        assert screen_text(pilot).replace("✔", "").isascii()
