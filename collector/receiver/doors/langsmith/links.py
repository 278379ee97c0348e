"""Whose trace a run is in, where a patch or feedback does not say; before and after the run itself arrives.

Both may name a run alone. Then the runs that passed by are asked, then the file. What nobody knows yet is stored as
if the run were a root, which most are, and remembered: when the run comes and is not, it is stored again where the
run is. (What was stored under the guess is then part of a span that never starts, and listed nowhere.)
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from collector.conventions.langsmith_runs import RUN
from collector.library import ExperimentRun
from collector.model import Batch, Score, SpanPart
from collector.protocols.langsmith import Whose
from collector.receiver.doors.langsmith.projects import Projects
from collector.store import open_reader, runs

SEEN, WAITING, OF_ONE = 20_000, 1_000, 100
"""How many runs are remembered (some 7 MB; an older one is looked up in the file), how many are waited for, and how
much of one may wait."""


@dataclass
class Links:
    """Shared by all requests; its methods run in the decoders' threads."""

    db: Path
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _seen: OrderedDict[str, str] = field(default_factory=OrderedDict)
    _waiting: OrderedDict[str, list[SpanPart | Score]] = field(default_factory=OrderedDict)

    def decode(self, decode: Callable[[Whose], Batch]) -> Batch:
        """What `decode` makes of a body, each part and score in its run's trace as far as that is known."""
        missed: dict[str, None] = {}

        def whose(run_id: str) -> str | None:
            found = self._find(run_id)
            if found is None:
                missed[run_id] = None
            return found

        batch = decode(whose)
        with self._lock:
            late = self._settle(batch, missed)
        if late:
            parts = tuple(item for item in late if isinstance(item, SpanPart))
            scores = tuple(item for item in late if isinstance(item, Score))
            batch = replace(batch, parts=batch.parts + parts, scores=batch.scores + scores)
        return self._with_experiments(batch)

    def _find(self, run_id: str) -> str | None:
        with self._lock:
            known = self._seen.get(run_id)
        if known is not None:
            return known
        with open_reader(self.db) as reader:
            place = runs.find(reader, run_id)
        return place[0] if place else None

    def _settle(self, batch: Batch, missed: dict[str, None]) -> list[SpanPart | Score]:
        """Remember where runs are, and what is only guessed; return what can now be put where it belongs."""
        late: list[SpanPart | Score] = []
        for part in batch.parts:
            names = (part.source_id or "", str(part.attributes.get(RUN + "parent_run_id") or ""))
            guessed = next((name for name in names if name in missed), None)
            if guessed is not None and part.trace_id == guessed.replace("-", ""):
                self._wait(guessed, part)
                continue
            self._seen[names[0]] = part.trace_id
            here = self._waiting.pop(names[0], ())
            late += [replace(item, trace_id=part.trace_id) for item in here if item.trace_id != part.trace_id]
        for score in batch.scores:
            kept = (score.metadata or {}).get("langsmith")
            run_id = str(kept.get("run_id") or "") if isinstance(kept, dict) else ""
            if run_id in missed:
                now = self._seen.get(run_id)  # it may have come with this very body
                if now is None:
                    self._wait(run_id, score)
                elif now != score.trace_id:
                    late.append(replace(score, trace_id=now))
        while len(self._seen) > SEEN:
            self._seen.popitem(last=False)
        return late

    def _wait(self, run_id: str, item: SpanPart | Score) -> None:
        items = self._waiting.setdefault(run_id, [])
        if len(items) < OF_ONE:
            items.append(item)
        while len(self._waiting) > WAITING:
            self._waiting.popitem(last=False)

    def _with_experiments(self, batch: Batch) -> Batch:
        """Runs over examples of a dataset belong to the experiment that their project is."""
        over = [part for part in batch.parts if RUN + "reference_example_id" in part.attributes]
        if not over:
            return batch
        with open_reader(self.db) as reader:
            projects = Projects(reader)
            made = tuple(
                ExperimentRun(
                    part.source_id or part.span_id,
                    str(part.attributes.get(RUN + "project_id") or projects.id(str(part.attributes[RUN + "project"]))),
                    str(part.attributes[RUN + "reference_example_id"]), part.trace_id, part.span_id,
                    created_ns=part.start_ns or 0,
                )
                for part in over
                if part.parent_id is None and RUN + "project" in part.attributes
            )  # fmt: skip
        return replace(batch, library=batch.library + made)
