"""The palette (ctrl+p): every command of the keys that are live, and the saved views, found by name or by what they do.

A line each: the name, its key, what it does. Most needed first, moving about last.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider, SearchIcon
from textual.content import Content

from tracetui import format as fmt
from tracetui.keymap import KEYS, Key
from tracetui.screens.base import ExplorerScreen
from tracetui.screens.command import named
from tracetui.screens.filtered import FilteredScreen

MOVING = ("list",)
NAME_CELLS, SIGN_CELLS = 18, 10
ABOUT_AT = NAME_CELLS + SIGN_CELLS + 2
MOST_CELLS, FRAME_CELLS = 100, 6
"""What Textual's list takes beside the text: a margin either side, and the scroll bar."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What may be chosen, and what choosing it does; `room`: the cells of a line."""

    name: str
    sign: str
    about: str
    run: Callable[[], Any]
    room: int

    @property
    def text(self) -> str:
        return fmt.clip(f"{fmt.fit(self.name, NAME_CELLS)} {fmt.fit(self.sign, SIGN_CELLS)} {self.about}", self.room)

    def shown(self, marked: tuple[int, ...] = ()) -> Content:
        """The line, with what was typed marked."""
        content = Content(self.text).stylize("dim not bold", len(fmt.fit(self.name, NAME_CELLS)))
        for at in (one for one in marked if one < len(self.text)):
            content = content.stylize("bold underline", at, at + 1)
        return content


class KeyCommands(Provider):
    """The commands that need no text after them."""

    def _entries(self) -> list[Entry]:
        screen, app = self.screen, self.app
        if not isinstance(screen, ExplorerScreen):
            return []
        keys = [key for key in getattr(app, "keys", KEYS) if key.group in screen.key_groups]
        keys.sort(key=lambda key: (key.group in MOVING, not key.bar, key.bar))
        room = min(app.size.width, MOST_CELLS) - FRAME_CELLS
        views = sorted(screen.facts.source.views.items()) if isinstance(screen, FilteredScreen) else []
        return [
            *(Entry(fmt.plain(f"view:{name}"), "", fmt.plain(text), self._view(name), room) for name, text in views),
            *(Entry(named(key), key.sign, key.help, self._run(key), room) for key in keys),
            Entry("theme", "", "another look, light or dark", app.action_change_theme, room),
        ]

    def _run(self, key: Key) -> Callable[[], Any]:
        app: Any = self.app
        return partial(app.run_command, key.group, key.action)

    def _view(self, name: str) -> Callable[[], Any]:
        screen = self.screen
        assert isinstance(screen, FilteredScreen)
        return partial(screen.apply, f"view:{name}")

    async def discover(self) -> Hits:
        for entry in self._entries():
            yield DiscoveryHit(entry.shown(), entry.run, text=entry.text)

    async def search(self, query: str) -> Hits:
        """Letters of its name in a row, with others between; or a part of what it does."""
        matcher = self.matcher(query)
        for entry in self._entries():
            score, marked = matcher.fuzzy_search.match(query, entry.name)
            at = entry.about.lower().find(query.lower())
            if score > 0:
                yield Hit(1 + score, entry.shown(tuple(marked)), entry.run, text=entry.name)
            elif at >= 0:
                inside = range(ABOUT_AT + at, ABOUT_AT + at + len(query))
                yield Hit(1 / (2 + at), entry.shown(tuple(inside)), entry.run, text=entry.name)


class Palette(CommandPalette):
    """Textual's, with a sign that every terminal has, one cell wide."""

    def on_mount(self) -> None:  # beside CommandPalette's own
        self.query_one(SearchIcon).icon = ">"
