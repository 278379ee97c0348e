"""Ink and lines: what pure code decides to show, as (text, role) pairs, becomes a strip of styled cells.

Text reaches the screen as plain segments. No markup is read anywhere on the way, so text from a trace stays text.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from rich.cells import set_cell_size
from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter
from textual.strip import Strip
from textual.widget import Widget

from tracetui import format as fmt


class NoColour(LineFilter):
    """For NO_COLOR: bold and underline stay, colours go (Textual's own filter leaves shades of grey)."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [Segment(text, style and style.without_color, control) for text, style, control in segments]


Part: TypeAlias = tuple[str, str]
"""(text, role): harmless text and the name of its ink."""

INKS = {
    **{name: (name, "") for name in (
        "text", "quiet", "faint", "title", "accent", "ok", "running", "error", "abandoned",
        "agent", "llm", "tool", "retriever", "embedding", "chain", "guardrail",
        "heat-1", "heat-2", "heat-3", "cursor", "cursor-away", "code",
    )},
    "strong": ("text", "bold"), "fresh": ("accent", "bold"), "chip": ("chip", ""), "tab": ("accent", "bold underline"),
    "added": ("ok", "bold"), "gone": ("error", "strike"),
    "reranker": ("retriever", ""), "prompt": ("chain", ""), "event": ("chain", ""), "evaluator": ("guardrail", ""),
    "http": ("infra", ""), "db": ("infra", ""), "span": ("infra", ""),
    "heat-0": ("faint", ""), "heat-4": ("heat-4", "bold"),
    "json-key": ("accent", ""), "json-text": ("text", ""), "json-number": ("number", ""),
    "json-word": ("embedding", ""), "code-text": ("retriever", ""),
    "role-user": ("accent", "bold"), "role-assistant": ("llm", "bold"), "role-system": ("quiet", "bold"),
    "role-tool": ("tool", "bold"),
}  # fmt: skip
"""What each role is painted with: the colour that `themes.inks` makes for every theme, and how."""
ROLES = tuple(INKS)
GROUNDS = {"cursor": "cursor", "cursor-away": "cursor-away", "chip": "accent"}
"""Roles that bring a ground of their own."""


def parts_width(parts: Iterable[Part]) -> int:
    """How many cells the parts take."""
    return sum(fmt.cells(text) for text, _ in parts)


def clip_parts(parts: Iterable[Part], width: int) -> list[Part]:
    """Keep what fits into `width` cells; where something is cut it ends in …"""
    return clipped(parts, width)[0]


def clipped(parts: Iterable[Part], width: int) -> tuple[list[Part], int]:
    """The same, and how many cells are left beside it."""
    kept: list[Part] = []
    room = width
    for text, role in parts:
        size = fmt.cells(text)
        if size > room:
            if room > 0:
                text = fmt.clip(text, room)
                kept.append((text, role))
                room -= fmt.cells(text)
            else:
                _end_in_ellipsis(kept)
            break
        kept.append((text, role))
        room -= size
    return kept, room


def _end_in_ellipsis(kept: list[Part]) -> None:
    if kept and kept[-1][0] and not kept[-1][0].isspace():
        text, role = kept[-1]
        kept[-1] = (set_cell_size(text, fmt.cells(text) - 1) + fmt.ELLIPSIS, role)


def spread(left: list[Part], right: list[Part], width: int) -> list[Part]:
    """`left` and `right` at the two ends of a line of `width` cells; the left gives way."""
    right = clip_parts(right, width)
    room = max(width - parts_width(right) - (1 if right else 0), 0)
    left = clip_parts(left, room)
    return [*left, (" " * (width - parts_width(left) - parts_width(right)), "text"), *right]


class Painter(Widget):
    """A widget that paints lines of parts.

    Inks are mixed when they are painted with, from the theme's variables. COMPONENT_CLASSES would be Textual's way; it
    works them out for every widget again and again, 40 roles each, before the first line is seen.
    """

    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=classes)
        self._inks: dict[tuple[str, str], Style] = {}
        self._own: Style | None = None

    def ink(self, role: str, ground: str = "") -> Style:
        """The style of a role on the widget's own ground, or on that of another role (the cursor's)."""
        key = (role, ground)
        style = self._inks.get(key)
        if style is None:
            name, how = INKS[role]
            under = ground or (role if role == "chip" else "")
            if self._own is None:
                self._own = self.rich_style  # Textual walks all ancestors for it, every time
            on = self._colour(GROUNDS[under]) if under else self._own.bgcolor
            style = self._inks[key] = Style.parse(how) + Style(color=self._colour(name), bgcolor=on)
        return style

    def _colour(self, name: str) -> RichColor:
        return Color.parse(self.app.theme_variables[f"ink-{name}"]).rich_color

    def strip(self, parts: Iterable[Part], width: int, ground: str = "") -> Strip:
        """One line of exactly `width` cells. In ASCII mode our own signs are replaced, theirs are left alone."""
        parts, room = clipped(parts, width)
        if self.ascii_mode:
            parts = [(fmt.ascii_signs(text), role) for text, role in parts]
            room = width - parts_width(parts)
        segments = [Segment(text, self.ink(role, ground)) for text, role in parts if text]
        if room > 0:
            segments.append(Segment(" " * room, self.ink("text", ground)))
        return Strip(segments, width)

    @property
    def ascii_mode(self) -> bool:
        return bool(getattr(self.app, "ascii_mode", False))

    @property
    def glyphs(self) -> fmt.Glyphs:
        return fmt.ASCII if self.ascii_mode else fmt.UNICODE

    def notify_style_update(self) -> None:
        """A theme or a class changed: mix the inks anew."""
        super().notify_style_update()
        self._inks, self._own = {}, None


class Rule(Painter):
    """What parts two panes: one line, across or down, as its own shape has it."""

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        return self.strip([(self.glyphs.dash * width if width > 1 else self.glyphs.pipe, "faint")], width)


class Line(Painter):
    """One line of parts, `show`n by whoever owns it."""

    DEFAULT_CSS = "Line { height: 1; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._left: list[Part] = []
        self._right: list[Part] = []

    def show(self, left: list[Part], right: list[Part] | None = None) -> None:
        """Put parts at the left and, when there is room, at the right end."""
        right = right or []
        if (left, right) != (self._left, self._right):
            self._left, self._right = left, right
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        return self.strip(spread(self._left, self._right, width) if y == 0 else [], width)
