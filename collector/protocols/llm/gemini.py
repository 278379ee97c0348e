"""Gemini's own API: `models/NAME:generateContent` and its kin (ai.google.dev/api/generate-content); Vertex AI's too."""

from __future__ import annotations

from typing import Any

from collector.protocols.llm import Endpoint, Said
from collector.protocols.llm.chat import params
from collector.protocols.llm.plainly import fields, plain, text, told

_CONFIG = ("generationConfig", "generation_config")
_NO_PARAMS = frozenset({"model", "contents", "systemInstruction", "system_instruction", "tools", *_CONFIG})
_ANSWERS = frozenset({"functionResponse", "function_response"})
PROVIDER = "gcp.gemini"


def asked(body: dict[str, Any]) -> Said:
    contents = body.get("contents")
    if isinstance(contents, dict):
        contents = [contents]
    config: dict[str, Any] = next((body[name] for name in _CONFIG if isinstance(body.get(name), dict)), {})
    system = body.get("systemInstruction", body.get("system_instruction"))
    return {
        "input": {
            "system": _parts(system) if isinstance(system, dict) else system,
            "messages": [_content(one, "user") for one in contents] if isinstance(contents, list) else contents,
        },
        "tool_definitions": body.get("tools"),
        "params": {**(params(body, _NO_PARAMS) or {}), **plain(config)} or None,
    }


def _parts(content: dict[str, Any]) -> list[Any]:
    said = content.get("parts")
    return said if isinstance(said, list) else [said] if said else []


def _content(said: Any, role: str) -> Any:
    """As a message of ours. What tools answered comes from the "user"."""
    if not isinstance(said, dict):
        return said
    blocks = _parts(said)
    given = said.get("role") or role
    if blocks and all(isinstance(one, dict) and _ANSWERS & one.keys() for one in blocks):
        given = "tool"
    return {"role": "assistant" if given == "model" else given, "parts": blocks}


def answered(answer: Any) -> Said:
    said = told(answer)
    candidates = [one for one in said.get("candidates") or () if isinstance(one, dict)]
    reasons = [one.get("finishReason") for one in candidates]
    reasons.append(fields(said.get("promptFeedback")).get("blockReason"))
    output = [_content(one["content"], "assistant") for one in candidates if fields(one.get("content")).get("parts")]
    return {
        "model": text(said.get("modelVersion")),
        "response_id": text(said.get("responseId")),
        "output": output or None,
        "finish_reasons": [str(reason) for reason in reasons if reason] or None,
        "usage": usage_of(fields(said.get("usageMetadata"))),
    }


def usage_of(usage: dict[str, Any]) -> dict[str, Any] | None:
    """Tokens in our meaning. The prompt's include what was read from the cache, the candidates' do not include
    thoughts, and what tools brought in is counted apart (ai.google.dev/api/generate-content#UsageMetadata)."""
    given, tools = usage.get("promptTokenCount"), usage.get("toolUsePromptTokenCount")
    made, thought = usage.get("candidatesTokenCount"), usage.get("thoughtsTokenCount")
    found = {
        "input_tokens": _sum(given, tools),
        "output_tokens": _sum(made, thought),
        "cache_read_tokens": usage.get("cachedContentTokenCount"),
        "reasoning_tokens": thought,
        "audio_input_tokens": _audio(usage.get("promptTokensDetails")),
        "audio_output_tokens": _audio(usage.get("candidatesTokensDetails")),
    }
    return {name: value for name, value in found.items() if value is not None} or None


def _sum(*counts: Any) -> int | None:
    known = [one for one in counts if isinstance(one, int)]
    return sum(known) if known else None


def _audio(details: Any) -> Any:
    listed = details if isinstance(details, list) else []
    return next((fields(one).get("tokenCount") for one in listed if fields(one).get("modality") == "AUDIO"), None)


class Gather:
    """A stream of answers, each with the next parts of its candidates; texts that follow one another are one."""

    def __init__(self) -> None:
        self.frame: dict[str, Any] = {}
        self.candidates: dict[int, dict[str, Any]] = {}

    @property
    def complete(self) -> bool:
        blocked = bool(fields(self.frame.get("promptFeedback")).get("blockReason"))
        whole = bool(self.candidates) and all(one["finishReason"] for one in self.candidates.values())
        return blocked or whole

    def take(self, item: Any) -> bool:
        said = fields(item)
        self.frame.update({name: value for name, value in said.items() if name != "candidates" and value})
        fresh = False
        for given in said.get("candidates") or ():
            one = fields(given)
            kept = self.candidates.setdefault(one.get("index") or 0, {"parts": [], "finishReason": None})
            kept["finishReason"] = one.get("finishReason") or kept["finishReason"]
            for piece in _parts(fields(one.get("content"))):
                if isinstance(piece, dict) and piece != {"text": ""}:
                    fresh = True
                    _add(kept["parts"], piece)
        return fresh

    def said(self) -> Said:
        listed = []
        for index in sorted(self.candidates):
            kept = self.candidates[index]
            parts = [{**one, "text": "".join(one["text"])} if "text" in one else one for one in kept["parts"]]
            listed.append({"content": {"role": "model", "parts": parts}, "finishReason": kept["finishReason"]})
        return answered({**self.frame, "candidates": listed})


def _add(parts: list[dict[str, Any]], piece: dict[str, Any]) -> None:
    words = piece.get("text")
    if not isinstance(words, str):
        parts.append({name: value for name, value in piece.items() if name != "text"})
    elif parts and "text" in parts[-1] and parts[-1].get("thought") == piece.get("thought"):
        parts[-1]["text"].append(words)
    else:
        parts.append({**piece, "text": [words]})


def embed_asked(body: dict[str, Any]) -> Said:
    """One content, or requests of one each: their texts."""
    listed = body["requests"] if isinstance(body.get("requests"), list) else [body]
    words = ["".join(text(fields(one).get("text")) or "" for one in _parts(fields(fields(said).get("content"))))
             for said in listed]  # fmt: skip
    dropped = frozenset({"model", "content", "requests"})
    return {"input": words[0] if len(words) == 1 else words, "params": params(body, dropped)}


def embed_answered(answer: Any) -> Said:
    said = fields(answer)
    vectors = said["embeddings"] if isinstance(said.get("embeddings"), list) else [said.get("embedding")]
    first = fields(vectors[0]).get("values") if vectors else None
    output = {"embeddings": len(vectors), "dimensions": len(first) if isinstance(first, list) else 0}
    return {"output": output, "usage": usage_of(fields(said.get("usageMetadata")))}


ENDPOINTS = {
    ":generateContent": Endpoint("generate_content", "llm", asked, answered, Gather, PROVIDER),
    ":streamGenerateContent": Endpoint("generate_content", "llm", asked, answered, Gather, PROVIDER, array=True),
    ":embedContent": Endpoint("embeddings", "embedding", embed_asked, embed_answered, None, PROVIDER),
    ":batchEmbedContents": Endpoint("embeddings", "embedding", embed_asked, embed_answered, None, PROVIDER),
}
