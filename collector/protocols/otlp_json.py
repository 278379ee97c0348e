"""OTLP in JSON: ids in hex, 64-bit integers as strings or numbers, enums as numbers.

https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding . Lenient as the specification asks (unknown
fields are skipped, `snake_case` names are read too) and a little further: ids in base64, enums by name, null
for a default, and the halves of a surrogate pair that JavaScript leaves where it cuts a string.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from collector.errors import DecodeError, TooLarge
from collector.model import Event, Link, LogRecord, Refusal, Resource, Scope, SpanPart, Value
from collector.protocols import jsonbody
from collector.protocols.claude_events import SCOPE as CLAUDE_EVENTS
from collector.protocols.claude_events import Told, spans_of_events, tells
from collector.protocols.limits import SAMPLE_CHARS, Limits, Refusals, SpanError
from collector.protocols.otlp_json_values import attributes, enum, get, id_of, integer, text_of, value_of
from collector.protocols.parts import check_log_ids, logs_of_spans, span_part

ID_CHARS = 64
_KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
_CODES = ("UNSET", "OK", "ERROR")


def traces(body: bytes, limits: Limits) -> tuple[tuple[SpanPart, ...], tuple[Refusal, ...]]:
    document = _document(body, "resourceSpans", "ExportTraceServiceRequest")
    resources = _objects(document, "resourceSpans")
    _check_count(len(resources), limits, "resources")
    groups = [
        (group, scoped, _list(scoped, "spans"))
        for group in resources
        for scoped in _objects(group, "scopeSpans") or _objects(group, "instrumentationLibrarySpans")
    ]
    _check_count(len(groups), limits, "scopes")
    _check_count(sum(len(spans) for _, _, spans in groups), limits, "spans")
    parts: list[SpanPart] = []
    refusals = Refusals()
    resource, of = None, None
    for group, scoped, spans in groups:
        try:
            if of is not group:
                resource, of = _resource(group, limits), group
            scope = _scope(scoped, limits)
        except SpanError as bad:
            for span in spans:
                refusals.add(str(bad), _sample(span), _name(span))
            continue
        for span in spans:
            try:
                parts.append(_span(span, resource, scope, limits))
            except SpanError as bad:
                refusals.add(str(bad), _sample(span), _name(span))
    return tuple(parts), refusals.result()


def logs(body: bytes, limits: Limits) -> tuple[tuple[SpanPart, ...], tuple[Refusal, ...]]:
    document = _document(body, "resourceLogs", "ExportLogsServiceRequest")
    records = [
        (record, group, scoped)
        for group in _objects(document, "resourceLogs")
        for scoped in _objects(group, "scopeLogs")
        for record in _list(scoped, "logRecords")
    ]
    _check_count(len(records), limits, "log records")
    said: list[tuple[str, str, LogRecord]] = []
    loose: list[Told] = []
    refusals = Refusals()
    for record, group, scoped in records:
        try:
            of_claude = _names_claude(scoped)
            trace_id, span_id, one = _log(record, limits, loose=of_claude)
            if span_id:
                said.append((trace_id, span_id, one))
            elif not tells(one):
                raise SpanError("an event of Claude Code outside of any prompt")
            else:
                loose.append((one, _resource(group, limits), _scope(scoped, limits)))
        except SpanError as bad:
            refusals.add(str(bad), _sample(record), _name(record))
    return (*logs_of_spans(said), *spans_of_events(loose)), refusals.result()


def _names_claude(scoped: Any) -> bool:
    scope = get(scoped, "scope")
    return isinstance(scope, dict) and scope.get("name") == CLAUDE_EVENTS


def _document(body: bytes, field: str, message: str) -> Any:
    document = jsonbody.load(body, f"an OTLP body ({message})", depth=None)
    if not isinstance(document, dict):
        raise DecodeError(f"OTLP body is JSON, but {_found(document)}, not an {message}")
    if document and get(document, field) is None:
        raise DecodeError(f"OTLP body has no {field!r}; its keys are {', '.join(map(repr, list(document)[:5]))}")
    return document


def _found(value: Any) -> str:
    return {list: "a list", str: "a string", type(None): "null"}.get(type(value), "a number")


def _check_count(count: int, limits: Limits, what: str) -> None:
    if count > limits.spans:
        raise TooLarge(f"a body of {count} {what}; at most {limits.spans} are read at once, so send smaller batches")


def _list(data: Any, name: str) -> list[Any]:
    value = get(data, name) if isinstance(data, dict) else None
    if value is None:
        return []
    if not isinstance(value, list):
        raise DecodeError(f"OTLP field {name!r} is {_found(value)}, not a list")
    return value


def _objects(data: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """A list of groups. One that is no object has no spans to refuse one by one, and must not be passed over."""
    found = [one for one in _list(data, name) if one is not None]
    for one in found:
        if not isinstance(one, dict):
            raise DecodeError(f"OTLP field {name!r} holds {_found(one)}, not only objects")
    return found


def _span(span: Any, resource: Resource | None, scope: Scope | None, limits: Limits) -> SpanPart:
    if not isinstance(span, dict):
        raise SpanError("span is not an object")
    status = get(span, "status") or {}
    if not isinstance(status, dict):
        raise SpanError("status is not an object")
    try:
        events, links = _list(span, "events"), _list(span, "links")
    except DecodeError as error:
        raise SpanError(str(error)) from error
    return span_part(
        id_of(get(span, "traceId")),
        id_of(get(span, "spanId")),
        id_of(get(span, "parentSpanId")),
        text_of(get(span, "name")),
        integer(get(span, "startTimeUnixNano"), "startTimeUnixNano"),
        integer(get(span, "endTimeUnixNano"), "endTimeUnixNano"),
        attributes(get(span, "attributes"), limits),
        tuple([_event(event, limits) for event in events]),
        tuple([_link(link, limits) for link in links]),
        enum(get(span, "kind"), _KINDS),
        enum(get(status, "code"), _CODES),
        text_of(get(status, "message")),
        text_of(get(span, "traceState")),
        integer(get(span, "flags"), "flags"),
        (
            _dropped(span),
            integer(get(span, "droppedEventsCount"), "droppedEventsCount"),
            integer(get(span, "droppedLinksCount"), "droppedLinksCount"),
        ),
        resource,
        scope,
    )


def _event(event: Any, limits: Limits) -> Event:
    if not isinstance(event, dict):
        raise SpanError("event is not an object")
    said = attributes(get(event, "attributes"), limits)
    return Event(
        integer(get(event, "timeUnixNano"), "timeUnixNano"), text_of(get(event, "name")), said, _dropped(event)
    )


def _link(link: Any, limits: Limits) -> Link:
    if not isinstance(link, dict):
        raise SpanError("link is not an object")
    return Link(
        id_of(get(link, "traceId")),
        id_of(get(link, "spanId")),
        text_of(get(link, "traceState")),
        attributes(get(link, "attributes"), limits),
        _dropped(link),
        integer(get(link, "flags"), "flags"),
    )


def _log(record: Any, limits: Limits, *, loose: bool = False) -> tuple[str, str, LogRecord]:
    if not isinstance(record, dict):
        raise SpanError("log record is not an object")
    span_id = id_of(get(record, "spanId"))
    trace_id = id_of(get(record, "traceId"))
    if span_id or not loose:
        check_log_ids(trace_id, span_id)
    said = attributes(get(record, "attributes"), limits)
    time_ns = integer(get(record, "timeUnixNano"), "timeUnixNano")
    name = text_of(get(record, "eventName")) or said.get("event.name")
    body = get(record, "body")
    return (
        trace_id,
        span_id,
        LogRecord(
            time_ns or integer(get(record, "observedTimeUnixNano"), "observedTimeUnixNano"),
            name if isinstance(name, str) else "",
            None if body is None else value_of(body, limits.depth),
            said,
            text_of(get(record, "severityText")),
            integer(get(record, "severityNumber"), "severityNumber"),
        ),
    )


def _resource(group: Any, limits: Limits) -> Resource | None:
    resource, schema = get(group, "resource"), text_of(get(group, "schemaUrl"))
    if resource is None and not schema:
        return None
    if not isinstance(resource, dict):
        resource = {}
    entities = tuple([_entity(entity) for entity in _list(resource, "entityRefs")])
    return Resource(attributes(get(resource, "attributes"), limits), _dropped(resource), schema, entities)


def _entity(entity: Any) -> dict[str, Value]:
    """An EntityRef: which of the resource's attributes name a thing, and which describe it."""
    if not isinstance(entity, dict):
        raise SpanError("an entity reference is not an object")
    texts = {"schema_url": text_of(get(entity, "schemaUrl")), "type": text_of(get(entity, "type"))}
    keys = {"id_keys": _list(entity, "idKeys"), "description_keys": _list(entity, "descriptionKeys")}
    return {name: text for name, text in texts.items() if text} | {
        name: [text_of(key) for key in found] for name, found in keys.items() if found
    }


def _scope(scoped: Any, limits: Limits) -> Scope | None:
    scope, schema = get(scoped, "scope"), text_of(get(scoped, "schemaUrl"))
    if scope is None:
        scope = get(scoped, "instrumentationLibrary")
    if scope is None and not schema:
        return None
    if not isinstance(scope, dict):
        scope = {}
    said = attributes(get(scope, "attributes"), limits)
    return Scope(text_of(get(scope, "name")), text_of(get(scope, "version")), said, _dropped(scope), schema)


def _dropped(data: Mapping[str, Any]) -> int:
    return integer(get(data, "droppedAttributesCount"), "droppedAttributesCount")


def _name(thing: Any) -> tuple[str, str]:
    """(trace id, span id) as sent."""
    if not isinstance(thing, dict):
        return "", ""
    trace, span = (str(get(thing, name) or "")[:ID_CHARS] for name in ("traceId", "spanId"))
    return trace.lower(), span.lower()


def _sample(thing: Any) -> str:
    if isinstance(thing, dict):
        head = {name: thing[name] for name in ("name", "eventName", "traceId", "spanId", "body") if thing.get(name)}
        thing = head or thing
    try:
        return json.dumps(thing, ensure_ascii=False)[:SAMPLE_CHARS]
    except (ValueError, RecursionError):
        return type(thing).__name__
