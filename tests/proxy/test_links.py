"""What real and odd upstreams answer with, through our own client of them."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from collector.receiver.doors.proxy import links
from collector.receiver.doors.proxy.links import ConnectError, Links, RemoteProtocolError, Request, WriteTimeout
from collector.receiver.doors.proxy.through import Through

OK = b"HTTP/1.1 200 OK\r\n"
GET = Request("GET", b"/x", [], b"")
Talk = Callable[[socket.socket], None]


@dataclass
class There:
    """An upstream: the nth connection to it is what the nth of `talks` makes of it."""

    port: int
    connections: list[socket.socket] = field(default_factory=list)


@contextmanager
def listening(*talks: Talk) -> Iterator[There]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        there = There(server.getsockname()[1])

        def serve() -> None:
            for talk in talks:
                try:
                    one, _ = server.accept()
                except OSError:
                    return
                one.settimeout(10)
                there.connections.append(one)
                with one, contextlib.suppress(ConnectionError):
                    talk(one)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield there
        finally:
            for one in (server, *there.connections):
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
            thread.join(10)


def says(*answers: bytes, stay: bool = True) -> Talk:
    """Answers one request after the other on one connection, then waits for its end."""

    def talk(one: socket.socket) -> None:
        for answer in answers:
            if not read_head(one):
                return
            one.sendall(answer)
        while stay and one.recv(65536):
            pass

    return talk


def read_head(one: socket.socket) -> bytes:
    got = b""
    while not got.endswith(b"\r\n\r\n"):
        piece = one.recv(1)
        if not piece:
            return b""
        got += piece
    return got


async def asked(line: Links | Through, request: Request = GET) -> tuple[int, bytes, dict[bytes, bytes]]:
    answer = await line.ask(request)
    try:
        body = b""
        while piece := await answer.piece():
            body += piece
        return answer.status, body, {name.lower(): value for name, value in answer.headers}
    finally:
        await answer.close()


def to(there: There) -> Links:
    return Links("127.0.0.1", there.port, b"here", None)


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        (OK + b"content-length: 2\r\n\r\nhi", (200, b"hi")),
        (OK + b"transfer-encoding: chunked\r\n\r\n2;x=y\r\nhi\r\n3\r\n ho\r\n0\r\nx-after: 1\r\n\r\n", (200, b"hi ho")),
        (b"HTTP/1.1 100 Continue\r\nx-early: 1\r\n\r\n" + OK + b"content-length: 2\r\n\r\nhi", (200, b"hi")),
        (b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + OK + b"content-length: 0\r\n\r\n", (200, b"")),
        (b"HTTP/1.1 204 No Content\r\n\r\n", (204, b"")),
        (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 50\r\n\r\n", (304, b"")),
        (b"HTTP/1.1 599 \r\ncontent-length: 0\r\n\r\n", (599, b"")),
    ],
)
async def test_answers_are_read_to_their_end_and_the_connection_serves_again(
    answer: bytes, wanted: tuple[int, bytes]
) -> None:
    with listening(says(answer, answer, answer)) as there:
        line = to(there)
        for _ in range(3):
            status, body, headers = await asked(line)
            assert (status, body) == wanted
            assert not {b"x-early", b"x-after", b"link"} & set(headers)
        assert len(there.connections) == 1
        await line.aclose()


@pytest.mark.parametrize(
    ("request_", "answer", "body"),
    [
        (GET, OK + b"\r\nto the end", b"to the end"),
        (GET, b"HTTP/1.0 200 OK\r\n\r\nold", b"old"),
        (GET, OK + b"connection: close\r\ncontent-length: 2\r\n\r\nhi", b"hi"),
        (Request("HEAD", b"/", [], b""), OK + b"content-length: 500\r\n\r\n", b""),
    ],
)
async def test_a_connection_that_has_ended_is_not_used_again(request_: Request, answer: bytes, body: bytes) -> None:
    with listening(says(answer, stay=False), says(answer, stay=False)) as there:
        line = to(there)
        for _ in range(2):
            assert (await asked(line, request_))[:2] == (200, body)
        assert len(there.connections) == 2
        await line.aclose()


async def test_a_kept_connection_that_the_upstream_has_closed_meanwhile_is_not_used() -> None:
    hi = OK + b"content-length: 2\r\n\r\nhi"
    closed = threading.Event()

    def close_behind(one: socket.socket) -> None:
        says(hi, stay=False)(one)
        one.close()
        closed.set()

    with listening(close_behind, says(hi)) as there:
        line = to(there)
        await asked(line)
        assert closed.wait(10)  # and the event loop has not run since: only the socket itself can tell
        assert (await asked(line))[1] == b"hi"
        assert len(there.connections) == 2
        await line.aclose()


@pytest.mark.parametrize("more", [b"HTTP/1.1 200 OK\r\n\r\n", b"rubbish"])
async def test_more_than_the_answer_ends_the_connection_and_spoils_nothing(more: bytes) -> None:
    hi = OK + b"content-length: 2\r\n\r\nhi"
    with listening(says(hi + more, stay=False), says(hi)) as there:
        line = to(there)
        assert [(await asked(line))[1] for _ in range(2)] == [b"hi", b"hi"]
        await line.aclose()


NO_ANSWERS = {
    "nothing": b"",
    "half a head": b"HTTP/1.1 200 OK\r\nx: 1\r\n",
    "ssh": b"SSH-2.0-OpenSSH_9.2\r\n",
    "tls": b"\x16\x03\x01\x00\x05hello" * 9,
    "an upgrade": b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
    "a header without end": OK + b"x: " + b"1" * 300_000 + b"\r\n\r\n",
    "headers without end": OK + b"x: 1\r\n" * 300_000,
    "no length": OK + b"content-length: x\r\n\r\n",
    "no header": OK + b"bad header\r\n\r\n",
}


@pytest.mark.parametrize("answer", NO_ANSWERS.values(), ids=NO_ANSWERS)
async def test_what_is_no_answer_is_said_to_be_none(answer: bytes) -> None:
    with listening(says(answer, stay=False)) as there:
        line = to(there)
        with pytest.raises(RemoteProtocolError):
            await asked(line)
        await line.aclose()


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"content-length: 50\r\n\r\nhalf", OK + b"transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        OK + b"transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\nZZZ\r\n",
    ],
)  # fmt: skip
async def test_half_an_answer_is_given_and_then_said_to_be_half(answer: bytes) -> None:
    with listening(says(answer, stay=False)) as there:
        line = to(there)
        answering = await line.ask(GET)
        assert await answering.piece() == b"half"
        with pytest.raises(RemoteProtocolError):
            await answering.piece()
        await answering.close()
        await line.aclose()


async def test_a_large_body_arrives_whole() -> None:
    body, got = bytes(range(256)) * 20_000, []

    def take(one: socket.socket) -> None:
        assert b"content-length: %d" % len(body) in read_head(one)
        while sum(map(len, got)) < len(body):
            got.append(one.recv(1 << 20))
        one.sendall(OK + b"content-length: 2\r\n\r\nhi")
        one.recv(1)

    with listening(take) as there:
        line = to(there)
        assert (await asked(line, Request("POST", b"/", [], body)))[:2] == (200, b"hi")
        assert b"".join(got) == body
        await line.aclose()


async def test_a_body_refused_early_is_not_sent_to_its_end_nor_its_connection_used_again() -> None:
    seen = [threading.Event(), threading.Event()]

    def refuse(one: socket.socket) -> None:
        read_head(one)
        one.sendall(b"HTTP/1.1 413 Too Much\r\ncontent-length: 2\r\n\r\nno")
        assert seen[len(there.connections) - 1].wait(10)

    with listening(refuse, refuse) as there:
        line = to(there)
        for event in seen:
            assert (await asked(line, Request("POST", b"/", [], b"x" * 50_000_000)))[:2] == (413, b"no")
            event.set()
        assert len(there.connections) == 2
        await line.aclose()


async def test_an_upstream_that_takes_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "WRITE_S", 0.05)
    over = threading.Event()
    with listening(lambda _: over.wait(10) and None) as there:
        line = to(there)
        with pytest.raises(WriteTimeout):
            await line.ask(Request("POST", b"/", [], b"x" * 30_000_000))
        over.set()
        await line.aclose()


async def test_an_upstream_is_read_no_faster_than_its_caller_takes_it() -> None:
    size, sent = 40_000_000, []

    def pour(one: socket.socket) -> None:
        read_head(one)
        one.sendall(OK + b"content-length: %d\r\n\r\n" % size)
        for _ in range(size // 100_000):
            one.sendall(b"x" * 100_000)
            sent.append(100_000)

    with listening(pour) as there:
        line = to(there)
        answer = await line.ask(GET)
        taken, behind = 0, 0
        while piece := await answer.piece():
            taken += len(piece)
            behind = max(behind, sum(sent) - taken)
        assert taken == size
        assert behind < size // 2  # what the system's own buffers hold, and no more than that
        await answer.close()
        await line.aclose()


async def test_nobody_there_nobody_trusted_and_no_such_name() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for line in (
        Links("127.0.0.1", port, b"x", None),
        Links("no-such-host.invalid", 80, b"x", None),
        Links("a" * 70 + ".invalid", 80, b"x", None),
    ):
        with pytest.raises(ConnectError):
            await line.ask(GET)
    with listening(lambda one: one.sendall(b"no TLS at all" * 10)) as there, pytest.raises(ConnectError):
        await Links("127.0.0.1", there.port, b"x", ssl.create_default_context()).ask(GET)


async def test_a_proxy_that_the_environment_names_is_asked_instead() -> None:
    heads: list[bytes] = []

    def proxy(one: socket.socket) -> None:
        heads.append(read_head(one))
        one.sendall(OK + b"x-odd: 1\r\ncontent-length: 2\r\n\r\nhi")
        one.recv(1)

    with listening(proxy, says(b"rubbish\r\n\r\n", stay=False)) as there:
        line = Through("http://models.invalid:81", f"http://127.0.0.1:{there.port}")
        status, body, headers = await asked(line, Request("GET", b"/v1/x%2Fy?z=1", [(b"x-mine", b"1")], b""))
        assert (status, body, headers[b"x-odd"]) == (200, b"hi", b"1")
        assert heads[0].startswith(b"GET http://models.invalid:81/v1/x%2Fy?z=1 HTTP/1.1\r\n")
        await line.aclose()
        with pytest.raises(RemoteProtocolError):
            await line.ask(GET)
        await line.aclose()
    with pytest.raises(ConnectError):
        await line.ask(GET)
    await line.aclose()
