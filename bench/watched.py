"""A program in a real pty whose bytes are kept with the moment they came, so that what showed when can be told after.

Reading and drawing the screen (pyte) takes longer than some answers do: bytes are only noted while they come, and fed
to the screen in the pauses between, one read after the other. When a condition first holds, its read has the time.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from types import TracebackType

import pexpect
import psutil
import pyte

from bench.first_paint import COLUMNS, ROWS, started
from bench.report import memory_mb

PAUSE_S = 0.1
LOOK_S = 1.0
"""So long bytes may come without a pause until the screen is looked at all the same."""


class Watched:
    """`rows` is what a person sees, as of the last look."""

    def __init__(self, arguments: list[str]) -> None:
        self.child = started(arguments)
        self.screen = pyte.Screen(COLUMNS, ROWS)
        self.stream = pyte.ByteStream(self.screen)
        self.came: list[tuple[float, bytes]] = []
        self.looked_at = 0.0
        """When what the screen shows had come."""
        self.process = psutil.Process(self.child.pid)

    def __enter__(self) -> Watched:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.child.close(force=True)

    @property
    def rows(self) -> list[str]:
        # not `display`: it fails while only one half of a wide letter has been overwritten
        cells = range(self.screen.columns)
        return ["".join(self.screen.buffer[y][x].data for x in cells).rstrip() for y in range(self.screen.lines)]

    def press(self, keys: str) -> float:
        """Type, at the moment that is returned."""
        now = time.perf_counter()
        os.write(self.child.fileno(), keys.encode())
        return now

    def read(self, timeout_s: float) -> bool:
        """Note what comes next; False when nothing does."""
        try:
            got = self.child.read_nonblocking(65536, timeout=timeout_s)
        except pexpect.TIMEOUT:
            return False
        self.came.append((time.perf_counter(), got))
        return True

    def look(self, holds: Callable[[list[str]], bool] | None = None) -> float | None:
        """Draw what came; when the condition first held, or None. Without one the screen is only brought up to date."""
        came, self.came = self.came, []
        for at, (moment, got) in enumerate(came):
            self.stream.feed(got)
            self.looked_at = moment
            if holds is not None and holds(self.rows):
                self.came = came[at + 1 :] + self.came
                return moment
        return None

    def until(self, holds: Callable[[list[str]], bool], since: float | None = None, within_s: float = 60.0) -> float:
        """The moment the screen showed it; LookupError with the screen when it did not. `since`: it may have done so
        already, but not before."""
        if since is not None and self.looked_at >= since and holds(self.rows):
            return self.looked_at
        end, looked = time.perf_counter() + within_s, time.perf_counter()
        while time.perf_counter() < end:
            quiet = not self.read(PAUSE_S)
            if (quiet or time.perf_counter() - looked > LOOK_S) and self.came:
                if (moment := self.look(holds)) is not None:
                    return moment
                looked = time.perf_counter()
        raise LookupError("waited in vain; the screen shows:\n" + "\n".join(self.rows))

    def settle(self) -> None:
        """Read until nothing more comes, and look."""
        while self.read(PAUSE_S):
            pass
        self.look()

    def key(self, keys: str) -> float:
        """Milliseconds from a key until the first bytes of its frame, nothing else being under way."""
        self.settle()
        began = self.press(keys)
        assert self.read(5), f"nothing answered {keys!r}"
        return 1000 * (self.came[-1][0] - began)

    @property
    def cpu_s(self) -> float:
        used = self.process.cpu_times()
        return float(used.user + used.system)

    @property
    def mb(self) -> float:
        return memory_mb(self.child.pid, "VmRSS")
