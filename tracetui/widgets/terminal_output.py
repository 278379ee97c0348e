"""What a command wrote to its terminal: its lines, in its colours, without a byte of its sequences."""

from __future__ import annotations

from threading import Lock
from typing import Protocol

from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tracetui import format as fmt
from tracetui.looks import Colour, Look
from tracetui.vt import Screen
from tracetui.widgets.line_list import LineList
from tracetui.widgets.paint import Part


class Command(Protocol):
    """What runs, as far as a screen cares. `screen` is read under `lock`; `code` is None while it runs."""

    words: tuple[str, ...]
    lock: Lock
    screen: Screen
    code: int | None

    @property
    def seconds(self) -> float: ...
    def resize(self, columns: int, rows: int) -> None: ...
    def interrupt(self) -> None: ...
    def wants_keys(self) -> bool: ...


class TerminalOutput(LineList):
    """Follows the newest line until one scrolls up."""

    def __init__(self, command: Command) -> None:
        super().__init__(id="output")
        self.command = command
        self.following = True
        self._seen = (-1, 0)
        self._count = 0
        self._styles: dict[Look, Style] = {}

    @property
    def shows_cursor(self) -> bool:
        return False

    def line_count(self) -> int:
        return self._count

    def line_parts(self, index: int, width: int) -> list[Part]:
        with self.command.lock:
            screen = self.command.screen
            spans = screen.line(index) if index < len(screen) else []
        return [(text, "text") for text, _ in spans]

    def line(self, index: int, width: int) -> Strip:
        with self.command.lock:
            screen = self.command.screen
            spans = list(screen.line(index)) if index < len(screen) else []
        segments = [Segment(text, self._style(look)) for text, look in spans]
        return Strip(segments).adjust_cell_length(width, self.ink("text"))

    def _style(self, look: Look) -> Style:
        style = self._styles.get(look)
        if style is None:
            if len(self._styles) > 1000:  # a program may use all sixteen million colours
                self._styles.clear()
            style = self.ink("text") + Style(
                color=_colour(look.fg), bgcolor=_colour(look.bg), bold=look.bold or None, dim=look.dim or None,
                italic=look.italic or None, underline=look.underline or None, reverse=look.reverse or None,
                strike=look.strike or None,
            )  # fmt: skip
            self._styles[look] = style
        return style

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles = {}

    def look_again(self) -> None:
        """Show what was written since; what is being read does not move."""
        with self.command.lock:
            screen = self.command.screen
            seen, count = (screen.version, screen.dropped), len(screen)
        if seen == self._seen:
            return
        gone, self._seen, self._count = seen[1] - self._seen[1], seen, count
        if self.following:
            self.top = max(count - self.page, 0)
        else:
            self.top = max(min(self.top - gone, count - self.page), 0)
        self.cursor = min(self.top, max(count - 1, 0))
        self.refresh()

    def scroll_lines(self, by: int) -> None:
        last = max(self._count - self.page, 0)
        self.top = max(min(self.top + by, last), 0)
        self.cursor = self.top
        self.following = self.top >= last
        self.refresh()

    def move_to(self, index: int) -> None:
        self.scroll_lines(index - self.top)

    def action_up(self) -> None:
        self.scroll_lines(-1)

    def action_down(self) -> None:
        self.scroll_lines(1)

    def action_page_up(self) -> None:
        self.scroll_lines(-self.page)

    def action_page_down(self) -> None:
        self.scroll_lines(self.page)

    def action_first(self) -> None:
        self.scroll_lines(-self._count)

    def action_last(self) -> None:
        self.scroll_lines(self._count)

    def action_choose(self) -> None:
        """There is nothing to open."""

    def on_resize(self) -> None:
        self.command.resize(self.size.width, self.size.height)
        self.scroll_lines(self._count if self.following else 0)

    def visible_text(self) -> str:
        with self.command.lock:
            screen = self.command.screen
            shown = range(self.top, min(self.top + self.page, len(screen)))
            return "\n".join("".join(text for text, _ in screen.line(at)).rstrip() for at in shown)


def _colour(colour: Colour) -> RichColor | None:
    if colour is None:
        return None
    if isinstance(colour, tuple):
        return RichColor.from_rgb(*colour)
    # The sixteen as true colours of their own: the terminal's own palette may hide them on our ground.
    return RichColor.parse(_SIXTEEN[colour]) if colour < 16 else RichColor.from_ansi(colour)


_SIXTEEN = (
    "#6b7280", "#f7768e", "#7cb782", "#e0af68", "#5aa9ff", "#c58fb0", "#56c8d8", "#c8ccd4",
    "#8b93a1", "#ff9bab", "#9fd3a4", "#f0cd94", "#8cc5ff", "#dab0ca", "#86dce8", "#ffffff",
)  # fmt: skip


def title(words: tuple[str, ...], width: int) -> str:
    """The command as one harmless line, the program by its name alone."""
    return fmt.clip(fmt.plain(" ".join([words[0].rpartition("/")[2], *words[1:]])), width)
