"""`:` a line to type a command into, with those that fit above it. Every key has its command; some take more."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Label

from collector.errors import TracetuiError
from tracetui import keymap
from tracetui.screens.modal import Modal
from tracetui.widgets.line_list import LineList
from tracetui.widgets.paint import Part


@dataclass(frozen=True, slots=True)
class Word:
    """A command that is typed: `takes` names what follows it; `group` is where its action lives."""

    name: str
    takes: str
    help: str
    group: str = ""
    action: str = ""


TYPED = (
    Word("filter", "FILTER", "show what the filter finds, in the list of traces"),
    Word("open", "TRACE", "open a trace by its id, or the beginning of it"),
    Word("search", "TEXT", "search all that was said"),
    Word("theme", "NAME", "another look"),
)


class UnknownCommand(TracetuiError):
    """There is no such command here."""


def words(groups: tuple[str, ...], keys: tuple[keymap.Key, ...] = keymap.KEYS) -> list[Word]:
    """The commands of these groups of keys, and those that are typed."""
    typed = {word.name for word in TYPED}
    found = [Word(named(key), "", key.help, key.group, key.action) for key in keys if key.group in groups]
    return [*TYPED, *(word for word in found if word.name not in typed)]


def named(key: keymap.Key) -> str:
    if key.action.startswith("tab("):
        return key.label.lower()
    return {"leave": "quit"}.get(key.action, key.action.removeprefix("show_").replace("_", "-"))


def understood(text: str, known: list[Word]) -> tuple[Word, str]:
    """(the command, what follows it). A beginning that fits one command is enough."""
    name, _, rest = text.strip().removeprefix(":").partition(" ")
    fits = [word for word in known if word.name == name] or [word for word in known if word.name.startswith(name)]
    if len(fits) != 1:
        close = [word.name for word in fits] or get_close_matches(name, [word.name for word in known], n=3)
        hint = f"; did you mean {' or '.join(close[:4])}?" if close else "; ? lists the keys"
        raise UnknownCommand(f"{name!r} is {'several commands' if fits else 'no command here'}{hint}")
    if fits[0].takes and not rest.strip():
        raise UnknownCommand(f"{fits[0].name} needs {fits[0].takes}: {fits[0].help}")
    return fits[0], rest.strip()


class Fitting(LineList):
    """The commands that begin as typed."""

    def __init__(self, known: list[Word]) -> None:
        super().__init__()
        self.known = self.shown = known

    def narrow(self, text: str) -> None:
        name = text.strip().removeprefix(":").partition(" ")[0]
        self.shown = [word for word in self.known if word.name.startswith(name)] or [
            word for word in self.known if name in word.name
        ]
        self.cursor = self.top = 0
        self.refresh()

    def line_count(self) -> int:
        return len(self.shown)

    def line_parts(self, index: int, width: int) -> list[Part]:
        word = self.shown[index]
        column = max(len(one.name) + len(one.takes) for one in self.known) + 3
        takes = f" {word.takes}" if word.takes else ""
        return [
            (self.glyphs.cursor + " " if index == self.cursor else "  ", "accent"),
            (word.name, "strong"),
            (takes.ljust(column - len(word.name)), "quiet"),
            (word.help, "quiet"),
        ]


class CommandScreen(Modal[str | None]):
    """Gives what was typed or chosen, or None."""

    BINDINGS = [  # noqa: RUF012 - Textual's way
        ("escape", "cancel", "close"),
        ("up,ctrl+p", "move(-1)", ""),
        ("down,ctrl+n", "move(1)", ""),
        ("tab", "complete", ""),
    ]

    def __init__(self, groups: tuple[str, ...]) -> None:
        super().__init__()
        self._groups = groups

    def compose(self) -> ComposeResult:
        with Vertical(id="command"):
            yield Fitting(words(self._groups, getattr(self.app, "keys", keymap.KEYS)))
            with Horizontal():
                yield Label(":", markup=False)
                yield Input(placeholder="command", select_on_focus=False)

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    @property
    def _list(self) -> Fitting:
        return self.query_one(Fitting)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._list.narrow(event.value)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        name, _, rest = event.value.strip().partition(" ")
        shown = self._list.shown
        if not rest and shown and not shown[self._list.cursor].takes:
            name = shown[self._list.cursor].name
        elif not rest and shown and shown[self._list.cursor].takes:
            self.action_complete()
            return
        self.dismiss(f"{name} {rest}".strip() or None)

    @on(LineList.Chosen)
    def _chosen(self, event: LineList.Chosen) -> None:
        word = self._list.shown[event.index]
        if word.takes:
            self.action_complete()
        else:
            self.dismiss(word.name)

    def action_move(self, by: int) -> None:
        self._list.move_to(self._list.cursor + by)

    def action_complete(self) -> None:
        shown, field = self._list.shown, self.query_one(Input)
        if shown:
            field.value = shown[self._list.cursor].name + (" " if shown[self._list.cursor].takes else "")
            field.cursor_position = len(field.value)
        field.focus()

    def action_cancel(self) -> None:
        self.dismiss(None)
