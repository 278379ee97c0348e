"""What cannot be read or painted costs itself, not the screen; what brings the screen down leaves a report."""

from __future__ import annotations

import asyncio
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from textual import events

from tracetui import crash
from tracetui.screens.base import ExplorerScreen
from tracetui.screens.neighbours import HasNeighbours, InHits, Stop
from tracetui.screens.search import Hits, SearchScreen
from tracetui.screens.signals import SignalsScreen

from .fakes import FakeReader, agent_detail, agent_spans, make_app, make_trace, some_traces
from .until import screen_text, settled, shows, until

SECRET = "sk-secret-of-a-trace"
LIST = {"traces", "totals"}
TREE = LIST | {"trace", "skeleton", "span_rows", "measures", "children"}
SCREENS = [
    pytest.param((), set(), id="traces"),
    pytest.param(("2",), LIST, id="sessions"),
    pytest.param(("3",), LIST, id="costs"),
    pytest.param(("4",), LIST, id="overview"),
    pytest.param(("5",), LIST, id="errors"),
    pytest.param(("6",), LIST, id="signals"),
    pytest.param(("i",), LIST, id="arrivals"),
    pytest.param(("slash", *"order"), LIST, id="search"),
    pytest.param(("b", "enter"), LIST, id="groups"),
    pytest.param(("enter",), LIST, id="trace"),
    pytest.param(("enter", "j"), TREE, id="inspector"),
    pytest.param(("enter", "a"), TREE, id="graph"),
    pytest.param(("enter", "c"), TREE, id="context"),
    pytest.param(("enter", "exclamation_mark"), TREE, id="signals of a trace"),
    pytest.param(("enter", "j", "r"), TREE | {"span"}, id="replay"),
    pytest.param(("enter", "slash", *"order"), TREE, id="find"),
    pytest.param(("enter", "v", "v"), TREE - {"measures"}, id="heat"),
]


class Broken(FakeReader):
    """Answers only what is in `sound`; anything else is a row that makes no sense."""

    sound: set[str] | None = None

    def __getattribute__(self, name: str) -> Any:
        own = super().__getattribute__
        sound = own("sound")
        if name.startswith("_") or sound is None or name in {"close", *sound} or not callable(own(name)):
            return own(name)

        def fails(*args: object, **more: object) -> None:
            raise ValueError(SECRET)

        return fails


@pytest.mark.parametrize(("keys", "sound"), SCREENS)
async def test_rows_that_cannot_be_read_leave_every_screen_standing(keys: tuple[str, ...], sound: set[str]) -> None:
    reader = Broken(some_traces(), agent_spans())
    reader.sound = sound
    app = make_app(reader)
    async with app.run_test(size=(110, 30), notifications=True) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent" if sound else "cannot be read"))
        await pilot.press(*keys)
        await settled(pilot)
        reader.sound = set()  # and later, when the file changes
        for screen in app.screen_stack:
            if isinstance(screen, ExplorerScreen):
                screen.reload()
        await settled(pilot)
        assert app.is_running
        assert app._exception is None
        assert SECRET not in screen_text(pilot)
        assert keys in [("i",), ("enter", "j", "r")] or shows(pilot, "cannot be read"), screen_text(pilot)


async def test_a_row_that_cannot_be_painted_costs_its_line() -> None:
    odd: Any = {"duration_ns": "soon", "cost_nanousd": "much"}
    async with make_app(FakeReader([*some_traces(), make_trace(9, name="odd", **odd)])).run_test() as pilot:
        await until(pilot, lambda: shows(pilot, "this line cannot be shown", "weather_agent"))
        await pilot.press("k", "j", "g", "G")
        assert pilot.app._exception is None


async def test_a_span_whose_content_cannot_be_laid_out_costs_its_tab() -> None:
    spans = agent_spans()
    odd: Any = agent_detail(spans[1])
    object.__setattr__(odd, "input", 7)
    reader = FakeReader(some_traces(), spans, {spans[1].span_id: odd})
    async with make_app(reader).run_test(size=(110, 30)) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        await pilot.press("enter", "j")
        await until(pilot, lambda: shows(pilot, "This tab cannot be shown"))
        await pilot.press("j")
        await until(pilot, lambda: not shows(pilot, "This tab cannot be shown"))


def test_a_report_says_where_and_on_what_but_nothing_that_a_trace_holds(state: Path) -> None:
    def reads(prompt: str) -> None:
        try:
            int(prompt)
        except ValueError as error:
            raise RuntimeError(f"with {prompt}") from error

    with pytest.raises(RuntimeError) as caught:
        reads(SECRET)
    path = crash.save(caught.value, "TraceScreen")
    assert path is not None
    assert path.parent == state / "crashes"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    said = path.read_text()
    assert SECRET not in said
    for part in (
        "builtins.RuntimeError",
        "builtins.ValueError",
        "in reads",
        "screen: TraceScreen",
        "Python 3",
        "textual ",
    ):
        assert part in said
    assert os.path.expanduser("~") not in said


def test_only_the_newest_reports_stay(state: Path) -> None:
    (state / "crashes").mkdir(parents=True)
    for number in range(30):
        (state / "crashes" / f"tracetui-crash-20200101-0000{number:02}-1.txt").write_text("old")
    newest = crash.save(ValueError(), "none")
    left = sorted((state / "crashes").iterdir())
    assert len(left) == crash.MOST_KEPT
    assert left[-1] == newest


@pytest.mark.parametrize("again", [False, True], ids=["asked before", "asked on the way out"])
async def test_an_answer_that_comes_while_a_screen_is_taken_down_is_not_shown(
    again: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, ask, go_on = FakeReader(some_traces(), agent_spans()), threading.Event(), threading.Event()

    def search(*_: Any, **__: Any) -> list[Any]:
        ask.set()
        assert go_on.wait(20)
        return []

    async def gone(screen: SearchScreen) -> None:
        """Here the widgets of the screen are gone, and the screen is not."""
        assert not screen.query(Hits)
        go_on.set()
        while any(worker.node is screen and not worker.is_finished for worker in screen.workers):
            await asyncio.sleep(0.01)

    monkeypatch.setattr(reader, "search", search)

    def go(screen: SearchScreen) -> None:
        """A key that waited in its queue is obeyed after this."""
        if again:
            screen.call_later(screen._search, "order")

    monkeypatch.setattr(SearchScreen, "on_prune", go, raising=False)
    monkeypatch.setattr(SearchScreen, "on_unmount", gone, raising=False)
    async with make_app(reader).run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        await pilot.press("slash", *"refun")
        await until(pilot, ask.is_set)
        await pilot.press("escape")
        await until(pilot, lambda: go_on.is_set() and shows(pilot, "6 traces"))


async def test_screens_that_go_together_ask_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    app, asked = make_app(FakeReader(some_traces(), agent_spans())), list[str]()
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        await pilot.press("6", "slash")
        await until(pilot, lambda: isinstance(app.screen, SearchScreen))
        await settled(pilot)
        below = app.screen_stack[-2]
        assert isinstance(below, SignalsScreen)
        monkeypatch.setattr(below, "reload", lambda: asked.append("signals"))
        below.file_changed(reopened=False)  # covered: it is told again when it comes back
        app.action_show_sessions()
        await until(pilot, lambda: not below.is_running)
        assert not asked


@pytest.mark.parametrize(
    ("keys", "fast", "stack"),
    [
        pytest.param(("y",), ("enter", "enter"), ("TracesScreen",), id="a menu"),
        pytest.param(("6",), ("escape", "escape"), ("TracesScreen",), id="a screen"),
        pytest.param((), ("enter", "enter"), ("TracesScreen", "TraceScreen"), id="a trace"),
    ],
)
async def test_a_key_that_comes_twice_at_once_opens_and_leaves_once(
    keys: tuple[str, ...], fast: tuple[str, ...], stack: tuple[str, ...]
) -> None:
    async with make_app(FakeReader(some_traces(), agent_spans())).run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        await pilot.press(*keys)
        for key in fast:
            pilot.app.post_message(events.Key(key, None))  # as from a terminal: nothing waits for the first

        def screens() -> tuple[str, ...]:
            return tuple(type(screen).__name__ for screen in pilot.app.screen_stack)

        await until(pilot, lambda: screens() == stack)  # a busy machine takes its time until the first is obeyed
        await settled(pilot)
        assert screens() == stack


async def test_a_neighbour_that_is_found_after_the_trace_was_left_is_not_opened() -> None:
    reader = FakeReader(some_traces(), agent_spans())
    app, around = make_app(reader), InHits([], 0)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        app.post_message(HasNeighbours.Step(Stop(reader.rows[0].trace_id), around))
        await settled(pilot)
        assert [type(screen).__name__ for screen in app.screen_stack] == ["TracesScreen"]
