"""Costs as lines: a group, its share as a bar, and its numbers. Pure, but for the list itself."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

from collector.store.cost_rows import CostRow
from tracetui import format as fmt
from tracetui.widgets.columns import Column, head, lay_out, line
from tracetui.widgets.line_list import LineList
from tracetui.widgets.paint import Part
from tracetui.widgets.plots import bar, mark

AWAITED: Part = (fmt.ELLIPSIS, "quiet")


@dataclass(frozen=True, slots=True)
class CostLine:
    """One group (`depth` 0) or one row below it. `share` is of the total's cost, None where that is not known."""

    name: str
    known: bool
    row: CostRow
    depth: int
    share: float | None
    ink: str


class CostList(LineList):
    """The dearest first."""

    class Scrolled(Message):
        """Other lines may be on screen. Supersedes the ones before it."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, CostList.Scrolled)

    head = 1

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.title = "MODEL"
        self.lines: list[CostLine] = []

    def show(self, title: str, lines: list[CostLine]) -> None:
        """Other numbers; the cursor stays with its row."""
        keys = self.lines[self.cursor].row.keys if self.cursor < len(self.lines) else None
        self.title, self.lines = title, lines
        at = next((n for n, one in enumerate(lines) if one.row.keys == keys), min(self.cursor, max(len(lines) - 1, 0)))
        self.cursor = at
        self.show_cursor()
        self.refresh()

    def moved(self) -> None:
        self.post_message(self.Scrolled())

    @property
    def shown(self) -> list[CostLine]:
        """The lines on screen."""
        return self.lines[self.top : self.top + self.page]

    @property
    def chosen(self) -> CostLine | None:
        return self.lines[self.cursor] if self.cursor < len(self.lines) else None

    def line_count(self) -> int:
        return len(self.lines)

    def head_parts(self, y: int, width: int) -> list[Part]:
        return head(columns(width, self.title))

    def line_parts(self, index: int, width: int) -> list[Part]:
        one = self.lines[index]
        cursor = self.glyphs.cursor + " " if index == self.cursor else "  "
        return [(cursor, "accent"), *line(columns(width, self.title), cells(one, width, self._sign(one.ink)))]

    def _sign(self, ink: str) -> str:
        """What a bar is drawn with where not in blocks of its colour: as in the chart above."""
        colours = not self.app.no_color
        return "" if colours and not self.ascii_mode else mark(ink, ascii_mode=self.ascii_mode, colours=colours)


def columns(width: int, title: str) -> list[tuple[Column, int]]:
    gap = 1 if width < 100 else 2
    found = [Column("name", title, 0), Column("cost", "COST", 8, right=True, gap=gap), Column("unpriced", "", 5, gap=1)]
    if width >= 70:
        found.append(Column("bar", "SHARE", 10 if width < 130 else 24, gap=1))
    found += [Column("tokens", "TOKENS", 6, right=True, gap=gap), Column("calls", "CALLS", 6, right=True, gap=gap)]
    if width >= 150:
        found += [Column("cached", "CACHED", 6, right=True), Column("percall", "/CALL", 8, right=True),
                  Column("burn", "/MIN", 8, right=True)]  # fmt: skip
    if width >= 166:
        found.insert(-1, Column("pertrace", "/TRACE", 8, right=True))
    if width >= 116:
        found += [Column("p50", "P50", 7, right=True)]
    found.append(Column("p95", "P95", 7, right=True, gap=gap))
    if width >= 130:
        found += [Column("p99", "P99", 7, right=True), Column("ttft", "TTFT", 7, right=True)]
    found.append(Column("errors", "ERR", 5, right=True, gap=gap))
    return lay_out(found, width - 3)  # the cursor before, and a free cell at the edge


def cells(one: CostLine, width: int, sign: str = "") -> dict[str, list[Part]]:
    row = one.row
    size = next((cells for column, cells in columns(width, "") if column.name == "bar"), 0)
    ink = "strong" if one.depth == 0 and one.known else "text" if one.known else "quiet"
    rate = row.error_rate
    return {
        "name": [("  " * one.depth, "text"), (fmt.plain(one.name), ink)],
        "cost": [money(row.cost_nanousd)],
        "unpriced": [(f"+{few(row.unpriced_calls)}", "abandoned")] if row.unpriced_calls else [],
        "bar": [(bar(one.share, size, sign=sign), one.ink)] if one.share is not None else no_price(row),
        "tokens": [known(fmt.tokens(row.tokens))],
        "calls": [(calls(row.calls), "text" if row.calls else "quiet")],
        "cached": [cached(row.cached)],
        "percall": [money(row.per_call_nanousd)],
        "pertrace": [money(row.per_trace_nanousd)],
        "burn": [money(row.per_minute_nanousd) if row.timed else AWAITED],
        "p50": [took(row, row.duration.p50_ns)],
        "p95": [took(row, row.duration.p95_ns)],
        "p99": [took(row, row.duration.p99_ns)],
        "ttft": [took(row, row.ttft.p50_ns)],
        "errors": [(percent(rate), "error")] if rate else [(fmt.UNKNOWN if rate is None else "0", "quiet")],
    }


def cached(part: float | None) -> Part:
    return fmt.UNKNOWN if part is None else f"{100 * part:.0f}%", "text" if part else "quiet"


def calls(number: int) -> str:
    return fmt.count(number) if number < 100_000 else fmt.tokens(number)


def few(number: int) -> str:
    """A count in three or four cells: whole thousands, whole millions."""
    for size, sign in ((1_000_000, "M"), (1000, "k")):
        if number >= size:
            return f"{number // size}{sign}"
    return str(number)


def no_price(row: CostRow) -> list[Part]:
    return [("(no price)", "quiet")] if row.unpriced_calls else []


def percent(part: float) -> str:
    return "<0.1%" if part < 0.001 else f"{100 * part:.1f}%" if part < 0.1 else f"{100 * part:.0f}%"


def took(row: CostRow, ns: int | None) -> Part:
    """How long it took; that it is being read, where it is."""
    return known(fmt.duration(ns)) if row.timed else AWAITED


def known(text: str) -> Part:
    return text, "quiet" if text == fmt.UNKNOWN else "text"


def money(nanousd: float | None) -> Part:
    return known(fmt.money(None if nanousd is None else round(nanousd)))
