"""The one corridor: whatever door a span comes through, it is redacted, clipped, priced and written here.

    with Ingest(path, settings) as ingest:
        receipt = ingest.write(batch)      # committed when it returns

The SDK, the receiver and the importers all hold an `Ingest`, or something with its `write` (`Sink`).
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Protocol

from collector.clipping import clip
from collector.conventions import evaluations
from collector.errors import StoreBusy, TracetuiError
from collector.library import (
    Dataset,
    Example,
    Experiment,
    ExperimentRun,
    Gone,
    Item,
    Media,
    Prompt,
    PromptLabels,
    ScoreConfig,
)
from collector.limits import Limits
from collector.looking import Looking
from collector.model import NO_READING, Batch, Process, Receipt, Refusal, Score, SpanPart
from collector.pricing import Prices
from collector.redact import Policy, Redactor
from collector.redact.sample import sample
from collector.settings import Settings
from collector.store.fulltext import INDEX_BYTES
from collector.store.signals import Looked
from collector.store.writer import LedgerEntry, Outcome, Writer

IDLE_CHECKPOINT_S = 1.0
BUSY_CHECKPOINT_S = 5.0
COMPACT_S = 0.5
"""How long a close may make the file smaller: 10 MB of texts are done in a third of it."""
LOOK_S, IDLE_LOOK_S, LAST_LOOK_S = 0.05, 0.03, 0.25
"""How long stored traces are looked at for signals in one go: while spans arrive (four or five times a second: enough
for about 500 spans a second where the cores have nothing else to do), when none do, and at the end."""


class Sink(Protocol):
    """Where batches go: the corridor itself, or a connection to a collector that has one."""

    def write(self, batch: Batch) -> Receipt: ...


class Ingest:
    """The corridor into one file. Thread-safe; opens the file at once.

    `stored` is given the parts of each batch as they were stored (redacted, cut), once they are committed; not those of
    a batch that brought nothing new. `look_s`: see LOOK_S; less of it in a process that has other things to do.
    `redactor` and `clock` are seams for tests. Raises StoreError when the file cannot be written.
    """

    def __init__(
        self, path: Path, settings: Settings, *, clock: Callable[[], int] = time.time_ns,
        redactor: Redactor | None = None, stored: Callable[[Sequence[SpanPart]], None] | None = None,
        look_s: float = LOOK_S,
    ) -> None:  # fmt: skip
        self.path = path
        self._clock = clock
        self._stored = stored
        self._limit = settings.max_part_bytes
        self._look_s = look_s
        self._policy = Policy(settings, redactor=redactor)
        self._failures_told = 0
        self._writer = Writer(
            path, Prices(settings.prices), dimensions=settings.dimensions, durable=settings.durable, clock=clock
        )
        self._looking = Looking(path, Limits(**settings.signals))
        self._lock = threading.Lock()
        self._closed = False
        self._wrote_at = self._checkpointed_at = time.monotonic()
        self._dirty = self._unindexed = True

    def write(self, batch: Batch) -> Receipt:
        """Store a batch; it is committed when this returns.

        Whatever is refused is counted in the ledger with its reason. StoreBusy and StoreError mean that
        nothing (or, of a very large batch, not the rest) was stored: sending it again is safe.
        """
        parts, clipped, refused = self._clean(batch)
        library = [self._policy.item(item) for item in batch.library]
        scores, processes = self._others(batch, parts)
        failures = self._policy.failures
        rejected = sum(refusal.count for refusal in refused)
        received = len(parts) + rejected

        def ledger(outcome: Outcome) -> list[LedgerEntry]:
            entries = _entries(batch.source, received, clipped, refused + outcome.refused, outcome, self._redact_sample)
            entries += [_count(batch.source, "sampled_out", one, one.reason) for one in batch.sampled_out]
            entries += [
                LedgerEntry(batch.source, "kept", n, reason=name) for name, n in _beside(scores, library).items()
            ]
            if failures > self._failures_told:
                n = failures - self._failures_told
                entries.append(LedgerEntry(batch.source, "clipped", n, reason="texts replaced: mask failed at them"))
            return entries

        with self._lock:
            if self._closed:
                raise StoreBusy(f"{self.path} was closed")
            if library:
                self._writer.keep(library)
            outcome = self._writer.write(parts, scores, processes, ledger)
            self._failures_told = max(failures, self._failures_told)
            self._wrote_at = time.monotonic()
            self._dirty = self._unindexed = True
            self._looking.wrote()
        if self._stored is not None and outcome.stored:
            self._stored(parts)
        refused += outcome.refused
        return Receipt(
            received, outcome.stored, outcome.duplicate, len(clipped) + outcome.mended,
            rejected + len(outcome.refused), tuple(dict.fromkeys(refusal.reason for refusal in refused)),
            tuple(refused), tuple(dict.fromkeys([*clipped, *outcome.mended_spans])), outcome.sampled_out,
        )  # fmt: skip

    def _clean(self, batch: Batch) -> tuple[list[SpanPart], list[tuple[str, str]], list[Refusal]]:
        """The parts as they may be stored, the names of those that were cut, and what is refused."""
        parts: list[SpanPart] = []
        refused = list(batch.refused)
        clipped: list[tuple[str, str]] = []
        for part in batch.parts:
            try:
                clean, cut = clip(settled(self._policy.part(part), self._clock), self._limit)
            except RecursionError:
                name = (part.trace_id, part.span_id)
                refused.append(Refusal("nested too deep", f"span {name[1]} of trace {name[0]}", spans=(name,)))
                continue
            if cut:
                clipped.append((part.trace_id, part.span_id))
            parts.append(clean)
        self._policy.forget()
        return parts, clipped, refused

    def _others(self, batch: Batch, parts: Sequence[SpanPart]) -> tuple[Sequence[Score], Sequence[Process]]:
        """Scores, those that the (clean) parts themselves say among them, and processes."""
        clean = self._policy
        scores = [clean.score(score) for score in batch.scores]
        for part in parts:
            if part.attributes or part.events or part.logs:
                scores += evaluations(part)
        return scores, [clean.process(process) for process in batch.processes]

    def _redact_sample(self, text: str) -> str:
        return sample(text, self._policy.text)

    def chores(self, budget_bytes: int = INDEX_BYTES) -> bool:
        """Full text, checkpoints, and looking for signals. Call it when idle and every quarter second under load.

        Takes tens of milliseconds at most (longer for a trace of thousands of spans); True while there is more to do.
        """
        more = self._keep_house(budget_bytes)
        return self._look() or more  # under a load that lasts there is always more full text

    def _keep_house(self, budget_bytes: int = INDEX_BYTES) -> bool:
        with self._lock:
            if self._closed:
                return False
            if self._unindexed:
                self._unindexed = self._writer.index(budget_bytes)
            now = time.monotonic()
            idle = now - self._wrote_at > IDLE_CHECKPOINT_S
            if self._dirty and (idle or now - self._checkpointed_at > BUSY_CHECKPOINT_S):
                self._writer.checkpoint()
                self._checkpointed_at = now
                self._dirty = not idle
            return self._unindexed

    def _look(self) -> bool:
        """Look at traces that have settled. True while there is more and nothing else to do."""
        idle = self._looking.idle
        return self._keep(self._looking.round(IDLE_LOOK_S if idle else self._look_s)) and idle

    def _look_last(self) -> None:
        """This process looks no more: at what it can in a short while, the next writer at the rest."""
        until = time.monotonic() + LAST_LOOK_S
        with suppress(TracetuiError):  # the file may be gone, or read-only by now
            while (left := until - time.monotonic()) > 0 and self._keep(
                self._looking.round(left, ending=True, strict=True)
            ):
                pass

    def _compact(self) -> None:
        with self._lock, suppress(TracetuiError):  # the file may be in use, or gone by now
            if not self._closed:
                self._writer.compact(COMPACT_S)

    def _keep(self, looked: Looked | None) -> bool:
        """Write what was found. True while there is more to look at."""
        if looked is None:
            return False
        with self._lock:
            if self._closed:
                return False
            self._writer.keep_signals(looked)
            self._dirty = True
        return looked.more

    def look(self, *, anew: bool = False, within_s: float | None = None) -> int:
        """Look at every trace of the file that was not looked at as it is now, and at those that were passed over when
        an old file got its signals (`anew`: at every trace), however long that takes; how many they were. `within_s`:
        only at what has come, and no longer than that."""
        traces, until = 0, math.inf if within_s is None else time.monotonic() + within_s
        if within_s is None:
            with self._lock:
                self._writer.rewind_signals(always=anew)
        while (left := until - time.monotonic()) > 0:
            looked = self._looking.round(min(left, 1.0), ending=True)
            traces += len(looked.found) if looked else 0
            if not self._keep(looked):
                break
        return traces

    def flush(self) -> None:
        """Catch up with full text and checkpoint: after it, the file alone is (nearly) everything."""
        while self._keep_house():
            pass
        with self._lock:
            if not self._closed:
                self._writer.checkpoint()

    def release(self) -> None:
        """Close without catching up with full text: whoever writes next does. Takes tens of milliseconds at most."""
        try:
            self._keep_house()
        finally:
            self._close()

    def close(self) -> None:
        """Flush and close; a second close does nothing. The last writer's close leaves one file."""
        try:
            while self._keep_house():
                pass
            if not self._closed:
                self._look_last()
                self._compact()
        finally:
            self._close()

    def _close(self) -> None:
        with self._lock:
            if not self._closed:
                self._closed = True
                self._writer.close()

    def __enter__(self) -> Ingest:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def settled(part: SpanPart, clock: Callable[[], int]) -> SpanPart:
    """The part with one way of saying each thing, so that what is read back from the file equals it.

    A reading that its sender gave says "span" by saying nothing, names the model that was asked for when it
    knows of no other, and leaves status and message to the part.
    """
    if not part.at_ns:
        part = replace(part, at_ns=part.end_ns or part.start_ns or clock())
    r = part.reading
    if r is NO_READING:
        return part
    if r.kind == "span" or r.status or r.status_message or (r.request_model and not r.model):
        part = replace(
            part,
            status=part.status or r.status,
            status_message=part.status_message or r.status_message,
            reading=replace(
                r,
                kind=None if r.kind == "span" else r.kind,
                status=None,
                status_message=None,
                model=r.model or r.request_model,
            ),
        )
    return part


def _entries(
    source: str,
    received: int,
    clipped: Sequence[tuple[str, str]],
    refused: Sequence[Refusal],
    outcome: Outcome,
    redact: Callable[[str], str],
) -> list[LedgerEntry]:
    """What the ledger should say of a batch."""
    told = [refusal for refusal in refused if refusal.total]
    entries = [LedgerEntry(source, "received", received - sum(one.count for one in told))]
    entries += [_count(source, "received", one) for one in told]
    entries += [LedgerEntry(source, "stored", n, convention=name) for name, n in outcome.conventions.items()]
    rest = outcome.stored - sum(outcome.conventions.values())
    if rest > 0:
        entries.append(LedgerEntry(source, "stored", rest, reason="merged with another part of its span"))
    entries.append(LedgerEntry(source, "duplicate", outcome.duplicate))
    if clipped:
        trace, span = clipped[-1]
        sample = f"span {span} of trace {trace}"
        entries.append(LedgerEntry(source, "clipped", len(clipped), reason="longer than max_part_bytes", sample=sample))
    entries.append(LedgerEntry(source, "clipped", outcome.mended, reason="no Unicode: half of a surrogate pair"))
    entries += [
        _count(source, "rejected", refusal, redact(refusal.reason), redact(refusal.sample)) for refusal in refused
    ]
    return [entry for entry in entries if entry.n]


def _count(source: str, outcome: str, one: Refusal, reason: str = "", sample: str | None = None) -> LedgerEntry:
    return LedgerEntry(
        source, outcome, one.count, reason=reason, sample=sample, process_id=one.process_id, total=one.total
    )


_KEPT = {
    Prompt: "prompts", PromptLabels: "prompts", Dataset: "datasets", Example: "examples", Experiment: "experiments",
    ExperimentRun: "experiment runs", Media: "files", ScoreConfig: "score configs", Gone: "deletions",
}  # fmt: skip


def _beside(scores: Sequence[Score], library: Sequence[Item]) -> dict[str, int]:
    """How much of what came was no span, by what it is."""
    counts = Counter(_KEPT[type(item)] for item in library if type(item) in _KEPT)
    counts["scores"] = len(scores)
    return {name: n for name, n in counts.items() if n}
