"""Keys that come all at once, as over a slow line, do what they do one by one."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.keys import _character_to_key
from textual.message_pump import MessagePump
from textual.pilot import Pilot
from textual.widgets import TextArea

from tracetui import turns
from tracetui.app import Explorer
from tracetui.screens.errors import ErrorsScreen
from tracetui.screens.lists import TracesScreen
from tracetui.screens.menu import ChoiceScreen, Menu
from tracetui.screens.trace import TraceScreen
from tracetui.widgets.filter_bar import FilterBar

from .fakes import FakeReader, make_app, make_trace
from .real import real_app
from .story import now_ns, written
from .until import screen_text, shows, until

NAMED = {"⏎": ("enter", "\r"), "⇥": ("tab", "\t"), "⎋": ("escape", "\x1b"), "↧": ("ctrl+j", "\n")}
"""Keys of more than a letter, as they stand in the bursts below."""


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("turns") / "traces.db")


def burst(app: Explorer, keys: str) -> None:
    """All in one go, none waiting for what the one before it did."""
    for key in keys:
        name, character = NAMED.get(key, (_character_to_key(key), key))
        app.post_message(events.Key(name, character))


def copies(text: str) -> Callable[[Pilot[Any]], bool]:
    """The copy menu offers this."""

    def offers(pilot: Pilot[Any]) -> bool:
        screen = pilot.app.screen
        return isinstance(screen, ChoiceScreen) and any(
            text in one.about for menu in screen.query(Menu) for one in menu.choices if one.label == "message"
        )

    return offers


def holds(text: str) -> Callable[[Pilot[Any]], bool]:
    """The sheet of a replay begins so."""
    return lambda pilot: any(one.text.startswith(text) for one in pilot.app.screen.query(TextArea))


def on_screen(*texts: str) -> Callable[[Pilot[Any]], bool]:
    return lambda pilot: shows(pilot, *texts)


BURSTS = {
    "a search": ("/return⏎", on_screen("4 hits")),
    "the hit of a search": ("/return⏎⏎", on_screen("Messages", "Raw")),
    "a filter": ("fname:refund⏎", on_screen("/ name:refund", "4 traces")),
    "a filter with Tab": ("fstat⇥error⏎", on_screen("/ status:error")),
    "the first one of what was filtered": ("fname:support_agent -name:refund⏎⏎", on_screen("‹ support_agent")),
    "a command": (":theme nord⏎", lambda pilot: pilot.app.theme == "nord"),
    "another screen and its menu": ("3b", on_screen("Group by", "model › user")),
    "the oldest trace": ("g⏎", on_screen("‹ support_agent   thread-0")),
    "a session": ("2g⏎", on_screen("turn")),
    "what to copy of the next line": ("k⏎jy", copies("get_order")),
    "a call on its sheet": ("k⏎jr# ", holds("# #: model")),
    "words in a trace, the next, and only those": ("k⏎/order⏎nm", on_screen("only these")),
    "another tab": ("k⏎j3⇥jjjjy", on_screen("Copy", "value")),
}


async def seen_after(pilot: Pilot[Any], keys: str, seen: Callable[[Pilot[Any]], bool]) -> None:
    burst(pilot.app, keys)
    try:
        await until(pilot, lambda: seen(pilot), 10)
    except AssertionError:
        pytest.fail(f"after {keys!r}:\n{screen_text(pilot)}")


FEW = ("a filter with Tab", "what to copy of the next line")


@pytest.mark.parametrize(
    "which",
    [FEW, pytest.param([one for one in BURSTS if one not in FEW], marks=pytest.mark.slow)],
    ids=["a few", "the others"],
)
async def test_a_burst_does_what_its_keys_do_one_by_one(which: Sequence[str], db: Path) -> None:
    app = real_app(db, now_ns)
    async with app.run_test(size=(100, 30)) as pilot:
        for what in which:
            keys, seen = BURSTS[what]
            await seen_after(pilot, keys, seen)
            app.to_traces()
            app.push_screen(TracesScreen(app.facts))


async def test_what_was_typed_before_there_was_a_screen_reaches_it(db: Path) -> None:
    """The shell's line turned its Enter into a line feed."""
    app = real_app(db, now_ns)
    async with app.run_test(size=(100, 30)) as pilot:
        await seen_after(pilot, "fname:refund↧", on_screen("/ name:refund", "4 traces"))


async def test_esc_and_what_is_typed_into_a_line_wait_for_nothing_that_is_read(
    db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    app = real_app(db, now_ns)
    monkeypatch.setattr(turns, "MOST_S", 60)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: shows(pilot, "63 traces"))
        monkeypatch.setattr(ErrorsScreen, "find", lambda *_: go_on.wait(20) and ())
        try:
            await seen_after(pilot, "5", lambda pilot: isinstance(pilot.app.screen, ErrorsScreen))
            await seen_after(pilot, "fab", lambda pilot: pilot.app.screen.query_one(FilterBar).text == "ab")
            await seen_after(pilot, "⎋", lambda pilot: not pilot.app.screen.query_one(FilterBar).is_open)
            await seen_after(pilot, "⎋", lambda pilot: isinstance(pilot.app.screen, TracesScreen))
        finally:
            go_on.set()


async def test_a_key_that_is_held_down_is_not_waited_for(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes thirty times a second, and only moves."""
    followed: list[object] = []
    passed = turns.InTurn._passed

    async def counted(app: turns.InTurn, node: MessagePump) -> None:
        followed.append(node)
        await passed(app, node)

    monkeypatch.setattr(turns.InTurn, "_passed", counted)
    app = real_app(db, now_ns)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: shows(pilot, "63 traces"))
        await pilot.press("g")
        await seen_after(pilot, "j" * 20, lambda pilot: pilot.app.screen.window.cursor == 20)
        assert followed == []
        await seen_after(pilot, "k" * 20 + "?", on_screen("esc closes"))
        assert followed


async def test_enter_waits_until_the_other_end_of_a_long_list_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, go_on = FakeReader([make_trace(number) for number in range(400)]), threading.Event()
    app, traces = make_app(reader), reader.traces

    def held(*args: Any, **more: Any) -> list[Any]:
        go_on.wait(20)
        return traces(*args, **more)

    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        monkeypatch.setattr(reader, "traces", held)
        burst(app, "g⏎")
        for _ in range(10):  # enough for Enter to open what the cursor stood on
            await pilot.pause()
        go_on.set()
        await until(pilot, lambda: isinstance(app.screen, TraceScreen))
        assert app.screen.trace_id == make_trace(0).trace_id


async def test_many_keys_wait_no_longer_than_one(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for a list, pressing this and that, gets away from it by esc all the same."""
    go_on, asked = threading.Event(), Counter[str]()
    app = real_app(db, now_ns)
    monkeypatch.setattr(turns, "MOST_S", 0.2)
    has_to_wait = turns.InTurn._has_to_wait

    def counted(app: turns.InTurn, event: events.Key) -> bool:
        asked[event.key] += 1
        return has_to_wait(app, event)

    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: shows(pilot, "63 traces"))
        monkeypatch.setattr(ErrorsScreen, "find", lambda *_: go_on.wait(20) and ())
        monkeypatch.setattr(turns.InTurn, "_has_to_wait", counted)
        try:
            await seen_after(pilot, "5⏎jeyw⎋", lambda _: asked["escape"] and isinstance(app.screen, TracesScreen))
            assert asked["enter"] > 2  # again and again, until it was too long
            assert [asked[key] for key in "jeyw"] == [2, 2, 2, 2]
        finally:
            go_on.set()
