"""Runs arrive and screens come and go: those that were left do not stay in memory."""

from __future__ import annotations

import gc
from collections import Counter
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.strip import Strip

from collector.ingest import Ingest
from collector.model import Batch, SpanPart, Usage
from collector.settings import Settings
from tracetui.app import Explorer
from tracetui.screens.base import ExplorerScreen
from tracetui.screens.lists import TracesScreen
from tracetui.screens.trace import TraceScreen

from .real import real_app
from .story import NOW, S, agent, call, now_ns
from .until import settled, shows, until

ROUNDS, RUNS = 7, 20
MOST = 3
"""Screens of a kind, of which one is left in each round."""
LINES = 30
"""Of the terminal."""


def runs(round_: int) -> list[SpanPart]:
    """New runs, each with a call and a failure every tenth time."""
    parts = []
    for n in range(RUNS):
        number = round_ * RUNS + n + 1
        start = NOW - 3600 * S + number * S
        parts += [
            agent(number, f"agent_{round_}", start, 900, f"s{number}", "u", f"question {number}", "answer"),
            call(2, number, start, "gpt-4o", None, None, Usage(100, 10), status="ok" if n % 10 else "error"),
        ]
    return parts


def screens() -> Counter[str]:
    """How many screens of each kind there are in memory. One that was left goes a little later, with its last task."""
    gc.collect()
    return Counter(type(one).__name__ for one in gc.get_objects() if issubclass(type(one), ExplorerScreen))


def painted() -> int:
    """How many painted lines are in memory."""
    gc.collect()
    return sum(1 for one in gc.get_objects() if type(one) is Strip)


async def one_round(pilot: Pilot[int], app: Explorer, ingest: Ingest, round_: int) -> None:
    ingest.write(Batch("soak", tuple(runs(round_))))
    app.post_message(Explorer.Tailed(reopened=False))
    await pilot.press("G")
    await until(pilot, lambda: shows(pilot, f"agent_{round_}", f"{(round_ + 1) * RUNS} traces"))
    await pilot.press("pageup", "pagedown", "G", "enter")
    await until(pilot, lambda: isinstance(app.screen, TraceScreen) and shows(pilot, "question"))
    await pilot.press("escape", "3")
    await until(pilot, lambda: shows(pilot, "SHARE", "gpt-4o"))
    await pilot.press("5")
    await until(pilot, lambda: shows(pilot, "failures of"))
    await pilot.press("1", "G")
    await until(pilot, lambda: type(app.screen) is TracesScreen and shows(pilot, f"agent_{round_}"))
    await settled(pilot)


@pytest.mark.slow
async def test_screens_that_were_left_and_their_lines_do_not_pile_up_while_runs_arrive(tmp_path: Path) -> None:
    db = tmp_path / "traces.db"
    with Ingest(db, Settings(db=db)) as ingest:
        ingest.write(Batch("soak", tuple(runs(0))))
        app = real_app(db, now_ns)
        async with app.run_test(size=(100, LINES)) as pilot:
            lines = list[int]()
            for round_ in range(1, ROUNDS):
                await one_round(pilot, app, ingest, round_)
                lines.append(painted())
            assert len(app.screen_stack) <= 1
            await until(pilot, lambda: max(screens().values()) <= MOST, 60)
            # the list keeps the lines of rows that it showed, a screen's worth a round; screens that were left none
            assert painted() - lines[1] < 2 * LINES * len(lines[2:]), lines
