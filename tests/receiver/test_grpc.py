from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from collector.errors import StoreBusy
from collector.model import Batch
from collector.receiver import probe
from tests.receiver.running import MemoryIngest, Running, running, settings_for, until

EXPORT = "/opentelemetry.proto.collector.{}.v1.{}Service/Export"
TRACES = EXPORT.format("trace", "Trace")
RECORDED = (Path(__file__).parents[1] / "payloads" / "otel-genai_grpc" / "01-traces.pb").read_bytes()


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


def test_a_body_that_is_turned_away_is_in_the_ledger_and_one_too_many_may_be_tried_again(tmp_path: Path) -> None:
    with running(settings_for(tmp_path, queue_bytes=1000)) as up, calling(up) as export:
        assert code_of(export, b"broken") == grpc.StatusCode.INVALID_ARGUMENT
        [refused] = [one for batch in up.ingest.batches for one in batch.refused]
        assert (up.ingest.batches[0].source, refused.sample) == ("otlp-grpc", "traces: not words")
        assert up.receiver._queue.room.take(900)
        assert code_of(export, b"one" + b" " * 200) == grpc.StatusCode.RESOURCE_EXHAUSTED
        up.receiver._queue.room.give(900)
        export(b"one" + b" " * 200, timeout=10)
        assert up.receiver._queue.room.held == 0


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with running(settings_for(tmp_path_factory.mktemp("grpc")), real=True) as up, calling(up) as export:
        yield export


@settings(suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=8), st.integers(0, len(RECORDED)))
def test_damaged_bodies_are_the_senders_trouble(real: Any, put_in: bytes, at: int) -> None:
    code = grpc.StatusCode.OK
    try:
        real(RECORDED[:at] + put_in + RECORDED[at + 1 :], timeout=10)
    except grpc.RpcError as e:
        code = e.code()
    assert code in (grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT)


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


def test_with_a_token_only_those_who_send_it_get_in(tmp_path: Path) -> None:
    with running(settings_for(tmp_path, token="t0p")) as up, calling(up) as export:
        assert code_of(export, b"one") == grpc.StatusCode.UNAUTHENTICATED
        basic = base64.b64encode(b"any:t0p").decode()
        for pair in (("authorization", "Bearer t0p"), ("x-api-key", "t0p"), ("authorization", f"Basic {basic}")):
            export(b"one", timeout=10, metadata=(pair,))
        assert code_of(export, b"one", metadata=(("x-api-key", "no"),)) == grpc.StatusCode.UNAUTHENTICATED
    assert up.ingest.names == ["one"] * 3


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
