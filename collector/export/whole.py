"""What an export is made of: the traces a filter finds, oldest first, each with all of its spans in the tree's order.

Nothing is held but one page of rows and one span's content: a file of a million spans goes out in little memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from collector import tree
from collector.model import Score, SpanPart
from collector.store.filters import Filter
from collector.store.reader import Reader
from collector.store.rows import Page, SpanDetail, TraceRow

PAGE = 500


@dataclass(frozen=True, slots=True)
class Told:
    """One trace: its row, its scores, and (depth, span) in pre-order, read as one goes."""

    row: TraceRow
    scores: tuple[Score, ...]
    spans: Iterable[tuple[int, SpanDetail]]


def found(reader: Reader, where: Filter | None = None, limit: int | None = None) -> Iterator[TraceRow]:
    """The traces that a filter finds, oldest first, at most `limit`."""
    return islice(_traces(reader, where), limit)


def _traces(reader: Reader, where: Filter | None) -> Iterator[TraceRow]:
    after: Page | None = None
    while True:
        rows = reader.traces(where, limit=PAGE, after=after, sort="start")
        yield from rows
        if len(rows) < PAGE:
            return
        after = Page(rows[-1].start_ns, rows[-1].trace_id)


def told(reader: Reader, row: TraceRow) -> Told:
    """A trace with everything in it."""
    return Told(row, tuple(reader.scores(row.trace_id)), details(reader, row.trace_id))


def details(reader: Reader, trace_id: str) -> Iterator[tuple[int, SpanDetail]]:
    """(depth, span) of a trace in pre-order. Spans that never came are left out; their children are there."""
    for node in tree.build(reader.tree_spans(trace_id)):
        if node.row is not None:
            yield node.depth, reader.span(trace_id, node.row.span_id)


def parts(reader: Reader, traces: Iterable[TraceRow]) -> Iterator[SpanPart]:
    """Every span of these traces as it was sent (folded)."""
    for row in traces:
        yield from reader.parts_named((row.trace_id, span.span_id) for span in reader.tree_spans(row.trace_id))


def spans(reader: Reader, where: Filter | None = None, limit: int | None = None) -> Iterator[SpanDetail]:
    """The spans that a filter finds, oldest first, at most `limit`."""
    return islice(_spans(reader, where), limit)


def _spans(reader: Reader, where: Filter | None) -> Iterator[SpanDetail]:
    after: Page | None = None
    while True:
        rows = reader.spans(where, limit=PAGE, after=after, sort="start")
        yield from (reader.span(row.trace_id, row.span_id) for row in rows)
        if len(rows) < PAGE:
            return
        after = Page(rows[-1].start_ns, str(rows[-1].id))
