"""Long gRPC messages, seen on their way in: room is taken for each before the gRPC server may read it.

The server takes in a whole message before its handler hears of it, sixteen at once. But a message says at its beginning
how long it is, and all of it passes through our relay: the frames of HTTP/2 (RFC 9113, 4.1 and 6.1) carry it in the
clear, behind five bytes of its own: whether it is packed, and its length
(https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from collector.receiver.room import WAIT_S, Room

COUNTED = 262_144
"""Bytes of a message below which its handler takes the room for it, which then holds no more than sixteen of them."""
MOST_TIMES = 1032
"""What deflate packs into one byte at most."""
SLOW_S = 60.0
PREFACE_BYTES, HEAD_BYTES, PREFIX_BYTES = 24, 9, 5
DATA, HEADERS, RST_STREAM = 0, 1, 3
END_STREAM, PADDED = 0x1, 0x8


@dataclass(slots=True)
class _Message:
    """How much of a stream's current message is still to come; before that, its prefix."""

    prefix: bytearray = field(default_factory=bytearray)
    left: int = 0


class Frames:
    """Cuts bytes, however they come, into HTTP/2 frames. `begun` hears of each (kind, flags, stream), `data` of the
    contents of DATA, without what pads it out."""

    def __init__(self, skip: int, begun: Callable[[int, int, int], None], data: Callable[[int, bytes], None]) -> None:
        self._skip = skip
        self._begun = begun
        self._data = data
        self._head = bytearray()
        self._left = self._padding = self._stream = 0
        self._pads = self._is_data = False

    def feed(self, data: bytes) -> None:
        at = min(self._skip, len(data))
        self._skip -= at
        while at < len(data):
            if not self._left:
                at += self._take_head(data[at : at + HEAD_BYTES - len(self._head)])
                continue
            piece = data[at : at + self._left]
            at += len(piece)
            self._left -= len(piece)
            if self._is_data:
                self._take(piece)

    def _take_head(self, piece: bytes) -> int:
        self._head += piece
        if len(self._head) == HEAD_BYTES:
            self._left = int.from_bytes(self._head[:3], "big")
            kind, flags = self._head[3], self._head[4]
            self._stream = int.from_bytes(self._head[5:], "big") & 0x7FFFFFFF
            self._is_data = kind == DATA
            self._pads, self._padding = self._is_data and bool(flags & PADDED), 0
            self._head.clear()
            self._begun(kind, flags, self._stream)
        return len(piece)

    def _take(self, piece: bytes) -> None:
        if self._pads:
            self._padding, self._pads, piece = piece[0], False, piece[1:]
        over = max(0, self._padding - self._left)  # so much of what came so far is padding
        self._data(self._stream, piece[: max(0, len(piece) - over)])


class Meter:
    """What the messages of one connection may take, and how much room is held for them.

    `asked` is fed what its client sends, `answered` what the server does; when messages begin in what was fed, their
    lengths are `wanted`, and `take` has to be awaited before it is passed on. Over `limit` the server refuses itself.
    """

    def __init__(self, room: Room, limit: int) -> None:
        self._room = room
        self._limit = limit
        self._messages: dict[int, _Message] = {}
        self._held: dict[int, int] = {}
        self._closed = False
        self.wanted: list[tuple[int, int]] = []
        self._in = Frames(PREFACE_BYTES, self._begun, self._data)
        self._out = Frames(0, self._answer, lambda stream, data: None)

    def asked(self, data: bytes) -> None:
        self._in.feed(data)

    def answered(self, data: bytes) -> None:
        self._out.feed(data)

    async def take(self) -> list[int]:
        """Wait for room for all that is wanted; the streams that are waited for. Overloaded where others hold it too
        long, and sooner where this connection itself holds some for what cannot come meanwhile."""
        streams = []
        while self.wanted:
            stream, size = self.wanted[0]
            mine = sum(self._held.values())
            await self._room.enter(size, mine, WAIT_S if mine else SLOW_S)
            if self._closed:
                self._room.give(size)
                break
            self.wanted.pop(0)
            self._held[stream] = self._held.get(stream, 0) + size
            streams.append(stream)
        return streams

    def is_under_way(self, stream: int) -> bool:
        """Whether some of a message is still to come."""
        message = self._messages.get(stream)
        return message is not None and message.left > 0

    def close(self) -> None:
        """The connection has ended: let go of all."""
        self._closed = True
        for stream in list(self._held):
            self._give(stream)

    def _begun(self, kind: int, flags: int, stream: int) -> None:
        if kind == RST_STREAM:
            self._messages.pop(stream, None)
            self._give(stream)

    def _data(self, stream: int, data: bytes) -> None:
        message = self._messages.setdefault(stream, _Message())
        at = 0
        while at < len(data):
            if message.left:
                step = min(message.left, len(data) - at)
                message.left -= step
            else:
                step = min(PREFIX_BYTES - len(message.prefix), len(data) - at)
                message.prefix += data[at : at + step]
                if len(message.prefix) == PREFIX_BYTES:
                    self._begins(stream, message)
            at += step

    def _begins(self, stream: int, message: _Message) -> None:
        packed, length = message.prefix[0], int.from_bytes(message.prefix[1:], "big")
        message.prefix.clear()
        message.left = length
        size = min(length * MOST_TIMES, self._limit) if packed else length
        if size > COUNTED and length <= self._limit:
            self.wanted.append((stream, size))

    def _answer(self, kind: int, flags: int, stream: int) -> None:
        if kind == RST_STREAM or (kind in (DATA, HEADERS) and flags & END_STREAM):
            self._messages.pop(stream, None)
            self._give(stream)

    def _give(self, stream: int) -> None:
        held = self._held.pop(stream, 0)
        if held:
            self._room.give(held)
