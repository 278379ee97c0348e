"""The explorer around a command: its traces, its output on a tab, its signals, its end."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from textual.binding import Binding

from tracetui import format as fmt
from tracetui.app import Explorer
from tracetui.keymap import bindings
from tracetui.run.summary import how_it_ended
from tracetui.run.terminal import Command
from tracetui.screens.base import ExplorerScreen
from tracetui.screens.output import KEYBOARD, OutputScreen
from tracetui.source import Source
from tracetui.widgets.terminal_output import title

LOOK_S = 0.25
TO_END = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class RunExplorer(Explorer):
    """The command begins when the size of the screen is known. Leaving is asked for twice while it runs."""

    CSS_PATH = str(Path(__file__).parents[1] / "tracetui.tcss")
    BINDINGS = [one for one in bindings("run") if isinstance(one, Binding) and one.action == "show_output"]  # noqa: RUF012

    def __init__(
        self, source: Source, words: tuple[str, ...], env: Mapping[str, str], *, run: str,
        talk: list[str] | None = None, ascii_mode: bool = False, keys: Mapping[str, str] | None = None,
        theme: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(source, ascii_mode=ascii_mode, filter_text=f"run:{run}", keys=keys, theme=theme)
        self.command: Command | None = None
        self._env = env
        self._talk = list(talk or [])
        self._words = words
        self._ends_with_it = False
        self._warned = False
        self._told_end = False
        self._told_keys = False
        self.facts.expecting = f"{title(words, 60)} runs; its first trace shows here in a moment. O shows its output."

    def on_mount(self) -> None:  # beside the Explorer's own
        columns, rows = self._room()
        self.command = Command(self._words, self._env, columns=columns, rows=rows)
        self._say_state()
        self.set_interval(LOOK_S, self._look)
        loop = asyncio.get_running_loop()
        for number in TO_END:
            loop.add_signal_handler(number, self._asked_to_end, number)
        for number in (signal.SIGTSTP, signal.SIGCONT):
            self._pass_beside(number)

    def on_resize(self) -> None:
        if self.command is not None and not isinstance(self.screen, OutputScreen):
            self.command.resize(*self._room())

    def _room(self) -> tuple[int, int]:
        """Columns and rows of the tab: the screen but for a line on top and one below."""
        return self.size.width, max(self.size.height - 2, 1)

    # Signals.

    def _asked_to_end(self, number: int) -> None:
        """What somebody sends us is for the command; the screen goes when it has gone."""
        self._ends_with_it = True
        self._pass(number)
        if self.command is None or not self.command.running or number == signal.SIGHUP:
            self.exit(0)

    def _pass(self, number: int) -> None:
        if self.command is not None:
            self.command.signal(number)

    def _pass_beside(self, number: int) -> None:
        """Stop and go on with the command; Textual's driver does its part for the screen."""
        before: Any = signal.getsignal(number)

        def handle() -> None:
            # In a session of its own no shell looks after it, and the kernel lets SIGTSTP stop none such.
            self._pass(signal.SIGSTOP if number == signal.SIGTSTP else number)
            if callable(before):
                before(number, None)

        # By the loop: Textual's part writes to the terminal, and amid another write it would wait for itself for ever.
        asyncio.get_running_loop().add_signal_handler(number, handle)

    # The command.

    def _look(self) -> None:
        command = self.command
        if command is None:
            return
        if command.code is not None and not self._told_end:
            self._told_end = True
            self._say_state()
            if self._ends_with_it:
                self.exit(0)
        elif not self._told_keys and command.wants_keys():
            self._told_keys = True
            self._notice(KEYBOARD)

    def _say_state(self) -> None:
        command = self.command
        if command is None:
            return
        name = title(self._words, 48)
        if command.code is None:
            said = [f"{name} runs; O shows its output.", *self._talk]
        else:
            ended = how_it_ended(name, command.code)
            self.facts.expecting = f"{ended} and sent no spans. O shows its output."
            said = [f"{ended} after {fmt.duration(int(command.seconds * 1e9))}; O shows its output."]
        self._notice("   ".join(said))

    def _notice(self, text: str) -> None:
        self.facts.notice = text
        for screen in self.screen_stack:
            if isinstance(screen, ExplorerScreen):
                screen.facts_changed()

    # Keys.

    def action_show_output(self) -> None:
        if self.command is not None and not any(isinstance(screen, OutputScreen) for screen in self.screen_stack):
            self.push_screen(OutputScreen(self.facts, self.command))

    def action_leave(self) -> None:
        if self.command is None or not self.command.running or self._warned:
            self.exit(0)
            return
        self._warned = True
        self.set_timer(self.NOTIFICATION_TIMEOUT, self._stays)
        self.notify(f"{title(self._words, 40)} still runs: q again ends it.", severity="warning", markup=False)

    def _stays(self) -> None:
        self._warned = False
