"""One request on its way to the upstream and back: byte by byte, as it comes, with nothing added."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from collector.receiver.doors.proxy.links import Answering, Line, Request
from collector.receiver.doors.proxy.recorder import Exchange, Recorder

HOP_BY_HOP = frozenset({
    b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection", b"te", b"trailer",
    b"transfer-encoding", b"upgrade",
})  # fmt: skip
"""RFC 9110, 7.6.1: of one connection, and so not passed on; nor is what Connection names."""

DATE = frozenset({b"date"})
"""Our server sets one."""


class HungUp(Exception):  # named for what happened
    """The upstream broke off: so must we, in the middle, for the caller to see it."""


class _Quiet(logging.Filter):
    """uvicorn logs an application that fails as its own fault; this one fails on purpose."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (record.exc_info and isinstance(record.exc_info[1], HungUp))


logging.getLogger("uvicorn.error").addFilter(_Quiet())


def passed_on(headers: Iterable[tuple[bytes, bytes]], without: frozenset[bytes]) -> list[tuple[bytes, bytes]]:
    """End-to-end headers, except those in `without`. Names in lower case."""
    given = [(name.lower(), value) for name, value in headers]
    named = {one.strip().lower() for name, value in given if name == b"connection" for one in value.split(b",")}
    return [(name, value) for name, value in given if name not in HOP_BY_HOP | named | without]


class Passing(Response):
    """The answer that is the upstream's. `shown_after_s` is when a call that still runs is recorded as running."""

    def __init__(self, line: Line, request: Request, exchange: Exchange, recorder: Recorder, shown_after_s: float):
        self._line = line
        self._request = request
        self._exchange = exchange
        self._recorder = recorder
        self._shown_after_s = shown_after_s
        self._tick = time.perf_counter_ns()

    def _now(self) -> int:
        return self._exchange.asked.began_ns + time.perf_counter_ns() - self._tick

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange, task = self._exchange, asyncio.current_task()
        assert task is not None

        def left(watching: asyncio.Task[None]) -> None:
            if not watching.cancelled():
                exchange.left = True
                task.cancel()

        loop = asyncio.get_running_loop()
        shown = loop.call_later(self._shown_after_s, self._recorder.begin, exchange)
        leaving = loop.create_task(_gone(receive))
        leaving.add_done_callback(left)
        try:
            await self._pass(send)
        except asyncio.CancelledError:
            if not exchange.left or task.uncancel() > 0:
                exchange.trouble = exchange.trouble or ("collector ended", "the collector ended meanwhile")
                raise
        except HungUp:
            if not exchange.left:
                raise
        finally:
            leaving.remove_done_callback(left)
            leaving.cancel()
            shown.cancel()
            exchange.ended_ns = exchange.ended_ns or self._now()
            self._recorder.end(exchange)

    async def _pass(self, send: Send) -> None:
        exchange = self._exchange
        try:
            answer = await self._line.ask(self._request)
        except Exception as e:  # noqa: BLE001  # whatever keeps us from the upstream, the caller is told
            exchange.trouble = (type(e).__name__, f"{exchange.asked.upstream} could not be asked: {e or repr(e)}")
            exchange.ended_ns = self._now()
            await _refuse(send, exchange.trouble[1])
            return
        try:
            exchange.status, exchange.headers = answer.status, answer.headers
            headers = passed_on(answer.headers, DATE)
            await send({"type": "http.response.start", "status": answer.status, "headers": headers})
            await self._stream(answer, send)
            exchange.ended_ns = self._now()
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            await answer.close()

    async def _stream(self, answer: Answering, send: Send) -> None:
        exchange = self._exchange
        while True:
            try:
                piece = await answer.piece()
            except Exception as e:
                exchange.trouble = ("upstream hung up", f"the upstream broke off after {exchange.size:,} bytes: {e}")
                raise HungUp from e
            if not piece:
                return
            at_ns = self._now()
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            self._recorder.came(exchange, piece, at_ns)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _refuse(send: Send, message: str) -> None:
    """502, worded as the clients of both APIs read it."""
    body = orjson.dumps(error_of(message, "upstream_unreachable", 502))
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 502, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def error_of(message: str, kind: str, code: int) -> dict[str, Any]:
    """An error that is ours, in the words of OpenAI and Anthropic."""
    return {"type": "error", "error": {"type": kind, "message": f"tracetui proxy: {message}", "code": code}}
