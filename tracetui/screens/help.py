"""All keys, from the key map."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical

from tracetui import keymap
from tracetui.screens.modal import Modal
from tracetui.widgets.line_list import ReadLines
from tracetui.widgets.paint import Line


class HelpLines(ReadLines):
    """The key map in sections."""

    def on_mount(self) -> None:
        for title, keys in keymap.help_sections(getattr(self.app, "keys", keymap.KEYS)):
            self._lines += [[], [(f"  {title}", "accent")]] if self._lines else [[(f"  {title}", "accent")]]
            self._lines += [[(f"  {sign:>8}  ", "strong"), (text, "text")] for sign, text in keys]
        self.styles.height = len(self._lines)


class HelpScreen(Modal[None]):
    """`?`"""

    BINDINGS = [("escape,q,question_mark,f1", "close", "close")]  # noqa: RUF012 - Textual's way

    def compose(self) -> ComposeResult:
        with Vertical(id="help"):
            yield Line(id="title")
            yield HelpLines()

    def on_mount(self) -> None:
        self.query_one("#title", Line).show([("  Keys", "strong")], [("esc closes  ", "quiet")])
        self.query_one(HelpLines).focus()

    def action_close(self) -> None:
        self.dismiss(None)
