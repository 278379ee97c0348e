"""A trace as columns in the order of its tree: what everything about its spans is worked out from. Pure."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field

from collector.store.skeleton import ERROR, INFRA, RUNNING, Skeleton

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
    path, what the trace waited for; `waited_ns[n]` is how long for n itself, and not for what n waited for.
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
    waited_ns: array[int] = field(default_factory=lambda: array("q"))
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

    def start(self, index: int) -> int:
        """When a span began; a ghost, when the first below it did."""
        at = self.order[index]
        return self.spans.starts_ns[at if at >= 0 else self.order[index + 1]]

    def over(self, index: int, now_ns: int) -> int:
        """When a span ended: `now_ns` while it runs, its start where no end is known, the last end below a ghost."""
        at = self.order[index]
        if at < 0:
            return max((self.over(child, now_ns) for child in self.children(index)), default=0)
        if self.spans.marks[at] >> 2 == RUNNING:
            return max(now_ns, self.spans.starts_ns[at])
        return max(self.spans.ends_ns[at], self.spans.starts_ns[at])

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
