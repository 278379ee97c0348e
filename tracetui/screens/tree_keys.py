"""What the keys do to the tree of a trace: folding, zoom, roots, colours, and going places."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

from textual import work

from collector.errors import NotFound, TracetuiError
from collector.store import skeleton
from tracetui import format as fmt
from tracetui import jumps
from tracetui.screens.base import ExplorerScreen
from tracetui.screens.graph import GraphScreen
from tracetui.screens.menu import Choice, MenuScreen
from tracetui.source import Reader
from tracetui.weights import Weights, weigh
from tracetui.widgets.waterfall import PAN, Waterfall

if TYPE_CHECKING:
    from tracetui.outline import Outline


class TreeKeys(ExplorerScreen):
    """The part of the trace screen that its tree is steered with."""

    trace_id: str

    @property
    def waterfall(self) -> Waterfall:
        return self.query_one(Waterfall)

    # Weighing: kinds, costs and tokens of all spans, read when the first of these keys wants them.

    async def weigh(self) -> bool:
        """Have the waterfall know what its spans cost. False when the file does not say."""
        tree = self.waterfall
        if tree.is_weighed:
            return True
        outline = tree.outline
        try:
            weighed = await self.facts.source.ask_slowly(partial(_weighed, trace_id=self.trace_id, outline=outline))
        except NotFound:
            return False
        except TracetuiError as error:
            self.show_error(error)
            return False
        tree.weigh(outline, weighed)
        return tree.is_weighed

    # Folding.

    def action_fold(self) -> None:
        self.waterfall.fold()

    def action_unfold(self) -> None:
        self.waterfall.unfold()

    def action_fold_all(self) -> None:
        self.waterfall.fold_all()

    def action_unfold_all(self) -> None:
        self.waterfall.unfold_all()

    @work(exclusive=True, group="menu")
    async def action_fold_kind(self) -> None:
        """A menu of the kinds that have something to fold."""
        if not await self.weigh():
            return
        tree = self.waterfall
        shown, weighed = tree.outline, tree.scene.weighed
        those = [n for n in range(len(shown)) if shown.has_children(n) and not (shown.is_ghost(n) or shown.noise[n])]
        counts = Counter(weighed.kind(n) for n in those)
        folded = Counter(weighed.kind(n) for n in those if shown.ids[n] in tree.folded)
        if not counts:
            self.app.notify("No span of this trace has anything to fold.", markup=False)
            return
        told = {kind: "folded" if folded[kind] == many else f"{fmt.count(many)} to fold"
                for kind, many in counts.most_common()}  # fmt: skip
        titles = {f"{kind}  {state}": kind for kind, state in told.items()}
        choices = [Choice(kind, title) for title, kind in titles.items()]

        def chosen(title: str | None) -> None:
            if title is not None:
                tree.toggle_kind(titles[title])

        self.app.push_screen(MenuScreen("Fold a kind, or unfold it", choices), chosen)

    # Going places.

    def action_next_critical(self) -> None:
        self.waterfall.go_along(1)
        self._tell_path()

    def action_previous_critical(self) -> None:
        self.waterfall.go_along(-1)
        self._tell_path()

    @work(exclusive=True, group="path")
    async def _tell_path(self) -> None:
        """The head says what the critical path is made of, once the kinds are known."""
        await self.weigh()

    @work(exclusive=True, group="menu")
    async def action_jump(self) -> None:
        """A menu of what stands out."""
        if not await self.weigh():
            return
        tree = self.waterfall
        found = jumps.targets(tree.outline, tree.scene.weighed, tree.selected or 0, self.facts.now_ns())
        if not found:
            self.app.notify("Nothing stands out in this trace.", markup=False)
            return
        numbers = [tree.outline.ids[one.index] for one in found]
        told = [f"{one.figure:>8}  {fmt.plain(one.label)}  {skeleton.name(number)[-4:]}"
                for one, number in zip(found, numbers, strict=True)]  # fmt: skip
        ids = dict(zip(told, numbers, strict=True))
        choices = [Choice(one.title, text) for one, text in zip(found, told, strict=True)]

        def chosen(text: str | None) -> None:
            if text is not None:
                tree.go_to(ids[text])

        self.app.push_screen(MenuScreen("Go to", choices), chosen)

    def action_graph(self) -> None:
        """Enter on a line of it leads to the first of these calls."""
        self.app.push_screen(GraphScreen(self.facts, self.trace_id), self._to_call)

    def _to_call(self, number: int | None) -> None:
        if number is not None:
            self.waterfall.go_to(number)

    # Zoom, root, colours.

    def action_zoom(self) -> None:
        self.waterfall.zoom()

    def action_zoom_in(self) -> None:
        self.waterfall.zoom_by(closer=True)

    def action_zoom_back(self) -> None:
        self.waterfall.zoom_by(closer=False)

    def action_zoom_out(self) -> None:
        self.waterfall.zoom_out()

    def action_pan_left(self) -> None:
        self.waterfall.pan(-PAN)

    def action_pan_right(self) -> None:
        self.waterfall.pan(PAN)

    def action_root(self) -> None:
        """The span under the cursor as root; on the root itself, back to what was before."""
        tree = self.waterfall
        if not tree.set_root() and not tree.leave_root():
            self.app.notify("Nothing lies below this span.", markup=False)

    @work(exclusive=True, group="heat")
    async def action_heat(self) -> None:
        self.waterfall.next_heat()
        await self.weigh()


def _weighed(reader: Reader, trace_id: str, outline: Outline) -> Weights:
    return weigh(outline, reader.measures(trace_id))
