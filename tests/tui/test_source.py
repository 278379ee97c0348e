"""Questions that take long hold up nobody: not those of another lane, not the next one, not the end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from collector.errors import Interrupted
from collector.store import filters, open_reader
from collector.store.rows import Totals
from tests.builders import T0
from tests.store_read.files import make_trace, write
from tracetui.screens import ordered
from tracetui.screens.lists import TracesScreen
from tracetui.source import Reader, Source
from tracetui.spending import Superseded

from .fakes import FakeReader, make_app
from .fakes import make_trace as trace_row
from .until import shows, until

ENDLESS = "with recursive n(x) as (select 1 union all select x + 1 from n) select count(*) from n"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("source") / "traces.db", *(make_trace(n) for n in range(1, 5)))


@pytest.fixture
def source(path: Path) -> Iterator[Source]:
    made = Source(str(path), lambda: open_reader(path), lambda text: filters.parse(text, T0))
    yield made
    made.close()


class Question:
    """One that never ends, however often a statement of it is broken off before the last."""

    def __init__(self, statements: int = 1) -> None:
        self.runs, self.ended = threading.Event(), threading.Event()
        self.statements = statements

    def __call__(self, reader: Any) -> int:
        self.runs.set()
        try:
            for _ in range(self.statements - 1):
                with pytest.raises(Interrupted):
                    reader.rows(ENDLESS)
            return len(reader.rows(ENDLESS))
        finally:
            self.ended.set()


LANES: dict[str, Callable[[Source], Any]] = {
    "quick": lambda s: s.ask, "slow": lambda s: s.ask_slowly, "lists": lambda s: s.ask_list,
    "counts": lambda s: s.count,
}  # fmt: skip


async def begun(question: Question) -> None:
    await asyncio.to_thread(question.runs.wait, 20)


@pytest.mark.parametrize("lane", LANES)
async def test_what_nobody_waits_for_any_more_is_broken_off(source: Source, lane: str) -> None:
    question = Question(statements=3)
    asked = asyncio.create_task(LANES[lane](source)(question))
    await begun(question)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert await asyncio.wait_for(LANES[lane](source)(lambda reader: len(reader.traces())), 20) == 4
    assert source.note == ""  # and the file is not called damaged for it


async def test_a_question_that_was_not_begun_is_not_asked(source: Source) -> None:
    first, second = Question(), Question()
    asked = [asyncio.create_task(source.ask(question)) for question in (first, second)]
    await begun(first)
    for one in reversed(asked):
        one.cancel()
    await asyncio.gather(*asked, return_exceptions=True)
    assert await asyncio.wait_for(source.ask(lambda reader: reader.data_version()), 20)
    assert not second.runs.is_set()


async def test_a_question_that_gives_itself_up_is_no_fault_of_the_file(source: Source) -> None:
    def question(reader: Any) -> int:
        raise Superseded

    with pytest.raises(Superseded):
        await source.ask(question)


async def test_a_list_that_takes_long_holds_up_neither_traces_nor_counts(source: Source) -> None:
    question = Question()
    asked = asyncio.create_task(source.ask_list(question))
    await begun(question)
    for lane in ("quick", "slow", "counts"):
        assert await asyncio.wait_for(LANES[lane](source)(lambda reader: len(reader.traces())), 20) == 4
    assert not question.ended.is_set()
    asked.cancel()


async def test_closing_breaks_off_what_is_asked(path: Path) -> None:
    source = Source(str(path), lambda: open_reader(path), lambda text: filters.parse(text, T0))
    questions = [Question(statements=2) for _ in LANES]
    asked = [asyncio.create_task(LANES[lane](source)(q)) for lane, q in zip(LANES, questions, strict=True)]
    for question in questions:
        await begun(question)
    await asyncio.wait_for(asyncio.to_thread(source.close), 20)
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(answer) for answer in answers] == [Interrupted] * 4


class SlowlyCounting(FakeReader):
    """Tells what it has so far, and then waits to be told on, or broken off."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.go_on, self.broken_off = threading.Event(), threading.Event()

    def totals(self, where: str = "", *, told: Any = None) -> Totals:
        if not where:
            return super().totals(where)
        if where != "quick":
            told(Totals(12_345, 20_000, 7, 0, None))
            while not self.go_on.wait(0.01):
                if self.broken_off.is_set():
                    raise Interrupted("broken off")
        return Totals(23_456 if where != "quick" else 9, 40_000, 9, 0, None)

    def interrupt(self) -> None:
        self.broken_off.set()


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_what_a_filter_finds_is_told_while_it_is_counted(size: tuple[int, int]) -> None:
    reader = SlowlyCounting([trace_row(n) for n in range(3)])
    async with make_app(reader, filter_text="a").run_test(size=size) as pilot:
        await until(pilot, lambda: shows(pilot, "12,345+ traces, counting"))
        reader.go_on.set()
        await until(pilot, lambda: shows(pilot, "23,456 traces"))
        assert not shows(pilot, "counting")


async def test_another_filter_does_not_wait_for_the_count_of_the_one_before() -> None:
    reader = SlowlyCounting([trace_row(n) for n in range(3)])
    async with make_app(reader, filter_text="a").run_test(size=(100, 24)) as pilot:
        await until(pilot, lambda: shows(pilot, "12,345+ traces, counting"))
        screen = pilot.app.screen
        assert isinstance(screen, TracesScreen)
        screen.apply("quick")
        await until(pilot, lambda: shows(pilot, "9 traces"))
        assert reader.broken_off.is_set()


async def test_a_filter_does_not_wait_for_the_pause_after_a_long_count() -> None:
    """Sums are asked again the less often the longer they take; those of another filter at once."""
    reader = SlowlyCounting([trace_row(n) for n in range(3)])
    async with make_app(reader, filter_text="quick").run_test(size=(100, 24)) as pilot:
        await until(pilot, lambda: shows(pilot, "9 traces"))
        screen = pilot.app.screen
        assert isinstance(screen, TracesScreen)
        screen._totals_due += 3600
        screen.reload()
        await until(pilot, lambda: screen._counting)
        reader.go_on.set()
        screen.apply("a")
        await until(pilot, lambda: shows(pilot, "23,456 traces"))


async def test_a_list_that_takes_long_is_not_asked_again_at_every_change(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does another filter wait for the pause that it takes."""
    reader = FakeReader([trace_row(n) for n in range(3)])
    monkeypatch.setattr(ordered, "SLOW_S", 0.0)
    monkeypatch.setattr(ordered, "PAUSE_S", 3600.0)
    async with make_app(reader).run_test(size=(100, 24)) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, TracesScreen)
        await until(pilot, lambda: screen.window.loaded)
        asked = len(reader.asked)
        for _ in range(5):
            screen.reload()
            await pilot.pause()
        assert (len(reader.asked), screen._waiting) == (asked, True)
        screen.apply("trace")
        await until(pilot, lambda: len(reader.asked) > asked)
        assert not screen._waiting


def test_a_reader_of_the_explorer_can_be_broken_off(path: Path) -> None:
    with open_reader(path) as reader:
        asked: Reader = reader
        asked.interrupt()  # nothing runs: nothing happens
        assert len(reader.traces()) == 4
