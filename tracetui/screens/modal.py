"""Leaving a screen once, with all that was still asked for it."""

from __future__ import annotations

from typing import Generic, TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen, Screen

Result = TypeVar("Result")


def may_leave(screen: Screen[Result]) -> bool:
    """Whether it is on top; then nothing that was asked for it goes on.

    Keys wait in a queue on a busy machine: a second Enter or esc may reach a screen that was left by the first, and
    would take away the one below. And the widgets of a screen go before its workers would: an answer that came in
    between would find none to show it.
    """
    if not screen.is_current or screen.app.screen is not screen:  # the one below counts as current, too
        return False
    screen.workers.cancel_node(screen)
    return True


class Modal(ModalScreen[Result], Generic[Result]):
    """What is put before a screen for a while."""

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Leave, unless that was done already."""
        return super().dismiss(result) if may_leave(self) else AwaitComplete()
