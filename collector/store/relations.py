"""Which spans count: the counting rule applied to a batch and to what it touches in the file.

`settle` marks, on the states of a batch, `below` (a descendant carries usage) and `counted`, and loads
and marks the stored spans for which the batch changes the answer, in whatever trace they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol

from collector.conventions.calls import all_ways
from collector.store.counting import OVERLAP_NS, counts_alone, owner_counts, same_calls
from collector.store.state import SpanState

SpanKey = tuple[str, str]


class StoredSpans(Protocol):
    """What the rule needs of the file. Every answer is a fresh state that may be changed."""

    def one(self, trace_id: str, span_id: str) -> SpanState | None: ...
    def of_trace(self, trace_id: str) -> list[SpanState]: ...
    def of_same(self, answers: Iterable[tuple[str, int, int]], call_keys: Iterable[str]) -> list[SpanState]: ...
    def usage_below(self, trace_id: str, parent_ids: Iterable[str]) -> set[str]: ...


class Relations:
    """The spans at hand: `now` as they will be, `was` as the file has them (None for new ones)."""

    def __init__(self, stored: StoredSpans, known_traces: set[str]) -> None:
        self.stored = stored
        self.known_traces = known_traces
        self.now: dict[SpanKey, SpanState] = {}
        self.was: dict[SpanKey, SpanState | None] = {}
        self._missing: set[SpanKey] = set()

    def put(self, old: SpanState | None, new: SpanState) -> None:
        key = (new.trace_id, new.span_id)
        self.now[key] = new
        self.was[key] = old

    def settle(self) -> list[SpanKey]:
        """Apply the rule. Returns the keys of stored spans outside the batch that changed."""
        batch = list(self.now.items())
        own = {key for key, _ in batch}
        moved = {key[0] for key, new in batch if self._has_moved(key, new)}
        for trace_id in moved:
            self._restart(trace_id)
        self._find_below([(key, new) for key, new in batch if key[0] not in moved])
        for key, new in list(self.now.items()):
            if key in own and (new.below or new.carries_usage):
                self._tell_ancestors(new)
        self._count()
        return [key for key in self.now if self._touched(key) and key not in own]

    def _has_moved(self, key: SpanKey, new: SpanState) -> bool:
        old = self.was[key]
        return old is not None and old.parent_id is not None and old.parent_id != new.parent_id

    def _restart(self, trace_id: str) -> None:
        """A span changed its parent: nothing remembered of this trace's descent holds."""
        for state in self.stored.of_trace(trace_id):
            self._take(state)
        for key, state in self.now.items():
            if key[0] == trace_id:
                state.below = 0
        for key, state in list(self.now.items()):
            if key[0] == trace_id and state.carries_usage:
                self._tell_ancestors(state)

    def _find_below(self, batch: list[tuple[SpanKey, SpanState]]) -> None:
        """A new span may come after its children."""
        late: dict[str, list[str]] = {}
        for key, new in batch:
            old = self.was[key]
            if old is not None:
                new.below = old.below
            elif key[0] in self.known_traces:
                late.setdefault(key[0], []).append(key[1])
        for trace_id, span_ids in late.items():
            for span_id in self.stored.usage_below(trace_id, span_ids):
                self.now[trace_id, span_id].below = 1

    def _tell_ancestors(self, span: SpanState) -> None:
        """Mark all above a span. Whoever is marked has all its ancestors marked: so stop there (cycles end too)."""
        parent = self._parent(span)
        while parent is not None and not parent.below:
            parent.below = 1
            parent = self._parent(parent)

    def _parent(self, span: SpanState) -> SpanState | None:
        trace_id, span_id = span.trace_id, span.parent_id
        if span_id is None or span_id == span.span_id:
            return None
        key = (trace_id, span_id)
        found = self.now.get(key)
        if found is None and trace_id in self.known_traces and key not in self._missing:
            stored = self.stored.one(trace_id, span_id)
            if stored is None:
                self._missing.add(key)
                return None
            found = self._take(stored)
        return found

    def _take(self, state: SpanState) -> SpanState:
        key = (state.trace_id, state.span_id)
        if key not in self.now:
            self.now[key] = state
            self.was[key] = replace(state)
        return self.now[key]

    def _count(self) -> None:
        self._find_same()
        for state in self.now.values():
            state.counted = int(counts_alone(state))
        for call in same_calls(self.now.values()):
            if len(call) > 1:
                for at, span in enumerate(call):
                    self.now[span.trace_id, span.span_id].counted = int(at == 0 and owner_counts(span))

    def _find_same(self) -> None:
        """Load all that may report a call of those at hand, and what those share with others again. Of an answer's id
        only what lies near enough in time: servers that play a provider give all their answers one."""
        reach: dict[str, tuple[int, int]] = {}
        keys: set[str] = set()
        fresh = [*self.now.values(), *(old for old in self.was.values() if old is not None)]
        while fresh:
            wider = _widened(reach, fresh)
            more_keys = {key for state in fresh if state.call_key for key in all_ways(state.call_key)} - keys
            keys |= more_keys
            fresh = []
            if wider or more_keys:
                near = [(name, reach[name][0] - OVERLAP_NS, reach[name][1] + OVERLAP_NS) for name in sorted(wider)]
                for state in self.stored.of_same(near, sorted(more_keys)):
                    if (state.trace_id, state.span_id) not in self.now:
                        fresh.append(self._take(state))

    def _touched(self, key: SpanKey) -> bool:
        old, new = self.was[key], self.now[key]
        return old is not None and (old.counted, old.below) != (new.counted, new.below)


def _widened(reach: dict[str, tuple[int, int]], spans: Iterable[SpanState]) -> set[str]:
    """Widen the times in which spans of each answer's id lie, and name those of which more may be within reach now."""
    wider: set[str] = set()
    for span in spans:
        if span.response_id and span.start_ns is not None:
            end = span.start_ns if span.end_ns is None else max(span.start_ns, span.end_ns)
            low, high = reach.get(span.response_id, (span.start_ns, end))
            now = min(low, span.start_ns), max(high, end)
            if reach.get(span.response_id) != now:
                reach[span.response_id] = now
                wider.add(span.response_id)
    return wider
