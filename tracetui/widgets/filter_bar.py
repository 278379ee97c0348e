"""The line that a filter is typed into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.events import Key
from textual.message import Message
from textual.widget import Widget

from tracetui import format as fmt

if TYPE_CHECKING:
    from textual.widgets import Input, Label

    from collector.errors import FilterError
    from collector.store.complete import Completion


class FilterBar(Widget):
    """One line to type a filter into, and one below it: what could be typed next, or where it cannot be read."""

    @dataclass
    class Submitted(Message):
        """A filter was typed; the screen answers with `accept` or `refuse`."""

        text: str

    class Closed(Message):
        """Left without a change."""

    class Saving(Message):
        """What stands in the bar is to be saved as a view."""

    @dataclass
    class Typed(Message):
        """Something was typed; the screen answers with `offer`."""

        text: str
        cursor: int

    def __init__(self) -> None:
        super().__init__()
        self._parts: tuple[Input, Label, Label] | None = None
        self._offered: Completion | None = None
        self._before: list[str] = []
        self._back = -1

    async def open(self, text: str, before: Sequence[str] = ()) -> None:
        """`before` are earlier filters, newest first, for ↑ and ↓."""
        if self._parts is None:
            await self._make()
        self.add_class("open")
        self._before, self._back = list(before), -1
        field = self._field
        field.value = text
        field.cursor_position = len(text)
        field.focus()

    async def _make(self) -> None:
        """The line, when it is wanted: most lists are never filtered, and the first one is to be seen at once."""
        from textual.containers import Horizontal
        from textual.widgets import Input, Label

        field = Input(placeholder="status:error model:gpt-4o* kind:tool since:1h free text", select_on_focus=False)
        problem = Label("", classes="problem", markup=False)
        offers = Label("", classes="offers", markup=False)
        self._parts = field, problem, offers
        await self.mount(Horizontal(Label("filter", markup=False), field), problem, offers)

    @property
    def _field(self) -> Input:
        assert self._parts, "the bar was never open"
        return self._parts[0]

    @property
    def text(self) -> str:
        return self._field.value if self._parts else ""

    @property
    def is_open(self) -> bool:
        return self.has_class("open")

    def accept(self) -> None:
        """The filter holds: put the line away."""
        self.remove_class("open")
        self._problem("")
        self._offer_none()

    def refuse(self, error: FilterError) -> None:
        """Point at the column that could not be read."""
        self._field.cursor_position = error.column
        self._point(error)
        self.call_after_refresh(self._point, error)  # by then a long line has scrolled to its cursor

    def _point(self, error: FilterError) -> None:
        field = self._field
        at = 9 + fmt.cells(field.value[: error.column]) - round(field.scroll_offset.x)
        said, room = fmt.plain(str(error)), self.size.width - 1
        if at > fmt.cells(said) and at + 2 + fmt.cells(said) > room:
            self._problem(f"{said} ^".rjust(at + 1))
        else:
            self._problem(" " * min(at, max(room - 1, 0)) + ("^ " if at + 20 < room else "^\n") + said)

    def _problem(self, text: str) -> None:
        if self._parts:
            self._parts[1].update(text)
        self.set_class(bool(text), "refused")

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._offered = None
        self._problem("")
        if self.is_open:
            self.post_message(self.Typed(event.value, event.input.cursor_position))

    def offer(self, text: str, found: Completion) -> None:
        """What could stand at the cursor; a late answer to what was typed before is dropped."""
        if not self.is_open or text != self._field.value:
            return
        if not found.choices:
            self._offer_none()
            return
        self._offered = found
        about = f"  {found.choices[0].about}" if len(found.choices) == 1 and found.choices[0].about else ""
        assert self._parts
        label = self._parts[2]
        said = "tab  " + fmt.plain("  ".join(choice.text for choice in found.choices) + about)
        label.update(fmt.clip(said, max(label.size.width, 20)))

    def _offer_none(self) -> None:
        self._offered = None
        if self._parts:
            self._parts[2].update("")

    def on_key(self, event: Key) -> None:
        if event.key == "tab":  # with nothing to take it stays here: what is typed next belongs here as well
            field = self._field
            if self._offered is not None:
                field.value, field.cursor_position = self._offered.taken(field.value)
        elif event.key == "ctrl+s":
            self.post_message(self.Saving())
        elif event.key in ("up", "down") and self._before:
            self._recall(1 if event.key == "up" else -1)
        else:
            return
        event.stop()
        event.prevent_default()

    def _recall(self, step: int) -> None:
        self._back = max(-1, min(self._back + step, len(self._before) - 1))
        field = self._field
        field.value = self._before[self._back] if self._back >= 0 else ""
        field.cursor_position = len(field.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Submitted(event.value))

    def close(self) -> None:
        self.accept()
        self.post_message(self.Closed())
