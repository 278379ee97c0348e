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
    "huggingface.co": "huggingface",
}  # fmt: skip
"""Providers by the end of their host name, in the spelling of OpenTelemetry's conventions where they have one."""
PORTS = {11434: "ollama", 1234: "lmstudio"}
"""Runtimes on one's own machine, by the port they listen on unless told otherwise."""


def provider_at(host: str, port: int | None) -> str:
    """Who answers there. A host nobody knows is taken for OpenAI's stand-in."""
    local = PORTS.get(port or 0)
    if local and (host in ("localhost", "::1", "host.docker.internal") or host.startswith("127.")):
        return local
    return next((name for end, name in HOSTS.items() if host == end or host.endswith("." + end)), "openai")
