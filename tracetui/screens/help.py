"""All keys, from the key map."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical

from tracetui import keymap
from tracetui.screens.modal import Modal
from tracetui.widgets.line_list import ReadLines
from tracetui.widgets.paint import Line, Part


class HelpLines(ReadLines):
    """The key map in sections, those of the screen below first."""

    def __init__(self, here: tuple[str, ...]) -> None:
        super().__init__()
        self._here = here

    def on_mount(self) -> None:
        for title, keys in keymap.help_sections(getattr(self.app, "keys", keymap.KEYS), self._here):
            self._lines += [[], [(f"  {title}", "accent")]] if self._lines else [[(f"  {title}", "accent")]]
            self._lines += [[(f"  {sign:>8}  ", "strong"), (text, "text")] for sign, text in keys]
        self.styles.height = len(self._lines)

    def line_parts(self, index: int, width: int) -> list[Part]:
        """The last line on the screen says that it is not the last one."""
        if index == self.top + self.page - 1 < len(self._lines) - 1:
            return [(f"  {self.glyphs.down} more", "quiet")]
        return super().line_parts(index, width)


class HelpScreen(Modal[None]):
    """`?`"""

    BINDINGS = [("escape,q,question_mark,f1", "close", "close")]  # noqa: RUF012 - Textual's way

    def __init__(self, here: tuple[str, ...] = ()) -> None:
        super().__init__()
        self._here = here

    def compose(self) -> ComposeResult:
        with Vertical(id="help"):
            yield Line(id="title")
            yield HelpLines(self._here)

    def on_mount(self) -> None:
        self.query_one("#title", Line).show([("  Keys", "strong")], [("esc closes  ", "quiet")])
        self.query_one(HelpLines).focus()

    def action_close(self) -> None:
        self.dismiss(None)
