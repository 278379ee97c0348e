"""One request at a door: its body within limits, and the way into the file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from collector.errors import DecodeError
from collector.model import Batch, Receipt
from collector.protocols import jsonbody
from collector.receiver import bodies
from collector.receiver.answers import plain_error
from collector.receiver.house import House

if TYPE_CHECKING:
    from collector.store.reader import Reader

T = TypeVar("T")
BODY_S = 60.0
SMALL = 100_000  # bytes: below it, inflating and parsing on the event loop is cheaper than a thread


@dataclass(slots=True)
class Call:
    """A request that the guard has let in (Host, Origin, token), and what its door may do about it.

    `source` is the door's name in the ledger. The body is read at most once, when it is asked for.
    """

    house: House
    request: Request
    source: str
    _raw: bytes | None = None
    _held: int = 0
    _headers: dict[str, str] | None = None

    @property
    def headers(self) -> dict[str, str]:
        """By lower-case name; of one that came twice the first. (`dict(request.headers)` looks through all for each: 18
        took 150 us, and a call of the proxy asked seven times.)"""
        if self._headers is None:
            raw = reversed(self.request.headers.raw)
            self._headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in raw}
        return self._headers

    @property
    def query(self) -> dict[str, str]:
        """The last value of each query parameter; `request.query_params.getlist` has them all."""
        return dict(self.request.query_params)

    @property
    def path(self) -> dict[str, Any]:
        """The parameters in the path: {"name": …} of "/prompts/{name}"."""
        return self.request.path_params

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes, neither inflated nor limited: for what is passed on."""
        async for chunk in self.request.stream():
            if chunk:
                yield chunk

    async def raw(self) -> bytes:
        """The whole body as it was sent. TooLarge, TimeoutError after a minute."""
        if self._raw is None:
            limit = self.house.settings.max_body_bytes
            length = bodies.announced(self.request.headers.get("content-length"), limit)
            async with asyncio.timeout(BODY_S):
                await self._hold(length)
                self._raw = await bodies.read(self.chunks(), limit, self._more)
        return self._raw

    async def _hold(self, length: int) -> None:
        """Take the room that a body says it needs, before any of it is read."""
        await self.house.queue.room.enter(length)
        self._held += length

    def _more(self, size: int) -> None:
        """Take room for a body of unknown length as it comes. It cannot wait, for others wait for what it holds."""
        more = size - self._held
        if more > 0:
            if not self.house.queue.room.take(more, self._held):
                raise self.house.queue.room.full()
            self._held += more

    def end(self) -> None:
        """Let go of what was held; called once it is answered."""
        self.house.queue.room.give(self._held)
        self._held = 0

    def inflated(self, raw: bytes) -> bytes:
        """`raw` without its Content-Encoding. DecodeError, TooLarge, UnsupportedMedia."""
        return bodies.inflate(raw, self.request.headers.get("content-encoding"), self.house.settings.max_body_bytes)

    async def body(self) -> bytes:
        """The whole body, inflated within the limit."""
        return await self.unpacked(lambda body: body)

    async def json(self) -> Any:
        """The body as a JSON document, within the limits of size and depth. Its types are anybody's: check them."""
        return await self.unpacked(partial(jsonbody.load, what=f"the body of {self.request.url.path}"))

    async def document(self) -> dict[str, Any]:
        """The body as a JSON object. DecodeError where it is anything else."""
        said = await self.json()
        if not isinstance(said, dict):
            raise DecodeError(f"the body is a JSON object here, and this one is a {type(said).__name__}")
        return said

    async def unpacked(self, decode: Callable[[bytes], T]) -> T:
        """What `decode` makes of the inflated body; in a thread where that may take long."""
        raw = await self.raw()
        if len(raw) < SMALL and not self.request.headers.get("content-encoding"):
            return decode(raw)
        return await asyncio.to_thread(lambda: decode(self.inflated(raw)))

    async def store(self, decode: Callable[[bytes], Batch], *, alone: bool = False) -> Receipt:
        """Inflate, decode and write the body; committed when it returns.

        `decode` runs in the pool for decoders; its batch is counted under this door's source. `alone` asks for a
        commit of its own, and so for a receipt that knows its duplicates. DecodeError, TooLarge, UnsupportedMedia,
        Overloaded, StoreBusy, StoreError: raise them on, they become the right answer.
        """
        held = [await self.raw()]
        self._raw = None  # once it is decoded nobody needs it, and writing may take a while
        return await asyncio.wrap_future(
            self.house.queue.accept(
                lambda: self.inflated(held.pop()), partial(self.house.decoders.run, decode, self.source), alone=alone
            )
        )

    async def write(self, batch: Batch, *, alone: bool = False) -> Receipt:
        """Store a batch that the door has made itself; committed when it returns."""
        return await self.house.write(self.house.decoders.checked(batch, self.source), alone=alone)

    async def ask(self, question: Callable[[Reader], T]) -> T:
        """Ask the file something, in a worker thread with a reader of its own. NotFound, StoreError."""
        return await self.house.ask(question)


Fail = Callable[[Call, int, str], Response]
"""How a door words an error: (call, HTTP status, one sentence) -> answer."""


@dataclass(frozen=True, slots=True)
class Way:
    """`methods` ("GET", "POST PUT") at `path` (Starlette's syntax) are answered by `answer`.

    Whatever `answer` raises becomes an answer, too: see `doors`.
    """

    methods: str
    path: str
    answer: Callable[[Call], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Door:
    """`name` is the source in the ledger; `fail` words its errors."""

    name: str
    ways: tuple[Way, ...]
    fail: Fail = plain_error
