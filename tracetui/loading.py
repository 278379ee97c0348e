"""Reading a trace for the tree: its first lines at once, then its bones, then only what changed.

Plain functions that run in a reader's thread; the screen hands in what it shows and gets back what to show.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from collector.store import skeleton
from collector.store.rows import SpanRow, TraceRow
from collector.store.skeleton import RUNNING, Skeleton
from tracetui import branches, trees
from tracetui.outline import Outline
from tracetui.source import Reader

AT_ONCE = 2000
"""A trace of more spans shows its first lines before it is read whole."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What is on screen: the trace, and the spans whose rows are on it or near it."""

    trace: TraceRow
    outline: Outline
    near: tuple[int, ...]
    folded: frozenset[int]
    opened: frozenset[int]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What to show: `outline` is None where nothing changed; `rows` are new or newer ones, `changed` the spans
    whose older rows do not hold any more."""

    trace: TraceRow
    outline: Outline | None = None
    rows: dict[int, SpanRow] = field(default_factory=dict)
    changed: frozenset[int] = frozenset()


def first(reader: Reader, trace_id: str, lines: int) -> Loaded:
    """The trace, with rows for its first `lines` lines; of a big one these lines are all there is of it."""
    trace = reader.trace(trace_id)
    if trace.span_count > AT_ONCE:
        rows = first_lines(reader, trace_id, lines)
        if rows:
            outline = trees.outline(Skeleton.of(rows), partial=True)
            found = {skeleton.number(row.span_id): row for row in rows}
            return Loaded(trace, outline, {one: row for one, row in found.items() if one})
    outline = trees.outline(reader.skeleton(trace_id))
    wanted = branches.unread(outline, branches.visible(outline, ()), (), 0, lines)
    return Loaded(trace, outline, reader.span_rows(trace_id, wanted))


def first_lines(reader: Reader, trace_id: str, lines: int) -> list[SpanRow]:
    """The first spans in pre-order, found by going down from the top."""
    found: list[SpanRow] = []
    waiting = list(reader.children(trace_id, None, limit=lines))[::-1]
    while waiting and len(found) < lines:
        row = waiting.pop()
        found.append(row)
        waiting += reversed(reader.children(trace_id, row.span_id, limit=lines - len(found)) or ())
    return found


def again(reader: Reader, shown: Shown) -> Loaded:
    """The same trace now. Asks for what changed; for all of it when spans went or the first look was partial."""
    was, trace_id = shown.trace, shown.trace.trace_id
    trace = reader.trace(trace_id)
    if shown.outline.partial:
        return _whole(reader, trace, shown)
    news = reader.skeleton(trace_id, since=was.seq)
    if not _is_news(shown.outline.spans, news):
        return Loaded(trace)
    spans = shown.outline.spans.merged(news)
    if len(spans) > trace.span_count:
        return _whole(reader, trace, shown)
    changed = frozenset(news.ids)
    rows = reader.span_rows(trace_id, [number for number in shown.near if number in changed])
    return Loaded(trace, trees.renewed(shown.outline, spans), rows, changed)


def _whole(reader: Reader, trace: TraceRow, shown: Shown) -> Loaded:
    outline = trees.outline(reader.skeleton(trace.trace_id))
    lines = branches.visible(outline, shown.folded, shown.opened)
    begin = branches.unread(outline, lines, (), 0, 100) if not shown.near else ()
    rows = reader.span_rows(trace.trace_id, [*shown.near, *begin])
    return Loaded(trace, outline, rows, frozenset(outline.ids))


def _is_news(known: Skeleton, news: Skeleton) -> bool:
    """Those that run are always among the news: unless one stopped, was lost or is new, nothing happened."""
    if not len(news):
        return False
    if any(mark >> 2 != RUNNING for mark in news.marks):
        return True
    place = {number: index for index, number in enumerate(known.ids)}
    return any(
        number not in place or known.marks[place[number]] != mark or known.parents[place[number]] != parent
        for number, parent, mark in zip(news.ids, news.parents, news.marks, strict=True)
    )


def rows(reader: Reader, trace_id: str, numbers: list[int]) -> dict[int, SpanRow]:
    """The rows of some spans."""
    return reader.span_rows(trace_id, numbers)
