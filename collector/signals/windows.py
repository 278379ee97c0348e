"""How much a model takes: the user's own numbers, then those of the price table."""

from __future__ import annotations

from fnmatch import fnmatchcase

from collector.limits import Limits
from collector.pricing import context_window
from collector.signals.trace import Window


def windows(limits: Limits) -> Window:
    """An exact name wins over a glob, the first glob over later ones; names are compared without case."""
    own = {name.lower(): tokens for name, tokens in limits.windows.items()}

    def window(provider: str | None, model: str | None) -> int | None:
        if not model:
            return None
        names = [model.lower()] if not provider else [f"{provider}/{model}".lower(), model.lower()]
        for name in names:
            if name in own:
                return own[name]
        found = next((tokens for glob, tokens in own.items() if any(fnmatchcase(name, glob) for name in names)), None)
        return found or context_window(provider, model)

    return window
