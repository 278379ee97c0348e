"""A short menu over the screen: what to copy."""

from __future__ import annotations

from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen

from tracetui import format as fmt
from tracetui.widgets.line_list import LineList
from tracetui.widgets.paint import Line, Part


@dataclass(frozen=True, slots=True)
class Choice:
    """A thing to choose: what it is called, and the text that choosing it gives."""

    label: str
    text: str


class Menu(LineList):
    """Labels, with the beginning of what they give."""

    def __init__(self, choices: list[Choice]) -> None:
        super().__init__()
        self.choices = choices

    def on_mount(self) -> None:
        self.styles.height = len(self.choices)

    def line_count(self) -> int:
        return len(self.choices)

    def line_parts(self, index: int, width: int) -> list[Part]:
        choice = self.choices[index]
        cursor = self.glyphs.cursor if index == self.cursor else " "
        column = max(len(item.label) for item in self.choices) + 2
        preview = fmt.plain(choice.text[: 2 * width])
        return [
            (f"{cursor} ", "accent"),
            (f"{index + 1} ", "quiet"),
            (choice.label.ljust(column), "text"),
            (preview, "quiet"),
        ]


class MenuScreen(ModalScreen[str | None]):
    """Gives the chosen text, or None."""

    BINDINGS = [  # noqa: RUF012 - Textual's way
        ("escape,q,y", "cancel", "close"),
        *((str(number), f"pick({number})", "") for number in range(1, 10)),
    ]

    def __init__(self, title: str, choices: list[Choice]) -> None:
        super().__init__()
        self._title = title
        self._choices = choices

    def compose(self) -> ComposeResult:
        with Vertical(id="menu"):
            yield Line(id="title")
            yield Menu(self._choices)

    def on_mount(self) -> None:
        self.query_one("#title", Line).show([(f"  {self._title}", "strong")], [("enter or number, esc  ", "quiet")])
        self.query_one(Menu).focus()

    @on(LineList.Chosen)
    def _chosen(self, event: LineList.Chosen) -> None:
        self.dismiss(self._choices[event.index].text)

    def action_pick(self, number: int) -> None:
        if number <= len(self._choices):
            self.dismiss(self._choices[number - 1].text)

    def action_cancel(self) -> None:
        self.dismiss(None)
