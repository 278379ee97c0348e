"""How a trace and a session look as one line of a list. Pure: rows and a clock in, parts out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from collector.store.rows import Page, SessionRow, TraceRow
from tracetui import format as fmt
from tracetui.widgets.paint import Part, clip_parts, parts_width


@dataclass(frozen=True, slots=True)
class Column:
    """A column: what stands above it and how many cells it takes (0: what is left),
    `gap` cells after the one before it."""

    name: str
    title: str
    width: int
    right: bool = False
    gap: int = 2


def lay_out(columns: list[Column], width: int) -> list[tuple[Column, int]]:
    """Give every column its cells; the one with width 0 gets what is left."""
    fixed = sum(column.width for column in columns) + sum(column.gap for column in columns[1:])
    return [(column, column.width or max(width - fixed, 4)) for column in columns]


def line(columns: list[tuple[Column, int]], cells: dict[str, list[Part]]) -> list[Part]:
    """Put cells into their columns, numbers at the right edge of theirs."""
    parts: list[Part] = []
    for index, (column, width) in enumerate(columns):
        if index:
            parts.append((" " * column.gap, "text"))
        cell = clip_parts(cells.get(column.name, []), width)
        pad = (" " * (width - parts_width(cell)), "text")
        parts += [pad, *cell] if column.right else [*cell, pad]
    return parts


def head(columns: list[tuple[Column, int]]) -> list[Part]:
    return [
        ("  ", "text"),
        *line(columns, {column.name: [(column.title, "quiet")] for column, _ in columns}),
    ]


class TraceTable:
    """Traces: status, name, input → output, model, calls, tokens, cost, duration, age."""

    def __init__(self, now_ns: Callable[[], int], glyphs: Callable[[], fmt.Glyphs]) -> None:
        self._now_ns = now_ns
        self._glyphs = glyphs

    def key(self, row: TraceRow) -> str:
        return row.trace_id

    def place(self, row: TraceRow) -> Page:
        return Page(row.start_ns, row.trace_id)

    def stamp(self, row: TraceRow) -> tuple[object, ...]:
        return (
            row.trace_id,
            row.seq,
            row.status,
            fmt.age(row.start_ns, self._now_ns()),
            self.ticks(row) and self.duration(row),
        )

    def ticks(self, row: TraceRow) -> bool:
        return row.status == "running"

    @staticmethod
    @cache
    def columns(width: int) -> list[tuple[Column, int]]:
        name = 15 if width < 100 else min(20 + (width - 100) // 8, 34)
        columns = [Column("state", "", 1), Column("name", "NAME", name, gap=1), Column("said", "INPUT → OUTPUT", 0)]
        if width >= 104:
            columns.append(Column("model", "MODEL", 14 if width < 130 else 24))
        if width >= 116:
            columns.append(Column("calls", "CALLS", 5, right=True))
        columns += [
            Column("tokens", "TOKENS", 6, right=True),
            Column("cost", "COST", 8, right=True, gap=1),
            Column("unpriced", "", 3, gap=1),
            Column("duration", "TIME", 7, right=True, gap=1 if width < 100 else 2),
            Column("age", "AGE", 4, right=True, gap=1 if width < 100 else 2),
        ]
        return lay_out(columns, width - 2)

    def head(self, width: int) -> list[Part]:
        return head(self.columns(width))

    def cells(self, row: TraceRow, width: int, *, at_cursor: bool, fresh: bool) -> list[Part]:
        glyphs = self._glyphs()
        columns = self.columns(width)
        said = next(size for column, size in columns if column.name == "said")
        name = fmt.plain(row.name or "") or "(no name)"
        cells: dict[str, list[Part]] = {
            "state": [(glyphs.states.get(row.status, "?"), row.status)],
            "name": [(name, "fresh" if fresh else "strong" if row.name else "quiet")],
            "said": exchange(row, said),
            "model": [models(row.models)],
            "calls": [number(row.llm_calls)],
            "tokens": [total_tokens(row.usage.input_tokens, row.usage.output_tokens)],
            "cost": [(fmt.money(row.cost_nanousd), "quiet" if row.cost_nanousd is None else "text")],
            "unpriced": [(f"+{min(row.unpriced_calls, 999)}", "abandoned")] if row.unpriced_calls else [],
            "duration": [self.duration(row)],
            "age": [(fmt.age(row.start_ns, self._now_ns()), "quiet")],
        }
        return [(glyphs.cursor + " " if at_cursor else "  ", "accent"), *line(columns, cells)]

    def duration(self, row: TraceRow) -> Part:
        if row.status == "running":
            return fmt.duration(self._now_ns() - row.start_ns, running=True), "running"
        return fmt.duration(row.duration_ns), "quiet" if row.duration_ns is None else "text"


class SessionTable:
    """Sessions: id, user, traces, errors, calls, tokens, cost, how long, last seen."""

    def __init__(self, now_ns: Callable[[], int], glyphs: Callable[[], fmt.Glyphs]) -> None:
        self._now_ns = now_ns
        self._glyphs = glyphs

    def key(self, row: SessionRow) -> str:
        return row.session_id

    def place(self, row: SessionRow) -> Page:
        return Page(row.last_ns, row.session_id)

    def stamp(self, row: SessionRow) -> tuple[object, ...]:
        return row, fmt.age(row.last_ns, self._now_ns())

    def ticks(self, row: SessionRow) -> bool:
        return False

    @staticmethod
    @cache
    def columns(width: int) -> list[tuple[Column, int]]:
        gap = 1 if width < 100 else 2
        columns = [
            Column("session", "SESSION", 0),
            Column("user", "USER", 12 if width < 100 else 24),
            Column("traces", "TRACES", 6, right=True, gap=gap),
            Column("errors", "ERRORS", 6, right=True, gap=gap),
        ]
        if width >= 100:
            columns.append(Column("calls", "CALLS", 6, right=True))
        columns += [
            Column("tokens", "TOKENS", 6, right=True, gap=gap),
            Column("cost", "COST", 8, right=True, gap=1),
            Column("unpriced", "", 3, gap=1),
            Column("span", "OVER", 7, right=True, gap=gap),
            Column("age", "LAST", 4, right=True, gap=gap),
        ]
        return lay_out(columns, width - 2)

    def head(self, width: int) -> list[Part]:
        return head(self.columns(width))

    def cells(self, row: SessionRow, width: int, *, at_cursor: bool, fresh: bool) -> list[Part]:
        errors = row.error_count
        cells: dict[str, list[Part]] = {
            "session": [(fmt.plain(row.session_id), "fresh" if fresh else "strong")],
            "user": [(fmt.plain(row.user_id), "text") if row.user_id else (fmt.UNKNOWN, "quiet")],
            "traces": [(fmt.count(row.trace_count), "text")],
            "errors": [(fmt.count(errors), "error") if errors else (fmt.UNKNOWN, "quiet")],
            "calls": [number(row.llm_calls)],
            "tokens": [total_tokens(row.usage.input_tokens, row.usage.output_tokens)],
            "cost": [(fmt.money(row.cost_nanousd), "quiet" if row.cost_nanousd is None else "text")],
            "unpriced": [(f"+{min(row.unpriced_calls, 999)}", "abandoned")] if row.unpriced_calls else [],
            "span": [(fmt.duration(row.last_ns - row.first_ns), "text")],
            "age": [(fmt.age(row.last_ns, self._now_ns()), "quiet")],
        }
        cursor = self._glyphs().cursor + " " if at_cursor else "  "
        return [(cursor, "accent"), *line(self.columns(width), cells)]


def exchange(row: TraceRow, width: int) -> list[Part]:
    """`input → output` in `width` cells; the input gives way once it takes more than half."""
    asked = fmt.plain(fmt.sole_text(row.input_preview or "")).strip()
    said = fmt.plain(fmt.sole_text(row.output_preview or "")).strip()
    if row.status == "abandoned" and not said:
        answer: Part = ("abandoned: its process is gone", "abandoned")
    elif row.status == "running" and not said:
        answer = (fmt.RUNNING, "running")
    elif row.status == "error" and not said:
        answer = ("failed", "error")
    else:
        answer = (said, "error" if row.status == "error" else "text") if said else ("", "quiet")
    if not asked and not answer[0]:
        return [(fmt.UNKNOWN, "faint")]
    if not asked:
        return [answer]
    if not answer[0]:
        return [(asked, "text")]
    room = max(width - 3 - min(fmt.cells(answer[0]), width // 2), 4)
    return [(fmt.clip(asked, room), "text"), (" → ", "quiet"), answer]


def models(names: tuple[str, ...]) -> Part:
    """The first model, and how many others."""
    if not names:
        return fmt.UNKNOWN, "quiet"
    more = f" +{len(names) - 1}" if len(names) > 1 else ""
    return fmt.plain(names[0]) + more, "text"


def number(value: int) -> Part:
    return (fmt.count(value), "text") if value else (fmt.UNKNOWN, "quiet")


def total_tokens(put_in: int | None, put_out: int | None) -> Part:
    if put_in is None and put_out is None:
        return fmt.UNKNOWN, "quiet"
    return fmt.tokens((put_in or 0) + (put_out or 0)), "text"
