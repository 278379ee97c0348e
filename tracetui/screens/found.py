"""Things found in a trace, listed over it: each with the words for it, enter goes to its span."""

from __future__ import annotations

from bisect import bisect_right
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


MOST_LINES = 4
Spot = tuple[str, str]
"""(trace id or "", span id) to go to."""


class Evidence(LineList):
    """Things found in a trace: what and where, then the words for it, in as many lines as they need, to MOST_LINES."""

    def __init__(self) -> None:
        super().__init__()
        self.items: list[Item] = []
        self.notice = "reading …"
        self._lines: list[tuple[int, str]] = []  # (item, words; "" for what it is)
        self._heads: list[int] = []

    def show(self, items: Sequence[Item], otherwise: str) -> None:
        """`otherwise` is said when there are none."""
        self.items, self.notice = list(items), otherwise
        self._fold()
        self.refresh()

    @property
    def chosen(self) -> Item | None:
        """The one under the cursor."""
        return self.items[self._lines[self.cursor][0]] if self.cursor < len(self._lines) else None

    def on_resize(self) -> None:
        self._fold()

    def _fold(self) -> None:
        width = max((self.size.width or self.app.size.width) - 7, 20)
        lines: list[tuple[int, str]] = []
        for number, item in enumerate(self.items):
            words = fmt.wrap(fmt.plain(item.words), width)
            rest = " ".join(words[MOST_LINES - 1 :])
            shown = [*words[: MOST_LINES - 1], *([fmt.clip(rest, width)] if rest else [])]
            lines += [(number, ""), *((number, one or " ") for one in shown)]
        if lines != self._lines:
            at = self._lines[self.cursor][0] if self.cursor < len(self._lines) else 0
            self._lines, self._heads = lines, [index for index, (_, words) in enumerate(lines) if not words]
            self.cursor = self._heads[min(at, len(self._heads) - 1)] if self._heads else 0
        self.styles.height = max(self.line_count(), 1)

    @property
    def shows_cursor(self) -> bool:
        return bool(self.items)

    def line_count(self) -> int:
        return len(self._lines) or 1

    def line_parts(self, index: int, width: int) -> list[Part]:
        if not self._lines:
            return [(f"  {self.notice}", "quiet")]
        number, words = self._lines[index]
        if words:
            return [("      ", "text"), (words, "text")]
        cursor = self.glyphs.cursor + " " if index == self.cursor else "  "
        return [(cursor, "accent"), *self.items[number].what]

    def action_down(self) -> None:
        after = bisect_right(self._heads, self.cursor)
        self.move_to(self._heads[min(after, len(self._heads) - 1)] if self._heads else 0)

    def move_to(self, index: int) -> None:
        """From item to item, each in view as a whole where there is room."""
        if not self._lines:
            return
        index = min(max(index, 0), len(self._lines) - 1)
        there = self._lines[index][0]
        ends = self._heads[there + 1] if there + 1 < len(self._heads) else len(self._lines)
        super().move_to(self._heads[there])
        self.top = max(self.top, min(ends - self.page, self.cursor))
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
    def _chosen(self) -> None:
        item = self.query_one(Evidence).chosen
        if item is not None and item.span_id:
            self.dismiss((item.trace_id, item.span_id))

    def action_cancel(self) -> None:
        self.dismiss(None)
