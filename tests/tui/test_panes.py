"""Room for the panes of a trace, by key and by mouse, and what of it is there again the next time."""

from __future__ import annotations

from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot

from tracetui.remembered import Remembered
from tracetui.screens.panes import LEAST_LINES
from tracetui.widgets.divider import Divider
from tracetui.widgets.frame import KeyBar

from .fakes import NOW, FakeReader, agent_spans, make_app, make_span, make_trace, some_traces
from .until import settled, shows, until


async def opened(pilot: Pilot) -> Any:
    await until(pilot, lambda: shows(pilot, "support_agent"))
    await pilot.press("enter")
    await until(pilot, lambda: shows(pilot, "get_order"))
    return pilot.app.screen


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_room_is_moved_by_key_within_limits_and_remembered(size: tuple[int, int]) -> None:
    def room(screen: Any) -> int:
        return int(screen.waterfall.size.width if size[0] > 110 else screen.waterfall.size.height)

    async with make_app(FakeReader(some_traces(), agent_spans())).run_test(size=size) as pilot:
        screen = await opened(pilot)
        before = room(screen)
        await pilot.press(*["less_than_sign"] * 9)
        await until(pilot, lambda: 2 <= room(screen) < before)
        least = room(screen)
        await pilot.press("greater_than_sign", "3")
        await until(pilot, lambda: least < room(screen) < before)
        kept = room(screen)
    async with make_app(FakeReader(some_traces(), agent_spans())).run_test(size=size) as pilot:
        screen = await opened(pilot)
        await until(pilot, lambda: room(screen) == kept)
        assert screen.inspector.tab == 2


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_the_line_between_them_is_dragged(size: tuple[int, int]) -> None:
    async with make_app(FakeReader(some_traces(), agent_spans())).run_test(size=size) as pilot:
        screen = await opened(pilot)
        line = screen.query_one(Divider)
        x, y = line.region.offset
        goal = (x - 30, y) if size[0] > 110 else (x, y - 4)
        await pilot.mouse_down(line)
        await pilot.hover(None, goal)
        await until(pilot, lambda: max(abs(line.region.x - goal[0]), abs(line.region.y - goal[1])) <= 1)
        await pilot.mouse_up(None, goal)
        await until(pilot, lambda: Remembered().get("panes") is not None)
        was = line.region
        line.on_mouse_move(events.MouseMove(line, 0, 0, 0, 0, 0, False, False, False))  # nobody holds it any more
        await pilot.pause()
        assert line.region == was


async def test_a_click_on_a_tab_is_remembered_like_its_key() -> None:
    async with make_app(FakeReader(some_traces(), agent_spans())).run_test(size=(120, 30)) as pilot:
        screen = await opened(pilot)
        start, _ = screen.inspector._tab_cells(screen.inspector.size.width)[2]
        await pilot.click(screen.inspector, (start + 2, 0))
        await until(pilot, lambda: screen.inspector.tab == 2 and Remembered().get("tab") == 3)


async def test_a_click_on_the_line_of_keys_presses_the_key() -> None:
    """Of two keys under one word, the one that was clicked."""
    async with make_app(FakeReader(some_traces(), agent_spans())).run_test(size=(160, 30)) as pilot:
        screen = await opened(pilot)
        keys, tree = screen.query_one(KeyBar), screen.waterfall
        line = "".join(text for text, _ in keys._left)
        await pilot.click(keys, (line.index("n N") + 2, 0))
        await until(pilot, lambda: tree.cursor > 2)
        failed = tree.cursor
        await pilot.click(keys, (line.index("N next") + 3, 0))  # the label is that of the first
        await until(pilot, lambda: tree.cursor == failed)
        await pilot.click(keys, (line.index("help") + 1, 0))
        await until(pilot, lambda: shows(pilot, "Inside a trace", "esc closes"))


async def test_a_click_on_what_is_new_goes_there() -> None:
    reader = FakeReader([make_trace(number) for number in range(90)])
    async with make_app(reader).run_test(size=(100, 20)) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        await pilot.press("g")
        await until(pilot, lambda: pilot.app.screen.window.cursor == 0)
        await settled(pilot)
        pilot.app.screen.chip(12)
        await pilot.click("#keys", (95, 0))
        await until(pilot, lambda: pilot.app.screen.window.follow)


@pytest.mark.parametrize("odd", [7, "x", {"wide": "600"}, {"wide": 990, "narrow": True}, [1]])
async def test_what_makes_no_sense_is_not_remembered(odd: object) -> None:
    Remembered().put("panes", odd)
    Remembered().put("tab", 900 if odd == 7 else odd)
    async with make_app(FakeReader(some_traces(), agent_spans())).run_test(size=(120, 30)) as pilot:
        screen = await opened(pilot)
        assert screen._shares == {"wide": 600, "narrow": 500}
        assert screen.inspector.tab == 0


@pytest.mark.parametrize("running", [False, True])
async def test_a_short_trace_leaves_its_room_to_the_inspector(running: bool) -> None:
    spans = [make_span(1, name="brief", status="running" if running else "ok", end_ns=None if running else NOW)]
    async with make_app(FakeReader(some_traces(), spans)).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        await pilot.press("enter")
        await until(pilot, lambda: shows(pilot, "brief"))
        screen: Any = pilot.app.screen
        if running:
            await settled(pilot)
            assert screen.waterfall.size.height > 8, "what comes must not move what is read below"
        else:
            await until(
                pilot, lambda: screen.waterfall.size.height == LEAST_LINES and screen.inspector.size.height > 14
            )
            await pilot.press("plus", "plus")
            await until(pilot, lambda: shows(pilot, "+ - 0", "brief"))
            await pilot.press("greater_than_sign")
            await until(pilot, lambda: screen.waterfall.size.height > 8)
            await pilot.resize_terminal(160, 24)
            await until(pilot, lambda: screen.waterfall.size.height == screen.inspector.size.height > 18)
