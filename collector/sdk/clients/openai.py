"""`wrap_openai`: clients of the openai package, and whatever answers like OpenAI behind their `base_url`.

from openai import OpenAI
from collector import wrap_openai

client = wrap_openai(OpenAI())
client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "Hello"}])
"""

from __future__ import annotations

from typing import Any, TypeVar

from collector.protocols.llm.openai import ENDPOINTS, provider_at
from collector.sdk.clients.wrapping import wrap

Client = TypeVar("Client")


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
    return provider_at(str(client.base_url.host), client.base_url.port)
