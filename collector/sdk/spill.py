"""Where spans go when the queue is full or the file will not take them: a file beside the database.

Native JSON lines, one file a process, which any later writer reads back (`collector.spilled`).
"""

from __future__ import annotations

import gc
import os
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from collector.model import Batch, Rank, Score
from collector.sdk.forks import of_ancestor
from collector.spilled import Sift, rules_line, spill_path

if TYPE_CHECKING:
    from collector.redact import Policy
    from collector.sdk.live import Span
    from collector.sdk.queue import Queue
    from collector.settings import Settings

PIECE = 200
"""So many spans are spilled at a time at an exit: what is lost on a full disk, and 20 ms."""
FIRST_SPILL_S, SPILL_S = 0.25, 0.0003
"""What spilling may take: the first time (it reads the user's key), and a span."""
MOST_SPILLING = 0.9
"""Of an exit's time: the file takes a few thousand spans a second, the spill file four times as many."""
Item = TypeVar("Item")


def take(queued: deque[Item], most: int | None = None, most_bytes: int | None = None) -> list[Item]:
    """Take from a deque that other threads add to, and may take from as well; no more than there is at the beginning.

    `most_bytes` counts the `size` of spans.
    """
    taken: list[Item] = []
    size = 0
    with suppress(IndexError):
        for _ in range(len(queued) if most is None else min(most, len(queued))):
            taken.append(item := queued.popleft())
            if most_bytes is not None and (size := size + getattr(item, "size", 0)) >= most_bytes:
                break
    return taken


def batch_of(queue: Queue, spans: Iterable[Span], scores: Iterable[Score] = ()) -> Batch:
    """Finished spans as a batch, made on whatever thread has them."""
    from collector.sdk.parts import Clock, Maker

    maker = queue.worker.maker if queue.worker is not None else None
    if maker is None:  # it has not read its settings yet
        from collector.settings import resolve

        maker = Maker(resolve(strict=False, **queue.arguments).settings, Clock(queue.now), "")
    ours = [span for span in spans if not of_ancestor(queue, span)]
    return Batch("sdk", tuple(maker.part(span, Rank.FINISHED) for span in ours), tuple(scores))


@contextmanager
def _no_garbage() -> Iterator[None]:
    """Do not look for garbage meanwhile: with a full queue that took a third of an exit's time."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


@_no_garbage()
def rescue(queue: Queue, batches: Iterable[Batch], deadline: float, sift: Sift | None = None) -> None:
    """Spill batches and what is queued, piece by piece, until `deadline` (monotonic): what is left then is lost.

    A first piece is tried in any case. `sift` says what of the queued is to be kept. Never raises.
    """
    late: Exception | None = None
    for piece, sampled in _pieces(queue, batches, sift):
        size = len(piece.parts) + len(piece.scores)
        if late is not None and size:
            queue.lose(size, late)
            continue
        try:
            spill_batch(queue, piece, sampled=sampled)
        except Exception as e:
            queue.lose(size, e)
        if time.monotonic() > deadline and late is None:
            late = TimeoutError("the exit could not wait for more")
            queue.lose(len(queue.ends), late)
            queue.ends.clear()
    lost = queue.news_of_lost()
    with suppress(OSError):  # a full disk: there is nowhere to say it but the log
        spill_batch(queue, Batch("sdk", refused=lost))
        queue.losses.told(lost)


def _pieces(queue: Queue, batches: Iterable[Batch], sift: Sift | None) -> Iterator[tuple[Batch, bool]]:
    """Each with whether it has gone through sampling."""
    for batch in batches:
        yield replace(batch, parts=batch.parts[:PIECE]), True
        for at in range(PIECE, len(batch.parts), PIECE):
            yield Batch("sdk", batch.parts[at : at + PIECE]), True
    scores = take(queue.scores)
    if scores:
        yield Batch("sdk", (), tuple(scores)), True
    while spans := take(queue.ends, PIECE):
        batch = batch_of(queue, spans)
        yield (batch, False) if sift is None else (sift(batch), True)
    if sift is not None:
        yield sift(Batch("sdk"), ending=True), True


def spill_batch(queue: Queue, batch: Batch, *, sampled: bool = False) -> None:
    """Append a batch, redacted like everything that reaches a disk. Raises OSError when the disk is full."""
    if not (batch.parts or batch.scores or batch.processes or batch.refused or batch.sampled_out):
        return
    from collector.protocols import native
    from collector.sampling import Sampler
    from collector.settings import resolve

    worker = queue.worker
    resolved = worker.resolved if worker is not None else None
    settings = (resolved or resolve(strict=False, **queue.arguments)).settings
    with queue.spill_lock:
        lines = native.encode_batch(_policy(queue, settings).batch(batch))
        unsampled = not sampled and Sampler.active(settings)
        fd = os.open(spill_path(settings.db, unsampled=unsampled), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        before = os.fstat(fd).st_size
        if unsampled and not before:
            lines = rules_line(settings) + lines
        try:
            while lines:
                lines = lines[os.write(fd, lines) :]
        except OSError:
            os.ftruncate(fd, before)  # half a line would spoil the next one
            raise
        finally:
            os.close(fd)


def _policy(queue: Queue, settings: Settings) -> Policy:
    """One for all that the queue spills: a new one would read the user's key again, for longer than the rest takes."""
    from collector.redact import Policy

    if queue.policy is None or queue.policy[0] != settings:
        queue.policy = (settings, Policy(settings))
    return queue.policy[1]
