"""Reading a file from Python: `collector.open("traces.db")`, on the same reader as the explorer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from time import time_ns
from types import TracebackType
from typing import TypeVar

from collector.settings import resolve
from collector.store.filters import Filter, parse
from collector.store.opening import open_reader
from collector.store.reader import Reader
from collector.store.rows import Page, SearchHit, SessionRow, SpanDetail, SpanRow, TraceRow

PAGE = 500
Row = TypeVar("Row")


@dataclass(frozen=True)
class Trace:
    """One trace: `row` with its sums, `spans` in order of their start, `span(id)` with everything it holds."""

    row: TraceRow
    reader: Reader

    @property
    def spans(self) -> list[SpanRow]:
        return self.reader.tree_spans(self.row.trace_id)

    @property
    def root(self) -> SpanRow | None:
        """The first span without a parent; None while it has not arrived."""
        return next((span for span in self.spans if span.parent_id is None), None)

    def span(self, span_id: str) -> SpanDetail:
        """Messages, input and output, tool, attributes, events, scores of one span. NotFound when it has none such."""
        return self.reader.span(self.row.trace_id, span_id)

    def details(self) -> Iterator[SpanDetail]:
        """Every span with everything it holds, one at a time."""
        return (self.span(span.span_id) for span in self.spans)


class Traces:
    """An open file. Use it in the thread that opened it; close it, or use it in a `with`.

    A filter is the language of the command line: "status:error model:gpt-4o* since:1d". FilterError points at
    the column of what it does not understand. Lists come newest first and are read a page at a time.
    """

    def __init__(self, opened: AbstractContextManager[Reader]) -> None:
        self._opened = opened
        self._reader = opened.__enter__()

    @property
    def note(self) -> str | None:
        """A sentence when something is off with the file (damaged, unfinished, newer than this code)."""
        return self._reader.state.note

    def traces(self, where: str = "", *, limit: int | None = None) -> Iterator[TraceRow]:
        """Traces that match, newest first."""
        found, reader = _parsed(where), self._reader
        return _pages(
            lambda n, after: reader.traces(found, limit=n, after=after), lambda r: Page(r.start_ns, r.trace_id), limit
        )

    def spans(self, where: str = "", *, limit: int | None = None) -> Iterator[SpanRow]:
        """Spans that match, newest first."""
        found, reader = _parsed(where), self._reader
        return _pages(
            lambda n, after: reader.spans(found, limit=n, after=after), lambda r: Page(r.start_ns, str(r.id)), limit
        )

    def sessions(self, where: str = "", *, limit: int | None = None) -> Iterator[SessionRow]:
        """Sessions that match, the one with the newest trace first."""
        found, reader = _parsed(where), self._reader
        return _pages(
            lambda n, after: reader.sessions(found, limit=n, after=after),
            lambda r: Page(r.last_ns, r.session_id), limit,
        )  # fmt: skip

    def trace(self, trace_id: str) -> Trace:
        """One trace, by its id or the beginning of it. NotFound when there is none, or more than one."""
        reader = self._reader
        return Trace(reader.trace(reader.resolve_trace(trace_id)), reader)

    def search(self, text: str, where: str = "", *, limit: int = 100) -> list[SearchHit]:
        """Spans that brought a text with these words, newest first."""
        return self._reader.search(text, _parsed(where), limit=limit)

    def close(self) -> None:
        """Close the file; nothing can be asked after that."""
        self._opened.__exit__(None, None, None)

    def __enter__(self) -> Traces:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open(path: str | PathLike[str] | None = None) -> Traces:  # noqa: A001  # collector.open
    """Open a file for reading; with no path, the default file. Nothing is written to it.

    NotFound when there is none; StoreError says in a sentence what is wrong with a file that cannot be read.
    """
    return Traces(open_reader(Path(path) if path is not None else resolve(strict=False).settings.db))


def _parsed(where: str) -> Filter:
    return parse(where, time_ns())


def _pages(
    fetch: Callable[[int, Page | None], list[Row]], place: Callable[[Row], Page], limit: int | None
) -> Iterator[Row]:
    after: Page | None = None
    left = limit
    while left is None or left > 0:
        size = PAGE if left is None else min(PAGE, left)
        rows = fetch(size, after)
        yield from rows
        if len(rows) < size:
            return
        after = place(rows[-1])
        left = None if left is None else left - len(rows)
