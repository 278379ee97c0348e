"""A slow answer is shown however often the file changes meanwhile, and is asked for no more often than that pays."""

from __future__ import annotations

import asyncio

from tests.builders import T0
from tracetui.screens.base import Facts
from tracetui.screens.paced import Paced
from tracetui.source import Source

from .bare import Bare
from .until import until


class Slow(Paced):
    def __init__(self, facts: Facts) -> None:
        super().__init__(facts)
        self.begun = self.shown = 0
        self.answer = asyncio.Event()

    async def look(self) -> None:
        self.begun += 1
        await self.answer.wait()
        self.shown += 1


def slow() -> Slow:
    source = Source("t.db", lambda: (_ for _ in ()).throw(AssertionError("nobody asks")), lambda text: text)
    return Slow(Facts(source, lambda: T0))


async def test_changes_while_an_answer_is_awaited_do_not_begin_it_anew() -> None:
    app = Bare()
    async with app.run_test() as pilot:
        screen = slow()
        await app.push_screen(screen)
        screen.load()
        await until(pilot, lambda: screen.begun == 1)
        for _ in range(20):
            screen.load()
            await pilot.pause()
        assert (screen.begun, screen.shown) == (1, 0)
        screen.answer.set()
        await until(pilot, lambda: screen.shown == 2)  # all that changed meanwhile is one more question
        await until(pilot, lambda: not screen._working)
        assert (screen.begun, screen.shown) == (2, 2)


async def test_who_waits_for_it_does_not_wait_for_the_rest() -> None:
    app = Bare()
    async with app.run_test() as pilot:
        screen = slow()
        screen.pause_s = 3600.0
        screen.answer.set()
        await app.push_screen(screen)
        screen.load()
        await until(pilot, lambda: screen.shown == 1)
        screen.load(now=True)
        await until(pilot, lambda: screen.shown == 2)
