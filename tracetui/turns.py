"""Keys take turns: the next one waits until what the one before it did is done.

Typed ahead of a slow line or a busy machine, several keys arrive at once. Textual hands each to what has the focus at
that moment; `/` and a word would go to the list that `/` was meant to leave, and its letters would filter, sort and
group. Here a key waits until the screen that the one before it opens is there, has its focus, and has read what the
key would act on.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import suppress
from typing import Protocol, runtime_checkable

from textual import events, on
from textual.app import App, ScreenStackError
from textual.message import Message
from textual.message_pump import MessagePump
from textual.screen import Screen

from tracetui.keymap import Key

HOPS = 3
"""A key leads to a message, that to another of the screen, and that to one of the application, which opens what is
next. So many times we follow them through all queues."""
LOST_S = 0.02
"""A widget that was removed passes nothing on; it is looked at so often."""
MOST_S = 1.5
"""Keys do not wait longer for something that is being read; for a screen that opens they do."""
STUCK_S = 5.0
"""Nor for anything else, whatever it is: `q` gets through."""
OPENING = ("follow", "menu", "neighbours", "open")
"""Groups of workers of a screen that end in another one."""


@runtime_checkable
class Awaits(Protocol):
    """A screen that may still be reading what a key would act on."""

    def awaits(self, key: str) -> bool:
        """Whether this key has to wait."""

    def moves(self, key: str) -> bool:
        """Whether this key only moves a cursor."""


class Passed(Message):
    """Follows a key through the queues of all that it passes, up to the application."""

    def __init__(self, here: asyncio.Event) -> None:
        super().__init__()
        self.here = here


class InTurn(App[int]):
    """The part of the application that hands on what is typed."""

    keys: tuple[Key, ...]

    def __init__(self) -> None:
        super().__init__()
        self._typed: deque[events.Key | events.Paste] = deque()
        self._turn: asyncio.Task[None] | None = None
        self._unused, self._done_with = False, True
        self._last = ""
        self._since: float | None = None
        self._before: Screen[object] | None = None

    async def on_event(self, event: events.Event) -> None:
        if not isinstance(event, events.Key | events.Paste):
            await super().on_event(event)
        elif event.is_forwarded:  # no widget had a use for it: what is bound to it may open something
            self._unused = True
            await super().on_event(event)
        else:
            self._typed.append(self._meant(event))
            if self._turn is None:
                await self._at_once()

    async def _at_once(self) -> None:
        """Nothing is under way, unless letters and moves are, which more of them need not wait for."""
        event = self._typed[0]
        quiet = self._opens_nothing(event)
        if (self._done_with or quiet) and not self._has_to_wait(event):
            await self._hand_on()
            self._done_with = False
        if self._typed or not quiet:
            self._turn = asyncio.create_task(self._take_turns())

    def _opens_nothing(self, event: events.Key | events.Paste) -> bool:
        """Whether it can open nothing: letters in a field, a move in a list. Held down, they come 30 times a second."""
        focused = self.focused
        if focused is not None and focused.check_consume_key("a", "a"):  # a field: it takes letters
            return isinstance(event, events.Paste) or event.is_printable
        screen = self.screen
        return isinstance(screen, Awaits) and screen.moves(self._key(event))

    def _meant(self, event: events.Key | events.Paste) -> events.Key | events.Paste:
        """What was typed before the terminal was ours came through the shell's line: its Enter is a line feed."""
        is_feed = isinstance(event, events.Key) and event.key == "ctrl+j"
        return events.Key("enter", "\r") if is_feed and not self._has_use_for("ctrl+j") else event

    def _has_use_for(self, key: str) -> bool:
        """Whether the user's key map names it."""
        return any(key in one.keys.split(",") for one in self.keys)

    async def _hand_on(self) -> None:
        event = self._typed.popleft()
        is_sign = isinstance(event, events.Key) and not event.is_printable
        self._unused, self._before, self._last = False, self.screen, self._key(event) if is_sign else ""
        await super().on_event(event)

    async def _take_turns(self) -> None:
        try:
            await self._done()
            while self._typed:
                await self._until_it_may(self._typed[0])
                quiet = self._opens_nothing(self._typed[0])
                await self._hand_on()
                if not (quiet and self._typed and self._opens_nothing(self._typed[0])):
                    await self._done()
        except ScreenStackError:  # it ends
            self._typed.clear()
        except Exception as error:  # noqa: BLE001 - as Textual does it with what a handler raises
            self._handle_exception(error)
        finally:
            self._turn = None

    def _forget_impatience(self) -> None:
        """Enter or esc once more, before one saw that the first had opened or left a screen, meant that one."""
        while (
            self._typed and self._last and self.screen is not self._before and self._key(self._typed[0]) == self._last
        ):
            self._typed.popleft()

    @staticmethod
    def _key(event: events.Key | events.Paste) -> str:
        return event.key if isinstance(event, events.Key) else ""

    async def _done(self) -> None:
        """What the key did is done. A letter that a field took leads to nothing further."""
        await self._passed(self.focused or self.screen)
        followed = 0 if self._unused else HOPS
        while followed < HOPS and not self._exit:
            screen = self.screen
            await self._there(screen)
            await self._passed(self.focused or screen)
            followed = followed + 1 if screen is self.screen else 0
        self._done_with = True
        self._forget_impatience()

    async def _passed(self, node: MessagePump) -> None:
        """All that waits in the queues from this one up to ours was done."""
        here, until = asyncio.Event(), time.monotonic() + STUCK_S
        if node.post_message(Passed(here)):
            while not here.is_set() and node.is_running and node.is_attached and time.monotonic() < until:
                with suppress(TimeoutError):
                    await asyncio.wait_for(here.wait(), LOST_S)

    @on(Passed)
    def _has_passed(self, event: Passed) -> None:
        event.here.set()

    async def _there(self, screen: Screen[object]) -> None:
        """It is mounted, and so are its widgets."""
        until = time.monotonic() + STUCK_S
        while not screen.is_mounted and screen is self.screen and not self._exit and time.monotonic() < until:
            await asyncio.sleep(LOST_S / 4)

    # What is being read.

    async def _until_it_may(self, event: events.Key | events.Paste) -> None:
        if not self._has_to_wait(event):
            self._since = None
            return
        self._since = self._since or time.monotonic()  # all that is typed meanwhile waits no longer than the first
        while self._has_to_wait(event) and time.monotonic() < self._since + MOST_S and not self._exit:
            await asyncio.sleep(LOST_S / 4)

    def _has_to_wait(self, event: events.Key | events.Paste) -> bool:
        screen = self.screen
        if not screen.is_mounted or any(
            one.node is screen and one.group in OPENING and not one.is_finished for one in self.workers
        ):
            return True
        return isinstance(screen, Awaits) and screen.awaits(self._key(event))
