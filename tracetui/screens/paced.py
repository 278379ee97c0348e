"""Asking what takes a while: one question at a time, and the longer an answer took, the later it is asked again.

A file that is written to changes many times a second. Were each change to begin the question anew, an answer that takes
longer than that would never come.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from tracetui.screens.base import ExplorerScreen


class Paced(ExplorerScreen):
    """Subclasses say with `look` what they ask and show, and call `load` where it may have changed."""

    pause_s = 0.05
    """The shortest time between two questions."""
    rest = 2
    """After an answer, in times of how long it took."""

    _working = _again = False
    _hurry: asyncio.Event | None = None

    async def look(self) -> None:
        """Ask, and show the answer."""
        raise NotImplementedError

    def load(self, *, now: bool = False) -> None:
        """Ask again once it is time to; `now`: somebody waits for it."""
        self._again = True
        if now and self._hurry is not None:
            self._hurry.set()
        if not self._working:
            self._working = True
            self.run_worker(self._looking(), group="look")

    async def _looking(self) -> None:
        self._hurry, looked = self._hurry or asyncio.Event(), False
        try:
            while self._again and not (looked and self.waits()):
                self._again, looked = False, True
                self._hurry.clear()
                began = time.monotonic()
                await self.look()
                with suppress(TimeoutError):
                    took = time.monotonic() - began
                    await asyncio.wait_for(self._hurry.wait(), max(self.pause_s, self.rest * took))
        finally:
            self._working = False
