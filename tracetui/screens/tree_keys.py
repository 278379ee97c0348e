"""What the keys do to the tree of a trace: folding, zoom, roots, colours, and going places."""

from __future__ import annotations

from asyncio import to_thread
from functools import partial
from typing import TYPE_CHECKING

from textual import work

from collector.errors import NotFound, TracetuiError
from tracetui import format as fmt
from tracetui import jumps
from tracetui.screens.base import ExplorerScreen
from tracetui.screens.graph import GraphScreen
from tracetui.screens.menu import Choice, MenuScreen
from tracetui.source import Reader
from tracetui.weights import Weights, foldable, weigh
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
        kinds = await to_thread(foldable, tree.outline, tree.scene.weighed, tree.folded)
        if not kinds:
            self.app.notify("No span of this trace has anything to fold.", markup=False)
            return
        choices = [
            Choice(kind, kind, about="folded" if all_ else f"{fmt.count(many)} to fold") for kind, many, all_ in kinds
        ]

        def chosen(kind: str | None) -> None:
            if kind is not None:
                self._toggle_kind(kind)

        self.app.push_screen(MenuScreen("Fold a kind, or unfold it", choices), chosen)

    @work(exclusive=True, group="menu")
    async def _toggle_kind(self, kind: str) -> None:
        if await self.weigh():  # the trace may have grown while the menu was open
            self.waterfall.toggle_kind(kind)

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
        shown, at, now_ns = tree.outline, tree.selected or 0, self.facts.now_ns()
        found = await to_thread(jumps.targets, shown, tree.scene.weighed, at, now_ns)  # half a second of 100,000 spans
        if not found:
            self.app.notify("Nothing stands out in this trace.", markup=False)
            return
        choices = [
            Choice(one.title, str(shown.ids[one.index]), about=f"{one.figure:>8}  {fmt.plain(one.label)}")
            for one in found
        ]

        def chosen(number: str | None) -> None:
            if number is not None:
                tree.go_to(int(number))

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
