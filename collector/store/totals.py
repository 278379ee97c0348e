"""Sums that are kept by difference: traces, sessions, users, rollups, histograms.

`TraceTotals.change` takes one span's step from its old state to its new one. Where a difference cannot
tell the answer (the span that gave the trace its session moved or lost it), it says so, and the caller
recounts: folds every span of the trace into a fresh `TraceTotals`. The two ways must agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import log2
from typing import Any, NamedTuple

import orjson

from collector.kinds import MODEL_KINDS
from collector.store.content import dumps, hash_bytes
from collector.store.state import SUMS, SpanState, sums_of

QUARTER_NS = 900_000_000_000
MAX_METADATA_KEYS = 100
COUNTS = ("span_count", "running_count", "error_count", "llm_calls", "tool_calls", "unpriced_calls")
FIRSTS = ("session_id", "user_id", "service", "environment", "release", "project", "level")
TRACE_COLUMNS = (
    "id", "seq", "trace_id", "name", "root_span_id", "root_status", "start_ns", "end_ns", *FIRSTS[2:3], *FIRSTS[0:2],
    *FIRSTS[3:], "tags", "metadata", "dims", "models", *COUNTS, *SUMS, "in_preview", "out_preview", "source_id",
    "state",
)  # fmt: skip

Key = tuple[int, int, str]


class Previews(NamedTuple):
    """One line of a span's input and output, and of what it says of those of its trace."""

    input: str | None = None
    output: str | None = None
    of_trace_in: str | None = None
    of_trace_out: str | None = None


_NO_PREVIEWS = Previews()


def counts_of(span: SpanState | None) -> tuple[int, ...]:
    """A span's share in COUNTS. A ghost (no start yet) has none."""
    if span is None or span.start_ns is None:
        return (0, 0, 0, 0, 0, 0)
    return (
        1,
        int(span.status == "running"),
        int(span.status == "error"),
        int(span.kind == "llm" and bool(span.counted)),
        int(span.kind == "tool"),
        int(span.unpriced),
    )


_NOTHING: tuple[int | None, ...] = (None,) * len(SUMS)


def amounts_of(span: SpanState | None) -> tuple[int | None, ...]:
    """A span's share in SUMS: its numbers where it counts, None where it does not or does not know."""
    if span is None or not span.counted or span.start_ns is None:
        return _NOTHING
    amounts: tuple[int | None, ...] = sums_of(span)
    return amounts


@dataclass(slots=True)
class TraceTotals:
    """One row of `traces`, and what it takes to keep it: `firsts` has, per field, the key of the span that set it
    (class, start, span id; the smallest wins), `tags` counts spans per tag."""

    trace_id: str
    id: int | None = None
    values: dict[str, Any] = field(default_factory=dict)
    counts: list[int] = field(default_factory=lambda: [0] * len(COUNTS))
    sums: list[int | None] = field(default_factory=lambda: [None] * len(SUMS))
    start_ns: int | None = None
    end_ns: int | None = None
    models: dict[str, int] = field(default_factory=dict)
    tags: dict[str, int] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    firsts: dict[str, Key] = field(default_factory=dict)
    dims: str = "{}"

    @classmethod
    def load(cls, row: Mapping[str, Any]) -> TraceTotals:
        state = orjson.loads(row["state"] or b"{}")
        names = (*FIRSTS, "name", "root_span_id", "root_status", "in_preview", "out_preview", "source_id")
        return cls(
            trace_id=row["trace_id"],
            id=row["id"],
            values={name: row[name] for name in names if row[name] is not None},
            counts=[row[name] for name in COUNTS],
            sums=[row[name] for name in SUMS],
            start_ns=row["start_ns"],
            end_ns=row["end_ns"],
            models=orjson.loads(row["models"]),
            tags=state.get("tags", {}),
            metadata=orjson.loads(row["metadata"] or b"{}"),
            firsts={name: tuple(key) for name, key in state.get("firsts", {}).items()},
            dims=row["dims"],
        )

    def row(self, seq: int) -> list[Any]:
        values = dict(self.values)
        values.update(zip(COUNTS, self.counts, strict=True))
        values.update(zip(SUMS, self.sums, strict=True))
        values.update(
            id=self.id, seq=seq, trace_id=self.trace_id, start_ns=self.start_ns, end_ns=self.end_ns, dims=self.dims,
            tags=dumps(sorted(self.tags)) if self.tags else None,
            metadata=dumps(dict(sorted(self.metadata.items()))) if self.metadata else None,
            models=dumps(dict(sorted(self.models.items()))),
            state=dumps({"firsts": self.firsts, "tags": self.tags}),
        )  # fmt: skip
        return [values.get(name) for name in TRACE_COLUMNS]

    def change(self, old: SpanState | None, new: SpanState, previews: Previews = _NO_PREVIEWS) -> bool:
        """Step one span forward. False when only a recount can tell; the totals are then not to be used."""
        if new.start_ns is None:
            return True
        if old is not None and old.start_ns is None:
            old = None
        return (
            self._bounds(old, new)
            and self._add_sums(old, new)
            and self._count_names(old, new)
            and self._find_firsts(new, previews)
        )

    def declare(self, dimensions: Iterable[str]) -> None:
        """Settle `dims`: the declared metadata keys of the trace."""
        self.dims = dims_of(self.metadata, dimensions)

    def _bounds(self, old: SpanState | None, new: SpanState) -> bool:
        start = new.start_ns or 0
        end = new.end_ns
        if old is not None and (
            (old.start_ns == self.start_ns and start > (old.start_ns or 0))
            or (old.end_ns is not None and old.end_ns == self.end_ns and (end is None or end < old.end_ns))
        ):
            return False
        self.start_ns = start if self.start_ns is None else min(self.start_ns, start)
        if end is not None:
            self.end_ns = end if self.end_ns is None else max(self.end_ns, end)
        return True

    def _add_sums(self, old: SpanState | None, new: SpanState) -> bool:
        if old is None:
            self.counts = [a + b for a, b in zip(self.counts, counts_of(new), strict=True)]
        else:
            steps = zip(self.counts, counts_of(new), counts_of(old), strict=True)
            self.counts = [a + b - c for a, b, c in steps]
        was = amounts_of(old)
        for at, amount in enumerate(amounts_of(new)):
            before = was[at]
            if amount is None:
                if before is not None:
                    return False
                continue
            self.sums[at] = (self.sums[at] or 0) + amount - (before or 0)
        return True

    def _count_names(self, old: SpanState | None, new: SpanState) -> bool:
        if (model := _model(old)) is not None:
            _step(self.models, model, -1)
        if (model := _model(new)) is not None:
            _step(self.models, model, 1)
        if old is not None and old.tags:
            for tag in orjson.loads(old.tags):
                _step(self.tags, str(tag), -1)
        if new.tags:
            for tag in orjson.loads(new.tags):
                _step(self.tags, str(tag), 1)
        return True

    def _find_firsts(self, new: SpanState, previews: Previews) -> bool:
        start = new.start_ns or 0
        root = 0 if new.parent_id is None else 1
        key = (root, start, new.span_id)
        fine = self._offer("root_span_id", key, new.span_id)
        if fine and self.values["root_span_id"] == new.span_id:
            if "name" not in self.firsts:
                self.values["name"] = new.name
            self.values["root_status"] = new.status
            self.values["source_id"] = new.source_id
        for name in FIRSTS:
            fine = fine and self._offer(name, key, getattr(new, name))
        fine = fine and self._offer("name", key, new.trace_name) and self._find_sides(new, start, previews)
        return fine and self._find_metadata(new, key)

    def _find_sides(self, new: SpanState, start: int, previews: Previews) -> bool:
        """The trace's sides: those that a span says are the trace's, else the root's, else the first question to a
        model and its last answer."""
        of_span = 0 if new.parent_id is None else (1 if new.kind == "llm" else 2)
        order, said = (of_span, previews.input) if previews.of_trace_in is None else (-1, previews.of_trace_in)
        fine = self._offer("in_preview", (order, start, new.span_id), said)
        order, said = (of_span, previews.output) if previews.of_trace_out is None else (-1, previews.of_trace_out)
        return fine and self._offer("out_preview", (order, -start, new.span_id), said)

    def _offer(self, name: str, key: Key, value: Any) -> bool:
        """Let a span bid for a field: the smallest key wins it. False when its owner withdrew or moved back."""
        current = self.firsts.get(name)
        if current is not None and current[2] == key[2]:
            if value is None or key > current:
                return False
        elif value is None or (current is not None and current < key):
            return True
        self.firsts[name] = key
        self.values[name] = value
        return True

    def _find_metadata(self, new: SpanState, key: Key) -> bool:
        found = orjson.loads(new.metadata) if new.metadata else {}
        for name, owner in self.firsts.items():
            if owner[2] == new.span_id and name.startswith("m:") and name[2:] not in found:
                return False
        for name, value in found.items():
            mine = "m:" + name
            if mine not in self.firsts and len(self.metadata) >= MAX_METADATA_KEYS:
                continue
            if not self._offer(mine, key, value if value is not None else ""):
                return False
            if self.firsts[mine][2] == new.span_id:
                self.metadata[name] = value
            self.values.pop(mine, None)
        return True


def _step(counter: dict[str, int], name: str, by: int) -> None:
    n = counter.get(name, 0) + by
    if n:
        counter[name] = n
    else:
        counter.pop(name, None)


def _model(span: SpanState | None) -> str | None:
    if span is None or not span.model or not span.counted or span.kind not in MODEL_KINDS or span.start_ns is None:
        return None
    return span.model


def dims_of(metadata: Mapping[str, Any], dimensions: Iterable[str]) -> str:
    """The declared dimensions found in a trace's metadata, as canonical JSON of texts."""
    found = {name: _dimension(metadata[name]) for name in sorted(dimensions) if metadata.get(name) not in (None, "")}
    return dumps(found)


def _dimension(value: Any) -> str:
    return value if isinstance(value, str) else dumps(value)


def bucket_of(value_ns: int) -> int:
    """The histogram bucket of a duration: four to each doubling, so that a quantile is right within 9 %."""
    return int(4 * log2(value_ns)) if value_ns > 1 else 0


class Rollups:
    """Differences of rollups and histograms, gathered over a batch."""

    def __init__(self) -> None:
        self.sums: dict[tuple[Any, ...], list[int]] = {}
        self.buckets: dict[tuple[str, str, int], int] = {}
        self._names: dict[tuple[Any, ...], str] = {}

    def add(self, span: SpanState | None, dims: str, sign: int) -> None:
        """Add (or with sign -1 take away) a span's share."""
        if span is None or span.start_ns is None:
            return
        key = (
            span.start_ns // QUARTER_NS, span.model or "", span.provider or "", span.service or "",
            span.environment or "", span.kind, dims,
        )  # fmt: skip
        row = self.sums.get(key)
        if row is None:
            row = self.sums[key] = [0] * (5 + len(SUMS))
        row[0] += sign
        row[1] += sign * (span.status == "error")
        if span.counted:
            row[2] += sign * (span.kind in MODEL_KINDS)
            row[3] += sign * span.unpriced
            for at, amount in enumerate(sums_of(span), 4):
                if amount:
                    row[at] += sign * amount
        if span.duration_ns is not None:
            row[-1] += sign * span.duration_ns
            self._bucket(key, "duration", span.duration_ns, sign)
        if span.ttft_ns is not None:
            self._bucket(key, "ttft", span.ttft_ns, sign)

    def _bucket(self, key: tuple[Any, ...], metric: str, value: int, sign: int) -> None:
        at = (self.name(key), metric, bucket_of(value))
        self.buckets[at] = self.buckets.get(at, 0) + sign

    def name(self, key: tuple[Any, ...]) -> str:
        name = self._names.get(key)
        if name is None:
            name = self._names[key] = hash_bytes(dumps(list(key)).encode())
        return name

    def rows(self) -> list[list[Any]]:
        return [[self.name(key), *key, *row] for key, row in self.sums.items() if any(row)]

    def bucket_rows(self) -> list[list[Any]]:
        return [[*at, n] for at, n in self.buckets.items() if n]


class Groups:
    """Differences of sessions (or users): sums over their traces. A group that lost something it cannot
    take back by difference is marked to be summed again from its traces."""

    def __init__(self, member: str) -> None:
        self.member = member
        self.rows: dict[str, list[Any]] = {}

    def change(self, old: TraceTotals | None, new: TraceTotals) -> None:
        was = old.values.get(self.member) if old is not None else None
        now = new.values.get(self.member)
        if was is not None and was != now:
            self._add(was, None, None, again=1)
        if now is not None:
            self._add(now, old if was == now else None, new, again=0)

    def _add(self, name: str, old: TraceTotals | None, new: TraceTotals | None, again: int) -> None:
        row = self.rows.get(name)
        if row is None:
            row = self.rows[name] = [name, 0, 0, *[0] * len(COUNTS), *[None] * len(SUMS)]
        row[1] = max(row[1], again)
        if new is None:
            return
        row[2] += old is None
        for at in range(len(COUNTS)):
            row[3 + at] += new.counts[at] - (old.counts[at] if old is not None else 0)
        first = 3 + len(COUNTS)
        for at in range(len(SUMS)):
            before = old.sums[at] if old is not None else None
            after = new.sums[at]
            if after is None:
                row[1] = max(row[1], int(before is not None))
            else:
                row[first + at] = (row[first + at] or 0) + after - (before or 0)


GROUP_COLUMNS = ("name", "again", "trace_count", *COUNTS, *SUMS)
