"""How much is held at once, however many senders there are."""

from __future__ import annotations

import gzip
import socket
import threading
from pathlib import Path

import httpx
import pytest

from collector.model import Batch
from collector.receiver.room import Overloaded, Room
from tests.receiver.running import MemoryIngest, Running, running, settings_for, until

JSON = {"content-type": "application/json"}


def test_room_is_taken_up_to_its_limit_and_one_body_alone_gets_in() -> None:
    room = Room(100)
    assert room.take(150)
    assert not room.take(1)
    room.give(150)
    assert room.take(60)
    assert room.take(40)
    assert not room.take(1)
    assert room.held == 100


def test_who_grows_alone_may_go_on() -> None:
    room = Room(100)
    assert room.take(90)
    assert room.take(50, mine=90)
    assert not room.take(1, mine=90)


async def test_who_waits_gets_in_as_soon_as_another_leaves() -> None:
    room = Room(100)
    room.take(80)
    leaving = threading.Timer(0.02, room.give, (80,))
    leaving.start()
    await room.enter(90)
    assert room.held == 90
    leaving.join()


async def test_who_waits_too_long_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.receiver.room.WAIT_S", 0.01)
    room = Room(100)
    room.take(80)
    with pytest.raises(Overloaded, match=r"80 bytes .* try again"):
        await room.enter(90)
    assert room.held == 80


def send_all(up: Running, bodies: list[bytes], headers: dict[str, str]) -> list[int]:
    codes: list[int] = []

    def post(body: bytes) -> None:
        codes.append(
            httpx.post(
                f"{up.status.url}/v1/traces", content=body, headers=JSON | headers, trust_env=False, timeout=20
            ).status_code
        )

    threads = [threading.Thread(target=post, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return codes


def test_many_big_bodies_at_once_take_turns(tmp_path: Path) -> None:
    """32 senders, each with a body as large as all the room there is: all are stored, never two at once."""
    most: list[int] = []
    ingest = MemoryIngest(before=lambda batch: most.append(up.receiver._queue.room.held))
    size = 200_000
    with running(settings_for(tmp_path, max_body_bytes=size, queue_bytes=size), ingest) as up:
        codes = send_all(up, [b"w" + b" " * (size - 1)] * 32, {})
        assert codes == [200] * 32
        assert len(ingest.names) == 32
        assert 0 < max(most) <= size
        until(lambda: up.receiver._queue.room.held == 0)


def test_small_bodies_that_inflate_do_not_pile_up_before_the_writer(tmp_path: Path) -> None:
    size = 200_000
    most: list[int] = []
    ingest = MemoryIngest(before=lambda batch: most.append(up.receiver._queue._decoded.held))
    with running(settings_for(tmp_path, max_body_bytes=size, queue_bytes=size), ingest) as up:
        body = gzip.compress(b"w" + b" " * (size - 1))
        assert send_all(up, [body] * 16, {"content-encoding": "gzip"}) == [200] * 16
        assert 0 < max(most) <= size
        until(lambda: up.receiver._queue._decoded.held == 0)


def test_an_announced_body_waits_outside_and_is_told_to_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.receiver.room.WAIT_S", 0.05)
    entered, gate = threading.Event(), threading.Event()

    def hold(batch: Batch) -> None:
        entered.set()
        assert gate.wait(10)

    with running(settings_for(tmp_path, queue_bytes=1000), MemoryIngest(before=hold)) as up:
        first = threading.Thread(target=send_all, args=(up, [b"w " * 90], {}))
        first.start()
        assert entered.wait(10)
        with socket.create_connection(("127.0.0.1", up.status.http_port)) as plain:
            plain.sendall(b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900\r\n\r\n")
            plain.settimeout(10)
            answer = plain.recv(10_000)
        chunked = up.client.post("/v1/traces", content=iter([b" " * 500, b" " * 400]), headers=JSON)
        gate.set()
        first.join()
    assert answer.startswith(b"HTTP/1.1 429"), "answered though nothing of the body was sent"
    assert b"retry-after: 1" in answer.lower()
    assert chunked.status_code == 429


def test_a_slow_body_is_given_up_and_its_room_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.receiver.call.BODY_S", 0.05)
    with running(settings_for(tmp_path)) as up:
        with socket.create_connection(("127.0.0.1", up.status.http_port)) as plain:
            plain.sendall(b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900\r\n\r\nhalf")
            plain.settimeout(10)
            answer = b""
            while piece := plain.recv(10_000):  # to the end: it closes the connection
                answer += piece
        assert answer.startswith(b"HTTP/1.1 408")
        until(lambda: up.receiver._queue.room.held == 0)
        assert [one.reason for batch in up.ingest.batches for one in batch.refused] == ["the body came too slowly"]


def test_a_header_that_never_ends_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.receiver.first_bytes.FIRST_BYTES_S", 0.05)
    with running(settings_for(tmp_path)) as up:
        with socket.create_connection(("127.0.0.1", up.status.http_port)) as plain:
            plain.sendall(b"POST /v1/traces HTTP/1.1\r\nHost: local")
            plain.settimeout(10)
            assert plain.recv(10_000) == b""
        assert up.client.post("/v1/traces", content=b"one", headers=JSON).is_success
