"""An application for a widget or a screen of ours alone."""

from __future__ import annotations

from typing import Any

from textual.app import App

from tracetui import themes


class Bare(App[Any]):
    """It has our inks, and nothing else of ours."""

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return themes.inks(self.current_theme)
