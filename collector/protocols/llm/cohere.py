"""Cohere's v2 API (docs.cohere.com/v2/reference): chat, embeddings; and rerank, which others serve alike."""

from __future__ import annotations

from typing import Any

from collector.protocols.llm import Endpoint, Said
from collector.protocols.llm.chat import merge, params
from collector.protocols.llm.plainly import fields, plain, text, told

_NO_PARAMS = frozenset({"model", "messages", "tools", "documents", "texts", "inputs", "images", "query"})


def asked(body: dict[str, Any]) -> Said:
    return {
        "input": body.get("messages"),
        "tool_definitions": body.get("tools"),
        "params": params(body, _NO_PARAMS - {"documents"}),
    }


def answered(answer: Any) -> Said:
    said = told(answer)
    message = fields(said.get("message"))
    kept = {name: message[name] for name in ("content", "tool_calls") if message.get(name)}
    if plan := text(message.get("tool_plan")):
        kept["reasoning"] = plan
    reason = text(said.get("finish_reason"))
    return {
        "response_id": text(said.get("id")),
        "output": [{"role": "assistant", **kept}] if kept else None,
        "finish_reasons": [reason] if reason else None,
        "usage": usage_of(fields(said.get("usage"))),
    }


def usage_of(usage: dict[str, Any]) -> dict[str, Any] | None:
    """What went through the model; what is billed leaves out Cohere's own additions."""
    counted = fields(usage.get("tokens")) or fields(usage.get("billed_units"))
    found = {name: counted.get(name) for name in ("input_tokens", "output_tokens")}
    found["cache_read_tokens"] = usage.get("cached_tokens")
    return {name: value for name, value in found.items() if value is not None} or None


class Gather:
    """A streamed answer: docs.cohere.com/v2/docs/streaming."""

    def __init__(self) -> None:
        self.complete = False
        self.frame: dict[str, Any] = {}
        self.blocks: dict[int, dict[str, Any]] = {}
        self.calls: dict[int, dict[str, Any]] = {}
        self.plan: list[str] = []

    def take(self, item: Any) -> bool:
        event = fields(item)
        kind, index = event.get("type"), event.get("index") or 0
        delta = fields(event.get("delta"))
        message = fields(delta.get("message"))
        if kind in ("content-start", "content-delta"):
            block = plain(fields(message.get("content")))
            merge(self.blocks.setdefault(index, {}), block)
            return bool(block.get("text") or block.get("thinking"))
        if kind in ("tool-call-start", "tool-call-delta"):
            merge(self.calls.setdefault(index, {}), plain(fields(message.get("tool_calls"))))
            return True
        if kind == "tool-plan-delta":
            self.plan.append(text(message.get("tool_plan")) or "")
            return True
        if kind in ("message-start", "message-end"):
            self.frame.update({**event, **plain(delta)})
            self.complete = kind == "message-end"
        return False

    def said(self) -> Said:
        blocks = [{"type": "thinking" if "thinking" in one else "text", **one} for one in self._sorted(self.blocks)]
        message = {"content": blocks, "tool_calls": self._sorted(self.calls), "tool_plan": "".join(self.plan)}
        return answered({**self.frame, "message": message})

    @staticmethod
    def _sorted(found: dict[int, dict[str, Any]]) -> list[dict[str, Any]]:
        return [found[index] for index in sorted(found)]


def embed_asked(body: dict[str, Any]) -> Said:
    given = body.get("texts")
    if given is None:
        listed = body.get("inputs") or body.get("images")
        given = {"inputs": len(listed)} if isinstance(listed, list) else listed
    return {"input": given, "params": params(body, _NO_PARAMS)}


def embed_answered(answer: Any) -> Said:
    said = fields(answer)
    found = said.get("embeddings")
    vectors = next(iter(found.values()), None) if isinstance(found, dict) else found
    vectors = vectors if isinstance(vectors, list) else []
    size = len(vectors[0]) if vectors and isinstance(vectors[0], list) else 0
    return {
        "response_id": text(said.get("id")),
        "output": {"embeddings": len(vectors), "dimensions": size},
        "usage": usage_of(fields(said.get("meta"))),
    }


def rerank_asked(body: dict[str, Any]) -> Said:
    """The documents are told again with their scores by `documents_of`."""
    listed = body.get("documents")
    given = {"query": body.get("query"), "documents": len(listed) if isinstance(listed, list) else 0}
    return {"input": given, "params": params(body, _NO_PARAMS), "candidates": listed}


def rerank_answered(answer: Any) -> Said:
    said = told(answer)
    results = [one for one in said.get("results") or () if isinstance(one, dict)]
    return {
        "model": text(said.get("model")),
        "response_id": text(said.get("id")),
        "ranked": results,
        "output": {"results": len(results)} if results else None,
        "usage": usage_of(fields(said.get("meta"))),
    }


ENDPOINTS = {
    "/v2/chat": Endpoint("chat", "llm", asked, answered, Gather, "cohere"),
    "/v2/embed": Endpoint("embeddings", "embedding", embed_asked, embed_answered, None, "cohere"),
    "/v1/embed": Endpoint("embeddings", "embedding", embed_asked, embed_answered, None, "cohere"),
    "/rerank": Endpoint("rerank", "reranker", rerank_asked, rerank_answered, None, "cohere"),
}
