"""The lines of a trace as a tree: which are on show, which rows they need, folding and moving."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from textual.message import Message

from collector.store.rows import SpanRow
from tracetui import branches
from tracetui.outline import NOWHERE, Outline
from tracetui.widgets.line_list import LineList

MOST_ROWS = 4000


class SpanTree(LineList):
    """Shows an `Outline`. Folding, the selection and what was opened are kept by span id when it is swapped.

    The outline holds the bones of all spans; the `rows` of those on screen and near it are asked for (`Wanted`) and
    `supply`d. Ids are numbers here, see `collector.store.skeleton`. `only` these spans and those above them are shown
    when there are any, and what lies below the last of `roots`.
    """

    @dataclass
    class Wanted(Message):
        """Rows on screen, or near it, are missing."""

        waterfall: SpanTree

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, SpanTree.Wanted)

    @dataclass
    class Changed(Message):
        """How many spans came below the screen has changed."""

        waterfall: SpanTree

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.outline = Outline()
        self.rows: dict[int, SpanRow] = {}
        self.lines: Sequence[int] = ()
        self.folded: set[int] = set()
        self.opened: set[int] = set()
        self.follow = False
        self.unseen = 0
        self.marked: Collection[int] = ()
        self.only: Collection[int] = ()
        self.roots: list[int] = []

    # What it shows.

    def show(self, outline: Outline, rows: dict[int, SpanRow], stale: Iterable[int] = ()) -> None:
        """Swap in another state of the same trace, with rows for it; those of `stale` spans are read anew."""
        self.awaited = False
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
        at = [n for n, number in enumerate(self.outline.ids) if number in self.only] if self.only else None
        root = self._index(self.roots[-1] if self.roots else None)
        self.lines = branches.visible(self.outline, self.folded, self.opened, root=root, only=at)

    def _index(self, number: int | None) -> int:
        """Where a span is in the outline; -1 when it is not there."""
        return self.outline.ids.index(number) if number is not None and number in self.outline.ids else NOWHERE

    def line_count(self) -> int:
        return len(self.lines)

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
        above = branches.ancestors(self.outline, index)
        ids = self.outline.ids
        while self.roots and self.roots[-1] not in (ids[index], *(ids[at] for at in above)):
            self.roots.pop()
        if self.only and ids[index] not in self.only:
            self.only = ()
        for at in above:
            if self.outline.depth[at] or not self.folded:
                self.folded.discard(ids[at])
            if self.outline.noise[index]:
                self.opened.add(ids[at])
        self._keep(ids[index])

    def go_to(self, number: int) -> None:
        """Put the cursor on the span with this id, if it is there."""
        if number in self.outline.ids:
            self.reveal(self.outline.ids.index(number))

    def go_to_error(self, step: int) -> bool:
        found = branches.next_error(self.outline, self.selected or 0, step)
        if found is not None:
            self.reveal(found)
        return found is not None

    def go_to_hit(self, step: int) -> bool:
        """To the next span with a match, going round. False when there is none."""
        found = branches.next_of(self.outline, self.selected or 0, step, self.marked)
        if found is not None:
            self.reveal(found)
        return found is not None

    def go_along(self, step: int) -> None:
        """To the next span of the critical path."""
        found = branches.next_critical(self.outline, self.selected or 0, step)
        if found is not None:
            self.reveal(found)

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
