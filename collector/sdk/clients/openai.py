"""`wrap_openai`: clients of the openai package, and whatever answers like OpenAI behind their `base_url`.

from openai import OpenAI
from collector import wrap_openai

client = wrap_openai(OpenAI())
client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "Hello"}])
"""

from __future__ import annotations

from typing import Any, TypeVar

from collector.sdk.clients import chat, responses
from collector.sdk.clients.calls import Endpoint
from collector.sdk.clients.wrapping import wrap

Client = TypeVar("Client")

ENDPOINTS = {
    "/chat/completions": Endpoint("chat", "llm", chat.chat_asked, chat.chat_answered, chat.ChatGather),
    "/responses": Endpoint("chat", "llm", responses.asked, responses.answered, responses.ResponseGather),
    "/completions": Endpoint("text_completion", "llm", chat.text_asked, chat.text_answered, chat.ChatGather),
    "/embeddings": Endpoint("embeddings", "embedding", chat.embeddings_asked, chat.embeddings_answered),
}
HOSTS = {
    "openai.azure.com": "azure.ai.openai", "cognitiveservices.azure.com": "azure.ai.openai",
    "services.ai.azure.com": "azure.ai.inference", "openrouter.ai": "openrouter", "groq.com": "groq",
    "deepseek.com": "deepseek", "mistral.ai": "mistral_ai", "x.ai": "x_ai", "together.xyz": "together",
    "together.ai": "together", "fireworks.ai": "fireworks", "perplexity.ai": "perplexity", "cerebras.ai": "cerebras",
    "googleapis.com": "gcp.gemini", "amazonaws.com": "aws.bedrock", "anthropic.com": "anthropic",
    "cohere.com": "cohere", "cohere.ai": "cohere", "moonshot.cn": "moonshotai", "moonshot.ai": "moonshotai",
    "huggingface.co": "huggingface",
}  # fmt: skip
"""Providers by the end of their host name, in the spelling of OpenTelemetry's conventions where they have one."""
PORTS = {11434: "ollama", 1234: "lmstudio"}
"""Runtimes on one's own machine, by the port they listen on unless told otherwise."""


def wrap_openai(client: Client) -> Client:
    """The same client, and from now on each of its requests to a model is a span of kind "llm" or "embedding".

    Takes `OpenAI`, `AsyncOpenAI`, `AzureOpenAI`, `AsyncAzureOpenAI` and what derives from them. Traced are chat
    completions, Responses, completions and embeddings, through whichever helper they are asked for: `create`,
    `parse`, `stream`, `with_raw_response`, `with_streaming_response`; and through copies (`with_options`, `copy`).
    Recorded are messages, parameters, tools, answer, tokens, finish reasons and the time of the first token. Nothing
    is added to a request: a stream tells its tokens where the program asks with `stream_options={"include_usage":
    True}`. A stream that is not read to its end is recorded with what came so far. Retries make no spans of their
    own; what the client raises is recorded and passed on untouched. Wrapping twice is wrapping once.

        client = wrap_openai(AsyncOpenAI())
    """
    wrapped: Client = wrap(client, "wrap_openai", ENDPOINTS, provider_of)
    return wrapped


def provider_of(client: Any) -> str:
    """Who answers, told by the client's class and its base_url. A host nobody knows is taken for OpenAI's stand-in."""
    if any("Azure" in kind.__name__ for kind in type(client).__mro__):
        return "azure.ai.openai"
    url = client.base_url
    host, local = str(url.host), PORTS.get(url.port)
    if local and (host in ("localhost", "::1", "host.docker.internal") or host.startswith("127.")):
        return local
    return next((name for end, name in HOSTS.items() if host == end or host.endswith("." + end)), "openai")
