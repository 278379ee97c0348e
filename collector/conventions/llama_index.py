"""LlamaIndex's own OpenTelemetry (`llama-index-observability-otel`): spans named by method, what they did in events.

    LLMChatStartEvent, LLMChatEndEvent      messages, model_dict.model_name, response.message.*, response.raw.*
    EmbeddingStartEvent, EmbeddingEndEvent  chunks, embeddings
    RetrievalStartEvent, RetrievalEndEvent  str_or_query_bundle.query_str, nodes
    ReRankStartEvent, ReRankEndEvent        query, nodes
    QueryStartEvent, SynthesizeEndEvent …   query, response.response

Nested values are keys with dots. Steps of a workflow say in one line of Python what came in.
"""

from __future__ import annotations

import re
from typing import Any

from collector.conventions.counting import from_details
from collector.conventions.found import Convention, Found
from collector.conventions.values import decoded, pythonic, text
from collector.model import SpanPart, Value

SCOPE = "llamaindex.opentelemetry.tracer"
_KINDS = (
    ("LLMChat", "llm"), ("LLMCompletion", "llm"), ("Embedding", "embedding"), ("SparseEmbedding", "embedding"),
    ("Retrieval", "retriever"), ("ReRank", "reranker"), ("AgentToolCall", "tool"), ("Query", "chain"),
    ("Synthesize", "chain"), ("GetResponse", "chain"), ("LLMPredict", "chain"), ("LLMStructuredPredict", "chain"),
)  # fmt: skip
_MAKERS = {"openai_llm": "openai", "Anthropic_LLM": "anthropic", "AzureOpenAI": "azure.ai.openai",
           "Ollama_llm": "ollama", "Gemini": "gcp.gemini", "MistralAI_LLM": "mistral_ai", "Groq": "groq"}  # fmt: skip
_TOOL_CALL = re.compile(r"ToolCall\(tool_name='([^']*)', tool_kwargs=(\{.*\}), tool_id='([^']*)'\)", re.DOTALL)


def _prepare(found: Found, part: SpanPart) -> None:
    said: dict[str, Value] = {}
    kind: str | None = None
    for event in part.events:
        kind = kind or next((ours for name, ours in _KINDS if event.name.startswith(name)), None)
        said |= event.attributes
    method = (part.name or "").partition(".")
    if kind is None:
        kind = "agent" if method[0].endswith("Agent") and method[2] == "run" else None
    if method[0] in ("FunctionTool", "QueryEngineTool") and method[2] in ("call", "acall"):
        kind = "tool"
    slots = found.slots
    slots.setdefault("kind", kind or "chain")
    if kind == "llm":
        _call(found, said)
    elif kind == "embedding":
        slots.setdefault("in_value", said.get("chunks"))
        slots.setdefault("vectors", said.get("embeddings"))
    elif kind in ("retriever", "reranker"):
        slots.setdefault("documents", [_node(one) for one in _list(said.get("nodes"))])
    elif kind == "tool":
        _tool(found, said)
    for key in ("str_or_query_bundle.query_str", "query.query_str", "str_or_query_bundle", "query", "query_str"):
        if kind in ("retriever", "reranker", "chain") and text(said.get(key)) is not None:
            slots.setdefault("query" if kind != "chain" else "in_value", said[key])
    for key in ("response.response", "response", "output"):
        if kind not in ("llm", "tool") and text(said.get(key)) is not None:
            slots.setdefault("out_value", said[key])
    if "llama.summary" in slots and kind != "tool":
        slots.setdefault("in_value", slots["llama.summary"])


def _call(found: Found, said: dict[str, Value]) -> None:
    slots, texts = found.slots, found.texts
    given = said.get("messages", said.get("prompt"))
    if given is not None:
        slots.setdefault("in_messages", [_message(one) for one in _list(given)] or given)
    raw = _nested(said, "response.raw.")
    answered = _nested(said, "response.message.")
    choices = raw.get("choices")
    if choices:
        slots.setdefault("out_messages", choices)
    elif answered.get("blocks") is not None:
        slots.setdefault("out_messages", [_message(answered)])
    elif text(said.get("response.text")) is not None:
        slots.setdefault("out_messages", said["response.text"])
    for field, value in (("request_model", said.get("model_dict.model_name")), ("model", raw.get("model")),
                         ("response_id", raw.get("id"))):  # fmt: skip
        if isinstance(value, str) and value and value != "null":
            texts.setdefault(field, value)
    maker = _MAKERS.get(str(said.get("model_dict.class_name")))
    if maker is not None:
        texts.setdefault("provider", maker)
    usage = raw.get("usage", raw.get("usage_metadata"))
    for name, count in from_details(usage if isinstance(usage, dict) else {}).items():
        found.counts.setdefault(name, count)
    for name in ("temperature", "max_tokens"):
        if said.get(f"model_dict.{name}") not in (None, "null"):
            found.params.setdefault(name, said[f"model_dict.{name}"])


def _tool(found: Found, said: dict[str, Value]) -> None:
    slots = found.slots
    called = _TOOL_CALL.fullmatch(str(slots.get("llama.summary", "")))
    if called is not None:
        slots.setdefault("tool_name", called[1])
        slots.setdefault("tool_arguments", pythonic(called[2]))
        slots.setdefault("tool_id", called[3])
    if text(said.get("tool.name")) is not None:
        slots.setdefault("tool_name", said["tool.name"])
    if said.get("arguments") is not None:
        slots.setdefault("tool_arguments", said["arguments"])


def _message(said: Any) -> Any:
    """Its messages are made of blocks: text, images, audio, thinking, tool calls."""
    if not isinstance(said, dict):
        return said
    blocks = _list(said.get("blocks"))
    out: dict[str, Any] = {"role": said.get("role"), "content": [_block(one) for one in blocks]}
    beside = decoded(said.get("additional_kwargs"))
    beside = beside if isinstance(beside, dict) else {}
    for key in ("tool_calls", "tool_call_id", "name"):
        given = beside.get(key)
        if given is not None:
            out[key] = given
    return out


def _block(one: Any) -> Any:
    if not isinstance(one, dict):
        return one
    kind = one.get("block_type")
    if kind == "thinking":
        return {"type": "reasoning", "text": one.get("content") or ""}
    if kind == "tool_call":
        return {"type": "tool_call", "id": one.get("tool_call_id"), "name": one.get("tool_name"),
                "arguments": one.get("tool_kwargs")}  # fmt: skip
    if kind == "image" and (one.get("url") or one.get("image")):
        where = {"url": one["url"]} if one.get("url") else {"data": one["image"]}
        return {"type": "image", "mime_type": one.get("image_mimetype"), **where}
    return {**{key: value for key, value in one.items() if key != "block_type"}, "type": kind}


def _node(said: Any) -> Any:
    """{"node": {"id_", "text", "metadata"}, "score"}"""
    inner = said.get("node") if isinstance(said, dict) else None
    if not isinstance(inner, dict):
        return said
    content = inner.get("text")
    if content is None and isinstance(inner.get("text_resource"), dict):
        content = inner["text_resource"].get("text")
    return {"id": inner.get("id_"), "content": content, "score": said.get("score"), "metadata": inner.get("metadata")}


def _list(said: Value) -> list[Any]:
    said = decoded(said)
    return said if isinstance(said, list) else []


def _nested(said: dict[str, Value], prefix: str) -> dict[str, Any]:
    """What was flattened under a prefix, put together again; "null" is nothing."""
    out: dict[str, Any] = {}
    for key, value in said.items():
        if not key.startswith(prefix) or value in (None, "null"):
            continue
        here = out
        *path, last = key[len(prefix) :].split(".")
        for name in path[:_DEEP]:
            inner = here.setdefault(name, {})
            if not isinstance(inner, dict):
                break
            here = inner
        else:
            here[last] = decoded(value)
    return out


_DEEP = 8

LLAMA_INDEX = Convention(
    "llama-index",
    own=("llamaindex.",),
    slots={"llama.summary": "llamaindex.step.input_summary"},
    heard="llamaindex.",
    scopes=(SCOPE,),
    prepare=_prepare,
)
