"""Traces in groups, with their sums; enter lists the traces of one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import cast

from textual import on

from collector.store import groups as store
from collector.store.groups import Group
from collector.store.reader import Reader as StoreReader
from tracetui import format as fmt
from tracetui.screens.base import Facts
from tracetui.screens.hands import Export
from tracetui.screens.menu import Choice, MenuScreen
from tracetui.screens.summary import SummaryScreen
from tracetui.source import Reader
from tracetui.widgets.columns import Column, Order
from tracetui.widgets.filter_bar import FilterBar
from tracetui.widgets.line_list import LineList
from tracetui.widgets.paint import Part
from tracetui.widgets.rows_list import RowsList
from tracetui.widgets.tables import number


@lru_cache(maxsize=32)
def columns(by: str, width: int) -> tuple[Column, ...]:
    gap = 1 if width < 100 else 2
    return (
        Column("value", by.upper(), 0, sort="value", fixed=True, about=by),
        Column("traces", "TRACES", 7, right=True, gap=gap, sort="traces", fixed=True, about="traces"),
        Column("errors", "FAILED", 6, right=True, gap=gap, sort="errors", about="traces in which a span failed"),
        Column("calls", "CALLS", 6, right=True, gap=gap, sort="calls", least=90, about="LLM calls"),
        Column("tokens", "TOKENS", 6, right=True, gap=gap, sort="tokens", about="tokens"),
        Column("cost", "COST", 8, right=True, gap=1, sort="cost", about="cost"),
        Column("unpriced", "", 5, gap=1, about="calls without a price"),
        Column("first", "FIRST", 5, right=True, gap=gap, sort="first", about="when the first began"),
        Column("last", "LAST", 5, right=True, gap=gap, sort="last", about="when the last began"),
    )


VALUES = {
    "value": lambda row: (row.value is None, (row.value or "").lower()), "traces": lambda row: row.traces,
    "errors": lambda row: row.errors, "calls": lambda row: row.calls, "tokens": lambda row: row.tokens,
    "cost": lambda row: -1 if row.cost_nanousd is None else row.cost_nanousd, "first": lambda row: row.first_ns,
    "last": lambda row: row.last_ns,
}  # fmt: skip


class GroupsScreen(SummaryScreen[Group]):
    """`by` is one of `collector.store.groups.BY`."""

    what = "groups"
    filters_traces = True

    def __init__(self, facts: Facts, by: str, *, filter_text: str = "") -> None:
        super().__init__(facts, filter_text=filter_text)
        self.by = by

    def rows_list(self) -> RowsList[Group]:
        return RowsList(
            lambda width: columns(self.by, width), self.cells, VALUES, lambda row: row.value, Order("traces", True)
        )

    def find(self, reader: Reader) -> Sequence[Group]:
        return store.groups(cast(StoreReader, reader), self.by, **self.filters())

    def cells(self, row: Group) -> dict[str, list[Part]]:
        unknown = row.value is None
        value = f"(no {self.by})" if unknown else fmt.plain(row.value or "") or '""'
        failed = (fmt.count(row.errors), "error" if row.errors else "quiet")
        return {
            "value": [(value, "quiet" if unknown else "strong")],
            "traces": [number(row.traces)],
            "errors": [failed],
            "calls": [number(row.calls)],
            "tokens": [(fmt.tokens(row.tokens), "text") if row.tokens else (fmt.UNKNOWN, "quiet")],
            "cost": [(fmt.money(row.cost_nanousd), "quiet" if row.cost_nanousd is None else "text")],
            "unpriced": [(f"+{fmt.count(row.unpriced_calls)}", "abandoned")] if row.unpriced_calls else [],
            "first": [(fmt.age(row.first_ns, self.facts.now_ns()), "quiet")],
            "last": [(fmt.age(row.last_ns, self.facts.now_ns()), "quiet")],
        }

    def sums(self, rows: Sequence[Group]) -> list[Part]:
        many = f"{len(rows)}+" if len(rows) >= store.MOST else fmt.count(len(rows))
        return [
            (f"traces by {self.by}  ", "quiet"),
            (many, "strong"),
            (" group " if len(rows) == 1 else " groups ", "quiet"),
        ]

    # Keys.

    @on(LineList.Chosen)
    def _chosen(self) -> None:
        row = self.listed.row
        if row is not None:
            self.post_message(self.OpenTraces(self._behind(row)))

    def _behind(self, row: Group) -> str:
        """The filter that finds its traces."""
        within = f"({self.filter_text}) " if " or " in self.filter_text else self.filter_text + " "
        return (within + store.filter_of(self.by, row.value)).strip()

    def to_export(self) -> Export | None:
        row = self.listed.row
        return None if row is None else self.found_by(self._behind(row), "group", f"the traces of this {self.by}")

    def action_group(self) -> None:
        choices = [Choice(name, name, about=f"traces by {name}, with their sums") for name in store.BY]
        self.app.push_screen(MenuScreen("Group by", choices), self._group_chosen)

    def _group_chosen(self, by: str | None) -> None:
        if by is not None:
            self.by = by
            self.listed.rows = []
            self.filter_changed()

    def action_back(self) -> None:
        if self.query_one(FilterBar).is_open:
            super().action_back()
        else:
            self.dismiss(None)

    def copy_choices(self) -> list[Choice]:
        row = self.listed.row
        return [] if row is None or row.value is None else [Choice(self.by, row.value)]
