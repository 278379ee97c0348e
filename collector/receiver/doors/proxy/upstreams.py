"""Where the proxy may pass requests to: what is built in, and what the settings name. Nothing else, ever."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes, urlsplit

from collector.errors import DecodeError, NotFound
from collector.receiver.doors.proxy import canned

BUILT_IN: Mapping[str, str] = {
    "openai": "https://api.openai.com",
    "anthropic": "https://api.anthropic.com",
    "openrouter": "https://openrouter.ai/api",
    "groq": "https://api.groq.com/openai",
    "mistral": "https://api.mistral.ai",
    "deepseek": "https://api.deepseek.com",
    "cohere": "https://api.cohere.com",
    "xai": "https://api.x.ai",
    "together": "https://api.together.xyz",
    "fireworks": "https://api.fireworks.ai/inference",
    "gemini": "https://generativelanguage.googleapis.com",
    "ollama": "http://127.0.0.1:11434",
    "lmstudio": "http://127.0.0.1:1234",
    "vllm": "http://127.0.0.1:8000",
    "llamacpp": "http://127.0.0.1:8080",
}
"""The part of each provider's address before "/v1": what follows the upstream's name in our path is added to it."""
LOCAL = {"ollama": "ollama", "lmstudio": "lmstudio", "vllm": "vllm", "llamacpp": "llama.cpp"}
"""Runtimes of one's own, whatever address and API: known by the upstream's name."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """A place to pass requests on to."""

    name: str
    base: str

    @property
    def host(self) -> str:
        return urlsplit(self.base).hostname or ""

    @property
    def netloc(self) -> str:
        """Host, and port where it is named, as the Host header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" if self.port else host

    @property
    def path(self) -> bytes:
        """What of the address stands before each path that is asked for."""
        return quote(urlsplit(self.base).path.rstrip("/"), safe="/%:@!$&'()*+,;=~").encode()

    @property
    def port(self) -> int | None:
        return urlsplit(self.base).port


def known(named: Mapping[str, str]) -> dict[str, str]:
    """All upstreams: those of the settings over the built-in ones."""
    return {**BUILT_IN, **named}


def find(name: str, named: Mapping[str, str]) -> Upstream:
    """NotFound lists those there are."""
    bases = known(named)
    if name == canned.NAME and name not in bases:
        return Upstream(name, canned.BASE)
    if name not in bases:
        raise NotFound(
            f"the proxy has no upstream {name[:60]!r}; it has {', '.join(sorted(bases))}; "
            f'name others in tracetui.toml: [upstreams] {name[:60]} = "https://…"'
        )
    return Upstream(name, bases[name].rstrip("/"))


def checked_path(raw: bytes) -> bytes:
    """The path as it came; DecodeError where it climbs out of its base, plainly or in disguise."""
    seen = raw
    for _ in range(3):  # what is encoded twice is decoded by the next one on the way
        if {b".", b".."} & set(seen.replace(b"\\", b"/").split(b"/")) or any(byte < 0x20 for byte in seen):
            raise DecodeError(f"the path {raw[:100]!r} leads out of the upstream's own; it is not passed on")
        seen = unquote_to_bytes(seen)
    return raw
