"""Where spans go when the queue is full or the file will not take them: a file beside the database.

Native JSON lines, one file a process. Any later writer claims it by renaming it, and reads it back.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from collector.model import Batch, Rank, Score

if TYPE_CHECKING:
    from collector.redact import Policy
    from collector.sdk.live import Span
    from collector.sdk.queue import Queue
    from collector.settings import Settings

BATCH_LINES = 500
PIECE = 200
"""So many spans are spilled at a time at an exit: what is lost on a full disk, and 20 ms."""
FIRST_SPILL_S, SPILL_S = 0.25, 0.0003
"""What spilling may take: the first time (it reads the user's key), and a span."""
UNSAMPLED = "unsampled-"
Item = TypeVar("Item")


class Sift(Protocol):
    """What of a batch sampling keeps; `ending` when nothing more will come."""

    def __call__(self, batch: Batch, *, ending: bool = False) -> Batch: ...


def spill_path(db: Path, *, unsampled: bool = False) -> Path:
    """`unsampled` is what whoever reads it back has still to judge, because here was no time for it."""
    return db.with_name(f"{db.name}.spill-{UNSAMPLED if unsampled else ''}{os.getpid()}")


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

    worker = queue.worker
    if worker is not None and worker.resolved is not None:
        maker = worker.maker
    else:
        from collector.settings import resolve

        maker = Maker(resolve(strict=False, **queue.arguments).settings, Clock(queue.now), "")
    ours = [span for span in spans if not queue.of_ancestor(span)]
    return Batch("sdk", tuple(maker.part(span, Rank.FINISHED) for span in ours), tuple(scores))


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
    if not (batch.parts or batch.scores or batch.processes or batch.sampled_out):
        return
    from collector.protocols import native
    from collector.sampling import Sampler
    from collector.settings import resolve

    worker = queue.worker
    resolved = worker.resolved if worker is not None else None
    settings = (resolved or resolve(strict=False, **queue.arguments)).settings
    with queue.spill_lock:
        lines = native.encode_batch(_policy(queue, settings).batch(batch))
        path = spill_path(settings.db, unsampled=not sampled and Sampler.active(settings))
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        before = os.fstat(fd).st_size
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


def claim(db: Path, queue: Queue, sift: Callable[[Batch], Batch] | None = None) -> Iterator[Batch]:
    """Take over the spill files beside the database, and yield what they hold; through `sift` what was not sampled.

    From the end, so that what the caller has written, which it says by asking for more, can be cut off: a long file
    is read back by several short programs. One whose claimer died is claimed again. A line that was cut short by a
    crash is counted and passed over.
    """
    from collector.protocols import native

    for path in sorted(db.parent.glob(f"{db.name}.spill-*")):
        if _in_use(path):
            continue
        # a name that no earlier claim had: one that failed half-way left its file, and rename() overwrites
        unsampled = UNSAMPLED if UNSAMPLED in path.name.removeprefix(db.name) else ""
        mine = db.with_name(f"{db.name}.spill-claimed-{unsampled}{time.time_ns()}-{os.getpid()}")
        try:
            with queue.spill_lock:  # no thread of ours is appending
                path.rename(mine)
            lines = mine.read_bytes().splitlines(keepends=True)
        except OSError:
            continue  # another writer was faster
        for at in reversed(range(0, len(lines), BATCH_LINES)):
            batch = native.decode(lines[at:])
            for refusal in batch.refused:
                queue.count("spill", refusal.reason)
            batch = replace(batch, source="sdk")
            yield sift(batch) if unsampled and sift is not None else batch
            del lines[at:]
            os.truncate(mine, sum(map(len, lines)))
        mine.unlink(missing_ok=True)


def _in_use(path: Path) -> bool:
    """Whether another process that spills here, or reads it back, still lives."""
    pid = path.name.rpartition("-")[2]
    if not pid.isdigit() or int(pid) == os.getpid():
        return False
    import psutil

    return psutil.pid_exists(int(pid))
