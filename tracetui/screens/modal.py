"""Leaving a screen once, with all that was still asked for it."""

from __future__ import annotations

from pathlib import Path
from typing import Generic, TypeVar

from textual.await_complete import AwaitComplete
from textual.messages import Prune
from textual.screen import ModalScreen, Screen
from textual.widget import Widget

Result = TypeVar("Result")

STYLES = Path(__file__).with_name("screens.tcss")
"""Of all screens but the first list."""


def may_leave(screen: Screen[Result]) -> bool:
    """Whether it is on top. Keys wait in a queue on a busy machine: a second Enter or esc may reach a screen that was
    left by the first, and would take away the one below."""
    return screen.app.screen is screen  # `is_current` holds behind a menu too


def forget_questions(screen: Screen[Result]) -> None:
    """Stop what was asked for a screen that goes, and what the messages will ask that still wait for it. Its widgets
    go before its workers would: an answer that came in between would find none to show it.

    Painted lines go too: a memo of Textual's (`StylesCache.get_inner_outer`) keeps the last thousand widgets' lines, of
    screens that are long gone; an hour of going round all screens held 20 MB of them."""
    for node in screen.walk_children(Widget, with_self=True):
        node._styles_cache.clear()
    screen.workers.cancel_node(screen)
    screen.call_later(screen.workers.cancel_node, screen)


class Modal(ModalScreen[Result], Generic[Result]):
    """What is put before a screen for a while."""

    CSS_PATH = STYLES

    async def on_prune(self, event: Prune) -> None:
        forget_questions(self)

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Leave, unless that was done already."""
        return super().dismiss(result) if may_leave(self) else AwaitComplete()
