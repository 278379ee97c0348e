"""The palette (ctrl+p): what it offers, in which order, and that choosing does it."""

from __future__ import annotations

import pytest
from textual.command import CommandList
from textual.pilot import Pilot

from tracetui.screens.lists import SessionsScreen, TracesScreen
from tracetui.screens.search import SearchScreen

from .fakes import FakeReader, make_app, some_traces
from .hostile import HOSTILE
from .until import shows, until


async def offered(pilot: Pilot[int], typed: str = "") -> list[str]:
    """The lines that the palette shows for what is typed."""
    await until(pilot, lambda: isinstance(pilot.app.screen, TracesScreen) and pilot.app.screen.window.loaded)
    await pilot.press("ctrl+p", *typed)
    await until(pilot, lambda: lines(pilot, typed))
    return lines(pilot, typed)


def lines(pilot: Pilot[int], typed: str) -> list[str]:
    found = pilot.app.screen.query(CommandList)
    shown = [str(option.prompt) for one in found for option in one.options]
    return shown if all(typed in line or line[0] == "v" for line in shown) else []


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_commands_stand_with_their_keys_a_line_each_the_needed_ones_first(size: tuple[int, int]) -> None:
    async with make_app(FakeReader(some_traces())).run_test(size=size) as pilot:
        found = await offered(pilot)
        await until(pilot, lambda: shows(pilot, "filter             f          filter the list"))
        assert [line.split()[0] for line in found[:3]] == ["filter", "back", "search"]
        assert all(len(line) <= size[0] - 6 for line in found)
        assert found[-1].startswith("theme")
        assert not [line for line in found if line.startswith(("Keys", "Maximize", "Screenshot"))]  # Textual's own


async def test_what_is_typed_is_looked_for_in_names_and_in_what_they_do() -> None:
    async with make_app(FakeReader(some_traces())).run_test(size=(100, 30)) as pilot:
        assert (await offered(pilot, "group"))[0].split()[:2] == ["group", "b"]
        await pilot.press("escape", "escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, TracesScreen))
        assert [line.split()[0] for line in await offered(pilot, "SVG")] == ["screenshot"]


@pytest.mark.parametrize(("typed", "screen"), [("sessions", SessionsScreen), ("search", SearchScreen)])
async def test_enter_does_what_is_chosen(typed: str, screen: type) -> None:
    async with make_app(FakeReader(some_traces())).run_test(size=(100, 30)) as pilot:
        await offered(pilot, typed)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, screen))


async def test_saved_views_come_first_and_apply_whatever_they_hold() -> None:
    app = make_app(FakeReader(some_traces()))
    app.facts.source.views |= {"slow": f"{HOSTILE[0]} {HOSTILE[1]} [b", "weather": "weather"}
    async with app.run_test(size=(100, 30)) as pilot:
        found = await offered(pilot)
        assert [line.split()[0] for line in found[:2]] == ["view:slow", "view:weather"]
        assert "[b" in found[0]
        await pilot.press(*"weath")
        await until(pilot, lambda: lines(pilot, "weath")[:1] and lines(pilot, "weath")[0].startswith("view:weather"))
        await pilot.press("enter")
        await until(pilot, lambda: shows(pilot, "/ view:weather"))
