"""The line between two panes, which the mouse can move."""

from __future__ import annotations

from textual import events
from textual.message import Message

from tracetui.widgets.paint import Rule


class Divider(Rule):
    """Says where it was dragged to, in cells of the screen."""

    class Dragged(Message):
        def __init__(self, x: int, y: int) -> None:
            super().__init__()
            self.x, self.y = x, y

    class Dropped(Message):
        """The mouse let go."""

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if event.button == 1:
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self.app.mouse_captured is self:
            self.post_message(self.Dragged(event.screen_x, event.screen_y))

    def on_mouse_up(self) -> None:
        if self.app.mouse_captured is self:
            self.release_mouse()
            self.post_message(self.Dropped())
