"""Ollama's own API (github.com/ollama/ollama/blob/main/docs/api.md) and llama.cpp's `/completion`.

Ollama streams unless it is told not to, a JSON document a line; its times are nanoseconds.
"""

from __future__ import annotations

from typing import Any

from collector.protocols.llm import Endpoint, Said
from collector.protocols.llm.chat import params
from collector.protocols.llm.plainly import fields, plain, text, told

_NO_PARAMS = frozenset({"model", "messages", "prompt", "system", "input", "images", "tools", "context", "image_data"})
_TIMES = ("total_duration", "load_duration", "prompt_eval_duration", "eval_duration")
_LLAMA_KEPT = ("tokens_cached", "truncated", "stop_type", "stopping_word")


def asked(body: dict[str, Any]) -> Said:
    given = body.get("messages")
    messages = [_message(one) for one in given] if isinstance(given, list) else given
    return {"input": messages, "tool_definitions": body.get("tools"), "params": params(body, _NO_PARAMS)}


def _message(said: Any) -> Any:
    """With its images among its content, and a tool's answer named after the tool: Ollama's calls have no ids."""
    if not isinstance(said, dict):
        return said
    kept = {name: value for name, value in said.items() if name not in ("images", "tool_name")}
    if said.get("tool_name"):
        kept.setdefault("name", said["tool_name"])
    if isinstance(images := said.get("images"), list) and images:
        kept["content"] = _with_images(said.get("content"), images)
    return kept


def _with_images(words: Any, images: list[Any]) -> list[Any]:
    said = [{"type": "text", "text": words}] if text(words) else []
    return said + [{"type": "image", "source": {"data": one}} for one in images]


def text_asked(body: dict[str, Any]) -> Said:
    images = body.get("images")
    given = body.get("prompt")
    if isinstance(images, list) and images:
        given = [{"role": "user", "content": _with_images(given, images)}]
    return {"input": given, "system": body.get("system"), "params": params(body, _NO_PARAMS)}


def answered(answer: Any) -> Said:
    said = told(answer)
    message = said.get("message")
    if not isinstance(message, dict):
        message = {"content": said.get("response"), "thinking": said.get("thinking")}
    message = {"role": "assistant", **{name: value for name, value in message.items() if value}}
    reason = text(said.get("done_reason"))
    return {
        "model": text(said.get("model")),
        "output": [message] if len(message) > 1 else None,
        "finish_reasons": [reason] if reason else None,
        **_counted(said),
    }


def _counted(said: dict[str, Any]) -> Said:
    usage = {"input_tokens": said.get("prompt_eval_count"), "output_tokens": said.get("eval_count")}
    return {
        "usage": {name: value for name, value in usage.items() if value is not None} or None,
        "attributes": {f"ollama.{name}": said[name] for name in _TIMES if isinstance(said.get(name), int)},
    }


class Gather:
    """A stream of documents, each with some of the answer; the last has the numbers."""

    def __init__(self) -> None:
        self.complete = False
        self.last: dict[str, Any] = {}
        self.texts: dict[str, list[str]] = {}
        self.calls: list[Any] = []

    def take(self, item: Any) -> bool:
        said = fields(item)
        self.last = {**self.last, **{name: value for name, value in said.items() if name != "message"}}
        self.complete = self.complete or said.get("done") is True
        message = fields(said.get("message")) or {"content": said.get("response"), "thinking": said.get("thinking")}
        fresh = False
        for name in ("content", "thinking"):
            if piece := text(message.get(name)):
                self.texts.setdefault(name, []).append(piece)
                fresh = True
        if isinstance(calls := message.get("tool_calls"), list) and calls:
            self.calls += plain(calls)
            fresh = True
        return fresh

    def said(self) -> Said:
        message = {name: "".join(pieces) for name, pieces in self.texts.items()}
        return answered({**self.last, "message": {**message, "tool_calls": self.calls}})


def embed_answered(answer: Any) -> Said:
    """How many vectors, and of what length."""
    said = fields(answer)
    vectors = said.get("embeddings") or ([said["embedding"]] if said.get("embedding") else [])
    size = len(vectors[0]) if vectors and isinstance(vectors[0], list) else 0
    output = {"embeddings": len(vectors), "dimensions": size}
    return {"model": text(said.get("model")), "output": output, **_counted(said)}


def embed_asked(body: dict[str, Any]) -> Said:
    return {"input": body.get("input", body.get("prompt")), "params": params(body, _NO_PARAMS)}


def llama_answered(answer: Any) -> Said:
    """llama.cpp's own: what was generated, and how fast (milliseconds)."""
    said = told(answer)
    timings = fields(said.get("timings"))
    kept = {f"llamacpp.timings.{name}": value for name, value in timings.items() if type(value) in (int, float)}
    kept |= {f"llamacpp.{name}": said[name] for name in _LLAMA_KEPT if type(said.get(name)) in (int, str, bool)}
    usage = {
        "input_tokens": said.get("tokens_evaluated"),
        "output_tokens": said.get("tokens_predicted"),
        "cache_read_tokens": timings.get("cache_n"),
    }
    reason = text(said.get("stop_type"))
    content = said.get("content")
    return {
        "model": text(said.get("model")),
        "output": [{"role": "assistant", "content": content}] if content else None,
        "finish_reasons": [reason] if reason and reason != "none" else None,
        "usage": {name: value for name, value in usage.items() if value is not None} or None,
        "attributes": kept,
    }


class LlamaGather:
    """llama.cpp's stream; its last event has everything but the text."""

    def __init__(self) -> None:
        self.complete = False
        self.last: dict[str, Any] = {}
        self.texts: list[str] = []

    def take(self, item: Any) -> bool:
        said = fields(item)
        self.last = {**self.last, **said}
        self.complete = self.complete or said.get("stop") is True
        if piece := text(said.get("content")):
            self.texts.append(piece)
            return True
        return False

    def said(self) -> Said:
        return llama_answered({**self.last, "content": "".join(self.texts)})


ENDPOINTS = {
    "/api/chat": Endpoint("chat", "llm", asked, answered, Gather, "ollama"),
    "/api/generate": Endpoint("text_completion", "llm", text_asked, answered, Gather, "ollama"),
    "/api/embed": Endpoint("embeddings", "embedding", embed_asked, embed_answered, None, "ollama"),
    "/api/embeddings": Endpoint("embeddings", "embedding", embed_asked, embed_answered, None, "ollama"),
    "/completion": Endpoint("text_completion", "llm", text_asked, llama_answered, LlamaGather, "llama.cpp"),
}
