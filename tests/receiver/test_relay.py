"""Who takes no more is sent no more: the relay between a gRPC client and the gRPC server."""

from __future__ import annotations

import asyncio

from collector.receiver.frames import Meter
from collector.receiver.relay import Relay
from collector.receiver.room import Room


class Pipe(asyncio.Transport):
    """A connection that is full after its first bytes, until it is drained."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self.protocol = protocol
        self.reads = True
        self.sent = b""
        protocol.connection_made(self)

    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None:
        self.reads = False

    def resume_reading(self) -> None:
        self.reads = True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self.sent:
            self.protocol.pause_writing()
        self.sent += bytes(data)


async def test_a_client_waits_while_the_server_takes_no_more() -> None:
    reached: asyncio.Future[Pipe] = asyncio.get_running_loop().create_future()

    async def connect(make: object) -> tuple[asyncio.Transport, asyncio.Protocol]:
        assert callable(make)
        server = Pipe(make())
        reached.set_result(server)
        return server, server.protocol

    relay = Relay(connect, set(), Meter(Room(1000), 1000))
    client = Pipe(relay)
    relay.data_received(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    server = await reached
    while not server.sent:
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not client.reads
    server.protocol.resume_writing()
    assert client.reads
