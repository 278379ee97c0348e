"""A sink that keeps what it is given, and a queue that writes into it."""

from __future__ import annotations

import threading
from typing import Any

from collector.model import Batch, Process, Rank, Receipt, SpanPart
from collector.sdk.api import Function
from collector.sdk.live import Plan, Span
from collector.sdk.observe import decorate
from collector.sdk.queue import Queue


class MemorySink:
    """`fail_with` is raised by the next writes while it is set; `hold` makes them wait; `entered`: one came."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.fail_with: Exception | None = None
        self.hold = threading.Event()
        self.hold.set()
        self.entered = threading.Event()
        self.wrote = threading.Condition()

    def write(self, batch: Batch) -> Receipt:
        self.entered.set()
        self.hold.wait(10)
        if self.fail_with is not None:
            raise self.fail_with
        with self.wrote:
            self.batches.append(batch)
            self.wrote.notify_all()
        return Receipt(received=len(batch.parts), stored=len(batch.parts))

    def chores(self) -> None: ...

    def release(self) -> None: ...

    def close(self) -> None: ...

    @property
    def parts(self) -> list[SpanPart]:
        return [part for batch in self.batches for part in batch.parts]

    @property
    def processes(self) -> list[Process]:
        return [process for batch in self.batches for process in batch.processes]

    def until(self, found: Any, seconds: float = 5.0) -> None:
        """Wait until `found(self)` holds."""
        with self.wrote:
            assert self.wrote.wait_for(lambda: found(self), seconds), self.batches


class Bench:
    """A tracer of the test's own: `observe` and `span` as in the public door, and what was written."""

    def __init__(self, **settings: Any) -> None:
        self.sink = MemorySink()
        self.queue = Queue(sink=lambda: self.sink, **settings)

    def observe(self, kind: str = "span", name: str | None = None, **options: Any) -> Any:
        def wrap(function: Function) -> Any:
            return decorate(self.queue, function, kind, name, **options)

        return wrap

    def span(self, name: str, kind: str = "span", **options: Any) -> Span:
        return self.queue.open(Plan(self.queue, name, kind, **options))

    def finished(self) -> dict[str, SpanPart]:
        """The finished spans by name, once all is written."""
        assert self.queue.flush()
        return {part.name or "": part for part in self.sink.parts if part.rank is Rank.FINISHED}
