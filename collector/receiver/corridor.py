"""From bodies to commits: decode in one pool, queue, and one thread that writes all that queued with one commit.

Natural group commit: a lone request is committed at once; while one commit runs, the next requests queue up and
share the next one. There is no interval to wait for. Nobody is answered before his spans are committed.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Protocol

from collector.errors import StoreBusy
from collector.model import Batch, Receipt
from collector.receiver.room import Room

GROUP_SPANS = 4_000
CHORES_S = 0.25
REST_S = 5.0
BEHIND_S = 2.0
SPANS_A_CHORE = 150  # about as many as have the texts that one round of full text takes in
AWAKE_S = 3.0  # after the last write: long enough for the checkpoint that follows 1 s of quiet

log = logging.getLogger(__name__)


class Corridor(Protocol):
    """What the writer thread drives; `collector.ingest.Ingest` is one."""

    def write(self, batch: Batch) -> Receipt: ...

    def chores(self) -> bool: ...

    def close(self) -> None: ...


LeftBehind = Callable[[Callable[[Batch], object]], object]


@dataclass(slots=True)
class Job:
    """One body on its way: `size` is its inflated length. `alone` asks for a commit, and so a receipt, of its own."""

    batch: Batch
    size: int
    done: Future[Receipt]
    alone: bool = False


@dataclass(slots=True)
class Counts:
    """What became of everything since the start, for the status."""

    totals: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, receipt: Receipt, requests: int) -> None:
        with self.lock:
            self.totals["requests"] += requests
            for name in ("received", "stored", "duplicate", "clipped", "rejected", "sampled_out"):
                self.totals[name] += getattr(receipt, name)


class WriteQueue:
    """Accepts bodies from any thread; `accept` returns a future that is done when its spans are committed.

    `limit_bytes` bounds what is held at once, and as much again of what is decoded and waits for the writer: a small
    body may inflate a thousandfold. Futures fail with DecodeError, TooLarge, StoreBusy, StoreError.
    `left_behind` writes what programs had to leave beside the file; it is called at the start and when idle.
    """

    def __init__(self, ingest: Corridor, limit_bytes: int, left_behind: LeftBehind | None = None) -> None:
        self.counts = Counts()
        self.room = Room(limit_bytes)
        self._decoded = Room(limit_bytes)
        self._ingest = ingest
        self._left_behind = left_behind
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._decoders = ThreadPoolExecutor(2, "decode")
        self._writer = threading.Thread(target=self._run, name="write", daemon=True)
        self._writer.start()

    def accept(
        self, unpack: Callable[[], bytes], decode: Callable[[bytes], Batch], *, alone: bool = False
    ) -> Future[Receipt]:
        """Inflate, decode and write one body, for which its caller holds `room`.

        The receipt's `rejected` and `reasons` are this body's own.
        """
        done: Future[Receipt] = Future()
        done.set_running_or_notify_cancel()  # it is under way: who stops waiting must not cancel it under the writer
        try:
            self._decoders.submit(self._decode, unpack, decode, done, alone)
        except RuntimeError:  # shut down meanwhile
            done.set_exception(StoreBusy("the collector is shutting down"))
        return done

    def prepare(self, load: Callable[[], None]) -> None:
        """Run something in the pool that decodes, while nothing is there to decode."""
        self._decoders.submit(load)

    def close(self) -> None:
        """Write what has been accepted, then close the file."""
        self._decoders.shutdown(wait=True)
        self._jobs.put(None)
        self._writer.join()
        self._ingest.close()

    def _decode(
        self, unpack: Callable[[], bytes], decode: Callable[[bytes], Batch], done: Future[Receipt], alone: bool
    ) -> None:
        try:
            body = unpack()
            size = len(body)
            self._decoded.wait(size)  # the writer makes room, whatever else waits
            done.add_done_callback(lambda _: self._decoded.give(size))
            self._jobs.put(Job(decode(body), size, done, alone))
        except BaseException as e:  # noqa: BLE001  # the one who waits must hear of it
            done.set_exception(e)

    # --- the writer thread ---

    def _run(self) -> None:
        """Write, and keep house in between. A burst may leave full text behind; under a load that lasts, each group
        that is written has to wait until as much was taken in, or it would fall behind without end."""
        wait, wrote_at, chores_at = CHORES_S, time.monotonic(), time.monotonic()
        current_at = wrote_at  # when full text was last up to date
        looked_at = -REST_S
        while True:
            jobs, closing = self._take(wait)
            now = time.monotonic()
            rounds = int(not jobs or now - chores_at > CHORES_S)
            if jobs:
                self._write(jobs)
                wrote_at = now
                if now - current_at > BEHIND_S:
                    rounds = 1 + sum(len(job.batch.parts) for job in jobs) // SPANS_A_CHORE
                jobs.clear()  # or these would be held until the next ones are here
            if closing:
                return
            if not jobs and now - looked_at >= REST_S:
                self._look()
                looked_at = now
            more = False
            for _ in range(rounds):
                more = self._chores()
                chores_at = time.monotonic()
                if not more:
                    current_at = chores_at
                    break
            wait = 0 if more else CHORES_S if now - wrote_at < AWAKE_S else REST_S

    def _take(self, wait: float) -> tuple[list[Job], bool]:
        """All that waits, up to a group; and whether it is time to end."""
        jobs: list[Job] = []
        try:
            job = self._jobs.get(timeout=wait) if wait else self._jobs.get_nowait()
            spans = 0
            while job is not None:
                jobs.append(job)
                spans += len(job.batch.parts)
                if spans >= GROUP_SPANS:
                    return jobs, False
                job = self._jobs.get_nowait()
        except queue.Empty:
            return jobs, False
        return jobs, True

    def _write(self, jobs: list[Job]) -> None:
        groups: dict[str, list[Job]] = {}
        for job in jobs:
            if job.alone:
                self._write_group([job])
            else:
                groups.setdefault(job.batch.source, []).append(job)
        for group in groups.values():
            self._write_group(group)

    def _write_group(self, group: list[Job]) -> None:
        try:
            receipt = self._ingest.write(_merged(group))
        except StoreBusy as e:
            for job in group:
                job.done.set_exception(e)
        except Exception as e:  # noqa: BLE001  # whatever it is, the thread must live and the waiters must hear
            if len(group) > 1:  # one body must not take its neighbours with it
                for job in group:
                    self._write_group([job])
                return
            log.warning("a body of %d spans could not be written: %r", len(group[0].batch.parts), e)
            group[0].done.set_exception(e)
        else:
            self.counts.add(receipt, len(group))
            for job in group:
                job.done.set_result(receipt if len(group) == 1 else _share(job.batch, receipt))

    def _look(self) -> None:
        if self._left_behind is None:
            return
        try:
            self._left_behind(self._write_found)
        except Exception as e:  # noqa: BLE001  # it stays where it is, for the next look
            log.warning("what was left beside the file could not be read back: %r", e)

    def _write_found(self, batch: Batch) -> None:
        self.counts.add(self._ingest.write(batch), 0)

    def _chores(self) -> bool:
        try:
            return self._ingest.chores()
        except Exception as e:  # noqa: BLE001  # busy or broken: the next write will tell those who wait
            log.warning("housekeeping failed: %r", e)
            return False


def _merged(group: list[Job]) -> Batch:
    if len(group) == 1:
        return group[0].batch
    return replace(
        group[0].batch,
        parts=tuple([part for job in group for part in job.batch.parts]),
        scores=tuple([score for job in group for score in job.batch.scores]),
        processes=tuple([process for job in group for process in job.batch.processes]),
        refused=tuple([refusal for job in group for refusal in job.batch.refused]),
        sampled_out=tuple([one for job in group for one in job.batch.sampled_out]),
        library=tuple([item for job in group for item in job.batch.library]),
    )


def _share(batch: Batch, receipt: Receipt) -> Receipt:
    """A body's own part of a group's receipt. How many of its spans were duplicates only the ledger knows."""
    refused, cut = list(batch.refused), receipt.cut
    before = sum(refusal.count for refusal in refused)
    if cut or len(receipt.refused) > len(refused):
        mine = {(part.trace_id, part.span_id) for part in batch.parts}
        cut = tuple(name for name in cut if name in mine)
        refused += [one for one in receipt.refused if one.count == 1 and one not in refused and {*one.spans} & mine]
    rejected = sum(refusal.count for refusal in refused)
    reasons = tuple(dict.fromkeys(refusal.reason for refusal in refused))
    stored = len(batch.parts) - (rejected - before)
    return Receipt(before + len(batch.parts), stored, 0, len(cut), rejected, reasons, tuple(refused), cut)
