"""The bar of one span. Pure."""

from __future__ import annotations

from collector.store.rows import SpanRow
from tracetui import format as fmt
from tracetui.timeline import bar_cells
from tracetui.widgets.paint import Part


def span_bar(
    row: SpanRow, view: tuple[int, int], width: int, now_ns: int, glyphs: fmt.Glyphs, *, bright: bool = True
) -> list[Part]:
    """A bar in the kind's colour, red when it failed, the first token marked, ⋯ at the end while it runs.
    `bright`: on the critical path; the others are thin.

    An abandoned span has no end: its bar fades into dots from where it was last seen.
    """
    if width <= 0:
        return []
    end_ns = now_ns if row.status == "running" else row.end_ns
    begin, end = bar_cells(row.start_ns, row.start_ns if end_ns is None else end_ns, view, width)
    if begin == end:
        return []
    ink = {"error": "error", "abandoned": "abandoned"}.get(row.status, row.kind if row.kind in glyphs.kinds else "span")
    line = glyphs.bar if bright else glyphs.dash
    body = line * (end - begin)
    parts: list[Part] = [(" " * begin, "text")]
    if row.status == "abandoned" and row.end_ns is None:
        return [*parts, (line + glyphs.infra * min(4, width - begin - 1), ink)]
    if row.status == "running":
        body = body[:-1] + fmt.RUNNING
    if row.ttft_ns is not None and end - begin > 2:
        first, _ = bar_cells(row.start_ns + row.ttft_ns, row.start_ns + row.ttft_ns, view, width)
        at = min(max(first - begin, 1), end - begin - 1)
        return [*parts, (body[:at], ink), (glyphs.first_token, "strong"), (body[at + 1 :], ink)]
    return [*parts, (body, ink)]
