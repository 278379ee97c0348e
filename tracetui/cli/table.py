"""Aligned columns of text for a terminal or a pipe. Pure but for `screen_width` and `colours`."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import click

from tracetui.format import cells, fit

GAP = "  "
SMALLEST = 8
STATUS_COLOURS = {"ok": "green", "running": "blue", "error": "red", "abandoned": "yellow"}


@dataclass(frozen=True, slots=True)
class Column:
    """`flexible` columns give way when a line is wider than the screen; `optional` ones then stay away."""

    title: str
    right: bool = False
    flexible: bool = False
    optional: bool = False


def lines(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None, colour: bool) -> list[str]:
    """The heading and a line a row. `width` in cells, None for as wide as it gets. Cells hold one line of text."""
    columns, rows = _that_fit(columns, rows, width)
    widths = fitted(columns, rows, width)
    out = [_line(columns, [column.title for column in columns], widths)]
    if colour:
        out[0] = click.style(out[0], dim=True)
    for row in rows:
        line = _line(columns, row, widths)
        out.append(_coloured(line, columns, row) if colour else line)
    return out


def _that_fit(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None
) -> tuple[list[Column], list[list[str]]]:
    """The columns and cells to show: optional columns go, from the right, while a line is too wide."""
    kept = list(range(len(columns)))
    for at in reversed(range(len(columns))):
        shown = [columns[i] for i in kept]
        widths = fitted(shown, [[row[i] for i in kept] for row in rows], width)
        if width is None or sum(widths) + len(GAP) * (len(widths) - 1) <= width:
            break
        if columns[at].optional:
            kept.remove(at)
    return [columns[i] for i in kept], [[row[i] for i in kept] for row in rows]


def fitted(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None) -> list[int]:
    """Cells for each column. The widest flexible column gives way first, none below SMALLEST cells."""
    widths = [max([cells(column.title), *(cells(row[at]) for row in rows)]) for at, column in enumerate(columns)]
    if width is None:
        return widths
    over = sum(widths) + len(GAP) * (len(widths) - 1) - width
    flexible = [at for at, column in enumerate(columns) if column.flexible]
    while over > 0 and flexible:
        widest = max(flexible, key=lambda at: widths[at])
        if widths[widest] <= SMALLEST:
            break
        widths[widest] -= 1
        over -= 1
    return widths


def _line(columns: Sequence[Column], row: Sequence[str], widths: Sequence[int]) -> str:
    shown = [fit(text, size, right=column.right) for column, text, size in zip(columns, row, widths, strict=True)]
    return GAP.join(shown).rstrip()


def _coloured(line: str, columns: Sequence[Column], row: Sequence[str]) -> str:
    """Colour the first word that is a status; its column comes before any foreign text."""
    for column, text in zip(columns, row, strict=True):
        if column.title == "STATUS" and text in STATUS_COLOURS:
            return line.replace(text, click.style(text, fg=STATUS_COLOURS[text]), 1)
    return line


def screen_width() -> int | None:
    """Cells of the terminal on stdout; None off a terminal, where nothing is cut."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def colours() -> bool:
    """Whether stdout may be coloured: a terminal, and nobody said NO_COLOR (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")
