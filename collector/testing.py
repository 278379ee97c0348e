"""For tests of programs that are traced: what they recorded, read back; with clocks and ids that stand still.

from collector import testing

with testing.recording() as recorded:
    answer("Where is my order?")
(trace,) = recorded.traces()
assert trace.name == "answer"
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from time import perf_counter_ns
from typing import Any

from collector.reading import Trace, Traces
from collector.reading import open as open_file
from collector.sdk.api import QUEUE, configure
from collector.sdk.inherit import hand_on
from collector.store.rows import SpanDetail, TraceRow

MEMORY = Path("/dev/shm")  # noqa: S108  # where Linux keeps files in memory


class FakeClock:
    """A clock that moves when it is told to. Starts on 2026-01-01 unless told otherwise (Unix nanoseconds)."""

    def __init__(self, start_ns: int = 1_767_225_600_000_000_000) -> None:
        self.ns = start_ns

    def __call__(self) -> int:
        return self.ns

    def advance(self, seconds: float) -> None:
        self.ns += round(seconds * 1e9)


class Recorded:
    """What was recorded so far; every question flushes first."""

    def __init__(self, path: Path, stack: ExitStack) -> None:
        self.path = path
        self._stack = stack
        self._file: Traces | None = None

    @property
    def file(self) -> Traces:
        """The file, as `collector.open` gives it."""
        QUEUE.flush()
        if self._file is None:
            self._file = self._stack.enter_context(open_file(self.path))
        return self._file

    def traces(self, where: str = "") -> list[TraceRow]:
        """Traces that match a filter, oldest first; [] while nothing was recorded."""
        QUEUE.flush()
        return list(self.file.traces(where))[::-1] if self.path.exists() else []

    def trace(self, trace_id: str | None = None) -> Trace:
        """The trace with this id; without one, the only trace there is (ValueError when there are more, or none)."""
        if trace_id is None:
            found = self.traces()
            if len(found) != 1:
                raise ValueError(f"{len(found)} traces were recorded: {', '.join(row.name or '?' for row in found)}")
            trace_id = found[0].trace_id
        return self.file.trace(trace_id)

    def span(self, name: str) -> SpanDetail:
        """The one span of this name, with everything it holds. ValueError when there is none, or more."""
        found = [row for row in self.file.spans() if row.name == name] if self.traces() else []
        if len(found) != 1:
            raise ValueError(f"{len(found)} spans named {name!r} were recorded")
        return self.file.trace(found[0].trace_id).span(found[0].span_id)


@contextmanager
def recording(
    *, clock: FakeClock | None = None, seed: int | None = None, raise_errors: bool = True, **settings: Any
) -> Iterator[Recorded]:
    """Within the block this process traces into a file of the test's own, in memory where the system has such a
    place, gone afterwards.

    `clock` stands in for time, `seed` makes ids the same in every run, `raise_errors` lets trouble within tracing
    fail the test. Further keywords are those of `configure`. What was configured before holds again afterwards.
    """
    before, raised = QUEUE.arguments, QUEUE.raise_errors
    folder = Path(tempfile.mkdtemp(prefix="tracetui-test-", dir=MEMORY if MEMORY.is_dir() else None))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        configure(**{"db": folder / "traces.db", "raise_errors": raise_errors, **settings})
        stack.callback(_back_to, before, raised)
        if seed is not None:
            QUEUE.bits = Random(seed).getrandbits  # noqa: S311  # ids, not secrets
        QUEUE.now = clock or perf_counter_ns
        QUEUE.settle()
        yield Recorded(QUEUE.arguments["db"], stack)


def _back_to(arguments: dict[str, Any], raise_errors: bool) -> None:
    QUEUE.close()
    QUEUE.bits = QUEUE.random.getrandbits
    QUEUE.now = perf_counter_ns
    QUEUE.arguments, QUEUE.raise_errors = arguments, raise_errors
    hand_on(arguments, Path(arguments.get("db", "")).absolute())
    QUEUE.settle()
