"""How many bytes may be held at once, and waiting for some of them to be let go."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable

WAIT_S = 5.0  # half of what exporters usually wait for an answer


class Overloaded(Exception):  # named as collector.errors names them
    """More bytes wait to be written than we are willing to hold."""


class Room:
    """`limit` bytes, taken and given back from any thread. One body alone gets in, however long."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = 0
        self._changed = threading.Condition()
        self._wakers: list[Callable[[], None]] = []

    @property
    def held(self) -> int:
        return self._held

    def take(self, size: int, mine: int = 0) -> bool:
        """Whether there was room for `size` more; it is taken then. `mine` of what is held is the taker's own."""
        with self._changed:
            if self._held > mine and self._held + size > self._limit:
                return False
            self._held += size
            return True

    def give(self, size: int) -> None:
        """Let go of what was taken."""
        with self._changed:
            self._held -= size
            wakers, self._wakers = self._wakers, []
            self._changed.notify_all()
        for wake in wakers:
            with contextlib.suppress(RuntimeError):  # its event loop has ended
                wake()

    def wait(self, size: int) -> None:
        """Take, as soon as there is room; for a thread whose waiting hinders nobody who gives."""
        with self._changed:
            self._changed.wait_for(lambda: not self._held or self._held + size <= self._limit)
            self._held += size

    async def enter(self, size: int, mine: int = 0, wait_s: float | None = None) -> None:
        """Take, waiting a while for room; Overloaded when there is none. Meanwhile the sender is not read from."""
        deadline = asyncio.get_running_loop().time() + (WAIT_S if wait_s is None else wait_s)
        while not self.take(size, mine):
            changed = asyncio.Event()
            loop = asyncio.get_running_loop()
            with self._changed:
                self._wakers.append(lambda loop=loop, changed=changed: loop.call_soon_threadsafe(changed.set))  # type: ignore[misc]
            try:
                async with asyncio.timeout_at(deadline):
                    await changed.wait()
            except TimeoutError:
                raise self.full() from None

    def full(self) -> Overloaded:
        """The sentence about it."""
        return Overloaded(f"{self._held:,} bytes are being taken in or wait to be written; try again in a moment")
