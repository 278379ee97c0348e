"""The Vercel AI SDK's own names (`ai.*`, versions 3 to 6). Version 7 writes OpenTelemetry's `gen_ai.*`.

A call to `generateText` is a span over one span a step (`….doGenerate`, the call to the model) and one a tool call;
the outer span repeats the sums of its steps. https://ai-sdk.dev/docs/ai-sdk-core/telemetry
"""

from __future__ import annotations

from typing import Any

from collector.conventions.found import Convention, Found
from collector.conventions.values import decoded, integer, mapping, scalar, shared, text
from collector.model import SpanPart

_STEPS = {"doGenerate": "llm", "doStream": "llm", "doEmbed": "embedding", "doRerank": "reranker"}
_PROVIDERS = {"google": "google", "google-vertex": "google", "vertex": "google", "amazon-bedrock": "aws.bedrock",
              "azure-openai": "azure", "xai": "x_ai"}  # fmt: skip


def provider(name: str) -> str:
    """The provider of "openai.chat", "google.generative-ai", "azure-openai.responses"."""
    first = name.partition(".")[0]
    if first in ("aws", "azure", "gcp", "ibm", "az"):
        return name  # OpenTelemetry's names have dots, too
    return _PROVIDERS.get(first, first)


def _kind(operation: str) -> str:
    name = operation.split()[0] if operation else ""
    if name == "ai.toolCall":
        return "tool"
    return _STEPS.get(name.rpartition(".")[2], "chain")


def _prepare(found: Found, part: SpanPart) -> None:
    slots, texts = found.slots, found.texts
    operation = text(slots.get("vercel.operation")) or part.name or ""
    kind = _kind(operation)
    if "vercel.operation" in slots:
        slots.setdefault("kind", kind)
    if "provider" in texts:
        texts["provider"] = provider(texts["provider"])
    _content(found)
    _tokens(found)
    if "vercel.choice" in slots:
        found.params.setdefault("tool_choice", decoded(slots["vercel.choice"]))
    if "vercel.function" in slots:
        found.meta.setdefault("functionId", slots["vercel.function"])


def _content(found: Found) -> None:
    slots = found.slots
    prompt = decoded(slots.get("vercel.prompt"))
    if isinstance(prompt, dict):
        said = prompt.get("messages") or prompt.get("prompt")
        if said:
            slots.setdefault("in_messages", said)
        if prompt.get("system"):
            slots.setdefault("system", prompt["system"])
    elif prompt:
        slots.setdefault("in_messages", prompt)
    values = slots.get("vercel.values")
    if values is not None:
        texts = [scalar(value) for value in values] if isinstance(values, list) else [scalar(values)]
        slots.setdefault("in_value", texts[0] if len(texts) == 1 else texts)
    if isinstance(slots.get("vercel.tools"), list):
        slots.setdefault("definitions", [shared(tool) for tool in slots["vercel.tools"]])
    blocks = _answer(slots)
    if blocks:
        slots.setdefault("out_messages", [{"role": "assistant", "parts": blocks}])


def _answer(slots: dict[str, Any]) -> list[Any]:
    """The answer's blocks: reasoning, text or object, tool calls, files."""
    blocks: list[Any] = []
    if text(slots.get("vercel.reasoning")):
        blocks.append({"type": "reasoning", "text": slots["vercel.reasoning"]})
    said = slots.get("vercel.text", slots.get("vercel.object"))
    if text(said):
        blocks.append({"type": "text", "text": said})
    for name in ("vercel.calls", "vercel.files"):
        given = decoded(slots.get(name))
        if isinstance(given, list):
            kind = "tool-call" if name == "vercel.calls" else "file"
            blocks += [{"type": kind, **one} for one in given if isinstance(one, dict)]
    return blocks


def _tokens(found: Found) -> None:
    """Before version 6, Anthropic's numbers came as Anthropic counts: cache reads and writes beside the input."""
    counts, slots = found.counts, found.slots
    meta = mapping(slots.get("vercel.provider_metadata")) or {}
    anthropic = meta.get("anthropic")
    if isinstance(anthropic, dict) and "cache_write_tokens" not in counts:
        written = integer(anthropic.get("cacheCreationInputTokens"))
        if written:
            counts["cache_write_tokens"] = written
    if "vercel.details" in slots or "input_tokens" not in counts:
        return
    if isinstance(anthropic, dict) or found.texts.get("provider") == "anthropic":
        parts = counts.get("cache_read_tokens", 0) + counts.get("cache_write_tokens", 0)
        counts["input_tokens"] += parts


VERCEL = Convention(
    "vercel",
    own=("ai.",),
    slots={
        "vercel.operation": "ai.operationId",
        "vercel.function": "ai.telemetry.functionId",
        "provider": "ai.model.provider",
        "request_model": "ai.model.id",
        "model": "ai.response.model",
        "response_id": "ai.response.id",
        "finish_reasons": "ai.response.finishReason ai.finishReason",
        "in_messages": "ai.prompt.messages",
        "vercel.prompt": "ai.prompt",
        "vercel.text": "ai.response.text ai.result.text",
        "vercel.object": "ai.response.object ai.result.object",
        "vercel.reasoning": "ai.response.reasoning",
        "vercel.calls": "ai.response.toolCalls ai.result.toolCalls",
        "vercel.files": "ai.response.files",
        "vercel.tools": "ai.prompt.tools",
        "vercel.choice": "ai.prompt.toolChoice",
        "vercel.values": "ai.values ai.value",
        "vercel.provider_metadata": "ai.response.providerMetadata",
        "vectors": "ai.embeddings ai.embedding",
        "tool_name": "ai.toolCall.name",
        "tool_id": "ai.toolCall.id",
        "tool_arguments": "ai.toolCall.args ai.toolCall.input",
        "tool_result": "ai.toolCall.result ai.toolCall.output",
        "input_tokens": "ai.usage.inputTokens ai.usage.promptTokens ai.usage.tokens",
        "output_tokens": "ai.usage.outputTokens ai.usage.completionTokens",
        "total_tokens": "ai.usage.totalTokens",
        "cache_read_tokens": "ai.usage.inputTokenDetails.cacheReadTokens ai.usage.cachedInputTokens",
        "cache_write_tokens": "ai.usage.inputTokenDetails.cacheWriteTokens",
        "reasoning_tokens": "ai.usage.outputTokenDetails.reasoningTokens ai.usage.reasoningTokens",
        "vercel.details": "ai.usage.inputTokenDetails.noCacheTokens",
        "ttft_ms": "ai.response.msToFirstChunk ai.stream.msToFirstChunk",
    },
    params=("ai.settings.",),
    meta=("ai.telemetry.metadata.", "ai.settings.context."),
    heard="ai.request.headers. ai.response.timestamp ai.response.msToFinish"
    " ai.response.avgOutputTokensPerSecond ai.response.avgCompletionTokensPerSecond"
    " ai.usage.outputTokenDetails.textTokens ai.schema ai.schema. ai.settings.output operation.name resource.name"
    " ai.prompt.format ai.response.createdAt",
    prepare=_prepare,
)
