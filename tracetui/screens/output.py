"""The output of the command that `tracetui run` started."""

from __future__ import annotations

import shlex

from textual.app import ComposeResult

from tracetui import format as fmt
from tracetui.keymap import bindings
from tracetui.screens.base import ExplorerScreen, Facts
from tracetui.screens.menu import Choice
from tracetui.widgets.frame import ContextLine, KeyBar, Note
from tracetui.widgets.paint import Part
from tracetui.widgets.terminal_output import Command, TerminalOutput, title

LOOK_S = 0.1
KEYBOARD = "It wants the keyboard: run it with --no-tui, and `tracetui` in a terminal beside."
COPIED_LINES = 1000


class OutputScreen(ExplorerScreen):
    """What the command wrote, live; ctrl+c goes to the command."""

    BINDINGS = bindings("run")
    key_groups = ("list", "screen", "app", "run")

    def __init__(self, facts: Facts, command: Command) -> None:
        super().__init__(facts)
        self.command = command

    def compose(self) -> ComposeResult:
        yield ContextLine(id="context")
        yield Note(id="note")
        yield TerminalOutput(self.command)
        yield KeyBar("list", "screen", "app", "run", without=("show_output", "choose", "search"))

    @property
    def output(self) -> TerminalOutput:
        return self.query_one(TerminalOutput)

    def on_mount(self) -> None:
        self.output.focus()
        self.set_interval(LOOK_S, self._look)
        self.tick()
        self._look()

    def _look(self) -> None:
        if self.in_sight and not self.facts.paused:
            self.output.look_again()

    def tick(self) -> None:
        self.show_context()
        self.say(KEYBOARD if self.command.wants_keys() else "")

    def show_context(self) -> None:
        width = self.size.width
        left: list[Part] = [(" ", "text"), (title(self.command.words, max(width - 30, 10)), "strong")]
        for context in self.query(ContextLine):
            context.show(left, [*state(self.command, self._glyphs()), (" ", "text")])

    def _glyphs(self) -> fmt.Glyphs:
        return fmt.ASCII if getattr(self.app, "ascii_mode", False) else fmt.UNICODE

    def show_facts(self) -> None:
        self.show_context()

    def copy_choices(self) -> list[Choice]:
        with self.command.lock:
            text = self.command.screen.text(COPIED_LINES)
        choices = [Choice("the lines on screen", self.output.visible_text())]
        choices += [Choice("the last 1,000 lines", text), Choice("the command", shlex.join(self.command.words))]
        return [choice for choice in choices if choice.text]

    def action_back(self) -> None:
        self.dismiss()

    def action_show_output(self) -> None:
        self.dismiss()

    def action_interrupt(self) -> None:
        self.command.interrupt()


def state(command: Command, glyphs: fmt.Glyphs) -> list[Part]:
    """● running 3.2s, ✔ ended 12.4s, ✖ exit 3 after 12.4s."""
    took = fmt.duration(int(command.seconds * 1e9), running=command.code is None)
    if command.code is None:
        return [(f"{glyphs.states['running']} running ", "running"), (took, "running")]
    if command.code == 0:
        return [(f"{glyphs.states['ok']} ended ", "ok"), (took, "quiet")]
    return [(f"{glyphs.states['error']} exit {command.code} ", "error"), (took, "quiet")]
