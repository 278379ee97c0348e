"""Which lines a tree has: what is folded, what is left out, and where one gets from a span. Pure.

Lines are numbers, so that 100,000 spans cost a list of ints: n >= 0 is span n of the outline, ~n is the folded
line that stands for the infrastructure spans (http, db) of one parent, the first of which is span n.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Sequence

from collector.store.skeleton import ERROR
from tracetui import format as fmt
from tracetui.outline import NOWHERE, Outline


def visible(
    trace: Outline,
    folded: Collection[int],
    opened_noise: Collection[int] = (),
    *,
    root: int = NOWHERE,
    only: Collection[int] | None = None,
) -> Sequence[int]:
    """The rows on show: without what lies below `folded` spans, infrastructure as one line per parent unless
    the parent is in `opened_noise`. A lone infrastructure span is shown as it is.

    `root`: only that span and what lies below it. `only`: these spans and those above them, nothing is folded.
    """
    first, size = (0, len(trace)) if root < 0 else (root, trace.end[root])
    if only is not None:
        return with_ancestors(trace, (index for index in only if first <= index < size), root)
    if not folded and not trace.noise_below:
        return range(first, size)
    rows: list[int] = []
    index = first
    noise, end, parent, ids = trace.noise, trace.end, trace.parent, trace.ids
    done: set[int] = set()
    while index < size:
        above = parent[index]
        if noise[index] and index != root and above >= 0 and not noise[above] and ids[above] not in opened_noise:
            if above not in done:
                rows.append(~index if trace.noise_below[above].spans > 1 else index)
            done.add(above)
            index = end[index]
            continue
        rows.append(index)
        index = end[index] if ids[index] in folded else index + 1
    return rows


def with_ancestors(trace: Outline, spans: Iterable[int], root: int = NOWHERE) -> list[int]:
    """The spans and all above them, up to `root`, in the order of the tree."""
    kept: set[int] = set() if root < 0 else {root}
    for index in spans:
        at = index
        while at >= 0 and at not in kept:
            kept.add(at)
            at = trace.parent[at]
    return sorted(kept)


def line_of(lines: Sequence[int], index: int) -> int | None:
    """Where span `index` is among the rows on show, or the folded line that begins with it; None when hidden."""
    at = bisect_left(lines, index, key=lambda line: line if line >= 0 else ~line)
    return at if at < len(lines) and lines[at] in (index, ~index) else None


def unread(trace: Outline, lines: Sequence[int], known: Collection[int], first: int, last: int) -> list[int]:
    """The ids of the spans on the lines `first` to `last` that are not among the known ones."""
    shown = (line for line in lines[max(first, 0) : max(last, 0)] if line >= 0 and not trace.is_ghost(line))
    return [number for line in shown if (number := trace.ids[line]) not in known]


def guides(trace: Outline, index: int, glyphs: fmt.Glyphs, limit: int, top: int = 0) -> str:
    """The tree lines in front of a span, two cells a level, the deepest `limit` levels of them. `top` is the depth
    of what stands at the margin."""
    if trace.depth[index] <= top:
        return ""
    signs = [(glyphs.elbow if trace.last[index] else glyphs.tee) + glyphs.dash]
    at = trace.parent[index]
    while at >= 0 and trace.depth[at] > top and len(signs) < limit:
        signs.append("  " if trace.last[at] else glyphs.pipe + " ")
        at = trace.parent[at]
    deeper = at >= 0 and trace.depth[at] > top
    return ("… " if deeper else "") + "".join(reversed(signs))


def next_error(trace: Outline, index: int, step: int) -> int | None:
    """The nearest failed span after (step 1) or before (-1) `index`, going round; None when there is none."""
    return _next(trace, index, step, lambda at: trace.status(at) == ERROR)


def next_critical(trace: Outline, index: int, step: int) -> int | None:
    """The same for the innermost spans of the critical path: those that have none of it below them."""

    def innermost(at: int) -> bool:
        return bool(trace.critical[at]) and not any(trace.critical[child] for child in trace.children(at))

    return _next(trace, index, step, innermost)


def next_of(trace: Outline, index: int, step: int, ids: Collection[int]) -> int | None:
    """The same for spans with one of these ids."""
    return _next(trace, index, step, lambda at: trace.ids[at] in ids) if ids else None


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
