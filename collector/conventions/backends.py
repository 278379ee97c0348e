"""SDKs of other backends that can send elsewhere: Laminar (lmnr), LangWatch, AgentOps, Braintrust, Langtrace.

Names: their packages on PyPI.
"""

from __future__ import annotations

from typing import Any

from collector.conventions.counting import from_details
from collector.conventions.found import Convention, Found
from collector.conventions.values import decoded, integer, mapping, number, scalar, text
from collector.model import SpanPart

# Laminar

_LAMINAR_KINDS = {"LLM": "llm", "TOOL": "tool", "CACHED": "llm", "EVALUATOR": "evaluator", "EVALUATION": "chain",
                  "HUMAN_EVALUATOR": "evaluator", "EXECUTOR": "chain", "DEFAULT": "span"}  # fmt: skip


def _laminar(found: Found, part: SpanPart) -> None:
    slots = found.slots
    kind = _LAMINAR_KINDS.get(str(slots.get("lmnr.type")).upper())
    if kind == "llm" and "operation" not in found.texts and "embed" in (part.name or ""):
        kind = "embedding"
    if kind is not None and "operation" not in found.texts:
        slots.setdefault("kind", kind)
    for ours, theirs in (("in_value", "lmnr.in"), ("out_value", "lmnr.out")):
        if theirs in slots:
            slots.setdefault(ours, scalar(slots[theirs]))


LAMINAR = Convention(
    "laminar",
    own=("lmnr.",),
    slots={
        "lmnr.type": "lmnr.span.type",
        "lmnr.in": "lmnr.span.input",
        "lmnr.out": "lmnr.span.output",
        "session_id": "lmnr.association.properties.session_id",
        "user_id": "lmnr.association.properties.user_id",
        "tags": "lmnr.association.properties.tags",
        "metadata": "lmnr.association.properties.metadata",
    },
    meta=("lmnr.association.properties.metadata.",),
    heard="lmnr.",
    prepare=_laminar,
)

# LangWatch

_LANGWATCH_KINDS = {
    "llm": "llm", "tool": "tool", "agent": "agent", "rag": "retriever", "guardrail": "guardrail",
    "evaluation": "evaluator", "prompt": "prompt", "chain": "chain", "workflow": "chain", "component": "chain",
    "module": "chain", "task": "chain", "span": "span",
}  # fmt: skip


def _langwatch(found: Found, part: SpanPart) -> None:
    slots, texts = found.slots, found.texts
    kind = _LANGWATCH_KINDS.get(str(slots.get("langwatch.type")))
    if kind is not None:
        slots.setdefault("kind", kind)
    for ours, blob, theirs in (
        ("in_value", "in_messages", "langwatch.in"),
        ("out_value", "out_messages", "langwatch.out"),
    ):
        type_, value = _typed(slots.get(theirs))
        if type_ == "chat_messages" or (kind == "llm" and type_ == "text"):
            slots.setdefault(blob, value)
        elif type_ is not None:
            slots.setdefault(ours, value)
    if "langwatch.contexts" in slots:
        chunks = decoded(slots["langwatch.contexts"])
        slots.setdefault("documents", [_chunk(one) for one in chunks] if isinstance(chunks, list) else None)
    _langwatch_call(found, kind)
    first = integer((mapping(slots.get("langwatch.times")) or {}).get("first_token_at"))
    began = integer((mapping(slots.get("langwatch.times")) or {}).get("started_at"))
    if first is not None and (began is not None or part.start_ns is not None):
        slots.setdefault("ttft_ms", first - (began if began is not None else (part.start_ns or 0) // 1_000_000))
    labels = (mapping(slots.get("metadata")) or {}).get("labels")
    if labels:
        slots.setdefault("tags", labels)
    if texts.get("request_model") and "model" not in texts:
        provider, slash, model = texts["request_model"].partition("/")
        if slash and kind == "llm":  # LiteLLM's names
            texts.setdefault("provider", provider)
            texts["request_model"] = model


def _langwatch_call(found: Found, kind: str | None) -> None:
    slots = found.slots
    metrics = mapping(slots.get("langwatch.metrics")) or {}
    for name, count in from_details({**metrics, "total": _total(metrics)} if metrics else {}).items():
        if kind == "llm" and name != "total_tokens":
            found.counts.setdefault(name, count)
    if number(metrics.get("cost")):
        slots.setdefault("cost", metrics["cost"])
    params = mapping(slots.get("langwatch.params")) or {}
    for name, value in params.items():
        if name in ("tools", "functions"):
            slots.setdefault("definitions", value)
        else:
            found.params.setdefault(name, value)


def _total(metrics: dict[str, Any]) -> int | None:
    """Its counts are those of the provider's totals: what is cached or thought is in them."""
    counts = [integer(metrics.get(name)) for name in ("prompt_tokens", "completion_tokens")]
    return None if None in counts else sum(count or 0 for count in counts)


def _typed(said: Any) -> tuple[str | None, Any]:
    """{"type": "chat_messages" | "text" | "json" | "list" …, "value": …}, which may hold another such."""
    value = decoded(said)
    for _ in range(4):
        if not (isinstance(value, dict) and value.keys() == {"type", "value"} and isinstance(value["type"], str)):
            break
        inner = value["value"]
        if not (isinstance(inner, dict) and inner.keys() == {"type", "value"}):
            return value["type"], inner
        value = inner
    return (None, None) if value is None else ("json", value)


def _chunk(one: Any) -> Any:
    if not isinstance(one, dict):
        return one
    beside = {key: value for key, value in one.items() if key not in ("document_id", "content")}
    return {"id": one.get("document_id"), "content": one.get("content"), "metadata": beside}


LANGWATCH = Convention(
    "langwatch",
    own=("langwatch.",),
    slots={
        "langwatch.type": "langwatch.span.type",
        "langwatch.in": "langwatch.input",
        "langwatch.out": "langwatch.output",
        "langwatch.contexts": "langwatch.rag_contexts langwatch.rag.contexts",
        "langwatch.metrics": "langwatch.metrics",
        "langwatch.params": "langwatch.params",
        "langwatch.times": "langwatch.timestamps",
        "session_id": "langwatch.thread.id langwatch.thread_id",
        "user_id": "langwatch.user.id langwatch.user_id",
        "tags": "langwatch.labels langwatch.tags",
        "prompt_name": "langwatch.prompt.handle langwatch.prompt.id",
        "prompt_version": "langwatch.prompt.version.number langwatch.prompt.version.id",
    },
    heard="langwatch.",
    prepare=_langwatch,
)

# AgentOps

_AGENTOPS_KINDS = {
    "session": "chain", "workflow": "chain", "task": "chain", "operation": "chain", "chain": "chain", "agent": "agent",
    "tool": "tool", "llm": "llm", "guardrail": "guardrail", "agent.execution": "agent", "team": "agent",
}  # fmt: skip


def _agentops(found: Found, part: SpanPart) -> None:
    slots, texts = found.slots, found.texts
    kind = _AGENTOPS_KINDS.get(str(slots.get("agentops.kind")))
    if kind is not None:
        slots.setdefault("kind", kind)
    for ours, theirs in (("in_value", "agentops.in"), ("out_value", "agentops.out")):
        if theirs in slots:
            slots.setdefault(ours, decoded(slots[theirs]))
    name = text(slots.get("agentops.name"))
    if name is not None and kind == "agent":
        texts.setdefault("agent_name", name)
    if name is not None and kind == "tool":
        slots.setdefault("tool_name", name)


AGENTOPS = Convention(
    "agentops",
    own=("agentops.", "llm.openai.stream."),
    slots={
        "agentops.kind": "agentops.span.kind",
        "agentops.name": "operation.name",
        "agentops.in": "agentops.entity.input agentops.tool.input agentops.task.input agentops.agent.input"
        " agentops.session.input agentops.workflow.input agentops.operation.input",
        "agentops.out": "agentops.entity.output agentops.tool.output agentops.task.output agentops.agent.output"
        " agentops.session.output agentops.workflow.output agentops.operation.output",
        "tags": "agentops.tags",
        "operation": "gen_ai.request.type",
    },
    heard="agentops. llm.openai.stream. gen_ai.streaming. operation.version",
    scopes=("agentops", "agentops."),
    prepare=_agentops,
)

# Braintrust: https://www.braintrust.dev/docs/integrations/opentelemetry

_BRAINTRUST_KINDS = {"llm": "llm", "tool": "tool", "function": "tool", "task": "chain", "eval": "chain",
                     "score": "evaluator", "facet": "evaluator", "review": "evaluator"}  # fmt: skip


def _braintrust(found: Found, part: SpanPart) -> None:
    slots, texts = found.slots, found.texts
    about = mapping(slots.get("braintrust.about")) or {}
    kind = _BRAINTRUST_KINDS.get(str(about.get("type")))
    if kind is not None:
        slots.setdefault("kind", kind)
    for ours, blob, theirs in (
        ("in_value", "in_messages", "braintrust.in"),
        ("out_value", "out_messages", "braintrust.out"),
    ):
        if theirs in slots:
            value = scalar(slots[theirs])
            slots.setdefault(blob if kind == "llm" and isinstance(value, list | str) else ours, value)
    metrics = mapping(slots.get("braintrust.metrics")) or {}
    for name, ours in _BRAINTRUST_METRICS.items():
        count = integer(metrics.get(name))
        if count is not None:
            found.counts.setdefault(ours, count)
    if "time_to_first_token" in metrics:
        slots.setdefault("ttft_s", metrics["time_to_first_token"])
    meta = mapping(slots.get("metadata")) or {}
    if kind == "llm":
        for field, key in (("request_model", "model"), ("provider", "provider")):
            if (said := text(meta.get(key))) is not None:
                texts.setdefault(field, said)
        for name in _BRAINTRUST_PARAMETERS & meta.keys():
            found.params.setdefault(name, meta[name])
        if meta.get("tools"):
            slots.setdefault("definitions", meta["tools"])


_BRAINTRUST_METRICS = {
    "prompt_tokens": "input_tokens", "completion_tokens": "output_tokens", "prompt_cached_tokens": "cache_read_tokens",
    "prompt_cache_creation_tokens": "cache_write_tokens", "completion_reasoning_tokens": "reasoning_tokens",
    "tokens": "total_tokens",
}  # fmt: skip
_BRAINTRUST_PARAMETERS = frozenset({"temperature", "max_tokens", "top_p", "stream", "stop", "seed", "response_format"})

BRAINTRUST = Convention(
    "braintrust",
    own=("braintrust.",),
    slots={
        "braintrust.about": "braintrust.span_attributes",
        "braintrust.in": "braintrust.input_json braintrust.input",
        "braintrust.out": "braintrust.output_json braintrust.output",
        "braintrust.metrics": "braintrust.metrics",
        "metadata": "braintrust.metadata",
        "tags": "braintrust.tags",
    },
    heard="braintrust.",
    prepare=_braintrust,
)

# Langtrace: `gen_ai.*`, its messages in events


def _langtrace(found: Found, part: SpanPart) -> None:
    root = part.scope is not None and part.scope.name == _LANGTRACE_ROOT
    if root or text(found.slots.get("langtrace.type")) == "framework":
        found.slots.setdefault("kind", "chain")


_LANGTRACE_ROOT = "langtrace_python_sdk.utils.with_root_span"

LANGTRACE = Convention(
    "langtrace",
    own=("langtrace.",),
    slots={"langtrace.type": "langtrace.service.type"},
    heard="langtrace.",
    scopes=(_LANGTRACE_ROOT,),
    prepare=_langtrace,
)
