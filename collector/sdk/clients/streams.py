"""A streamed answer, watched while the host reads it: nothing is read ahead, nothing changed.

A client's stream keeps its type. Only the iterator inside it is ours, and passes on what comes. Whoever loops over
it gets a `Pass`, which dies with the loop, so that a break is noticed at once; the span ends when the stream
is closed or dropped, at the moment that reading stopped.
"""

from __future__ import annotations

import atexit
import os
from copy import copy
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from collector.sdk.api import QUEUE

if TYPE_CHECKING:
    from collector.protocols.llm import Gather
    from collector.sdk.clients.calls import Call


class Watch:
    """What came of a stream so far, and whether it is over."""

    __slots__ = ("__weakref__", "call", "gather", "last", "pid", "stepping")

    def __init__(self, call: Call, gather: Gather) -> None:
        self.call = call
        self.gather = gather
        self.last = 0
        self.stepping = False
        self.pid = os.getpid()
        _open().add(self)

    def took(self, item: Any) -> None:
        try:
            self.last = QUEUE.now()
            if self.gather.take(item):
                self.call.span.first_token()
        except Exception as e:
            QUEUE.count("stream", e)

    def done(self, error: BaseException | None = None) -> None:
        """The stream ended, or raised."""
        if not self.call.over:
            self.call.end(self.said(), error=error)

    def left(self) -> None:
        """The loop over the stream ended early. It may be read on, but shows what came so far."""
        if not self.call.over and self.mine():
            self.last = QUEUE.now()
            self.call.span.update(**self.said())

    def dropped(self) -> None:
        """Nobody will read on: closed, forgotten, or the program ends."""
        if not self.call.over and self.mine():
            self.call.end(self.said(), at=self.last, cut=not self.gather.complete)

    def closed(self) -> None:
        """The connection was closed; by the client itself while it hands out the last event."""
        if not self.stepping:
            self.dropped()

    def mine(self) -> bool:
        """A forked child inherits the stream; the span is its parent's."""
        return self.pid == os.getpid()

    def said(self) -> dict[str, Any]:
        try:
            return self.gather.said()
        except Exception as e:
            QUEUE.count("stream", e)
            return {}


_OPEN: WeakSet[Watch] | None = None


def _open() -> WeakSet[Watch]:
    """The streams that are being read. Made with the first, whose span has already registered the queue's own
    exit hook: hooks run in reverse, so that ours hands over what is open before the queue closes."""
    global _OPEN
    if _OPEN is None:
        _OPEN = WeakSet()
        atexit.register(_at_exit)
    return _OPEN


def _at_exit() -> None:
    for watch in list(_OPEN or ()):
        watch.dropped()


class Watched:
    """The iterator inside a stream of a synchronous client."""

    __slots__ = ("inner", "watch")

    def __init__(self, inner: Any, watch: Watch) -> None:
        self.inner = inner
        self.watch = watch

    def __iter__(self) -> Pass:
        return Pass(self)

    def __next__(self) -> Any:
        watch = self.watch
        watch.stepping = True
        try:
            item = next(self.inner)
        except StopIteration:
            watch.done()
            raise
        except BaseException as error:
            watch.done(error)
            raise
        finally:
            watch.stepping = False
        watch.took(item)
        return item

    def close(self) -> None:
        self.watch.dropped()
        self.inner.close()

    def __del__(self) -> None:
        _gone(self.watch.dropped)


class Pass:
    """One loop over a stream."""

    __slots__ = ("watched",)

    def __init__(self, watched: Watched) -> None:
        self.watched = watched

    def __iter__(self) -> Pass:
        return self

    def __next__(self) -> Any:
        return self.watched.__next__()

    def __del__(self) -> None:
        _gone(self.watched.watch.left)


class AsyncWatched:
    """The iterator inside a stream of an asynchronous client."""

    __slots__ = ("inner", "watch")

    def __init__(self, inner: Any, watch: Watch) -> None:
        self.inner = inner
        self.watch = watch

    def __aiter__(self) -> AsyncPass:
        return AsyncPass(self)

    async def __anext__(self) -> Any:
        watch = self.watch
        watch.stepping = True
        try:
            item = await self.inner.__anext__()
        except StopAsyncIteration:
            watch.done()
            raise
        except BaseException as error:
            watch.done(error)
            raise
        finally:
            watch.stepping = False
        watch.took(item)
        return item

    async def aclose(self) -> None:
        self.watch.dropped()
        await self.inner.aclose()

    def __del__(self) -> None:
        _gone(self.watch.dropped)


class AsyncPass:
    """One loop over an asynchronous stream."""

    __slots__ = ("watched",)

    def __init__(self, watched: AsyncWatched) -> None:
        self.watched = watched

    def __aiter__(self) -> AsyncPass:
        return self

    async def __anext__(self) -> Any:
        return await self.watched.__anext__()

    def __del__(self) -> None:
        _gone(self.watched.watch.left)


def _gone(told: Any) -> None:
    """From a finalizer: silent, as the interpreter may be going down."""
    try:
        told()
    except Exception:
        return


def is_stream(result: Any) -> bool:
    """Whether this is a stream of one of the clients (`Stream`, `AsyncStream`, and what derives from them)."""
    return hasattr(type(result), "__stream__")


def attend(stream: Any, watch: Watch) -> Any:
    """The stream with our iterator in it.

    It is a copy: the generator inside refers to the stream it was made for, and with ours in between that would be a
    cycle, so that a stream which is dropped would only be noticed by the garbage collector.
    """
    inner = stream._iterator
    watched = copy(stream)
    vars(stream).pop("_iterator", None)
    watched._iterator = AsyncWatched(inner, watch) if hasattr(inner, "__anext__") else Watched(inner, watch)
    heed_close(watched.response, watch)
    return watched


def heed_close(response: Any, watch: Watch) -> None:
    """Notice when the HTTP response is closed: what every helper of the clients does in the end."""
    inner, ainner = response.close, response.aclose

    def close() -> None:
        watch.closed()
        inner()

    async def aclose() -> None:
        watch.closed()
        await ainner()

    response.close, response.aclose = close, aclose
