"""Failures by what they have in common: how often, where, for whom, since when, and what went well beside them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import cast

from textual import on, work

from collector.errors import TracetuiError
from collector.store import failures as store
from collector.store.failures import Failure
from collector.store.reader import Reader as StoreReader
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
from tracetui.widgets.tables import number

BARS = " ▁▂▃▄▅▆▇█"
ASCII_BARS = " .:-=+*#@"


@lru_cache(maxsize=16)
def columns(width: int) -> tuple[Column, ...]:
    gap = 1 if width < 100 else 2
    return (
        Column("count", "COUNT", 6, right=True, sort="count", fixed=True, about="how often it arose"),
        Column("type", "TYPE", 18 if width < 100 else 26, gap=gap, sort="type", fixed=True, about="class"),
        Column("message", "MESSAGE", 0, gap=gap, sort="message", fixed=True, about="message"),
        Column("in", "IN", 24, least=130, about="tools, models or spans"),
        Column("users", "USERS", 6, right=True, gap=gap, sort="users", least=110, about="users"),
        Column("traces", "TRACES", 7, right=True, gap=gap, sort="traces", about="traces"),
        Column("when", "WHEN", store.BUCKETS, least=150, about="when it arose"),
        Column("first", "FIRST", 5, right=True, gap=gap, sort="first", about="when it was first seen"),
        Column("last", "LAST", 5, right=True, gap=1, sort="last", about="when it was last seen"),
    )


class ErrorsScreen(SummaryScreen[Failure]):
    """`5`. Enter lists the traces of a failure, `e` opens its newest, `w` the nearest success."""

    BINDINGS = bindings("errors")
    key_groups = ("list", "errors", "lists", "screen", "app")
    what = "errors"
    without = ("session", "columns", "group")
    detail_lines = 3

    def __init__(self, facts: Facts, *, filter_text: str = "") -> None:
        super().__init__(facts, filter_text=filter_text)
        self._partial = False
        self._traced = True

    def rows_list(self) -> RowsList[Failure]:
        return RowsList(columns, self.cells, store.SORTS, lambda row: row.key, Order("count", True))

    def find(self, reader: Reader) -> Sequence[Failure]:
        found = store.failures(cast(StoreReader, reader), **self.filters())
        self._partial = found.partial
        self._traced = bool(found.groups) or bool(reader.traces(limit=1))
        return found.groups

    def cells(self, row: Failure) -> dict[str, list[Part]]:
        where = [*row.tools, *row.models] or [*row.names]
        return {
            "count": [(fmt.count(row.count), "error")],
            "type": [(fmt.plain(row.error_type), "strong") if row.error_type else ("(no type)", "quiet")],
            "message": signed(row.fingerprint, self.glyphs() is fmt.ASCII) or [("(no message)", "quiet")],
            "in": [(fmt.plain(", ".join(where)), "text") if where else (fmt.UNKNOWN, "quiet")],
            "users": [number(len(row.users))],
            "traces": [number(row.traces)],
            "when": [(sparkline(row.history, self.glyphs() is fmt.ASCII), "error")],
            "first": [(fmt.age(row.first_ns, self.facts.now_ns()), "quiet")],
            "last": [(fmt.age(row.last_ns, self.facts.now_ns()), "quiet")],
        }

    def told(self, row: Failure) -> list[list[Part]]:
        """The newest message as it was said, and who was hit."""
        lines: list[list[Part]] = [[(" " + fmt.plain(row.message or "(no message)"), "error")]]
        sides = (("tools", row.tools), ("models", row.models), ("users", row.users), ("services", row.services))
        for pair in (sides[:2], sides[2:]):
            parts: list[Part] = [(" ", "text")]
            for name, found in pair:
                said = ", ".join(f"{fmt.plain(key)} {count}" for key, count in list(found.items())[:6])
                parts += [(f"{name} ", "quiet"), (said or fmt.UNKNOWN, "text" if said else "quiet"), ("   ", "text")]
            lines.append(parts)
        return lines

    def sums(self, rows: Sequence[Failure]) -> list[Part]:
        count = sum(row.count for row in rows)
        return [
            ("newest " if self._partial else "", "abandoned"),
            (fmt.count(count), "error"), (" failure" if count == 1 else " failures", "quiet"), (" of ", "quiet"),
            (fmt.count(len(rows)), "strong"), (" kind " if len(rows) == 1 else " kinds ", "quiet"),
        ]  # fmt: skip

    def empty_lines(self) -> list[list[Part]]:
        if not self._traced or not self.facts.exists:
            return empty.nothing(self.facts, "traces", "")
        if self.filter_text:
            return empty.nothing(self.facts, "failures", self.filter_text)
        return [[("Nothing has failed.", "strong")], [], [("1 lists the traces   f filters", "quiet")]]

    # Keys.

    @on(LineList.Chosen)
    def _chosen(self) -> None:
        if self.listed.row is not None:
            self.post_message(self.OpenTraces(self._behind(self.listed.row)))

    def _behind(self, row: Failure) -> str:
        """The filter that finds its traces."""
        within = f"any:({self.filter_text}) " if self.filter_text and "any:" not in self.filter_text else ""
        return within + row.filter

    def to_export(self) -> Export | None:
        row = self.listed.row
        return None if row is None else self.found_by(self._behind(row), "errors", "the traces of these failures")

    def action_example(self) -> None:
        row = self.listed.row
        if row is not None:
            self.post_message(self.OpenSpan(row.last_trace, row.last_span))

    @work(exclusive=True, group="succeeded")
    async def action_succeeded(self) -> None:
        row = self.listed.row
        if row is None:
            return
        try:
            near = await self.facts.source.ask_slowly(
                lambda reader: store.nearest_success(cast(StoreReader, reader), row.last_trace)
            )
        except TracetuiError as error:
            self.show_error(error)
            return
        if near is None:
            self.app.notify("No trace of the same name and service went without a failure.", markup=False)
        else:
            self.post_message(self.OpenSpan(near.trace_id, None))

    def copy_choices(self) -> list[Choice]:
        row = self.listed.row
        if row is None:
            return []
        choices = [Choice("message", row.message), Choice("filter that finds it", row.filter)]
        return [*choices, Choice("newest trace", row.last_trace), Choice("newest span", row.last_span)]


def signed(print_: str, ascii_mode: bool = False) -> list[Part]:
    """A fingerprint, its signs quiet."""
    parts: list[Part] = []
    for number_, piece in enumerate(fmt.plain(print_).replace("›", "‹").split("‹")):
        if piece:
            sign = f"<{piece}>" if ascii_mode else f"‹{piece}›"
            parts.append((sign, "quiet") if number_ % 2 else (piece, "text"))
    return parts


def sparkline(counts: Sequence[int], ascii_mode: bool) -> str:
    """A cell a number, as high as its share of the greatest; whatever is not 0 is seen."""
    signs, most = (ASCII_BARS if ascii_mode else BARS), max(counts, default=0)
    steps = len(signs) - 1
    return "".join(signs[-(-count * steps // most) if most else 0] for count in counts)
