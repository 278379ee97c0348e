"""A span names who answered: by the address, by the API, else by the name that the upstream has in the settings."""

from __future__ import annotations

import pytest

from collector.model import Usage
from collector.pricing import Prices
from collector.protocols.proxied import Asked, provider_of
from collector.receiver.doors.proxy.upstreams import LOCAL, find
from tests.builders import T0

CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"
NAMED = {
    "ollama": "http://gpu-box:11434", "vllm": "https://models.corp:8443", "gateway": "https://llm.corp",
    "mistral": "http://mirror.corp/mistral", "azure": "https://apim.corp/openai", "west": "https://w.openai.azure.com",
    "vertex": "https://us-central1-aiplatform.googleapis.com", "openai": "http://litellm:4000",
    "zai": "https://api.z.ai/api/paas", "gpu": "http://127.0.0.1:11434",
}  # fmt: skip


def who(name: str, path: str) -> str:
    upstream = find(name, NAMED)
    asked = Asked(
        "POST", path, upstream.host, upstream.port, name, b"{}", T0, "a" * 32, "b" * 16, local=LOCAL.get(name)
    )
    asked.read()
    return provider_of(asked)


@pytest.mark.parametrize(
    ("name", "path", "provider"),
    [
        ("ollama", CHAT, "ollama"), ("ollama", MESSAGES, "ollama"), ("gpu", CHAT, "ollama"), ("vllm", CHAT, "vllm"),
        ("lmstudio", CHAT, "lmstudio"), ("llamacpp", CHAT, "llama.cpp"), ("gateway", CHAT, "gateway"),
        ("gateway", MESSAGES, "anthropic"), ("gateway", "/v2/chat", "cohere"), ("mistral", CHAT, "mistral_ai"),
        ("azure", CHAT, "azure.ai.openai"), ("west", CHAT, "azure.ai.openai"), ("openai", CHAT, "openai"),
        ("vertex", "/v1/projects/p/models/gemini:generateContent", "gcp.vertex_ai"), ("zai", CHAT, "zai"),
        ("groq", CHAT, "groq"), ("xai", CHAT, "x_ai"), ("deepseek", CHAT, "deepseek"), ("gemini", CHAT, "gcp.gemini"),
    ],
)  # fmt: skip
def test_who_answered(name: str, path: str, provider: str) -> None:
    assert who(name, path) == provider


@pytest.mark.parametrize("provider", ["gateway", "openai", "azure.ai.openai", "openai-eu", "litellm"])
def test_a_gateways_calls_have_the_price_of_their_model(provider: str) -> None:
    cost, source = Prices().quote(provider, "gpt-4o-mini", Usage(1_000_000, 0), T0)
    assert (cost, source) == (150_000_000, "table")


def test_a_model_on_ones_own_machine_has_no_price() -> None:
    assert Prices().quote(who("ollama", CHAT), "gpt-4o-mini", Usage(1_000_000, 0), T0) == (None, "unknown")
