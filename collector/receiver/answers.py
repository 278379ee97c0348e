"""OTLP's response bodies, in the request's own content type.

Success and partial success are ExportTraceServiceResponse (and its twins for logs and metrics, which have the same
field numbers), errors are google.rpc.Status. Both are a handful of bytes, so they are written here by hand:
opentelemetry-proto/collector/trace/v1/trace_service.proto, googleapis/google/rpc/status.proto,
opentelemetry.io/docs/specs/otlp/#otlphttp-response
"""

from __future__ import annotations

import json

from collector.model import Receipt

PROTOBUF = "application/x-protobuf"
JSON = "application/json"

REJECTED_NAMES = {"traces": "rejectedSpans", "logs": "rejectedLogRecords", "metrics": "rejectedDataPoints"}
RPC_CODES = {400: 3, 401: 16, 403: 7, 404: 5, 408: 4, 413: 8, 415: 3, 429: 8, 500: 13, 503: 14}
"""HTTP status -> google.rpc.Code."""


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
    """Why spans of a body were left out, for its sender; "" when none were."""
    if not receipt.rejected:
        return ""
    return f"{receipt.rejected} of {receipt.received} rejected: {'; '.join(receipt.reasons[:5])}"


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
