"""From the worker to the sink: batches wait here until they are written; what was spilled is read back."""

from __future__ import annotations

import contextlib
from collections import deque
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING

from collector.errors import StoreError
from collector.model import Batch
from collector.sdk.sinks import Sink, open_sink
from collector.spilled import claim

if TYPE_CHECKING:
    from collector.sdk.queue import Queue
    from collector.settings import Settings
    from collector.spilled import Sift

CHORES_S = 0.25
SETTLE_S = 1.2
"""How long after the last write chores go on: the file is checkpointed after a second of quiet."""
RETRY_S = 0.5
STUCK_S = 0.3
"""A write that takes longer waits for somebody: ours hold the file for 50 ms at most."""


class Outbox:
    """Belongs to the worker's thread, but for `batches` and `abandon`. `sift` is for what was spilled unsampled."""

    def __init__(self, queue: Queue, sift: Sift) -> None:
        self.queue = queue
        self.sift = sift
        self.settings: Settings | None = None
        self.sink: Sink | None = None
        self.waiting: deque[tuple[Batch, int]] = deque()
        self.wrote_at = self.chores_at = self.failed_at = -1e9
        self.began_at: float | None = None
        self.settled = True
        self.spilled_seen = 0

    def put(self, batch: Batch, size: int) -> None:
        """`size` is what it weighs in the queue, until it is written."""
        self.waiting.append((batch, size))

    def batches(self) -> tuple[Batch, ...]:
        return tuple(batch for batch, _ in self.waiting.copy())

    def stuck(self) -> bool:
        """Whether the sink takes nothing just now. Any thread may ask."""
        now, began_at = monotonic(), self.began_at
        if began_at is not None:
            return now - began_at > STUCK_S
        return bool(self.waiting) and now - self.failed_at < 2 * RETRY_S

    def send(self, urgent: bool) -> bool:
        """Write the batches that wait. False when the sink would not take one; it is kept."""
        if monotonic() - self.failed_at < RETRY_S and not urgent:
            return False
        while self.waiting:
            batch, size = self.waiting[0]
            lost = self.queue.news_of_lost()
            self.began_at = monotonic()
            try:
                self.opened().write(replace(batch, refused=(*batch.refused, *lost)))
            except (StoreError, OSError) as e:  # may work later
                self.failed_at = monotonic()
                self.queue.count("write", e)
                return False
            except Exception as e:  # never will: find the span it is about
                self.waiting.popleft()
                self.waiting.extendleft(reversed(self.halves(batch, size, e)))
                continue
            finally:
                self.began_at = None
            self.waiting.popleft()
            self.queue.losses.told(lost)
            self.queue.bytes -= size
            self.wrote_at, self.settled = monotonic(), False
        return True

    def halves(self, batch: Batch, size: int, error: Exception) -> list[tuple[Batch, int]]:
        """A refused batch in two; a refused span alone is dropped and counted."""
        middle = len(batch.parts) // 2
        if not middle:
            self.queue.count("dropped", error)
            if batch.parts and (batch.scores or batch.processes or batch.sampled_out):
                return [(replace(batch, parts=()), size)]
            self.queue.bytes -= size
            return []
        first = replace(batch, parts=batch.parts[:middle])
        rest = replace(batch, parts=batch.parts[middle:], sampled_out=())  # counts do not merge
        return [(first, size), (rest, 0)]

    def write_last(self, batch: Batch) -> None:
        """Write a batch at the end. What must not be lost of it is kept where it cannot be written; raises then."""
        lost = self.queue.news_of_lost()
        try:
            self.opened().write(replace(batch, refused=(*batch.refused, *lost)))
            self.queue.losses.told(lost)
        except Exception:
            if batch.sampled_out:  # to be spilled
                self.put(batch, 0)
            raise

    def opened(self) -> Sink:
        if self.sink is None:
            assert self.settings is not None
            self.sink = self.queue.sink() if self.queue.sink else open_sink(self.settings)
            self.read_back()
        return self.sink

    def read_back(self) -> None:
        """Write what was spilled, by us or by a process that is gone."""
        assert self.settings is not None
        assert self.sink is not None
        self.spilled_seen = self.queue.failures.get("spilled", 0)
        try:
            lock = self.queue.spill_lock
            for batch in claim(self.settings.db, sift=self.sift, refused=self.unreadable, appending=lock):
                self.sink.write(batch)
        except Exception as e:  # what was not written stays in the claimed file, for the next claim
            self.queue.count("spill", e)

    def unreadable(self, reason: str) -> None:
        self.queue.count("spill", reason)

    def read_back_ours(self) -> None:
        if self.spilled_seen < self.queue.failures.get("spilled", 0) and not self.waiting and self.sink is not None:
            self.read_back()

    def chores(self, urgent: bool) -> None:
        now = monotonic()
        if self.sink is None or self.settled or (now - self.chores_at < CHORES_S and not urgent):
            return
        self.chores_at = now
        self.settled = now - self.wrote_at > SETTLE_S
        self.read_back_ours()
        try:
            self.sink.chores()
        except Exception as e:
            self.queue.count("chores", e)

    def release(self) -> None:
        """Let go of the file for a fork. Never raises."""
        sink, self.sink = self.sink, None
        try:
            if sink is not None:
                sink.release()
        except Exception as e:
            self.queue.count("close", e)

    def abandon(self) -> None:
        """In the child of a fork: never free the parent's connection; closing it there would meddle with its file."""
        if self.sink is None:
            return
        import ctypes

        with contextlib.suppress(AttributeError):  # not CPython
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self.sink))
        self.sink = None

    def close(self) -> None:
        if self.sink is not None:
            self.sink.close()
