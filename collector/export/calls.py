"""A recorded call of a model as the request that repeats it, in the API's own words.

Messages, tools and parameters come from what the span recorded; the address and the key never do. A trace is
somebody's word: an address in it could ask for the user's key, so only providers known here have one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from collector.errors import TracetuiError
from collector.export import anthropic, openai
from collector.store.rows import SpanDetail

Body = dict[str, Any]

_LOST = re.compile(
    r"\[[A-Z][A-Z0-9_]*:[0-9a-f]{4}\]|\[TEXT:[0-9a-f]{4}:\d+\]|…\[\d+ bytes cut\]|\[missing from the file\]"
)


class NotACall(TracetuiError):
    """The span is no call of a model, or too little of it was recorded."""


@dataclass(frozen=True, slots=True)
class Provider:
    """Where a provider is asked. `base` is the address that `base_variable` may replace, "" in `key_variable` means
    that it takes none."""

    api: str
    base: str
    base_variable: str
    key_variable: str


ANTHROPIC = Provider("anthropic", "https://api.anthropic.com", "ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY")
OPENAI = Provider("openai", "https://api.openai.com/v1", "OPENAI_BASE_URL", "OPENAI_API_KEY")
PROVIDERS: dict[str, Provider] = {
    "anthropic": ANTHROPIC,
    "openai": OPENAI,
    "deepseek": Provider("openai", "https://api.deepseek.com", "DEEPSEEK_BASE_URL", "DEEPSEEK_API_KEY"),
    "groq": Provider("openai", "https://api.groq.com/openai/v1", "GROQ_BASE_URL", "GROQ_API_KEY"),
    "mistral": Provider("openai", "https://api.mistral.ai/v1", "MISTRAL_BASE_URL", "MISTRAL_API_KEY"),
    "ollama": Provider("openai", "http://localhost:11434/v1", "OLLAMA_BASE_URL", ""),
    "openrouter": Provider("openai", "https://openrouter.ai/api/v1", "OPENROUTER_BASE_URL", "OPENROUTER_API_KEY"),
    "together": Provider("openai", "https://api.together.xyz/v1", "TOGETHER_BASE_URL", "TOGETHER_API_KEY"),
    "xai": Provider("openai", "https://api.x.ai/v1", "XAI_BASE_URL", "XAI_API_KEY"),
}
"""Their documented OpenAI-compatible addresses."""
_SPELT = {"mistral_ai": "mistral", "mistralai": "mistral", "x_ai": "xai", "x-ai": "xai", "together_ai": "together"}


@dataclass(frozen=True, slots=True)
class Call:
    """The request: `path` after the provider's address, and its JSON `body`. `doubts` are sentences on what the
    recording did not hold, or what this request leaves out; `answer` is what was answered then."""

    provider: Provider
    path: str
    body: Body
    doubts: tuple[str, ...] = ()
    answer: Answer | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model said then: its text, and (name, arguments) of the tools it called."""

    text: str
    tools: tuple[tuple[str, Any], ...] = ()


def call_of(span: SpanDetail) -> Call:
    """The request that a span recorded. NotACall says why there is none."""
    if span.row.kind not in ("llm", "embedding"):
        raise NotACall(
            f"span {span.row.span_id} is no call of a model but of kind {span.row.kind}; choose one of kind llm"
        )
    model = span.request_model or span.row.model
    if not model:
        raise NotACall(f"span {span.row.span_id} names no model")
    provider, doubts = provider_of(span)
    path, body, left_out = _request(span, provider, model)
    text = json.dumps(body, default=str)  # bytes have no place in a request, nor has NaN
    body = json.loads(text, parse_constant=lambda _: None)
    if _LOST.search(json.dumps(body, ensure_ascii=False)):
        left_out.append("Some of it was redacted or cut when it was recorded: the answer will not be the same.")
    return Call(provider, path, body, (*doubts, *left_out), _answer(span))


def name_of(provider: Provider) -> str:
    """What price lists call it; one that is not listed by its API's own maker."""
    return next((name for name, one in PROVIDERS.items() if one == provider), provider.api)


def provider_of(span: SpanDetail) -> tuple[Provider, list[str]]:
    """Who is asked, and a doubt where the recording names somebody that is not known here."""
    said = (span.row.provider or "").lower()
    name = _SPELT.get(said, said)
    if name in PROVIDERS:
        return PROVIDERS[name], []
    claude = "claude" in (span.request_model or span.row.model or "").lower()
    guess = ANTHROPIC if "anthropic" in name or (claude and not name) else OPENAI
    if not name:
        return guess, []
    return guess, [f"It went to {name}; this asks {guess.base}: set {guess.base_variable} to ask somebody else."]


def _request(span: SpanDetail, provider: Provider, model: str) -> tuple[str, Body, list[str]]:
    said = (*span.system, *(span.input.messages if span.input else ()))
    value = span.input.value if span.input else None
    if span.row.kind == "embedding" or span.operation == "embeddings":
        texts = value if value is not None else [_text(message.parts) for message in said]
        if not texts:
            raise NotACall(f"span {span.row.span_id} did not record what was to be embedded")
        return "/embeddings", {"model": model, "input": texts}, []
    if not said and isinstance(value, str):
        return "/completions", {"model": model, "prompt": value, **_numbers(span.params)}, []
    if not said:
        raise NotACall(f"span {span.row.span_id} did not record the messages that were sent")
    make = anthropic.request if provider.api == "anthropic" else openai.request
    body, left_out = make(said, span.params or {}, span.tool_definitions)
    return anthropic.PATH if provider.api == "anthropic" else openai.PATH, {"model": model, **body}, left_out


def _numbers(params: Mapping[str, Any] | None) -> Body:
    return {name: value for name, value in (params or {}).items() if name in ("temperature", "max_tokens", "top_p")}


def _text(parts: tuple[dict[str, Any], ...]) -> str:
    return "".join(str(part.get("text") or "") for part in parts if part.get("type") == "text")


def _answer(span: SpanDetail) -> Answer | None:
    messages = span.output.messages if span.output else ()
    if not messages:
        return None
    parts = [part for message in messages for part in message.parts]
    calls = tuple((str(part.get("name")), part.get("arguments")) for part in parts if part.get("type") == "tool_call")
    return Answer("".join(str(part.get("text") or "") for part in parts if part.get("type") == "text"), calls)
