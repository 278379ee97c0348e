"""The bar of one span. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from collector.store.rows import SpanRow
from tracetui import format as fmt
from tracetui.timeline import bar_cells, full_cells
from tracetui.widgets.paint import Part


def span_bar(
    row: SpanRow,
    view: tuple[int, int],
    width: int,
    now_ns: int,
    glyphs: fmt.Glyphs,
    *,
    bright: bool = True,
    gaps: Iterable[tuple[int, int]] = (),
    heat: int | None = None,
) -> list[Part]:
    """A bar in the kind's colour, red when it failed, the first token marked, ⋯ at the end while it runs.
    `bright`: on the critical path; the others are thin. In its `gaps` nothing below it ran: there it is dashed.
    With `heat`, a level of 0 to 4, colour and height tell that instead.

    What lies out of the view is an arrow at the edge where it would be.

    An abandoned span has no end: its bar fades into dots from where it was last seen.
    """
    if width <= 0:
        return []
    end_ns = now_ns if row.status == "running" else row.end_ns
    begin, end = bar_cells(row.start_ns, row.start_ns if end_ns is None else end_ns, view, width)
    if begin == end:  # out of view: on which side
        before = row.start_ns < view[0]
        return [(glyphs.back, "faint")] if before else [(" " * (width - 1), "text"), (glyphs.on, "faint")]
    ink = {"error": "error", "abandoned": "abandoned"}.get(row.status, row.kind if row.kind in glyphs.kinds else "span")
    line = glyphs.bar if bright else glyphs.dash
    if heat is not None:
        ink, line = f"heat-{heat}", glyphs.heat[heat]
    parts: list[Part] = [(" " * begin, "text")]
    if row.status == "abandoned" and row.end_ns is None:
        return [*parts, (line + glyphs.infra * min(4, width - begin - 1), ink)]
    body = _with_gaps([line] * (end - begin), begin, gaps if heat is None else (), view, width, glyphs.gap)
    if row.status == "running":
        body = body[:-1] + fmt.RUNNING
    if row.ttft_ns is not None and end - begin > 2:
        first, after = bar_cells(row.start_ns + row.ttft_ns, row.start_ns + row.ttft_ns, view, width)
        if after > first:  # not outside of the view
            at = min(max(first - begin, 1), end - begin - 1)
            return [*parts, (body[:at], ink), (glyphs.first_token, "strong"), (body[at + 1 :], ink)]
    return [*parts, (body, ink)]


def _with_gaps(
    cells: list[str], begin: int, gaps: Iterable[tuple[int, int]], view: tuple[int, int], width: int, sign: str
) -> str:
    """The cells of a bar that begins at `begin`, with `sign` in those that lie within a gap from edge to edge."""
    for start_ns, end_ns in gaps:
        first, last = full_cells(start_ns, end_ns, view, width)
        for cell in range(max(first - begin, 0), min(last - begin, len(cells))):
            cells[cell] = sign
    return "".join(cells)


def minimap(density: list[int], window: tuple[int, int], glyphs: fmt.Glyphs) -> list[Part]:
    """How much ran in each cell of the whole time; bright within `window`, the (first, last + 1) cells on show."""
    most = max(density, default=0)
    steps = len(glyphs.dense) - 1
    text = "".join(glyphs.dense[-(-count * steps // most)] if count else glyphs.infra for count in density)
    first, last = window
    return [(text[:first], "faint"), (text[first:last], "accent"), (text[last:], "faint")]
