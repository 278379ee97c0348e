"""What OpenAI answers, and whoever answers like it; and who that is."""

from __future__ import annotations

from collector.protocols.llm import Endpoint, chat, responses

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
    "huggingface.co": "huggingface", "cloud.ibm.com": "ibm.watsonx.ai", "deepinfra.com": "deepinfra",
    "sambanova.ai": "sambanova", "nebius.com": "nebius", "novita.ai": "novita", "nvidia.com": "nvidia",
    "minimax.io": "minimax", "z.ai": "zai", "bigmodel.cn": "zhipuai", "voyageai.com": "voyageai",
    "cloudflare.com": "cloudflare", "baseten.co": "baseten", "openai.com": "openai",
}  # fmt: skip
"""Providers by the end of their host name, in the spelling of OpenTelemetry's conventions where they have one."""
NAMES = {
    "mistral": "mistral_ai", "xai": "x_ai", "gemini": "gcp.gemini", "google": "gcp.gemini", "vertex": "gcp.vertex_ai",
    "azure": "azure.ai.openai", "bedrock": "aws.bedrock", "llamacpp": "llama.cpp", "llama-cpp": "llama.cpp",
    "watsonx": "ibm.watsonx.ai",
    "openai-base-url": "openai", "openai-api-base": "openai", "anthropic-base-url": "anthropic",
}  # fmt: skip
"""What people call a provider whom OpenTelemetry calls otherwise; last, as `tracetui run --proxy` calls the user's."""
PORTS = {11434: "ollama", 1234: "lmstudio"}
"""Runtimes on one's own machine, by the port they listen on unless told otherwise."""


def known_at(host: str, port: int | None) -> str | None:
    """Who answers there, None where the address does not tell."""
    local = PORTS.get(port or 0)
    if local and (host in ("localhost", "::1", "host.docker.internal") or host.startswith("127.")):
        return local
    if host.endswith("aiplatform.googleapis.com"):  # with the region before it: "us-central1-aiplatform…"
        return "gcp.vertex_ai"
    return next((name for end, name in HOSTS.items() if host == end or host.endswith("." + end)), None)


def provider_at(host: str, port: int | None) -> str:
    """Who answers there. A host nobody knows is taken for OpenAI's stand-in."""
    return known_at(host, port) or "openai"


def provider_called(name: str) -> str:
    """Who it is that the user calls so: OpenTelemetry's name for a provider that has one, else that very name."""
    return NAMES.get(name.lower(), name)
