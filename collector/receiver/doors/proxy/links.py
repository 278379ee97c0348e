"""Connections to one upstream, kept open: a request goes out in one piece, its answer comes piece by piece as sent.

A client of our own, because passing a call on must take less time than anybody notices: with httpx and httpcore a plain
call took 1.8 ms of CPU, with this 0.7. It does what a proxy needs and no more: no redirects, no cookies, no decoding.
Where the environment names a proxy, `through` does the same with httpx.
"""

from __future__ import annotations

import asyncio
import select
import ssl
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

CONNECT_S, WRITE_S, IDLE_S = 30.0, 60.0, 60.0
"""How long a model may think has no limit: that is for the caller to say, who hangs up when it is too long."""
MOST_IDLE = 100
MOST_HEAD = 262_144
SMALL, STEP = 65_536, 262_144
MOST_WAITING = 262_144
"""Bytes of an answer that wait for the caller to take them before the upstream is read no further."""
WITH_LENGTH = frozenset({"POST", "PUT", "PATCH"})


class ConnectError(Exception):
    """There is nobody, or nobody to be trusted, at the upstream's address."""


class RemoteProtocolError(Exception):
    """What came from the upstream is no HTTP answer, or not all of one."""


class WriteTimeout(Exception):
    """The upstream does not take the request."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of an upstream. `headers` are without Host and Content-Length; `target` is path and query."""

    method: str
    target: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Answering(Protocol):
    """An answer whose head is there. Names of headers as they came."""

    status: int
    headers: list[tuple[bytes, bytes]]

    async def piece(self) -> bytes:
        """What came of the body since; b"" at its end. RemoteProtocolError where the upstream broke off."""

    async def close(self) -> None:
        """Let go of it; of its connection too, unless all was read."""


class Line(Protocol):
    """A way to one upstream."""

    async def ask(self, request: Request) -> Answering: ...

    async def aclose(self) -> None: ...


@dataclass
class Links:
    """The connections to one host. `host_header` is what Host says. `tls` is None for plain HTTP."""

    host: str
    port: int
    host_header: bytes
    tls: ssl.SSLContext | None
    _idle: list[Link] = field(default_factory=list)
    _all: set[Link] = field(default_factory=set)

    async def ask(self, request: Request) -> Answering:
        """Send a request; its answer, as soon as the head is there. ConnectError, RemoteProtocolError, WriteTimeout."""
        link = self._kept() or await self._connect()
        try:
            await link.send(request, self.host_header)
            await link.head()
        except BaseException:
            link.abort()
            raise
        return link

    async def aclose(self) -> None:
        for link in list(self._all):
            link.abort()

    def _kept(self) -> Link | None:
        """The connection that was used last, if it is still good."""
        while self._idle:
            link = self._idle.pop()
            if link.is_fresh():
                return link
            link.abort()
        return None

    async def _connect(self) -> Link:
        name = self.host if self.tls is not None else None
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_S):
                _, link = await loop.create_connection(
                    lambda: Link(self._free, self._all), self.host, self.port, ssl=self.tls, server_hostname=name,
                    happy_eyeballs_delay=0.25,
                )  # fmt: skip
        except TimeoutError as e:
            raise ConnectError(f"no connection to {self.host}:{self.port} within {CONNECT_S:.0f} s") from e
        except (
            OSError,
            UnicodeError,
        ) as e:  # an untrusted certificate; a name that is none
            raise ConnectError(str(e) or repr(e)) from e
        return link

    def _free(self, link: Link) -> None:
        if len(self._idle) < MOST_IDLE:
            self._idle.append(link)
        else:
            link.abort()


class Link(asyncio.Protocol):
    """One connection: one request at a time, then its answer. It is its answer's parser's listener too."""

    def __init__(self, free: Callable[[Link], None], known: set[Link]) -> None:
        self._free = free
        self._known = known
        self._transport: asyncio.Transport | None = None
        self._wakers: list[asyncio.Future[None]] = []
        self._full = False
        self._freed_at = 0.0
        self._begin("")

    def _begin(self, method: str) -> None:
        self._method = method
        self._parser = HttpResponseParser(self)
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self._head_size = 0
        self._headed = self._over = self._again = self._paused = False
        self._sent = True
        self._pieces: deque[bytes] = deque()
        self._waiting = 0
        self._error: Exception | None = None

    # --- what its user calls ---

    def is_fresh(self) -> bool:
        """Whether it can be used again: still open, with nothing to be read, which could only be its end."""
        assert self._transport is not None
        if self._transport.is_closing() or time.monotonic() - self._freed_at > IDLE_S:
            return False
        return not _readable(self._transport.get_extra_info("socket").fileno())

    async def send(self, request: Request, host: bytes) -> None:
        """The whole request, small ones in one piece. Ends early where the upstream has answered meanwhile."""
        assert self._transport is not None
        self._begin(request.method)
        head, body = head_of(request, host), request.body
        if len(body) <= SMALL:
            self._transport.write(head + body)
            return
        self._sent = False
        self._transport.write(head)
        for at in range(0, len(body), STEP):
            await asyncio.sleep(0)  # for others, and to hear of an answer that comes early
            await self._until(lambda: not self._full or self._headed, WRITE_S)
            if self._headed or self._error is not None:
                return
            self._transport.write(memoryview(body)[at : at + STEP])
        self._sent = True

    async def head(self) -> None:
        """Wait for status and headers."""
        await self._until(lambda: self._headed)
        if not self._headed:
            raise self._error or RemoteProtocolError("the upstream hung up")

    async def piece(self) -> bytes:
        if not self._pieces and not self._over:
            await self._until(lambda: bool(self._pieces) or self._over)
        if self._pieces:
            found = self._pieces.popleft() if len(self._pieces) == 1 else b"".join(self._pieces)
            self._pieces.clear()
            self._waiting = 0
            if self._paused and self._transport is not None:
                self._paused = False
                self._transport.resume_reading()
            return found
        if not self._over:
            raise self._error or RemoteProtocolError("the upstream hung up")
        return b""

    async def close(self) -> None:
        assert self._transport is not None
        if self._again and self._sent and not self._pieces and not self._transport.is_closing():
            self._freed_at = time.monotonic()
            self._free(self)
        else:
            self.abort()

    def abort(self) -> None:
        """End it at once."""
        if self._transport is not None:
            self._transport.abort()

    async def _until(self, there: Callable[[], bool], patience_s: float | None = None) -> None:
        """Until something is there, or nothing more can come. WriteTimeout."""
        while not there() and self._error is None:
            waker: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._wakers.append(waker)
            if patience_s is None:
                await waker
                continue
            try:
                async with asyncio.timeout(patience_s):
                    await waker
            except TimeoutError:
                raise WriteTimeout(f"nothing more of the request was taken for {WRITE_S:.0f} s") from None

    def _wake(self) -> None:
        wakers, self._wakers = self._wakers, []
        for waker in wakers:
            if not waker.done():
                waker.set_result(None)

    # --- what the connection calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._known.add(self)

    def data_received(self, data: bytes) -> None:
        try:
            if not self._over:
                self._parser.feed_data(data)
            else:
                self.abort()  # of what nobody asked
        except (HttpParserError, HttpParserUpgrade) as e:
            if not self._over:
                self._error = RemoteProtocolError(f"what came is no HTTP: {e.__context__ or e}")
            self._again = False
            self.abort()
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._known.discard(self)
        self._again = False
        if self._headed and not self._over and exc is None and self._error is None and not self._is_measured():
            self._over = True
        if not self._over and self._error is None:
            self._error = RemoteProtocolError(str(exc) if exc else "the upstream hung up")
        self._wake()

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        self._wake()

    def _is_measured(self) -> bool:
        """Whether the answer itself says where it ends (RFC 9112, 6.3); else the end of the connection does."""
        for name, value in self.headers:
            lower = name.lower()
            if lower == b"content-length" or (lower == b"transfer-encoding" and b"chunked" in value.lower()):
                return True
        return False

    # --- what the parser calls ---

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._headed:
            return  # a trailer
        self._head_size += len(name) + len(value)
        if self._head_size > MOST_HEAD:
            raise HttpParserError(f"headers of over {MOST_HEAD:,} bytes")
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        if self.status == 101:
            raise HttpParserError("an upgrade that nobody asked for")
        self._headed = self.status >= 200
        if self._method == "HEAD" and self._headed:
            self._over = True  # whatever length its headers tell

    def on_body(self, body: bytes) -> None:
        if self._over:
            return
        self._pieces.append(body)
        self._waiting += len(body)
        if self._waiting > MOST_WAITING and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        if not self._headed:  # an interim answer (RFC 9110, 15.2): the real one follows
            self.headers, self._head_size = [], 0
            return
        self._again = not self._over and self._parser.should_keep_alive()
        self._over = True

    def on_message_begin(self) -> None:
        if self._over:
            self._again = False


def head_of(request: Request, host: bytes) -> bytes:
    """Request line and headers, as RFC 9112 wants them."""
    lines = [b"%s %s HTTP/1.1" % (request.method.encode("ascii"), request.target), b"host: " + host]
    lines += [b"%s: %s" % header for header in request.headers]
    if request.body or request.method in WITH_LENGTH:
        lines.append(b"content-length: %d" % len(request.body))
    return b"\r\n".join((*lines, b"", b""))


def header_values(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """By lower-case name; of several with one name, all with commas between."""
    found: dict[str, str] = {}
    for name, value in headers:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def _readable(fd: int) -> bool:
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([fd], [], [], 0)[0])
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(0))
