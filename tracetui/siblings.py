"""How the children of a span share its time: its own time, the gaps between them, those that ran side by side. Pure.

Children come in the order of their starts, so that one walk over them is enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush

from collector.store.skeleton import RUNNING
from tracetui.outline import Outline

MOST_LANES = 5000
"""Children of a span with more than so many are not sorted into lanes: nobody could read them."""


def busy(trace: Outline, index: int, now_ns: int) -> Iterator[tuple[int, int]]:
    """The (start, end) in which at least one child ran, in order, within the span itself.

    Columns are read in place: a root may have 100,000 children, and is painted first of all.
    """
    begin, over = trace.start(index), trace.over(index, now_ns)
    order, after = trace.order, trace.end
    starts, ends, marks = trace.spans.starts_ns, trace.spans.ends_ns, trace.spans.marks
    from_ns = to_ns = -1
    child, last = index + 1, after[index]
    while child < last:
        at = order[child]
        child = after[child]
        if at < 0:
            continue
        start_ns, end_ns = starts[at], ends[at]
        if marks[at] >> 2 == RUNNING:
            end_ns = now_ns
        if end_ns > over:
            end_ns = over
        if start_ns < begin:
            start_ns = begin
        if end_ns <= start_ns:
            continue
        if start_ns > to_ns:
            if to_ns >= 0:
                yield from_ns, to_ns
            from_ns, to_ns = start_ns, end_ns
        elif end_ns > to_ns:
            to_ns = end_ns
    if to_ns >= 0:
        yield from_ns, to_ns


def self_ns(trace: Outline, index: int, now_ns: int) -> int:
    """How long a span ran with no child running; of a ghost 0."""
    if trace.is_ghost(index):
        return 0
    whole = trace.over(index, now_ns) - trace.start(index)
    return whole - sum(end - start for start, end in busy(trace, index, now_ns)) if trace.has_children(index) else whole


def greatest_self(trace: Outline, now_ns: int) -> tuple[int, int]:
    """(index, own time) of the first span with the most time of its own; (-1, 0) where none has any. What nothing
    lies below is read in place: that is nearly all of 100,000 spans."""
    best, most_ns = -1, 0
    starts, ends, marks = trace.spans.starts_ns, trace.spans.ends_ns, trace.spans.marks
    for index, (at, after) in enumerate(zip(trace.order, trace.end, strict=True)):
        if at < 0:
            continue
        whole = (now_ns if marks[at] >> 2 == RUNNING else ends[at]) - starts[at]
        if whole > most_ns and (after == index + 1 or (whole := self_ns(trace, index, now_ns)) > most_ns):
            best, most_ns = index, whole
    return best, most_ns


def gaps(trace: Outline, index: int, now_ns: int) -> Iterator[tuple[int, int]]:
    """The (start, end) in which a span with children had none running."""
    if trace.is_ghost(index) or not trace.has_children(index):
        return
    at = trace.start(index)
    for start_ns, end_ns in busy(trace, index, now_ns):
        if start_ns > at:
            yield at, start_ns
        at = end_ns
    if trace.over(index, now_ns) > at:
        yield at, trace.over(index, now_ns)


def longest_gap(trace: Outline, now_ns: int) -> tuple[int, int, int] | None:
    """(index, start, end) of the longest time in which a span with children had none of them running."""
    found: tuple[int, int, int] | None = None
    for index, after in enumerate(trace.end):
        if after == index + 1:
            continue
        for start_ns, end_ns in gaps(trace, index, now_ns):
            if found is None or end_ns - start_ns > found[2] - found[1]:
                found = index, start_ns, end_ns
    return found


def lanes(trace: Outline, index: int, now_ns: int) -> dict[int, int]:
    """The children of a span that ran beside another, each with the lane (from 1) that was free when it began.

    A lane is taken until its span is over; a child alone in its time is not in the result. -1 for the roots.
    """
    listed = trace.children(index) if index >= 0 else trace.roots()
    children = [child for child in listed if not trace.is_ghost(child)]
    if not 1 < len(children) <= MOST_LANES:
        return {}
    taken: list[tuple[int, int]] = []  # (until, lane)
    free: list[int] = []
    lane_of: dict[int, int] = {}
    beside: set[int] = set()
    latest = -1  # the child that ends last so far
    for child in children:
        start_ns = trace.start(child)
        while taken and taken[0][0] <= start_ns:
            heappush(free, heappop(taken)[1])
        if taken:
            beside.update((child, latest))
        lane_of[child] = heappop(free) if free else len(taken) + 1
        heappush(taken, (trace.over(child, now_ns), lane_of[child]))
        if latest < 0 or trace.over(child, now_ns) > trace.over(latest, now_ns):
            latest = child
    return {child: lane for child, lane in lane_of.items() if child in beside}


MOST_GAPS = 2000
"""A gap shorter than such a part of its span is not drawn."""
ENDLESS = 2**62


class Shares:
    """The same of one outline, worked out once for each span; while the trace runs, again when a moment has passed."""

    def __init__(self, trace: Outline) -> None:
        self.trace = trace
        self._known: dict[int, tuple[int, int, tuple[tuple[int, int], ...]]] = {}
        self._lanes: dict[int, dict[int, int]] = {}

    def _of(self, index: int, now_ns: int) -> tuple[int, int, tuple[tuple[int, int], ...]]:
        """(when it was worked out, own time, longer gaps) of a span with children."""
        known = self._known.get(index)
        if known is not None and (not self.trace.running or now_ns - known[0] < self._patience(index)):
            return known
        least = (self.trace.over(index, now_ns) - self.trace.start(index)) // MOST_GAPS
        own, longer = 0, []
        for start_ns, end_ns in gaps(self.trace, index, now_ns):
            own += end_ns - start_ns
            if end_ns - start_ns > least:
                longer.append((start_ns, end_ns))
        known = self._known[index] = now_ns, own, tuple(longer)
        return known

    def _patience(self, index: int) -> int:
        """For how many nanoseconds an answer about a running trace does: the longer the more there is to go through."""
        return 10_000 * (self.trace.end[index] - index)

    def self_ns(self, index: int, now_ns: int) -> int:
        if not self.trace.has_children(index):
            return self_ns(self.trace, index, now_ns)
        return self._of(index, now_ns)[1]

    def gaps(self, index: int, now_ns: int) -> tuple[tuple[int, int], ...]:
        """The longer gaps of a span."""
        return self._of(index, now_ns)[2] if self.trace.has_children(index) else ()

    def lane(self, index: int) -> int:
        """The lane of a span that ran beside a sibling, else 0. What runs still is taken to run for ever."""
        above = self.trace.parent[index]
        if above not in self._lanes:
            self._lanes[above] = lanes(self.trace, above, ENDLESS)
        return self._lanes[above].get(index, 0)
