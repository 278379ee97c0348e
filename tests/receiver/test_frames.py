"""Long gRPC messages have room before they are read, however their bytes come."""

from __future__ import annotations

import asyncio
import itertools
import socket
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.receiver import relay
from collector.receiver.frames import COUNTED, DATA, HEADERS, PREFACE_BYTES, RST_STREAM, Meter
from collector.receiver.room import Overloaded, Room
from tests.receiver.running import running, settings_for, until

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
LIMIT = 64_000_000
PREFACE = b"P" * PREFACE_BYTES


def frame(kind: int, stream: int, contents: bytes = b"", flags: int = 0) -> bytes:
    return struct.pack(">IBI", len(contents) << 8 | kind, flags, stream) + contents


def message(length: int, *, packed: bool = False) -> bytes:
    return struct.pack(">BI", packed, length) + b"\0" * length


def cut(data: bytes, places: list[int]) -> Iterator[bytes]:
    ends = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return (data[start:end] for start, end in itertools.pairwise(ends))


messages = st.lists(st.tuples(st.sampled_from([1, 3, 5]), st.sampled_from([0, 1, 200, COUNTED + 7])), max_size=4)


@settings(deadline=None, max_examples=60)
@given(messages, st.lists(st.integers(0, 2**40), max_size=30), st.integers(0, 9), st.integers(1, 70_000))
def test_messages_are_found_however_they_are_framed_padded_and_cut(
    said: list[tuple[int, int]], places: list[int], padding: int, most: int
) -> None:
    sent = PREFACE + frame(4, 0)
    for stream, length in said:
        whole = message(length)
        most = max(most, len(whole) // 20)
        for at in range(0, len(whole), most):
            piece = whole[at : at + most]
            if padding:
                piece = bytes([padding]) + piece + b"\1" * padding
            sent += frame(DATA, stream, piece, 0x8 if padding else 0) + frame(8, 0, b"abcd")
    meter = Meter(Room(LIMIT), LIMIT)
    for piece in cut(sent, places):
        meter.asked(piece)
    assert meter.wanted == [(stream, length) for stream, length in said if length > COUNTED]
    assert not any(meter.is_under_way(stream) for stream, _ in said)


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_rubbish_is_for_the_server_to_refuse(pieces: list[bytes]) -> None:
    meter = Meter(Room(LIMIT), LIMIT)
    for piece in pieces:
        meter.asked(piece)
        meter.answered(piece)
    meter.close()


@pytest.mark.parametrize("end", [frame(HEADERS, 1, b"x", 0x1), frame(DATA, 1, b"", 0x1), frame(RST_STREAM, 1, b"abcd")])
async def test_room_is_held_until_it_is_answered(end: bytes) -> None:
    room = Room(LIMIT)
    meter = Meter(room, LIMIT)
    meter.asked(PREFACE + frame(DATA, 1, message(COUNTED + 1)[:50]))
    assert await meter.take() == [1]
    assert (room.held, meter.is_under_way(1)) == (COUNTED + 1, True)
    meter.answered(frame(HEADERS, 1, b"x"))
    assert room.held == COUNTED + 1
    meter.answered(end)
    assert room.held == 0


async def test_a_packed_message_takes_what_it_could_become_and_one_over_the_limit_nothing() -> None:
    room = Room(LIMIT)
    meter = Meter(room, LIMIT)
    meter.asked(PREFACE + frame(DATA, 1, message(1000, packed=True)) + frame(DATA, 3, message(LIMIT + 1)[:9]))
    await meter.take()
    assert room.held == 1_032_000
    meter.close()
    assert room.held == 0


async def test_who_waits_for_what_he_holds_himself_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.receiver.frames.WAIT_S", 0.01)
    room = Room(COUNTED * 3)
    assert room.take(COUNTED)
    meter = Meter(room, LIMIT)
    meter.asked(PREFACE + frame(DATA, 1, message(COUNTED + 1)[:9]) + frame(DATA, 3, message(COUNTED * 2)[:9]))
    with pytest.raises(Overloaded):
        await meter.take()
    waiting = asyncio.ensure_future(meter.take())
    await asyncio.sleep(0)
    meter.close()
    room.give(COUNTED)
    await waiting
    assert room.held == 0


@pytest.mark.parametrize("packing", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
def test_many_long_messages_at_once_take_turns(tmp_path: Path, packing: grpc.Compression) -> None:
    body, most = b"one" + b" " * 2_000_000, [0]
    with running(settings_for(tmp_path, queue_bytes=5_000_000)) as up:
        room, take = up.receiver._queue.room, up.receiver._queue.room.take

        def noted(size: int, mine: int = 0) -> bool:
            taken = take(size, mine)
            most[0] = max(most[0], room.held)
            return taken

        room.take = noted  # type: ignore[method-assign]

        def send(_: int) -> None:
            with grpc.insecure_channel(
                f"127.0.0.1:{up.status.grpc_port}", options=[("grpc.use_local_subchannel_pool", 1)]
            ) as channel:
                channel.unary_unary(EXPORT)(body, timeout=30, compression=packing)

        with ThreadPoolExecutor(8) as senders:
            list(senders.map(send, range(8)))
        until(lambda: room.held == 0)
        assert len(up.ingest.names) == 8
        assert 2_000_000 < most[0] <= 5_000_000


def test_a_message_that_does_not_come_keeps_others_out_for_a_while_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "SLOW_S", 0.2)
    with running(settings_for(tmp_path, queue_bytes=3_000_000)) as up:
        with socket.create_connection(("127.0.0.1", up.status.grpc_port), timeout=10) as silent:
            silent.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0) + frame(DATA, 1, message(2_000_000)[:9]))
            until(lambda: up.receiver._queue.room.held == 2_000_000 or silent.recv(9) == b"")
            while silent.recv(65536):
                pass
        until(lambda: up.receiver._queue.room.held == 0)
        with grpc.insecure_channel(f"127.0.0.1:{up.status.grpc_port}") as channel:
            channel.unary_unary(EXPORT)(b"one" + b" " * 2_000_000, timeout=10)
        assert up.ingest.names == ["one"]
