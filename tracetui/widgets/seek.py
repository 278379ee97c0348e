"""Where in the inspector a hit stands: which tab, which fold, which line. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from collector.store.rows import SpanDetail
from collector.store.search import hit_ranges
from tracetui import format as fmt
from tracetui.widgets.details import document
from tracetui.widgets.lines import DocLine
from tracetui.widgets.paint import Part

TRIES = ((0, False), (0, True), (1, False), (2, False), (3, False))
"""(tab, all messages), in this order: what is new in this turn, all messages, input and output, attributes, events."""

MOST_FOLDS = 50


@dataclass(frozen=True, slots=True)
class Place:
    """A line of the inspector, with what must be unfolded for it."""

    tab: int
    everything: bool
    folds: frozenset[str]
    line: int


def seek(span: SpanDetail, asked: str, width: int, glyphs: fmt.Glyphs) -> Place | None:
    """The first line that holds the most of what was asked for, in the first tab that holds any of it: in what is
    open, else in the first fold with it."""
    for tab, everything in TRIES:
        waiting: list[frozenset[str]] = [frozenset()]
        for folds in waiting:
            page = document(span, tab, width, toggled=folds, everything=everything, glyphs=glyphs)
            at = best_line(page.lines, asked)
            if at is not None:
                return Place(tab, everything, folds, at)
            if not folds:
                known = dict.fromkeys(line.fold for line in page.lines if line.fold)
                waiting += [frozenset((fold,)) for fold in known][:MOST_FOLDS]
    return None


def best_line(lines: Sequence[DocLine], asked: str) -> int | None:
    """The first of the lines that hold the most different words of `asked`; None when none holds any."""
    best, most = None, 0
    for index, line in enumerate(lines):
        text = "".join(text for text, _ in line.parts)
        words = len({text[start:end].lower() for start, end in hit_ranges(text, asked)})
        if words > most:
            best, most = index, words
    return best


def with_hits(parts: Sequence[Part], asked: str) -> list[Part]:
    """The parts of a line with what was asked for in fresh ink."""
    text = "".join(text for text, _ in parts)
    ranges = hit_ranges(text, asked)
    if not ranges:
        return list(parts)
    cuts = sorted({cut for found in ranges for cut in found})
    out: list[Part] = []
    at = 0
    for piece, role in parts:
        edges = [0, *(cut - at for cut in cuts if 0 < cut - at < len(piece)), len(piece)]
        for begin, end in pairwise(edges):
            middle = at + begin
            is_hit = any(start <= middle < stop for start, stop in ranges)
            out.append((piece[begin:end], "fresh" if is_hit else role))
        at += len(piece)
    return out
