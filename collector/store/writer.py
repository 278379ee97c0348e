"""The writer: parts in, rows out, everything a batch changes in one transaction.

    prepare (no lock)   fold the batch's own parts, read, price, encode content
    under the lock file read what the file has of these spans, fold again where it has any,
                        count, sum by difference, stage
    one step            the trigger of `staging.py` writes it all

A batch is cut so that its transaction stays short. What `write` returns is committed.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from collector.errors import StoreBusy, StoreError
from collector.library import Item
from collector.model import Process, Refusal, Score, SpanPart
from collector.store import compact, fulltext, shelving, signals, staging
from collector.store.batch import Batch, File, Ledger, LedgerEntry, Outcome
from collector.store.build import Pricer
from collector.store.files import failure, forget_wal, identity, lock_path, open_for_writing, wal_path
from collector.store.lock import FileLock
from collector.store.sound import sound
from collector.store.stored import Stored

SPANS_A_TRANSACTION = 400
BYTES_A_TRANSACTION = 2_000_000
TRIES = 20

_Tail = tuple[Sequence[Score], Sequence[Process], Ledger | None]
_NO_TAIL: _Tail = ((), (), None)
UNWRITABLE = (
    TypeError, ValueError, OverflowError, RecursionError,
    sqlite3.InterfaceError, sqlite3.ProgrammingError, sqlite3.DataError,
)  # fmt: skip
"""What one bad value raises, as opposed to a file that cannot be written."""


class Writer:
    """One connection that writes. Not thread-safe: `collector.ingest` has the lock.

    `dimensions` are the metadata keys that rollups carry. Raises StoreError when the file cannot be used.
    """

    def __init__(
        self, path: Path, prices: Pricer, *, dimensions: Sequence[str] = (), durable: bool = False,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:  # fmt: skip
        self.path = path
        self._prices = prices
        self._dimensions = tuple(dimensions)
        self._clock = clock
        self._durable = durable
        self._lock = FileLock(lock_path(path))
        self._open()

    def _open(self) -> None:
        self._connection = open_for_writing(self.path, durable=self._durable)
        staging.install(self._connection)
        fulltext.install(self._connection)
        self._file = File(self._connection, self._prices, self._dimensions, Stored(self._connection))
        self._identity = identity(self.path)
        self._wal = identity(wal_path(self.path))

    def _follow(self) -> None:
        """Open the file anew when it was deleted or replaced: what is written to an unlinked file is lost."""
        if identity(self.path) != self._identity:
            gone = self._connection
            if self.path.exists():
                self._locked(lambda: forget_wal(self.path, self._wal))
            self._open()
            gone.close()

    def write(
        self,
        parts: Iterable[SpanPart] = (),
        scores: Sequence[Score] = (),
        processes: Sequence[Process] = (),
        ledger: Ledger | None = None,
    ) -> Outcome:
        """Write everything and return once it is committed. `ledger` is asked, with the outcome, for the
        entries of the last transaction. StoreBusy when the file stays locked; then the rest is not written."""
        total = Outcome()
        pieces = list(_pieces(parts)) or [[]]
        for piece in pieces[:-1]:
            self._write(piece, total, _NO_TAIL)
        self._write(pieces[-1], total, (scores, processes, ledger))
        return total

    def _write(self, parts: Sequence[SpanPart], total: Outcome, tail: _Tail) -> None:
        """Write one piece. A part that cannot be stored costs itself only: it is found by halving."""
        try:
            self._transact(parts, total, tail)
        except UNWRITABLE as error:
            if self._mend(parts, total, tail):
                return
            if len(parts) > 1:
                half = len(parts) // 2
                self._write(parts[:half], total, _NO_TAIL)
                self._write(parts[half:], total, tail)
            elif parts:
                part = parts[0]
                sample = f"span {part.span_id} of trace {part.trace_id}, {part.name!r}: {error}"
                name = (part.trace_id, part.span_id)
                total.refused.append(Refusal(f"cannot be stored ({type(error).__name__})", sample, spans=(name,)))
                self._transact((), total, tail)
            else:
                raise StoreError(f"cannot write {self.path}: {error}") from error

    def _mend(self, parts: Sequence[SpanPart], total: Outcome, tail: _Tail) -> bool:
        """Write with half surrogates replaced. False when that was not what was wrong."""
        try:
            (good, bad), (scores, n), (processes, m) = sound(parts), sound(tail[0]), sound(tail[1])
        except RecursionError:
            return False
        if not bad + n + m:
            return False
        total.mended += bad
        total.mended_spans += [(p.trace_id, p.span_id) for p, new in zip(parts, good, strict=True) if new is not p]
        self._write(good, total, (scores, processes, tail[2]))
        return True

    def _transact(self, parts: Sequence[SpanPart], total: Outcome, tail: _Tail) -> None:
        self._follow()
        scores, processes, ledger = tail
        batch = Batch(self._file, parts, scores, processes, self._clock())
        batch.prepare()
        self._locked(lambda: batch.commit(total, ledger))

    def _locked(self, act: Callable[[], None]) -> None:
        """Do something under the lock file; again when a program that knows nothing of it got in between."""
        for _ in range(TRIES):
            try:
                with self._lock:
                    self._act(act)
                return
            except UNWRITABLE:
                raise
            except sqlite3.Error as error:
                if staging.STALE in str(error):
                    continue
                raise failure(self.path, error) from error
            except OSError as error:
                raise StoreError(f"cannot write {self.path}: {error.strerror or error}") from error
        raise StoreBusy(f"{self.path} is being written by another program all the time")

    def _act(self, act: Callable[[], None]) -> None:
        try:
            act()
        except BaseException:
            staging.clear(self._connection)  # or the next batch would write what this one staged
            raise

    def keep(self, items: Sequence[Item]) -> None:
        """Write prompts, datasets, experiments, media: all of them or, when this raises, none."""
        try:
            program = shelving.statements(items, self._clock())
            self._follow()
            self._locked(lambda: shelving.write(self._connection, program))
        except UNWRITABLE as error:
            raise StoreError(f"cannot write to {self.path}: {error}") from error

    def keep_signals(self, looked: signals.Looked) -> None:
        """Write what was found in traces that were looked at."""
        self._follow()
        self._locked(lambda: signals.keep(self._connection, looked))

    def rewind_signals(self, *, always: bool = True) -> None:
        """Every trace is to be looked at anew (see `signals.rewind`)."""
        self._follow()
        self._locked(lambda: signals.rewind(self._connection, always=always))

    def index(self, budget_bytes: int = fulltext.INDEX_BYTES) -> bool:
        """Take waiting texts into full-text search, about `budget_bytes` of them. True while there is more."""
        try:
            waiting = fulltext.prepare(self._connection, budget_bytes)
        except sqlite3.Error as error:
            raise failure(self.path, error) from error
        if waiting is None:
            return False
        self._locked(lambda: fulltext.commit(self._connection, waiting))
        return waiting.more

    def checkpoint(self, mode: str = "passive") -> None:
        """Move the WAL into the file: "passive" never waits, "truncate" leaves an empty WAL if no reader is in it."""
        self._locked(lambda: self._checkpoint(mode))

    def _checkpoint(self, mode: str) -> None:
        self._connection.execute(f"pragma wal_checkpoint({mode})").fetchall()

    def compact(self, limit_s: float) -> None:
        """Make the file smaller, in short transactions, for about so long. StoreBusy and StoreError as for `write`."""
        if identity(self.path) != self._identity:
            return
        steps, more = compact.steps(self._connection), True

        def step() -> None:
            nonlocal more
            more = next(steps, self) is None

        until = time.monotonic() + limit_s
        while more and time.monotonic() < until:
            self._locked(step)

    def wal_bytes(self) -> int:
        try:
            return wal_path(self.path).stat().st_size
        except OSError:
            return 0

    def close(self) -> None:
        """Checkpoint and close. After the last writer's close, the file alone is everything."""
        try:
            if identity(self.path) == self._identity:
                with self._lock:
                    self._checkpoint("truncate")
                    self._connection.close()
        except (sqlite3.Error, StoreBusy, OSError):
            pass  # what was acknowledged is in the -wal; the next writer takes it into the file
        finally:
            self._connection.close()
            self._lock.close()


def _pieces(parts: Iterable[SpanPart]) -> Iterable[list[SpanPart]]:
    """Cut parts into transactions; all parts of one span within a write stay in order of arrival."""
    piece: list[SpanPart] = []
    size = 0
    for part in parts:
        piece.append(part)
        size += 200 + sum(len(v) for v in part.attributes.values() if isinstance(v, str))
        if len(piece) >= SPANS_A_TRANSACTION or size >= BYTES_A_TRANSACTION:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece


__all__ = ["LedgerEntry", "Outcome", "Writer"]
