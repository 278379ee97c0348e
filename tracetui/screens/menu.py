"""A short menu over the screen: what to copy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical

from tracetui import format as fmt
from tracetui.screens.modal import Modal
from tracetui.widgets.line_list import LineList
from tracetui.widgets.paint import Line, Part, spread

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Choice:
    """A thing to choose: what it is called, and the text that choosing it gives: `text`, or what `make` makes then,
    of which `about` says something."""

    label: str
    text: str = ""
    make: Callable[[], str] | None = None
    about: str = ""

    def given(self) -> str:
        """The text. Raises what making it raises."""
        return self.text if self.make is None else self.make()


class Menu(LineList):
    """Labels, with the beginning of what they give."""

    def __init__(self, choices: list[Choice], at: int = 0) -> None:
        super().__init__()
        self.choices = choices
        self.cursor = at

    def on_mount(self) -> None:
        self.styles.height = len(self.choices)

    def line_count(self) -> int:
        return len(self.choices)

    def line_parts(self, index: int, width: int) -> list[Part]:
        choice = self.choices[index]
        cursor = self.glyphs.cursor if index == self.cursor else " "
        column = min(max(len(item.label) for item in self.choices), width // 2) + 2
        preview = fmt.plain((choice.about or choice.text)[: 2 * width])
        parts: list[Part] = [
            (f"{cursor} ", "accent"),
            (f"{index + 1} " if index < 9 else "  ", "quiet"),
            (fmt.fit(fmt.plain(choice.label), column), "text"),
            (preview, "quiet"),
        ]
        return spread(parts, self.more(index), width)


class Picking(Modal[Result | None], Generic[Result]):
    """Gives what choosing gives, or None."""

    def result(self, choice: Choice) -> Result:
        raise NotImplementedError

    BINDINGS = [  # noqa: RUF012 - Textual's way
        ("escape,q,y,x,v,t,b", "cancel", "close"),
        *((str(number), f"pick({number})", "") for number in range(1, 10)),
    ]

    def __init__(self, title: str, choices: list[Choice], *, at: int = 0) -> None:
        """`at`: the choice that the cursor begins on."""
        super().__init__()
        self._title = title
        self._choices = choices
        self._at = at

    def compose(self) -> ComposeResult:
        with Vertical(id="menu"):
            yield Line(id="title")
            yield Menu(self._choices, self._at)

    def on_mount(self) -> None:
        self.query_one("#title", Line).show([(f"  {self._title}", "strong")], [("enter or number, esc  ", "quiet")])
        self.query_one(Menu).focus()

    @on(LineList.Chosen)
    def _chosen(self, event: LineList.Chosen) -> None:
        self.dismiss(self.result(self._choices[event.index]))

    def action_pick(self, number: int) -> None:
        if number <= len(self._choices):
            self.dismiss(self.result(self._choices[number - 1]))

    def action_cancel(self) -> None:
        self.dismiss(None)


class MenuScreen(Picking[str]):
    """Gives the chosen text, or None."""

    def result(self, choice: Choice) -> str:
        return choice.text


class ChoiceScreen(Picking[Choice]):
    """Gives what was chosen, whose text may have to be made, or None."""

    def result(self, choice: Choice) -> Choice:
        return choice
