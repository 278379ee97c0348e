"""Doing what was typed after `:` or chosen from the palette."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual import on
from textual.app import App
from textual.screen import Screen
from textual.widget import Widget

from collector.errors import TracetuiError
from tracetui.screens.base import ExplorerScreen, Facts
from tracetui.screens.filtered import FilteredScreen
from tracetui.turns import InTurn
from tracetui.widgets.line_list import LineList

if TYPE_CHECKING:
    from tracetui.screens.neighbours import Around


class Commands(InTurn):
    """The part of the application that understands commands."""

    facts: Facts

    def notify(self, message: str, **how: Any) -> None:
        """Say something for a few seconds: once, however often the key is pressed meanwhile."""
        if not any(one.message == message for one in self._notifications):
            super().notify(message, **how)

    def to_traces(self) -> None:
        """Go back to the first list, as it was left: its filter, its order, its line."""
        while len(self.screen_stack) > 1:
            self.pop_screen()

    def show_place(self, screen: ExplorerScreen) -> None:
        """Show it right above the list of traces, where esc leads back to."""
        self.to_traces()
        self.push_screen(screen)

    def open_trace(
        self, trace_id: str, span_id: str | None = None, around: Around | None = None, said: str | None = None
    ) -> None:
        """`around`: what lies around it, for going on from there. `said`: words of the span to show marked."""
        from tracetui.screens.trace import TraceScreen

        if isinstance(self.screen, TraceScreen) and self.screen.trace_id == trace_id:  # a second Enter, on its way here
            if span_id is not None:
                self.screen.go_to_span(span_id)
            return
        screen = TraceScreen(self.facts, trace_id, span_id)
        screen.around, screen.said = around, said
        self.push_screen(screen)

    def open_search(self, text: str) -> None:
        from tracetui.screens.search import SearchScreen

        self.push_screen(SearchScreen(self.facts, text))

    @on(ExplorerScreen.Command)
    async def _command(self, event: ExplorerScreen.Command) -> None:
        from tracetui.screens.command import UnknownCommand, understood, words

        screen = self.screen
        groups = screen.key_groups if isinstance(screen, ExplorerScreen) else ("app",)
        try:
            word, rest = understood(event.text, words(groups, self.keys))
        except UnknownCommand as error:
            self.notify(str(error), severity="warning", markup=False)
            return
        if word.action:
            await self.run_command(word.group, word.action)
        else:
            await getattr(self, f"_do_{word.name}")(rest)

    async def run_command(self, group: str, action: str) -> None:
        """Do what a key of a group does, on the screen that is shown."""
        target: App[int] | Screen[object] | Widget = self if group == "app" else self.screen
        if group == "list":
            target = (
                self.screen.focused
                if isinstance(self.screen.focused, LineList)
                else self.screen.query(LineList).first()
            )
        await self.run_action(action, target)

    async def _do_filter(self, text: str) -> None:
        if not isinstance(self.screen, FilteredScreen):
            self.to_traces()
        if isinstance(self.screen, FilteredScreen):
            self.screen.apply(text)

    async def _do_search(self, text: str) -> None:
        self.open_search(text)

    async def _do_theme(self, name: str) -> None:
        if name in self.available_themes:
            self.theme = name
        else:
            known = ", ".join(sorted(self.available_themes))
            self.notify(f"There is no theme {name!r}; there are {known}.", severity="warning", markup=False)

    async def _do_open(self, prefix: str) -> None:
        try:
            trace_id = await self.facts.source.ask(lambda reader: reader.resolve_trace(prefix))
        except TracetuiError as error:
            self.notify(str(error), severity="warning", markup=False)
            return
        self.open_trace(trace_id)
