"""Raw responses (`with_raw_response`, `with_streaming_response`): the host parses them itself, now, later or never."""

from __future__ import annotations

from json import loads
from typing import TYPE_CHECKING, Any
from weakref import finalize

from collector.sdk.api import QUEUE
from collector.sdk.clients.streams import Watch, attend, is_stream

if TYPE_CHECKING:
    from collector.protocols.llm import Said
    from collector.sdk.clients.calls import Call


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
        self.watch = Watch(call, self)
        self.body: Any = None

    def take(self, item: Any) -> bool:  # a Gather
        return False

    def said(self) -> Said:
        return {} if self.body is None else self.call.endpoint.answered(loads(self.body))

    def parsed(self, result: Any) -> Any:
        """What the response was parsed into; of a stream, ours with the same type."""
        try:
            gather = self.call.endpoint.gather
            if gather is None or not is_stream(result):
                self.call.answered(result if self.call.raw is None else self.call.raw)
                return result
            if self.watch.gather is self:
                self.watch.gather = gather()
            return attend(result, self.watch)
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
        """The raw response is gone. Where it was parsed into a stream, that one is watched from then on."""
        if self.watch.gather is self:
            self.watch.dropped()


def _heed_parse(raw: Any, unread: Unread) -> None:
    """By the parser that the request was made with: it is told of a stream too, and what it returns is kept by the
    response. A `parse` of ours on the response would be a cycle, and what is dropped be noticed late."""
    options = raw._options
    inner = options.post_parser

    def parsed(answer: Any) -> Any:
        return unread.parsed(inner(answer) if callable(inner) else answer)

    options.post_parser = parsed


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
