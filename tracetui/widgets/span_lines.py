"""The lines of the waterfall: tree, numbers and bar of a span, what folds into one line, and the head. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from collector.store import skeleton
from collector.store.rows import SpanRow
from tracetui import branches, timeline, weights
from tracetui import format as fmt
from tracetui.critical import waited_by_kind, waits
from tracetui.outline import NOWHERE, Outline
from tracetui.siblings import Shares
from tracetui.weights import Weights
from tracetui.widgets.bars import minimap, span_bar
from tracetui.widgets.paint import Part, clip_parts, parts_width

DURATION = 8
SIZES = {"tokens": 8, "cost": 10, "self": 9}
"""Cells of the columns beside the duration, in this order."""
FROM_WIDTH = (70, 96, 108)
"""From so many cells on there is room for the first, second and third of them."""
FIRST = {"kind": ("tokens", "cost", "self"), "cost": ("cost", "tokens", "self"), "tokens": ("tokens", "cost", "self"),
         "self": ("self", "tokens", "cost")}  # fmt: skip
"""Which column comes first where there is not room for all: the one that the colours tell."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Cells of the tree, of all numbers and of the bar, and which numbers there are."""

    tree: int
    numbers: int
    bar: int
    shown: tuple[str, ...] = ()

    @property
    def bar_at(self) -> int:
        """The cell where the bars begin."""
        return self.tree + self.numbers + 3


def columns(width: int, heat: str = "kind") -> Columns:
    """What has room in `width` cells."""
    if width < 60:
        return Columns(width - DURATION - 2, DURATION, 0)
    wanted = FIRST[heat][: sum(width >= edge for edge in FROM_WIDTH)]
    shown = tuple(name for name in SIZES if name in wanted)
    numbers = DURATION + sum(SIZES[name] for name in shown)
    share = Fraction(1, 2) if width >= FROM_WIDTH[-1] else Fraction(2, 5)
    bar = max(int((width - numbers) * share), 14)
    return Columns(width - numbers - bar - 4, numbers, bar, shown)


@dataclass(slots=True)
class Scene:
    """What all lines are painted from. `view` is the time on show, `whole` all there is of it; `root` is the span
    that all lines lie below (-1: the trace). `weighed` is empty until somebody asked what spans cost; `most` is the
    greatest amount that the colours tell. `hits` counts what was found and `signals` has the kinds of what
    looks wrong, both by span id."""

    outline: Outline = field(default_factory=Outline)
    view: tuple[int, int] = (0, 1)
    whole: tuple[int, int] = (0, 1)
    root: int = NOWHERE
    heat: str = "kind"
    most: int = 0
    weighed: Weights = field(default_factory=Weights)
    shares: Shares = field(default_factory=lambda: Shares(Outline()))
    folded: Collection[int] = ()
    hits: Mapping[int, int] = field(default_factory=dict)
    signals: Mapping[int, list[str]] = field(default_factory=dict)
    now_ns: int = 0
    glyphs: fmt.Glyphs = fmt.UNICODE
    dense: tuple[int, list[int]] | None = None
    path: list[list[Part]] | None = None

    @property
    def top(self) -> int:
        """The depth of what stands at the margin."""
        return self.outline.depth[self.root] if self.root >= 0 else 0

    @property
    def spans(self) -> range:
        """The spans below the root, and itself."""
        return range(self.root, self.outline.end[self.root]) if self.root >= 0 else range(len(self.outline))

    @property
    def is_zoomed(self) -> bool:
        return self.view != self.whole


# The head.


def head_line(scene: Scene, width: int) -> list[Part]:
    """Titles, what the critical path is made of, and the ruler over the bars."""
    cols = columns(width, scene.heat)
    left = _head_left(scene, cols.tree)
    titles = "".join(name.upper().rjust(SIZES[name]) for name in cols.shown)
    gap = " " * (cols.tree - parts_width(left) + 1)
    end = "TIME".rjust(DURATION) + ("  " if cols.bar else "")
    ruler = timeline.ruler(scene.view[1] - scene.view[0], cols.bar, scene.view[0] - scene.outline.start_ns)
    return [
        *left,
        (gap + titles + end, "quiet"),
        (ruler, "quiet"),
    ]


def _head_left(scene: Scene, room: int) -> list[Part]:
    """How long the critical path is, what the colours tell, that this is a part of the trace; in short where there
    is not room. Then what else there is to say, as far as it fits whole."""
    path, *kinds = _path_parts(scene) or [[]]
    title: list[Part] = [("  SPAN", "quiet")]
    told, short, more = [*title, *path], [*path], kinds
    if scene.root >= 0:
        told.append(("  from here, u back", "accent"))
        short.append(("  u back", "accent"))
    if scene.heat != "kind":
        scale: list[Part] = [("  ", "text"), *((scene.glyphs.heat[n], f"heat-{n}") for n in range(1, weights.LEVELS))]
        what = "own time" if scene.heat == "self" else scene.heat
        told += [*scale, (f" {what} in colours", "accent")]
        short += [*scale, (f" {what}", "accent")]
        most = {"cost": fmt.money, "tokens": fmt.tokens, "self": fmt.duration}[scene.heat](scene.most)
        more = [[(f", at most {most}", "quiet")], *kinds] if scene.most else kinds
    left = next((one for one in (told, [*title, *short]) if parts_width(one) <= room), clip_parts(short, room))
    for unit in more:
        if parts_width(left) + parts_width(unit) > room:
            break
        left += unit
    return left


def _path_parts(scene: Scene) -> list[list[Part]]:
    """How long the critical path is, and where that time went once the kinds are known, a list for each."""
    if scene.path is None or scene.outline.running:
        trace, now_ns, spans = scene.outline, scene.now_ns, scene.spans
        total = sum(waited for _, waited in waits(trace, spans, now_ns))
        told: list[list[Part]] = [[("  path ", "quiet"), (fmt.duration(total), "quiet")]] if total else []
        if total and len(scene.weighed) == len(trace):
            for kind, waited in waited_by_kind(trace, scene.weighed.kind, spans, now_ns)[:3]:
                told.append([("  " + kind, kind), (f" {100 * waited // total}%", "quiet")])
        scene.path = told
    return scene.path


def map_line(scene: Scene, width: int) -> list[Part]:
    """While zoomed in: which part of the time is on show, and how much ran in the whole of it."""
    cols = columns(width, scene.heat)
    start_ns = scene.outline.start_ns
    begin, end = (fmt.duration(moment - start_ns) for moment in scene.view)
    told = f"  {begin} to {end} of {fmt.duration(scene.whole[1] - start_ns)}"
    left = clip_parts([(told, "accent"), ("  + - 0", "quiet")], cols.tree + cols.numbers)
    if not cols.bar:
        return left
    if scene.dense is None or scene.dense[0] != cols.bar:
        scene.dense = cols.bar, timeline.density(_leaves(scene), scene.whole, cols.bar)
    window = timeline.bar_cells(*scene.view, scene.whole, cols.bar)
    return [*left, (" " * (cols.bar_at - parts_width(left)), "text"), *minimap(scene.dense[1], window, scene.glyphs)]


MOST_LEAVES = 20_000


def _leaves(scene: Scene) -> list[tuple[int, int]]:
    """(start, end) of spans without children; of very many only so many as show the shape."""
    trace = scene.outline
    spans = scene.spans
    step = max(len(spans) // MOST_LEAVES, 1)
    return [(trace.start(n), trace.over(n, scene.now_ns)) for n in spans[::step] if not trace.has_children(n)]


# A span.


def span_line(scene: Scene, index: int, row: SpanRow | None, width: int, *, at_cursor: bool) -> list[Part]:
    """`row` is None for a ghost, and while it has not been read."""
    cols = columns(width, scene.heat)
    margin = _margin(scene, index, cols, at_cursor)
    label = _label(scene, index, row)
    if row is not None and parts_width(margin) + parts_width(label) > cols.tree:
        label = _label(scene, index, row, short=True)  # what looks wrong is not cut for a model's name
    left = clip_parts([*margin, *label], cols.tree)
    gap: Part = (" " * (cols.tree - parts_width(left) + 1), "text")
    if row is None:
        return [*left, gap, (" " * cols.numbers, "text")]
    numbers = _numbers(scene, index, row, cols)
    if not cols.bar:
        return [*left, gap, *numbers]
    return [*left, gap, *numbers, ("  ", "text"), *_bar(scene, index, row, cols.bar)]


def _margin(scene: Scene, index: int, cols: Columns, at_cursor: bool) -> list[Part]:
    guides = branches.guides(scene.outline, index, scene.glyphs, max(cols.tree // 5, 3), scene.top)
    return [(scene.glyphs.cursor + " " if at_cursor else "  ", "accent"), (guides, "faint")]


def _label(scene: Scene, index: int, row: SpanRow | None, *, short: bool = False) -> list[Part]:
    glyphs, outline = scene.glyphs, scene.outline
    span_id = outline.ids[index]
    folded = span_id in scene.folded
    if outline.has_children(index):
        fold: Part = (glyphs.closed if folded else glyphs.opened, "quiet")
    else:
        fold = (glyphs.dash if outline.depth[index] > scene.top else " ", "faint")
    if outline.is_ghost(index):
        return [fold, (f" {glyphs.ghost} ", "quiet"), ("not arrived: ", "quiet"), (skeleton.name(span_id), "quiet")]
    if row is None:
        return [fold, (f" {glyphs.dot} {fmt.ELLIPSIS}", "quiet")]
    parts: list[Part] = [
        fold,
        (" " + glyphs.kinds.get(row.kind, glyphs.dot) + " ", row.kind if row.kind in glyphs.kinds else "span"),
        (fmt.plain(row.name) or "(no name)", "error" if row.status == "error" else "text"),
    ]
    if span_id in scene.hits:
        parts.append((f" {glyphs.arrow}{fmt.count(scene.hits[span_id])}", "fresh"))
    if row.model and row.model not in row.name and not short:
        parts.append((" " + fmt.plain(row.model), "quiet"))
    if row.status != "ok":
        parts.append((" " + glyphs.states.get(row.status, "?"), row.status))
    if row.status == "abandoned":
        parts.append((" abandoned", "abandoned"))
    if kinds := [kind for kind in scene.signals.get(span_id, ()) if kind != "abandoned"]:
        more = f" +{len(kinds) - 1}" if len(kinds) > 1 else ""
        parts.append((f" {glyphs.warn} {kinds[0]}{more}", "abandoned"))
    lane = scene.shares.lane(index)
    if lane:
        parts.append((f" {glyphs.lane}{lane}", "quiet"))
    if folded:
        parts.append((f" +{outline.end[index] - index - 1}", "quiet"))
    return parts


def _numbers(scene: Scene, index: int, row: SpanRow, cols: Columns) -> list[Part]:
    parts = [_number(scene, name, index, row) for name in cols.shown]
    running = row.status == "running"
    end_ns = scene.now_ns if running else row.end_ns
    text = fmt.duration(None if end_ns is None else end_ns - row.start_ns, running=running)
    return [*parts, (text.rjust(DURATION), "running" if running else "text")]


def _number(scene: Scene, name: str, index: int, row: SpanRow) -> Part:
    if name == "tokens":
        known = row.input_tokens is not None or row.output_tokens is not None
        tokens = fmt.tokens((row.input_tokens or 0) + (row.output_tokens or 0)) if known else ""
        return tokens.rjust(SIZES[name]), "text" if row.counted else "quiet"
    if name == "cost":
        cost = "" if row.cost_nanousd is None else fmt.money(row.cost_nanousd)
        if row.cost_nanousd is None and row.input_tokens is not None:
            cost = fmt.UNKNOWN
        return cost.rjust(SIZES[name]), "text" if row.counted and row.cost_nanousd is not None else "quiet"
    if not scene.outline.has_children(index):  # as long as the span itself: nothing to tell
        return " " * SIZES[name], "quiet"
    return fmt.duration(scene.shares.self_ns(index, scene.now_ns)).rjust(SIZES[name]), "quiet"


def _bar(scene: Scene, index: int, row: SpanRow, width: int) -> list[Part]:
    heat = None
    if scene.heat != "kind" and (scene.heat == "self" or len(scene.weighed) == len(scene.outline)):
        if scene.heat == "self":
            amount = scene.shares.self_ns(index, scene.now_ns)
        else:
            amount = (scene.weighed.costs if scene.heat == "cost" else scene.weighed.tokens)[index]
        heat = weights.level(amount, scene.most)
    gaps = scene.shares.gaps(index, scene.now_ns)
    bright = bool(scene.outline.critical[index])
    return span_bar(row, scene.view, width, scene.now_ns, scene.glyphs, bright=bright, gaps=gaps, heat=heat)


def noise_line(scene: Scene, first: int, width: int, *, at_cursor: bool) -> list[Part]:
    """The infrastructure below one parent, the first of which is `first`."""
    cols = columns(width, scene.heat)
    noise = scene.outline.noise_below[scene.outline.parent[first]]
    marks = _margin(scene, first, cols, at_cursor)
    if noise.closes:
        text, role = marks[-1]
        marks = [*marks[:-1], (text[:-2] + scene.glyphs.elbow + scene.glyphs.dash, role)]
    left: list[Part] = [*marks, (f" +{fmt.count(noise.spans)} {' '.join(sorted(noise.kinds))}", "quiet")]
    if noise.errors:
        left.append((f" {scene.glyphs.states['error']}{noise.errors}", "error"))
    left = clip_parts(left, cols.tree)
    begin, end = timeline.bar_cells(noise.start_ns, noise.end_ns, scene.view, cols.bar)
    return [
        *left,
        (" " * (cols.tree - parts_width(left) + 1), "text"),
        (fmt.duration(noise.total_ns).rjust(cols.numbers), "quiet"),
        ("  " + " " * begin + scene.glyphs.infra * (end - begin), "faint"),
    ]
