"""The overview as lines: rates, models with their sparklines, what runs, failed last, was dearest. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from collector.store.cost_keys import quoted
from collector.store.overview import Line, ModelNow, Overview
from tracetui import format as fmt
from tracetui.widgets.columns import Column, lay_out, line
from tracetui.widgets.cost_table import few, percent
from tracetui.widgets.paint import Part, parts_width
from tracetui.widgets.plots import sparkline

RATES, TITLE = 2, 2
"""Lines for the rates, and for a title and the space above it."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line; `span` or `filter` is what Enter on it opens."""

    parts: list[Part]
    span: tuple[str, str] | None = None
    filter: str = ""


def lines(found: Overview, width: int, height: int, glyphs: fmt.Glyphs, now_ns: int) -> list[Row]:
    """As much of each section as there is room for: a third at least of what is left for each that needs it."""
    ascii_mode = glyphs is fmt.ASCII
    sections = [
        ("models", [_model(one, width, ascii_mode=ascii_mode) for one in found.models]),
        ("running", _spans(found.active, width, now_ns, glyphs)),
        ("failed last", _spans(found.failed, width, now_ns, glyphs)),
        ("dearest calls", _spans(found.dearest, width, now_ns, glyphs)),
    ]
    sizes = [len(rows) for _, rows in sections]
    wanted = _shares(sizes, max(height - RATES - TITLE * sum(map(bool, sizes)), 8))
    out = [Row(parts) for parts in rates(found, width, ascii_mode=ascii_mode)]
    for (title, rows), room in zip(sections, wanted, strict=True):
        if rows:
            more = f"  {fmt.count(len(rows) - room)} more" if len(rows) > room else ""
            if title == "running" and found.running > len(rows):
                more = f"  {fmt.count(found.running - room)} more"
            out += [Row([]), Row([(f" {title}", "accent"), (more, "quiet")]), *rows[:room]]
    return out


def _shares(sizes: list[int], room: int) -> list[int]:
    """Who needs little gets it; the others share what is left, two lines at least each."""
    given = [0] * len(sizes)
    while room > 0 and any(had < size for had, size in zip(given, sizes, strict=True)):
        for at, size in enumerate(sizes):
            if room > 0 and given[at] < size:
                given[at] += 1
                room -= 1
    return [max(had, min(size, 2)) for had, size in zip(given, sizes, strict=True)]


def rates(found: Overview, width: int, *, ascii_mode: bool) -> Iterator[list[Part]]:
    """The burn: money and tokens a minute, what runs, how much fails."""
    cost = None if found.cost_nanousd is None else round(found.cost_nanousd / found.rate_min)
    burn: list[Part] = [(fmt.money(cost), "strong"), ("/min", "quiet")]
    if found.unpriced_calls:
        burn.append((f" +{fmt.count(found.unpriced_calls)} unpriced", "abandoned"))
    rate = found.errors / found.spans if found.spans else 0
    facts: list[list[Part]] = [
        burn,
        [(fmt.tokens(round(found.tokens / found.rate_min)), "strong"), (" tok/min", "quiet")],
        [(_rate(found.calls / found.rate_min), "strong"), (" calls/min", "quiet")],
        [(fmt.count(found.running), "running" if found.running else "strong"), (" running", "quiet")],
        [(percent(rate) if rate else "0%", "error" if rate else "strong"), (" fail", "quiet")],
    ]
    gaps = 3 * (len(facts) - 1)
    gap = "   " if 1 + gaps + sum(parts_width(one) for one in facts) <= width else "  "
    yield [(" ", "text"), *facts[0], *(part for one in facts[1:] for part in ((gap, "text"), *one))]
    spark = sparkline(found.costs, ascii_mode=ascii_mode)
    yield [(f" {spark}", "llm"), ("  cost a minute, the last half hour", "quiet")]


def _rate(value: float) -> str:
    return f"{value:.1f}" if value < 100 else fmt.tokens(round(value))


def _model(one: ModelNow, width: int, *, ascii_mode: bool) -> Row:
    columns = [Column("name", "", 0), Column("spark", "", 30), Column("calls", "", 11, right=True),
               Column("cost", "", 8, right=True), Column("unpriced", "", 5, gap=1)]  # fmt: skip
    if width >= 130:
        columns += [Column("tokens", "", 10, right=True), Column("mean", "", 13, right=True)]
    if width >= 100:
        columns.append(Column("errors", "", 11, right=True))
    rate = one.errors / sum(one.minutes) if sum(one.minutes) else 0
    cells: dict[str, list[Part]] = {
        "name": [(fmt.plain(one.model) or "(no model)", "strong" if one.model else "quiet")],
        "spark": [(sparkline(one.minutes, ascii_mode=ascii_mode), "llm")],
        "calls": [(fmt.count(one.calls), "text"), (" call" if one.calls == 1 else " calls", "quiet")],
        "cost": [(fmt.money(one.cost_nanousd), "quiet" if one.cost_nanousd is None else "text")],
        "unpriced": [(f"+{few(one.unpriced_calls)}", "abandoned")] if one.unpriced_calls else [],
        "tokens": [(fmt.tokens(one.tokens), "text"), (" tok", "quiet")],
        "mean": [("mean ", "quiet"), (fmt.duration(one.mean_ns), "text")],
        "errors": [(percent(rate), "error"), (" fail", "quiet")] if rate else [],
    }
    term = f"any:(answered:{quoted(one.model)} since:{{since}})" if one.model else ""
    return Row([("   ", "text"), *line(lay_out(columns, width - 4), cells)], filter=term)


def _spans(found: Sequence[Line], width: int, now_ns: int, glyphs: fmt.Glyphs) -> list[Row]:
    """Where none of them cost anything, what they say has the room."""
    dear = any(one.cost_nanousd is not None for one in found)
    return [_span(one, width, now_ns, glyphs, dear=dear) for one in found]


def _span(one: Line, width: int, now_ns: int, glyphs: fmt.Glyphs, *, dear: bool) -> Row:
    columns = [Column("kind", "", 1), Column("name", "", 22 if width < 100 else 36, gap=1), Column("said", "", 0)]
    columns += [Column("cost", "", 8, right=True)] if dear else []
    columns += [Column("took", "", 8, right=True), Column("age", "", 4, right=True)]
    running = one.duration_ns is None
    took = fmt.duration(now_ns - one.start_ns if running else one.duration_ns, running=running)
    said = fmt.plain(one.said) if one.said else fmt.plain(one.model or "")
    cells: dict[str, list[Part]] = {
        "kind": [(glyphs.kinds.get(one.kind, glyphs.dot), one.kind if one.kind in glyphs.kinds else "span")],
        "name": [(fmt.plain(one.name), "text")],
        "said": [(said, "error" if one.said else "quiet")],
        "cost": [(fmt.money(one.cost_nanousd), "text")] if one.cost_nanousd is not None else [],
        "took": [(took, "running" if running else "text")],
        "age": [(fmt.age(one.start_ns, now_ns), "quiet")],
    }
    return Row([("   ", "text"), *line(lay_out(columns, width - 4), cells)], span=(one.trace_id, one.span_id))
