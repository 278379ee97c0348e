"""MLflow's spans, exported as OTLP: every attribute is JSON, a call's parameters are attributes of their own."""

from __future__ import annotations

from collector.conventions.counting import from_details
from collector.conventions.found import Convention, Found
from collector.conventions.values import load, mapping, number, scalar, text
from collector.model import MODEL_KINDS, SpanPart, Value

_KINDS = {
    "CHAT_MODEL": "llm", "LLM": "llm", "TOOL": "tool", "AGENT": "agent", "CHAIN": "chain", "RETRIEVER": "retriever",
    "EMBEDDING": "embedding", "RERANKER": "reranker", "PARSER": "chain", "EVALUATOR": "evaluator",
    "GUARDRAIL": "guardrail", "WORKFLOW": "chain", "TASK": "chain",
}  # fmt: skip


def _prepare(found: Found, part: SpanPart) -> None:
    slots = found.slots
    kind = _KINDS.get(str(slots.get("mlflow.type")).strip('"').upper())
    if kind is not None:
        slots.setdefault("kind", kind)
    for side, ours in (("mlflow.in", "in_value"), ("mlflow.out", "out_value")):
        if side in slots:
            slots.setdefault(ours, scalar(slots[side]))
    for name, count in from_details(mapping(slots.get("mlflow.usage")) or {}).items():
        found.counts.setdefault(name, count)
    cost = mapping(slots.get("mlflow.cost")) or {}
    if number(cost.get("total_cost")) is not None:
        slots.setdefault("cost", cost["total_cost"])
    for field in ("model", "provider"):
        if field in found.texts:
            found.texts[field] = found.texts[field].strip('"')
    if kind in MODEL_KINDS:
        _call(found, part)
    elif kind == "tool" and "tool_call_id" in part.attributes:
        slots.setdefault("tool_id", scalar(part.attributes["tool_call_id"]))


def _call(found: Found, part: SpanPart) -> None:
    """What only the recorded request and answer say: the model asked for, the details of the tokens."""
    slots, texts = found.slots, found.texts
    asked, answered = slots.get("in_value"), slots.get("out_value")
    if isinstance(asked, dict) and text(asked.get("model")):
        texts.setdefault("request_model", str(asked["model"]))
    if "provider" not in texts and "mlflow.format" in slots:
        texts["provider"] = str(slots["mlflow.format"]).strip('"')
    for name in _PARAMETERS:
        if name in part.attributes:
            given = part.attributes[name]
            found.params.setdefault(name, load(given) if isinstance(given, str) else given)
    if _embeds(slots) and isinstance(asked, dict) and asked.get("input"):
        slots["in_value"] = asked["input"]
    if not isinstance(answered, dict):
        return
    usage = from_details(answered["usage"]) if isinstance(answered.get("usage"), dict) else {}
    for name, count in usage.items():
        if name not in ("input_tokens", "output_tokens", "total_tokens") or _embeds(slots):
            found.counts.setdefault(name, count)
    vectors = answered.get("data")
    if _embeds(slots) and isinstance(vectors, list):
        slots.setdefault("vectors", [one.get("embedding") for one in vectors if isinstance(one, dict)])


def _embeds(slots: dict[str, Value]) -> bool:
    return slots.get("kind") == "embedding"


_PARAMETERS = (
    "temperature", "max_tokens", "max_completion_tokens", "max_output_tokens", "top_p", "top_k", "stream", "stop",
    "seed",
    "frequency_penalty", "presence_penalty", "response_format", "reasoning", "reasoning_effort", "thinking",
    "tool_choice", "parallel_tool_calls", "dimensions", "encoding_format", "service_tier", "logprobs", "n",
)  # fmt: skip

MLFLOW = Convention(
    "mlflow",
    own=("mlflow.",),
    slots={
        "mlflow.type": "mlflow.spanType",
        "mlflow.in": "mlflow.spanInputs",
        "mlflow.out": "mlflow.spanOutputs",
        "mlflow.usage": "mlflow.chat.tokenUsage",
        "mlflow.cost": "mlflow.llm.cost",
        "model": "mlflow.llm.model",
        "provider": "mlflow.llm.provider",
        "definitions": "mlflow.chat.tools",
        "mlflow.format": "mlflow.message.format",
        "session_id": "mlflow.trace.session",
        "user_id": "mlflow.trace.user",
    },
    heard="mlflow. instructions tools stream_options extra_headers invocation_params batch_size tool_call_id "
    + " ".join(_PARAMETERS),
    prepare=_prepare,
)
