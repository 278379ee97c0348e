"""A trace as a tree and a waterfall, both in one line per span."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from textual import events
from textual.geometry import Region
from textual.strip import Strip

from collector.store import skeleton
from tracetui import branches, timeline, weights
from tracetui.outline import Outline
from tracetui.siblings import Shares
from tracetui.weights import Weights
from tracetui.widgets.paint import Part
from tracetui.widgets.span_lines import Scene, columns, head_line, map_line, noise_line, span_line
from tracetui.widgets.span_tree import SpanTree

PAN = 0.25


class Waterfall(SpanTree):
    """The tree with its bars. They show all of the time, or a part of it: `zoom` and the like choose which.
    What a span is painted from is in `scene`."""

    head = 1
    awaited = True

    def __init__(self, now_ns: Callable[[], int], *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._now_ns = now_ns
        self.scene = Scene()
        self._zoomed: int | None = None
        self._window: tuple[int, int] | None = None

    @property
    def view(self) -> tuple[int, int]:
        """The (start, end) that the bars show."""
        return self.scene.view

    def _lay_out(self) -> None:
        scene = self.scene
        if scene.outline is not self.outline:
            if scene.outline.ids is not self.outline.ids:
                scene.weighed = Weights()
            scene.outline, scene.shares, scene.dense, scene.path = self.outline, Shares(self.outline), None, None
            self._find_most()
        super()._lay_out()
        scene.folded = self.folded
        root = self._index(self.roots[-1] if self.roots else None)
        if root != scene.root:
            scene.root, scene.dense, scene.path = root, None, None
        self._set_view()

    def _set_view(self) -> None:
        scene, shown = self.scene, self.outline
        scene.whole = self._time_of(scene.root)
        if not (scene.root < 0 or shown.is_ghost(scene.root)) and scene.whole[1] - scene.whole[0] < timeline.LEAST_NS:
            scene.whole = scene.whole[0], scene.whole[0] + timeline.LEAST_NS
        at = self._index(self._zoomed)
        if self._window is not None:
            self._window = timeline.panned(self._window, scene.whole, 0)
        scene.view = self._window or (self._time_of(at) if at >= 0 else scene.whole)
        head = 2 if scene.is_zoomed else 1
        if head != self.head:
            self.head = head
            self.show_cursor()

    def _time_of(self, index: int) -> tuple[int, int]:
        """When a span ran, or the trace: while it does, the end moves in steps."""
        shown, now_ns = self.outline, self._now_ns()
        if index < 0:
            return timeline.grown_view(shown.start_ns, shown.end_ns, now_ns, shown.running)
        begin, running = shown.start(index), shown.status(index) == skeleton.RUNNING
        return timeline.grown_view(begin, shown.over(index, begin if running else now_ns), now_ns, running)

    def tick(self) -> None:
        """Let running bars grow: their lines only, or all when the view had to grow too."""
        if not self.outline.running:
            return
        view = self.view
        self._set_view()
        if self.view != view:
            self.refresh()
            return
        for line in range(self.top, min(self.top + self.page, len(self.lines))):
            number = self.lines[line]
            if number >= 0 and self.outline.status(number) == skeleton.RUNNING:
                self.refresh_index(line)

    # Painting.

    @property
    def signals(self) -> Mapping[int, list[str]]:
        return self.scene.signals

    def mark(self, signals: Mapping[int, list[str]]) -> None:
        """Mark spans with the kinds of their signals."""
        if signals != self.scene.signals:
            self.scene.signals = signals
            self.refresh()

    def render_lines(self, crop: Region) -> list[Strip]:
        self.scene.now_ns, self.scene.glyphs = self._now_ns(), self.glyphs
        return super().render_lines(crop)

    def head_parts(self, y: int, width: int) -> list[Part]:
        return head_line(self.scene, width) if y == 0 else map_line(self.scene, width)

    def line_parts(self, index: int, width: int) -> list[Part]:
        number, at_cursor = self.lines[index], index == self.cursor
        if number < 0:
            return noise_line(self.scene, ~number, width, at_cursor=at_cursor)
        return span_line(self.scene, number, self.row(number), width, at_cursor=at_cursor)

    # Zoom, root, colours.

    def zoom(self) -> None:
        """Let the bars show the time of the span under the cursor; the whole trace again when they do."""
        at = self.selected
        if at is not None:
            again = self._zoomed == self.outline.ids[at] or at == 0 or at == self.scene.root
            self._look_at(zoomed=None if again else self.outline.ids[at])

    def zoom_by(self, *, closer: bool, at_ns: int | None = None) -> None:
        """Half the time on show, or twice as much, around `at_ns`: by default the span under the cursor."""
        view = self.scene.view
        if at_ns is None:
            at_ns = (view[0] + view[1]) // 2
            if self.selected is not None:
                now_ns = self._now_ns()
                begin = max(self.outline.start(self.selected), view[0])
                end = min(self.outline.over(self.selected, now_ns), view[1])
                at_ns = (begin + end) // 2 if begin <= end else at_ns
        self._look_at(window=timeline.zoomed(view, self.scene.whole, at_ns, closer=closer))

    def zoom_out(self) -> None:
        self._look_at()

    def pan(self, share: float) -> None:
        """Move the time on show by a share of it."""
        if self.scene.is_zoomed:
            self._look_at(window=timeline.panned(self.scene.view, self.scene.whole, share))

    def _look_at(self, window: tuple[int, int] | None = None, zoomed: int | None = None) -> None:
        self._window, self._zoomed = window, zoomed
        self._set_view()
        self.refresh()

    def set_root(self) -> bool:
        """Show only the span under the cursor and what lies below it. False where that changes nothing."""
        at = self.selected
        if at is None or not self.outline.has_children(at) or self.outline.ids[at] in self.roots[-1:]:
            return False
        self.roots.append(self.outline.ids[at])
        self._re_root(self.outline.ids[at])
        return True

    def leave_root(self) -> bool:
        """Back to what was on show before; False at the trace itself."""
        if not self.roots:
            return False
        self._re_root(self.roots.pop())
        return True

    def _re_root(self, cursor: int) -> None:
        self._window = self._zoomed = None
        self.folded.discard(cursor)
        self._keep(cursor)

    def next_heat(self) -> str:
        """Let the colours tell the next thing of `weights.HEATS`."""
        heats = weights.HEATS
        self.scene.heat = heats[(heats.index(self.scene.heat) + 1) % len(heats)]
        self._find_most()
        self.refresh()
        return self.scene.heat

    def weigh(self, trace: Outline, weighed: Weights) -> None:
        """What the spans of an outline cost; of another than the one on show it is of no use."""
        if trace.ids is self.outline.ids:
            self.scene.weighed, self.scene.path = weighed, None
            self._find_most()
            self.refresh()

    @property
    def is_weighed(self) -> bool:
        return len(self.scene.weighed) == len(self.outline)

    def _find_most(self) -> None:
        scene = self.scene
        if scene.heat != "kind" and (scene.heat == "self" or self.is_weighed):
            scene.most = weights.most(scene.heat, scene.outline, scene.weighed, self._now_ns())

    def toggle_kind(self, kind: str) -> None:
        """Fold all spans of a kind, or unfold them when all are."""
        shown, weighed = self.outline, self.scene.weighed
        those = weights.of_kind(shown, weighed, kind)
        self.folded = self.folded - those if those <= self.folded else self.folded | those
        index = self.selected or 0
        above = [at for at in branches.ancestors(shown, index) if shown.ids[at] in self.folded]
        self._keep(shown.ids[above[-1] if above else index])

    def find(self, hits: dict[int, int], *, only: bool = False) -> None:
        """Mark the spans in which something was found; show `only` them and those above them."""
        self.scene.hits = self.marked = hits
        self.only = hits if only else ()
        if self.lines:
            self._keep(self.selected_id or 0)

    # The wheel.

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, 1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, -1)

    def on_mouse_scroll_right(self, event: events.MouseScrollRight) -> None:
        self._wheel(event, 1, sideways=True)

    def on_mouse_scroll_left(self, event: events.MouseScrollLeft) -> None:
        self._wheel(event, -1, sideways=True)

    def _wheel(self, event: events.MouseEvent, step: int, *, sideways: bool = False) -> None:
        """With ctrl, or over the ruler: zoom at the pointer. With shift, or sideways: pan. Else the list scrolls."""
        if sideways or event.shift:
            self.pan(step * PAN)
        elif event.ctrl or event.y < self.head:
            cols = columns(self.size.width, self.scene.heat)
            cell = min(max(event.x - cols.bar_at, 0), max(cols.bar - 1, 0))
            self.zoom_by(closer=step < 0, at_ns=timeline.cell_time(cell, self.view, cols.bar))
        else:
            return
        event.stop()
        event.prevent_default()  # LineList's own would scroll as well
