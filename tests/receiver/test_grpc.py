from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from collector.errors import StoreBusy
from collector.model import Batch
from collector.receiver import probe
from tests.receiver.running import MemoryIngest, Running, running, settings_for, until

EXPORT = "/opentelemetry.proto.collector.{}.v1.{}Service/Export"
TRACES = EXPORT.format("trace", "Trace")


@contextmanager
def calling(up: Running, method: str = TRACES, *, http_port: bool = False) -> Iterator[Any]:
    port = up.status.http_port if http_port else up.status.grpc_port
    options = [("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        yield channel.unary_unary(method)


def code_of(call: Any, body: bytes, **options: Any) -> grpc.StatusCode:
    with pytest.raises(grpc.RpcError) as failed:
        call(body, timeout=10, **options)
    code = failed.value.code()
    assert isinstance(code, grpc.StatusCode)
    return code


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Running]:
    with running(settings_for(tmp_path)) as one:
        yield one


def test_spans_are_stored_when_the_answer_comes(up: Running) -> None:
    with calling(up) as export:
        assert export(b"one two", timeout=10) == b""
        assert up.ingest.names == ["one", "two"]
        assert up.ingest.batches[0].source == "otlp-grpc"


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
def test_compressed_messages_of_any_size_get_through(up: Running, compression: grpc.Compression) -> None:
    body = b"one" + b" " * 3_000_000
    with calling(up) as export:
        export(body, timeout=10, compression=compression)
    assert up.ingest.names == ["one"]


def test_partial_success_says_how_many_and_why(up: Running) -> None:
    with calling(up) as export:
        partial = ExportTraceServiceResponse.FromString(export(b"one bad", timeout=10)).partial_success
    assert (partial.rejected_spans, partial.error_message) == (1, "1 of 2 rejected: a bad word")


def test_logs_and_metrics_have_their_services(up: Running) -> None:
    with calling(up, EXPORT.format("logs", "Logs")) as export:
        assert export(b"one", timeout=10) == b""
    with calling(up, EXPORT.format("metrics", "Metrics")) as export:
        assert export(b"\x0a\x00", timeout=10) == b""
    assert up.ingest.names == ["one"]
    assert up.ingest.batches[1].refused[0].reason == "metrics are not stored"


def test_grpc_on_the_http_port_works_too(up: Running) -> None:
    with calling(up, http_port=True) as export:
        export(b"one", timeout=10)
    assert up.ingest.names == ["one"]


def test_errors_have_the_codes_that_exporters_know(up: Running) -> None:
    with calling(up) as export:
        assert code_of(export, b"broken") == grpc.StatusCode.INVALID_ARGUMENT
        assert code_of(export, b"w " * 101) == grpc.StatusCode.INVALID_ARGUMENT
    with calling(up, "/no.Service/Export") as export:
        assert code_of(export, b"one") == grpc.StatusCode.UNIMPLEMENTED


def test_a_busy_store_may_be_tried_again(tmp_path: Path) -> None:
    def busy(batch: Batch) -> None:
        raise StoreBusy("another process writes")

    with running(settings_for(tmp_path), MemoryIngest(before=busy)) as up, calling(up) as export:
        assert code_of(export, b"one") == grpc.StatusCode.UNAVAILABLE


def test_a_message_over_the_limit_is_refused_inflated_or_not(tmp_path: Path) -> None:
    with running(settings_for(tmp_path, max_body_bytes=10_000)) as up, calling(up) as export:
        body = b" " * 20_000
        assert code_of(export, body) == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert code_of(export, body, compression=grpc.Compression.Gzip) == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_with_a_token_only_its_bearer_gets_in(tmp_path: Path) -> None:
    with running(settings_for(tmp_path, token="t0p")) as up, calling(up) as export:
        assert code_of(export, b"one") == grpc.StatusCode.UNAUTHENTICATED
        export(b"one", timeout=10, metadata=(("authorization", "Bearer t0p"),))
    assert up.ingest.names == ["one"]


def test_a_call_that_runs_when_it_ends_is_still_answered(tmp_path: Path) -> None:
    entered, gate = threading.Event(), threading.Event()

    def hold(batch: Batch) -> None:
        entered.set()
        assert gate.wait(10)

    ingest = MemoryIngest(before=hold)
    answers: list[bytes] = []
    with running(settings_for(tmp_path), ingest) as up, calling(up) as export:
        late = threading.Thread(target=lambda: answers.append(export(b"late", timeout=10)))
        late.start()
        assert entered.wait(10)
        up.receiver.stop()
        until(lambda: probe("127.0.0.1", up.status.http_port, timeout_s=0.2) is None)
        gate.set()
        late.join()
    assert ingest.names == ["late"]
    assert answers == [b""]
