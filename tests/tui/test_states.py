"""Every screen where there is nothing to show: no file, an empty or an unreadable one, a filter that hides all."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from collector.ingest import Ingest
from collector.settings import Settings
from tests.builders import T0, make_llm
from tests.store_read.files import write

from .fakes import FakeReader, agent_spans, make_app, some_traces
from .real import real_app
from .until import screen_text, shows, until

NOW = T0 + 10**10
SCREENS = {"1": "traces", "2": "sessions", "3": "costs", "4": "spans", "5": "traces", "6": "traces"}
"""What each screen says is not there."""


def empty(path: Path) -> None:
    Ingest(path, Settings(db=path)).close()


def blank(path: Path) -> None:
    path.touch()


def missing(path: Path) -> None:
    path.unlink(missing_ok=True)


def no_database(path: Path) -> None:
    path.write_text("hello, world\n" * 50)


def newer(path: Path) -> None:
    write(path, make_llm(1, status="error"))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma user_version = 99")
        connection.commit()


async def walk(pilot: Pilot[int], told: Callable[[str], tuple[str, ...]]) -> None:
    """To every screen: it says what it has to, and nothing is awaited that will not come."""
    for key in SCREENS:
        await pilot.press(key)
        await until(pilot, lambda key=key: shows(pilot, *told(key)))  # type: ignore[misc]
        assert not any(word in screen_text(pilot) for word in ("reading …", "adding up", "name another with"))


@pytest.mark.parametrize(("make", "size"), [(empty, (200, 50)), (blank, (80, 24)), (missing, (80, 24))])
async def test_a_file_without_traces_says_so_and_what_to_type(
    make: Callable[[Path], None], size: tuple[int, int], tmp_path: Path
) -> None:
    path = tmp_path / "traces.db"
    make(path)
    async with real_app(path, lambda: NOW, tail=make is missing).run_test(size=size) as pilot:

        def told(key: str) -> tuple[str, ...]:
            first = "does not exist yet" if make is missing else f"No {SCREENS[key]} in traces.db yet"
            return first, "tracetui collect --db", "export OTEL_EXPORTER_OTLP_ENDPOINT"

        await walk(pilot, told)
        await pilot.press("y")
        await until(pilot, lambda: shows(pilot, "the endpoint variable"))
        await pilot.press("escape", "slash")
        await until(pilot, lambda: shows(pilot, "Looks through messages", "refund or voucher"))
        await pilot.press(*"abc")
        found = "Nothing that was said holds abc" if make is empty else told("1")[0]
        await until(pilot, lambda: shows(pilot, "search   abc", found))
        await pilot.press("escape", "i")
        arrived = "nothing was ever written to it" if make is blank else "Nothing has arrived in this file yet"
        await until(pilot, lambda: shows(pilot, "What arrived", arrived))


async def test_a_file_that_is_none_of_ours_says_what_it_is_on_every_screen(tmp_path: Path) -> None:
    path = tmp_path / "traces.db"
    no_database(path)
    async with real_app(path, lambda: NOW).run_test(size=(80, 24)) as pilot:
        await walk(pilot, lambda _: ("cannot be read", "it begins with", "tracetui check"))
        await pilot.press("y")
        await until(pilot, lambda: shows(pilot, "the command"))
        await pilot.press("escape", "3")
        await until(pilot, lambda: shows(pilot, "by model", "y copies the command"))
        await pilot.press("y")  # what the screen says it copies, not what costs offer
        await until(pilot, lambda: shows(pilot, "the command", "tracetui check"))
        await pilot.press("escape", "slash", *"abc")
        await until(pilot, lambda: shows(pilot, "search", "it begins with"))


async def test_a_file_of_a_newer_version_is_read_and_says_so_on_every_screen(tmp_path: Path) -> None:
    path = tmp_path / "traces.db"
    newer(path)
    async with real_app(path, lambda: NOW).run_test(size=(80, 24)) as pilot:
        await walk(pilot, lambda _: ("has schema 99", "upgrade tracetui to see all of it"))
        await pilot.press("1")
        await until(pilot, lambda: shows(pilot, "has schema 99"))
        await pilot.press("escape")
        await until(pilot, lambda: not shows(pilot, "has schema 99"))


async def test_a_filter_on_a_file_that_is_not_there_does_not_hide_that(tmp_path: Path) -> None:
    async with real_app(tmp_path / "traces.db", lambda: NOW, filter_text="status:error").run_test() as pilot:
        await until(pilot, lambda: shows(pilot, "cannot be read") or shows(pilot, "does not exist yet"))
        assert not shows(pilot, "No traces match")


async def test_each_screen_says_when_its_filter_hides_all(tmp_path: Path) -> None:
    path = write(tmp_path / "traces.db", make_llm(1, status="error"))
    words = {"1": "traces", "2": "sessions", "3": "costs", "5": "failures"}
    async with real_app(path, lambda: NOW).run_test(size=(80, 24)) as pilot:
        for key, what in words.items():
            await pilot.press(key, "f", *"name:x", "enter")
            await until(pilot, lambda what=what: shows(pilot, f"No {what} match ", "show all again"))  # type: ignore[misc]
            await pilot.press("escape")
            await until(pilot, lambda what=what: not shows(pilot, f"No {what} match"))  # type: ignore[misc]


@pytest.mark.parametrize("key", ["1", "2", "6", "enter"])
async def test_what_takes_a_while_is_announced(key: str) -> None:
    """Neither a blank screen nor an empty one, while the answer is on its way."""
    gate, reader = threading.Event(), FakeReader(some_traces(), agent_spans())

    class Slow(FakeReader):
        def __getattribute__(self, name: str) -> Any:
            own = getattr(reader, name)
            if held.is_set() and callable(own) and name != "close":
                gate.wait(20)
            return own

    held = threading.Event()
    app = make_app(Slow((), ()))
    if key == "1":
        held.set()
    async with app.run_test(size=(80, 24)) as pilot:
        if key == "1":
            pilot.app.screen.restart()  # type: ignore[attr-defined]
        else:
            await until(pilot, lambda: shows(pilot, "support_agent"))
            held.set()
            await pilot.press(key)
        await until(pilot, lambda: shows(pilot, "reading …"))
        gate.set()
        await until(pilot, lambda: not shows(pilot, "reading …"))
