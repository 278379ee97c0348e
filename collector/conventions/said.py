"""From what a program or a provider said of a model call, in its own names, to content and usage in ours."""

from __future__ import annotations

from typing import Any

from collector.conventions.messages import is_message, side, split_system
from collector.model import USAGE_FIELDS, Content, Message, Usage

_OPENAI_USAGE = {
    "prompt_tokens": "input_tokens",
    "completion_tokens": "output_tokens",
    "cached_tokens": "cache_read_tokens",
    "cached_input_tokens": "cache_read_tokens",
    "cache_creation_tokens": "cache_write_tokens",
    "prompt_cache_hit_tokens": "cache_read_tokens",  # DeepSeek
}
_USAGE_DETAILS = {
    "prompt_tokens_details": {
        "cached_tokens": "cache_read_tokens",
        "audio_tokens": "audio_input_tokens",
        "cache_write_tokens": "cache_write_tokens",
    },
    "input_tokens_details": {"cached_tokens": "cache_read_tokens"},
    "input_token_details": {"audio_tokens": "audio_input_tokens"},
    "completion_tokens_details": {"reasoning_tokens": "reasoning_tokens", "audio_tokens": "audio_output_tokens"},
    "output_tokens_details": {"reasoning_tokens": "reasoning_tokens"},
}


def content(value: Any, kind: str, role: str) -> tuple[tuple[Message, ...], Content | None]:
    """(leading system messages, the content). Only model calls and what looks like messages become messages."""
    if value is None or value == {}:
        return (), None
    if kind == "llm" and isinstance(value, str):
        return (), Content(messages=(Message(role, ({"type": "text", "text": value},)),))
    messages = isinstance(value, list) and bool(value) and all(is_message(item) for item in value)
    if not messages and not (kind == "llm" and isinstance(value, dict)):
        return (), Content(value=value)
    found = side(value, of_model=kind == "llm", role=role)
    instructions, rest = split_system(found.messages)
    return instructions, Content(messages=rest, value=found.value)


def system(value: Any) -> tuple[Message, ...]:
    """System instructions that were given beside the messages."""
    if not value:
        return ()
    text = value if isinstance(value, str) else str(value)
    return (Message("system", ({"type": "text", "text": text},)),)


def usage_of(said: dict[str, Any]) -> Usage | None:
    """A mapping in our names, or in OpenAI's, as a Usage. Numbers that are none are left out."""
    found: dict[str, int] = {}
    for name, value in said.items():
        if isinstance(value, dict):
            for inner, ours in _USAGE_DETAILS.get(name, {}).items():
                _take(found, ours, value.get(inner))
        else:
            _take(found, _OPENAI_USAGE.get(name, name), value)
    return Usage(**found) if found else None


def _take(found: dict[str, int], name: str, value: Any) -> None:
    if name in USAGE_FIELDS and isinstance(value, int | float) and value >= 0:
        found[name] = int(value)
