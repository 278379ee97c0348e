"""OTLP, the protocol of OpenTelemetry: trace and log bodies to parts, and parts to trace bodies.

https://opentelemetry.io/docs/specs/otlp/ ; the messages are those of opentelemetry-proto 1.x. What comes in
as a trace goes out equal: every kind of value, dropped counts, trace state, flags, links, events, resource and scope.
A key sent twice within one list of attributes (which OTLP forbids) has its last value; the others are kept beside it.
"""

from __future__ import annotations

from collections.abc import Iterable

from collector.errors import UnsupportedMedia
from collector.model import Batch, Refusal, SpanPart
from collector.protocols.limits import LIMITS, Limits

PROTOBUF, JSON = "application/x-protobuf", "application/json"
SOURCE = "otlp-http"
METRICS = Refusal("metrics are not stored", "a body of metrics")
"""What a body of metrics counts as: nobody here reads them, and its sender should not be made to try again."""

_PROTOBUF_NAMES = {PROTOBUF, "application/protobuf", "application/octet-stream"}


def decode_traces(body: bytes, content_type: str = PROTOBUF, limits: Limits = LIMITS) -> Batch:
    """The spans of an ExportTraceServiceRequest (gRPC sends the same bytes as HTTP's protobuf).

    A span that cannot be stored becomes a Refusal, and the rest goes on. Raises DecodeError when the body is not
    OTLP, TooLarge over `limits.spans`, UnsupportedMedia for another content type.
    """
    if _is_json(content_type):
        from collector.protocols.otlp_json import traces
    else:
        from collector.protocols.otlp_protobuf import traces
    parts, refused = traces(body, limits)
    return Batch(SOURCE, parts, refused=refused)


def decode_logs(body: bytes, content_type: str = PROTOBUF, limits: Limits = LIMITS) -> Batch:
    """The log records of an ExportLogsServiceRequest, as late parts of the spans they name.

    Records of one span come as one part. A record that names no span is refused, and counted. Raises as above.
    """
    if _is_json(content_type):
        from collector.protocols.otlp_json import logs
    else:
        from collector.protocols.otlp_protobuf import logs
    parts, refused = logs(body, limits)
    return Batch(SOURCE, parts, refused=refused)


def encode_traces(spans: Iterable[SpanPart]) -> bytes:
    """One line of OTLP/JSON (without the newline): an ExportTraceServiceRequest of these spans, in order."""
    from collector.protocols.otlp_encode import to_json

    return to_json(spans)


def encode_traces_protobuf(spans: Iterable[SpanPart]) -> bytes:
    """The same request as protobuf."""
    from collector.protocols.otlp_encode import to_protobuf

    return to_protobuf(spans)


def encode_logs(spans: Iterable[SpanPart]) -> bytes:
    """One line of OTLP/JSON: an ExportLogsServiceRequest of the log records that the parts of spans hold."""
    from collector.protocols.otlp_encode import logs_to_json

    return logs_to_json(spans)


def encode_logs_protobuf(spans: Iterable[SpanPart]) -> bytes:
    """The same request as protobuf."""
    from collector.protocols.otlp_encode import logs_to_protobuf

    return logs_to_protobuf(spans)


def rejected_of(answer: bytes, content_type: str = PROTOBUF) -> tuple[int, str]:
    """(how many, why) the other side left out, of an ExportTraceServiceResponse or its twin for logs. DecodeError."""
    from collector.protocols.otlp_encode import partial_success

    return partial_success(answer, content_type.startswith(JSON))


def _is_json(content_type: str) -> bool:
    media = content_type.partition(";")[0].strip().lower()
    if media == JSON:
        return True
    if media in _PROTOBUF_NAMES:
        return False
    raise UnsupportedMedia(f"content type {content_type[:80]!r} is not OTLP; send {PROTOBUF} or {JSON}")
