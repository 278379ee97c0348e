"""The endpoints, as a Starlette application.

    POST /v1/traces   /v1/logs   OTLP, protobuf or JSON, plain or gzip; answered after the commit
    POST /v1/metrics             acknowledged and counted, not stored
    POST /v1/native              our own JSON lines; answered with the receipt as JSON
    POST /v1/traces/ingest       what the OpenAI Agents SDK sends to its own backend; answered 204
    GET  /v1/status              see `status`

OTLP's two also answer under /api/public/otel and /otel, where Langfuse's and LangSmith's OTel exporters post.
Status codes follow opentelemetry.io/docs/specs/otlp/#failures: what may be tried again is 429 or 503 with
Retry-After, everything else is the sender's to mend.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, dataclass, field, replace
from functools import partial

import orjson
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from collector.errors import DecodeError, StoreBusy, StoreError, TooLarge, TracetuiError, UnsupportedMedia
from collector.model import Batch, Receipt, Refusal
from collector.receiver import bodies
from collector.receiver.answers import JSON, PROTOBUF, error_body, export_response, rejection
from collector.receiver.corridor import Overloaded, WriteQueue
from collector.receiver.decoding import Decoders
from collector.receiver.guard import Guard, cors_headers
from collector.receiver.status import Status
from collector.settings import Settings

BODY_S = 60.0
AT_ONCE = 256
PREFIXES = ("", "/api/public/otel", "/otel")
HTTP_CODES: tuple[tuple[type[Exception], int], ...] = (
    (DecodeError, 400),
    (UnsupportedMedia, 415),
    (TooLarge, 413),
    (Overloaded, 429),
    (StoreBusy, 503),
    (StoreError, 503),
)

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Endpoints:
    """What the handlers need. `status` is asked anew for every answer."""

    settings: Settings
    queue: WriteQueue
    decoders: Decoders
    status: Callable[[], Status]
    guard: Guard
    busy: int = field(default=0)

    def application(self) -> ASGIApp:
        routes = [
            Route("/v1/status", self.tell_status, methods=["GET"]),
            Route("/v1/native", self.native, methods=["POST"]),
            Route("/v1/traces/ingest", self.openai_agents, methods=["POST"]),
        ]
        for signal in ("traces", "logs", "metrics"):
            handler = self.metrics if signal == "metrics" else partial(self.export, signal)
            routes += [Route(f"{prefix}/v1/{signal}", handler, methods=["POST"]) for prefix in PREFIXES]
        return Gate(Starlette(routes=routes), self)

    async def export(self, signal: str, request: Request) -> Response:
        """POST /v1/traces and /v1/logs."""
        kind = _answer_type(request)
        try:
            body = await self._read(request)
            kind = bodies.media_type(request.headers.get("content-type"), body)
            unpack = partial(
                bodies.inflate, body, request.headers.get("content-encoding"), self.settings.max_body_bytes
            )
            decode = partial(
                self.decoders.decode, signal, unpack, kind, "otlp-http", request.headers.get("content-type")
            )
            receipt = await asyncio.wrap_future(self.queue.accept(decode, len(body)))
        except Exception as e:  # noqa: BLE001  # one of the four edges: whatever happened, the sender gets an answer
            return _failure(e, kind)
        return Response(export_response(signal, kind, receipt.rejected, rejection(receipt)), media_type=kind)

    async def metrics(self, request: Request) -> Response:
        """POST /v1/metrics: nobody here reads them, but an exporter that gets no answer fills its log."""
        kind = _answer_type(request)
        try:
            await self._read(request)
            batch = Batch("otlp-http", refused=(Refusal("metrics are not stored", "a body of metrics"),))
            await asyncio.wrap_future(self.queue.accept(lambda: batch, 0))
        except Exception as e:  # noqa: BLE001
            return _failure(e, kind)
        return Response(export_response("metrics", kind, 0, ""), media_type=kind)

    async def native(self, request: Request) -> Response:
        """POST /v1/native: spans, scores and processes as JSON lines; the answer is the receipt."""
        try:
            body = await self._read(request)
            unpack = partial(
                bodies.inflate, body, request.headers.get("content-encoding"), self.settings.max_body_bytes
            )
            decode = partial(self.decoders.decode, "native", unpack, "", "sdk", None)
            receipt = await asyncio.wrap_future(self.queue.accept(decode, len(body), alone=True))
        except Exception as e:  # noqa: BLE001
            return _failure(e, JSON)
        return Response(orjson.dumps(receipt_json(receipt)), media_type=JSON)

    async def openai_agents(self, request: Request) -> Response:
        """POST /v1/traces/ingest: 204, and what was refused is in the ledger; its SDK reads no more than the code."""
        try:
            body = await self._read(request)
            unpack = partial(
                bodies.inflate, body, request.headers.get("content-encoding"), self.settings.max_body_bytes
            )
            decode = partial(self.decoders.decode, "openai-agents", unpack, "", "openai-agents", None)
            await asyncio.wrap_future(self.queue.accept(decode, len(body)))
        except Exception as e:  # noqa: BLE001
            return _failure(e, JSON)
        return Response(status_code=204)

    async def tell_status(self, request: Request) -> Response:
        """GET /v1/status."""
        status = await asyncio.get_running_loop().run_in_executor(None, self.status)
        return Response(orjson.dumps(status.to_json()), media_type=JSON)

    async def _read(self, request: Request) -> bytes:
        async with asyncio.timeout(BODY_S):
            return await bodies.read(
                _chunks(request), request.headers.get("content-length"), self.settings.max_body_bytes
            )


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    async for chunk in request.stream():
        if chunk:
            yield chunk


def receipt_json(receipt: Receipt) -> dict[str, object]:
    """{"received", "stored", "duplicate", "clipped", "rejected", "reasons"}: counts of spans. "refused" and "cut"
    name them: [{"reason", "count", "spans": [[trace id, span id], …]}, …] and [[trace id, span id], …]."""
    refused = [{"reason": one.reason, "count": one.count, "spans": one.spans} for one in receipt.refused]
    return asdict(replace(receipt, refused=())) | {"refused": refused}


def _answer_type(request: Request) -> str:
    """The type to answer in before the body has been read."""
    header = request.headers.get("content-type", "")
    return PROTOBUF if "protobuf" in header else JSON


def http_status(error: BaseException) -> int:
    """The status code an error is answered with."""
    return next((code for kind, code in HTTP_CODES if isinstance(error, kind)), 500)


def _failure(error: Exception, kind: str) -> Response:
    if isinstance(error, ClientDisconnect):
        return Response(status_code=400)
    if isinstance(error, TimeoutError):
        return _error(408, kind, f"the body did not arrive within {BODY_S:.0f} s")
    status = http_status(error)
    if status == 500:
        log.exception("a request could not be handled", exc_info=error)
    known = isinstance(error, (TracetuiError, Overloaded))
    return _error(status, kind, str(error) if known else f"the collector failed: {type(error).__name__}")


def _error(status: int, kind: str, message: str) -> Response:
    headers = {"retry-after": "1"} if status in (429, 503) else {}
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    return Response(error_body(status, kind, message), status, headers, media_type=kind)


class Gate:
    """In front of everything: who may come in, how many at once, and what a browser is told."""

    def __init__(self, app: ASGIApp, endpoints: Endpoints) -> None:
        self._app = app
        self._endpoints = endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = Headers(scope=scope)
        answer = self._turned_away(scope, headers)
        origin = headers.get("origin")
        if origin is not None and self._endpoints.guard.allows_origin(origin):
            preflight = scope["method"] == "OPTIONS" and "access-control-request-method" in headers
            extra = cors_headers(origin, headers.get("access-control-request-headers"), preflight=preflight)
            send = _with_headers(send, extra)
            if preflight:
                answer = Response(status_code=204)
        if answer is not None:
            await answer(scope, receive, send)
            return
        self._endpoints.busy += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._endpoints.busy -= 1

    def _turned_away(self, scope: Scope, headers: Headers) -> Response | None:
        verdict = self._endpoints.guard.check(headers)
        kind = PROTOBUF if "protobuf" in headers.get("content-type", "") else JSON
        if verdict.status == 401 and scope["path"] == "/v1/status":
            introduction = orjson.dumps(self._endpoints.status().introduction())
            return Response(introduction, 401, {"www-authenticate": "Bearer"}, media_type=JSON)
        if verdict.status:
            return _error(verdict.status, kind, verdict.message)
        if self._endpoints.busy >= AT_ONCE:
            return _error(429, kind, f"{AT_ONCE} requests are being handled at once")
        return None


def _with_headers(send: Send, extra: dict[str, str]) -> Callable[[Message], Awaitable[None]]:
    added = [(name.encode(), value.encode("latin-1", "replace")) for name, value in extra.items()]

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *added]
        await send(message)

    return sending
