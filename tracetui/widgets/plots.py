"""Charts as lines of parts: drawn by plotext, painted with our inks. Pure, but for plotext's one figure.

Nothing foreign goes into a drawing: names stand in legends of our own. plotext (0.3 s to load) is imported when the
first chart is drawn.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from math import ceil, isfinite, log10
from typing import Any

from tracetui import format as fmt
from tracetui.widgets.paint import Part

INKS = ("llm", "tool", "agent", "retriever", "embedding", "guardrail")
"""Of the series of a chart, from the first on; the rest is quiet."""
SELECTED = "accent"
MARKS, SHADES = "#*+=o%.", "█▓▒░▚▞·"
"""What tells series apart where colours do not: in ASCII, and where there are none. The last is for what is quiet."""
CHOSEN, CHOSEN_SHADE = "@", "╳"
_CODES = {role: number for number, role in enumerate((*INKS, "quiet", SELECTED, "text"), 20)}
_ROLES = {number: role for role, number in _CODES.items()}
_COLOUR = re.compile(r"\x1b\[([0-9;]*)m")
_AXES = str.maketrans("│┤├└┘┌┐─┬┴┼", "|||`'..----")


@dataclass(frozen=True, slots=True)
class Series:
    """Numbers along the axis, from left to right, and their ink."""

    values: Sequence[float]
    ink: str = INKS[0]


@dataclass(frozen=True, slots=True)
class Plot:
    """`kind` is "bars" (stacked) or "lines". `labels` stand below, as many as there is room for; `tick` says what a
    number is called. `selected` is the place of the bar that the cursor stands on. `brief` labels stand there where the
    others have no room side by side."""

    kind: str
    labels: Sequence[str]
    series: Sequence[Series]
    tick: Callable[[float], str]
    selected: int | None = None
    brief: Sequence[str] = ()


def mark(ink: str, *, ascii_mode: bool = False, colours: bool = True) -> str:
    """What a series is drawn with: full blocks where its colour tells it from others."""
    marks = MARKS if ascii_mode else "" if colours else SHADES
    if not marks:
        return "█"
    if ink == SELECTED:
        return CHOSEN if ascii_mode else CHOSEN_SHADE
    return marks[INKS.index(ink)] if ink in INKS else marks[-1]


AXIS = 2
"""Lines below the bars: the axis and its labels."""


def load() -> None:
    """Import what draws while nothing is to be drawn yet."""
    import_module("plotext")


def drawn(plot: Plot, width: int, height: int, *, ascii_mode: bool, colours: bool = True) -> list[list[Part]]:
    """The chart in `height` lines of at most `width` cells."""
    if width < 16 or height < 3 or not plot.labels:
        return []
    import plotext

    top = nice(max((sum(at) for at in zip(*(one.values for one in plot.series), strict=False)), default=0))
    if plot.kind == "lines":
        top = nice(max((value for one in plot.series for value in one.values), default=0))
    plotext.clear_figure()
    plotext.limit_size(False, False)  # in a browser there is no terminal to ask
    plotext.plot_size(width, height)
    for set_colour in (plotext.canvas_color, plotext.axes_color, plotext.ticks_color):
        set_colour("default")
    plain = ascii_mode or not colours
    unit = top / max(height - AXIS - 1, 1)
    _put(plotext, plot, unit, partial(mark, ascii_mode=ascii_mode, colours=colours) if plain else None)
    for axis in (plotext.xaxes, plotext.yaxes):
        axis(True, False)
    plotext.ylim(0, top)
    marks = {plot.tick(mark): mark for mark in ((top / 2, 0.0, top) if height >= 6 else (0.0, top))}
    plotext.yticks(list(marks.values()), [fmt.fit(label, 7, right=True) for label in marks])
    labels = plot.labels
    if plot.brief and len(shown_labels(labels, width - 9)) < len(labels):
        labels = plot.brief
    places = shown_labels(labels, width - 9)
    plotext.xlim(0.5, len(labels) + 0.5)
    plotext.xticks([at + 1 for at in places], [labels[at] for at in places])
    text: str = plotext.build()
    lines = [parts(line) for line in text.rstrip("\n").split("\n")[:height]]
    if ascii_mode:
        lines = [[(text.translate(_AXES), role) for text, role in line] for line in lines]
    return lines


def _put(plotext: Any, plot: Plot, unit: float, marker: Callable[[str], str] | None) -> None:
    """The series, into plotext's figure. `unit` is what a row stands for."""
    places = list(range(1, len(plot.labels) + 1))
    if plot.kind == "lines":
        for one in plot.series:
            values = [_sound(value) for value in one.values]
            sign = marker(one.ink) if marker is not None else "braille"
            plotext.plot(places, values, marker=sign, color=_CODES[one.ink])
        return
    width = 0.7 if len(places) > 1 else 0.2
    rows = [stacks(column, unit) for column in zip(*(map(_sound, one.values) for one in plot.series), strict=True)]
    stacked: list[tuple[list[int], list[float], str]] = []
    for number, one in enumerate(plot.series):
        shown = [at for at, column in enumerate(rows) if column[number]]
        tops = [(sum(column[: number + 1]) - 0.99) * unit for column in rows]
        for own in (True, False):
            some = [at for at in shown if (at != plot.selected) is own]
            ink = one.ink if own else SELECTED
            stacked.append(([places[at] for at in some], [tops[at] for at in some], ink))
    for at, heights, ink in reversed(stacked):  # the lower ones stand before the higher
        if at:
            sign = marker(ink) if marker is not None else "sd"
            plotext.bar(at, heights, color=_CODES[ink], marker=sign, width=width)


def stacks(values: Sequence[float], unit: float) -> list[int]:
    """How many rows each part of a bar gets. The bar is as high as their sum, one row at least; what rounding leaves
    goes to the parts that lack most, so that a sliver never takes the row of a part ten times its size."""
    total = sum(values)
    if total <= 0:
        return [0] * len(values)
    rows = round(total / unit) + 1
    wanted = [value / total * rows for value in values]
    given = [int(one) for one in wanted]
    lacking = sorted(range(len(values)), key=lambda at: given[at] - wanted[at])
    for at in lacking[: rows - sum(given)]:
        given[at] += 1
    return given


def _sound(value: float) -> float:
    return max(value, 0.0) if isfinite(value) else 0.0


def parts(line: str) -> list[Part]:
    """A line of plotext's as parts: its colours are ours by number."""
    out: list[Part] = []
    role, at = "quiet", 0
    for found in _COLOUR.finditer(line):
        if found.start() > at:
            out.append((line[at : found.start()], role))
        code = found[1].rpartition("38;5;")[2]
        role = _ROLES.get(int(code), "text") if code.isdigit() and "38;5;" in found[1] else "quiet"
        at = found.end()
    if at < len(line):
        out.append((line[at:], role))
    return out


def nice(value: float) -> float:
    """The round number at or above: 1, 2, 2.5 or 5 times a power of ten; 1 for nothing."""
    if not isfinite(value) or value <= 0:
        return 1.0
    unit = float(10 ** (ceil(log10(value)) - 1))
    return next(unit * step for step in (1, 2, 2.5, 5, 10, 20) if unit * step >= value * 0.9999)


def shown_labels(labels: Sequence[str], width: int) -> list[int]:
    """Places of the labels for which there is room, evenly."""
    longest = max(map(fmt.cells, labels)) + 2
    step = max(ceil(len(labels) * longest / max(width, 1)), 1)
    return list(range(0, len(labels), step))


def place_at(x: int, labels: int, width: int) -> int | None:
    """The bar under a column of the drawing, None left of the axis."""
    left = 8
    if x < left or labels == 0 or width <= left:
        return None
    return min((x - left) * labels // (width - left), labels - 1)


BLOCKS, ASCII_BLOCKS = " ▁▂▃▄▅▆▇█", " .:-=+*#%"


def sparkline(values: Sequence[float], *, ascii_mode: bool = False) -> str:
    """One cell a number, up to the greatest; what is more than nothing is seen."""
    blocks = ASCII_BLOCKS if ascii_mode else BLOCKS
    top = max((_sound(value) for value in values), default=0)
    if top <= 0:
        return blocks[0] * len(values)
    return "".join(blocks[ceil(_sound(value) / top * (len(blocks) - 1))] for value in values)


def bar(part: float, width: int, *, sign: str = "") -> str:
    """A share of `width` cells: in eighths of a cell, or in whole ones of a sign."""
    if sign:
        return (sign * max(round(part * width), int(part > 0))).ljust(width)[:width]
    eighths = round(min(max(part, 0.0), 1.0) * width * 8) or int(part > 0)
    return ("█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()).ljust(width)[:width]
