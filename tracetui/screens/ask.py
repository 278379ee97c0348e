"""One line to answer a question with."""

from __future__ import annotations

import re

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input

from tracetui.screens.modal import Modal
from tracetui.widgets.paint import Line


class AskScreen(Modal[str | None]):
    """Gives what was typed, or None. What `allowed` does not match is not taken, and `hint` says what is."""

    BINDINGS = [("escape", "cancel", "close")]  # noqa: RUF012 - Textual's way

    def __init__(self, title: str, hint: str, allowed: re.Pattern[str]) -> None:
        super().__init__()
        self._title, self._hint, self._allowed = title, hint, allowed

    def compose(self) -> ComposeResult:
        with Vertical(id="ask"):
            yield Line(id="title")
            yield Input(placeholder=self._hint)

    def on_mount(self) -> None:
        self._say("quiet")
        self.query_one(Input).focus()

    def _say(self, ink: str, hint: str = "enter, esc") -> None:
        self.query_one("#title", Line).show([(f"  {self._title}", "strong")], [(f"{hint}  ", ink)])

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        text = event.value.strip()
        if self._allowed.fullmatch(text):
            self.dismiss(text)
        else:
            self._say("error", self._hint)

    def action_cancel(self) -> None:
        self.dismiss(None)
