"""The tree of a trace from the bones of its spans.

What is odd about real traces is settled as `collector.tree` does it (a test holds the two together): ghosts for
missing parents, cycles cut, siblings by start, then id.
"""

from __future__ import annotations

from array import array
from dataclasses import replace

from collector.store.skeleton import RUNNING, Skeleton
from tracetui.critical import find_critical
from tracetui.outline import NOWHERE, Noise, Outline


def renewed(old: Outline, spans: Skeleton) -> Outline:
    """The outline of another state of the same trace. Where only ends and statuses changed, what stands is kept."""
    was = old.spans
    same = (was.ids, was.parents, was.starts_ns) == (spans.ids, spans.parents, spans.starts_ns)
    if old.partial or not same or was.marks.translate(_INFRA_OF) != spans.marks.translate(_INFRA_OF) or any(old.noise):
        return outline(spans)
    made = replace(old, spans=spans)
    _measure(made)
    find_critical(made)
    return made


def outline(spans: Skeleton, *, partial: bool = False) -> Outline:
    """The outline of a trace. `partial`: there are more spans of it."""
    made = Outline(spans, partial=partial)
    _Family(spans).walk(made)
    _find_noise(made)
    _measure(made)
    find_critical(made)
    return made


class _Family:
    """Who is whose child, as chains: `first[p]` is the first child of p, `following[c]` the sibling after c.

    Places from `len(spans)` on are ghosts, the very last one stands above all that has no parent.
    """

    def __init__(self, spans: Skeleton) -> None:
        self.spans = spans
        size = len(spans)
        place = {number: index for index, number in enumerate(spans.ids)}
        self.ghosts: list[int] = []
        self.parents = array("i", [0]) * size
        for index, number in enumerate(spans.parents):
            at = place.get(number, NOWHERE) if number else NOWHERE
            if number and at < 0:
                at = place[number] = size + len(self.ghosts)
                self.ghosts.append(number)
            self.parents[index] = NOWHERE if at == index else at
        self.top = size + len(self.ghosts)
        self.first = array("i", [NOWHERE]) * (self.top + 1)
        self.following = array("i", [NOWHERE]) * (self.top + 1)
        self.in_order = _by_start(spans)
        self._chain()

    def _chain(self) -> None:
        size, top = len(self.spans), self.top
        first, following, parents = self.first, self.following, self.parents
        latest = array("i", [NOWHERE]) * (top + 1)
        for index in self.in_order:
            parent = parents[index]
            if parent < 0:
                parent = top
            elif parent >= size and first[parent] < 0:  # a ghost stands where its earliest child does
                if latest[top] < 0:
                    first[top] = parent
                else:
                    following[latest[top]] = parent
                latest[top] = parent
            if latest[parent] < 0:
                first[parent] = index
            else:
                following[latest[parent]] = index
            latest[parent] = index

    def walk(self, made: Outline) -> None:
        """Fill the outline; then cut what only cycles reach, and go on from there."""
        size = len(self.spans)
        self._walk(made, self.first[self.top])
        if len(made) == size + len(self.ghosts):
            return
        placed = set(made.order)
        for index in self.in_order:
            if index in placed:
                continue
            cut = self._in_cycle(index)
            self._leave(cut)
            begin = len(made)
            if made.ids:
                made.last[max(made.roots())] = 0
            self._walk(made, cut)
            placed.update(made.order[begin:])

    def _walk(self, made: Outline, at: int) -> None:
        """Append `at`, its siblings and all below them."""
        size, first, following, ids = len(self.spans), self.first, self.following, self.spans.ids
        path: list[int] = []  # indexes in the outline
        places: list[int] = []
        while at >= 0 or path:
            if at < 0:
                made.end[path.pop()] = len(made.ids)
                at = following[places.pop()]
                continue
            index = len(made.ids)
            made.ids.append(ids[at] if at < size else self.ghosts[at - size])
            made.order.append(at if at < size else NOWHERE)
            made.depth.append(len(path))
            made.parent.append(path[-1] if path else NOWHERE)
            made.end.append(index + 1)
            made.last.append(following[at] < 0)
            if first[at] < 0:
                at = following[at]
            else:
                path.append(index)
                places.append(at)
                at = first[at]

    def _in_cycle(self, index: int) -> int:
        """The earliest span of the cycle that the parents of `index` lead into."""
        seen: dict[int, None] = {}
        while index not in seen:
            seen[index] = None
            index = self.parents[index]
        members = list(seen)
        cycle = members[members.index(index) :]
        return min(cycle, key=lambda at: (self.spans.starts_ns[at], self.spans.ids[at]))

    def _leave(self, child: int) -> None:
        """Take a span out of its parent's chain."""
        parent = self.parents[child]
        after = self.following[child]
        if self.first[parent] == child:
            self.first[parent] = after
        else:
            before = self.first[parent]
            while self.following[before] != child:
                before = self.following[before]
            self.following[before] = after
        self.following[child] = NOWHERE


def _by_start(spans: Skeleton) -> list[int]:
    """The places in the order of start, then id. Ids are compared where starts are equal only: seldom."""
    starts, ids = spans.starts_ns, spans.ids
    order = sorted(range(len(spans)), key=starts.__getitem__)
    begin, size = 0, len(order)
    for at in range(1, size + 1):
        if at < size and starts[order[at]] == starts[order[begin]]:
            continue
        if at - begin > 1:
            order[begin:at] = sorted(order[begin:at], key=ids.__getitem__)
        begin = at
    return order


def _find_noise(made: Outline) -> None:
    """Backwards, so that children are known before their parents. Sums of noise go to the parent it folds into."""
    size = len(made.ids)
    order, parent, end = made.order, made.parent, made.end
    made.noise = bytearray(size)
    marks = made.spans.marks
    if not marks.translate(_INFRA_OF).strip(b"\0"):
        return
    noise = made.noise = bytearray(b"\x01" * size)
    for index in range(size - 1, -1, -1):
        noise[index] = noise[index] and order[index] >= 0 and marks[order[index]] & 3 > 0
        if not noise[index] and parent[index] >= 0:
            noise[parent[index]] = 0
    top = -1  # the uppermost noisy span we are in
    for index in range(size):
        if not noise[index]:
            if parent[index] in made.noise_below:
                made.noise_below[parent[index]].closes = False
            continue
        if top < 0 or index >= end[top]:
            top = index
        if parent[top] >= 0:
            at = order[index]
            noisy = made.noise_below.setdefault(parent[top], Noise())
            noisy.add(made.spans.starts_ns[at], made.spans.ends_ns[at], marks[at], counts_time=index == top)


_INFRA_OF = bytes(code & 3 for code in range(256))
_IS_RUNNING = bytes(code >> 2 == RUNNING for code in range(256))


def _measure(made: Outline) -> None:
    spans = made.spans
    if len(spans):
        made.start_ns = min(spans.starts_ns)
        made.end_ns = max(*spans.ends_ns, max(spans.starts_ns))
        made.running = b"\x01" in spans.marks.translate(_IS_RUNNING)
