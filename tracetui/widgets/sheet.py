"""The request of a call as text to edit, the openings of its parts set off."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.widgets import TextArea

from collector.replay.sheet import OPENS


class Sheet(TextArea):
    """A `#: ` line stands out from the text below it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"sheet--opening"}

    def __init__(self, text: str, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(text, id=id, show_line_numbers=False, soft_wrap=True, tab_behavior="focus")

    def get_line(self, line_index: int) -> Text:
        line = super().get_line(line_index)
        if line.plain.startswith(OPENS):
            line.stylize(self.get_component_rich_style("sheet--opening", partial=True))
        return line
