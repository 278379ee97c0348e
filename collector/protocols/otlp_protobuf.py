"""OTLP in protobuf. A hot path: 27 attributes are read in the time one log line takes to format."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from google.protobuf.message import DecodeError as ProtobufError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collector.errors import DecodeError, TooLarge
from collector.model import Event, Link, LogRecord, Refusal, Resource, Scope, SpanPart, Value
from collector.protocols.limits import Limits, Refusals, SpanError
from collector.protocols.parts import check_ids, logs_of_spans, span_part


def traces(body: bytes, limits: Limits) -> tuple[tuple[SpanPart, ...], tuple[Refusal, ...]]:
    request = _parse(ExportTraceServiceRequest, body)
    groups = [
        (resource_spans, scope_spans)
        for resource_spans in request.resource_spans
        for scope_spans in resource_spans.scope_spans
    ]
    _check_count(sum(len(scope_spans.spans) for _, scope_spans in groups), limits, "spans")
    parts: list[SpanPart] = []
    refusals = Refusals()
    resource, of = None, None
    for resource_spans, scope_spans in groups:
        try:
            if of is not resource_spans:
                resource, of = _resource(resource_spans, limits), resource_spans
            scope = _scope(scope_spans, limits)
        except SpanError as bad:
            for span in scope_spans.spans:
                refusals.add(str(bad), _sample(span))
            continue
        for span in scope_spans.spans:
            try:
                parts.append(_span(span, resource, scope, limits))
            except SpanError as bad:
                refusals.add(str(bad), _sample(span))
    return tuple(parts), refusals.result()


def logs(body: bytes, limits: Limits) -> tuple[tuple[SpanPart, ...], tuple[Refusal, ...]]:
    request = _parse(ExportLogsServiceRequest, body)
    records = [
        record
        for resource_logs in request.resource_logs
        for scope_logs in resource_logs.scope_logs
        for record in scope_logs.log_records
    ]
    _check_count(len(records), limits, "log records")
    said: list[tuple[str, str, LogRecord]] = []
    refusals = Refusals()
    for record in records:
        try:
            said.append(_log(record, limits))
        except SpanError as bad:
            refusals.add(str(bad), _log_sample(record))
    return logs_of_spans(said), refusals.result()


def _parse(message: Any, body: bytes) -> Any:
    try:
        return message.FromString(body)
    except ProtobufError as error:
        raise DecodeError(f"OTLP body of {len(body)} bytes is not an {message.__name__}: {error}") from error


def _check_count(count: int, limits: Limits, what: str) -> None:
    if count > limits.spans:
        raise TooLarge(f"a body of {count} {what}; at most {limits.spans} are read at once, so send smaller batches")


def _span(span: Any, resource: Resource | None, scope: Scope | None, limits: Limits) -> SpanPart:
    events = span.events
    links = span.links
    status = span.status
    return span_part(
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.name,
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        attributes(span.attributes, limits),
        tuple([_event(event, limits) for event in events]) if events else (),
        tuple([_link(link, limits) for link in links]) if links else (),
        span.kind,
        status.code,
        status.message,
        span.trace_state,
        span.flags,
        (span.dropped_attributes_count, span.dropped_events_count, span.dropped_links_count),
        resource,
        scope,
    )


def _event(event: Any, limits: Limits) -> Event:
    said = attributes(event.attributes, limits)
    return Event(event.time_unix_nano, event.name, said, event.dropped_attributes_count)


def _link(link: Any, limits: Limits) -> Link:
    return Link(
        link.trace_id.hex(), link.span_id.hex(), link.trace_state, attributes(link.attributes, limits),
        link.dropped_attributes_count, link.flags,
    )  # fmt: skip


def _log(record: Any, limits: Limits) -> tuple[str, str, LogRecord]:
    if not record.span_id:
        raise SpanError("log record names no span")
    trace_id, span_id = record.trace_id.hex(), record.span_id.hex()
    check_ids(trace_id, span_id)
    said = attributes(record.attributes, limits)
    name = record.event_name or said.get("event.name")
    return (
        trace_id,
        span_id,
        LogRecord(
            record.time_unix_nano or record.observed_time_unix_nano,
            name if isinstance(name, str) else "",
            _value(record.body, limits.depth),
            said,
            record.severity_text,
            record.severity_number,
        ),
    )


def _resource(resource_spans: Any, limits: Limits) -> Resource | None:
    if not resource_spans.HasField("resource") and not resource_spans.schema_url:
        return None
    resource = resource_spans.resource
    said = attributes(resource.attributes, limits)
    return Resource(said, resource.dropped_attributes_count, resource_spans.schema_url)


def _scope(scope_spans: Any, limits: Limits) -> Scope | None:
    if not scope_spans.HasField("scope") and not scope_spans.schema_url:
        return None
    scope = scope_spans.scope
    said = attributes(scope.attributes, limits)
    return Scope(scope.name, scope.version, said, scope.dropped_attributes_count, scope_spans.schema_url)


def attributes(pairs: Iterable[Any], limits: Limits) -> dict[str, Value]:
    """KeyValue messages as a dict. Most values are short strings, so those are tried first."""
    out: dict[str, Value] = {}
    for pair in pairs:
        value = pair.value
        out[pair.key] = value.string_value or _value(value, limits.depth)
    if len(out) > limits.attributes:
        raise SpanError(f"more than {limits.attributes} attributes")
    return out


def _value(value: Any, depth: int) -> Value:
    """An AnyValue; None where it is unset, or of a type newer than this code."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        if depth <= 0:
            raise SpanError("values nested too deeply")
        return [_value(item, depth - 1) for item in value.array_value.values]
    if kind == "kvlist_value":
        if depth <= 0:
            raise SpanError("values nested too deeply")
        return {item.key: _value(item.value, depth - 1) for item in value.kvlist_value.values}
    if kind in _SCALARS:
        scalar: Value = getattr(value, kind)
        return scalar
    return None


_SCALARS = frozenset({"string_value", "bool_value", "int_value", "double_value", "bytes_value"})


def _sample(span: Any) -> str:
    return f"{span.name} (trace {span.trace_id.hex() or '-'}, span {span.span_id.hex() or '-'})"


def _log_sample(record: Any) -> str:
    body = record.body.string_value
    event = next((a.value.string_value for a in record.attributes if a.key == "event.name"), "")
    return f"{record.event_name or event or 'log'} {body}".strip()
