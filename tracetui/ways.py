"""Where keys and messages lead: every screen is opened here, and none knows another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on

from tracetui.commands import Commands
from tracetui.screens.base import ExplorerScreen
from tracetui.screens.lists import ListScreen, SessionsScreen, session_filter

if TYPE_CHECKING:
    from tracetui.screens.neighbours import HasNeighbours


class Ways(Commands):
    """The part of the application that goes from screen to screen."""

    def action_show_traces(self) -> None:
        self.to_traces()

    def action_show_sessions(self) -> None:
        if not isinstance(self.screen, SessionsScreen):
            self.show_place(SessionsScreen(self.facts))

    def action_show_costs(self) -> None:
        from tracetui.screens.costs import CostsScreen

        if not isinstance(self.screen, CostsScreen):
            self.show_place(CostsScreen(self.facts))

    def action_show_signals(self) -> None:
        from tracetui.screens.signals import SignalsScreen

        if not isinstance(self.screen, SignalsScreen):
            self.show_place(SignalsScreen(self.facts))

    def action_show_overview(self) -> None:
        from tracetui.screens.overview import OverviewScreen

        if not isinstance(self.screen, OverviewScreen):
            self.show_place(OverviewScreen(self.facts))

    def action_show_errors(self) -> None:
        from tracetui.screens.errors import ErrorsScreen

        if not isinstance(self.screen, ErrorsScreen):
            self.show_place(ErrorsScreen(self.facts))

    def action_help(self) -> None:
        from tracetui.screens.help import HelpScreen

        self.push_screen(HelpScreen(getattr(self.screen, "key_groups", ())))

    def action_show_received(self) -> None:
        from tracetui.screens.received import ReceivedScreen

        self.push_screen(ReceivedScreen(self.facts))

    def action_leave(self) -> None:
        self.exit(0)

    @on(ListScreen.OpenTrace)
    def _to_trace(self, event: ListScreen.OpenTrace) -> None:
        self.open_trace(event.trace_id, around=event.around)

    def on_has_neighbours_step(self, event: HasNeighbours.Step) -> None:
        from tracetui.screens.neighbours import HasNeighbours

        if not isinstance(self.screen, HasNeighbours):
            return  # the trace was left while the next one was looked for
        self.screen.dismiss(None)
        self.open_trace(event.to.trace_id, event.to.span_id, event.around, event.to.said)

    @on(ListScreen.Group)
    def _to_groups(self, event: ListScreen.Group) -> None:
        from tracetui.screens.groups import GroupsScreen

        self.push_screen(GroupsScreen(self.facts, event.by, filter_text=event.filter_text))

    @on(ListScreen.OpenSession)
    def _to_session(self, event: ListScreen.OpenSession) -> None:
        self._behind(session_filter(event.session_id))

    @on(ExplorerScreen.OpenConversation)
    def _to_conversation(self, event: ExplorerScreen.OpenConversation) -> None:
        from tracetui.screens.session import SessionScreen

        self.push_screen(SessionScreen(self.facts, event.session_id))

    @on(ExplorerScreen.OpenTraces)
    def _to_traces_behind(self, event: ExplorerScreen.OpenTraces) -> None:
        self._behind(event.filter_text)

    def _behind(self, filter_text: str) -> None:
        from tracetui.screens.behind import TracesBehind

        self.push_screen(TracesBehind(self.facts, filter_text=filter_text))

    @on(ExplorerScreen.Search)
    def _to_search(self, event: ExplorerScreen.Search) -> None:
        self.open_search(event.text)

    @on(ExplorerScreen.OpenSpan)
    def _to_span(self, event: ExplorerScreen.OpenSpan) -> None:
        self.open_trace(event.trace_id, event.span_id, event.around, event.said)
