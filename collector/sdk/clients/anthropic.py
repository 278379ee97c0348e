"""`wrap_anthropic`: clients of the anthropic package, for Anthropic itself, Bedrock, Vertex and Foundry.

from anthropic import Anthropic
from collector import wrap_anthropic

client = wrap_anthropic(Anthropic())
client.messages.create(model="claude-haiku-4-5", max_tokens=100, messages=[{"role": "user", "content": "Hello"}])
"""

from __future__ import annotations

from typing import Any, TypeVar

from collector.protocols.llm.anthropic import ENDPOINTS
from collector.sdk.clients.wrapping import wrap

Client = TypeVar("Client")
_CLOUDS = {"Bedrock": "aws.bedrock", "AWS": "aws.bedrock", "Vertex": "gcp.vertex_ai", "Foundry": "azure.ai.inference"}


def wrap_anthropic(client: Client) -> Client:
    """The same client, and from now on each message it asks for is a span of kind "llm".

    Takes `Anthropic`, `AsyncAnthropic` and their kin for Bedrock, Vertex and Foundry. Traced are `messages.create`,
    with `stream=True` too, `messages.stream`, `parse`, the beta ones, tool runners, raw responses and copies
    (`with_options`); counting tokens and batches are not. Anthropic's `input_tokens` leaves cached tokens out, a
    span's includes them; the numbers as they came are in its attributes. Otherwise like `wrap_openai`.
    """
    wrapped: Client = wrap(client, "wrap_anthropic", ENDPOINTS, provider_of)
    return wrapped


def provider_of(client: Any) -> str:
    kinds = [kind.__name__ for kind in type(client).__mro__]
    return next((name for part, name in _CLOUDS.items() if any(part in kind for kind in kinds)), "anthropic")
