"""Genkit's spans (JavaScript, Go, Python): actions with a type and a subtype, and what went in and out as JSON.

A `generate` is a chain over the call of the model and of its tools; a round with tools holds the next round.
https://genkit.dev/docs/observability/authoring-traces
"""

from __future__ import annotations

from typing import Any

from collector.conventions.counting import from_details
from collector.conventions.found import Convention, Found
from collector.conventions.values import decoded, mapping, scalar, text
from collector.conventions.vercel import provider
from collector.model import SpanPart

_KINDS = {
    "model": "llm", "background-model": "llm", "tool": "tool", "tool.v2": "tool", "embedder": "embedding",
    "retriever": "retriever", "reranker": "reranker", "evaluator": "evaluator", "prompt": "prompt",
    "executable-prompt": "chain", "flow": "chain", "flowStep": "chain", "agent": "agent", "util": "chain",
    "indexer": "chain", "helper": "chain",
}  # fmt: skip
_MAKERS = {"googleai": "google", "vertexai": "google", "googleapis": "google"}


def _prepare(found: Found, part: SpanPart) -> None:
    slots, texts = found.slots, found.texts
    subtype = text(slots.get("genkit.subtype")) or text(slots.get("genkit.type")) or ""
    kind = _KINDS.get(subtype)
    if kind is not None:
        slots.setdefault("kind", kind)
    given, made = (decoded(scalar(slots.get(f"genkit.{side}"))) for side in ("in", "out"))
    asked, answer = mapping(given) or {}, mapping(made) or {}
    name = text(slots.get("genkit.name")) or part.name
    if kind in ("llm", "embedding") and name:
        maker, _, model = name.rpartition("/")
        texts.setdefault("request_model", model)
        if maker:
            texts.setdefault("provider", _MAKERS.get(maker, provider(maker)))
    elif kind == "tool" and name:
        slots.setdefault("tool_name", name)
    if isinstance(asked.get("messages"), list):
        slots.setdefault("in_messages", [_message(one) for one in asked["messages"]])
    elif given is not None:
        slots.setdefault("in_value", given)
    if isinstance(answer.get("message"), dict):
        slots.setdefault("out_messages", [_message(answer["message"])])
    elif made is not None:
        slots.setdefault("out_value", made)
    if kind == "llm":
        _call(found, asked, answer)
    elif kind == "embedding":
        vectors = answer.get("embeddings")
        if isinstance(vectors, list) and vectors:
            slots.setdefault("vectors", [one.get("embedding") for one in vectors if isinstance(one, dict)])
    elif kind in ("retriever", "reranker") and isinstance(answer.get("documents"), list):
        slots.setdefault("documents", [_document(one) for one in answer["documents"] if isinstance(one, dict)])


def _call(found: Found, asked: dict[str, Any], answer: dict[str, Any]) -> None:
    slots, texts = found.slots, found.texts
    found.params.update(
        {key: value for key, value in (mapping(asked.get("config")) or {}).items() if value is not None}
    )
    if asked.get("tools"):
        slots.setdefault("definitions", asked["tools"])
    if answer.get("finishReason"):
        slots.setdefault("finish_reasons", answer["finishReason"])
    raw = mapping(answer.get("raw")) or mapping(answer.get("custom")) or {}
    for field, keys in (("response_id", ("id", "responseId")), ("model", ("model", "modelVersion"))):
        said = next((word for key in keys if (word := text(raw.get(key)))), None)
        if said is not None:
            texts.setdefault(field, said)
    if not found.counts:
        whole = mapping(raw.get("usage")) or mapping(raw.get("usageMetadata")) or mapping(answer.get("usage")) or {}
        found.counts.update(from_details(whole))


def _document(said: dict[str, Any]) -> dict[str, Any]:
    """{"content": [{"text"}], "metadata"} as one text."""
    blocks = said.get("content")
    texts = [b["text"] for b in blocks if isinstance(b, dict) and isinstance(b.get("text"), str)] if blocks else []
    metadata = mapping(said.get("metadata")) or {}
    return {"content": "".join(texts), "metadata": metadata, "score": metadata.get("score")}


def _message(said: Any) -> Any:
    if not isinstance(said, dict) or not isinstance(said.get("content"), list):
        return said
    return {"role": said.get("role"), "content": [_block(one) for one in said["content"]]}


def _block(said: Any) -> Any:
    """Genkit names a block by its only key: text, reasoning, media, toolRequest, toolResponse, data, custom."""
    if not isinstance(said, dict):
        return said
    request, response, media = (said.get(key) for key in ("toolRequest", "toolResponse", "media"))
    if isinstance(request, dict):
        return {"type": "tool_call", "id": request.get("ref"), "name": request.get("name"),
                "arguments": request.get("input")}  # fmt: skip
    if isinstance(response, dict):
        return {"type": "tool_result", "tool_call_id": response.get("ref"), "result": response.get("output")}
    if isinstance(media, dict):
        return {"type": "file", "file": {"url": media.get("url"), "mime_type": media.get("contentType")}}
    if isinstance(said.get("reasoning"), str):
        return {"type": "reasoning", "text": said["reasoning"]}
    return said


GENKIT = Convention(
    "genkit",
    own=("genkit:",),
    slots={
        "genkit.type": "genkit:type",
        "genkit.subtype": "genkit:metadata:subtype",
        "genkit.name": "genkit:name",
        "genkit.in": "genkit:input",
        "genkit.out": "genkit:output",
        "session_id": "genkit:sessionId",
    },
    heard="genkit:key genkit:path genkit:isRoot genkit:state genkit:isFailureSource genkit:threadName"
    " genkit:metadata:context genkit:metadata:flow:id genkit:metadata:flow:name genkit:metadata:flow:state",
    prepare=_prepare,
)
