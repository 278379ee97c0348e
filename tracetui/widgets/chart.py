"""A chart that can be walked: `h` and `l` from bar to bar, Enter opens what is behind one."""

from __future__ import annotations

from dataclasses import dataclass, replace

from textual import events
from textual.message import Message
from textual.strip import Strip

from tracetui.keymap import bindings
from tracetui.widgets.paint import Painter, Part, spread
from tracetui.widgets.plots import Plot, drawn, place_at


class Chart(Painter, can_focus=True):
    """`show`n by whoever owns it; one line of title above the drawing."""

    BINDINGS = bindings("chart")

    @dataclass
    class Chosen(Message):
        """Enter, or a second click, on a bar."""

        chart: Chart
        index: int

    @dataclass
    class Moved(Message):
        """Another bar is selected; the owner answers with a title."""

        chart: Chart
        index: int

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._plot: Plot | None = None
        self._title: tuple[list[Part], list[Part]] = ([], [])
        self._lines: list[list[Part]] = []
        self._drawn: object = None
        self.walks = True

    @property
    def selected(self) -> int | None:
        return None if self._plot is None or not self.walks or not self.has_focus else self._plot.selected

    def show(self, plot: Plot | None, left: list[Part], right: list[Part], *, walks: bool = True) -> None:
        """Another drawing; the cursor stays on its bar, or on the last when it was there."""
        before = self._plot
        if plot is not None and plot.labels:
            at = len(plot.labels) - 1
            if before is not None and before.selected is not None and before.labels:
                was = before.labels[min(before.selected, len(before.labels) - 1)]
                at = plot.labels.index(was) if was in plot.labels else at
            plot = replace(plot, selected=at)
        self._plot, self._title, self.walks, self._drawn = plot, (left, right), walks, None
        self.refresh()

    def title(self, left: list[Part], right: list[Part]) -> None:
        self._title = (left, right)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width, height = self.size
        if y == 0:
            return self.strip(spread(*self._title, width), width)
        self._draw(width, height - 1)
        return self.strip(self._lines[y - 1] if y - 1 < len(self._lines) else [], width)

    def _draw(self, width: int, height: int) -> None:
        plot = self._plot
        if plot is not None and not (self.walks and self.has_focus):
            plot = replace(plot, selected=None)
        look = (plot, width, height, self.ascii_mode)
        if look != self._drawn:
            self._drawn, signs = look, {"ascii_mode": self.ascii_mode, "colours": not self.app.no_color}
            self._lines = [] if plot is None else drawn(plot, width - 1, height, **signs)

    def _move(self, by: int) -> None:
        if self._plot is None or self._plot.selected is None or not self.walks:
            return
        self._select(min(max(self._plot.selected + by, 0), len(self._plot.labels) - 1))

    def _select(self, index: int) -> None:
        assert self._plot is not None
        self._plot = replace(self._plot, selected=index)
        self.refresh()
        self.post_message(self.Moved(self, index))

    def action_before(self) -> None:
        self._move(-1)

    def action_after(self) -> None:
        self._move(1)

    def action_choose(self) -> None:
        if self._plot is not None and self._plot.selected is not None and self.walks:
            self.post_message(self.Chosen(self, self._plot.selected))

    def on_click(self, event: events.Click) -> None:
        if self._plot is None or not self.walks:
            return
        index = place_at(event.x, len(self._plot.labels), self.size.width - 1)
        if index is None:
            return
        event.stop()
        again = index == self._plot.selected
        self._select(index)
        if again:
            self.action_choose()

    def on_focus(self) -> None:
        if self._plot is not None and self._plot.selected is not None and self.walks:
            self.post_message(self.Moved(self, self._plot.selected))
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()
