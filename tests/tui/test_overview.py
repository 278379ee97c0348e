"""What goes on now: from the file, on the screen, on the command line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from collector.model import Process, Reading
from collector.store import open_reader
from collector.store.overview import MINUTES, overview
from tests.builders import MS, T0, make_llm, make_part, make_started, trace_id
from tests.store_read.files import Plans, write
from tracetui import format as fmt
from tracetui.cli import main
from tracetui.screens.behind import TracesBehind
from tracetui.screens.overview import OverviewScreen
from tracetui.screens.trace import TraceScreen
from tracetui.widgets.overview_lines import _shares, lines, rates

from .hostile import CONTROL_STRINGS, HOSTILE
from .real import real_app
from .until import screen_text, shows, until

S = 1000 * MS
MIN = 60 * S
NOW = T0 + 3600 * S


def now_ns() -> int:
    return NOW


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """Two calls in the last minutes, an older one, one long ago; a failed tool; something that runs."""
    alive = Process("p1", 4711, 1, "another-host", "boot", "ns", "shop", "python", NOW)
    running = make_started(1, trace=trace_id(6), name="long_agent", start_ns=NOW - 5 * S,
                           reading=Reading(kind="agent"), process_id="p1")  # fmt: skip
    return write(
        tmp_path / "traces.db",
        make_llm(1, trace=trace_id(1), model="gpt-4o", tokens=(1000, 100), start_ns=NOW - 70 * S),
        make_llm(1, trace=trace_id(2), tokens=(1000, 100), start_ns=NOW - 90 * S),
        make_llm(1, trace=trace_id(3), start_ns=NOW - 20 * MIN),
        make_llm(1, trace=trace_id(4), model="gpt-4-long-ago", start_ns=NOW - 50 * MIN),
        make_part(1, trace=trace_id(5), name="refund", status="error", status_message="not allowed",
                  start_ns=NOW - 2 * MIN, reading=Reading(kind="tool")),
        running, processes=[alive],
    )  # fmt: skip


def test_rates_are_of_the_last_minutes_and_the_rest_of_the_last_half_hour(db):
    with open_reader(db, now_ns=now_ns) as reader:
        found = overview(reader, NOW)
        dear = reader.spans(limit=10)
    assert found is not None
    assert (found.live, found.rate_min, found.calls, found.errors, found.running) == (True, 5, 2, 1, 1)
    assert found.tokens == 2200
    assert found.cost_nanousd == sum(row.cost_nanousd or 0 for row in dear if row.start_ns > NOW - 5 * MIN)
    assert [one.model for one in found.models] == ["gpt-4o-mini", "gpt-4o"]
    assert (found.models[0].calls, sum(found.models[0].minutes), len(found.costs)) == (2, 2, MINUTES)
    assert found.models[1].minutes[-2] == 1
    assert [one.name for one in found.active] == ["long_agent"]
    assert [(one.name, one.said) for one in found.failed] == [("refund", "not allowed")]
    assert [one.model for one in found.dearest] == ["gpt-4o", "gpt-4o-mini", "gpt-4o-mini"]


@pytest.mark.parametrize(("ago_s", "minutes"), [(3, 0.5), (120, 2), (900, 5)])
def test_a_run_that_just_began_burns_as_fast_as_it_does(tmp_path, ago_s, minutes):
    path = write(tmp_path / "traces.db", make_llm(1, trace=trace_id(1), start_ns=NOW - ago_s * S))
    with open_reader(path) as reader:
        assert overview(reader, NOW).rate_min == minutes


def test_a_file_in_which_nothing_happens_is_told_as_of_its_end(db):
    with open_reader(db, now_ns=lambda: NOW + 100 * 3600 * S) as reader:
        found = overview(reader, NOW + 100 * 3600 * S)
    assert found is not None
    assert (found.live, found.now_ns, found.calls, found.running) == (False, NOW - 5 * S, 2, 0)


def test_a_file_without_spans_has_none(tmp_path):
    with open_reader(write(tmp_path / "traces.db")) as reader:
        assert overview(reader, NOW) is None


def test_no_question_reads_the_whole_file(db):
    with open_reader(db, now_ns=now_ns) as reader:
        plans = Plans(reader)
        overview(reader, NOW)
    scans = [step for step in plans.scans() if step not in ("SCAN w", "SCAN n")]
    assert [step for step in scans if "USING" not in step] == []


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_the_overview_shows_all_of_it_and_enter_opens(db, size):
    async with real_app(db, now_ns).run_test(size=size) as pilot:
        await pilot.press("4")
        await until(
            pilot, lambda: shows(pilot, "/min", "tok/min", "1 running", "long_agent", "not allowed", "dearest calls")
        )
        lines = screen_text(pilot).splitlines()
        assert all(fmt.cells(line) <= size[0] for line in lines)
        assert any("▸" in line and "gpt-4o-mini" in line for line in lines)
        await pilot.press("y")
        await until(pilot, lambda: shows(pilot, "1 filter", "any:(answered:gpt-4o-mini since:"))
        await pilot.press("escape", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, TracesBehind) and shows(pilot, "answered:gpt-4o-mini"))
        await until(pilot, lambda: not shows(pilot, "reading"))
        await pilot.press("escape", "j", "j", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, TraceScreen) and shows(pilot, "long_agent"))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, OverviewScreen))
        await pilot.press("G", "k", "g")
        assert any("▸" in line and "gpt-4o-mini" in line for line in screen_text(pilot).splitlines())


async def test_the_overview_follows_the_file(db):
    app = real_app(db, now_ns)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("4")
        await until(pilot, lambda: shows(pilot, "long_agent"))
        write(db, make_llm(1, trace=trace_id(9), model="brand-new", start_ns=NOW - 10 * S))
        app.screen.file_changed(reopened=False)
        await until(pilot, lambda: shows(pilot, "brand-new"))


async def test_old_and_empty_files_say_so(db, tmp_path):
    async with real_app(db, lambda: NOW + 100 * 3600 * S).run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        await until(pilot, lambda: shows(pilot, "nothing new; as of"))
    async with real_app(write(tmp_path / "other.db"), now_ns).run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        await until(pilot, lambda: shows(pilot, "No spans in other.db yet."))


async def test_hostile_names_stay_on_their_lines(tmp_path):
    texts = [*HOSTILE, *(text for text in CONTROL_STRINGS if "\ud800" not in text)]
    parts = [
        make_llm(1, trace=trace_id(n), name=text, model=text, status="error", status_message=text,
                 start_ns=NOW - n * S)
        for n, text in enumerate(texts, 1)
    ]  # fmt: skip
    app = real_app(write(tmp_path / "traces.db", *parts), now_ns, ascii_mode=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        await until(pilot, lambda: shows(pilot, "failed last"))
        lines = screen_text(pilot).splitlines()
        assert not any(char in line for line in lines for char in "\x1b\x07\x9b\u202e█▁")
        assert all(fmt.cells(line) <= 80 for line in lines)


def test_sections_share_the_room():
    assert _shares([4, 2, 20, 5], 13) == [4, 2, 4, 3]
    assert _shares([9, 0, 9], 2) == [2, 0, 2]


@pytest.mark.parametrize("height", [20, 30])
def test_no_line_is_free_while_a_section_has_more(db, height):
    with open_reader(db) as reader:
        found = overview(reader, NOW)
    failed = tuple(replace(found.failed[0], span_id=f"{n:016x}") for n in range(20))
    for some in (replace(found, failed=failed), replace(found, failed=failed, active=(), running=0)):
        shown = lines(some, 80, height, fmt.UNICODE, NOW)
        assert len(shown) == height
        assert any(" more" in part for row in shown for part, _ in row.parts)


@pytest.mark.parametrize(("width", "gap"), [(80, "  "), (84, "   ")])
def test_the_rates_stand_closer_where_the_line_is_short(db, width, gap):
    with open_reader(db) as reader:
        found = replace(overview(reader, NOW), rate_min=1.0, cost_nanousd=4_200_000, unpriced_calls=1, tokens=26_300)
    found = replace(found, calls=73, running=1, spans=100, errors=3)
    told = "".join(text for text, _ in next(iter(rates(found, width, ascii_mode=False))))
    assert told == gap.join([" $0.0042/min +1 unpriced", "26.3k tok/min", "73.0 calls/min", "1 running", "3.0% fail"])
    assert len(told) <= width


def test_the_overview_prints_as_text_and_json(db):
    plain = CliRunner().invoke(main.cli, ["overview", "--db", str(db)])
    assert "refund" in plain.stdout
    shape = json.loads(CliRunner().invoke(main.cli, ["overview", "--json", "--db", str(db)]).stdout)
    assert (shape["live"], shape["calls"], shape["failed"][0]["said"]) == (False, 2, "not allowed")
    assert len(shape["models"][0]["minutes"]) == 30
