"""Pictures of every screen on a real file, by size and theme. A change is looked at by a human."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from collector.store import filters, open_reader
from tracetui.app import Explorer
from tracetui.source import Source

from .story import NOW, now_ns, written
from .test_snapshots import LARGE, SMALL
from .until import settled, shows, until

pytestmark = pytest.mark.latest

Round = tuple[str, str]
"""Keys, apart by blanks; and a text that shows when they have done their work."""

LIST = (("", "63 traces"),)
RUN = (*LIST, ("k enter", "llm 80%"))
CALL = (*RUN, ("j", "(order_id=789)"))


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("pictures") / "traces.db")


@pytest.fixture(autouse=True)
def _anywhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The same hours and days wherever it runs."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def explorer(db: Path, **changes: Any) -> Explorer:
    """On the file, under a name that is the same everywhere."""
    source = Source(
        "/home/me/app/traces.db", lambda: open_reader(db, now_ns=now_ns), lambda text: filters.parse(text, NOW),
        dimensions=("department",),
    )  # fmt: skip
    return Explorer(source, **({"now_ns": now_ns, "tail": False} | changes))


def walk(*rounds: Round) -> Callable[[Pilot], Awaitable[None]]:
    async def run(pilot: Pilot) -> None:
        for keys, text in (*LIST, *rounds):
            await pilot.press(*keys.split())
            await until(pilot, lambda text=text: shows(pilot, text))
        for field in pilot.app.screen.query(Input):
            field.cursor_blink = False
        for sheet in pilot.app.screen.query(TextArea):
            sheet.cursor_blink = False
        await settled(pilot)

    return run


@pytest.mark.parametrize(
    ("size", "rounds"),
    [
        pytest.param(LARGE, LIST, id="traces large"),
        pytest.param(SMALL, (("2", "9 sessions"),), id="sessions small"),
        pytest.param(LARGE, (("2", "thread-42"), ("k enter", "refund ✖")), id="session large"),
        pytest.param(SMALL, (("3", "n=10"),), id="costs small"),
        pytest.param(LARGE, (("3", "saved $0.7"), ("j", "latency gpt-4o"), ("", "n=10")), id="costs large"),
        pytest.param(SMALL, (("4", "dearest calls"),), id="overview small"),
        pytest.param(LARGE, (("4", "dearest calls"),), id="overview large"),
        pytest.param(SMALL, (("5", "users user"),), id="errors small"),
        pytest.param(LARGE, (("5", "users user"), ("j", "models")), id="errors large"),
        pytest.param(SMALL, (("6", "15 signals"),), id="signals small"),
        pytest.param(LARGE, (("6", "15 signals"),), id="signals large"),
        pytest.param(SMALL, (*CALL, ("c", "3 calls"), ("j", "1,420 tokens")), id="context small"),
        pytest.param(LARGE, (("k k enter", "agent 48%"), ("c", "prefix broken")), id="context large"),
        pytest.param(SMALL, (*RUN, ("n 4", "shop.py")), id="events"),
        pytest.param(LARGE, (*RUN, ("j j j j plus", "+ - 0"), ("v", "▁▃▅█ cost")), id="zoomed in"),
        pytest.param(SMALL, (("b", "Group"), ("4", "4 groups")), id="groups"),
        pytest.param(SMALL, (("i", "arrived"),), id="arrivals"),
        pytest.param(SMALL, (*RUN, ("a", "7 actors")), id="graph"),
        pytest.param(SMALL, (("k k enter", "agent 48%"), ("exclamation_mark", "truncated")), id="signals of a trace"),
        pytest.param(SMALL, (*RUN, ("slash o r d e r enter", "7 matches")), id="find in a trace"),
        pytest.param(SMALL, (*CALL, ("y", "pytest")), id="copy a span"),
        pytest.param(SMALL, (("slash r e t u r n enter", "4 hits"),), id="search"),
        pytest.param(SMALL, (*CALL, ("r", "ctrl+r sends")), id="replay small"),
        pytest.param(LARGE, (*CALL, ("r", "ctrl+r sends")), id="replay large"),
    ],
)
def test_every_screen_looks_as_it_did(snap_compare: Any, db: Path, size: tuple[int, int], rounds: Any) -> None:
    assert snap_compare(explorer(db), terminal_size=size, run_before=walk(*rounds))


@pytest.mark.parametrize(
    ("theme", "rounds"),
    [
        pytest.param("tracetui-light", CALL, id="light"),
        pytest.param("tracetui-contrast", CALL, id="high contrast"),
        pytest.param("tracetui-safe", (("3", "n=10"),), id="safe"),
    ],
)
def test_themes_look_as_they_did(
    snap_compare: Any, db: Path, theme: str, rounds: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEXTUAL_THEME", theme)
    assert snap_compare(explorer(db), terminal_size=SMALL, run_before=walk(*rounds))


def test_without_colours_it_looks_as_it_did(snap_compare: Any, db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(explorer(db), terminal_size=SMALL, run_before=walk(*CALL))


def test_costs_in_ascii_look_as_they_did(snap_compare: Any, db: Path) -> None:
    assert snap_compare(explorer(db, ascii_mode=True), terminal_size=SMALL, run_before=walk(("3", "n=10")))
