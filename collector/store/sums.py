"""The differences that a batch makes to traces, sessions, users and rollups."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from operator import itemgetter
from typing import Any

from collector.store.build import Built
from collector.store.relations import Relations, SpanKey
from collector.store.state import BODY_COLUMNS, SpanState
from collector.store.stored import Stored
from collector.store.totals import Groups, Previews, Rollups, TraceTotals

_previews_of = itemgetter(*map(BODY_COLUMNS.index, ("in_preview", "out_preview", "trace_in", "trace_out")))


class Sums:
    """The differences that a batch makes to traces, sessions, users and rollups."""

    def __init__(
        self, stored: Stored, dimensions: Sequence[str], relations: Relations, built: dict[SpanKey, Built], seq: int
    ) -> None:
        self._stored = stored
        self._dimensions = dimensions
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
        stored = self._stored.traces(
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
        new.declare(self._dimensions)
        self._roll(trace_id, keys, old.dims if old is not None else new.dims, new.dims)
        self.sessions.change(old, new)
        self.users.change(old, new)
        self.trace_rows.append(new.row(self.seq))

    def _previews(self, key: SpanKey) -> Previews:
        item = self.built.get(key)
        if item is not None:
            return Previews(*_previews_of(item.body))
        return self._stored.previews(self.relations.now[key].id)

    def _recount(self, trace_id: str, old: TraceTotals | None) -> TraceTotals:
        fresh = TraceTotals(trace_id, id=old.id if old is not None else None)
        now = dict(self.relations.now)
        for state in self._stored.of_trace(trace_id):
            now.setdefault((trace_id, state.span_id), state)
        for key, state in now.items():
            if key[0] == trace_id and not fresh.change(None, state, self._previews_of(key, state)):
                raise AssertionError(f"a fresh count of trace {trace_id} contradicts itself")
        return fresh

    def _previews_of(self, key: SpanKey, state: SpanState) -> Previews:
        return self._previews(key) if key in self.built else self._stored.previews(state.id)

    def _roll(self, trace_id: str, keys: list[SpanKey], old_dims: str, new_dims: str) -> None:
        for key in keys:
            self.rollups.add(self.relations.was[key], old_dims, -1)
            self.rollups.add(self.relations.now[key], new_dims, 1)
        if old_dims == new_dims:
            return
        mine = {key[1] for key in keys}
        for state in self._stored.of_trace(trace_id):
            if state.span_id not in mine:
                self.rollups.add(state, old_dims, -1)
                self.rollups.add(state, new_dims, 1)
