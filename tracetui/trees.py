"""Which lines a trace has: its spans in pre-order, what is folded, what stands out. Pure functions over columns.

Lines are numbers, so that 100,000 spans cost a list of ints: n >= 0 is span n of the outline, ~n is the folded
line that stands for the infrastructure spans (http, db) of one parent, the first of which is span n.

What is odd about real traces is settled as `collector.tree` does it (a test holds the two together): ghosts for
missing parents, cycles cut, siblings by start, then id.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace

from collector.store.skeleton import ERROR, INFRA, RUNNING, Skeleton
from tracetui import format as fmt

NOWHERE = -1


@dataclass(slots=True)
class Noise:
    """The infrastructure spans below one parent, as their one line tells it. `total_ns` sums the uppermost;
    `closes` says that nothing else follows below that parent."""

    spans: int = 0
    total_ns: int = 0
    errors: int = 0
    start_ns: int = 0
    end_ns: int = 0
    kinds: set[str] = field(default_factory=set)
    closes: bool = True

    def add(self, start_ns: int, end_ns: int, mark: int, *, counts_time: bool) -> None:
        end_ns = start_ns if end_ns < 0 else end_ns
        self.start_ns = min(self.start_ns, start_ns) if self.spans else start_ns
        self.end_ns = max(self.end_ns, end_ns)
        self.spans += 1
        self.errors += mark >> 2 == ERROR
        self.kinds.add(INFRA[mark & 3])
        if counts_time:
            self.total_ns += end_ns - start_ns


@dataclass(slots=True)
class Outline:
    """A trace in pre-order. All columns run in parallel; span n is place `order[n]` of `spans`, a ghost (missing
    parent) has -1 there.

    `end[n]` is the index after the last descendant of n, `parent[n]` is -1 for roots, `last[n]` says that no
    sibling follows. `noise[n]`: n and everything below it is infrastructure. `critical[n]`: n is on the critical
    path, what the trace waited for.
    """

    spans: Skeleton = field(default_factory=Skeleton)
    ids: array[int] = field(default_factory=lambda: array("Q"))
    order: array[int] = field(default_factory=lambda: array("i"))
    depth: array[int] = field(default_factory=lambda: array("i"))
    parent: array[int] = field(default_factory=lambda: array("i"))
    end: array[int] = field(default_factory=lambda: array("i"))
    last: bytearray = field(default_factory=bytearray)
    noise: bytearray = field(default_factory=bytearray)
    critical: bytearray = field(default_factory=bytearray)
    noise_below: dict[int, Noise] = field(default_factory=dict)
    start_ns: int = 0
    end_ns: int = 0
    running: bool = False
    partial: bool = False

    def __len__(self) -> int:
        return len(self.ids)

    def has_children(self, index: int) -> bool:
        return self.end[index] > index + 1

    def is_ghost(self, index: int) -> bool:
        return self.order[index] < 0

    def status(self, index: int) -> int:
        """The place of its status in `skeleton.STATUSES`; -1 for a ghost."""
        at = self.order[index]
        return self.spans.marks[at] >> 2 if at >= 0 else NOWHERE

    def children(self, index: int) -> Iterator[int]:
        at, end = index + 1, self.end[index]
        while at < end:
            yield at
            at = self.end[at]

    def roots(self) -> Iterator[int]:
        at = 0
        while at < len(self.ids):
            yield at
            at = self.end[at]


def renewed(old: Outline, spans: Skeleton) -> Outline:
    """The outline of another state of the same trace. Where only ends and statuses changed, what stands is kept."""
    was = old.spans
    same = (was.ids, was.parents, was.starts_ns) == (spans.ids, spans.parents, spans.starts_ns)
    if old.partial or not same or was.marks.translate(_INFRA_OF) != spans.marks.translate(_INFRA_OF) or any(old.noise):
        return outline(spans)
    made = replace(old, spans=spans)
    _measure(made)
    _find_critical(made)
    return made


def outline(spans: Skeleton, *, partial: bool = False) -> Outline:
    """The outline of a trace. `partial`: there are more spans of it."""
    made = Outline(spans, partial=partial)
    _Family(spans).walk(made)
    _find_noise(made)
    _measure(made)
    _find_critical(made)
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


def _find_critical(made: Outline) -> None:
    """From the end backwards: a span waited for the child that ended last, before that for the one that ended
    last before this one began, and so on; the same within each of them. What runs ends later than all else;
    a child that outlives its parent was not waited for to its end."""
    made.critical = bytearray(len(made.ids))
    size, never = len(made.spans), 2**63
    starts, ends, marks = made.spans.starts_ns, made.spans.ends_ns, made.spans.marks

    def ended(index: int) -> int:
        at = made.order[index]
        return never if marks[at] >> 2 == RUNNING else max(ends[at], starts[at])

    waiting = [(index, never) for index in made.roots()] if size else []
    while waiting:
        index, until = waiting.pop()
        made.critical[index] = 1
        if not made.has_children(index):
            continue
        limit = until if made.is_ghost(index) else min(until, ended(index))
        below = [(min(ended(n), limit), starts[made.order[n]], n) for n in made.children(index) if not made.is_ghost(n)]
        until = limit
        for end_ns, start_ns, child in sorted(below, reverse=True):
            if end_ns <= until and start_ns < until:
                waiting.append((child, until))
                until = start_ns


def visible(trace: Outline, folded: Collection[int], opened_noise: Collection[int] = ()) -> Sequence[int]:
    """The rows on show: without what lies below `folded` spans, infrastructure as one line per parent unless
    the parent is in `opened_noise`. A lone infrastructure span is shown as it is."""
    if not folded and not trace.noise_below:
        return range(len(trace))
    rows: list[int] = []
    index, size = 0, len(trace)
    noise, end, parent, ids = trace.noise, trace.end, trace.parent, trace.ids
    done: set[int] = set()
    while index < size:
        above = parent[index]
        if noise[index] and above >= 0 and not noise[above] and ids[above] not in opened_noise:
            if above not in done:
                rows.append(~index if trace.noise_below[above].spans > 1 else index)
            done.add(above)
            index = end[index]
            continue
        rows.append(index)
        index = end[index] if ids[index] in folded else index + 1
    return rows


def line_of(lines: Sequence[int], index: int) -> int | None:
    """Where span `index` is among the rows on show, or the folded line that begins with it; None when hidden."""
    at = bisect_left(lines, index, key=lambda line: line if line >= 0 else ~line)
    return at if at < len(lines) and lines[at] in (index, ~index) else None


def unread(trace: Outline, lines: Sequence[int], known: Collection[int], first: int, last: int) -> list[int]:
    """The ids of the spans on the lines `first` to `last` that are not among the known ones."""
    shown = (line for line in lines[max(first, 0) : max(last, 0)] if line >= 0 and not trace.is_ghost(line))
    return [number for line in shown if (number := trace.ids[line]) not in known]


def guides(trace: Outline, index: int, glyphs: fmt.Glyphs, limit: int) -> str:
    """The tree lines in front of a span, two cells a level, the deepest `limit` levels of them."""
    if trace.depth[index] == 0:
        return ""
    signs = [(glyphs.elbow if trace.last[index] else glyphs.tee) + glyphs.dash]
    at = trace.parent[index]
    while at >= 0 and trace.depth[at] > 0 and len(signs) < limit:
        signs.append("  " if trace.last[at] else glyphs.pipe + " ")
        at = trace.parent[at]
    deeper = at >= 0 and trace.depth[at] > 0
    return ("… " if deeper else "") + "".join(reversed(signs))


def next_error(trace: Outline, index: int, step: int) -> int | None:
    """The nearest failed span after (step 1) or before (-1) `index`, going round; None when there is none."""
    return _next(trace, index, step, lambda at: trace.status(at) == ERROR)


def next_critical(trace: Outline, index: int, step: int) -> int | None:
    """The same for the innermost spans of the critical path: those that have none of it below them."""

    def innermost(at: int) -> bool:
        return bool(trace.critical[at]) and not any(trace.critical[child] for child in trace.children(at))

    return _next(trace, index, step, innermost)


def _next(trace: Outline, index: int, step: int, wanted: Callable[[int], bool]) -> int | None:
    size = len(trace)
    return next((at for far in range(1, size + 1) if wanted(at := (index + step * far) % size)), None)


def ancestors(trace: Outline, index: int) -> list[int]:
    """The spans above `index`, nearest first."""
    found: list[int] = []
    at = trace.parent[index]
    while at >= 0:
        found.append(at)
        at = trace.parent[at]
    return found
