"""The OpenAI Agents SDK's own spans, as `collector.protocols.openai_agents` writes them into attributes.

A `response` span has an id and tokens only, unless its server keeps more; turns and tasks repeat their calls' sums.
"""

from __future__ import annotations

from typing import Any

from collector.conventions.counting import from_details
from collector.conventions.found import Convention, Found
from collector.conventions.values import decoded, mapping, scalar, text
from collector.model import SpanPart

_KINDS = {
    "agent": "agent", "function": "tool", "generation": "llm", "response": "llm", "handoff": "chain",
    "guardrail": "guardrail", "custom": "chain", "workflow": "chain", "task": "chain", "turn": "chain",
    "transcription": "llm", "speech": "llm", "speech_group": "chain",
}  # fmt: skip


def _prepare(found: Found, part: SpanPart) -> None:
    slots, texts = found.slots, found.texts
    kind = text(slots.get("agents.type")) or ""
    if kind in _KINDS:
        slots.setdefault("kind", _KINDS[kind])
    name = text(slots.get("agents.name"))
    if name is not None and kind == "agent":
        texts.setdefault("agent_name", name)
    if name is not None and kind == "function":
        slots.setdefault("tool_name", name)
    if kind in ("generation", "response"):
        texts.setdefault("provider", "openai")
    custom = mapping(slots.get("agents.data")) or {}
    answer = _whole_answer(slots.get("agents.out")) if kind == "generation" else None
    usage = mapping(slots.get("agents.usage")) or mapping((answer or custom).get("usage"))
    if answer is not None:
        slots["agents.out"] = answer
        if (model := text(answer.get("model"))) is not None:
            texts.setdefault("model", model)
    if usage is not None and not found.counts:
        found.counts.update(_inclusive(usage))
    if custom.get("agent_name"):
        texts.setdefault("agent_name", str(custom["agent_name"]))
    config = mapping(slots.get("agents.config")) or {}
    found.params.update({key: value for key, value in config.items() if value is not None})
    for side, ours in (("agents.in", "in_value"), ("agents.out", "out_value")):
        if side in slots:
            value = decoded(scalar(slots[side]))
            messages = kind in ("generation", "response") and isinstance(value, list | str)
            slots.setdefault(ours.replace("value", "messages") if messages else ours, value)
    _error(found)


def _whole_answer(out: Any) -> dict[str, Any] | None:
    """JavaScript gives the provider's whole answer where Python gives its messages."""
    said = decoded(scalar(out))
    one = said[0] if isinstance(said, list) and len(said) == 1 else None
    return one if isinstance(one, dict) and "choices" in one else None


def _inclusive(usage: dict[str, object]) -> dict[str, int]:
    """Turns and tasks spell the parts of their sums flat: {"input_tokens", "cached_input_tokens", …}"""
    flat = {"cached_input_tokens": "cached_tokens", "cache_write_input_tokens": "cache_write_tokens"}
    details = {ours: usage[theirs] for theirs, ours in flat.items() if theirs in usage}
    return from_details({**usage, "input_tokens_details": details} if details else usage)


def _error(found: Found) -> None:
    """{"message": "Error getting response", "data": {"error": what went wrong}}: the second says more."""
    error = mapping(found.slots.get("agents.error"))
    if error is None:
        return
    data = error.get("data")
    inner = text(data.get("error")) if isinstance(data, dict) else None
    message = text(error.get("message"))
    found.texts.setdefault("status_message", ": ".join(said for said in (message, inner) if said))


OPENAI_AGENTS = Convention(
    "openai-agents",
    own=("openai_agents.",),
    slots={
        "agents.type": "openai_agents.type",
        "agents.name": "openai_agents.name",
        "agents.in": "openai_agents.input",
        "agents.out": "openai_agents.output",
        "agents.usage": "openai_agents.usage",
        "agents.data": "openai_agents.data",
        "agents.config": "openai_agents.model_config",
        "agents.error": "openai_agents.error",
        "request_model": "openai_agents.model",
        "response_id": "openai_agents.response_id",
        "session_id": "openai_agents.group_id",
        "metadata": "openai_agents.metadata",
    },
    heard="openai_agents.handoffs openai_agents.tools openai_agents.output_type openai_agents.from_agent"
    " openai_agents.to_agent openai_agents.mcp_data openai_agents.triggered openai_agents.server openai_agents.result"
    " openai_agents.first_content_at",
    prepare=_prepare,
)
