"""OTLP over HTTP: `POST /v1/traces`, `/v1/logs`, `/v1/metrics`; protobuf or JSON, answered after the commit.

They answer under any path before them, too: Langfuse's SDKs post to /api/public/otel/v1/traces, LangSmith's to
/otel/v1/traces, and an endpoint that was written down with a path of its own keeps it. Metrics are acknowledged and
counted, not stored: nobody here reads them, but an exporter that gets no answer fills its log.
Status codes follow opentelemetry.io/docs/specs/otlp/#failures: what may be tried again is 429 or 503 with
Retry-After, everything else is the sender's to mend.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from starlette.responses import Response

from collector.model import Batch
from collector.protocols.otlp import METRICS
from collector.receiver.answers import answer_type, export_response, otlp_error, rejection
from collector.receiver.bodies import media_type
from collector.receiver.call import Call, Door, Way

NO_METRICS = Batch("otlp-http", refused=(METRICS,))


async def export(signal: str, call: Call) -> Response:
    """Spans, or log records."""
    header = call.request.headers.get("content-type")
    media_type(header, b"")  # before the body: what nobody reads need not be sent
    kind = answer_type(header)

    def decode(body: bytes) -> Batch:
        nonlocal kind
        kind = media_type(header, body)
        return call.house.decoders.decode(signal, body, kind)

    receipt = await call.store(decode)
    return Response(export_response(signal, kind, receipt.rejected, rejection(receipt)), media_type=kind)


async def metrics(call: Call) -> Response:
    await call.raw()
    await call.write(NO_METRICS)
    kind = answer_type(call.request.headers.get("content-type"))
    return Response(export_response("metrics", kind, 0, ""), media_type=kind)


ANSWERS: dict[str, Callable[[Call], Awaitable[Response]]] = {
    "traces": partial(export, "traces"),
    "logs": partial(export, "logs"),
    "metrics": metrics,
}

DOOR = Door(
    "otlp-http",
    tuple(
        Way("POST", f"{prefix}/v1/{signal}", answer)
        for prefix in ("", "/{prefix:path}")
        for signal, answer in ANSWERS.items()
    ),
    fail=otlp_error,
)
