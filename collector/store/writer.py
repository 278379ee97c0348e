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
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from collector.errors import StoreBusy, StoreError
from collector.model import Process, Refusal, Score, SpanPart
from collector.store import staging
from collector.store.build import Built, Pricer, build
from collector.store.content import Encoder, dumps
from collector.store.files import failure, identity, lock_path, open_for_writing
from collector.store.fulltext import drain
from collector.store.lock import FileLock
from collector.store.merge import fold
from collector.store.relations import Relations, SpanKey
from collector.store.sound import sound
from collector.store.state import BODY_COLUMNS, SpanState, row_of
from collector.store.stored import Stored
from collector.store.totals import Groups, Previews, Rollups, TraceTotals

SPANS_A_TRANSACTION = 400
BYTES_A_TRANSACTION = 2_000_000
KNOWN_HASHES = 200_000
TRIES = 20


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """What became of `n` things: outcome is received, stored, duplicate, clipped or rejected."""

    source: str
    outcome: str
    n: int
    convention: str = ""
    reason: str = ""
    sample: str | None = None


@dataclass(slots=True)
class Outcome:
    """What became of the parts of a write: how many changed the file, how many said nothing new, and how many
    of the stored were read by which convention. `mended` were stored with text that no UTF-8 can hold replaced;
    `refused` cannot be stored at all."""

    stored: int = 0
    duplicate: int = 0
    conventions: dict[str, int] = field(default_factory=dict)
    mended: int = 0
    refused: list[Refusal] = field(default_factory=list)


Ledger = Callable[[Outcome], list[LedgerEntry]]
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
        self._stored = Stored(self._connection)
        self._known: dict[str, None] = {}
        self._identity = identity(self.path)

    def _follow(self) -> None:
        """Open the file anew when it was deleted or replaced: what is written to an unlinked file is lost."""
        if identity(self.path) != self._identity:
            gone = self._connection
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
                total.refused.append(Refusal(f"cannot be stored ({type(error).__name__})", sample))
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
        self._write(good, total, (scores, processes, tail[2]))
        return True

    def _transact(self, parts: Sequence[SpanPart], total: Outcome, tail: _Tail) -> None:
        self._follow()
        scores, processes, ledger = tail
        batch = _Batch(self, parts, scores, processes)
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

    def index(self, budget_bytes: int = 1_000_000) -> bool:
        """Take waiting texts into full-text search, about `budget_bytes` of them. True while there is more."""
        more = False

        def act() -> None:
            nonlocal more
            more = drain(self._connection, budget_bytes)

        self._locked(act)
        return more

    def checkpoint(self, mode: str = "passive") -> None:
        """Move the WAL into the file: "passive" never waits, "truncate" leaves an empty WAL if no reader is in it."""
        self._locked(lambda: self._checkpoint(mode))

    def _checkpoint(self, mode: str) -> None:
        self._connection.execute(f"pragma wal_checkpoint({mode})").fetchall()

    def wal_bytes(self) -> int:
        try:
            return self.path.with_name(self.path.name + "-wal").stat().st_size
        except OSError:
            return 0

    def remember(self, hashes: Iterable[str]) -> None:
        """These hashes are committed: no need to write them again."""
        self._known.update(dict.fromkeys(hashes))
        while len(self._known) > KNOWN_HASHES:
            for name in list(self._known)[: KNOWN_HASHES // 4]:
                del self._known[name]

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


class _Batch:
    """One transaction in the making."""

    def __init__(
        self, writer: Writer, parts: Sequence[SpanPart], scores: Sequence[Score], processes: Sequence[Process]
    ) -> None:
        self.w = writer
        self.scores = scores
        self.processes = processes
        self.count = len(parts)
        self.parts: dict[SpanKey, list[SpanPart]] = {}
        for part in parts:
            self.parts.setdefault((part.trace_id, part.span_id), []).append(part)
        self.seen_ns = writer._clock()
        self.encoder = Encoder(writer._known)
        self.built: dict[SpanKey, Built] = {}

    def prepare(self) -> None:
        """All that needs no look at the file: most spans are new to it."""
        for key, parts in self.parts.items():
            self.built[key] = self._build(parts)

    def _build(self, parts: Sequence[SpanPart]) -> Built:
        span, contributors = (parts[0], parts) if len(parts) == 1 else fold(parts)
        return build(span, contributors, self.encoder, self.w._prices, self.seen_ns)

    def commit(self, total: Outcome, ledger: Ledger | None) -> None:
        """Under the lock. May be called again after a StaleError; `total` is only touched at the end."""
        stored = self.w._stored
        was_seq, spans = stored.counters()
        known_traces = stored.known_traces({key[0] for key in self.parts})
        relations = Relations(stored, known_traces)
        built, duplicates = self._against_file(relations, known_traces)
        marks = relations.settle()
        seq = was_seq
        for item in built.values():
            seq += 1
            item.state.seq = seq
            if not item.state.id:
                spans += 1
                item.state.id = spans
            item.body[0] = item.state.id
        for key in marks:
            seq += 1
            relations.now[key].seq = seq
        sums = _Sums(self.w, relations, built, seq)
        sums.gather()
        outcome = self._outcome(built, duplicates)
        self._stage(relations, built, marks, sums)
        if ledger is not None:
            entries = ledger(_merged(total, outcome))
            self._stage_ledger(entries)
        staging.commit(self.w._connection, was_seq, seq, spans)
        self._remember()
        total.stored += outcome.stored
        total.duplicate += outcome.duplicate
        total.conventions = _merged_counts(total.conventions, outcome.conventions)

    def _against_file(self, relations: Relations, known_traces: set[str]) -> tuple[dict[SpanKey, Built], int]:
        """Fold again, with what the file has, the spans it knows. Returns what is to be written, and the
        number of parts that said nothing new."""
        keys = [key for key in self.parts if key[0] in known_traces]
        found = self.w._stored.parts(keys) if keys else {}
        built: dict[SpanKey, Built] = {}
        duplicates = 0
        for key, parts in self.parts.items():
            have = found.get(key)
            if have is None:
                built[key] = self.built[key]
                relations.put(None, built[key].state)
                duplicates += len(parts) - self._distinct(parts)
                continue
            old, old_parts = have
            before, _ = fold(old_parts)
            span, contributors = fold([*old_parts, *parts])
            if span == before and old.rank == int(span.rank):
                duplicates += len(parts)
                continue
            item = build(span, contributors, self.encoder, self.w._prices, self.seen_ns)
            item.state.id = old.id
            built[key] = item
            relations.put(old, item.state)
        return built, duplicates

    @staticmethod
    def _distinct(parts: Sequence[SpanPart]) -> int:
        distinct: list[SpanPart] = []
        for part in parts:
            if part not in distinct:
                distinct.append(part)
        return len(distinct)

    def _outcome(self, built: dict[SpanKey, Built], duplicates: int) -> Outcome:
        conventions: dict[str, int] = {}
        for item in built.values():
            name = item.body[_CONVENTION] or ""
            conventions[name] = conventions.get(name, 0) + 1
        return Outcome(self.count - duplicates, duplicates, conventions)

    def _stage(self, relations: Relations, built: dict[SpanKey, Built], marks: list[SpanKey], sums: _Sums) -> None:
        c, encoder = self.w._connection, self.encoder
        put = lambda table, rows: staging.stage(c, table, rows) if rows else None  # noqa: E731
        put("s_texts", [(name, *row) for name, row in encoder.texts.items()])
        put("s_messages", [(name, *row) for name, row in encoder.messages.items()])
        put("s_nodes", [(name, *row) for name, row in encoder.nodes.items()])
        put("s_recipes", [(name, *row) for name, row in encoder.recipes.items()])
        put("s_contexts", [(name, *row) for name, row in encoder.contexts.items()])
        put("s_spans", [row_of(item.state) for item in built.values()])
        put("s_bodies", [item.body for item in built.values()])
        put("s_marks", [(s.id, s.seq, s.counted, s.below) for s in (relations.now[key] for key in marks)])
        put("s_mentions", [(n, i.state.id, b) for i in built.values() for n, b in i.mentions.items()])
        put("s_traces", sums.trace_rows)
        put("s_sessions", list(sums.sessions.rows.values()))
        put("s_users", list(sums.users.rows.values()))
        put("s_rollups", sums.rollups.rows())
        put("s_histograms", sums.rollups.bucket_rows())
        put("s_scores", [_score_row(score) for score in self.scores])
        put("s_processes", [_process_row(process) for process in _newest(self.processes)])

    def _stage_ledger(self, entries: list[LedgerEntry]) -> None:
        hour = self.seen_ns // 3_600_000_000_000
        rows: dict[tuple[Any, ...], list[Any]] = {}
        for e in entries:
            row = rows.setdefault((hour, e.source, e.convention, e.outcome, e.reason), [0, None])
            row[0] += e.n
            row[1] = e.sample or row[1]
        staging.stage(self.w._connection, "s_ledger", [(*key, *row) for key, row in rows.items() if row[0]])

    def _remember(self) -> None:
        encoder = self.encoder
        for table in (encoder.texts, encoder.messages, encoder.nodes, encoder.recipes, encoder.contexts):
            self.w.remember(table)


_CONVENTION = BODY_COLUMNS.index("convention")


def _merged_counts(a: dict[str, int], b: dict[str, int]) -> dict[str, int]:
    return {name: a.get(name, 0) + b.get(name, 0) for name in {*a, *b}}


def _merged(a: Outcome, b: Outcome) -> Outcome:
    conventions = _merged_counts(a.conventions, b.conventions)
    return Outcome(a.stored + b.stored, a.duplicate + b.duplicate, conventions, a.mended, a.refused)


class _Sums:
    """The differences that a batch makes to traces, sessions, users and rollups."""

    def __init__(self, writer: Writer, relations: Relations, built: dict[SpanKey, Built], seq: int) -> None:
        self.w = writer
        self.relations = relations
        self.built = built
        self.seq = seq
        self.trace_rows: list[list[Any]] = []
        self.sessions = Groups("session_id")
        self.users = Groups("user_id")
        self.rollups = Rollups()

    def gather(self) -> None:
        by_trace: dict[str, list[SpanKey]] = {}
        for key in self.relations.now:
            if key in self.built or self._marked(key):
                by_trace.setdefault(key[0], []).append(key)
        stored = self.w._stored.traces(
            [t for t in by_trace if t in self.relations.known_traces or not self._all_new(t, by_trace)]
        )
        for trace_id, keys in by_trace.items():
            self._trace(trace_id, keys, stored.get(trace_id))

    def _all_new(self, trace_id: str, by_trace: dict[str, list[SpanKey]]) -> bool:
        return all(self.relations.was[key] is None for key in by_trace[trace_id])

    def _marked(self, key: SpanKey) -> bool:
        old, new = self.relations.was[key], self.relations.now[key]
        return old is not None and (old.counted, old.below) != (new.counted, new.below)

    def _trace(self, trace_id: str, keys: list[SpanKey], old: TraceTotals | None) -> None:
        new = deepcopy(old) if old is not None else TraceTotals(trace_id)
        for key in keys:
            if not new.change(self.relations.was[key], self.relations.now[key], self._previews(key)):
                new = self._recount(trace_id, old)
                break
        if not new.counts[0]:
            return  # only ghosts so far: nothing to list
        new.declare(self.w._dimensions)
        self._roll(trace_id, keys, old.dims if old is not None else new.dims, new.dims)
        self.sessions.change(old, new)
        self.users.change(old, new)
        self.trace_rows.append(new.row(self.seq))

    def _previews(self, key: SpanKey) -> Previews:
        item = self.built.get(key)
        if item is not None:
            return item.body[_IN_PREVIEW], item.body[_OUT_PREVIEW]
        return self.w._stored.previews(self.relations.now[key].id)

    def _recount(self, trace_id: str, old: TraceTotals | None) -> TraceTotals:
        fresh = TraceTotals(trace_id, id=old.id if old is not None else None)
        now = dict(self.relations.now)
        for state in self.w._stored.of_trace(trace_id):
            now.setdefault((trace_id, state.span_id), state)
        for key, state in now.items():
            if key[0] == trace_id and not fresh.change(None, state, self._previews_of(key, state)):
                raise AssertionError(f"a fresh count of trace {trace_id} contradicts itself")
        return fresh

    def _previews_of(self, key: SpanKey, state: SpanState) -> Previews:
        return self._previews(key) if key in self.built else self.w._stored.previews(state.id)

    def _roll(self, trace_id: str, keys: list[SpanKey], old_dims: str, new_dims: str) -> None:
        for key in keys:
            self.rollups.add(self.relations.was[key], old_dims, -1)
            self.rollups.add(self.relations.now[key], new_dims, 1)
        if old_dims == new_dims:
            return
        mine = {key[1] for key in keys}
        for state in self.w._stored.of_trace(trace_id):
            if state.span_id not in mine:
                self.rollups.add(state, old_dims, -1)
                self.rollups.add(state, new_dims, 1)


_IN_PREVIEW, _OUT_PREVIEW = BODY_COLUMNS.index("in_preview"), BODY_COLUMNS.index("out_preview")


def _score_row(s: Score) -> tuple[Any, ...]:
    return (
        s.score_id, s.trace_id, s.span_id, s.session_id, s.name, s.data_type, s.value, s.label, s.comment,
        s.time_ns, s.source, dumps(s.metadata) if s.metadata else None,
    )  # fmt: skip


def _newest(processes: Sequence[Process]) -> list[Process]:
    return list({p.process_id: p for p in sorted(processes, key=lambda p: p.heartbeat_ns)}.values())


def _process_row(p: Process) -> tuple[Any, ...]:
    return (
        p.process_id, p.pid, p.started_ns, p.host, p.boot_id, p.pid_namespace, p.service, p.command,
        p.heartbeat_ns, p.ended_ns,
    )  # fmt: skip
