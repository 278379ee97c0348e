"""What Langfuse, Phoenix and LangSmith give out: objects of their APIs, as JSON, JSON lines, CSV or (Phoenix) Parquet.

Langfuse: traces, observations and scores as its API lists them ({"data": […], "meta"} or bare) and as its UI exports
them; nested observations and scores of one trace too. Phoenix: spans as its REST API lists them, and the rows of
`get_spans_dataframe()` (columns context.span_id, attributes.llm.model_name …); at …/spans/otlpv1, spans of OTLP.
Seen: what Phoenix 20.26 and its client 3.5 gave out. LangSmith: runs as its SDK's `list_runs` gives them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from collector import ids
from collector.conventions.values import decoded, integer
from collector.errors import DecodeError
from collector.importers.drafts import json_text, mapping, string
from collector.model import Batch, Event, Rank, Scope, SpanPart, Value
from collector.protocols import langfuse, langsmith, otlp
from collector.protocols.limits import Limits, Refusals
from collector.protocols.times import time_ns

SOURCE = "import"
PHOENIX = Scope("phoenix.export")
_LIMITS = Limits(spans=100_000_000)
_NO_TIME_NS = 1
"""For the order of what names no moment at all."""


def listed(document: object) -> list[Any] | None:
    """The objects of a page of an API, {"data": […]}, or of a dataframe's `to_json()`; None for what is neither."""
    if not isinstance(document, dict):
        return None
    if (rows := _rows(document)) is not None:
        return rows
    if (one := _one_of_langfuse(document)) is not None:
        return one
    data = document.get("data")
    return data if isinstance(data, list) else None


def _one_of_langfuse(document: dict[str, Any]) -> list[Any] | None:
    """What its UI downloads of one trace ({"trace", "observations"}) or one session ({"traces"})."""
    trace, observations, traces = (document.get(key) for key in ("trace", "observations", "traces"))
    if isinstance(trace, dict) and isinstance(observations, list):
        return [trace, *observations]
    return traces if isinstance(traces, list) and traces and kind_of(traces[0]) == "langfuse" else None


def _rows(frame: dict[str, Any]) -> list[Any] | None:
    """The rows of a dataframe of spans: by columns (what `to_json()` writes unless told otherwise), by rows' names
    (orient="index"), or as columns and data (orient="split")."""
    names, data = frame.get("columns"), frame.get("data")
    if isinstance(names, list) and isinstance(data, list) and _SPAN_ID in names:
        return [dict(zip(map(str, names), row, strict=False)) if isinstance(row, list) else row for row in data]
    if isinstance(ids_of := frame.get(_SPAN_ID), dict):
        columns = {name: cells for name, cells in frame.items() if isinstance(cells, dict)}
        return [{name: cells.get(row) for name, cells in columns.items()} for row in ids_of]
    first = next(iter(frame.values()), None)
    return list(frame.values()) if isinstance(first, dict) and _SPAN_ID in first else None


_SPAN_ID = "context.span_id"


def kind_of(one: object) -> str | None:
    """ "langfuse", "phoenix" or "langsmith" for an object that looks like one of theirs; "spans" for a span of OTLP
    that stands alone, as Phoenix lists them at …/spans/otlpv1."""
    if not isinstance(one, dict):
        return None
    if "context.span_id" in one or ("span_kind" in one and "span_id" in mapping(one.get("context"))):
        return "phoenix"
    if one.keys() >= {"id", "run_type", "start_time"}:
        return "langsmith"
    if not one.keys().isdisjoint({"start_time_unix_nano", "startTimeUnixNano"}):
        return "spans" if not one.keys().isdisjoint({"span_id", "spanId"}) else None
    return "langfuse" if _langfuse_kind(_camel_keys(one)) is not None else None


def decode(kind: str, objects: Iterable[Any]) -> Batch:
    """A batch of these; what is none of theirs, lacks an id, or cannot be said in JSON is refused, and only that."""
    given = list(objects)
    try:
        return _READERS[kind](given)
    except DecodeError as error:
        if len(given) < 2:
            refused = Refusals()
            refused.add(f"an object of {kind} that cannot be read: {error}"[:160], json_text(given))
            return Batch(SOURCE, refused=refused.result())
    half = len(given) // 2
    one, other = decode(kind, given[:half]), decode(kind, given[half:])
    return Batch(
        SOURCE, one.parts + other.parts, one.scores + other.scores, refused=one.refused + other.refused,
        library=one.library + other.library,
    )  # fmt: skip


def _spans(objects: Iterable[Any]) -> Batch:
    spans = [_said(one) for one in objects]
    body = json_text({"resourceSpans": [{"scopeSpans": [{"scope": {"name": PHOENIX.name}, "spans": spans}]}]})
    batch = otlp.decode_traces(body.encode(), otlp.JSON, _LIMITS)
    parts = tuple(replace(part, attributes=_with_metadata(part.attributes)) for part in batch.parts)
    return replace(batch, source=SOURCE, parts=parts)


_OF_RUNS = frozenset({"inputs", "outputs", "extra", "events", "tags", "serialized", "error", "metadata"})
"""What a run's row in a table has as JSON texts."""


def _langsmith(objects: Iterable[Any]) -> Batch:
    """Runs as `Client.list_runs` gives them, and as rows of a bulk export."""
    runs = []
    for one in objects:
        run = {
            key: decoded(value) if key in _OF_RUNS - {"error"} and isinstance(value, str) else value
            for key, value in one.items() if not _missing(value)
        }  # fmt: skip
        if isinstance(metadata := run.pop("metadata", None), dict):
            run["extra"] = {**mapping(run.get("extra")), "metadata": metadata}
        runs.append(run)
    batch = langsmith.decode_batch(json_text({"post": runs}).encode(), _LIMITS)
    return replace(batch, source=SOURCE)


def _said(value: Any) -> Any:
    """Without the nulls that stand for what was not said."""
    if isinstance(value, dict):
        return {key: _said(inner) for key, inner in value.items() if inner is not None}
    return [_said(inner) for inner in value] if isinstance(value, list) else value


# --- Langfuse


def _camel_keys(one: dict[Any, Any]) -> dict[str, Any]:
    return {re.sub(r"(?<=[a-z])_([a-z])", lambda m: m[1].upper(), str(key)): value for key, value in one.items()}


def _langfuse_kind(one: dict[str, Any]) -> str | None:
    if not string(one.get("id")):
        return None
    if "traceId" in one and "startTime" in one:
        return "observation-create"
    if "name" in one and ("value" in one or "stringValue" in one) and ("traceId" in one or "sessionId" in one):
        return "score-create"
    if "timestamp" in one and not one.keys().isdisjoint({"userId", "sessionId", "observations", "tags", "release"}):
        return "trace-create"
    return None


def _langfuse(objects: Iterable[Any]) -> Batch:
    refused = Refusals()
    events: list[dict[str, Any]] = []
    for one in objects:
        found = list(_events(one)) if isinstance(one, dict) else []
        if not found:
            refused.add("neither a trace nor an observation nor a score of Langfuse", json_text(one))
        events += found
    said = langfuse.decode_ingestion(json_text({"batch": events}).encode(), _NO_TIME_NS, _LIMITS).batch
    return Batch(SOURCE, said.parts, said.scores, refused=(*refused.result(), *said.refused), library=said.library)


def _events(given: dict[Any, Any]) -> Iterator[dict[str, Any]]:
    one = {key: value for key, value in _camel_keys(given).items() if value is not None and value != ""}
    kind = _langfuse_kind(one)
    if kind is None:
        return
    inner = [found for key in ("observations", "scores") for found in _listed_in(one.pop(key, None))]
    for key in ("usageDetails", "costDetails", "metadata", "modelParameters", "tags", "usage"):
        if isinstance(one.get(key), str):
            one[key] = decoded(one[key])
    if isinstance(one.get("tags"), str):
        one["tags"] = [word.strip() for word in one["tags"].split(",") if word.strip()]
    if model := one.pop("providedModelName", None):
        one.setdefault("model", model)
    total = one.get("calculatedTotalCost") or one.get("totalCost")
    if kind == "observation-create" and not one.get("costDetails") and isinstance(total, (int, float)):
        one["costDetails"] = {"total": total}
    at = one.get("updatedAt") or one.get("endTime") or one.get("timestamp") or one.get("startTime")
    if kind == "trace-create" and (end := _end_of(one)) is not None:
        one.setdefault("endTime", end)
    if kind == "observation-create":
        yield from _trace_of(one, at)
    yield {"id": one["id"], "type": kind, "timestamp": at, "body": one}
    yield from _score_columns(one, kind, at)
    for found in inner:
        yield from _events(found)


def _trace_of(one: dict[str, Any], at: Any) -> Iterator[dict[str, Any]]:
    """What an observation's row says of its trace (the UI's table, and enriched observations in a bucket)."""
    said = {ours: one.get(theirs) for ours, theirs in _OF_TRACE.items() if one.get(theirs)}
    tags = decoded(one.get("traceTags") or one.get("tags"))
    if isinstance(tags, list) and tags:
        said["tags"] = tags
    if said:
        body = {"id": one["traceId"], "timestamp": one.get("traceTimestamp") or one.get("startTime"), **said}
        yield {"id": f"trace of {one['id']}", "type": "trace-create", "timestamp": at, "body": body}


_OF_TRACE = {"name": "traceName", "userId": "userId", "sessionId": "sessionId", "release": "release"}


def _score_columns(one: dict[str, Any], kind: str, at: Any) -> Iterator[dict[str, Any]]:
    """The UI's tables have a column for each name of a score, with the numbers of that name."""
    if kind == "score-create" or not _OF_TABLES & one.keys():
        return
    place = (
        {"traceId": one["id"]} if kind == "trace-create" else {"traceId": one["traceId"], "observationId": one["id"]}
    )
    for name, cell in one.items():
        values = decoded(cell)
        if isinstance(values, list) and values and all(isinstance(n, int | float) and n is not True for n in values):
            for nth, value in enumerate(values):
                body = {"id": f"{one['id']} {name} {nth}", "name": name, "value": value, "dataType": "NUMERIC", **place}
                yield {"id": body["id"], "type": "score-create", "timestamp": at, "body": body}


_OF_TABLES = {"observationCount", "traceTimestamp"}
"""Columns that only the UI's tables have."""


def _end_of(trace: dict[str, Any]) -> str | None:
    """When a trace ended: it is told by its latency in seconds only."""
    start = time_ns(trace.get("timestamp"))
    with suppress(TypeError, ValueError, OverflowError, OSError):
        if start is not None:
            return datetime.fromtimestamp(start / 1e9 + float(trace.get("latency", "")), UTC).isoformat()
    return None


def _listed_in(value: Any) -> list[dict[Any, Any]]:
    value = decoded(value)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


# --- Phoenix


def _phoenix(objects: Iterable[Any]) -> Batch:
    refused = Refusals()
    parts = []
    for one in objects:
        try:
            parts.append(_span(one))
        except (DecodeError, TypeError, ValueError, AttributeError) as error:
            refused.add(f"a span of Phoenix that cannot be read: {error}"[:160], json_text(one))
    return Batch(SOURCE, tuple(parts), refused=refused.result())


def _span(one: Any) -> SpanPart:
    if not isinstance(one, dict):
        raise DecodeError("it is no object")
    one = {key: _cell(value) if isinstance(value, str) and key.startswith(("attributes.", "events")) else value
           for key, value in one.items() if not _missing(value)}  # fmt: skip
    context = mapping(one.get("context"))
    trace = str(context.get("trace_id") or one.get("context.trace_id") or "")
    span = str(context.get("span_id") or one.get("context.span_id") or "")
    parent = string(one.get("parent_id"))
    start, end = (_moment(one.get(name)) for name in ("start_time", "end_time"))
    attributes = dict(_flat("", one.get("attributes")))
    for key, value in one.items():
        if key.startswith("attributes."):
            attributes.update(_flat(key.removeprefix("attributes."), value))
    attributes = _with_metadata(attributes)
    if kind := string(one.get("span_kind")):
        attributes.setdefault("openinference.span.kind", kind)
    code = str(one.get("status_code") or "").upper()
    status = {"OK": "ok", "ERROR": "error"}.get(code)
    return SpanPart(
        ids.trace_id(trace), ids.span_id(span), Rank.FINISHED if end else Rank.STARTED, end or start or _NO_TIME_NS,
        ids.span_id(parent) if parent else None, string(one.get("name")), start, end, status,
        string(one.get("status_message")), otel_status={"ok": 1, "error": 2}.get(status or "", 0),
        attributes=attributes, events=tuple(_span_events(one.get("events"))), scope=PHOENIX,
    )  # fmt: skip


def _with_metadata(attributes: Mapping[str, Value]) -> dict[str, Value]:
    """The REST API takes a document's metadata apart, which OpenInference defines as one JSON text."""
    apart: dict[str, dict[str, Value]] = {}
    for key in attributes:
        if _METADATA in key:
            head, _, name = key.partition(_METADATA)
            apart.setdefault(head + _METADATA[:-1], {})[name] = attributes[key]
    whole = {key: json_text(metadata) for key, metadata in apart.items()}
    return {**whole, **{key: value for key, value in attributes.items() if _METADATA not in key}}


_METADATA = ".document.metadata."


def _moment(value: Any) -> int | None:
    return time_ns(value if isinstance(value, (str, int, float)) or value is None else str(value))


def _missing(value: Any) -> bool:
    return value is None or value == "" or (isinstance(value, float) and value != value)


def _cell(value: str) -> Any:
    """A cell of a table: JSON, or Python's spelling of a list or a mapping (what a dataframe writes into CSV)."""
    made = decoded(value) if value[:1] in ("[", "{") else value
    if made is value and value[:1] in ("[", "{") and len(value) <= _REPR_CHARS:
        with suppress(ValueError, SyntaxError, MemoryError, RecursionError):
            return ast.literal_eval(value)
    return made


_REPR_CHARS = 100_000


_WHOLE = ("metadata", "invocation_parameters", "parameters", ".value", "arguments", "json_schema", "arguments_json")
"""Attributes that OpenInference defines as JSON texts."""


def _flat(key: str, value: Any) -> Iterator[tuple[str, Value]]:
    """OpenInference's flat keys out of nested ones: llm.input_messages.0.message.role."""
    if hasattr(value, "tolist"):
        value = value.tolist()  # numpy, out of Parquet
    if _missing(value):
        return
    if key.endswith(_WHOLE) and isinstance(value, (dict, list)):
        yield key, json_text(value)
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _flat(f"{key}.{name}" if key else str(name), inner)
    elif isinstance(value, (list, tuple)) and any(isinstance(inner, dict) for inner in value):
        for at, inner in enumerate(value):
            yield from _flat(f"{key}.{at}", inner)
    elif "token_count" in key:
        yield key, integer(float(value)) if isinstance(value, (str, float)) else value
    else:
        yield key, list(value) if isinstance(value, tuple) else value


def _span_events(value: Any) -> Iterator[Event]:
    value = value.tolist() if hasattr(value, "tolist") else value
    for one in value if isinstance(value, Sequence) and not isinstance(value, str) else ():
        if isinstance(one, dict):
            attributes = dict(_flat("", one.get("attributes")))
            yield Event(_moment(one.get("timestamp")) or 0, str(one.get("name") or "event"), attributes)


_READERS = {"langfuse": _langfuse, "phoenix": _phoenix, "langsmith": _langsmith, "spans": _spans}
