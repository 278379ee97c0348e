"""The critical path: what a trace waited for, and how long. Pure."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator

from collector.store.skeleton import RUNNING
from tracetui.outline import Outline

NEVER = 2**63 - 1


def find_critical(made: Outline) -> None:
    """From the end backwards: a span waited for the child that ended last, before that for the one that ended
    last before this one began, and so on; the same within each of them, and of the roots among each other. What runs
    ends later than all else; a child that outlives its parent was not waited for to its end."""
    made.critical = bytearray(len(made.ids))
    made.waited_ns = array("q", [0]) * len(made.ids)
    if not len(made.spans):
        return
    starts, ends, marks, order = made.spans.starts_ns, made.spans.ends_ns, made.spans.marks, made.order

    def ended(index: int) -> int:
        at = order[index]
        if at < 0:
            return max(map(ended, made.children(index)))
        return NEVER if marks[at] >> 2 == RUNNING else max(ends[at], starts[at])

    def chain(candidates: Iterator[int], limit: int) -> Iterator[tuple[int, int, int]]:
        """(span, until, start) of those waited for one after the other, up to `limit`."""
        known = [(min(ended(n), limit), starts[order[n]] if order[n] >= 0 else made.start(n), n) for n in candidates]
        until = limit
        for end_ns, start_ns, child in sorted(known, reverse=True):
            if end_ns <= until and start_ns < until:
                yield child, until, start_ns
                until = start_ns

    waiting = [(index, until, 0) for index, until, _ in chain(made.roots(), NEVER)]
    while waiting:
        index, until, since = waiting.pop()
        made.critical[index] = 1
        limit = min(until, ended(index))
        edge = min(limit, made.end_ns)
        since = max(since, starts[order[index]]) if order[index] >= 0 else since  # a clock may run ahead
        own = edge - since if order[index] >= 0 else 0
        if made.has_children(index):
            for child, child_until, start_ns in chain(made.children(index), limit):
                waiting.append((child, child_until, since))
                own -= max(min(ended(child), child_until, edge) - max(start_ns, since), 0)
        made.waited_ns[index] = max(own, 0)


def waits(trace: Outline, spans: Iterable[int], now_ns: int) -> Iterator[tuple[int, int]]:
    """(span, nanoseconds) of the critical path among some spans. What runs is waited for until now: the innermost."""

    def runs(index: int) -> bool:
        return bool(trace.critical[index]) and trace.status(index) == RUNNING

    for index in spans:
        waited = trace.waited_ns[index]
        if trace.running and runs(index) and not any(map(runs, trace.children(index))):
            waited += max(now_ns - trace.end_ns, 0)
        if waited:
            yield index, waited


def waited_by_kind(
    trace: Outline, kind: Callable[[int], str], spans: Iterable[int], now_ns: int
) -> list[tuple[str, int]]:
    """(kind, nanoseconds) of the critical path among some spans, the longest first."""
    sums: dict[str, int] = {}
    for index, waited in waits(trace, spans, now_ns):
        name = kind(index)
        sums[name] = sums.get(name, 0) + waited
    return sorted(sums.items(), key=lambda item: (-item[1], item[0]))
