"""One transaction in the making: from parts to staged rows, and the step that writes them."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from collector.memo import Memo
from collector.model import Process, Refusal, Score, SpanPart
from collector.store import staging
from collector.store.build import Built, Pricer, build
from collector.store.content import BLOB, Elements, Encoder, dumps
from collector.store.merge import fold
from collector.store.pointers import named
from collector.store.received import SEEN
from collector.store.relations import Relations, SpanKey
from collector.store.state import BODY_COLUMNS, row_of, same_row
from collector.store.stored import Stored
from collector.store.sums import Sums

_CONVENTION = BODY_COLUMNS.index("convention")
_REPLAY_OF = BODY_COLUMNS.index("replay_of")
KNOWN_HASHES = 100_000
ELEMENTS_BYTES = 16_000_000
"""Messages of conversations that go on, in bytes of JSON: five of 200 turns of 16 KB."""


@dataclass(slots=True)
class File:
    """The open file as a batch sees it. `known` are hashes that it surely has: no need to write them again."""

    connection: sqlite3.Connection
    prices: Pricer
    dimensions: tuple[str, ...]
    stored: Stored
    known: dict[str, None] = field(default_factory=dict)
    elements: Elements = field(default_factory=lambda: Memo(ELEMENTS_BYTES))

    def remember(self, hashes: Iterable[str]) -> None:
        """These hashes are committed."""
        self.known.update(dict.fromkeys(hashes))
        while len(self.known) > KNOWN_HASHES:
            for name in list(self.known)[: KNOWN_HASHES // 4]:
                del self.known[name]


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """What became of `n` things: outcome is received, stored, duplicate, clipped, rejected, sampled_out, or kept where
    they are no spans.

    What a process may have said before has its id and, in `total`, what it has counted of this so far: then that which
    is new to the file counts."""

    source: str
    outcome: str
    n: int
    convention: str = ""
    reason: str = ""
    sample: str | None = None
    process_id: str = ""
    total: int = 0

    @property
    def told(self) -> str | None:
        """The key in `meta` under which the file keeps the total."""
        if not (self.process_id and self.total):
            return None
        said = "\0".join((self.process_id, self.outcome, self.reason))
        return f"told:{hashlib.sha256(said.encode(errors='replace')).hexdigest()[:32]}"


@dataclass(slots=True)
class Outcome:
    """What became of the parts of a write: how many changed the file, how many said nothing new, and how many
    of the stored were read by which convention. `mended` were stored with text that no UTF-8 can hold replaced
    (`mended_spans` says which); `refused` cannot be stored at all."""

    stored: int = 0
    duplicate: int = 0
    conventions: dict[str, int] = field(default_factory=dict)
    mended: int = 0
    refused: list[Refusal] = field(default_factory=list)
    mended_spans: list[SpanKey] = field(default_factory=list)
    sampled_out: int = 0


Ledger = Callable[[Outcome], list[LedgerEntry]]


class Batch:
    """One transaction in the making."""

    def __init__(
        self, file: File, parts: Sequence[SpanPart], scores: Sequence[Score], processes: Sequence[Process], seen_ns: int
    ) -> None:
        self.file = file
        self.scores = scores
        self.processes = processes
        self.count = len(parts)
        self.parts: dict[SpanKey, list[SpanPart]] = {}
        for part in parts:
            self.parts.setdefault((part.trace_id, part.span_id), []).append(part)
        self.seen_ns = seen_ns
        self.encoder = Encoder(file.known, file.elements)
        self.built: dict[SpanKey, Built] = {}

    def prepare(self) -> None:
        """All that needs no look at the file: most spans are new to it."""
        for key, parts in self.parts.items():
            self.built[key] = self._build(parts)

    def _build(self, parts: Sequence[SpanPart]) -> Built:
        span, contributors = (parts[0], parts) if len(parts) == 1 else fold(parts)
        return build(span, contributors, self.encoder, self.file.prices, self.seen_ns)

    def commit(self, total: Outcome, ledger: Ledger | None) -> None:
        """Under the lock. May be called again after a StaleError; `total` is only touched at the end."""
        stored = self.file.stored
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
        sums = Sums(stored, self.file.dimensions, relations, built, seq)
        sums.gather()
        outcome = self._outcome(built, duplicates)
        self._stage(relations, built, marks, sums)
        sampled_out = 0
        if ledger is not None:
            entries = ledger(_merged(total, outcome))
            sampled_out = self._stage_ledger(entries)
        staging.commit(self.file.connection, was_seq, seq, spans)
        self._remember()
        total.stored += outcome.stored
        total.duplicate += outcome.duplicate
        total.conventions = _merged_counts(total.conventions, outcome.conventions)
        total.sampled_out += sampled_out

    def _against_file(self, relations: Relations, known_traces: set[str]) -> tuple[dict[SpanKey, Built], int]:
        """Fold again, with what the file has, the spans it knows. Returns what is to be written, and the
        number of parts that said nothing new."""
        keys = [key for key in self.parts if key[0] in known_traces]
        found = self.file.stored.spans(keys) if keys else {}
        built: dict[SpanKey, Built] = {}
        duplicates = 0
        for key, parts in self.parts.items():
            have = found.get(key)
            if have is None:
                item = built[key] = self.built[key]
                item.state.id, item.state.below = 0, 0  # an earlier try may have set them
                relations.put(None, item.state)
                duplicates += len(parts) - self._distinct(parts)
                continue
            old, old_body = have
            made = self.built[key]
            if same_row(made.state, made.body, old, old_body):
                duplicates += len(parts)
                continue
            old_parts = self.file.stored.parts(old, old_body)
            before, _ = fold(old_parts)
            span, contributors = fold([*old_parts, *parts])
            if span == before and old.rank == int(span.rank):
                duplicates += len(parts)
                continue
            item = build(span, contributors, self.encoder, self.file.prices, self.seen_ns)
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

    def _stage(self, relations: Relations, built: dict[SpanKey, Built], marks: list[SpanKey], sums: Sums) -> None:
        c, encoder = self.file.connection, self.encoder

        def put(table: str, rows: Sequence[Sequence[Any]]) -> None:
            if rows:
                staging.stage(c, table, rows)

        put("s_texts", [(name, *row) for name, row in encoder.texts.items()])
        put("s_blobs", [(name, *row) for name, row in encoder.blobs.items()])
        put("s_messages", [(name, *row) for name, row in encoder.messages.items()])
        put("s_nodes", [(name, *row) for name, row in encoder.nodes.items()])
        put("s_recipes", [(name, *row) for name, row in encoder.recipes.items()])
        put("s_contexts", [(name, *row) for name, row in encoder.contexts.items()])
        put("s_spans", [row_of(item.state) for item in built.values()])
        put("s_bodies", [item.body for item in built.values()])
        put("s_pointers", _pointers(built.values()))
        put("s_marks", [(s.id, s.seq, s.counted, s.below) for s in (relations.now[key] for key in marks)])
        put("s_mentions", _mentions(built.values()))
        put("s_traces", sums.trace_rows)
        put("s_sessions", list(sums.sessions.rows.values()))
        put("s_users", list(sums.users.rows.values()))
        put("s_rollups", sums.rollups.rows())
        put("s_histograms", sums.rollups.bucket_rows())
        put("s_scores", [_score_row(score) for score in self.scores])
        put("s_processes", [_process_row(process) for process in _newest(self.processes)])

    def _stage_ledger(self, entries: list[LedgerEntry]) -> int:
        """Returns how many spans it counts as left out by sampling."""
        hour = self.seen_ns // 3_600_000_000_000
        rows: dict[tuple[Any, ...], list[Any]] = {}
        names = {name for e in entries if (name := e.told) is not None}
        told = self.file.stored.told(names) if names else {}
        sampled_out = 0
        for e in entries:
            n = e.n
            if (name := e.told) is not None:
                n = min(n, e.total) if name not in told else max(0, e.total - told[name])
                told[name] = max(e.total, told.get(name, 0))
            row = rows.setdefault((hour, e.source, e.convention, e.outcome, e.reason), [0, None])
            row[0] += n
            row[1] = e.sample or row[1]
            sampled_out += n if e.outcome == "sampled_out" else 0
        counted = {key: row for key, row in rows.items() if row[0]}
        staging.stage(self.file.connection, "s_ledger", [(*key, *row) for key, row in counted.items()])
        said = [(name, str(total)) for name, total in told.items()]
        said += [(SEEN + source, str(self.seen_ns)) for source in {key[1] for key in counted}]
        if said:
            staging.stage(self.file.connection, "s_meta", said)
        return sampled_out

    def _remember(self) -> None:
        encoder = self.encoder
        for table in (encoder.texts, encoder.messages, encoder.nodes, encoder.recipes, encoder.contexts):
            self.file.remember(table)
        self.file.remember(BLOB + name for name in encoder.blobs)


def _merged_counts(a: dict[str, int], b: dict[str, int]) -> dict[str, int]:
    return {name: a.get(name, 0) + b.get(name, 0) for name in {*a, *b}}


def _merged(a: Outcome, b: Outcome) -> Outcome:
    conventions = _merged_counts(a.conventions, b.conventions)
    return Outcome(a.stored + b.stored, a.duplicate + b.duplicate, conventions, a.mended, a.refused)


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


def _mentions(spans: Iterable[Built]) -> list[tuple[str, int, int]]:
    """(text hash, span, whether it brings the text). A text that spans of this batch merely resend is given to
    the first of them, and to none if one brings it: an imported session is one batch, and each turn resends."""
    brought: list[tuple[str, int, int]] = []
    resent: dict[str, int] = {}
    for item in sorted(spans, key=lambda item: (item.state.start_ns or 0, item.state.id)):
        for name, brings in item.mentions.items():
            if brings:
                brought.append((name, item.state.id, 1))
            else:
                resent.setdefault(name, item.state.id)
    names = {row[0] for row in brought}
    return [*brought, *((name, span, 0) for name, span in resent.items() if name not in names)]


def _pointers(spans: Iterable[Built]) -> list[tuple[str, str, int, str]]:
    return [row for item in spans for row in named(item.state.id, item.span.links, item.body[_REPLAY_OF])]
