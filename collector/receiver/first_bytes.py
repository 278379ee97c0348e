"""The first bytes of a connection decide: HTTP/1.1 is served here, once its first header is whole; HTTP/2 (gRPC)
is passed on.

So both ports speak both. Phoenix's `register()` moves to port 4317 whatever port it was given, and then speaks gRPC
or HTTP/1.1 there; others post OTLP/HTTP to 4317 by mistake. It also lets gRPC start with its first client: importing
and starting it costs 0.2 s and 20 MB that most sessions never need.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from uvicorn import Config
from uvicorn.server import ServerState

from collector.receiver.frames import Meter
from collector.receiver.http1 import MOST_HEAD
from collector.receiver.relay import Connect, Relay

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
FIRST_BYTES_S = 30.0
FULL = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class FirstBytes(asyncio.Protocol):
    """Reads the first bytes, then hands the connection over. Takes the place of uvicorn's protocol class.

    Beyond `limit` open connections a new one is told to come back. (uvicorn's own limit answers 503 without a time.)
    """

    def __init__(
        self,
        inner: Callable[..., Any],
        connect: Connect,
        meter: Callable[[], Meter],
        limit: int,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._make_http: Callable[[], Any] = partial(
            inner, config=config, server_state=server_state, app_state=app_state, _loop=_loop
        )
        self._connect = connect
        self._meter = meter
        self._limit = limit
        self._connections: set[Any] = server_state.connections
        self._transport: asyncio.Transport | None = None
        self._first = b""
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._connections.add(self)
        self._timer = asyncio.get_running_loop().call_later(FIRST_BYTES_S, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        if len(self._connections) > self._limit:
            self._transport.write(FULL)
            self._transport.close()
            return
        self._first += data
        if PREFACE.startswith(self._first[: len(PREFACE)]):
            if len(self._first) < len(PREFACE):
                return
            protocol: asyncio.Protocol = Relay(self._connect, self._connections, self._meter())
        elif self._first[:1].isalpha() and b"\r\n\r\n" not in self._first and len(self._first) < MOST_HEAD:
            return  # whoever sends a header a byte a minute holds nothing but this object, and not for long
        else:
            protocol = self._make_http()
        self._leave()
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        protocol.data_received(self._first)

    def shutdown(self) -> None:
        """uvicorn asks every connection to end."""
        if self._transport is not None:
            self._transport.close()

    def _leave(self) -> None:
        self._connections.discard(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
