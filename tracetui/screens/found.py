"""Things found in a trace, listed over it: each with the words for it, enter goes to its span."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widget import Widget

from tracetui import format as fmt
from tracetui.screens.base import Facts
from tracetui.screens.modal import Modal
from tracetui.widgets.line_list import LineList
from tracetui.widgets.paint import Line, Part


@dataclass(frozen=True, slots=True)
class Item:
    """One thing found: `what` it is, the `words` for it, and where: `trace_id` is "" for the trace it was sought in.
    `value` is the one in question, "" for none."""

    what: tuple[Part, ...]
    words: str
    span_id: str
    trace_id: str = ""
    value: str = ""


Spot = tuple[str, str]
"""(trace id or "", span id) to go to."""


class Evidence(LineList):
    """Things found in a trace, two lines each: what and where, then the words for it."""

    def __init__(self) -> None:
        super().__init__()
        self.items: list[Item] = []
        self.notice = "reading …"

    def show(self, items: Sequence[Item], otherwise: str) -> None:
        """`otherwise` is said when there are none."""
        self.items, self.notice = list(items), otherwise
        self.styles.height = max(self.line_count(), 1)
        self.refresh()

    @property
    def shows_cursor(self) -> bool:
        return bool(self.items)

    def line_count(self) -> int:
        return 2 * len(self.items) or 1

    def line_parts(self, index: int, width: int) -> list[Part]:
        if not self.items:
            return [(f"  {self.notice}", "quiet")]
        item = self.items[index // 2]
        if index % 2:
            return [("      ", "text"), (fmt.plain(item.words), "text")]
        cursor = self.glyphs.cursor + " " if index // 2 == self.cursor // 2 else "  "
        return [(cursor, "accent"), *item.what]

    def move_to(self, index: int) -> None:
        """From item to item."""
        step = 1 if index > self.cursor else -1 if index < self.cursor else 0
        if self.items and step and index % 2:
            index = min(max(index + step, 0), self.line_count() - 1)
        super().move_to(index - index % 2)
        self.refresh()


class FoundScreen(Modal[Spot | None]):
    """A list over a trace; gives the span that was chosen, or None."""

    BINDINGS = [("escape,q", "cancel", "close")]  # noqa: RUF012 - Textual's way
    title_text = ""
    about = ""
    """What stands beside the title at first."""
    keys = "enter to the span, esc  "
    starts_at: type[Widget] = Evidence

    def __init__(self, facts: Facts, trace_id: str) -> None:
        super().__init__()
        self._facts, self._trace_id = facts, trace_id

    def compose(self) -> ComposeResult:
        with Vertical(id="found"):
            yield Line(id="title")
            yield Evidence()

    def on_mount(self) -> None:
        self.heading(self.about)
        self.query(self.starts_at).first().focus()

    def heading(self, text: str) -> None:
        self.query_one("#title", Line).show([(f"  {self.title_text}  ", "strong"), (text, "quiet")],
                                            [(self.keys, "quiet")])  # fmt: skip

    @on(LineList.Chosen)
    def _chosen(self, event: LineList.Chosen) -> None:
        items = self.query_one(Evidence).items
        if items and (item := items[event.index // 2]).span_id:
            self.dismiss((item.trace_id, item.span_id))

    def action_cancel(self) -> None:
        self.dismiss(None)
