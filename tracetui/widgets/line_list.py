"""A list painted line by line: only what is on screen is ever made, and a cursor move repaints two lines.

Subclasses say how many lines there are and what a line holds. Textual's own Tree and DataTable keep every row.
"""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from tracetui.keymap import bindings
from tracetui.widgets.paint import Painter, Part

WHEEL_LINES = 3
READING_S = 0.3
"""What comes sooner is not announced: it would flicker."""


class LineList(Painter, can_focus=True):
    """`cursor` and `top` are line indexes; `head` lines at the top stay where they are."""

    BINDINGS = bindings("list")

    @dataclass
    class Moved(Message):
        """The cursor stands on another line. Supersedes the ones before it."""

        list: LineList
        index: int

        @property
        def control(self) -> LineList:
            return self.list

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, LineList.Moved) and message.list is self.list

    @dataclass
    class Chosen(Message):
        """Enter, or a second click, on a line."""

        list: LineList
        index: int

        @property
        def control(self) -> LineList:
            return self.list

    head = 0
    awaited = False
    """Whether lines are on their way; where there are none, it says so after a moment."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=classes)
        self.cursor = 0
        self.top = 0
        self._cells = (0, 0)
        self._late = False

    def on_mount(self) -> None:
        if self.awaited:
            self.await_lines()

    def await_lines(self) -> None:
        """Lines were asked for. Whoever puts them sets `awaited` back."""
        self.awaited, self._late = True, False
        if self.is_attached:
            self.set_timer(READING_S, self._are_late)

    @property
    def behind(self) -> bool:
        """Whether its lines, or where its cursor stands, are not yet what was asked for."""
        return self.awaited

    def _are_late(self) -> None:
        self._late = True
        if self.awaited and not self.line_count():
            self.refresh()

    # What subclasses say.

    def line_count(self) -> int:
        raise NotImplementedError

    def line_parts(self, index: int, width: int) -> list[Part]:
        raise NotImplementedError

    def head_parts(self, y: int, width: int) -> list[Part]:
        return []

    # Painting.

    @property
    def page(self) -> int:
        """How many lines of the list are on screen."""
        return max(self.size.height - self.head, 1)

    def render_lines(self, crop: Region) -> list[Strip]:
        self._cells = self.size.width, self.page  # Textual works both out anew whenever it is asked
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        width, _ = self._cells
        try:
            if y < self.head:
                return self.strip(self.head_parts(y, width), width)
            index = self.top + y - self.head
            if self.awaited and self._late and y == self.head and not self.line_count():
                return self.strip([("  reading …", "quiet")], width)
            return self.line(index, width) if index < self.line_count() else self.strip([], width)
        except Exception as error:  # noqa: BLE001 - a broken row costs its line, not the screen
            return self.strip([(f"  this line cannot be shown ({type(error).__name__})", "error")], width)

    def line(self, index: int, width: int) -> Strip:
        at_cursor = index == self.cursor and self.shows_cursor
        ground = ("cursor" if self.has_focus else "cursor-away") if at_cursor else ""
        return self.strip(self.line_parts(index, width), width, ground)

    @property
    def shows_cursor(self) -> bool:
        return True

    def more(self, index: int) -> list[Part]:
        """For the end of a line of a list that is longer than its room: a scroll bar."""
        _, page = self._cells
        beyond = self.line_count() - page
        if page <= 0 or beyond <= 0:
            return []
        return [(self.glyphs.thumb if index - self.top == round((page - 1) * self.top / beyond) else " ", "faint")]

    def refresh_index(self, index: int) -> None:
        """Repaint one line, if it is on screen."""
        if self.top <= index < self.top + self.page:
            self.refresh(Region(0, index - self.top + self.head, self.size.width, 1))

    # Moving.

    def move_to(self, index: int) -> None:
        """Put the cursor on a line, as near as there is one, and scroll only as far as needed."""
        before, old_top = self.cursor, self.top
        self.cursor = min(max(index, 0), max(self.line_count() - 1, 0))
        self.show_cursor()
        if self.top != old_top:
            self.refresh()
        elif self.cursor != before:
            self.refresh_index(before)
            self.refresh_index(self.cursor)
        if self.cursor != before:
            self.post_message(self.Moved(self, self.cursor))
        self.moved()

    def moved(self) -> None:
        """After every move and scroll; for lists that load as one goes."""

    def show_cursor(self) -> None:
        if self.cursor < self.top:
            self.top = self.cursor
        elif self.cursor >= self.top + self.page:
            self.top = self.cursor - self.page + 1
        self.top = max(min(self.top, self.line_count() - self.page), 0)

    def scroll_lines(self, by: int) -> None:
        """Scroll without moving the cursor, unless it would leave the screen."""
        top = max(min(self.top + by, self.line_count() - self.page), 0)
        if top == self.top:
            self.moved()
            return
        self.top = top
        self.refresh()
        self.move_to(min(max(self.cursor, top), top + self.page - 1))

    def action_up(self) -> None:
        self.move_to(self.cursor - 1)

    def action_down(self) -> None:
        self.move_to(self.cursor + 1)

    def action_page_up(self) -> None:
        self.top = max(self.top - self.page, 0)
        self.refresh()
        self.move_to(self.cursor - self.page)

    def action_page_down(self) -> None:
        self.top = max(min(self.top + self.page, self.line_count() - self.page), 0)
        self.refresh()
        self.move_to(self.cursor + self.page)

    def action_first(self) -> None:
        self.move_to(0)

    def action_last(self) -> None:
        self.move_to(self.line_count() - 1)

    def action_choose(self) -> None:
        if self.line_count():
            self.post_message(self.Chosen(self, self.cursor))

    # Mouse and size.

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.scroll_lines(WHEEL_LINES)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.scroll_lines(-WHEEL_LINES)

    def on_click(self, event: events.Click) -> None:
        index = self.top + event.y - self.head
        if event.y < self.head or index >= self.line_count():
            return
        event.stop()
        again = index == self.cursor
        self.move_to(index)
        if again:
            self.action_choose()

    def on_resize(self) -> None:
        self.show_cursor()
        self.moved()

    def on_focus(self) -> None:
        self.refresh_index(self.cursor)

    def on_blur(self) -> None:
        self.refresh_index(self.cursor)


class ReadLines(LineList):
    """Lines to read: there is no cursor, the keys scroll."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._lines: list[list[Part]] = []

    @property
    def shows_cursor(self) -> bool:
        return False

    def action_up(self) -> None:
        self.scroll_lines(-1)

    def action_down(self) -> None:
        self.scroll_lines(1)

    def line_count(self) -> int:
        return len(self._lines)

    def line_parts(self, index: int, width: int) -> list[Part]:
        return self._lines[index]
