"""Rows of the file as the documents of Langfuse's API: observations, traces, sessions, scores.

Shapes: langfuse.api.commons.types in the Python SDK. What is not known is null; ids are those that the sender gave.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from collector.conventions.values import decoded
from collector.model import Content, Message, Score, Usage
from collector.protocols.langfuse import OWN, TRACE, root_of
from collector.receiver.doors.langfuse.asking import TYPES
from collector.store.rows import SpanDetail, TraceRow

PROJECT = {"id": "tracetui", "name": "tracetui", "organization": {"id": "local", "name": "local"}, "metadata": {}}
EPOCH = "1970-01-01T00:00:00Z"
"""When what has no beginning began, for clients that want a time."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OBSERVATION = "langfuse.observation."
_TRACE = "langfuse.trace."


def time(ns: int | None) -> str | None:
    """RFC 3339, to the microsecond."""
    if ns is None:
        return None
    try:
        moment = _EPOCH + timedelta(microseconds=ns // 1000)
    except OverflowError:
        return None
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def observation(span: SpanDetail, names: Mapping[str, str], trace: TraceRow | None = None) -> dict[str, Any]:
    """A span as an observation, in every field that any version of the API has. `names`: ids as they were sent."""
    row, said = span.row, span.attributes
    kind = str(said.get(_OBSERVATION + "type") or TYPES.get(row.kind, "SPAN")).upper()
    parent = None if row.parent_id == root_of(row.trace_id) else row.parent_id
    latency = _between(row.start_ns, row.end_ns)
    first = None if row.ttft_ns is None else row.start_ns + row.ttft_ns
    cost = None if row.cost_nanousd is None else row.cost_nanousd / 1e9
    usage = buckets(span.usage)
    return {
        "id": names.get(row.span_id, row.span_id),
        "traceId": names.get(row.trace_id, row.trace_id),
        "projectId": PROJECT["id"],
        "type": kind,
        "name": row.name or None,
        "startTime": time(row.start_ns),
        "endTime": time(row.end_ns),
        "completionStartTime": time(first),
        "parentObservationId": None if parent is None else names.get(parent, parent),
        "isRootObservation": parent is None or said.get("langfuse.internal.is_app_root") is True,
        "level": (span.level or ("ERROR" if row.status == "error" else "DEFAULT")).upper(),
        "statusMessage": row.status_message,
        "version": said.get("langfuse.version"),
        "environment": span.environment or (trace and trace.environment) or "default",
        "bookmarked": False,
        "public": False,
        "userId": row.user_id or (trace and trace.user_id),
        "sessionId": row.session_id or (trace and trace.session_id),
        "createdAt": time(row.start_ns),
        "updatedAt": time(row.end_ns or row.start_ns),
        "input": side(said, _OBSERVATION + "input", (*span.system, *_messages(span.input)), span.input),
        "output": side(said, _OBSERVATION + "output", _messages(span.output), span.output),
        "metadata": dict(span.metadata or {}),
        "model": row.model,
        "modelId": None,
        "internalModelId": None,
        "modelParameters": span.params or {},
        "usage": {
            "input": span.usage.input_tokens or 0, "output": span.usage.output_tokens or 0,
            "total": (span.usage.input_tokens or 0) + (span.usage.output_tokens or 0), "unit": "TOKENS",
            "inputCost": None, "outputCost": None, "totalCost": cost,
        },
        "usageDetails": usage,
        "usagePricingTierName": None,
        "costDetails": {} if cost is None else {"total": cost},
        "totalCost": cost,
        "calculatedInputCost": None,
        "calculatedOutputCost": None,
        "calculatedTotalCost": cost,
        "inputPrice": None,
        "outputPrice": None,
        "totalPrice": None,
        "promptId": None,
        "promptName": span.prompt_name,
        "promptVersion": _number(span.prompt_version),
        "latency": latency,
        "timeToFirstToken": None if row.ttft_ns is None else row.ttft_ns / 1e9,
        "tags": list(trace.tags) if trace else list(span.tags),
        "release": said.get("langfuse.release") or span.release or (trace and trace.release),
        "traceName": trace.name if trace else None,
    }  # fmt: skip


def buckets(usage: Usage) -> dict[str, int]:
    """Tokens as Langfuse splits them: each in one bucket, and the total."""
    if usage.input_tokens is None and usage.output_tokens is None:
        return {}
    parts = {
        "input_cached_tokens": usage.cache_read_tokens, "input_cache_creation": usage.cache_write_tokens,
        "input_audio_tokens": usage.audio_input_tokens, "output_reasoning_tokens": usage.reasoning_tokens,
        "output_audio_tokens": usage.audio_output_tokens,
    }  # fmt: skip
    beside = {name: count for name, count in parts.items() if count}
    out = {
        side: max(0, total - sum(count for name, count in beside.items() if name.startswith(side)))
        for side, total in (("input", usage.input_tokens), ("output", usage.output_tokens))
        if total is not None
    }
    return {**out, **beside, "total": (usage.input_tokens or 0) + (usage.output_tokens or 0)}


OF_TRACE = tuple([_TRACE + key for key in ("name", "input", "output", "public", "externalId", "tags", "metadata")])
"""A span with one of these speaks of its trace; so does its `langfuse.version` then."""


def trace(row: TraceRow, root: SpanDetail | None, name: str, below: Mapping[str, Any]) -> dict[str, Any]:
    """A trace without its observations and scores. `name` is its id as it was sent; `below` what spans under the root
    say of it."""
    said = {**below, **(root.attributes if root is not None else {})}
    asked = said.get(_TRACE + "name")
    given = {
        key: side(said, _TRACE + key, (), None)
        or (root and side(said, _OBSERVATION + key, _messages(getattr(root, key)), getattr(root, key)))
        for key in ("input", "output")
    }
    return {
        "id": name,
        "projectId": PROJECT["id"],
        "timestamp": time(row.start_ns),
        "createdAt": time(row.start_ns),
        "updatedAt": time(row.end_ns or row.start_ns),
        "name": row.name if row.name else asked,
        "input": given["input"] if root else row.input_preview,
        "output": given["output"] if root else row.output_preview,
        "sessionId": row.session_id,
        "userId": row.user_id,
        "release": said.get("langfuse.release") or row.release,
        "version": said.get("langfuse.version"),
        "metadata": dict(root.metadata or {}) if root and said.get(_OBSERVATION + "type") == TRACE else row.metadata,
        "tags": list(row.tags),
        "public": said.get(_TRACE + "public") is True,
        "bookmarked": False,
        "environment": row.environment or "default",
        "externalId": said.get(_TRACE + "externalId"),
        "htmlPath": f"/project/{PROJECT['id']}/traces/{name}",
        "latency": _between(row.start_ns, row.end_ns) or 0.0,
        "totalCost": (row.cost_nanousd or 0) / 1e9,
    }


def score(one: Score, of: TraceRow | None = None) -> dict[str, Any]:
    """A score as versions 1 and 2 of the API show it; `of` is the trace that it judges."""
    own = {key.removeprefix(OWN): value for key, value in (one.metadata or {}).items() if key.startswith(OWN)}
    rest: Any = {key: value for key, value in (one.metadata or {}).items() if not key.startswith(OWN)}
    data_type = own.get("dataType") or one.data_type.upper()
    words = {} if one.label is None and one.data_type != "boolean" else {
        "stringValue": one.label if one.label is not None else "True" if one.value else "False"
    }  # fmt: skip
    return {
        "id": one.score_id,
        "projectId": PROJECT["id"],
        "traceId": own.get("traceId") or one.trace_id,
        "observationId": own.get("observationId") or one.span_id,
        "sessionId": one.session_id,
        "datasetRunId": own.get("datasetRunId"),
        "name": one.name,
        "value": one.value if one.value is not None else 0,
        **words,
        "dataType": data_type,
        "source": "API",
        "comment": one.comment,
        "metadata": own.get("metadata") or rest,
        "configId": own.get("configId"),
        "queueId": own.get("queueId"),
        "authorUserId": None,
        "environment": own.get("environment") or "default",
        "timestamp": time(one.time_ns),
        "createdAt": time(one.time_ns),
        "updatedAt": time(one.time_ns),
        "trace": {
            "userId": of.user_id if of else None, "tags": list(of.tags) if of else [],
            "environment": (of.environment if of else None) or "default",
            "sessionId": of.session_id if of else None,
        },
    }  # fmt: skip


def score_v3(one: Score) -> dict[str, Any]:
    """A score as version 3 of the API shows it: one value, and what it judges."""
    said = score(one)
    kinds = {"BOOLEAN": bool(one.value), "NUMERIC": one.value}
    said["value"] = kinds.get(said["dataType"], one.label)
    for name in ("stringValue", "trace"):
        said.pop(name, None)
    subjects = (
        ("observation", said["observationId"]), ("trace", said["traceId"]), ("session", said["sessionId"]),
        ("experiment", said["datasetRunId"]),
    )  # fmt: skip
    subject = next(({"kind": kind, "id": name} for kind, name in subjects if name), None)
    if subject is not None and subject["kind"] == "observation":
        subject["traceId"] = said["traceId"]
    return {**said, "subject": subject}


def side(said: Mapping[str, Any], key: str, messages: tuple[Message, ...], content: Content | None) -> Any:
    """An input or output: as it was sent where it came in Langfuse's attributes, else from what we read."""
    if key in said:
        return decoded(said[key])
    if messages:
        return [{"role": one.role, "content": _content(one)} for one in messages]
    return None if content is None else content.value


def as_text(value: Any) -> str | None:
    """An input or output where the API wants the text as it was."""
    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value, default=repr).decode()


def _messages(content: Content | None) -> tuple[Message, ...]:
    return content.messages if content is not None else ()


def _content(message: Message) -> Any:
    texts = [part for part in message.parts if part.get("type") == "text"]
    if len(texts) == len(message.parts):
        return "".join(str(part.get("text") or "") for part in texts)
    return list(message.parts)


def _between(start: int | None, end: int | None) -> float | None:
    return None if start is None or end is None else (end - start) / 1e9


def _number(version: str | None) -> int | None:
    return int(version) if version is not None and version.isascii() and version.isdigit() else None
