"""Nothing is added, lost or held up; nothing goes where it may not."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from collector.receiver.doors.proxy.recorder import Recorder
from tests.proxy.upstream import Handler, Proxy, Raw, proxying, upstream
from tests.receiver.running import until
from tests.sdk.clients.said_by_openai import HELLO, chunks, completion

CHAT = "/v1/chat/completions"
BODY = orjson.dumps({"model": "gpt-4o-mini", "messages": HELLO})


@pytest.fixture
def raw() -> Iterator[Raw]:
    with upstream() as one:
        yield one


@pytest.fixture
def proxy(raw: Raw, tmp_path: Path) -> Iterator[Proxy]:
    with proxying(tmp_path, f"{raw.url}/base", upstreams={"nowhere": "http://127.0.0.1:1"}) as one:
        yield one


def post(proxy: Proxy, path: str = CHAT, body: bytes = BODY, **more: Any) -> httpx.Response:
    return proxy.up.client.post(f"/proxy/gateway{path}", content=body, **more)


def answer(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> Any:
    """What answers with these bytes."""
    head = b"\r\n".join([b"HTTP/1.1 " + status, b"content-length: %d" % len(body), *headers])
    return lambda handler: handler.raw(head + b"\r\n\r\n" + body, close=False)


def test_bytes_headers_status_and_query_are_the_same_on_both_sides(raw: Raw, proxy: Proxy) -> None:
    body = bytes(range(256)) * 10
    raw.answer = answer(b"\x00\xffodd", b"x-odd: yes", b"set-cookie: a=1", b"set-cookie: b=2", status=b"418 Teapot")
    got = post(proxy, "/v1/files%2Fx/a%20b?x=1&y=%20", body, headers={"x-mine": "1", "content-type": "a/b"})
    assert (got.status_code, got.content, got.headers["x-odd"]) == (418, b"\x00\xffodd", "yes")
    assert got.headers.get_list("set-cookie") == ["a=1", "b=2"]
    [asked] = raw.got
    assert (asked.method, asked.target, asked.body) == ("POST", "/base/v1/files%2Fx/a%20b?x=1&y=%20", body)
    assert (asked.header("x-mine"), asked.header("content-type")) == ("1", "a/b")
    assert asked.header("host") == raw.url.removeprefix("http://")
    assert "cookie" not in {name.lower() for name, _ in asked.headers}
    [span] = proxy.spans()
    assert (span.row.kind, span.row.error_type, span.input) == ("http", "HTTP 418", None)


def test_what_is_of_one_connection_is_not_passed_on(raw: Raw, proxy: Proxy) -> None:
    raw.answer = answer(b"{}", b"connection: keep-alive, x-hop", b"x-hop: 1", b"keep-alive: timeout=5")
    hop = {"connection": "keep-alive, x-mine", "x-mine": "1", "proxy-authorization": "secret", "te": "trailers"}
    ours = {"x-tracetui-session": "s", "traceparent": f"00-{'a' * 32}-{'b' * 16}-01", "accept-encoding": "br, gzip"}
    got = post(proxy, headers={**hop, **ours})
    names = {name.lower() for name, _ in raw.got[0].headers}
    assert not names & {"x-mine", "proxy-authorization", "te", "x-tracetui-session", "transfer-encoding"}
    assert raw.got[0].header("traceparent") == ours["traceparent"]
    assert raw.got[0].header("accept-encoding") == "gzip"
    assert not {"x-hop", "keep-alive"} & set(got.headers)
    assert len(got.headers.get_list("date")) == 1


def test_pieces_pass_one_by_one_as_they_come(raw: Raw, proxy: Proxy) -> None:
    gates = [threading.Event() for _ in range(3)]

    def slowly(handler: Handler) -> None:
        handler.raw(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
        for gate in gates:
            assert gate.wait(10)
            handler.raw(b"x")

    raw.answer = slowly
    with proxy.up.client.stream("POST", f"/proxy/gateway{CHAT}", content=BODY) as got:
        pieces = got.iter_raw()
        for gate in gates:
            gate.set()  # the next is not even made before this one was read
            assert next(pieces) == b"x"


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("identity", bytes)])
def test_packed_answers_pass_packed_and_are_read(raw: Raw, proxy: Proxy, encoding: str, pack: Any) -> None:
    packed = pack(orjson.dumps(completion()))
    raw.answer = answer(packed, b"content-encoding: " + encoding.encode())
    with proxy.up.client.stream(
        "POST", f"/proxy/gateway{CHAT}", content=gzip.compress(BODY), headers={"content-encoding": "gzip"}
    ) as got:
        assert b"".join(got.iter_raw()) == packed
    assert gzip.decompress(raw.got[0].body) == BODY
    [span] = proxy.spans()
    assert (span.input.messages[0].parts[0]["text"], span.output.messages[0].parts[0]["text"]) == ("Hello", "Hi there")


@pytest.mark.parametrize(
    ("body", "headers", "kind"),
    [
        (b"<html>Bad gateway</html>", b"content-type: text/html", "unreadable answer"),
        (b"", b"content-type: application/json", "unreadable answer"),
        (b"[1, 2]", b"content-type: application/json", "unreadable answer"),
        (b'{"choices": 5, "usage": [], "id": {}}', b"content-type: application/json", "unreadable answer"),
        (b'{"error": "no credits"}', b"content-type: application/json", "error"),
        (b"data: {]\n\ndata: 5\n\n", b"content-type: text/event-stream", "incomplete stream"),
        (b'data: {"choices": [{"delta": 5}]}\n\n', b"content-type: text/event-stream", "incomplete stream"),
        (b'data: {"error": {"message": "x", "code": 502}}\n\n', b"content-type: text/event-stream", "502"),
        (b"\x1f\x8b\x00broken", b"content-encoding: gzip", "unreadable answer"),
        (b"[" * 100_000, b"content-type: application/json", "unreadable answer"),
    ],
)
def test_rubbish_reaches_the_caller_as_it_is_and_the_trace_says_so(
    raw: Raw, proxy: Proxy, body: bytes, headers: bytes, kind: str
) -> None:
    raw.answer = answer(body, headers)
    with proxy.up.client.stream("POST", f"/proxy/gateway{CHAT}", content=BODY) as got:
        assert (got.status_code, b"".join(got.iter_raw())) == (200, body)
    [span] = proxy.spans()
    assert span.row.status == "error"
    assert (span.row.error_type or "").startswith(kind)
    assert span.row.status_message


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"messages": 5}', b'{"messages": [5, {"role": []}]}', b"\xff"]
)
def test_a_request_that_is_none_passes_too(raw: Raw, proxy: Proxy, body: bytes) -> None:
    raw.answer = answer(orjson.dumps(completion()))
    assert post(proxy, body=body).json()["id"] == "chatcmpl-1"
    assert raw.got[0].body == body
    [span] = proxy.spans()
    assert (span.row.kind, span.output.messages[0].parts[0]["text"]) == ("llm", "Hi there")


@pytest.mark.parametrize("promised", [b"content-length: 5000", b"transfer-encoding: chunked"])
def test_an_upstream_that_hangs_up_is_seen_to_hang_up(raw: Raw, proxy: Proxy, promised: bytes) -> None:
    event = b"data: " + orjson.dumps(chunks("Half")[1]) + b"\n\n"
    piece = b"%x\r\n%s\r\n" % (len(event), event) if b"chunked" in promised else event
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n" + promised + b"\r\n\r\n"
    raw.answer = lambda handler: handler.raw(head, piece)
    with proxy.up.client.stream("POST", f"/proxy/gateway{CHAT}", content=BODY) as got:
        pieces = got.iter_raw()
        assert next(pieces) == event
        with pytest.raises(httpx.RemoteProtocolError):
            next(pieces)
    [span] = proxy.spans()
    assert (span.row.status, span.row.error_type) == ("error", "upstream hung up")
    assert span.output.messages[0].parts[0]["text"] == "Half"


def test_an_upstream_that_is_not_there_is_a_502_and_an_error(proxy: Proxy) -> None:
    got = proxy.up.client.post(f"/proxy/nowhere{CHAT}", content=BODY)
    assert got.status_code == 502
    assert "nowhere could not be asked" in got.json()["error"]["message"]
    [span] = proxy.spans()
    assert (span.row.status, span.row.error_type) == ("error", "ConnectError")


def test_a_caller_who_leaves_takes_the_upstreams_request_along(raw: Raw, proxy: Proxy) -> None:
    asked, gone = threading.Event(), threading.Event()

    def wait(handler: Handler) -> None:
        asked.set()
        if handler.connection.recv(1) == b"":  # nothing but its end can come here
            gone.set()
        handler.close_connection = True

    raw.answer = wait
    port = proxy.up.status.http_port
    with socket.create_connection(("127.0.0.1", port)) as caller:
        head = f"POST /proxy/gateway{CHAT} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {len(BODY)}\r\n\r\n"
        caller.sendall(head.encode() + BODY)
        assert asked.wait(10)
    assert gone.wait(10)
    [span] = proxy.spans()
    assert (span.row.status, span.attributes["tracetui.cancelled"]) == ("ok", "ClientDisconnect")


@pytest.mark.parametrize(
    "path",
    ["/proxy/gateway/../../secret", "/proxy/gateway/v1/%2e%2e/%2e%2e/x", "/proxy/gateway/v1/..%2f..%2fx",
     "/proxy/gateway/v1/%252e%252e/x", "/proxy/gateway/..%5cx",],
)  # fmt: skip
def test_no_path_leads_out_of_the_upstreams(raw: Raw, proxy: Proxy, path: str) -> None:
    with socket.create_connection(("127.0.0.1", proxy.up.status.http_port)) as caller:
        caller.sendall(f"GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".encode())
        said = b"".join(iter(lambda: caller.recv(65536), b""))
    assert said.startswith(b"HTTP/1.1 400")
    assert b"not passed on" in said
    assert raw.got == []


@pytest.mark.parametrize(
    "name", ["other", "127.0.0.1:22", "http:", "http%3A%2F%2F169.254.169.254", "@run", "%2e%2e", "local%0d%0a"]
)
def test_only_what_is_named_is_asked(raw: Raw, proxy: Proxy, name: str) -> None:
    got = proxy.up.client.get(f"/proxy/{name}/latest/meta-data")
    assert got.status_code in (400, 404, 405)
    assert raw.got == []


def test_a_redirect_is_the_callers_to_follow(raw: Raw, proxy: Proxy) -> None:
    raw.answer = answer(b"", b"location: http://169.254.169.254/", status=b"302 Found")
    got = proxy.up.client.get("/proxy/gateway/v1/models")
    assert (got.status_code, got.headers["location"]) == (302, "http://169.254.169.254/")
    assert len(raw.got) == 1


def test_a_body_over_the_limit_is_turned_away(raw: Raw, tmp_path: Path) -> None:
    with proxying(tmp_path, raw.url, max_body_bytes=1000) as proxy:
        got = post(proxy, body=b"x" * 2000)
    assert (got.status_code, got.json()["error"]["type"]) == (413, "proxy_error")
    assert raw.got == []


def test_our_token_is_not_for_the_upstream(raw: Raw, tmp_path: Path) -> None:
    raw.answer = answer(orjson.dumps(completion()))
    with proxying(tmp_path, raw.url, token="t0ken") as proxy:
        assert post(proxy).status_code == 401
        assert post(proxy, headers={"authorization": "Bearer t0ken"}).status_code == 200
        keyed = {"authorization": "Bearer theirs", "x-tracetui-token": "t0ken"}
        assert post(proxy, headers=keyed).status_code == 200
    assert [one.header("authorization") for one in raw.got] == [None, "Bearer theirs"]
    assert not any("t0ken" in value for one in raw.got for _, value in one.headers)


def test_trouble_with_recording_never_reaches_the_caller(
    raw: Raw, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("ours")

    monkeypatch.setattr(Recorder, "_place", fail)
    raw.answer = answer(orjson.dumps(completion()))
    for _ in range(2):
        assert post(proxy).json()["id"] == "chatcmpl-1"
    until(lambda: proxy.up.receiver._queue.room.held == 0)
    assert [one.message for one in caplog.records if "recorded" in one.message] == [
        "a call through the proxy could not be recorded: RuntimeError('ours')"
    ]


def test_more_than_there_is_room_for_passes_and_is_recorded_without_its_words(raw: Raw, tmp_path: Path) -> None:
    big = orjson.dumps(completion("long " * 100_000))
    raw.answer = answer(big, b"content-type: application/json")
    with proxying(tmp_path, raw.url, queue_bytes=200_000) as proxy:
        assert post(proxy).content == big
        [span] = proxy.spans()
        until(lambda: proxy.up.receiver._queue.room.held == 0)
    assert (span.row.status, span.notes[0]) == ("ok", "too much was under way to keep all that was said")
