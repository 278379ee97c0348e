"""How the children of a span share its time: its own time, the gaps between them, those that ran side by side. Pure.

Children come in the order of their starts, so that one walk over them is enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush

from tracetui.outline import Outline

MOST_LANES = 5000
"""Children of a span with more than so many are not sorted into lanes: nobody could read them."""


def busy(trace: Outline, index: int, now_ns: int) -> Iterator[tuple[int, int]]:
    """The (start, end) in which at least one child ran, in order, within the span itself."""
    begin, end = trace.start(index), trace.over(index, now_ns)
    from_ns = to_ns = -1
    for child in trace.children(index):
        if trace.is_ghost(child):
            continue
        start_ns, end_ns = max(trace.start(child), begin), min(trace.over(child, now_ns), end)
        if end_ns <= start_ns:
            continue
        if to_ns < 0:
            from_ns, to_ns = start_ns, end_ns
        elif start_ns > to_ns:
            yield from_ns, to_ns
            from_ns, to_ns = start_ns, end_ns
        else:
            to_ns = max(to_ns, end_ns)
    if to_ns >= 0:
        yield from_ns, to_ns


def self_ns(trace: Outline, index: int, now_ns: int) -> int:
    """How long a span ran with no child running; of a ghost 0."""
    if trace.is_ghost(index):
        return 0
    whole = trace.over(index, now_ns) - trace.start(index)
    return whole - sum(end - start for start, end in busy(trace, index, now_ns)) if trace.has_children(index) else whole


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
    for index in range(len(trace)):
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
    """The same of one outline, worked out once for each span and kept while that does not run."""

    def __init__(self, trace: Outline) -> None:
        self.trace = trace
        self._own: dict[int, int] = {}
        self._gaps: dict[int, tuple[tuple[int, int], ...]] = {}
        self._lanes: dict[int, dict[int, int]] = {}

    def self_ns(self, index: int, now_ns: int) -> int:
        if self.trace.running:
            return self_ns(self.trace, index, now_ns)
        if index not in self._own:
            self._own[index] = self_ns(self.trace, index, now_ns)
        return self._own[index]

    def gaps(self, index: int, now_ns: int) -> tuple[tuple[int, int], ...]:
        """The longer gaps of a span."""
        known = self._gaps.get(index)
        if known is None or self.trace.running:
            least = (self.trace.over(index, now_ns) - self.trace.start(index)) // MOST_GAPS
            known = tuple(gap for gap in gaps(self.trace, index, now_ns) if gap[1] - gap[0] > least)
            self._gaps[index] = known
        return known

    def lane(self, index: int) -> int:
        """The lane of a span that ran beside a sibling, else 0. What runs still is taken to run for ever."""
        above = self.trace.parent[index]
        if above not in self._lanes:
            self._lanes[above] = lanes(self.trace, above, ENDLESS)
        return self._lanes[above].get(index, 0)
