"""How a trace and a session look as one line of a list. Pure: rows and a clock in, parts out."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from collector.store.lists import SESSIONS, TRACES, place
from collector.store.marks import summary
from collector.store.rows import Page, SessionRow, TraceRow
from tracetui import format as fmt
from tracetui.widgets.columns import NEVER, Column, Look, Order, head, laid_out, line
from tracetui.widgets.paint import Part, parts_width, spread

TRACE_ORDER, SESSION_ORDER = Order("start"), Order("last")


def _name_cells(width: int) -> int:
    return 15 if width < 100 else min(20 + (width - 100) // 8, 34)


@lru_cache(maxsize=16)
def trace_columns(width: int) -> tuple[Column, ...]:
    """All columns of the list of traces, as wide as they are on such a screen."""
    gap = 1 if width < 100 else 2
    return (
        Column("state", "", 1, sort="status", fixed=True, about="status"),
        Column("name", "NAME", _name_cells(width), gap=1, sort="name", fixed=True, about="name"),
        Column("said", "INPUT → OUTPUT", 0, sort="input", fixed=True, about="input and output"),
        Column("model", "MODEL", 14 if width < 130 else 24, sort="model", least=104, about="model"),
        Column("service", "SERVICE", 12, sort="service", least=NEVER, about="service"),
        Column("session", "SESSION", 14, sort="session", least=NEVER, about="session"),
        Column("user", "USER", 12, sort="user", least=NEVER, about="user"),
        Column("env", "ENV", 8, sort="env", least=NEVER, about="environment"),
        Column("release", "RELEASE", 10, sort="release", least=NEVER, about="release"),
        Column("tags", "TAGS", 14, least=NEVER, about="tags"),
        Column("id", "ID", 8, least=NEVER, about="beginning of the trace id"),
        Column("spans", "SPANS", 5, right=True, sort="spans", least=NEVER, about="spans"),
        Column("errors", "ERRS", 4, right=True, sort="errors", least=NEVER, about="failed spans"),
        Column("calls", "CALLS", 5, right=True, sort="calls", least=116, about="LLM calls"),
        Column("tools", "TOOLS", 5, right=True, sort="tools", least=NEVER, about="tool calls"),
        Column("tokens", "TOKENS", 6, right=True, sort="tokens", about="tokens"),
        Column("cost", "COST", 8, right=True, gap=1, sort="cost", about="cost"),
        Column("unpriced", "", 3, gap=1, about="calls without a price"),
        Column("duration", "TIME", 7, right=True, gap=gap, sort="duration", about="duration"),
        Column("started", "STARTED", 8, right=True, least=NEVER, sort="start", about="time of day it began"),
        Column("age", "AGE", 4, right=True, gap=gap, sort="start", about="how long ago it began"),
    )


@lru_cache(maxsize=16)
def session_columns(width: int) -> tuple[Column, ...]:
    """All columns of the list of sessions."""
    gap = 1 if width < 100 else 2
    return (
        Column("session", "SESSION", 0, sort="session", fixed=True, about="session"),
        Column("user", "USER", 12 if width < 100 else 24, sort="user", about="user"),
        Column("traces", "TRACES", 6, right=True, gap=gap, sort="traces", about="traces"),
        Column("errors", "ERRORS", 6, right=True, gap=gap, sort="errors", about="failed spans"),
        Column("calls", "CALLS", 6, right=True, sort="calls", least=100, about="LLM calls"),
        Column("tokens", "TOKENS", 6, right=True, gap=gap, sort="tokens", about="tokens"),
        Column("cost", "COST", 8, right=True, gap=1, sort="cost", about="cost"),
        Column("unpriced", "", 3, gap=1, about="calls without a price"),
        Column("span", "OVER", 7, right=True, gap=gap, sort="duration", about="from its first trace to its last"),
        Column("first", "FIRST", 5, right=True, sort="first", least=NEVER, about="when it began"),
        Column("age", "LAST", 5, right=True, gap=gap, sort="last", about="when it was last heard of"),
    )


class TraceTable:
    """Traces: status, name, input → output, model, calls, tokens, cost, duration, age."""

    def __init__(
        self, now_ns: Callable[[], int], glyphs: Callable[[], fmt.Glyphs], look: Callable[[], Look] | None = None
    ) -> None:
        self._now_ns = now_ns
        self._glyphs = glyphs
        self._look = look or (lambda: Look(TRACE_ORDER))

    def key(self, row: TraceRow) -> str:
        return row.trace_id

    def place(self, row: TraceRow) -> Page:
        return place(TRACES, row, self._look().order.name)

    def stamp(self, row: TraceRow) -> tuple[object, ...]:
        return (
            self._look(),
            row.trace_id,
            row.seq,
            row.signals,
            row.status,
            fmt.age(row.start_ns, self._now_ns()),
            self.ticks(row) and self.duration(row),
        )

    def ticks(self, row: TraceRow) -> bool:
        return row.status == "running"

    def columns(self, width: int) -> list[tuple[Column, int]]:
        return laid_out(trace_columns(width), self._look(), width)

    def head(self, width: int) -> list[Part]:
        return head(self.columns(width), self._look().order)

    def cells(self, row: TraceRow, width: int, *, at_cursor: bool, fresh: bool) -> list[Part]:
        glyphs = self._glyphs()
        columns = self.columns(width)
        said = next(size for column, size in columns if column.name == "said")
        name = fmt.plain(row.name or "") or "(no name)"
        warning: list[Part] = [(f" {glyphs.warn} {summary(row.signals)}", "abandoned")] if row.signals else []
        cells: dict[str, list[Part]] = {
            "state": [(glyphs.states.get(row.status, "?"), row.status)],
            "name": [(name, "fresh" if fresh else "strong" if row.name else "quiet")],
            "said": marked(exchange(row, max(said - parts_width(warning), 4)), warning, said),
            "duration": [self.duration(row)],
            "age": [(fmt.age(row.start_ns, self._now_ns()), "quiet")],
        }
        cells |= {column.name: CELLS[column.name](row) for column, _ in columns if column.name not in cells}
        return [(glyphs.cursor + " " if at_cursor else "  ", "accent"), *line(columns, cells)]

    def duration(self, row: TraceRow) -> Part:
        if row.status == "running":
            return fmt.duration(self._now_ns() - row.start_ns, running=True), "running"
        return lasted(row.duration_ns)


class SessionTable:
    """Sessions: id, user, traces, errors, calls, tokens, cost, how long, last seen."""

    def __init__(
        self, now_ns: Callable[[], int], glyphs: Callable[[], fmt.Glyphs], look: Callable[[], Look] | None = None
    ) -> None:
        self._now_ns = now_ns
        self._glyphs = glyphs
        self._look = look or (lambda: Look(SESSION_ORDER))

    def key(self, row: SessionRow) -> str:
        return row.session_id

    def place(self, row: SessionRow) -> Page:
        return place(SESSIONS, row, self._look().order.name)

    def stamp(self, row: SessionRow) -> tuple[object, ...]:
        return self._look(), row, fmt.age(row.last_ns, self._now_ns())

    def ticks(self, row: SessionRow) -> bool:
        return False

    def columns(self, width: int) -> list[tuple[Column, int]]:
        return laid_out(session_columns(width), self._look(), width)

    def head(self, width: int) -> list[Part]:
        return head(self.columns(width), self._look().order)

    def cells(self, row: SessionRow, width: int, *, at_cursor: bool, fresh: bool) -> list[Part]:
        errors = row.error_count
        cells: dict[str, list[Part]] = {
            "session": [(fmt.plain(row.session_id), "fresh" if fresh else "strong")],
            "user": [said_of(row.user_id)],
            "first": [(fmt.age(row.first_ns, self._now_ns()), "quiet")],
            "traces": [(fmt.count(row.trace_count), "text")],
            "errors": [(fmt.count(errors), "error") if errors else number(0)],
            "calls": [number(row.llm_calls)],
            "tokens": [total_tokens(row.usage.input_tokens, row.usage.output_tokens)],
            "cost": [(fmt.money(row.cost_nanousd), "quiet" if row.cost_nanousd is None else "text")],
            "unpriced": [(f"+{min(row.unpriced_calls, 999)}", "abandoned")] if row.unpriced_calls else [],
            "span": [lasted(row.last_ns - row.first_ns if row.trace_count > 1 else None)],
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
        return [(fmt.UNKNOWN, "quiet")]
    if not asked:
        return [answer]
    if not answer[0]:
        return [(asked, "text")]
    room = max(width - 3 - min(fmt.cells(answer[0]), width // 2), 4)
    return [(fmt.clip(asked, room), "text"), (" → ", "quiet"), answer]


def marked(said: list[Part], warning: list[Part], width: int) -> list[Part]:
    """What was said, and at the end of the column what looks wrong."""
    return spread(said, warning, width) if warning else said


def models(names: tuple[str, ...]) -> Part:
    """The first model, and how many others."""
    if not names:
        return fmt.UNKNOWN, "quiet"
    more = f" +{len(names) - 1}" if len(names) > 1 else ""
    return fmt.plain(names[0]) + more, "text"


def said_of(text: str | None) -> Part:
    return (fmt.plain(text), "text") if text else (fmt.UNKNOWN, "quiet")


def lasted(duration_ns: int | None) -> Part:
    return fmt.duration(duration_ns), "quiet" if duration_ns is None else "text"


def number(value: int) -> Part:
    """None of them is known to be none: a quiet 0, not –."""
    return fmt.count(value), "text" if value else "quiet"


def total_tokens(put_in: int | None, put_out: int | None) -> Part:
    if put_in is None and put_out is None:
        return fmt.UNKNOWN, "quiet"
    return fmt.tokens((put_in or 0) + (put_out or 0)), "text"


CELLS: dict[str, Callable[[TraceRow], list[Part]]] = {
    "model": lambda row: [models(row.models)],
    "service": lambda row: [said_of(row.service)],
    "session": lambda row: [said_of(row.session_id)],
    "user": lambda row: [said_of(row.user_id)],
    "env": lambda row: [said_of(row.environment)],
    "release": lambda row: [said_of(row.release)],
    "tags": lambda row: [said_of(" ".join(row.tags))],
    "id": lambda row: [(row.trace_id[:8], "quiet")],
    "spans": lambda row: [number(row.span_count)],
    "errors": lambda row: [(fmt.count(row.error_count), "error") if row.error_count else number(0)],
    "calls": lambda row: [number(row.llm_calls)],
    "tools": lambda row: [number(row.tool_calls)],
    "tokens": lambda row: [total_tokens(row.usage.input_tokens, row.usage.output_tokens)],
    "cost": lambda row: [(fmt.money(row.cost_nanousd), "quiet" if row.cost_nanousd is None else "text")],
    "unpriced": lambda row: [(f"+{min(row.unpriced_calls, 999)}", "abandoned")] if row.unpriced_calls else [],
    "started": lambda row: [(fmt.clock(row.start_ns)[11:19], "quiet")],
}
"""What a trace has in the columns that need nothing but its row; made for those that are shown."""
