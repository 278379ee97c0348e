"""OTLP in JSON: ids in hex, 64-bit integers as strings or numbers, enums as numbers.

https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding . Lenient as the specification asks (unknown
fields are skipped, `snake_case` names are read too) and a little further: ids in base64, enums by name, null
for a default, and the halves of a surrogate pair that JavaScript leaves where it cuts a string.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Mapping
from typing import Any

from collector.errors import DecodeError, TooLarge
from collector.model import Event, Link, LogRecord, Refusal, Resource, Scope, SpanPart, Value
from collector.protocols import jsonbody
from collector.protocols.claude_events import SCOPE as CLAUDE_EVENTS
from collector.protocols.claude_events import Told, spans_of_events
from collector.protocols.limits import SAMPLE_CHARS, Limits, Refusals, SpanError
from collector.protocols.parts import check_log_ids, logs_of_spans, span_part, unique

ID_CHARS = 64
_KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
_CODES = ("UNSET", "OK", "ERROR")
_capital = re.compile(r"([A-Z])")
_SNAKE: dict[str, str] = {}
"""The original name of each field, which a JSON reader of protobuf must know, too."""


def traces(body: bytes, limits: Limits) -> tuple[tuple[SpanPart, ...], tuple[Refusal, ...]]:
    document = _document(body, "resourceSpans", "ExportTraceServiceRequest")
    groups = [
        (group, scoped, _list(scoped, "spans"))
        for group in _objects(document, "resourceSpans")
        for scoped in _objects(group, "scopeSpans") or _objects(group, "instrumentationLibrarySpans")
    ]
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
            else:
                loose.append((one, _resource(group, limits), _scope(scoped, limits)))
        except SpanError as bad:
            refusals.add(str(bad), _sample(record), _name(record))
    return (*logs_of_spans(said), *spans_of_events(loose)), refusals.result()


def _names_claude(scoped: Any) -> bool:
    scope = _get(scoped, "scope")
    return isinstance(scope, dict) and scope.get("name") == CLAUDE_EVENTS


def _document(body: bytes, field: str, message: str) -> Any:
    document = jsonbody.load(body, f"an OTLP body ({message})", depth=None)
    if not isinstance(document, dict):
        raise DecodeError(f"OTLP body is JSON, but {_found(document)}, not an {message}")
    if document and _get(document, field) is None:
        raise DecodeError(f"OTLP body has no {field!r}; its keys are {', '.join(map(repr, list(document)[:5]))}")
    return document


def _found(value: Any) -> str:
    return {list: "a list", str: "a string", type(None): "null"}.get(type(value), "a number")


def _check_count(count: int, limits: Limits, what: str) -> None:
    if count > limits.spans:
        raise TooLarge(f"a body of {count} {what}; at most {limits.spans} are read at once, so send smaller batches")


def _get(data: Mapping[str, Any], name: str) -> Any:
    value = data.get(name)
    if value is None:
        other = _SNAKE.get(name)
        if other is None:
            other = _SNAKE[name] = _capital.sub(r"_\1", name).lower()
        return data.get(other)
    return value


def _list(data: Any, name: str) -> list[Any]:
    value = _get(data, name) if isinstance(data, dict) else None
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
    status = _get(span, "status") or {}
    if not isinstance(status, dict):
        raise SpanError("status is not an object")
    try:
        events, links = _list(span, "events"), _list(span, "links")
    except DecodeError as error:
        raise SpanError(str(error)) from error
    return span_part(
        _id(_get(span, "traceId")),
        _id(_get(span, "spanId")),
        _id(_get(span, "parentSpanId")),
        _text(_get(span, "name")),
        _int(_get(span, "startTimeUnixNano"), "startTimeUnixNano"),
        _int(_get(span, "endTimeUnixNano"), "endTimeUnixNano"),
        attributes(_get(span, "attributes"), limits),
        tuple([_event(event, limits) for event in events]),
        tuple([_link(link, limits) for link in links]),
        _enum(_get(span, "kind"), _KINDS),
        _enum(_get(status, "code"), _CODES),
        _text(_get(status, "message")),
        _text(_get(span, "traceState")),
        _int(_get(span, "flags"), "flags"),
        (
            _dropped(span),
            _int(_get(span, "droppedEventsCount"), "droppedEventsCount"),
            _int(_get(span, "droppedLinksCount"), "droppedLinksCount"),
        ),
        resource,
        scope,
    )


def _event(event: Any, limits: Limits) -> Event:
    if not isinstance(event, dict):
        raise SpanError("event is not an object")
    said = attributes(_get(event, "attributes"), limits)
    return Event(_int(_get(event, "timeUnixNano"), "timeUnixNano"), _text(_get(event, "name")), said, _dropped(event))


def _link(link: Any, limits: Limits) -> Link:
    if not isinstance(link, dict):
        raise SpanError("link is not an object")
    return Link(
        _id(_get(link, "traceId")),
        _id(_get(link, "spanId")),
        _text(_get(link, "traceState")),
        attributes(_get(link, "attributes"), limits),
        _dropped(link),
        _int(_get(link, "flags"), "flags"),
    )


def _log(record: Any, limits: Limits, *, loose: bool = False) -> tuple[str, str, LogRecord]:
    if not isinstance(record, dict):
        raise SpanError("log record is not an object")
    span_id = _id(_get(record, "spanId"))
    trace_id = _id(_get(record, "traceId"))
    if span_id or not loose:
        check_log_ids(trace_id, span_id)
    said = attributes(_get(record, "attributes"), limits)
    time_ns = _int(_get(record, "timeUnixNano"), "timeUnixNano")
    name = _text(_get(record, "eventName")) or said.get("event.name")
    body = _get(record, "body")
    return (
        trace_id,
        span_id,
        LogRecord(
            time_ns or _int(_get(record, "observedTimeUnixNano"), "observedTimeUnixNano"),
            name if isinstance(name, str) else "",
            None if body is None else _value(body, limits.depth),
            said,
            _text(_get(record, "severityText")),
            _int(_get(record, "severityNumber"), "severityNumber"),
        ),
    )


def _resource(group: Any, limits: Limits) -> Resource | None:
    resource, schema = _get(group, "resource"), _text(_get(group, "schemaUrl"))
    if resource is None and not schema:
        return None
    if not isinstance(resource, dict):
        resource = {}
    entities = tuple([_entity(entity) for entity in _list(resource, "entityRefs")])
    return Resource(attributes(_get(resource, "attributes"), limits), _dropped(resource), schema, entities)


def _entity(entity: Any) -> dict[str, Value]:
    """An EntityRef: which of the resource's attributes name a thing, and which describe it."""
    if not isinstance(entity, dict):
        raise SpanError("an entity reference is not an object")
    texts = {"schema_url": _text(_get(entity, "schemaUrl")), "type": _text(_get(entity, "type"))}
    keys = {"id_keys": _list(entity, "idKeys"), "description_keys": _list(entity, "descriptionKeys")}
    return {name: text for name, text in texts.items() if text} | {
        name: [_text(key) for key in found] for name, found in keys.items() if found
    }


def _scope(scoped: Any, limits: Limits) -> Scope | None:
    scope, schema = _get(scoped, "scope"), _text(_get(scoped, "schemaUrl"))
    if scope is None:
        scope = _get(scoped, "instrumentationLibrary")
    if scope is None and not schema:
        return None
    if not isinstance(scope, dict):
        scope = {}
    said = attributes(_get(scope, "attributes"), limits)
    return Scope(_text(_get(scope, "name")), _text(_get(scope, "version")), said, _dropped(scope), schema)


def _dropped(data: Mapping[str, Any]) -> int:
    return _int(_get(data, "droppedAttributesCount"), "droppedAttributesCount")


def attributes(pairs: Any, limits: Limits) -> dict[str, Value]:
    """[{"key", "value"}, …] as a dict."""
    if not pairs:
        return {}
    if not isinstance(pairs, list):
        raise SpanError("attributes are not a list of key and value")
    out: dict[str, Value] = {}
    for pair in pairs:
        try:  # most values are strings
            key, text = pair["key"], pair["value"]["stringValue"]
            if type(text) is str and type(key) is str:
                out[key] = text
                continue
        except (KeyError, TypeError):
            pass
        key, value = _pair(pair)
        out[key] = None if value is None else _value(value, limits.depth)
    if len(out) < len(pairs):
        out = unique(
            [(key, None if value is None else _value(value, limits.depth)) for key, value in map(_pair, pairs)]
        )
    if len(out) > limits.attributes:
        raise SpanError(f"more than {limits.attributes} attributes")
    return out


def _pair(pair: Any) -> tuple[str, Any]:
    if not isinstance(pair, dict) or not isinstance(pair.get("key", ""), str):
        raise SpanError("an attribute is not an object with a key")
    return pair.get("key", ""), pair.get("value")


def _value(value: Any, depth: int) -> Value:
    """An AnyValue; None where nothing is set, or a type that is newer than this code."""
    if not isinstance(value, dict):
        raise SpanError("an attribute's value is not an object")
    for name, said in value.items():
        read = _READ.get(name)
        if read is not None and said is not None:
            return read(said, depth)
    return None


def _string(said: Any, depth: int) -> Value:
    return _text(said)


def _bool(said: Any, depth: int) -> Value:
    if isinstance(said, bool):
        return said
    if said in ("true", "false"):
        return bool(said == "true")
    raise SpanError("boolValue is not a boolean")


def _integer(said: Any, depth: int) -> Value:
    return _int(said, "intValue", -(2**63))


def _double(said: Any, depth: int) -> Value:
    try:
        return float(said)
    except (TypeError, ValueError, OverflowError) as error:
        raise SpanError("doubleValue is not a number") from error


def _bytes(said: Any, depth: int) -> Value:
    try:
        return base64.b64decode(said.translate(_URL_SAFE) + "=" * (-len(said) % 4), validate=True)
    except (AttributeError, ValueError) as error:
        raise SpanError("bytesValue is not base64") from error


def _check_depth(depth: int) -> None:
    if depth <= 0:
        raise SpanError("values nested too deeply")


def _array(said: Any, depth: int) -> Value:
    _check_depth(depth)
    items = said.get("values") if isinstance(said, dict) else said
    if not isinstance(items or [], list):
        raise SpanError("arrayValue has no list of values")
    return [None if item is None else _value(item, depth - 1) for item in items or ()]


def _kvlist(said: Any, depth: int) -> Value:
    _check_depth(depth)
    items = said.get("values") if isinstance(said, dict) else said
    if not isinstance(items or [], list):
        raise SpanError("kvlistValue has no list of values")
    pairs = [_pair(item) for item in items or ()]
    return unique([(key, None if value is None else _value(value, depth - 1)) for key, value in pairs])


_URL_SAFE = str.maketrans("-_", "+/")
_READ = {
    "stringValue": _string, "string_value": _string, "boolValue": _bool, "bool_value": _bool,
    "intValue": _integer, "int_value": _integer, "doubleValue": _double, "double_value": _double,
    "bytesValue": _bytes, "bytes_value": _bytes, "arrayValue": _array, "array_value": _array,
    "kvlistValue": _kvlist, "kvlist_value": _kvlist,
}  # fmt: skip


def _text(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise SpanError("a text field is not a string")
    return value


def _int(value: Any, field: str, least: int = 0) -> int:
    """An integer of 64 bits; 0 where it is not set."""
    if value is None or value == "":
        return 0
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        number = _from_float(value, field)
    if not least <= number < 2**64 + least:
        raise SpanError(f"{field} is out of range")
    return number


def _from_float(value: Any, field: str) -> int:
    """JavaScript writes large numbers as 1.7e18, some senders as strings of such."""
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise SpanError(f"{field} is not a number") from error
    if not math.isfinite(number):
        raise SpanError(f"{field} is not a number")
    return int(number)


def _enum(value: Any, names: tuple[str, ...]) -> int:
    if isinstance(value, str) and not value.isdigit():
        tail = value.rpartition("_")[2].upper()
        return names.index(tail) if tail in names else 0
    return _int(value, "enum")


def _id(value: Any) -> str:
    """Lower-case hex. Base64, which protobuf's own JSON would use, is told apart by its length."""
    text = _text(value)
    if len(text) in (24, 12) and not _is_hex(text):
        try:
            return base64.b64decode(text, validate=True).hex()
        except binascii.Error:
            pass
    if text and not _is_hex(text):
        raise SpanError("an id is not hex")
    return text.lower()


_is_hex = re.compile(r"(?:[0-9a-fA-F]{2})*", re.ASCII).fullmatch


def _name(thing: Any) -> tuple[str, str]:
    """(trace id, span id) as sent."""
    if not isinstance(thing, dict):
        return "", ""
    trace, span = (str(_get(thing, name) or "")[:ID_CHARS] for name in ("traceId", "spanId"))
    return trace.lower(), span.lower()


def _sample(thing: Any) -> str:
    if isinstance(thing, dict):
        head = {name: thing[name] for name in ("name", "eventName", "traceId", "spanId", "body") if thing.get(name)}
        thing = head or thing
    try:
        return json.dumps(thing, ensure_ascii=False)[:SAMPLE_CHARS]
    except (ValueError, RecursionError):
        return type(thing).__name__
