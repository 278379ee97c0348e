"""`--forward`: to a second receiver of ours, which is as good an OTLP backend as any; and to one that misbehaves."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from collector import store
from collector.errors import SettingsError
from collector.ingest import Ingest
from collector.model import Batch, LogRecord, Rank, SpanPart
from collector.protocols import otlp
from collector.receiver import probe
from collector.receiver.forward import Forwarder
from collector.receiver.forward.bodies import bodies
from collector.receiver.forward.queue import Queue
from collector.receiver.ports import bind
from collector.receiver.server import Receiver
from tests.receiver.running import running, settings_for, until

PAYLOADS = Path(__file__).parents[1] / "payloads"
SECRET = "sk-proj-" + "aB3dE5gH7jK9mN1pQ3sT" * 2


def span(number: int, **changes: Any) -> SpanPart:
    part = SpanPart(f"{7:032x}", f"{number + 1:016x}", Rank.FINISHED, 2, name=f"span {number}", start_ns=1, end_ns=2)
    return replace(part, **changes)


def exported(db: Path) -> list[dict[str, Any]]:
    with store.open_reader(db) as reader:
        return [orjson.loads(otlp.encode_traces([part])) for part in reader.parts()]


def folder(root: Path, name: str) -> Path:
    (root / name).mkdir()
    return root / name


def test_what_arrives_is_sent_on_equal_and_redacted(tmp_path: Path) -> None:
    recorded = (PAYLOADS / "otel-genai_otlp-json" / "01-traces.json").read_bytes()
    body = recorded.replace(b"Patiala", SECRET.encode())
    assert body != recorded
    with running(settings_for(folder(tmp_path, "far"), max_spans=10_000), real=True) as far:
        near_settings = settings_for(folder(tmp_path, "near"), max_spans=10_000, forward=far.status.url)
        with running(near_settings, real=True) as near:
            json = {"content-type": "application/json"}
            assert near.client.post("/v1/traces", content=body, headers=json).status_code == 200
            until(lambda: near.receiver.status().forward["sent"] == 10)
            assert near.client.get("/v1/status").json()["forward"] == {
                "url": far.status.url, "sent": 10, "refused": 0, "waiting_bodies": 0, "waiting_bytes": 0,
                "trouble": None,
            }  # fmt: skip
    here, there = exported(tmp_path / "near" / "traces.db"), exported(tmp_path / "far" / "traces.db")
    assert len(here) == 10
    assert here == there
    assert SECRET not in str(there)


def test_a_receiver_does_not_send_on_to_itself(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    with bind("127.0.0.1", 0, "--http-port") as free:
        port = free.getsockname()[1]
    own = replace(settings, http_port=port, forward=f"http://localhost:{port}")
    with pytest.raises(SettingsError, match="itself"):
        Receiver(own)


class Backend(BaseHTTPRequestHandler):
    """Answers as its server's `answers` say, one after the other, the last for ever; keeps what it was sent."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        server: Any = self.server
        server.got.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        code, headers, answer = server.answers.pop(0) if len(server.answers) > 1 else server.answers[0]
        self.send_response(code)
        for name, value in {"content-length": str(len(answer)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None: ...


@contextmanager
def backend(*answers: tuple[int, dict[str, str], bytes], port: int = 0) -> Iterator[Any]:
    with HTTPServer(("127.0.0.1", port), Backend) as server:
        server.answers, server.got = list(answers) or [(200, {}, b"")], []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class Forwarding:
    """A forwarder whose pauses are written down and not waited for."""

    def __init__(self, tmp_path: Path, port: int, **changes: Any) -> None:
        self.refused: list[tuple[str, str, int]] = []
        self.pauses: list[float] = []
        self.go = threading.Semaphore(0)
        settings = settings_for(tmp_path, forward=f"http://127.0.0.1:{port}/", **changes)
        self.forwarder = Forwarder(
            settings, lambda *said: self.refused.append(said), lambda: store.open_reader(settings.db), pause=self.pause
        )

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.go.acquire(timeout=10)

    def __enter__(self) -> Forwarding:
        return self

    def __exit__(self, *_: object) -> None:
        self.forwarder._ending.set()
        self.go.release()
        self.forwarder.close(0)
        assert not self.forwarder._thread.is_alive()


def names(bodies_: list[bytes]) -> list[str]:
    import gzip

    return [part.name or "" for body in bodies_ for part in otlp.decode_traces(gzip.decompress(body)).parts]


def test_it_tries_again_waiting_longer_each_time_and_as_long_as_it_is_asked(tmp_path: Path) -> None:
    again = (503, {}, b"busy")
    with backend(again, again, (429, {"retry-after": "7"}, b""), (200, {}, b"")) as there:
        with Forwarding(tmp_path, there.server_port, forward_headers={"X-Api-Key": "k"}) as one:
            one.forwarder.stored([span(0)])
            for tries in (1, 2, 3):
                until(lambda tries=tries: len(one.pauses) == tries)  # type: ignore[misc]
                assert one.forwarder.report()["trouble"]
                one.go.release()
            until(lambda: one.forwarder.sent == 1)
            assert one.forwarder.report()["trouble"] is None
        assert 0.5 <= one.pauses[0] <= 1.0 <= one.pauses[1] <= 2.0
        assert one.pauses[2] == 7.0
        assert {path for path, _, _ in there.got} == {"/v1/traces"}
        assert all(headers["x-api-key"] == "k" for _, headers, _ in there.got)
        assert names([body for _, _, body in there.got]) == ["span 0"] * 4
        assert one.refused == []


def test_what_waits_survives_a_restart_and_goes_in_one_request(tmp_path: Path) -> None:
    with backend() as there:
        port = there.server_port
    with Forwarding(tmp_path, port) as one:
        for number in range(3):
            one.forwarder.stored([span(number)])
        until(lambda: one.pauses)
    assert len(list((tmp_path / "traces.db-forward").iterdir())) == 3
    with backend(port=port) as there, Forwarding(tmp_path, port) as one:
        until(lambda: one.forwarder.sent == 3)
        assert [names([body]) for _, _, body in there.got] == [["span 0", "span 1", "span 2"]]
    assert list((tmp_path / "traces.db-forward").iterdir()) == []


def test_what_the_other_side_refuses_is_counted_and_not_sent_again(tmp_path: Path) -> None:
    left_out = ExportTraceServiceResponse(
        partial_success=ExportTracePartialSuccess(rejected_spans=1, error_message="too old")
    )
    partly = (200, {"content-type": "application/x-protobuf"}, left_out.SerializeToString())
    as_json = b'{"partialSuccess": {"rejectedSpans": "2", "errorMessage": "too new"}}'
    answers = [(401, {}, b"no key"), partly, (200, {"content-type": "application/json"}, as_json)]
    with backend(*answers) as there, Forwarding(tmp_path, there.server_port) as one:
        for tries in (1, 2, 3):
            one.forwarder.stored([span(0), span(1)])
            until(lambda tries=tries: len(one.refused) == tries)  # type: ignore[misc]
        assert one.refused == [
            ("not sent on: the other side answered 401", "no key", 2),
            ("not sent on: the other side left it out", "too old", 1),
            ("not sent on: the other side left it out", "too new", 2),
        ]
        assert (one.forwarder.sent, one.forwarder.refusals) == (1, 5)


def test_what_is_too_large_for_the_other_side_is_sent_in_pieces(tmp_path: Path) -> None:
    too_large, taken = (413, {}, b"too large"), (200, {}, b"")
    records = tuple(LogRecord(5, f"r{n}", "x", {}) for n in range(2))
    with backend() as there:
        port = there.server_port
    with Forwarding(tmp_path, port) as one:  # nobody listens: two bodies wait
        one.forwarder.stored([span(0), span(1)])
        one.forwarder.stored([span(2), span(3)])
        until(lambda: one.pauses)
    answers = [too_large, too_large, taken, too_large, taken, taken]
    with backend(*answers, port=port) as there, Forwarding(tmp_path, port) as one:
        until(lambda: one.forwarder.sent + one.forwarder.refusals == 4)
        sent = [names([body]) for _, _, body in there.got]
        assert sent[:4] == [["span 0", "span 1", "span 2", "span 3"], ["span 0", "span 1"], ["span 0"], ["span 1"]]
        assert (one.forwarder.sent, one.forwarder.refusals) == (3, 1), "span 1 alone was too large"
        assert one.refused == [("not sent on: the other side answered 413", "too large", 1)]
        there.answers[:] = [too_large, taken]
        one.forwarder.stored([span(4, rank=Rank.UPDATE, start_ns=None, end_ns=None, logs=records)])
        until(lambda: one.forwarder.sent == 5)
        assert [path for path, _, _ in there.got[-3:]] == ["/v1/logs"] * 3
    assert list((tmp_path / "traces.db-forward").iterdir()) == []


def test_a_web_page_is_no_receiver_and_a_date_is_waited_for(tmp_path: Path) -> None:
    later = (503, {"retry-after": "Sat, 21 Nov 2099 00:00:00 GMT"}, b"")
    page = (200, {"content-type": "text/html"}, b"<html>Log in")
    with backend(later, page) as there, Forwarding(tmp_path, there.server_port) as one:
        one.forwarder.stored([span(0)])
        until(lambda: one.pauses)
        assert one.pauses == [3600.0]
        one.go.release()
        until(lambda: one.refused)
        assert one.refused[0][1:] == ("<html>Log in", 1)
        assert "web page" in one.refused[0][0]
        assert one.forwarder.sent == 0


def test_refusals_reach_the_ledger(tmp_path: Path) -> None:
    with backend((400, {}, b"what is this")) as there:
        settings = settings_for(tmp_path, forward=f"http://127.0.0.1:{there.server_port}")
        with running(settings, real=True) as up:
            up.client.post("/v1/traces", content=otlp.encode_traces([span(0)]))
            until(lambda: up.receiver.status().ledger["rejected"] == 1)
        with store.open_reader(settings.db) as reader:
            rows = [(row.source, row.reason, row.sample) for row in reader.ledger() if row.outcome == "rejected"]
        assert rows == [("forward", "not sent on: the other side answered 400", "what is this")]


def test_over_the_limit_the_oldest_go_and_are_counted(tmp_path: Path) -> None:
    queue = Queue(tmp_path / "q", 250)
    for number in range(4):
        queue.put("traces", bytes([number]) * 100, 5)
    assert (queue.size, len(queue), queue.take_dropped(), queue.take_dropped()) == (200, 2, 10, 0)
    assert [one.path.read_bytes()[0] for one in queue.first(10_000)] == [2, 3]
    assert [one.path.read_bytes()[0] for one in queue.first(1)] == [2]
    again = Queue(tmp_path / "q", 250)
    assert (again.size, [one.items for one in again.first(10_000)]) == (200, [5, 5])
    assert (tmp_path / "q").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "q").iterdir()} == {0o600}


def test_other_files_in_the_folder_are_let_be_and_half_a_body_is_none(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / ".00000000000000000001-000000.3.traces").write_bytes(b"half")
    assert len(Queue(tmp_path, 100)) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_full_disk_here_is_counted_and_refuses_nobody(tmp_path: Path) -> None:
    (tmp_path / "traces.db-forward").write_bytes(b"in the way")
    with backend() as there, Forwarding(tmp_path, there.server_port) as one:
        one.forwarder.stored([span(0), span(1)])
        assert [(reason, n) for reason, _, n in one.refused] == [("could not be queued to be sent on", 2)]


def test_a_span_told_in_parts_is_sent_whole_at_its_end_and_a_start_is_not_sent(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    told: list[list[tuple[str, ExportTraceServiceRequest]]] = []

    def stored(parts: Any) -> None:
        found = list(bodies(parts, lambda: store.open_reader(settings.db)))
        told.append([(signal, ExportTraceServiceRequest.FromString(body)) for signal, body, _ in found])

    start = span(0, rank=Rank.STARTED, end_ns=None, at_ns=1, keep_parts=True, attributes={"a": "1"})
    end = span(0, name=None, start_ns=None, keep_parts=True, attributes={"b": "2"})
    with Ingest(settings.db, settings, stored=stored) as ingest:
        for part in (start, end, end, span(1, rank=Rank.STARTED, end_ns=None)):
            ingest.write(Batch("t", (part,)))
    assert [len(one) for one in told] == [0, 1, 0], "a duplicate is not stored, and so not sent"
    [(signal, request)] = told[1]
    sent = request.resource_spans[0].scope_spans[0].spans[0]
    assert (signal, sent.name, sent.start_time_unix_nano, sent.end_time_unix_nano) == ("traces", "span 0", 1, 2)
    assert {pair.key for pair in sent.attributes} >= {"a", "b"}


def test_log_records_are_sent_on_as_logs(tmp_path: Path) -> None:
    record = LogRecord(5, "gen_ai.choice", {"text": ["hi"]}, {"k": 1}, "INFO", 9)
    part = span(0, rank=Rank.UPDATE, start_ns=None, end_ns=None, logs=(record,))
    [(signal, body, items)] = bodies([part], lambda: store.open_reader(tmp_path / "none"))
    assert (signal, items) == ("logs", 1)
    [again] = otlp.decode_logs(body).parts
    assert (again.trace_id, again.span_id, again.logs) == (part.trace_id, part.span_id, (record,))


def test_user_and_password_of_the_address_are_not_shown(tmp_path: Path) -> None:
    with backend() as there:
        settings = settings_for(tmp_path, forward=f"http://user:w0rd@127.0.0.1:{there.server_port}")
        with running(settings, real=True) as up:
            assert "w0rd" not in httpx.get(f"{up.status.url}/v1/status", trust_env=False).text
            up.client.post("/v1/traces", content=otlp.encode_traces([span(0)]))
            until(lambda: there.got)
            assert there.got[0][1]["authorization"].startswith("Basic ")
            assert probe("127.0.0.1", up.status.http_port) is not None
