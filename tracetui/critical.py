"""The critical path: what a trace waited for, and how long. Pure."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from collector.store.skeleton import RUNNING
from tracetui.outline import Outline


def find_critical(made: Outline) -> None:
    """From the end backwards: a span waited for the child that ended last, before that for the one that ended
    last before this one began, and so on; the same within each of them. What runs ends later than all else;
    a child that outlives its parent was not waited for to its end."""
    made.critical = bytearray(len(made.ids))
    made.waited_ns = array("q", [0]) * len(made.ids)
    size, never = len(made.spans), 2**63 - 1
    starts, ends, marks = made.spans.starts_ns, made.spans.ends_ns, made.spans.marks

    def ended(index: int) -> int:
        at = made.order[index]
        return never if marks[at] >> 2 == RUNNING else max(ends[at], starts[at])

    waiting = [(index, never) for index in made.roots()] if size else []
    while waiting:
        index, until = waiting.pop()
        made.critical[index] = 1
        is_ghost = made.is_ghost(index)
        limit = until if is_ghost else min(until, ended(index))
        edge = min(limit, made.end_ns)
        own = 0 if is_ghost else edge - starts[made.order[index]]
        if made.has_children(index):
            below = [
                (min(ended(n), limit), starts[made.order[n]], n) for n in made.children(index) if not made.is_ghost(n)
            ]
            until = limit
            for end_ns, start_ns, child in sorted(below, reverse=True):
                if end_ns <= until and start_ns < until:
                    waiting.append((child, until))
                    own -= min(end_ns, edge) - start_ns
                    until = start_ns
        made.waited_ns[index] = max(own, 0)


def waited_by_kind(trace: Outline, kinds: Sequence[str], spans: range | None = None) -> list[tuple[str, int]]:
    """(kind, nanoseconds) of the critical path, the longest first. `kinds` has one for every span of the outline.
    `spans`: only within these."""
    sums: dict[str, int] = {}
    for index in range(len(trace)) if spans is None else spans:
        if trace.waited_ns[index]:
            kind = kinds[index]
            sums[kind] = sums.get(kind, 0) + trace.waited_ns[index]
    return sorted(sums.items(), key=lambda item: (-item[1], item[0]))
