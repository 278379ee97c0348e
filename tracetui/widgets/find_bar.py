"""One line to type into what to find in this trace, with the count of what was found."""

from __future__ import annotations

from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Label

from tracetui import format as fmt


class FindBar(Widget):
    """Opened by `/` in a trace. It stays while something is looked for."""

    @dataclass
    class Typed(Message):
        """What to look for has changed."""

        text: str

    class Submitted(Message):
        """To the first match."""

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Label("find", markup=False)
            yield Input(placeholder='words in this trace; "a phrase", begin*', select_on_focus=False)
            yield Label("", classes="told", markup=False)

    def open(self) -> None:
        self.add_class("open")
        self.query_one(Input).focus()

    @property
    def is_open(self) -> bool:
        return self.has_class("open")

    @property
    def text(self) -> str:
        return self.query_one(Input).value

    def close(self) -> None:
        """Put the line away, and what was typed with it."""
        self.remove_class("open")
        self.query_one(Input).value = ""
        self.tell("")

    def tell(self, text: str) -> None:
        self.query_one(".told", Label).update(fmt.plain(text))

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self.is_open:
            self.post_message(self.Typed(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Submitted())
