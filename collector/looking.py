"""When a stored trace is looked at for signals: once it has settled, in small slices, never before a write.

A round opens a reader of its own, so that looking holds no lock; what it found is written by whoever asked for it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from collector.limits import Limits
from collector.signals.windows import windows
from collector.store.opening import open_reader
from collector.store.signals import Looked, look

SETTLED_S = 1.0
QUIET_S = 60.0
APART_S = 0.2
"""Between two rounds while spans arrive."""


class Looking:
    """Keeps the time for one file. `wrote` is to be called with each write; not thread-safe."""

    def __init__(self, path: Path, limits: Limits, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._limits = limits
        self._window = windows(limits)
        self._clock = clock
        self._noted: deque[tuple[float, int]] = deque()
        self._wrote_at = clock()
        self._round_at = -APART_S
        self._settled = self._quiet = False
        self._own: int | None = None
        """How far the file was after the last write; None until that was asked."""

    def wrote(self) -> None:
        self._wrote_at = self._clock()
        self._settled = self._quiet = False
        self._own = None

    @property
    def idle(self) -> bool:
        return self._clock() - self._wrote_at > SETTLED_S

    def round(self, budget_s: float, *, ending: bool = False, strict: bool = False) -> Looked | None:
        """What was found in about so many seconds; None when there is nothing to look at now. `ending`: this process
        looks no more, so what has only just come is looked at too, whether it has ended or not. `strict`: a trace
        too large for that time is left to the next writer."""
        now = self._clock()
        if not ending and (self._nothing_new(now) or (now - self._round_at < APART_S and not self.idle)):
            return None
        self._round_at = now
        with open_reader(self._path) as reading:
            self._note(now, reading.seq())
            self._own = self._noted[-1][1] if self._own is None else self._own
            settled = self._noted[-1][1] if ending else self._as_of(now - SETTLED_S)
            quiet = settled if ending else self._as_of(now - QUIET_S)
            looked = look(reading, self._limits, self._window, settled_until=settled, quiet_until=quiet,
                          budget_s=budget_s, strict=strict, clock=self._clock)  # fmt: skip
        if looked is None or not looked.more:
            # What came last was noted a moment after it came, and is not old enough as soon as nothing else comes.
            self._settled = self.idle and settled >= self._own
            self._quiet = now - self._wrote_at > QUIET_S and quiet >= self._own
        return looked

    def _nothing_new(self, now: float) -> bool:
        return self._settled and (self._quiet or now - self._wrote_at <= QUIET_S)

    def _note(self, now: float, seq: int) -> None:
        """Remember how far the file was, as long as that may be asked."""
        if not self._noted or self._noted[-1][1] != seq:
            self._noted.append((now, seq))
        while len(self._noted) > 1 and self._noted[1][0] <= now - QUIET_S:
            self._noted.popleft()

    def _as_of(self, moment: float) -> int:
        return next((seq for at, seq in reversed(self._noted) if at <= moment), 0)
