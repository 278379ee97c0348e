"""Langfuse's attributes on OTLP spans (Python SDK 3 to 5, JavaScript 4 and 5).

Values are JSON in strings; the Python SDK 5 encodes scalars of metadata and times once more ('"pro"').
Names: langfuse._client.attributes on PyPI; https://langfuse.com/integrations/native/opentelemetry
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from collector.conventions.counting import from_details
from collector.conventions.found import Convention, Found
from collector.conventions.litellm import of_langfuse
from collector.conventions.values import decoded, mapping, number, scalar, text
from collector.model import SpanPart

KINDS = {
    "generation": "llm", "event": "event", "agent": "agent", "tool": "tool", "chain": "chain", "retriever": "retriever",
    "evaluator": "evaluator", "embedding": "embedding", "guardrail": "guardrail",
}  # fmt: skip
"""Langfuse's types of observations to our kinds; a "span" says nothing."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _prepare(found: Found, part: SpanPart) -> None:
    slots = found.slots
    kind = KINDS.get(str(slots.get("langfuse.type")).lower())
    if kind is not None:
        slots.setdefault("kind", kind)
    _sides(found, kind)
    found.params.update(
        {key: value for key, value in (mapping(slots.get("langfuse.params")) or {}).items() if value is not None}
    )
    usage = mapping(slots.get("langfuse.usage"))
    if usage is not None and not found.counts:
        found.counts.update(from_details(usage))
    _cost(found)
    first = moment_ns(scalar(slots.get("langfuse.first_token")))
    if first is not None and part.start_ns is not None:
        slots.setdefault("ttft_ns", max(0, first - part.start_ns))
    for key, value in found.meta.items():
        found.meta[key] = decoded(scalar(value))
    reason = found.meta.get("finish_reason")
    if reason is not None:
        slots.setdefault("finish_reasons", reason)
    level = found.texts.get("level")
    if level is not None:
        found.texts["level"] = level.lower()
        if level == "ERROR":
            found.texts["status"] = "error"
    if "litellm_call_id" in found.meta:
        of_langfuse(found, part.name or "")


def _sides(found: Found, kind: str | None) -> None:
    """What a trace's own sides are is its span's too where that has none."""
    slots = found.slots
    for side, of_trace, ours in (("langfuse.in", "trace_in", "in_value"), ("langfuse.out", "trace_out", "out_value")):
        given = slots.get(side, slots.get(of_trace))
        if given is not None:
            value = decoded(given)
            slots.setdefault(ours, value)
            if side == "langfuse.in" and kind == "llm" and isinstance(value, dict) and value.get("tools"):
                slots.setdefault("definitions", value["tools"])
    if kind == "llm" and isinstance(instructions := decoded(scalar(found.meta.get("instructions"))), str):
        slots.setdefault("system_param", instructions)  # of the Responses API, by `observeOpenAI`
    if kind == "embedding" and isinstance(slots.get("out_value"), dict):
        slots.setdefault("dimensions", slots["out_value"].get("dimensions"))


def _cost(found: Found) -> None:
    """Dollars by bucket. All zero says that the SDK did not know: a failed call, a model without a price."""
    given = mapping(found.slots.get("langfuse.cost"))
    if given is None:
        return
    costs = {key: cost for key, value in given.items() if (cost := number(value)) is not None}
    total = costs["total"] if "total" in costs else sum(costs.values())
    if total:
        found.slots.setdefault("cost", total)


def moment_ns(said: Any) -> int | None:
    """Unix nanoseconds of an ISO 8601 time; a time without a zone is UTC. None for one before 1970: Go's zero time
    is of the year 1 and says that there is none."""
    spelt = text(said)
    if spelt is None:
        return None
    try:
        moment = datetime.fromisoformat(spelt.replace("Z", "+00:00"))
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        ns = (moment - _EPOCH) // timedelta(microseconds=1) * 1000
    except (ValueError, OverflowError):
        return None
    return ns if 0 <= ns < 2**63 else None


LANGFUSE = Convention(
    "langfuse",
    own=("langfuse.",),
    slots={
        "langfuse.type": "langfuse.observation.type",
        "langfuse.in": "langfuse.observation.input",
        "langfuse.out": "langfuse.observation.output",
        "trace_name": "langfuse.trace.name",
        "trace_in": "langfuse.trace.input",
        "trace_out": "langfuse.trace.output",
        "langfuse.params": "langfuse.observation.model.parameters",
        "langfuse.usage": "langfuse.observation.usage_details langfuse.observation.usage",
        "langfuse.cost": "langfuse.observation.cost_details",
        "langfuse.first_token": "langfuse.observation.completion_start_time",
        "model": "langfuse.observation.model.name langfuse.observation.model",
        "level": "langfuse.observation.level",
        "status_message": "langfuse.observation.status_message",
        "prompt_name": "langfuse.observation.prompt.name langfuse.prompt.name",
        "prompt_version": "langfuse.observation.prompt.version langfuse.prompt.version",
        "session_id": "langfuse.session.id",
        "user_id": "langfuse.user.id",
        "tags": "langfuse.trace.tags langfuse.tags",
        "metadata": "langfuse.observation.metadata langfuse.trace.metadata",
        "environment": "langfuse.environment",
        "release": "langfuse.release",
    },
    meta=("langfuse.observation.metadata.", "langfuse.trace.metadata."),
    heard="langfuse.observation.usage_unit langfuse.version langfuse.trace.public langfuse.internal. "
    "langfuse.as_root langfuse.experiment.",
    prepare=_prepare,
)
