"""Bytes of a gRPC client to the gRPC server and back; of a long message only once there is room for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from collector.receiver.frames import SLOW_S, Meter
from collector.receiver.room import Overloaded

Connect = Callable[[Callable[[], asyncio.Protocol]], Awaitable[tuple[asyncio.Transport, asyncio.Protocol]]]
"""Opens a connection to the gRPC server, which it starts when it is not running."""


class Relay(asyncio.Protocol):
    """One direction's reader and the other's writer. The client's has a `connect`, and makes its `peer` with it."""

    def __init__(
        self, connect: Connect | None, connections: set[Any], meter: Meter, peer: Relay | None = None
    ) -> None:  # fmt: skip
        self._connect = connect
        self._connections = connections
        self._meter = meter
        self._peer = peer
        self._transport: asyncio.Transport | None = None
        self._waiting: list[bytes] = []
        self._task: asyncio.Task[None] | None = None
        self._full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._connections.add(self)
        if self._connect is not None:
            self._task = asyncio.get_running_loop().create_task(self._reach(self._connect))

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        if self._connect is None:
            assert self._peer is not None
            self._meter.answered(data)
            self._peer.send(data)
            return
        self._meter.asked(data)
        if self._peer is not None and not self._waiting and not self._meter.wanted:
            self._peer.send(data)
            return
        self._waiting.append(data)
        self._transport.pause_reading()
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._pass_on())

    async def _reach(self, connect: Connect) -> None:
        assert self._transport is not None
        self._transport.pause_reading()
        try:
            _, protocol = await connect(lambda: Relay(None, self._connections, self._meter, self))
        except OSError:
            self._transport.abort()
            return
        assert isinstance(protocol, Relay)
        self._peer = protocol
        await self._pass_on()

    async def _pass_on(self) -> None:
        """What waits goes on as soon as there is room for the messages that begin in it."""
        assert self._transport is not None
        assert self._peer is not None
        loop = asyncio.get_running_loop()
        try:
            for stream in await self._meter.take():
                loop.call_later(SLOW_S, self._give_up, stream)
        except Overloaded:
            self._transport.abort()  # which exporters take for a reason to try again
            return
        for data in self._waiting:
            self._peer.send(data)
        self._waiting.clear()
        self._task = None
        if self._transport.is_closing():
            self._peer.shutdown()
        elif not self._peer._full:
            self._transport.resume_reading()

    def _give_up(self, stream: int) -> None:
        """A message that has room, and does not come, keeps others out."""
        if self._transport is not None and self._meter.is_under_way(stream):
            self._transport.abort()

    def send(self, data: bytes) -> None:
        """Write to this side."""
        if self._transport is not None:
            self._transport.write(data)

    def pause_writing(self) -> None:
        self._full = True
        if self._peer is not None and self._peer._transport is not None:
            self._peer._transport.pause_reading()

    def resume_writing(self) -> None:
        self._full = False
        if self._peer is not None and self._peer._transport is not None and not self._peer._waiting:
            self._peer._transport.resume_reading()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        self._meter.close()
        if self._peer is not None:
            if self._task is not None:
                self._task.cancel()
            self._peer.shutdown()

    def shutdown(self) -> None:
        """Close this side, once what was written is sent."""
        if self._transport is not None:
            self._transport.close()
