"""A recorded picture over the screen, with textual-image (the extra `images`).

The terminal is never asked what it can: Textual reads its answers as keys. So the way is chosen by what the environment
says, and coloured half cells, which every terminal with colours shows, are the rest.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from textual import events
from textual.app import App, ComposeResult
from textual.containers import Center, Vertical
from textual.widget import Widget

from collector.errors import TracetuiError
from tracetui.screens.modal import Modal
from tracetui.widgets.paint import Line

FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP")
MOST_PIXELS = 50_000_000
"""A picture of more (a bomb of a few bytes among them) is not decoded."""
SHOWN_PIXELS = 1600
"""Longest side after it is made smaller: no terminal shows more."""
DEFAULT_CELL = (10, 20)


class NoPicture(TracetuiError):
    """It cannot be decoded."""


def can_show(app: App[Any], part: Mapping[str, Any]) -> str:
    """Why a part of a message cannot be shown here, as a sentence; "" when it can."""
    if part.get("type") != "image":
        return f"This is no picture but {'an audio' if part.get('type') == 'audio' else 'a file'}."
    if getattr(app, "ascii_mode", False) or app.no_color:
        return "Pictures need colours, which are off."
    if find_spec("textual_image") is None or find_spec("PIL") is None:
        return "Pictures need an extra: pip install 'tracetui[images]'."
    return ""


def way(env: Mapping[str, str]) -> str:
    """How this terminal takes pictures: "tgp" (kitty's protocol), "sixel" or "cells"."""
    term, program = env.get("TERM", ""), env.get("TERM_PROGRAM", "")
    if env.get("TMUX") or env.get("STY") or term.startswith(("tmux", "screen")):
        return "cells"
    if env.get("KITTY_WINDOW_ID") or term in ("xterm-kitty", "xterm-ghostty"):
        return "tgp"
    return "sixel" if program in ("WezTerm", "iTerm.app") or term.startswith(("foot", "mlterm")) else "cells"


class PictureScreen(Modal[None]):
    """Any key closes it. It is given what `decode` gave, in a thread: a large picture takes a second."""

    def __init__(self, decoded: Any, name: str) -> None:
        super().__init__()
        self._decoded, self._title = decoded, name

    def compose(self) -> ComposeResult:
        with Vertical(id="picture"):
            yield Line(id="title")
            with Center():
                yield picture(self._decoded, way(os.environ), self.app.size.width - 10, self.app.size.height - 8)

    def on_mount(self) -> None:
        self.query_one("#title", Line).show([(f"  {self._title}", "strong")], [("any key closes  ", "quiet")])

    def on_key(self, event: events.Key) -> None:
        event.stop()  # it closes the picture, and does nothing below it
        event.prevent_default()
        self.dismiss(None)

    def on_click(self) -> None:
        self.dismiss(None)


def picture(decoded: Any, how: str, most_columns: int, most_rows: int) -> Widget:
    """A widget that shows it, as large as it is or as there is room, a cell being twice as high as wide."""
    with not_asking():
        from textual_image import widget

        kinds = {"tgp": widget.TGPImage, "sixel": widget.SixelImage}
        shown: Widget = kinds.get(how, widget.HalfcellImage)(decoded)
    scale = min(most_columns / decoded.width, 2 * most_rows / decoded.height, 1.0 if how == "cells" else 0.1)
    columns = max(round(decoded.width * scale), 1)
    shown.styles.width, shown.styles.height = columns, max(round(decoded.height * scale / 2), 1)
    return shown


def decode(data: bytes) -> Any:
    """The picture, made small enough to be quick. Takes tens of milliseconds for a large one."""
    from PIL import Image, UnidentifiedImageError

    try:
        found = Image.open(io.BytesIO(data), formats=FORMATS)
        if found.width * found.height > MOST_PIXELS:
            raise NoPicture(f"a picture of {found.width} x {found.height} is not shown here; o opens it outside")
        found.thumbnail((SHOWN_PIXELS, SHOWN_PIXELS))
        return found.convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise NoPicture(f"the {len(data):,} bytes are no picture that can be shown: {error}") from error


@contextmanager
def not_asking() -> Iterator[None]:
    """While textual-image is imported: it would write questions to the terminal and take the user's next key for
    the answer. What the kernel knows of the size of a cell is told to it in its own variables."""
    real, before = (
        sys.__stdout__,
        {name: os.environ.get(name) for name in ("TEXTUAL_CELL_WIDTH", "TEXTUAL_CELL_HEIGHT")},
    )
    width, height = _cell()
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        sys.__stdout__ = nowhere  # type: ignore[misc]
        try:
            os.environ.update({"TEXTUAL_CELL_WIDTH": str(width), "TEXTUAL_CELL_HEIGHT": str(height)})
            yield
        finally:
            sys.__stdout__ = real  # type: ignore[misc]
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def _cell() -> tuple[int, int]:
    """Width and height of a cell in pixels, where the kernel knows them."""
    try:
        import fcntl
        import struct
        import termios

        said = fcntl.ioctl(sys.__stdout__.fileno(), termios.TIOCGWINSZ, b"\0" * 8)  # type: ignore[union-attr]
        rows, columns, width, height = struct.unpack("HHHH", said)
    except (ImportError, OSError, ValueError, AttributeError):
        return DEFAULT_CELL
    return (width // columns, height // rows) if rows and columns and width and height else DEFAULT_CELL
