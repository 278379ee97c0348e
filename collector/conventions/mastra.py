"""Mastra's OpenTelemetry exporter: its own span types, inputs and outputs beside OpenTelemetry's names.

A call of the model is a generation (the whole turn), over a step for each round, over the inference itself, over its
chunks; only the inference has tokens. https://mastra.ai/docs/observability/tracing/overview
"""

from __future__ import annotations

from typing import Any

from collector.conventions.found import Convention, Found
from collector.conventions.langfuse import moment_ns
from collector.conventions.values import decoded, text
from collector.model import SpanPart

_KINDS = {
    "agent_run": "agent", "model_generation": "chain", "model_step": "chain", "model_inference": "llm",
    "tool_call": "tool", "mcp_tool_call": "tool", "provider_tool_call": "tool", "client_tool_call": "tool",
    "workflow_run": "chain", "workflow_step": "chain", "processor_run": "guardrail", "scorer_run": "evaluator",
    "scorer_step": "evaluator", "classifier_evaluation": "evaluator", "rag_embedding": "embedding",
    "rag_vector_operation": "retriever", "model_chunk": "event",
}  # fmt: skip
_SAYING = frozenset({"agent_run", "model_generation", "model_step", "model_inference"})
_CONTENT = " ".join(
    "agent_run model_generation model_step model_inference model_chunk workflow_run workflow_step workflow_conditional"
    " workflow_conditional_eval workflow_parallel workflow_loop processor_run scorer_run scorer_step generic mapping"
    " classifier_evaluation rag_ingestion rag_embedding rag_vector_operation rag_action graph_action agent_signal"
    " memory_operation mcp_server_request skill_action workspace_action".split()
).split()


def _prepare(found: Found, part: SpanPart) -> None:
    slots = found.slots
    type_ = text(slots.get("mastra.type")) or ""
    said = _KINDS.get(type_)
    if said is not None and not (said == "chain" and found.counts):  # before 1.0 the generation was the call
        slots.setdefault("kind", said)
    given, made = decoded(slots.get("mastra.in")), decoded(slots.get("mastra.out"))
    if given is not None:
        slots.setdefault("in_value", given)
    if made is not None:
        slots.setdefault("out_value", made)
    if type_ in _SAYING and isinstance(given, dict) and isinstance(given.get("messages"), list):
        slots.setdefault("in_messages", given["messages"])
    first: Any = moment_ns(text(slots.get("mastra.first_token")))
    if first is not None and part.start_ns is not None and first >= part.start_ns:  # later steps repeat the first's
        slots.setdefault("ttft_ns", first - part.start_ns)


MASTRA = Convention(
    "mastra",
    own=("mastra.",),
    slots={
        "mastra.type": "mastra.span.type",
        "mastra.in": " ".join(f"mastra.{name}.input" for name in _CONTENT),
        "mastra.out": " ".join(f"mastra.{name}.output" for name in _CONTENT),
        "mastra.first_token": "mastra.completion_start_time",
        "tags": "mastra.tags",
    },
    meta=("mastra.metadata.",),
    heard="mastra.model_step.step_index mastra.model_step.is_continued mastra.trace mastra.span",
    prepare=_prepare,
)
