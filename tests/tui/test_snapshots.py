"""Pictures of the screens worth one: fixed size, clock and data. A change is looked at by a human."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from collector.model import Usage
from collector.store.rows import SessionRow

from .fakes import NOW, FakeReader, S, agent_spans, make_app, some_traces
from .until import settled, shows, until

pytestmark = pytest.mark.latest

SMALL, LARGE = (80, 24), (200, 50)


def steps(*rounds: tuple[tuple[str, ...], tuple[str, ...]]) -> Callable[[Pilot], Awaitable[None]]:
    """Press keys, then wait for texts; again for every round."""

    async def run(pilot: Pilot) -> None:
        await until(pilot, lambda: shows(pilot, "6 traces") or shows(pilot, "0 traces"))
        for keys, texts in rounds:
            await pilot.press(*keys)
            await until(pilot, lambda texts=texts: shows(pilot, *texts))
        await settled(pilot)
        for field in pilot.app.screen.query(Input):
            field._pause_blink(visible=True)  # else a picture has its cursor, or not, as the clock will

    return run


TRACE = (("enter",), ("get_order", "Messages", "question", "llm 74%"))
CALL = (("j",), ("Anything else?",))
LATER = (("j",) * 5, ("delivered",))


@pytest.mark.parametrize(
    ("size", "rounds"),
    [
        pytest.param(SMALL, (), id="list small"),
        pytest.param(LARGE, (), id="list large"),
        pytest.param(SMALL, (TRACE, CALL), id="trace small"),
        pytest.param(LARGE, (TRACE, CALL), id="trace large"),
        pytest.param(LARGE, (TRACE, CALL, LATER, (("equals_sign",), ("all messages",))), id="all"),
        pytest.param(SMALL, (TRACE, (("n",), ("shop.py",))), id="error"),
        pytest.param(LARGE, (TRACE, CALL, (("3",), ("service.name",))), id="attributes"),
        pytest.param(SMALL, ((("f", *"nope:1", "enter"), ("^ unknown",)),), id="wrong filter"),
        pytest.param(SMALL, ((("f", *"zzz", "enter"), ("No traces match",)),), id="no match"),
        pytest.param(SMALL, ((("y",), ("session id",)),), id="copy menu"),
        pytest.param(SMALL, ((("question_mark",), ("filter the list",)),), id="help"),
        pytest.param(SMALL, ((("2",), ("thread-42",)),), id="sessions"),
    ],
)
def test_the_screen_looks_as_it_did(snap_compare: Any, size: tuple[int, int], rounds: Any) -> None:
    reader = FakeReader(some_traces(), agent_spans())
    reader.session_rows = [
        SessionRow("thread-42", "user-7", NOW - 900 * S, NOW - 6 * S, 3, 20, 1, 4, 2, 0, 5_000_000, Usage(10_000, 500))
    ]
    assert snap_compare(make_app(reader), terminal_size=size, run_before=steps(*rounds))


def test_an_empty_file_looks_as_it_did(snap_compare: Any) -> None:
    app = make_app(FakeReader(), listening="127.0.0.1:4318")
    assert snap_compare(app, terminal_size=(100, 24), run_before=steps())


def test_ascii_mode_looks_as_it_did(snap_compare: Any) -> None:
    rows = [replace(row, name="agent", input_preview="in", output_preview="out") for row in some_traces()]
    app = make_app(FakeReader(rows, agent_spans()), ascii_mode=True)
    assert snap_compare(app, terminal_size=SMALL, run_before=steps(TRACE, CALL))
