"""Answers: plain JSON for everybody, and OTLP's response bodies in the request's own content type.

Success and partial success are ExportTraceServiceResponse (and its twins for logs and metrics, which have the same
field numbers), errors are google.rpc.Status. Both are a handful of bytes, so they are written here by hand:
opentelemetry-proto/collector/trace/v1/trace_service.proto, googleapis/google/rpc/status.proto,
opentelemetry.io/docs/specs/otlp/#otlphttp-response
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import Response

from collector.model import Receipt, Refusal

if TYPE_CHECKING:
    from collector.receiver.call import Call

PROTOBUF = "application/x-protobuf"
JSON = "application/json"

REJECTED_NAMES = {"traces": "rejectedSpans", "logs": "rejectedLogRecords", "metrics": "rejectedDataPoints"}
RPC_CODES = {400: 3, 401: 16, 403: 7, 404: 5, 408: 4, 413: 8, 415: 3, 429: 8, 500: 13, 503: 14}
"""HTTP status -> google.rpc.Code."""
REASONS, NAMED = 10, 20


def json_response(document: Any, status: int = 200) -> Response:
    """A JSON document of whatever a span may hold: bytes as base64, integers of any length, NaN as null."""
    try:
        body = orjson.dumps(document, default=_told)
    except TypeError:  # an integer beyond 64 bits, half of a surrogate pair, deeper than orjson writes
        text = json.dumps(_finite(document), default=_told, ensure_ascii=False)
        body = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
    return Response(body, status, media_type=JSON)


def _told(value: object) -> str:
    """What JSON has no word for."""
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value


def plain_error(call: Call | None, status: int, message: str) -> Response:
    """{"message": "one sentence"}: what a door says that has no words of its own."""
    return json_response({"message": message}, status)


def otlp_error(call: Call, status: int, message: str) -> Response:
    """An error as OTLP wants it."""
    kind = answer_type(call.request.headers.get("content-type"))
    return Response(error_body(status, kind, message), status, media_type=kind)


def answer_type(content_type: str | None) -> str:
    """The type to answer in, by the type of the request."""
    return PROTOBUF if "protobuf" in (content_type or "") else JSON


def export_response(signal: str, content_type: str, rejected: int, message: str) -> bytes:
    """All is well (0 rejected and no message), or: so many were rejected, and why."""
    if content_type == JSON:
        if not rejected and not message:
            return b"{}"
        partial = {REJECTED_NAMES[signal]: str(rejected), "errorMessage": message}
        return json.dumps({"partialSuccess": partial}).encode()
    if not rejected and not message:
        return b""
    inner = (b"\x08" + _varint(rejected) if rejected else b"") + _text(2, message)
    return b"\x0a" + _varint(len(inner)) + inner


def error_body(status: int, content_type: str, message: str) -> bytes:
    """A google.rpc.Status for an HTTP status."""
    code = RPC_CODES.get(status, 2)
    if content_type == PROTOBUF:
        return b"\x08" + _varint(code) + _text(2, message)
    return json.dumps({"code": code, "message": message}).encode()


def rejection(receipt: Receipt) -> str:
    """Which spans of a body were left out, or cut short, and why; "" when none were.

    It is for the sender, who may write it into a log: it holds ids and reasons, and nothing of the content.
    """
    said = []
    if receipt.rejected:
        whys = [_why(refusal) for refusal in receipt.refused[:REASONS]] or list(receipt.reasons[:REASONS])
        said.append(f"{receipt.rejected} of {receipt.received} rejected: {'; '.join(whys)}")
        if len(receipt.refused) > REASONS:
            said[0] += f"; and {len(receipt.refused) - REASONS} more"
    if receipt.cut:
        said.append(f"{len(receipt.cut)} stored cut short{_named(receipt.cut, len(receipt.cut))}")
    return "; ".join(said)


def _why(refusal: Refusal) -> str:
    return f"{refusal.reason}{_named(refusal.spans, refusal.count)}"


def _named(spans: Sequence[tuple[str, str]], count: int) -> str:
    """ " (span a, span b and 3 more)": the ids of spans, where there are any."""
    names = [
        f"span {span}" if span.strip("0") else f"a span of trace {trace}"
        for trace, span in spans[:NAMED]
        if (span + trace).strip("0")
    ]
    if not names:
        return ""
    more = f" and {count - len(names)} more" if count > len(names) else ""
    return f" ({', '.join(names)}{more})"


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _text(field: int, text: str) -> bytes:
    data = text.encode("utf-8", "replace")
    return bytes([field << 3 | 2]) + _varint(len(data)) + data if data else b""
