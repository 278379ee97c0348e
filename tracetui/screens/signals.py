"""Everything that looks wrong in a file, by kind: how often, in how many traces, the newest one with its evidence."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from textual import on

from collector.signals import ABOUT
from collector.store.signals import MOST_WAITING, SKIPPED, SORTS, Counted
from tracetui import format as fmt
from tracetui.keymap import bindings
from tracetui.screens import empty
from tracetui.screens.base import Facts
from tracetui.screens.hands import Export
from tracetui.screens.menu import Choice
from tracetui.screens.summary import SummaryScreen
from tracetui.source import Reader
from tracetui.widgets.columns import Column, Order
from tracetui.widgets.line_list import LineList
from tracetui.widgets.paint import Part
from tracetui.widgets.rows_list import RowsList

EVIDENCE_LINES = 2
UNREADABLE = "traces that are too large to be looked at before they are opened, or that could not be read"


@lru_cache(maxsize=16)
def columns(width: int) -> tuple[Column, ...]:
    return (
        Column("kind", "SIGNAL", 19, sort="kind", fixed=True, about="what looks wrong"),
        Column("traces", "TRACES", 7, right=True, gap=1, sort="traces", fixed=True, about="traces that have it"),
        Column("signals", "SIGNALS", 7, right=True, gap=1, sort="signals", fixed=True, about="how often it is there"),
        Column("last", "LAST", 4, right=True, gap=1, sort="last", fixed=True, about="when the newest trace began"),
        Column("newest", "NEWEST", 0, fixed=True, about="the newest trace that has it, and what was seen there"),
    )


class SignalsScreen(SummaryScreen[Counted]):
    """`6`. Those that this file has first, the others quiet below. Enter lists the traces that have the signal."""

    BINDINGS = bindings("signals")
    key_groups = ("list", "signals", "lists", "screen", "app")
    what = "signals"
    without = ("session", "columns", "group")
    filters_traces = True
    detail_lines = 1 + EVIDENCE_LINES

    def __init__(self, facts: Facts, *, filter_text: str = "") -> None:
        super().__init__(facts, filter_text=filter_text)
        self._traced = True
        self._waiting = 0

    def rows_list(self) -> RowsList[Counted]:
        return RowsList(columns, self.cells, SORTS, lambda row: row.kind, Order("traces", True))

    def find(self, reader: Reader) -> Sequence[Counted]:
        found = reader.signal_counts(**self.filters())
        self._waiting = reader.unlooked()
        self._traced = any(one.signals for one in found) or bool(reader.traces(limit=1))
        return found if any(one.signals for one in found) else []

    def cells(self, row: Counted) -> dict[str, list[Part]]:
        has = row.signals > 0 and row.kind != SKIPPED
        mark = f"{self.glyphs().warn} " if has else "  "
        said: list[Part] = [(ABOUT.get(row.kind, UNREADABLE), "quiet")]
        if has:
            said = [(fmt.plain(row.trace or "(no name)"), "accent"), ("  ", "text"), (fmt.plain(row.text), "text")]
        return {
            "kind": [(mark, "abandoned"), (row.kind, "strong" if has else "quiet")],
            "traces": [_count(row.traces, has)],
            "signals": [_count(row.signals, has)],
            "last": [(fmt.age(row.newest_ns, self.facts.now_ns()) if row.newest_ns is not None else "", "quiet")],
            "newest": said,
        }

    def told(self, row: Counted) -> list[list[Part]]:
        """What the signal is, and the evidence as far as it fits."""
        about: list[Part] = [(f" {row.kind}  ", "strong"), (ABOUT.get(row.kind, UNREADABLE), "quiet")]
        width = max(self.size.width - 2, 10)
        lines = fmt.wrap(fmt.plain(row.text), width) if row.signals else []
        rest = " ".join(lines[EVIDENCE_LINES - 1 :])
        shown = [*lines[: EVIDENCE_LINES - 1], fmt.clip(rest, width)]
        return [about, *([(" " + line, "text")] for line in shown)]

    def sums(self, rows: Sequence[Counted]) -> list[Part]:
        found = [one for one in rows if one.signals and one.kind != SKIPPED]
        waiting: list[Part] = []
        if self._waiting:
            many = ">" if self._waiting >= MOST_WAITING else ""
            waiting = [(f" {many}{fmt.count(self._waiting)} not looked at yet ", "abandoned")]
        return [
            (fmt.count(sum(one.signals for one in found)), "strong"),
            (f" signals of {len(found)} {'kind' if len(found) == 1 else 'kinds'} ", "quiet"),
            *waiting,
        ]

    def empty_lines(self) -> list[list[Part]]:
        if not self._traced or not self.facts.exists:
            return empty.nothing(self.facts, "traces", "")
        return nothing(self.filter_text, self._waiting)

    # Keys.

    @on(LineList.Chosen)
    def _chosen(self) -> None:
        row = self.listed.row
        if row is None:
            return
        if row.kind == SKIPPED:
            self.app.notify(fmt.plain(row.text) + ". Open one and press !", markup=False)
        else:
            self.post_message(self.OpenTraces(self._behind(row)))

    def _behind(self, row: Counted) -> str:
        """The filter that finds its traces."""
        within = f"({self.filter_text}) " if " or " in self.filter_text else self.filter_text + " "
        return (within + f"signal:{row.kind}").strip()

    def to_export(self) -> Export | None:
        row = self.listed.row
        if row is None or row.kind == SKIPPED or not row.traces:
            return None
        return self.found_by(self._behind(row), "signal", f"the traces with the signal {row.kind}")

    def action_newest(self) -> None:
        row = self.listed.row
        if row is not None and row.trace_id and row.span_id:
            self.post_message(self.OpenSpan(row.trace_id, row.span_id))

    def copy_choices(self) -> list[Choice]:
        row = self.listed.row
        if row is None or self.has_class("empty"):
            return []
        choices = [Choice("filter that finds it", f"signal:{row.kind}")] if row.kind != SKIPPED else []
        if row.trace_id:
            choices += [Choice("newest trace", row.trace_id), Choice("what was seen there", row.text)]
        return choices


def _count(number: int, has: bool) -> Part:
    return fmt.count(number), "text" if has else "quiet"


def nothing(filter_text: str, waiting: int) -> list[list[Part]]:
    """What an empty screen says."""
    if filter_text:
        where: list[Part] = [("Nothing looks wrong in what ", "text"), (fmt.plain(filter_text), "accent")]
        title: list[Part] = [*where, (" finds.", "text")]
    else:
        title = [("Nothing looks wrong in the traces that were looked at.", "text")]
    left: list[list[Part]] = [[(fmt.unlooked(waiting, MOST_WAITING) + ".", "abandoned")]] if waiting else []
    return [
        title,
        *left,
        [],
        [("Whoever writes to this file looks at traces a second after they ended.", "quiet")],
        [("For a file that nobody writes to:  ", "quiet"), ("tracetui signals --look", "accent")],
        *([[("esc shows all again", "quiet")]] if filter_text else []),
    ]
