from __future__ import annotations

import gzip
import socket
import threading
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
import zstandard
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from collector.errors import StoreBusy, StoreError
from collector.model import Batch
from collector.receiver import probe
from tests.receiver.running import MemoryIngest, Running, running, settings_for, until

PROTOBUF = {"content-type": "application/x-protobuf"}
JSON = {"content-type": "application/json; charset=utf-8"}


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Running]:
    with running(settings_for(tmp_path)) as one:
        yield one


def test_spans_are_stored_when_the_answer_comes(up: Running) -> None:
    answer = up.client.post("/v1/traces", content=b"one two", headers=PROTOBUF)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == "application/x-protobuf"
    assert up.ingest.names == ["one", "two"]
    assert up.ingest.batches[0].source == "otlp-http"


def test_json_is_answered_in_json(up: Running) -> None:
    answer = up.client.post("/v1/traces", content=b"one", headers=JSON)
    assert (answer.status_code, answer.json()) == (200, {})
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("path", ["/v1/logs", "/api/public/otel/v1/traces", "/otel/v1/traces", "/my/own/v1/traces"])
def test_logs_and_the_prefixes_of_other_tools_have_the_same_door(up: Running, path: str) -> None:
    assert up.client.post(path, content=b"one", headers=JSON).status_code == 200
    assert up.ingest.names == ["one"]


def test_a_gzip_body_is_inflated_even_of_several_members(up: Running) -> None:
    body = gzip.compress(b"one ") + gzip.compress(b"two")
    assert up.client.post("/v1/traces", content=body, headers=PROTOBUF | {"content-encoding": "gzip"}).is_success
    assert up.ingest.names == ["one", "two"]


def test_a_chunked_body_without_a_length_is_read(up: Running) -> None:
    assert up.client.post("/v1/traces", content=iter([b"one ", b"two"]), headers=JSON).is_success
    assert up.ingest.names == ["one", "two"]


def test_partial_success_says_how_many_and_why(up: Running) -> None:
    answer = up.client.post("/v1/traces", content=b"one bad bad", headers=PROTOBUF)
    assert answer.status_code == 200
    partial = ExportTraceServiceResponse.FromString(answer.content).partial_success
    assert partial.rejected_spans == 2
    assert partial.error_message == "2 of 3 rejected: a bad word; a bad word"
    told = up.client.post("/v1/traces", content=b"one bad", headers=JSON).json()["partialSuccess"]
    assert told["rejectedSpans"] == "1"
    logs = up.client.post("/v1/logs", content=b"bad", headers=PROTOBUF)
    assert ExportLogsServiceResponse.FromString(logs.content).partial_success.rejected_log_records == 1


def test_what_is_no_otlp_is_answered_400_with_a_status_body(up: Running) -> None:
    answer = up.client.post("/v1/traces", content=b"broken", headers=JSON)
    assert (answer.status_code, answer.json()) == (400, {"code": 3, "message": "not words"})
    answer = up.client.post("/v1/traces", content=b"broken", headers=PROTOBUF)
    assert (answer.status_code, answer.content) == (400, b"\x08\x03\x12\x09not words")


def test_a_body_nested_too_deep_is_answered_400(up: Running) -> None:
    assert up.client.post("/v1/traces", content=b"deep", headers=JSON).status_code == 400


@pytest.mark.parametrize(
    "headers",
    [{"content-type": "text/html"}, JSON | {"content-encoding": "br"}, JSON | {"content-encoding": "gzip, gzip"}],
)
def test_a_type_or_encoding_nobody_reads_is_answered_415(up: Running, headers: dict[str, str]) -> None:
    answer = up.client.post("/v1/traces", content=b"one", headers=headers)
    assert answer.status_code == 415
    assert "send" in answer.text


PACK = {"gzip": partial(gzip.compress, mtime=0), "deflate": zlib.compress, "zstd": zstandard.compress}
DAMAGED = [
    (name, body)
    for name, pack in PACK.items()
    for whole in [pack(b"one two three")]
    for body in (b"x" + whole, whole[:-5], whole[: len(whole) // 2], whole[:2], whole + b"more")
]


@pytest.mark.parametrize(("encoding", "body"), DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_body_is_answered_400_and_counted(up: Running, encoding: str, body: bytes) -> None:
    answer = up.client.post("/v1/traces", content=body, headers=JSON | {"content-encoding": encoding})
    assert answer.status_code == 400
    assert encoding in answer.json()["message"]
    assert [one.reason for batch in up.ingest.batches for one in batch.refused] == [
        "the body is not what its type says"
    ]


@pytest.mark.parametrize("encoding", PACK)
def test_bodies_are_inflated_within_the_limit_whatever_packed_them(tmp_path: Path, encoding: str) -> None:
    with running(settings_for(tmp_path, max_body_bytes=1_000_000)) as up:
        edge, bomb = (PACK[encoding](b"w" + b" " * size) for size in (999_999, 1_000_000))
        headers = JSON | {"content-encoding": encoding}
        assert up.client.post("/v1/traces", content=edge, headers=headers).is_success
        answer = up.client.post("/v1/traces", content=bomb, headers=headers)
        assert (answer.status_code, "inflates" in answer.json()["message"]) == (413, True)
        assert up.ingest.names == ["w"]


def test_deflate_without_its_header_and_zstd_of_several_frames_are_read(up: Running) -> None:
    packer = zlib.compressobj(wbits=-15)
    bare = packer.compress(b"one") + packer.flush()
    frames = zstandard.compress(b"two ") + zstandard.compress(b"three")
    for encoding, body in (("deflate", bare), ("zstd", frames)):
        assert up.client.post("/v1/traces", content=body, headers=JSON | {"content-encoding": encoding}).is_success
    assert up.ingest.names == ["one", "two", "three"]


def test_a_zstd_frame_that_wants_more_memory_than_a_body_may_have_is_refused(up: Running) -> None:
    greedy = zstandard.ZstdCompressor(compression_params=zstandard.ZstdCompressionParameters(window_log=30))
    packer = greedy.compressobj()  # a stream, so that the frame names its window and not its length
    body = packer.compress(b"one") + packer.flush()
    answer = up.client.post("/v1/traces", content=body, headers=JSON | {"content-encoding": "zstd"})
    assert (answer.status_code, "memory" in answer.text) == (400, True)


def test_more_spans_than_allowed_are_answered_413(up: Running) -> None:
    answer = up.client.post("/v1/traces", content=b"w " * 101, headers=JSON)
    assert answer.status_code == 413
    assert "101" in answer.json()["message"]


def test_a_body_over_the_limit_is_answered_413_before_it_is_read(tmp_path: Path) -> None:
    with running(settings_for(tmp_path, max_body_bytes=1000)) as up:
        big = b"w " * 501
        assert up.client.post("/v1/traces", content=big, headers=JSON).status_code == 413
        assert up.client.post("/v1/traces", content=iter([big]), headers=JSON).status_code == 413
        inflating = gzip.compress(b" " * 10_000_000)
        answer = up.client.post("/v1/traces", content=inflating[:999], headers=JSON | {"content-encoding": "gzip"})
        assert answer.status_code == 413
        assert "inflates" in answer.json()["message"]
        edge = gzip.compress(b"w" + b" " * 999)
        assert up.client.post("/v1/traces", content=edge, headers=JSON | {"content-encoding": "gzip"}).is_success


def test_a_busy_store_is_answered_503_with_retry_after(tmp_path: Path) -> None:
    def busy(batch: Batch) -> None:
        raise StoreBusy("another process writes")

    with running(settings_for(tmp_path), MemoryIngest(before=busy)) as up:
        answer = up.client.post("/v1/traces", content=b"one", headers=JSON)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert answer.json() == {"code": 14, "message": "another process writes"}


def test_a_failure_nobody_foresaw_is_answered_500_and_the_next_request_works(tmp_path: Path) -> None:
    def fails(batch: Batch) -> None:
        if batch.parts[0].name == "poison":
            raise ZeroDivisionError("secret detail")

    with running(settings_for(tmp_path), MemoryIngest(before=fails)) as up:
        answer = up.client.post("/v1/traces", content=b"poison", headers=JSON)
        assert answer.status_code == 500
        assert "secret detail" not in answer.text
        assert up.client.post("/v1/traces", content=b"one", headers=JSON).is_success


def test_requests_that_queue_share_a_commit_and_a_poison_takes_nobody_along(tmp_path: Path) -> None:
    entered, gate = threading.Event(), threading.Event()

    def hold(batch: Batch) -> None:
        if batch.parts[0].name == "first":
            entered.set()
            assert gate.wait(10)
        if any(part.name == "poison" for part in batch.parts):
            raise StoreError("cannot be written")

    ingest = MemoryIngest(before=hold)
    answers: dict[str, int] = {}
    with running(settings_for(tmp_path), ingest) as up:

        def post(word: str) -> None:
            answers[word] = httpx.post(
                f"{up.status.url}/v1/traces", content=word, headers=JSON, trust_env=False
            ).status_code

        words = ["first", "a", "b", "poison", "c"]
        threads = [threading.Thread(target=post, args=(word,)) for word in words]
        threads[0].start()
        assert entered.wait(10)
        for thread in threads[1:]:
            thread.start()
        until(lambda: up.receiver._queue._jobs.qsize() == 4)
        assert answers == {}, "nobody is answered before the commit"
        gate.set()
        for thread in threads:
            thread.join()
    assert answers == {"first": 200, "a": 200, "b": 200, "c": 200, "poison": 503}
    assert sorted(ingest.names) == ["a", "b", "c", "first"]


def test_queued_requests_become_one_write(tmp_path: Path) -> None:
    entered, gate = threading.Event(), threading.Event()

    def hold(batch: Batch) -> None:
        entered.set()
        assert gate.wait(10)

    ingest = MemoryIngest(before=hold)
    with running(settings_for(tmp_path), ingest) as up:

        def post() -> None:
            assert httpx.post(f"{up.status.url}/v1/traces", content=b"w bad", headers=JSON, trust_env=False).json() == {
                "partialSuccess": {"rejectedSpans": "1", "errorMessage": "1 of 2 rejected: a bad word"}
            }

        threads = [threading.Thread(target=post) for _ in range(6)]
        threads[0].start()
        assert entered.wait(10)
        for thread in threads[1:]:
            thread.start()
        until(lambda: up.receiver._queue._jobs.qsize() == 5)
        gate.set()
        for thread in threads:
            thread.join()
    assert [len(batch.parts) for batch in ingest.batches] == [1, 5]


def test_more_than_may_wait_is_answered_429(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entered, gate = threading.Event(), threading.Event()

    def hold(batch: Batch) -> None:
        entered.set()
        assert gate.wait(10)

    monkeypatch.setattr("collector.receiver.room.WAIT_S", 0.05)
    with running(settings_for(tmp_path, queue_bytes=1000), MemoryIngest(before=hold)) as up:
        first = threading.Thread(
            target=lambda: httpx.post(f"{up.status.url}/v1/traces", content=b"w " * 90, headers=JSON, trust_env=False)
        )
        first.start()
        assert entered.wait(10)
        answer = up.client.post("/v1/traces", content=b" " * 900, headers=JSON)
        gate.set()
        first.join()
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")


def test_native_lines_are_answered_with_their_own_receipt(up: Running) -> None:
    answer = up.client.post("/v1/native", content=b"one two bad")
    assert answer.json() == {
        "received": 3, "stored": 2, "duplicate": 0, "clipped": 0, "rejected": 1, "reasons": ["a bad word"],
        "refused": [], "cut": [], "sampled_out": 0,
    }  # fmt: skip
    assert up.ingest.batches[0].source == "sdk"


def test_metrics_are_acknowledged_and_counted(up: Running) -> None:
    answer = up.client.post("/v1/metrics", content=b"\x0a\x00", headers=PROTOBUF)
    assert (answer.status_code, answer.content) == (200, b"")
    assert up.ingest.batches[0].refused[0].reason == "metrics are not stored"


def test_the_status_names_the_file_the_ports_and_the_ledger(up: Running, tmp_path: Path) -> None:
    up.client.post("/v1/traces", content=b"one two bad", headers=JSON)
    document = up.client.get("/v1/status").json()
    found = (tmp_path / "traces.db").stat()
    assert document["service"] == "tracetui"
    assert document["file"] == str((tmp_path / "traces.db").resolve())
    assert (document["device"], document["inode"]) == (found.st_dev, found.st_ino)
    assert document["ports"] == {"http": up.status.http_port, "grpc": up.status.grpc_port}
    assert document["ledger"] == {
        "requests": 1, "received": 3, "stored": 2, "duplicate": 0, "clipped": 0, "rejected": 1, "sampled_out": 0,
    }  # fmt: skip
    assert document["uptime_s"] >= 0
    status = probe("127.0.0.1", up.status.http_port)
    assert status is not None
    assert status.writes(tmp_path / "traces.db")
    assert not status.writes(tmp_path / "other.db")


def test_both_ports_speak_http(up: Running) -> None:
    status = probe("127.0.0.1", up.status.grpc_port)
    assert status is not None
    assert status.http_port == up.status.http_port


@pytest.mark.parametrize(("method", "path", "code"), [("GET", "/v1/traces", 405), ("POST", "/nothing", 404)])
def test_wrong_paths_and_methods_say_so(up: Running, method: str, path: str, code: int) -> None:
    assert up.client.request(method, path).status_code == code


def test_garbage_on_the_port_hurts_nobody(up: Running) -> None:
    for garbage in (b"\x16\x03\x01\x02\x00\x01", b"PRI * HTTP/3", b"\r\n\r\n", b"GET / HTTP/9\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", up.status.http_port)) as plain:
            plain.sendall(garbage)
            plain.shutdown(socket.SHUT_WR)
            plain.settimeout(5)
            while plain.recv(1000):
                pass
    assert up.client.post("/v1/traces", content=b"one", headers=JSON).is_success


@pytest.mark.parametrize("start", ["", "transfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"], ids=["head", "trailer"])
@pytest.mark.parametrize("more", [b"x-more: 1\r\n", b"1" * 50], ids=["many headers", "one header"])
def test_a_head_or_trailer_without_end_is_ended_by_us(up: Running, start: str, more: bytes) -> None:
    with socket.create_connection(("127.0.0.1", up.status.http_port), timeout=10) as sender:
        sender.sendall(f"POST /v1/status HTTP/1.1\r\nhost: localhost\r\n{start}x-last: ".encode())
        with pytest.raises(ConnectionError):
            sender.sendall(more * 2_000_000)
    assert up.client.get("/v1/status").status_code == 200


def test_who_speaks_tls_is_told_at_once_and_does_not_wait_for_an_answer_that_never_comes(up: Running) -> None:
    with socket.create_connection(("127.0.0.1", up.status.http_port)) as plain:
        plain.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        plain.settimeout(10)
        assert plain.recv(1000)[:12] in (b"HTTP/1.1 400", b"")


def test_more_connections_than_allowed_are_told_to_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.receiver.server.OPEN_CONNECTIONS", 3)
    with running(settings_for(tmp_path)) as up:
        address = ("127.0.0.1", up.status.http_port)
        idle = [socket.create_connection(address) for _ in range(3)]
        until(lambda: len(up.receiver._server.server_state.connections) == 3)
        answer = up.client.post("/v1/traces", content=b"one", headers=JSON)
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
        for one in idle:
            one.close()
        until(lambda: up.client.post("/v1/traces", content=b"one", headers=JSON).is_success)


def test_a_sender_that_goes_away_in_the_middle_leaves_nothing_behind(up: Running) -> None:
    with socket.create_connection(("127.0.0.1", up.status.http_port)) as plain:
        plain.sendall(b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nhalf")
    assert up.client.post("/v1/traces", content=b"one", headers=JSON).is_success
    assert up.ingest.names == ["one"]


def test_stopping_writes_what_was_accepted_and_closes_the_file(tmp_path: Path) -> None:
    entered, gate = threading.Event(), threading.Event()

    def hold(batch: Batch) -> None:
        entered.set()
        assert gate.wait(10)

    ingest = MemoryIngest(before=hold)
    codes: list[int] = []
    with running(settings_for(tmp_path), ingest) as up:
        late = threading.Thread(
            target=lambda: codes.append(
                httpx.post(f"{up.status.url}/v1/traces", content=b"late", headers=JSON, trust_env=False).status_code
            )
        )
        late.start()
        assert entered.wait(10)
        up.receiver.stop()
        until(lambda: probe("127.0.0.1", up.status.http_port, timeout_s=0.2) is None)
        gate.set()
        late.join()
    assert codes == [200]
    assert ingest.names == ["late"]
    assert ingest.closed


def test_housekeeping_is_done_when_idle_and_under_load(up: Running) -> None:
    before = up.ingest.chores_done
    up.client.post("/v1/traces", content=b"one", headers=JSON)
    until(lambda: up.ingest.chores_done > before)
