"""Where the bars of a trace lie and how its ruler is marked: pure functions over nanoseconds and cells."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate

SECOND = 1_000_000_000


def bar_cells(start_ns: int, end_ns: int, view: tuple[int, int], width: int) -> tuple[int, int]:
    """Return (first, last + 1), the terminal cells a bar covers.

    Times are Unix nanoseconds, `view` is the visible (start, end). A span in view gets at least one cell, so a
    2 ms tool call does not vanish beside a 40 s generation; one out of view gets (0, 0).
    """
    view_start, view_end = view
    if width <= 0 or end_ns < view_start or start_ns > view_end:
        return 0, 0
    total = max(view_end - view_start, 1)
    first = min(max((start_ns - view_start) * width // total, 0), width - 1)
    last = -(-(min(end_ns, view_end) - view_start) * width // total)
    return first, min(max(last, first + 1), width)


STEPS_NS = tuple(
    step * unit
    for unit, steps in (
        (1_000, (1, 2, 5, 10, 20, 50, 100, 200, 500)),
        (1_000_000, (1, 2, 5, 10, 20, 50, 100, 200, 500)),
        (SECOND, (1, 2, 5, 10, 15, 30)),
        (60 * SECOND, (1, 2, 5, 10, 15, 30)),
        (3600 * SECOND, (1, 2, 4, 12)),
        (86_400 * SECOND, (1, 2, 7, 30, 365)),
    )
    for step in steps
)


def ticks(total_ns: int, width: int, room: int = 9, from_ns: int = 0) -> list[tuple[int, str]]:
    """(cell, label) for a ruler over `total_ns`: round steps, at least `room` cells apart, none over the edge.
    `from_ns` is what the clock of the labels shows at the left edge."""
    if width <= 0 or total_ns <= 0:
        return []
    step = next((step for step in STEPS_NS if step * width >= room * total_ns), STEPS_NS[-1])
    marks = []
    first = -(-from_ns // step)
    for index in range(first, first + min(total_ns // step + 1, width + 1)):
        label = _tick(index * step)
        cell = (index * step - from_ns) * width // total_ns
        if cell + len(label) > width:
            break
        marks.append((cell, label))
    return marks


def _tick(ns: int) -> str:
    for size, unit in ((86_400 * SECOND, "d"), (3600 * SECOND, "h"), (60 * SECOND, "m"), (SECOND, "s")):
        if ns and ns % size == 0:
            return f"{ns // size}{unit}"
    if ns == 0:
        return "0"
    if ns >= SECOND:
        return f"{ns / SECOND:.6f}".rstrip("0").rstrip(".") + "s"
    return f"{ns // 1_000_000}ms" if ns % 1_000_000 == 0 else f"{ns / 1000:g}µs"


def ruler(total_ns: int, width: int, from_ns: int = 0) -> str:
    """The ticks as one line of `width` cells. Labels zoomed in to are longer, so that they need more room."""
    text = ""
    room = 9
    while any(len(label) + 2 > room for _, label in ticks(total_ns, width, room, from_ns)) and room < width:
        room += 3
    for cell, label in ticks(total_ns, width, room, from_ns):
        text = text.ljust(cell) + label
    return text.ljust(width)[: max(width, 0)]


LEAST_NS = 1_000
"""No view is shorter: a microsecond."""


def zoomed(view: tuple[int, int], whole: tuple[int, int], at_ns: int, *, closer: bool) -> tuple[int, int] | None:
    """Half the view, or twice as much of it, with the moment `at_ns` staying where it is; within `whole`. None when
    that is all there is, but for what halves lost by rounding."""
    start_ns, end_ns = view
    length = end_ns - start_ns
    at_ns = min(max(at_ns, start_ns), end_ns)
    wanted = max(length // 2, LEAST_NS) if closer else length * 2
    if wanted + wanted // 100 >= whole[1] - whole[0]:
        return None
    begin = at_ns - (at_ns - start_ns) * wanted // max(length, 1)
    return _within((begin, begin + wanted), whole)


def panned(view: tuple[int, int], whole: tuple[int, int], share: float) -> tuple[int, int]:
    """The view moved by a share of its own length, not out of `whole`."""
    by = int((view[1] - view[0]) * share)
    return _within((view[0] + by, view[1] + by), whole)


def _within(view: tuple[int, int], whole: tuple[int, int]) -> tuple[int, int]:
    length = view[1] - view[0]
    begin = max(min(view[0], whole[1] - length), whole[0])
    return begin, begin + length


def cell_time(cell: int, view: tuple[int, int], width: int) -> int:
    """The moment in the middle of a cell."""
    return view[0] + (2 * cell + 1) * (view[1] - view[0]) // max(2 * width, 1)


def full_cells(start_ns: int, end_ns: int, view: tuple[int, int], width: int) -> tuple[int, int]:
    """(first, last + 1), the cells that lie within a time from edge to edge; (0, 0) when none does."""
    total = max(view[1] - view[0], 1)
    first = -(-(max(start_ns, view[0]) - view[0]) * width // total)
    last = (min(end_ns, view[1]) - view[0]) * width // total
    return (first, last) if last > first else (0, 0)


def density(spans: Iterable[tuple[int, int]], whole: tuple[int, int], width: int) -> list[int]:
    """How many of the (start, end) cover each of `width` cells of the whole time."""
    edges = [0] * (width + 1)
    for start_ns, end_ns in spans:
        first, last = bar_cells(start_ns, end_ns, whole, width)
        edges[first] += 1
        edges[last] -= 1
    return list(accumulate(edges[:width]))


def grown_view(start_ns: int, end_ns: int, now_ns: int, running: bool) -> tuple[int, int]:
    """The (start, end) to show. While something runs the end moves in steps of a fifth, not with every tick,
    so that only the bars that grow need painting."""
    if not running or now_ns <= end_ns:
        return start_ns, max(end_ns, start_ns + 1)
    edge = SECOND // 5
    while start_ns + edge < now_ns:
        edge += max(edge // 5, 1)
    return start_ns, max(start_ns + edge, end_ns)
