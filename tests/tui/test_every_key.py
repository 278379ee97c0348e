"""Every key of the table is pressed where it lives, and something happens: another picture, another screen, the end."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.screen import Screen

from tracetui.app import Explorer
from tracetui.keymap import KEYS, Key
from tracetui.screens.lists import TracesScreen

from .real import real_app
from .story import now_ns, written
from .until import screen_text, settled, shows, until

pytestmark = pytest.mark.slow

Way = tuple[tuple[str, str], ...]
"""Keys, apart by blanks, and what shows then; again and again."""

TRACE: Way = (("k enter", "path"), ("j", "(order_id=789)"))
PLACES: dict[str, Way] = {
    "list": (),
    "lists": (),
    "screen": (),
    "app": (),
    "hits": (("slash r e t u r n enter", "4 hits"),),
    "errors": (("5", "users user"),),
    "costs": (("3", "4.1M tok"),),
    "chart": (("3", "4.1M tok"), ("tab", "4.1M tok")),
    "session": (("2", "thread-42"), ("k enter", "refund ✖")),
    "signals": (("6", "15 signals"),),
    "context": (*TRACE, ("c", "3 calls")),
    "trace": TRACE,
    "inspector": (*TRACE, ("tab", "(order_id=789)")),
    "replay": (*TRACE, ("r", "ctrl+r sends")),
}
"""Where the keys of a group live: how to get there from the list of traces. The group `run` is under `tracetui run`,
and tests/run presses its keys."""

BEFORE = {
    "list.down": "g", "list.page_down": "g", "list.last": "g", "app.show_traces": "2", "screen.back": "s",
    "hits.previous_hit": "n", "session.next_turn": "N N", "session.previous_turn": "n", "chart.after": "h",
    "context.previous_chain": "", "trace.unfold": "h", "trace.previous_error": "slash o r d e r enter",
    "trace.unfold_all": "H", "trace.only_matches": "slash o r d e r enter", "trace.zoom_back": "plus",
    "trace.zoom_out": "plus", "trace.pan_left": "plus", "trace.pan_right": "plus", "trace.tab(1)": "2",
}  # fmt: skip
"""Keys that have nothing to do in a place as it is opened or after the key before, and what is pressed before them."""


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("keys") / "traces.db")


@pytest.fixture(autouse=True)
def _nothing_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No editor, browser, clipboard or provider to be found, and files go where nobody minds."""
    for name in ("VISUAL", "EDITOR", "PAGER", "DISPLAY", "WAYLAND_DISPLAY", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)


def picture(pilot: Pilot[int]) -> tuple[object, ...]:
    """All that a person could notice: the screens, every cell with its colours, and whether it still runs."""
    app = pilot.app
    return [type(one).__name__ for one in app.screen_stack], str(app.screen._compositor.render_strips()), app._exit


async def go(pilot: Pilot[int], app: Explorer, way: Way) -> None:
    app.to_traces()
    app.push_screen(TracesScreen(app.facts))
    for keys, text in (("", "63 traces"), *way):
        await pilot.press(*keys.split())
        await until(pilot, lambda text=text: shows(pilot, text))
    await settled(pilot)


async def does_something(pilot: Pilot[int], key: Key) -> bool:
    before = BEFORE.get(f"{key.group}.{key.action}", "")
    await pilot.press(*before.split())
    await settled(pilot)
    was = picture(pilot)
    await pilot.press(key.keys.split(",")[0])
    try:
        await until(pilot, lambda: picture(pilot) != was, 5)
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize("group", PLACES)
async def test_every_key_of_a_group_does_something(group: str, db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app, stack = real_app(db, now_ns), list[Screen[object]]()
    monkeypatch.setattr(app, "suspend", nullcontext)
    keys = sorted((key for key in KEYS if key.group == group), key=lambda key: key.action == "leave")
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        for key in keys:
            if list(app.screen_stack) != stack or f"{group}.{key.action}" in BEFORE:
                await go(pilot, app, PLACES[group])
                stack = list(app.screen_stack)
            assert await does_something(pilot, key), f"{key.keys} ({key.help}):\n{screen_text(pilot)}"
            app.clear_notifications()


def test_every_group_has_a_place() -> None:
    assert {key.group for key in KEYS} == {*PLACES, "run"}
    known = {f"{key.group}.{key.action}" for key in KEYS}
    assert set(BEFORE) <= known
