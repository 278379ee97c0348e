"""Where screens get their data: questions put to a reader that lives in another thread.

A reader is one connection and belongs to the thread that opened it, so a `Source` keeps four threads with a
reader each: the quick lane answers what is on screen, the slow lane loads whole traces and sums, the third reads lists
in any order and by any filter, and the last counts what a filter finds: both may take seconds in a big file, and
what was opened meanwhile comes at once. Screens await the answer in an exclusive worker; a question that nobody waits
for any more is broken off.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, suppress
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

from collector.errors import Interrupted, StoreError, TracetuiError
from collector.limits import Limits

if TYPE_CHECKING:
    from collector.seen import Seen
    from collector.signals import Place, Signal
    from collector.store.complete import Completion
    from collector.store.measures import Measures
    from collector.store.rows import (
        FileState,
        LedgerRow,
        Page,
        SearchHit,
        SessionRow,
        SpanDetail,
        SpanRow,
        Totals,
        TraceRow,
    )
    from collector.store.signals import Counted
    from collector.store.skeleton import Skeleton

Answer = TypeVar("Answer")
Where: TypeAlias = Any
"""A parsed filter: opaque here, made by `Source.parse`, understood by the reader."""


class Reader(Protocol):
    """What the screens ask of `collector.store`'s reader. Lists are in the order of `sort`, next page by key."""

    @property
    def state(self) -> FileState: ...
    def data_version(self) -> int: ...
    def traces(
        self,
        where: Where = ...,
        *,
        limit: int = ...,
        after: Page | None = ...,
        before: Page | None = ...,
        sort: str = ...,
    ) -> Sequence[TraceRow]: ...
    def sessions(
        self,
        where: Where = ...,
        *,
        limit: int = ...,
        after: Page | None = ...,
        before: Page | None = ...,
        sort: str = ...,
    ) -> Sequence[SessionRow]: ...
    def trace(self, trace_id: str) -> TraceRow: ...
    def resolve_trace(self, prefix: str) -> str: ...
    def skeleton(self, trace_id: str, *, since: int | None = ...) -> Skeleton: ...
    def measures(self, trace_id: str) -> Measures: ...
    def found_in(self, trace_id: str, text: str) -> dict[int, int]: ...
    def span_rows(self, trace_id: str, numbers: Sequence[int]) -> dict[int, SpanRow]: ...
    def children(self, trace_id: str, parent_id: str | None, *, limit: int = ...) -> Sequence[SpanRow]: ...
    def span(self, trace_id: str, span_id: str) -> SpanDetail: ...
    def search(self, text: str, where: Where = ..., *, limit: int = ...) -> Sequence[SearchHit]: ...
    def totals(self, where: Where = ..., *, told: Callable[[Totals], object] | None = ...) -> Totals: ...
    def session_totals(self, where: Where = ...) -> Totals: ...
    def complete(self, text: str, cursor: int, views: Mapping[str, str]) -> Completion: ...
    def seen(self, trace_id: str) -> Sequence[Seen]: ...
    def seen_before(self, trace_id: str) -> Sequence[Sequence[Seen]]: ...
    def signals(self, trace_id: str, limits: Limits) -> Sequence[Signal]: ...
    def signal_counts(self, where: Where = ...) -> Sequence[Counted]: ...
    def unlooked(self) -> int: ...
    def first_places(self, trace_id: str, text: str) -> Sequence[Place]: ...
    def span_names(self, trace_id: str) -> dict[str, str]: ...
    def ledger(self) -> Sequence[LedgerRow]: ...
    def last_seen(self) -> Mapping[str, int]: ...
    def interrupt(self) -> None: ...


OpenReader: TypeAlias = Callable[[], AbstractContextManager[Reader]]
Question: TypeAlias = Callable[[Reader], Answer]
AGAIN_S = 0.02
"""A question may ask several things of the file: how soon after one of them the next is broken off."""


class Lane:
    """One thread with one reader, opened at the first question and again after `forget`."""

    def __init__(self, open_reader: OpenReader, name: str) -> None:
        self._open_reader = open_reader
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._stack = ExitStack()
        self._reader: Reader | None = None
        self._stale = self._closed = False
        self._asked: tuple[object, Reader] | None = None
        self._lock = threading.Lock()
        self.note = ""

    def _ask(self, question: Question[Answer]) -> Answer:
        """Whatever goes wrong while reading is a StoreError to the screens, which say it and stay."""
        try:
            return self._answer(question)
        except TracetuiError:
            raise
        except Exception as error:  # the edge to the screens: a broken row takes none of them down
            raise StoreError(
                f"something in the file cannot be read ({type(error).__name__}); `tracetui check` looks at all of it"
            ) from error

    def _answer(self, question: Question[Answer]) -> Answer:
        if self._closed:
            raise Interrupted("the explorer is closing")
        if self._stale:
            self._stale = False
            self._drop()
        if self._reader is None:
            self._reader = self._stack.enter_context(self._open_reader())
        self._now(question, self._reader)
        try:
            answer = question(self._reader)
        finally:
            self._now(None, self._reader)
        self.note = self._reader.state.note or ""
        return answer

    def _now(self, question: object, reader: Reader) -> None:
        with self._lock:
            self._asked = None if question is None else (question, reader)

    def _break_off(self, question: object = None) -> None:
        """Break off what this question, or any, asks just now."""
        with self._lock:
            if self._asked is not None and question in (None, self._asked[0]):
                self._asked[1].interrupt()

    def _drop(self) -> None:
        self._reader = None
        self._stack.close()

    async def ask(self, question: Question[Answer]) -> Answer:
        """The answer. Whoever is cancelled while waiting for it breaks the question off."""
        loop = asyncio.get_running_loop()
        future = self._pool.submit(self._ask, question)
        try:
            return await asyncio.wrap_future(future, loop=loop)
        except asyncio.CancelledError:
            self._leave(loop, future, question)
            raise

    def _leave(self, loop: asyncio.AbstractEventLoop, future: Future[Any], question: object) -> None:
        if not future.done() and not self._closed:
            self._break_off(question)
            loop.call_later(AGAIN_S, self._leave, loop, future, question)

    def forget(self) -> None:
        """The file was replaced: the next question opens it again."""
        self._stale = True

    def close(self) -> None:
        """End the thread. What it is asked is broken off."""
        self._closed = True
        last = self._pool.submit(self._drop)
        self._pool.shutdown(wait=False)
        while not last.done():
            self._break_off()
            with suppress(TimeoutError):
                last.result(AGAIN_S)


class Source:
    """The file as the screens see it. `parse` turns filter text into what the reader takes (FilterError); it knows
    `views`, saved filters by name, to which more may be added."""

    def __init__(
        self, path: str, open_reader: OpenReader, parse: Callable[[str], Where],
        views: dict[str, str] | None = None, *, dimensions: Sequence[str] = (),
        prices: Mapping[str, Mapping[str, Any]] | None = None, limits: Limits | None = None,
    ) -> None:  # fmt: skip
        """`dimensions` are the metadata keys that the settings have summed ahead, `prices` the user's own,
        `limits` say from where on something is a signal."""
        self.path = path
        self.dimensions = dimensions
        self.prices = prices
        self.views = views if views is not None else {}
        self.limits = limits or Limits()
        self.parse = parse
        self.open_reader = open_reader
        self._quick = Lane(open_reader, "tracetui-quick")
        self._slow = Lane(open_reader, "tracetui-slow")
        self._listing = Lane(open_reader, "tracetui-listing")
        self._counting = Lane(open_reader, "tracetui-counting")

    async def ask(self, question: Question[Answer]) -> Answer:
        """Answer from the quick lane. Raises what the reader raises (StoreError, NotFound)."""
        return await self._quick.ask(question)

    async def ask_slowly(self, question: Question[Answer]) -> Answer:
        """Answer from the slow lane, without holding up the quick one."""
        return await self._slow.ask(question)

    @property
    def note(self) -> str:
        """What the file says of itself (cut short, of another version, not to be written), as last read; or ""."""
        return self._listing.note or self._quick.note or self._slow.note

    async def ask_list(self, question: Question[Answer]) -> Answer:
        """Answer from the lane for lists, whose filter or order may want all of the file."""
        return await self._listing.ask(question)

    async def count(self, question: Question[Answer]) -> Answer:
        """Answer from the lane for counting, without holding up those who open a trace."""
        return await self._counting.ask(question)

    def forget(self) -> None:
        """Open the file again at the next question."""
        for lane in self._lanes:
            lane.forget()

    def close(self) -> None:
        for lane in self._lanes:
            lane.close()

    @property
    def _lanes(self) -> tuple[Lane, ...]:
        return self._quick, self._slow, self._listing, self._counting
