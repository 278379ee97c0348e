"""OTLP as Google's own protobuf reads it, span by span: a check of ours that shares no line with what it checks."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

Json = dict[str, Any]
IDS = ("traceId", "spanId", "parentSpanId")
_NUMBERS = ("startTimeUnixNano", "endTimeUnixNano", "timeUnixNano", "intValue")
_VALUES = frozenset({"stringValue", "boolValue", "intValue", "doubleValue", "bytesValue", "arrayValue", "kvlistValue"})


def of_protobuf(body: bytes) -> Json:
    document = MessageToDict(ExportTraceServiceRequest.FromString(body), use_integers_for_enums=True)
    for group in document.get("resourceSpans", ()):
        for scoped in group.get("scopeSpans", ()):
            for span in scoped.get("spans", ()):
                for one in (span, *span.get("links", ())):
                    for name in IDS:
                        if name in one:
                            one[name] = base64.b64decode(one[name]).hex()
    return document


def spans(documents: Iterable[Json]) -> dict[tuple[str, str], str]:
    """Every span with all that stands around it, by its ids, as text: to `==`, 0 is False and -0.0. What is not set is
    left out, but of attributes' values."""
    found = {}
    for document in documents:
        for group in document.get("resourceSpans", ()):
            for scoped in group.get("scopeSpans", ()):
                for span in scoped.get("spans", ()):
                    whole = {
                        "span": span, "resource": group.get("resource"), "resource schema": group.get("schemaUrl"),
                        "scope": scoped.get("scope"), "scope schema": scoped.get("schemaUrl"),
                    }  # fmt: skip
                    found[span["traceId"], span["spanId"]] = json.dumps(_plain(whole), sort_keys=True, indent=1)
    return found


def _plain(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        out = {key: _plain(item, key) for key, item in value.items()}
        return {key: item for key, item in out.items() if key in _VALUES or item not in ("", 0, "0", None, [], {})}
    if isinstance(value, list):
        items = [_plain(item) for item in value]
        return sorted(items, key=json.dumps) if name in ("attributes", "entityRefs") else items
    if name in _NUMBERS:
        return str(value)
    return value
