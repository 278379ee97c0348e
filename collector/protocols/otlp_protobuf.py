"""OTLP in protobuf. A hot path, so it is read from the bytes themselves (see `wire`).

Attributes repeat from span to span (names, models, hosts), so short ones are remembered by their bytes, and
keys always. Tags are a field's number times 8 plus its wire type; the numbers are those of opentelemetry-proto 1.x.
"""

from __future__ import annotations

from typing import Any

from collector.errors import DecodeError, TooLarge
from collector.model import Event, Link, LogRecord, Refusal, Resource, Scope, SpanPart, Value
from collector.protocols.claude_events import SCOPE as CLAUDE_EVENTS
from collector.protocols.claude_events import Told, spans_of_events, tells
from collector.protocols.limits import Limits, Refusals, SpanError
from collector.protocols.otlp_protobuf_values import PAIRS, SHORT, attributes, pair, pair_of, value
from collector.protocols.parts import check_log_ids, logs_of_spans, span_part, unique
from collector.protocols.wire import (
    BROKEN,
    FIXED64,
    LENGTH,
    check_fields,
    fixed64,
    message,
    one_field,
    varint,
)

ID_BYTES = 32

Group = tuple[Resource | None, Scope | None, list[tuple[int, int]]]
Range = tuple[int, int]


def traces(body: bytes, limits: Limits) -> tuple[tuple[SpanPart, ...], tuple[Refusal, ...]]:
    parts: list[SpanPart] = []
    refusals = Refusals()
    pieces = 0
    for resource, scope, spans in _groups(body, limits, "spans", refusals):
        for start, stop in spans:
            try:
                parts.append(_span(body, start, stop, resource, scope, limits))
                pieces += _pieces(parts[-1])
                if pieces > limits.pieces:
                    raise TooLarge(
                        f"a body of {len(body):,} bytes with over {limits.pieces:,} attributes, events and links; send "
                        "smaller batches"
                    )
            except SpanError as bad:
                refusals.add(str(bad), *_sample(body, start, stop, 0x0A, 0x12, 0x2A))
            except BROKEN:
                refusals.add("span is not valid protobuf", *_sample(body, start, stop, 0x0A, 0x12, 0x2A))
    return tuple(parts), refusals.result()


def _pieces(part: SpanPart) -> int:
    """What a span is made of, as far as it is many: a body of 60 MB can hold ten million attributes."""
    of_events = sum([len(event.attributes) for event in part.events]) if part.events else 0
    return len(part.attributes) + len(part.events) + len(part.links) + of_events


def logs(body: bytes, limits: Limits) -> tuple[tuple[SpanPart, ...], tuple[Refusal, ...]]:
    said: list[tuple[str, str, LogRecord]] = []
    loose: list[Told] = []
    refusals = Refusals()
    for resource, scope, records in _groups(body, limits, "log records", refusals):
        of_claude = scope is not None and scope.name == CLAUDE_EVENTS
        for start, stop in records:
            try:
                trace_id, span_id, record = _log(body, start, stop, limits, loose=of_claude)
                if span_id:
                    said.append((trace_id, span_id, record))
                elif not tells(record):
                    raise SpanError("an event of Claude Code outside of any prompt")
                else:
                    loose.append((record, resource, scope))
            except SpanError as bad:
                refusals.add(str(bad), *_sample(body, start, stop, 0x4A, 0x52, 0x62))
            except BROKEN:
                refusals.add("log record is not valid protobuf", *_sample(body, start, stop, 0x4A, 0x52, 0x62))
    return (*logs_of_spans(said), *spans_of_events(loose)), refusals.result()


def _groups(body: bytes, limits: Limits, what: str, refusals: Refusals) -> list[Group]:
    """Where the spans (or log records) of each scope lie in the body; both requests have one shape."""
    groups: list[Group] = []
    count = 0
    try:
        for tag, start, stop in message(body, 0, len(body)):
            if tag != 0x0A:
                continue
            more = _of_resource(body, start, stop, limits, refusals)
            groups += more
            count += sum(len(items) for _, _, items in more)
            if count > limits.spans or len(groups) > limits.spans:
                raise TooLarge(
                    f"a body of over {limits.spans:,} {what} or scopes of them; as many are read at once, so send "
                    "smaller batches"
                )
    except BROKEN as error:
        raise DecodeError(f"OTLP body of {len(body)} bytes is not protobuf of {what}: {error}") from error
    return groups


def _of_resource(buf: bytes, pos: int, end: int, limits: Limits, refusals: Refusals) -> list[Group]:
    fields = message(buf, pos, end)
    schema, found = "", None
    for tag, start, stop in fields:
        if tag == 0x1A:
            schema = buf[start:stop].decode()
        elif tag == 0x0A:
            found = (start, stop)
    scopes = [_scoped(buf, start, stop) for tag, start, stop in fields if tag == 0x12]
    try:
        resource = _resource(buf, found, schema, limits)
        return [(resource, _scope(buf, scope, url, limits), items) for scope, url, items in scopes]
    except SpanError as bad:
        for _, _, items in scopes:
            for start, stop in items:
                refusals.add(str(bad), *_sample(buf, start, stop, 0x0A, 0x12, 0x2A))
        return []


def _scoped(buf: bytes, pos: int, end: int) -> tuple[Range | None, str, list[Range]]:
    scope, schema, items = None, "", []
    for tag, start, stop in message(buf, pos, end):
        if tag == 0x12:
            items.append((start, stop))
        elif tag == 0x0A:
            scope = (start, stop)
        elif tag == 0x1A:
            schema = buf[start:stop].decode()
    return scope, schema, items


def _resource(buf: bytes, where: Range | None, schema: str, limits: Limits) -> Resource | None:
    if where is None:
        return Resource(schema_url=schema) if schema else None
    fields = message(buf, *where)
    dropped = [number & 0xFFFFFFFF for tag, number, _ in fields if tag == 0x10]
    entities = tuple([_entity(buf, start, stop) for tag, start, stop in fields if tag == 0x1A])
    return Resource(attributes(buf, fields, 0x0A, limits), dropped[-1] if dropped else 0, schema, entities)


def _entity(buf: bytes, pos: int, end: int) -> dict[str, Value]:
    """An EntityRef: which of the resource's attributes name a thing, and which describe it."""
    out: dict[str, Value] = {}
    keys: dict[str, list[Value]] = {"id_keys": [], "description_keys": []}
    for tag, start, stop in message(buf, pos, end):
        if tag in _ENTITY_TEXTS:
            out[_ENTITY_TEXTS[tag]] = buf[start:stop].decode()
        elif tag in _ENTITY_KEYS:
            keys[_ENTITY_KEYS[tag]].append(buf[start:stop].decode())
    return out | {name: found for name, found in keys.items() if found}


_ENTITY_TEXTS = {0x0A: "schema_url", 0x12: "type"}
_ENTITY_KEYS = {0x1A: "id_keys", 0x22: "description_keys"}


def _scope(buf: bytes, where: Range | None, schema: str, limits: Limits) -> Scope | None:
    if where is None:
        return Scope(schema_url=schema) if schema else None
    fields = message(buf, *where)
    name, version, dropped = "", "", 0
    for tag, start, stop in fields:
        if tag == 0x0A:
            name = buf[start:stop].decode()
        elif tag == 0x12:
            version = buf[start:stop].decode()
        elif tag == 0x20:
            dropped = start & 0xFFFFFFFF
    return Scope(name, version, attributes(buf, fields, 0x1A, limits), dropped, schema)


def _span(buf: bytes, pos: int, end: int, resource: Resource | None, scope: Scope | None, limits: Limits) -> SpanPart:
    attributes, found, events, links = _span_fields(buf, pos, end, limits.depth)
    if len(attributes) > limits.attributes:
        raise SpanError(f"more than {limits.attributes} attributes")
    get = found.get
    code, said = _status(buf, *found[0x7A]) if 0x7A in found else (0, "")
    return span_part(
        get(0x0A, b"").hex(),
        get(0x12, b"").hex(),
        get(0x22, b"").hex(),
        get(0x2A, b"").decode(),
        get(0x39, 0),
        get(0x41, 0),
        attributes,
        tuple([_event(buf, start, stop, limits) for start, stop in events]) if events else (),
        tuple([_link(buf, start, stop, limits) for start, stop in links]) if links else (),
        get(0x30, 0) & 0xFFFFFFFF,
        code,
        said,
        get(0x1A, b"").decode(),
        get(0x85, 0),
        (get(0x50, 0) & 0xFFFFFFFF, get(0x60, 0) & 0xFFFFFFFF, get(0x70, 0) & 0xFFFFFFFF),
        resource,
        scope,
    )


def _span_fields(
    buf: bytes, pos: int, end: int, depth: int
) -> tuple[dict[str, Value], dict[int, Any], list[Range], list[Range]]:
    """(attributes, the other fields by tag, where the events lie, where the links lie). The hot loop."""
    attributes: dict[str, Value] = {}
    first, said = pos, 0
    found: dict[int, Any] = {}
    events: list[Range] = []
    links: list[Range] = []
    remembered = PAIRS.get
    check_fields(buf, pos, end)
    while pos < end:
        tag = buf[pos]
        if tag & 7 == LENGTH and tag < 128:
            size = buf[pos + 1]
            pos += 2
            if size > 127:
                size, pos = varint(buf, pos - 1)
            stop = pos + size
            if tag == 0x4A:
                said += 1
                if size <= SHORT:
                    raw = buf[pos:stop]
                    key, attributes[key] = remembered(raw) or pair_of(raw, size, depth)
                else:
                    key, attributes[key] = pair(buf, pos, stop, depth)
            elif tag == 0x5A:
                events.append((pos, stop))
            elif tag == 0x6A:
                links.append((pos, stop))
            elif tag == 0x7A:
                if size:
                    found[tag] = (pos, stop)
            else:
                found[tag] = buf[pos:stop]
            pos = stop
        elif tag & 7 == FIXED64 and tag < 128:
            found[tag] = fixed64(buf, pos + 1)[0]
            pos += 9
        else:
            tag, value, pos = one_field(buf, pos)
            found[tag] = value
    if pos != end:
        raise ValueError("a field runs over its end")
    if len(attributes) < said:
        fields = message(buf, first, end)
        attributes = unique([pair(buf, start, stop, depth) for tag, start, stop in fields if tag == 0x4A])
    return attributes, found, events, links


def _status(buf: bytes, pos: int, end: int) -> tuple[int, str]:
    code, said = 0, ""
    for tag, start, stop in message(buf, pos, end):
        if tag == 0x18:
            code = start & 0xFFFFFFFF
        elif tag == 0x12:
            said = buf[start:stop].decode()
    return code, said


def _event(buf: bytes, pos: int, end: int, limits: Limits) -> Event:
    fields = message(buf, pos, end)
    time_ns, name, dropped = 0, "", 0
    for tag, start, stop in fields:
        if tag == 0x09:
            time_ns = start
        elif tag == 0x12:
            name = buf[start:stop].decode()
        elif tag == 0x20:
            dropped = start & 0xFFFFFFFF
    return Event(time_ns, name, attributes(buf, fields, 0x1A, limits), dropped)


def _link(buf: bytes, pos: int, end: int, limits: Limits) -> Link:
    fields = message(buf, pos, end)
    trace_id = span_id = state = ""
    dropped = flags = 0
    for tag, start, stop in fields:
        if tag == 0x0A:
            trace_id = buf[start:stop].hex()
        elif tag == 0x12:
            span_id = buf[start:stop].hex()
        elif tag == 0x1A:
            state = buf[start:stop].decode()
        elif tag == 0x28:
            dropped = start & 0xFFFFFFFF
        elif tag == 0x35:
            flags = start
    return Link(trace_id, span_id, state, attributes(buf, fields, 0x22, limits), dropped, flags)


def _log(buf: bytes, pos: int, end: int, limits: Limits, *, loose: bool = False) -> tuple[str, str, LogRecord]:
    fields = message(buf, pos, end)
    trace_id = span_id = severity = name = ""
    time_ns = observed_ns = number = 0
    body: Value = None
    for tag, start, stop in fields:
        if tag == 0x4A:
            trace_id = buf[start:stop].hex()
        elif tag == 0x52:
            span_id = buf[start:stop].hex()
        elif tag == 0x09:
            time_ns = start
        elif tag == 0x59:
            observed_ns = start
        elif tag == 0x2A:
            body = value(buf, start, stop, limits.depth)
        elif tag == 0x62:
            name = buf[start:stop].decode()
        elif tag == 0x1A:
            severity = buf[start:stop].decode()
        elif tag == 0x10:
            number = start & 0xFFFFFFFF
    if span_id or not loose:
        check_log_ids(trace_id, span_id)
    said = attributes(buf, fields, 0x32, limits)
    older = said.get("event.name")
    name = name or (older if isinstance(older, str) else "")
    return trace_id, span_id, LogRecord(time_ns or observed_ns, name, body, said, severity, number)


def _sample(buf: bytes, pos: int, end: int, *shown: int) -> tuple[str, tuple[str, str]]:
    """What can still be said of it, and its ids: (trace, span, name) are found by their tags."""
    try:
        found = {tag: buf[start:stop] for tag, start, stop in message(buf, pos, end) if stop >= 0}
    except BROKEN:
        return f"{end - pos} bytes", ("", "")
    trace, span, name = (found.get(tag, b"") for tag in shown)
    ids = trace[:ID_BYTES].hex(), span[:ID_BYTES].hex()
    return f"{name.decode(errors='replace')} (trace {ids[0] or '-'}, span {ids[1] or '-'})", ids
