"""The traces behind a number: the list of traces, opened over another screen."""

from __future__ import annotations

from tracetui.screens.lists import TracesScreen
from tracetui.widgets.filter_bar import FilterBar


class TracesBehind(TracesScreen):
    """Esc leads back to where the number stands."""

    def action_back(self) -> None:
        if self.query_one(FilterBar).is_open:
            super().action_back()
        else:
            self.dismiss(None)
