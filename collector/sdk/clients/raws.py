"""Raw responses (`with_raw_response`, `with_streaming_response`): the host parses them itself, now, later or never."""

from __future__ import annotations

from inspect import iscoroutinefunction
from json import loads
from typing import TYPE_CHECKING, Any
from weakref import finalize, ref

from collector.sdk.api import QUEUE
from collector.sdk.clients.streams import Watch, attend, is_stream

if TYPE_CHECKING:
    from collector.sdk.clients.calls import Call, Said


def is_raw(result: Any) -> bool:
    return hasattr(type(result), "parse") and hasattr(result, "http_response")


def heed(raw: Any, call: Call, *, stream: bool) -> Any:
    """End the span with the body if it is there; else when it was read, parsed, closed or dropped."""
    body = getattr(raw.http_response, "_content", None)
    if body is not None and not stream:
        call.answered(loads(body))
        return raw
    unread = Unread(call)
    _heed_parse(raw, unread)
    _heed_body(raw.http_response, unread)
    finalize(raw, unread.forgotten).atexit = False
    return raw


class Unread:
    """A response whose body is still to come. Stands in for what a stream gathers until it is parsed into one."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.complete = False
        self.streams: dict[int, tuple[Any, Any]] = {}
        self.watch = Watch(call, self)
        self.body: Any = None

    def take(self, item: Any) -> bool:  # a Gather
        return False

    def said(self) -> Said:
        return {} if self.body is None else self.call.endpoint.answered(loads(self.body))

    def parsed(self, result: Any) -> Any:
        """What `parse` returned; of a stream, ours with the same type, the same one each time."""
        try:
            gather = self.call.endpoint.gather
            if gather is None or not is_stream(result):
                self.call.answered(result)
                return result
            known = self.streams.get(id(result))
            if known is None:
                self.watch.gather = gather()
                known = self.streams[id(result)] = (result, attend(result, self.watch))
                self.forgotten = lambda: None  # type: ignore[method-assign]  # from here on, the stream is watched
            return known[1]
        except Exception as e:
            QUEUE.count("client", e)
            return result

    def read(self, body: Any) -> None:
        """The host read the body itself."""
        if isinstance(body, bytes) and self.watch.gather is self:
            self.body, self.complete = body, True
            self.watch.dropped()

    def closing(self, response: Any) -> None:
        """Closed: by the host, or at the end of the body, before whoever reads it has it."""
        if self.watch.gather is self and not self.complete and getattr(response, "is_stream_consumed", False):
            self.complete = True
            self.watch.last = QUEUE.now()
            return
        self.watch.closed()

    def forgotten(self) -> None:
        self.watch.dropped()


def _heed_parse(raw: Any, unread: Unread) -> None:
    kept, parse = ref(raw), type(raw).parse  # weakly: that it is dropped must be noticed at once

    def parsed(**to: Any) -> Any:
        return unread.parsed(parse(kept(), **to))

    async def parsed_later(**to: Any) -> Any:
        return unread.parsed(await parse(kept(), **to))

    raw.parse = parsed_later if iscoroutinefunction(parse) else parsed


def _heed_body(response: Any, unread: Unread) -> None:
    inner, ainner, close_inner, aclose_inner = response.read, response.aread, response.close, response.aclose

    def read() -> Any:
        body = inner()
        unread.read(body)
        return body

    async def aread() -> Any:
        body = await ainner()
        unread.read(body)
        return body

    def close() -> None:
        unread.closing(response)
        close_inner()

    async def aclose() -> None:
        unread.closing(response)
        await aclose_inner()

    response.read, response.aread, response.close, response.aclose = read, aread, close, aclose
