"""The whole road: real exporters, real sockets, the real file; and `tracetui collect` as a process."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from collector.ingest import Ingest
from collector.model import Batch, Receipt, Refusal, SpanPart
from collector.protocols import native, otlp
from collector.receiver import probe
from collector.receiver.answers import rejection
from collector.receiver.corridor import WriteQueue
from tests.builders import TRACE, make_part, span_id
from tests.receiver.running import running, settings_for, until

JSON = {"content-type": "application/json"}
PROTOBUF = {"content-type": "application/x-protobuf"}
SECRET = "sk-" + "abcdEFGH1234ijklMNOP5678qrstUVWX"


def rows(db: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(db)) as file:
        return file.execute(sql).fetchall()


def fresh(tmp_path: Path, **changes: Any) -> Any:
    """Settings of a file that does not exist yet."""
    settings = settings_for(tmp_path, **changes)
    settings.db.unlink()
    return settings


@pytest.fixture(autouse=True)
def _own_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.mark.parametrize("gzip", [False, True])
def test_spans_of_the_opentelemetry_sdk_are_in_the_file(tmp_path: Path, gzip: bool) -> None:
    exporters = pytest.importorskip("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    settings = fresh(tmp_path)
    with running(settings, real=True) as up:
        compression = Compression.Gzip if gzip else Compression.NoCompression
        provider = TracerProvider()
        exporter = exporters.OTLPSpanExporter(f"{up.status.url}/v1/traces", compression=compression)
        provider.add_span_processor(BatchSpanProcessor(exporter))
        tracer = provider.get_tracer("test")
        with tracer.start_as_current_span("outer"):
            for number in range(10):
                with tracer.start_as_current_span("inner", attributes={"n": number, "note": f"key {SECRET}"}):
                    pass
        provider.shutdown()
        assert rows(settings.db, "select count(*) from spans") == [(11,)]
    assert SECRET.encode() not in settings.db.read_bytes()


def test_json_and_grpc_bodies_reach_the_same_file(tmp_path: Path) -> None:
    settings = fresh(tmp_path)
    with running(settings, real=True) as up:
        body = otlp.encode_traces([make_part(1), make_part(2, parent=1)])
        answer = up.client.post("/v1/traces", content=body, headers={"content-type": "application/json"})
        assert (answer.status_code, answer.json()) == (200, {})
        with grpc.insecure_channel(f"127.0.0.1:{up.status.grpc_port}") as channel:
            export = channel.unary_unary("/opentelemetry.proto.collector.trace.v1.TraceService/Export")
            assert export(otlp.encode_traces_protobuf([make_part(3, parent=1)]), timeout=10) == b""
        assert rows(settings.db, "select count(*) from spans") == [(3,)]
        sources = rows(settings.db, "select source, sum(n) from ledger where outcome = 'stored' group by 1 order by 1")
        assert sources == [("otlp-grpc", 1), ("otlp-http", 2)]


def test_a_span_nobody_can_store_is_named_in_the_answer_and_the_ledger(tmp_path: Path) -> None:
    settings = fresh(tmp_path)
    document = json.loads(otlp.encode_traces([make_part(1), make_part(2)]))
    document["resourceSpans"][0]["scopeSpans"][0]["spans"][1]["spanId"] = "0" * 16
    with running(settings, real=True) as up:
        answer = up.client.post("/v1/traces", json=document)
        assert answer.status_code == 200
        partial = answer.json()["partialSuccess"]
        assert partial["rejectedSpans"] == "1"
        assert partial["errorMessage"] == f"1 of 2 rejected: span id is all zero (a span of trace {TRACE})"
        assert rows(settings.db, "select n from ledger where outcome = 'rejected'") == [(1,)]
        assert (
            up.client.post("/v1/traces", content=b"{]", headers={"content-type": "application/json"}).status_code == 400
        )


def odd_body() -> list[SpanPart]:
    """A span that is fine, one with a text over the limit, one that starts in the year 2554."""
    return [
        make_part(1),
        make_part(2, attributes={"note": "long " * 2000}),
        make_part(3, start_ns=2**64 - 2, end_ns=2**64 - 1),
    ]


ODD = f"1 of 3 rejected: cannot be stored (OverflowError) (span {span_id(3)}); 1 stored cut short (span {span_id(2)})"


def test_what_only_the_store_refuses_or_cuts_is_named_too(tmp_path: Path) -> None:
    settings = fresh(tmp_path, max_part_bytes=1000)
    with running(settings, real=True) as up:
        answer = up.client.post("/v1/traces", content=otlp.encode_traces(odd_body()), headers=JSON)
        assert answer.json() == {"partialSuccess": {"rejectedSpans": "1", "errorMessage": ODD}}
        with grpc.insecure_channel(f"127.0.0.1:{up.status.grpc_port}") as channel:
            export = channel.unary_unary("/opentelemetry.proto.collector.trace.v1.TraceService/Export")
            body = otlp.encode_traces_protobuf(odd_body())
            partial = ExportTraceServiceResponse.FromString(export(body, timeout=10)).partial_success
            assert (partial.rejected_spans, partial.error_message) == (1, ODD)
            only_cut = otlp.encode_traces_protobuf(odd_body()[:2])
            partial = ExportTraceServiceResponse.FromString(export(only_cut, timeout=10)).partial_success
            assert (partial.rejected_spans, partial.error_message) == (0, f"1 stored cut short (span {span_id(2)})")
        told = up.client.post("/v1/native", content=native.encode_batch(Batch("sdk", tuple(odd_body())))).json()
        assert (told["cut"], told["refused"][0]["spans"]) == ([[TRACE, span_id(2)]], [[TRACE, span_id(3)]])


def test_bodies_that_share_a_commit_hear_each_of_their_own(tmp_path: Path) -> None:
    entered, gate = threading.Event(), threading.Event()
    settings = fresh(tmp_path, max_part_bytes=1000)

    class Slow(Ingest):
        def write(self, batch: Batch) -> Receipt:
            entered.set()
            assert gate.wait(10)
            return super().write(batch)

    queue = WriteQueue(Slow(settings.db, settings), 1_000_000)
    try:
        queue.accept(bytes, lambda _: Batch("t", (make_part(9),)))
        assert entered.wait(10)
        bodies = [Batch("t", (make_part(1),)), Batch("t", tuple(odd_body()), refused=(Refusal("no span", "x"),))]
        asked = [queue.accept(bytes, lambda _, body=body: body) for body in bodies]  # type: ignore[misc]
        until(lambda: queue._jobs.qsize() == 2)
        gate.set()
        fine, odd = (one.result(10) for one in asked)
    finally:
        gate.set()
        queue.close()
    assert (rejection(fine), fine.rejected, fine.stored) == ("", 0, 1)
    assert (odd.received, odd.stored, odd.rejected, odd.clipped) == (4, 2, 2, 1)
    assert rejection(odd) == ODD.replace("1 of 3 rejected: ", "2 of 4 rejected: no span; ")


def test_native_lines_reach_the_file_and_repeating_them_changes_nothing(tmp_path: Path) -> None:
    settings = fresh(tmp_path)
    with running(settings, real=True) as up:
        body = "".join(native.encode(make_part(n)) + "\n" for n in (1, 2)).encode()
        first = up.client.post("/v1/native", content=body).json()
        again = up.client.post("/v1/native", content=body).json()
        assert (first["received"], first["stored"]) == (2, 2)
        assert (again["received"], again["stored"], again["duplicate"]) == (2, 0, 2)
        assert rows(settings.db, "select span_id from spans order by 1") == [(span_id(1),), (span_id(2),)]


# --- as a process ---

MAIN = "import sys; from tracetui.cli.main import main; sys.exit(main())"


@contextmanager
def collect(tmp_path: Path, *arguments: str, **options: Any) -> Iterator[subprocess.Popen[str]]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRACETUI_")}
    child = subprocess.Popen(
        [sys.executable, "-c", MAIN, "collect", "--db", str(tmp_path / "traces.db"), "--json", *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=environment,
        **options,
    )  # fmt: skip
    try:
        yield child
    finally:
        child.kill()
        child.wait()
        for stream in (child.stdin, child.stdout, child.stderr):
            assert stream is not None
            stream.close()


def listening(child: subprocess.Popen[str]) -> dict[str, Any]:
    """The JSON document that it prints once it listens."""
    assert child.stdout is not None
    lines = ""
    for line in child.stdout:
        lines += line
        if line == "}\n":
            return dict(json.loads(lines))
    raise AssertionError(child.communicate())


ANY = ("--http-port", "0", "--grpc-port", "0")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(tmp_path: Path, number: signal.Signals) -> None:
    with collect(tmp_path, *ANY) as child:
        port = listening(child)["ports"]["http"]
        body = otlp.encode_traces_protobuf([make_part(1)])
        assert httpx.post(
            f"http://127.0.0.1:{port}/v1/traces", content=body, headers=PROTOBUF, trust_env=False
        ).is_success
        child.send_signal(number)
        assert child.wait(10) == 0
    assert rows(tmp_path / "traces.db", "select count(*) from spans") == [(1,)]
    assert not (tmp_path / "traces.db-wal").exists(), "a clean end leaves one file"


def test_it_ends_when_its_stdin_closes(tmp_path: Path) -> None:
    with collect(tmp_path, *ANY, "--stdin-close") as child:
        listening(child)
        assert child.stdin is not None
        child.stdin.close()
        assert child.wait(10) == 0


def test_a_taken_port_is_a_sentence_that_names_the_holder(tmp_path: Path) -> None:
    with collect(tmp_path, *ANY) as first:
        told = listening(first)
        port = str(told["ports"]["http"])
        with collect(tmp_path, "--http-port", port, "--grpc-port", "0") as second:
            _, errors = second.communicate(timeout=10)
            assert second.returncode == 1
            assert f"port {port}" in errors
            assert f"pid {told['pid']}" in errors
            assert "traces.db" in errors
            assert "Traceback" not in errors
        with collect(tmp_path, "--http-port", port, "--grpc-port", "0", "--next-free") as third:
            assert listening(third)["ports"]["http"] > int(port)


def test_an_open_address_without_a_token_is_refused(tmp_path: Path) -> None:
    with collect(tmp_path, "--host", "0.0.0.0", *ANY) as child:
        _, errors = child.communicate(timeout=10)
        assert child.returncode == 2
        assert "token" in errors


def test_the_status_of_a_process_names_its_file(tmp_path: Path) -> None:
    with collect(tmp_path, *ANY, "--token", "t0p") as child:
        port = listening(child)["ports"]["http"]
        status = probe("127.0.0.1", port, token="t0p")
        assert status is not None
        assert status.writes(tmp_path / "traces.db")
        assert status.pid == child.pid
        child.terminate()
        until(lambda: probe("127.0.0.1", port, token="t0p", timeout_s=0.2) is None)
