"""OpenInference keeps a call twice: flattened, and whole in `input.value` and `output.value`.

Flattened messages come first, but some instrumentations leave out there what the whole has: ids of tool calls, what
the model thought. Where both say the same otherwise, the whole is read.
"""

from __future__ import annotations

from typing import Any

from collector.conventions.found import Found
from collector.conventions.messages import conversation
from collector.conventions.values import decoded
from collector.model import Message

_THOUGHT = ('"reasoning_content"', '"reasoning"', '"thinking"', '"thought"', '"reasoningContent"')
"""Keys of thoughts in a recorded answer, and nowhere else in one."""


def answer_of(found: Found) -> dict[str, Any] | None:
    """The recorded answer as an object, decoded once. Pure but for what `found` remembers."""
    known = found.slots.get("answer")
    if known is None:
        said = decoded(found.slots.get("out_value"))
        if isinstance(said, dict) and said.keys() == {"data"} and isinstance(said["data"], dict):
            said = said["data"]  # Mistral's streams
        known = found.slots["answer"] = said if isinstance(said, dict) else {}
    return known or None


def fuller_request(found: Found, given: list[Message]) -> list[Message]:
    """`given`, or the recorded request where it knows what the flattened messages lost."""
    if not _without_ids(given):
        return given
    return _instead(given, decoded(found.slots.get("in_value")), "user")


def fuller_answer(found: Found, given: list[Message]) -> list[Message]:
    """`given`, or the recorded answer where it knows what the flattened messages lost."""
    value = found.slots.get("out_value")
    if not isinstance(value, str):
        return given
    if not _without_ids(given) and not (any(key in value for key in _THOUGHT) and _thoughtless(given)):
        return given
    return _instead(given, answer_of(found), "assistant")


def _instead(given: list[Message], value: Any, role: str) -> list[Message]:
    said = conversation(value, of_model=True, role=role)
    if not said or [_gist(message) for message in said] != [_gist(message) for message in given]:
        return given
    return said


def _without_ids(given: list[Message]) -> bool:
    return any(p["type"] in ("tool_call", "tool_result") and p.get("id") is None for m in given for p in m.parts)


def _thoughtless(given: list[Message]) -> bool:
    return not any(p["type"] == "reasoning" for m in given for p in m.parts)


def _gist(message: Message) -> tuple[str, str, list[str]]:
    """What both must say alike: who speaks, the texts, the tools called. A tool's result is known by its place."""
    if message.role == "tool":
        return "tool", "", []
    texts = "".join(str(p.get("text")) for p in message.parts if p["type"] == "text")
    return message.role, texts, [str(p.get("name")) for p in message.parts if p["type"] == "tool_call"]
