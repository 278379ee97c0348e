"""OTLP over gRPC: TraceService, LogsService and MetricsService, by generic handlers (bytes in, bytes out).

Listens on a socket file in a directory of its own, which only this user can enter; `first_bytes` passes HTTP/2
connections on to it. Same limits, same queue, same answer after the commit as over HTTP. Codes follow
opentelemetry.io/docs/specs/otlp/#failures: UNAVAILABLE and RESOURCE_EXHAUSTED may be tried again.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import grpc

from collector.errors import DecodeError, StoreBusy, StoreError, TooLarge, TracetuiError
from collector.model import Batch, Receipt, Refusal
from collector.protocols.otlp import METRICS
from collector.receiver.answers import PROTOBUF, export_response, rejection
from collector.receiver.corridor import WriteQueue
from collector.receiver.decoding import Decoders
from collector.receiver.frames import COUNTED
from collector.receiver.guard import WANTED, Guard
from collector.receiver.room import Overloaded
from collector.settings import Settings

SERVICES = {
    "opentelemetry.proto.collector.trace.v1.TraceService": "traces",
    "opentelemetry.proto.collector.logs.v1.LogsService": "logs",
    "opentelemetry.proto.collector.metrics.v1.MetricsService": "metrics",
}
SOURCE = "otlp-grpc"
NOT_OTLP = "the body is not what its type says, or over a limit"
AT_ONCE = 16
CODES: Sequence[tuple[type[Exception], grpc.StatusCode]] = (
    (DecodeError, grpc.StatusCode.INVALID_ARGUMENT),
    (TooLarge, grpc.StatusCode.INVALID_ARGUMENT),  # not RESOURCE_EXHAUSTED: the same body again helps nobody
    (Overloaded, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (StoreBusy, grpc.StatusCode.UNAVAILABLE),
    (StoreError, grpc.StatusCode.UNAVAILABLE),
)


class GrpcServer:
    """A running gRPC server; `path` is the socket file to connect to."""

    def __init__(self, settings: Settings, queue: WriteQueue, decoders: Decoders, guard: Guard) -> None:
        self._queue = queue
        self._decoders = decoders
        self._guard = guard
        self._folder = Path(tempfile.mkdtemp(prefix="tracetui-"))
        self.path = str(self._folder / "grpc")
        self._server = grpc.server(
            ThreadPoolExecutor(AT_ONCE, "grpc"),
            options=[
                ("grpc.max_receive_message_length", settings.max_body_bytes),
                ("grpc.max_metadata_size", 64 * 1024),
            ],
        )
        self._server.add_generic_rpc_handlers(tuple(self._handlers()))
        try:
            self._server.add_insecure_port(f"unix:{self.path}")
            self._server.start()
        except BaseException:
            self._clean_up()
            raise

    def stop(self, grace_s: float) -> None:
        """End: running calls get so long to be answered. A second stop does nothing."""
        self._server.stop(grace_s).wait()
        self._clean_up()

    def _clean_up(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def _handlers(self) -> list[grpc.GenericRpcHandler]:
        return [
            grpc.method_handlers_generic_handler(
                service, {"Export": grpc.unary_unary_rpc_method_handler(partial(self._export, signal))}
            )
            for service, signal in SERVICES.items()
        ]

    def _export(self, signal: str, body: bytes, context: Any) -> bytes:
        headers = {key.lower(): value for key, value in context.invocation_metadata() if isinstance(value, str)}
        if not self._guard.has_token(headers):
            context.abort(grpc.StatusCode.UNAUTHENTICATED, WANTED)
        try:
            receipt = self._store(signal, body)
        except Exception as e:  # noqa: BLE001  # one of the four edges
            code = next((code for kind, code in CODES if isinstance(e, kind)), grpc.StatusCode.INTERNAL)
            known = isinstance(e, (TracetuiError, Overloaded))
            if code is grpc.StatusCode.INVALID_ARGUMENT:
                self._count_refusal(f"{signal}: {e}")
            context.abort(code, str(e) if known else f"the collector failed: {type(e).__name__}")
        if signal == "metrics":
            return export_response(signal, PROTOBUF, 0, "")
        return export_response(signal, PROTOBUF, receipt.rejected, rejection(receipt))

    def _store(self, signal: str, body: bytes) -> Receipt:
        room, size = self._queue.room, len(body)
        if size > COUNTED:  # its room was taken before it was read
            return self._queue.accept(lambda: body, self._decoder(signal)).result()
        if not room.take(size):
            raise room.full()
        try:
            return self._queue.accept(lambda: body, self._decoder(signal)).result()
        finally:
            room.give(size)

    def _decoder(self, signal: str) -> Callable[[bytes], Batch]:
        if signal == "metrics":
            return lambda _: Batch(SOURCE, refused=(METRICS,))
        return partial(self._decoders.run, partial(self._decoders.decode, signal, kind=PROTOBUF), SOURCE)

    def _count_refusal(self, sample: str) -> None:
        """Put into the ledger that a body was turned away as a whole, as over HTTP."""
        refused = Batch(SOURCE, refused=(Refusal(NOT_OTLP, sample),))
        with contextlib.suppress(TracetuiError):
            self._queue.accept(bytes, lambda _: refused).result()
