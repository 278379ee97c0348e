"""Where the bars of a trace lie and how its ruler is marked: pure functions over nanoseconds and cells."""

from __future__ import annotations

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


def ticks(total_ns: int, width: int, room: int = 9) -> list[tuple[int, str]]:
    """(cell, label) for a ruler over `total_ns`: round steps, at least `room` cells apart, none over the edge."""
    if width <= 0 or total_ns <= 0:
        return []
    step = next((step for step in STEPS_NS if step * width >= room * total_ns), STEPS_NS[-1])
    marks = []
    for index in range(total_ns // step + 1):
        label = _tick(index * step)
        cell = index * step * width // total_ns
        if cell + len(label) > width or index > width:
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
        return f"{ns / SECOND:g}s"
    return f"{ns // 1_000_000}ms" if ns % 1_000_000 == 0 else f"{ns / 1000:g}µs"


def ruler(total_ns: int, width: int) -> str:
    """The ticks as one line of `width` cells."""
    text = ""
    for cell, label in ticks(total_ns, width):
        text = text.ljust(cell) + label
    return text.ljust(width)[: max(width, 0)]


def grown_view(start_ns: int, end_ns: int, now_ns: int, running: bool) -> tuple[int, int]:
    """The (start, end) to show. While something runs the end moves in steps of a fifth, not with every tick,
    so that only the bars that grow need painting."""
    if not running or now_ns <= end_ns:
        return start_ns, max(end_ns, start_ns + 1)
    edge = SECOND // 5
    while start_ns + edge < now_ns:
        edge += max(edge // 5, 1)
    return start_ns, max(start_ns + edge, end_ns)
