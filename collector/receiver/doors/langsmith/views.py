"""Spans as runs of LangSmith's API: what its SDK reads back. Runs that came from it come out as they were sent;
spans that came any other way are told in the same words."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from collector.conventions.langsmith_runs import ATTACHMENT, EXTRA, METADATA, RUN
from collector.model import Content, Event, Score
from collector.protocols.times import iso
from collector.store.rows import SpanDetail, TraceRow

Run = dict[str, Any]
DEFAULT_PROJECT = "default"
RUN_TYPES = {
    "llm": "llm", "embedding": "embedding", "tool": "tool", "retriever": "retriever", "reranker": "retriever",
    "prompt": "prompt",
}  # fmt: skip
_SPACE = uuid.UUID("7c1f0d3e-8f5b-4a1e-9d53-3b7a5d1c7e42")
TENANT = str(uuid.uuid5(_SPACE, "tenant"))


def project_uuid(name: str) -> str:
    """The id of a project that nobody gave one."""
    return str(uuid.uuid5(_SPACE, f"project {name}"))


def run_uuid(trace_id: str, span_id: str, source_id: str | None) -> str:
    """A run's id: its source's own, where that is a UUID; else one that `store.runs.find` finds the span by."""
    if source_id is not None:
        try:
            return str(uuid.UUID(source_id))
        except ValueError:
            pass
    return str(uuid.UUID(trace_id[:16] + span_id))


def trace_uuid(trace_id: str) -> str:
    return str(uuid.UUID(trace_id))


def run_of(
    detail: SpanDetail, project_id: str, parent_source: str | None, scores: Sequence[Score],
    whole: TraceRow | None = None,
) -> Run:  # fmt: skip
    """A span as a run. `parent_source` is its parent's id at its source; `whole` its trace, where it is the root: then
    tokens and cost are those of the trace, as LangSmith tells them of a root."""
    row, said = detail.row, detail.attributes
    run_id = run_uuid(row.trace_id, row.span_id, detail.source_id)
    parent = said.get(RUN + "parent_run_id")
    if parent is None and row.parent_id is not None:
        parent = run_uuid(row.trace_id, row.parent_id, parent_source)
    order = str(said.get(RUN + "dotted_order") or _order(row.start_ns, run_id))
    usage = detail.usage if whole is None else whole.usage
    cost = row.cost_nanousd if whole is None or whole.cost_nanousd is None else whole.cost_nanousd
    known = [n for n in (usage.input_tokens, usage.output_tokens) if n is not None]
    return {
        "id": run_id,
        "trace_id": trace_uuid(row.trace_id),
        "parent_run_id": parent,
        "parent_run_ids": [segment.partition("Z")[2] for segment in order.split(".")[:-1]],
        "dotted_order": order,
        "name": row.name,
        "run_type": said.get(RUN + "type") or RUN_TYPES.get(row.kind, "chain"),
        "session_id": project_id,
        "start_time": iso(row.start_ns),
        "end_time": None if row.end_ns is None else iso(row.end_ns),
        "first_token_time": None if row.ttft_ns is None else iso(row.start_ns + row.ttft_ns),
        "status": {"error": "error", "ok": "success"}.get(row.status, "pending"),
        "error": said.get(RUN + "error") or (row.status_message if row.status == "error" else None),
        "inputs": _side(said.get(RUN + "inputs"), detail.input, "input") or {},
        "outputs": _side(said.get(RUN + "outputs"), detail.output, "output"),
        "serialized": _json(said.get(RUN + "serialized")),
        "events": [_event(event) for event in detail.events if event.name != "exception"],
        "tags": said.get(RUN + "tags") or list(detail.tags),
        "extra": _extra(detail),
        "thread_id": row.session_id,
        "reference_example_id": said.get(RUN + "reference_example_id"),
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": sum(known) if known else None,
        "prompt_token_details": _details(cache_read=usage.cache_read_tokens, cache_creation=usage.cache_write_tokens),
        "completion_token_details": _details(reasoning=usage.reasoning_tokens),
        "total_cost": None if cost is None else cost / 1e9,
        "feedback_stats": feedback_stats(scores),
        "s3_urls": _attachments(said),
        "app_path": f"/trace/{row.trace_id}",
        "manifest_id": None,
        "child_run_ids": None,
    }


def _order(start_ns: int, run_id: str) -> str:
    moment = iso(start_ns)
    return f"{moment[:19].replace('-', '').replace(':', '')}{moment[20:26]}Z{run_id}"


def _json(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _side(sent: Any, content: Content | None, name: str) -> Run | None:
    """Inputs or outputs as sent; else what we read, under a name that the SDK's own wrappers use."""
    if sent is not None:
        said = _json(sent)
        return said if isinstance(said, dict) else {name: said}
    if content is None:
        return None
    if content.messages:
        return {"messages": [{"role": m.role, "content": [dict(part) for part in m.parts]} for m in content.messages]}
    return content.value if isinstance(content.value, dict) else {name: content.value}


def _event(event: Event) -> Run:
    said: Run = {"name": event.name, "time": iso(event.time_ns)}
    return {**said, **event.attributes}


def _extra(detail: SpanDetail) -> Run:
    said = detail.attributes
    metadata = {name[len(METADATA) :]: value for name, value in said.items() if name.startswith(METADATA)}
    if not metadata:
        metadata = dict(detail.metadata or {})
        told = {"session_id": detail.row.session_id, "user_id": detail.row.user_id, "ls_provider": detail.row.provider,
                "ls_model_name": detail.row.model}  # fmt: skip
        metadata |= {name: value for name, value in told.items() if value is not None}
    extra: Run = {name[len(EXTRA) :]: value for name, value in said.items() if name.startswith(EXTRA)}
    runtime = detail.resource.attributes.get("langsmith.runtime")
    return {**extra, "metadata": metadata, **({"runtime": runtime} if runtime else {})}


def _details(**counts: int | None) -> dict[str, int] | None:
    return {name: count for name, count in counts.items() if count is not None} or None


def _attachments(said: Mapping[str, Any]) -> Run | None:
    """Where a run's files are. Files of older versions had them in one attribute."""
    before = said.get(RUN + "attachments")
    listed = dict(before) if isinstance(before, dict) else {}
    listed |= {name[len(ATTACHMENT) :]: one for name, one in said.items() if name.startswith(ATTACHMENT)}
    return {
        f"attachment.{name}": {
            "presigned_url": f"/attachments/{one.get('media_id')}",
            "mime_type": one.get("mime_type"),
        }
        for name, one in listed.items()
        if isinstance(one, dict)
    } or None


def feedback_stats(scores: Sequence[Score]) -> Run:
    """Per key: how many, their mean, and how often each label."""
    out: dict[str, Run] = {}
    for score in scores:
        stats = out.setdefault(score.name, {"n": 0, "avg": None, "values": {}, "sum": 0.0, "numbers": 0})
        stats["n"] += 1
        if score.value is not None:
            stats["sum"] += score.value
            stats["numbers"] += 1
        elif score.label:
            stats["values"][score.label] = stats["values"].get(score.label, 0) + 1
    for stats in out.values():
        total, numbers = stats.pop("sum"), stats.pop("numbers")
        stats["avg"] = total / numbers if numbers else None
    return out
