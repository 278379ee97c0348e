"""Which rows a trace has and where its bars lie: pure functions over the spans in pre-order.

Rows are numbers, so that 100,000 spans cost a list of ints: n >= 0 is span n of the outline, ~n is the folded
line that stands for the infrastructure spans (http, db) of one parent, the first of which is span n.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from collector import tree
from collector.store.rows import SpanRow
from tracetui import format as fmt

INFRA = frozenset({"http", "db"})
SECOND = 1_000_000_000


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

    def add(self, row: SpanRow, *, counts_time: bool) -> None:
        end_ns = row.start_ns if row.end_ns is None else row.end_ns
        self.start_ns = min(self.start_ns, row.start_ns) if self.spans else row.start_ns
        self.end_ns = max(self.end_ns, end_ns)
        self.spans += 1
        self.errors += row.status == "error"
        self.kinds.add(row.kind)
        if counts_time:
            self.total_ns += end_ns - row.start_ns


@dataclass(slots=True)
class Outline:
    """A trace in pre-order. All lists run in parallel; a ghost (missing parent) has a row of None.

    `end[n]` is the index after the last descendant of n, `parent[n]` is -1 for roots, `last[n]` says that no
    sibling follows. `noise[n]`: n and everything below it is infrastructure.
    """

    ids: list[str] = field(default_factory=list)
    rows: list[SpanRow | None] = field(default_factory=list)
    depth: list[int] = field(default_factory=list)
    parent: list[int] = field(default_factory=list)
    end: list[int] = field(default_factory=list)
    last: bytearray = field(default_factory=bytearray)
    noise: bytearray = field(default_factory=bytearray)
    noise_below: dict[int, Noise] = field(default_factory=dict)
    start_ns: int = 0
    end_ns: int = 0
    running: bool = False
    partial: bool = False

    def __len__(self) -> int:
        return len(self.ids)

    def has_children(self, index: int) -> bool:
        return self.end[index] > index + 1


def outline(rows: Sequence[SpanRow], *, partial: bool = False) -> Outline:
    """The outline of a trace, from its spans in any order. `partial`: there are more of them."""
    made = Outline(partial=partial)
    path: list[int] = []
    for index, (span_id, row, depth, _) in enumerate(tree.build(rows)):
        made.ids.append(span_id)
        made.rows.append(row)
        made.depth.append(depth)
        del path[depth:]
        made.parent.append(path[-1] if path else -1)
        path.append(index)
    _close_subtrees(made)
    _find_noise(made)
    _measure(made)
    return made


def _close_subtrees(made: Outline) -> None:
    size = len(made.ids)
    depth = made.depth
    made.end = [size] * size
    made.last = bytearray(size)
    path: list[int] = []
    for index in range(size):
        while path and depth[path[-1]] >= depth[index]:
            made.end[path.pop()] = index
        path.append(index)
    for index, end in enumerate(made.end):
        made.last[index] = end == size or depth[end] < depth[index]


def _find_noise(made: Outline) -> None:
    """Backwards, so that children are known before their parents. Sums of noise go to the parent it folds into."""
    size = len(made.ids)
    made.noise = bytearray(b"\x01" * size)
    for index in range(size - 1, -1, -1):
        row = made.rows[index]
        made.noise[index] = made.noise[index] and row is not None and row.kind in INFRA
        if not made.noise[index] and made.parent[index] >= 0:
            made.noise[made.parent[index]] = 0
    top = -1  # the uppermost noisy span we are in
    for index in range(size):
        if not made.noise[index]:
            if made.parent[index] in made.noise_below:
                made.noise_below[made.parent[index]].closes = False
            continue
        if top < 0 or index >= made.end[top]:
            top = index
        row = made.rows[index]
        if row is not None and made.parent[top] >= 0:
            made.noise_below.setdefault(made.parent[top], Noise()).add(row, counts_time=index == top)


def _measure(made: Outline) -> None:
    rows = [row for row in made.rows if row is not None]
    if rows:
        made.start_ns = min(row.start_ns for row in rows)
        made.end_ns = max(row.start_ns if row.end_ns is None else row.end_ns for row in rows)
        made.running = any(row.status == "running" for row in rows)


def visible(trace: Outline, folded: Collection[str], opened_noise: Collection[str] = ()) -> list[int]:
    """The rows on show: without what lies below `folded` spans, infrastructure as one line per parent unless
    the parent is in `opened_noise`. A lone infrastructure span is shown as it is."""
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


def next_error(trace: Outline, index: int, step: int) -> int | None:
    """The nearest failed span after (step 1) or before (-1) `index`, going round; None when there is none."""
    size = len(trace)
    for distance in range(1, size + 1):
        at = (index + step * distance) % size
        row = trace.rows[at]
        if row is not None and row.status == "error":
            return at
    return None


def ancestors(trace: Outline, index: int) -> list[int]:
    """The spans above `index`, nearest first."""
    found: list[int] = []
    at = trace.parent[index]
    while at >= 0:
        found.append(at)
        at = trace.parent[at]
    return found


def cached_share(rows: Sequence[SpanRow | None]) -> float | None:
    """Cache reads over input tokens of the counted calls; None when nobody said."""
    reads = [row for row in rows if row is not None and row.counted and row.cache_read_tokens is not None]
    total = sum(row.input_tokens or 0 for row in reads)
    return sum(row.cache_read_tokens or 0 for row in reads) / total if total else None
