"""Parts as OTLP, in JSON and in protobuf: the exact inverse of decoding.

A part that carries a reading of its own (our SDK's) says it in `gen_ai.*` attributes as well.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import orjson

from collector import conventions
from collector.errors import DecodeError
from collector.model import NO_READING, Event, Link, LogRecord, Resource, Scope, SpanPart, Value
from collector.protocols import jsonbody
from collector.protocols.parts import REPEATED, SENT_END

Json = dict[str, Any]


def to_json(spans: Iterable[SpanPart]) -> bytes:
    groups = [_resource_spans(resource, scopes) for resource, scopes in _grouped(spans)]
    return orjson.dumps({"resourceSpans": groups})


def to_protobuf(spans: Iterable[SpanPart]) -> bytes:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    request = ExportTraceServiceRequest()
    for resource, scopes in _grouped(spans):
        group = request.resource_spans.add()
        if resource is not None:
            group.resource.SetInParent()
            group.schema_url = resource.schema_url
            group.resource.dropped_attributes_count = resource.dropped
            _add(group.resource.attributes, resource.attributes)
            for entity in resource.entity_refs:
                group.resource.entity_refs.add(**entity)
        for scope, parts in scopes:
            scoped = group.scope_spans.add()
            if scope is not None:
                scoped.scope.SetInParent()
                scoped.schema_url = scope.schema_url
                scoped.scope.name, scoped.scope.version = scope.name, scope.version
                scoped.scope.dropped_attributes_count = scope.dropped
                _add(scoped.scope.attributes, scope.attributes)
            for part in parts:
                _fill_span(scoped.spans.add(), part)
    data: bytes = request.SerializeToString()
    return data


def logs_to_json(spans: Iterable[SpanPart]) -> bytes:
    groups = []
    for resource, scopes in _grouped(part for part in spans if part.logs):
        group = _of_resource(resource)
        group["scopeLogs"] = [
            _of_scope(scope) | {"logRecords": [_record(part, record) for part in parts for record in part.logs]}
            for scope, parts in scopes
        ]
        groups.append(group)
    return orjson.dumps({"resourceLogs": groups})


def _record(part: SpanPart, record: LogRecord) -> Json:
    out: Json = {"traceId": part.trace_id, "spanId": part.span_id}
    at = str(max(0, record.time_ns))
    for name, value in (
        ("timeUnixNano", at), ("observedTimeUnixNano", at), ("eventName", clean(record.event_name or "")),
        ("severityText", clean(record.severity)), ("severityNumber", record.severity_number),
    ):  # fmt: skip
        if value:
            out[name] = value
    if record.body is not None:
        out["body"] = _value(record.body)
    return _with(out, record.attributes, 0)


def logs_to_protobuf(spans: Iterable[SpanPart]) -> bytes:
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

    request = ExportLogsServiceRequest()
    for resource, scopes in _grouped(spans):
        group = request.resource_logs.add()
        if resource is not None:
            _add(group.resource.attributes, resource.attributes)
        for scope, parts in scopes:
            scoped = group.scope_logs.add()
            if scope is not None:
                scoped.scope.name, scoped.scope.version = scope.name, scope.version
            for part in parts:
                for record in part.logs:
                    _fill_record(scoped.log_records.add(), part, record)
    data: bytes = request.SerializeToString()
    return data


def _fill_record(out: Any, part: SpanPart, record: LogRecord) -> None:
    out.trace_id, out.span_id = bytes.fromhex(part.trace_id), bytes.fromhex(part.span_id)
    out.time_unix_nano = out.observed_time_unix_nano = max(0, record.time_ns)
    out.event_name, out.severity_text = record.event_name or "", record.severity
    out.severity_number = record.severity_number
    if record.body is not None:
        _fill(out.body, record.body)
    _add(out.attributes, record.attributes)


def partial_success(answer: bytes, is_json: bool) -> tuple[int, str]:
    """Of any signal: their answers have the same fields under the same numbers."""
    from google.protobuf.message import Error as ProtobufError
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

    if not is_json:
        try:
            said = ExportTraceServiceResponse.FromString(answer).partial_success
        except ProtobufError as e:
            raise DecodeError(f"an answer of {len(answer)} bytes is not OTLP's: {e}") from e
        return said.rejected_spans, said.error_message
    document = jsonbody.load(answer, "an answer")
    partial = document.get("partialSuccess") if isinstance(document, dict) else None
    if not isinstance(partial, dict):
        return 0, ""
    rejected = str(partial.get("rejectedSpans") or partial.get("rejectedLogRecords") or 0)
    return int(rejected) if rejected.isdecimal() else 0, str(partial.get("errorMessage") or "")


def _grouped(
    spans: Iterable[SpanPart],
) -> Iterator[tuple[Resource | None, Iterable[tuple[Scope | None, list[SpanPart]]]]]:
    """Spans by resource, then scope, each in order of first appearance."""
    resource_name, scope_name = _naming(_resource_name), _naming(_scope_name)
    groups: dict[bytes, tuple[Resource | None, dict[bytes, tuple[Scope | None, list[SpanPart]]]]] = {}
    for part in spans:
        _, scopes = groups.setdefault(resource_name(part.resource), (part.resource, {}))
        scopes.setdefault(scope_name(part.scope), (part.scope, []))[1].append(part)
    for resource, scopes in groups.values():
        yield resource, scopes.values()


def _naming(name: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
    """Equal things get equal names; a thing seen before is not looked into again."""
    seen: dict[int, tuple[Any, bytes]] = {}

    def named(thing: Any) -> bytes:
        known = seen.get(id(thing))
        if known is None:
            known = seen[id(thing)] = (thing, b"" if thing is None else name(thing))
        return known[1]

    return named


def _resource_name(resource: Resource) -> bytes:
    entities = list(resource.entity_refs)
    return orjson.dumps([_attributes(resource.attributes), resource.dropped, resource.schema_url, entities])


def _scope_name(scope: Scope) -> bytes:
    return orjson.dumps([scope.name, scope.version, _attributes(scope.attributes), scope.dropped, scope.schema_url])


def _resource_spans(resource: Resource | None, scopes: Iterable[tuple[Scope | None, list[SpanPart]]]) -> Json:
    out = _of_resource(resource)
    out["scopeSpans"] = [_of_scope(scope) | {"spans": [_span(part) for part in parts]} for scope, parts in scopes]
    return out


def _of_resource(resource: Resource | None) -> Json:
    out: Json = {}
    if resource is None:
        return out
    out["resource"] = _with({}, resource.attributes, resource.dropped)
    if resource.entity_refs:
        names = {"schema_url": "schemaUrl", "id_keys": "idKeys", "description_keys": "descriptionKeys"}
        entities = [{names.get(name, name): said for name, said in one.items()} for one in resource.entity_refs]
        out["resource"]["entityRefs"] = entities
    if resource.schema_url:
        out["schemaUrl"] = resource.schema_url
    return out


def _of_scope(scope: Scope | None) -> Json:
    out: Json = {}
    if scope is None:
        return out
    head = {name: text for name, text in (("name", scope.name), ("version", scope.version)) if text}
    out["scope"] = _with(head, scope.attributes, scope.dropped)
    if scope.schema_url:
        out["schemaUrl"] = scope.schema_url
    return out


def said(part: SpanPart) -> Mapping[str, Value]:
    """The attributes that leave the house: as sent, with what the part's own reading says where nothing else does."""
    out: Mapping[str, Value] = part.attributes
    if part.reading is not NO_READING:
        out = {**conventions.encode(part.reading), **out}
    if SENT_END in out:
        out = {key: value for key, value in out.items() if key != SENT_END}
    return out


def ended_ns(part: SpanPart) -> int:
    sent = part.attributes.get(SENT_END)
    return sent if isinstance(sent, int) else part.end_ns or 0


def _span(part: SpanPart) -> Json:
    out: Json = {"traceId": part.trace_id, "spanId": part.span_id}
    for name, value in (
        ("traceState", part.trace_state), ("parentSpanId", part.parent_id), ("flags", part.flags),
        ("name", part.name), ("kind", part.otel_kind),
        ("startTimeUnixNano", str(part.start_ns or "")), ("endTimeUnixNano", str(ended_ns(part) or "")),
    ):  # fmt: skip
        if value:
            out[name] = value
    _with(out, said(part), part.dropped_attributes)
    for name, things in (("events", [_event(e) for e in part.events]), ("links", [_link(ln) for ln in part.links])):
        if things:
            out[name] = things
    for name, count in (("droppedEventsCount", part.dropped_events), ("droppedLinksCount", part.dropped_links)):
        if count:
            out[name] = count
    status = {n: v for n, v in (("message", part.status_message), ("code", code_of(part))) if v}
    out["status"] = status
    return out


def code_of(part: SpanPart) -> int:
    """The status code as sent; for a part that never was OTLP, that of its status."""
    return part.otel_status or {"ok": 1, "error": 2}.get(part.status or "", 0)


def _event(event: Event) -> Json:
    return _with({"timeUnixNano": str(event.time_ns), "name": event.name}, event.attributes, event.dropped)


def _link(link: Link) -> Json:
    out: Json = {"traceId": link.trace_id, "spanId": link.span_id}
    if link.trace_state:
        out["traceState"] = link.trace_state
    if link.flags:
        out["flags"] = link.flags
    return _with(out, link.attributes, link.dropped)


def _with(out: Json, attributes: Mapping[str, Value], dropped: int) -> Json:
    if attributes:
        out["attributes"] = _attributes(attributes)
    if dropped:
        out["droppedAttributesCount"] = dropped
    return out


def _attributes(attributes: Mapping[str, Value]) -> list[Json]:
    return [{"key": clean(key), "value": _value(value)} for key, value in as_sent(attributes)]


def as_sent(attributes: Mapping[str, Value]) -> Iterable[tuple[str, Value]]:
    """The pairs of an attribute list, those that were sent under one key among them."""
    repeated = attributes.get(REPEATED)
    if not isinstance(repeated, list):
        return attributes.items()
    first = [pair for one in repeated if isinstance(one, dict) for pair in one.items()]
    return first + [pair for pair in attributes.items() if pair[0] != REPEATED]


def _value(value: Value) -> Json:
    if isinstance(value, str):
        return {"stringValue": clean(value)}
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)} if -(2**63) <= value < 2**63 else {"stringValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value if math.isfinite(value) else _NOT_FINITE.get(value, "NaN")}
    if isinstance(value, bytes):
        return {"bytesValue": base64.b64encode(value).decode()}
    if isinstance(value, dict):
        return {"kvlistValue": {"values": _attributes(value)}}
    if isinstance(value, list | tuple):
        return {"arrayValue": {"values": [_value(item) for item in value]}}
    return {}


_NOT_FINITE = {math.inf: "Infinity", -math.inf: "-Infinity"}


def clean(text: str) -> str:
    """Text that UTF-8 can hold (half a surrogate pair becomes a question mark)."""
    return text if text.isascii() else text.encode(errors="replace").decode()


def _fill_span(out: Any, part: SpanPart) -> None:
    out.trace_id, out.span_id = bytes.fromhex(part.trace_id), bytes.fromhex(part.span_id)
    out.parent_span_id = bytes.fromhex(part.parent_id or "")
    out.name, out.kind, out.flags, out.trace_state = (
        clean(part.name or ""),
        part.otel_kind,
        part.flags,
        part.trace_state,
    )
    out.start_time_unix_nano, out.end_time_unix_nano = part.start_ns or 0, ended_ns(part)
    _add(out.attributes, said(part))
    for event in part.events:
        added = out.events.add()
        added.time_unix_nano, added.name, added.dropped_attributes_count = (
            event.time_ns,
            clean(event.name),
            event.dropped,
        )
        _add(added.attributes, event.attributes)
    for link in part.links:
        added = out.links.add()
        added.trace_id, added.span_id = bytes.fromhex(link.trace_id), bytes.fromhex(link.span_id)
        added.trace_state, added.flags, added.dropped_attributes_count = link.trace_state, link.flags, link.dropped
        _add(added.attributes, link.attributes)
    out.dropped_attributes_count = part.dropped_attributes
    out.dropped_events_count, out.dropped_links_count = part.dropped_events, part.dropped_links
    out.status.SetInParent()
    out.status.code, out.status.message = code_of(part), clean(part.status_message or "")


def _add(pairs: Any, attributes: Mapping[str, Value]) -> None:
    for key, value in as_sent(attributes):
        pair = pairs.add()
        pair.key = clean(key)
        _fill(pair.value, value)


def _fill(out: Any, value: Value) -> None:
    if isinstance(value, str):
        out.string_value = clean(value)
    elif isinstance(value, bool):
        out.bool_value = value
    elif isinstance(value, int):
        if -(2**63) <= value < 2**63:
            out.int_value = value
        else:
            out.string_value = str(value)
    elif isinstance(value, float):
        out.double_value = value
    elif isinstance(value, bytes):
        out.bytes_value = value
    elif isinstance(value, dict):
        out.kvlist_value.SetInParent()
        _add(out.kvlist_value.values, value)
    elif isinstance(value, list | tuple):
        out.array_value.SetInParent()
        for item in value:
            _fill(out.array_value.values.add(), item)
