"""What the OpenAI Agents SDK posts to its own backend: {"data": [trace or span, …]}, header `OpenAI-Beta: traces=v1`.

A trace there is a workflow, with any number of spans at its top; here a trace has one root. So the workflow becomes a
span of its own, and its parts say of it what each body knows: the trace object its name, session and metadata, the
spans when it began and until when it went on. The fields of a span's data become attributes `openai_agents.*`.
Source: `agents.tracing` of openai-agents 0.24 (span_data.py, processors.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson

from collector import ids
from collector.conventions.values import spelt
from collector.errors import DecodeError, TooLarge
from collector.model import Batch, Rank, Scope, SpanPart, Value
from collector.protocols import jsonbody
from collector.protocols.limits import LIMITS, Limits, Refusals, SpanError

SOURCE = "openai-agents"
PREFIX = "openai_agents."
_SCOPE = Scope("openai-agents")
_LATEST = 2**62
_NAMES = {"generation": "generation", "response": "response", "handoff": "handoff", "mcp_tools": "list MCP tools",
          "transcription": "transcription", "speech": "speech", "speech_group": "speech group"}  # fmt: skip


def decode(body: bytes, limits: Limits = LIMITS) -> Batch:
    """The spans and workflows of a body. What is neither is refused, and the rest goes on.

    DecodeError for a body that is no such list, TooLarge for one with more than `limits.spans`.
    """
    jsonbody.weigh(body)
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError as e:
        raise DecodeError(f"a body of {len(body):,} bytes is not JSON: {e}") from e
    data = said.get("data") if isinstance(said, dict) else None
    if not isinstance(data, list):
        raise DecodeError('not what the OpenAI Agents SDK sends: {"data": […]} was expected')
    if len(data) > limits.spans:
        raise TooLarge(f"{len(data):,} spans in one body are over the limit of {limits.spans:,}; send smaller batches")
    refused = Refusals()
    parts: list[SpanPart] = []
    for one in data:
        try:
            parts.append(_part(one))
        except (SpanError, DecodeError) as e:
            refused.add(str(e), spelt(one))
    return Batch(SOURCE, (*parts, *_workflows(parts)), refused=refused.result())


def _part(said: Any) -> SpanPart:
    kind = said.get("object") if isinstance(said, dict) else None
    if kind == "trace":
        return _workflow(said)
    if kind == "trace.span":
        return _span(said)
    raise SpanError("neither a trace nor a span of the OpenAI Agents SDK")


def _workflow(said: dict[str, Any]) -> SpanPart:
    """The trace object, as a word about the span that stands for its workflow."""
    id_ = _text(said, "id")
    attributes = dict(_attributes({key: said[key] for key in ("group_id", "metadata") if key in said}))
    attributes[f"{PREFIX}type"] = "workflow"
    return replace(
        _root(id_), rank=Rank.UPDATE, name=str(said.get("workflow_name") or "workflow"), attributes=attributes
    )


def _root(trace: str) -> SpanPart:
    return SpanPart(
        ids.trace_id(trace), root_id(trace), scope=_SCOPE, source_trace_id=trace, source_id=trace, keep_parts=True
    )


def root_id(trace: str) -> str:
    """The span that stands for a workflow, by the id of its trace."""
    return ids.span_id(f"workflow {trace}")


def _span(said: dict[str, Any]) -> SpanPart:
    trace, id_ = _text(said, "trace_id"), _text(said, "id")
    data = said.get("span_data")
    if not isinstance(data, dict):
        raise SpanError("a span without span_data")
    parent = said.get("parent_id")
    start, end = _moment(said.get("started_at")), _moment(said.get("ended_at"))
    attributes = dict(_attributes(data))
    error = said.get("error")
    if error:
        attributes[f"{PREFIX}error"] = _value(error)
    kind = str(data.get("type"))
    name = data.get("name") or (f"handoff to {data.get('to_agent')}" if kind == "handoff" else _NAMES.get(kind, kind))
    return SpanPart(
        ids.trace_id(trace), ids.span_id(id_), Rank.STARTED if end is None else Rank.FINISHED, end or start or 0,
        ids.span_id(parent) if isinstance(parent, str) and parent else root_id(trace), str(name), start,
        None if end is None else max(end, start or end), "error" if error else None,
        attributes=attributes, scope=_SCOPE, source_id=id_, source_trace_id=trace,
    )  # fmt: skip


def _workflows(parts: list[SpanPart]) -> Iterator[SpanPart]:
    """When the workflows of a body began, and until when they went on.

    Of all starts the earliest must win, in whatever order bodies come; of parts of one rank the greatest `at_ns` does.
    """
    spans: dict[str, list[SpanPart]] = {}
    for part in parts:
        if part.source_trace_id is not None and part.start_ns is not None:
            spans.setdefault(part.source_trace_id, []).append(part)
    for trace, said in spans.items():
        root = _root(trace)
        start = min(part.start_ns or 0 for part in said)
        yield replace(root, rank=Rank.STARTED, at_ns=_LATEST - start, start_ns=start)
        end = max(part.end_ns or 0 for part in said)
        if end and any(part.parent_id == root.span_id for part in said):
            yield replace(root, rank=Rank.FINISHED, at_ns=end, end_ns=end)


def _attributes(fields: dict[str, Any]) -> Iterator[tuple[str, Value]]:
    for key, value in fields.items():
        if value is not None:
            yield PREFIX + key, _value(value)


def _value(value: Any) -> Value:
    """Objects and lists as JSON: as every instrumentation writes them into attributes."""
    if isinstance(value, dict | list):
        try:
            return orjson.dumps(value).decode()
        except orjson.JSONEncodeError as e:
            raise SpanError("nested too deep") from e
    return value  # type: ignore[no-any-return]


def _text(said: dict[str, Any], key: str) -> str:
    value = said.get(key)
    if not isinstance(value, str) or not value:
        raise SpanError(f"{key} is missing")
    return value


def _moment(said: Any) -> int | None:
    """Unix nanoseconds of an ISO 8601 time; None where there is none, or none that can be read."""
    if not isinstance(said, str):
        return None
    try:
        moment = datetime.fromisoformat(said.replace("Z", "+00:00"))
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * 10**9 + moment.microsecond * 1000
