"""What was spent as the lines of a list, and as the numbers in the corner. Pure."""

from __future__ import annotations

from collector.store.cost_rows import CostRow, Split
from tracetui import format as fmt
from tracetui.spending import Spending, named
from tracetui.widgets.cost_table import CostLine
from tracetui.widgets.paint import Part
from tracetui.widgets.plots import INKS

MOST_BELOW = 50


def title(by: str) -> str:
    return by.replace(",", " › ").upper()


def lines(found: Spending) -> list[CostLine]:
    """Groups, each with its rows where two things are grouped by. Rows without a call or a cost come where nothing
    else is there."""
    sums = found.costs
    whole = sums.total.cost_nanousd
    below: dict[str, list[CostRow]] = {}
    if len(sums.by) > 1:
        for row in sums.rows:
            below.setdefault(row.keys[0], []).append(row)
    groups = [row for row in sums.groups if row.calls or row.cost_nanousd is not None] or list(sums.groups)
    out: list[CostLine] = []
    for at, row in enumerate(groups):
        ink = INKS[at] if at < len(INKS) - 1 else "quiet"
        out.append(_line(row, found, 0, whole, ink))
        inner = [one for one in below.get(row.keys[0] if row.keys else "", ()) if one.calls or not row.calls]
        out += [_line(one, found, len(one.keys) - 1, whole, "faint") for one in inner[:MOST_BELOW]]
    return out


def _line(row: CostRow, found: Spending, depth: int, whole: int | None, ink: str) -> CostLine:
    at = len(row.keys) - 1
    key = row.keys[at] if row.keys else ""
    share = row.cost_nanousd / whole if row.cost_nanousd is not None and whole else None
    name = named(key, found.costs.by[at]) if row.keys else "total"
    return CostLine(name, bool(key), row, depth, share, ink)


def sums(total: CostRow, split: Split | None, *, brief: bool) -> list[Part]:
    """What stands in the corner: money, tokens, what caching saved."""
    parts: list[Part] = [(fmt.money(total.cost_nanousd), "strong")]
    if total.unpriced_calls:
        parts.append((f" (+{fmt.count(total.unpriced_calls)} unpriced)", "abandoned"))
    parts += [(f"   {fmt.tokens(total.tokens)}", "strong"), (" tok", "quiet")]
    if total.cached:
        parts.append(("  " if brief else f"   cached {100 * total.cached:.0f}%", "quiet"))
        if split is not None and split.saved:
            saved = split.saved
            parts.append((f" {'saved' if saved > 0 else 'cost more:'} {fmt.money(abs(saved))}", "quiet"))
    return [*parts, (" ", "text")]
