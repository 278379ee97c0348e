"""A trace as a tree and a waterfall, both in one line per span."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from textual.message import Message

from collector.store import skeleton
from collector.store.rows import SpanRow
from tracetui import branches, timeline
from tracetui import format as fmt
from tracetui.outline import Outline
from tracetui.widgets.bars import span_bar
from tracetui.widgets.line_list import LineList
from tracetui.widgets.paint import Part, clip_parts, parts_width

DURATION = 8
MOST_ROWS = 4000


class Waterfall(LineList):
    """Shows an `Outline`. Folding, the selection and what was opened are kept by span id when it is swapped.

    The outline holds the bones of all spans; the `rows` of those on screen and near it are asked for (`Wanted`) and
    `supply`d. Ids are numbers here, see `collector.store.skeleton`.
    """

    head = 1

    @dataclass
    class Wanted(Message):
        """Rows on screen, or near it, are missing."""

        waterfall: Waterfall

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, Waterfall.Wanted)

    @dataclass
    class Changed(Message):
        """How many spans came below the screen has changed."""

        waterfall: Waterfall

    def __init__(self, now_ns: Callable[[], int], *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.signals: Mapping[int, list[str]] = {}
        self._now_ns = now_ns
        self.outline = Outline()
        self.rows: dict[int, SpanRow] = {}
        self.lines: Sequence[int] = ()
        self.folded: set[int] = set()
        self.opened: set[int] = set()
        self.follow = False
        self.unseen = 0
        self._zoomed: int | None = None
        self.view = (0, 1)

    # What it shows.

    def show(self, outline: Outline, rows: dict[int, SpanRow], stale: Iterable[int] = ()) -> None:
        """Swap in another state of the same trace, with rows for it; those of `stale` spans are read anew."""
        for number in stale:
            self.rows.pop(number, None)
        self.rows.update(rows)
        selected, offset, grown = self.selected_id, self.cursor - self.top, len(outline) - len(self.outline)
        at_end = self.top + self.page >= len(self.lines)
        self.outline = outline
        self._lay_out()
        if self.follow:
            self.cursor = max(len(self.lines) - 1, 0)
            self.top = self.cursor
        elif selected is not None:
            self._select(selected)
            self.top = self.cursor - offset
        self.show_cursor()
        still = self.follow or self.top + self.page >= len(self.lines)
        unseen = 0 if still else self.unseen + max(grown, 0) if not at_end or grown else self.unseen
        self._set_unseen(unseen if len(outline) > grown else 0)
        self.refresh()
        self._ask()
        if self.selected_id != selected:
            self.post_message(self.Moved(self, self.cursor))

    def mark(self, signals: Mapping[int, list[str]]) -> None:
        """Mark spans with the kinds of their signals."""
        if signals != self.signals:
            self.signals = signals
            self.refresh()

    def wanted(self) -> list[int]:
        """The spans whose rows are missing: of this page, and of the two around it."""
        return branches.unread(self.outline, self.lines, self.rows, self.top - self.page, self.top + 2 * self.page)

    def supply(self, rows: dict[int, SpanRow]) -> None:
        """Rows that were wanted. Those far from the screen go when there are many."""
        if len(self.rows) > MOST_ROWS:
            near = set(branches.unread(self.outline, self.lines, (), self.top - self.page, self.top + 2 * self.page))
            self.rows = {number: row for number, row in self.rows.items() if number in near}
        self.rows.update(rows)
        self.refresh()

    def _ask(self) -> None:
        if branches.unread(
            self.outline, self.lines, self.rows, self.top - self.page // 2, self.top + 3 * self.page // 2
        ):
            self.post_message(self.Wanted(self))

    def row(self, index: int) -> SpanRow | None:
        """The row of a span of the outline; None for a ghost, and while it has not been read."""
        return self.rows.get(self.outline.ids[index]) if not self.outline.is_ghost(index) else None

    def _lay_out(self) -> None:
        self.lines = branches.visible(self.outline, self.folded, self.opened)
        self._set_view()

    def _set_view(self) -> None:
        shown = self.outline
        zoomed = self._zoomed
        at = shown.ids.index(zoomed) if zoomed is not None and zoomed in shown.ids else -1
        if at >= 0 and not shown.is_ghost(at):
            place = shown.order[at]
            begin, end = shown.spans.starts_ns[place], shown.spans.ends_ns[place]
            running = shown.status(at) == skeleton.RUNNING
            self.view = timeline.grown_view(begin, max(end, begin), self._now_ns(), running)
            return
        self.view = timeline.grown_view(shown.start_ns, shown.end_ns, self._now_ns(), shown.running)

    def _select(self, number: int) -> None:
        try:
            found = branches.line_of(self.lines, self.outline.ids.index(number))
        except ValueError:
            found = None
        self.cursor = min(self.cursor, max(len(self.lines) - 1, 0)) if found is None else found

    def _set_unseen(self, count: int) -> None:
        if count != self.unseen:
            self.unseen = count
            self.post_message(self.Changed(self))

    @property
    def selected(self) -> int | None:
        """The span under the cursor (the first one where infrastructure is folded)."""
        if self.cursor >= len(self.lines):
            return None
        line = self.lines[self.cursor]
        return line if line >= 0 else ~line

    @property
    def selected_id(self) -> int | None:
        index = self.selected
        return None if index is None else self.outline.ids[index]

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

    def line_count(self) -> int:
        return len(self.lines)

    def _widths(self, width: int) -> tuple[int, int, int]:
        """(tree, numbers, bar). Numbers are duration, and where there is room tokens and cost."""
        if width < 60:
            return width - DURATION - 2, DURATION, 0
        numbers = DURATION + (8 if width >= 76 else 0) + (10 if width >= 96 else 0)
        bar = max((width - numbers) * 2 // 5, 14)
        return width - numbers - bar - 4, numbers, bar

    def head_parts(self, y: int, width: int) -> list[Part]:
        tree, numbers, bar = self._widths(width)
        titles = ("TOKENS".rjust(8) if numbers >= DURATION + 8 else "") + (
            "COST".rjust(10) if numbers >= DURATION + 18 else ""
        )
        total = self.view[1] - self.view[0]
        title = "SPAN" if self._zoomed is None else "SPAN  zoomed in, z zooms out"
        text = "  " + fmt.fit(title, tree - 2) + " " + titles + "TIME".rjust(DURATION)
        return [(text + "  ", "quiet"), (timeline.ruler(total, bar), "faint" if bar else "quiet")]

    def line_parts(self, index: int, width: int) -> list[Part]:
        number = self.lines[index]
        tree, numbers, bar = self._widths(width)
        first = number if number >= 0 else ~number
        marks: list[Part] = [
            (self.glyphs.cursor + " " if index == self.cursor else "  ", "accent"),
            (branches.guides(self.outline, first, self.glyphs, max(tree // 5, 3)), "faint"),
        ]
        if number < 0:
            return self._noise_parts(first, marks, tree, numbers, bar)
        row = self.row(number)
        left = clip_parts([*marks, *self._label(number, row)], tree)
        return [
            *left,
            (" " * (tree - parts_width(left) + 1), "text"),
            *self._numbers(row, numbers),
            ("  ", "text"),
            *self._bar(number, row, bar),
        ]

    def _label(self, number: int, row: SpanRow | None) -> list[Part]:
        glyphs = self.glyphs
        span_id = self.outline.ids[number]
        folded = span_id in self.folded
        if self.outline.has_children(number):
            fold: Part = (glyphs.closed if folded else glyphs.opened, "quiet")
        else:
            fold = (glyphs.dash if self.outline.depth[number] else " ", "faint")
        if self.outline.is_ghost(number):
            name = skeleton.name(span_id)
            return [fold, (f" {glyphs.ghost} ", "quiet"), ("not arrived: ", "quiet"), (name, "faint")]
        if row is None:
            return [fold, (f" {glyphs.dot} {fmt.ELLIPSIS}", "faint")]
        parts: list[Part] = [
            fold,
            (" " + glyphs.kinds.get(row.kind, glyphs.dot) + " ", row.kind if row.kind in glyphs.kinds else "span"),
            (fmt.plain(row.name) or "(no name)", "error" if row.status == "error" else "text"),
        ]
        if row.model and row.model not in row.name:
            parts.append((" " + fmt.plain(row.model), "quiet"))
        if row.status != "ok":
            parts.append((" " + glyphs.states.get(row.status, "?"), row.status))
        if row.status == "abandoned":
            parts.append((" abandoned", "abandoned"))
        if kinds := [kind for kind in self.signals.get(span_id, ()) if kind != "abandoned"]:
            parts.append(
                (f" {glyphs.warn} {kinds[0]}" + (f" +{len(kinds) - 1}" if len(kinds) > 1 else ""), "abandoned")
            )
        if folded:
            parts.append((f" +{self.outline.end[number] - number - 1}", "quiet"))
        return parts

    def _numbers(self, row: SpanRow | None, width: int) -> list[Part]:
        if row is None:
            return [(" " * width, "text")]
        parts: list[Part] = []
        if width >= DURATION + 8:
            known = row.input_tokens is not None or row.output_tokens is not None
            tokens = fmt.tokens((row.input_tokens or 0) + (row.output_tokens or 0)) if known else ""
            parts.append((tokens.rjust(8), "text" if row.counted else "quiet"))
        if width >= DURATION + 18:
            cost = "" if row.cost_nanousd is None else fmt.money(row.cost_nanousd)
            if row.cost_nanousd is None and row.input_tokens is not None:
                cost = fmt.UNKNOWN
            parts.append((cost.rjust(10), "text" if row.counted and row.cost_nanousd is not None else "quiet"))
        running = row.status == "running"
        end_ns = self._now_ns() if running else row.end_ns
        text = fmt.duration(None if end_ns is None else end_ns - row.start_ns, running=running)
        parts.append((text.rjust(DURATION), "running" if running else "text"))
        return parts

    def _bar(self, number: int, row: SpanRow | None, width: int) -> list[Part]:
        if row is None:
            return []
        return span_bar(row, self.view, width, self._now_ns(), self.glyphs, bright=bool(self.outline.critical[number]))

    def _noise_parts(self, first: int, marks: list[Part], tree: int, numbers: int, bar: int) -> list[Part]:
        noise = self.outline.noise_below[self.outline.parent[first]]
        if noise.closes:
            text, role = marks[-1]
            marks = [*marks[:-1], (text[:-2] + self.glyphs.elbow + self.glyphs.dash, role)]
        text = f" +{fmt.count(noise.spans)} {' '.join(sorted(noise.kinds))}"
        left: list[Part] = [*marks, (text, "quiet")]
        if noise.errors:
            left.append((f" {self.glyphs.states['error']}{noise.errors}", "error"))
        left = clip_parts(left, tree)
        begin, end = timeline.bar_cells(noise.start_ns, noise.end_ns, self.view, bar)
        return [
            *left,
            (" " * (tree - parts_width(left) + 1), "text"),
            (fmt.duration(noise.total_ns).rjust(numbers), "quiet"),
            ("  " + " " * begin + self.glyphs.infra * (end - begin), "faint"),
        ]

    # Folding and moving.

    def fold(self) -> None:
        """Fold the span under the cursor; when there is nothing to fold, go to its parent."""
        index = self.selected
        if index is None:
            return
        span_id, shown = self.outline.ids[index], self.lines[self.cursor]
        parent = self.outline.parent[index]
        if shown >= 0 and self.outline.has_children(index) and span_id not in self.folded:
            self.folded.add(span_id)
            self._keep(span_id)
        elif self.outline.noise[index] and parent >= 0 and self.outline.ids[parent] in self.opened:
            self.opened.discard(self.outline.ids[parent])
            self._keep(self.outline.ids[parent])
        elif parent >= 0:
            self._keep(self.outline.ids[parent])

    def unfold(self) -> None:
        """Unfold the line under the cursor; when it is open, go to its first child."""
        index = self.selected
        if index is None:
            return
        span_id = self.outline.ids[index]
        if self.lines[self.cursor] < 0:
            self.opened.add(self.outline.ids[self.outline.parent[index]])
            self._keep(span_id)
        elif span_id in self.folded:
            self.folded.discard(span_id)
            self._keep(span_id)
        elif self.outline.has_children(index):
            self.move_to(self.cursor + 1)

    def toggle(self) -> None:
        if self.selected is not None and self.lines[self.cursor] >= 0 and self.selected_id not in self.folded:
            self.fold()
        else:
            self.unfold()

    def fold_all(self) -> None:
        shown = self.outline
        self.folded = {shown.ids[n] for n in range(len(shown)) if shown.depth[n] and shown.has_children(n)}
        self.opened.clear()
        self.reveal(self.selected or 0)

    def unfold_all(self) -> None:
        selected = self.selected_id
        self.folded.clear()
        self._keep(selected or 0)

    def reveal(self, index: int) -> None:
        """Put the cursor on a span. Used by next error: what hides it is unfolded."""
        for above in branches.ancestors(self.outline, index):
            if self.outline.depth[above] or not self.folded:
                self.folded.discard(self.outline.ids[above])
            if self.outline.noise[index]:
                self.opened.add(self.outline.ids[above])
        self._keep(self.outline.ids[index])

    def go_to(self, number: int) -> None:
        """Put the cursor on the span with this id, if it is there."""
        if number in self.outline.ids:
            self.reveal(self.outline.ids.index(number))

    def go_to_error(self, step: int) -> bool:
        found = branches.next_error(self.outline, self.selected or 0, step)
        if found is not None:
            self.reveal(found)
        return found is not None

    def go_along(self, step: int) -> None:
        """To the next span of the critical path."""
        found = branches.next_critical(self.outline, self.selected or 0, step)
        if found is not None:
            self.reveal(found)

    def zoom(self) -> None:
        """Let the bars show the time of the span under the cursor; the whole trace again when they do."""
        at = self.selected
        if at is None:
            return
        self._zoomed = None if self._zoomed == self.outline.ids[at] or at == 0 else self.outline.ids[at]
        self._set_view()
        self.refresh()

    def _keep(self, span_id: int) -> None:
        """Lay out anew with the cursor on a span."""
        offset, before = self.cursor - self.top, self.selected_id
        self._lay_out()
        self._select(span_id)
        self.top = self.cursor - min(offset, self.page - 1)
        self.show_cursor()
        self.refresh()
        self._ask()
        if self.selected_id != before:
            self.follow = False
            self.post_message(self.Moved(self, self.cursor))

    def move_to(self, index: int) -> None:
        if index < self.cursor:
            self.follow = False
        super().move_to(index)

    def moved(self) -> None:
        self._ask()
        if self.top + self.page >= len(self.lines):
            self._set_unseen(0)

    def action_last(self) -> None:
        self.follow = True
        super().action_last()
