"""The palette (ctrl+p): every command of the keys that are live, found by its name or by what it does."""

from __future__ import annotations

from functools import partial
from typing import Any

from textual.command import DiscoveryHit, Hit, Hits, Provider

from tracetui.screens.base import ExplorerScreen
from tracetui.screens.command import Word, words


class KeyCommands(Provider):
    """The commands that need no text after them."""

    def _words(self) -> list[Word]:
        if not isinstance(self.screen, ExplorerScreen):
            return []
        keys = getattr(self.app, "keys", None)
        return [word for word in words(self.screen.key_groups, *([keys] if keys else [])) if word.action]

    def _run(self, word: Word) -> Any:
        app: Any = self.app
        return partial(app.run_command, word.group, word.action)

    async def discover(self) -> Hits:
        for word in self._words():
            yield DiscoveryHit(word.name, self._run(word), help=word.help)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for word in self._words():
            text = f"{word.name}: {word.help}"
            score = matcher.match(text)
            if score > 0:
                yield Hit(score, matcher.highlight(text), self._run(word), text=word.name)
