"""Which requests belong together: turns of one conversation, told by the messages that they repeat.

A request that begins with all the messages of an earlier one, and goes on with an answer, is its continuation: of the
same session; and of the same trace, unless the user has said something new (an agent's calls between two words of its
user are one run). Kept in memory only, as hashes, for so many of the latest requests.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson

MOST = 20_000
_SALT = secrets.token_bytes(16)
_FOLLOWS = ("function_call", "reasoning", "custom_tool_call", "mcp_call", "web_search_call")
_RESULTS = frozenset({"functionResponse", "function_response", "toolResult"})
"""What a tool said, in Gemini's and Bedrock's words."""
_UNSAID = frozenset({"cache_control", "thoughtSignature", "thought_signature"})


@dataclass(slots=True)
class Turn:
    """A request that was passed on. `session` is None until a second turn makes it a conversation; `under_way` while
    its answer is made in the background."""

    trace_id: str
    span_id: str
    session: str | None = None
    under_way: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """An earlier turn that a request continues; `same_trace` where its user has not spoken since."""

    turn: Turn
    same_trace: bool


class Conversations:
    """The latest turns, by what was said up to them. One thread at a time."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._turns: OrderedDict[bytes, Turn] = OrderedDict()

    def find(self, chain: list[bytes], messages: list[Any]) -> Found | None:
        """The turn that shares the most messages. `chain` is of `chained`."""
        for at in range(len(messages) - 1, 0, -1):
            turn = self._turns.get(chain[at])
            if turn is not None and (_answers(messages[at]) or _answers(messages[at - 1])):
                self._turns.move_to_end(chain[at])
                return Found(turn, not any(_is_users(one) for one in messages[at:]))
        return None

    def after(self, response_id: str, scope: bytes, messages: list[Any]) -> Found | None:
        """The turn that was answered with this id (`previous_response_id`)."""
        turn = self._turns.get(_hash(scope, response_id.encode()))
        return Found(turn, not any(_is_users(one) for one in messages)) if turn else None

    def remember(self, chain: list[bytes], turn: Turn) -> None:
        """A request was asked: whatever begins with all of it continues it."""
        if len(chain) > 1:
            self._keep(chain[-1], turn)

    def answered(self, chain: list[bytes], answer: list[Any], response_id: str | None, turn: Turn) -> None:
        """It was answered: the answer tells it from others that asked the same."""
        if len(chain) > 1 and answer:
            self._keep(chained(answer, chain[-1])[-1], turn)
        if response_id and chain:
            self._keep(_hash(chain[0], response_id.encode()), turn)

    def _keep(self, key: bytes, turn: Turn) -> None:
        self._turns[key] = turn
        self._turns.move_to_end(key)
        while len(self._turns) > self._most:
            self._turns.popitem(last=False)


def scope_of(upstream: str, key: str) -> bytes:
    """Only those with the same key for the same upstream may be of one conversation. Of the key nothing is kept."""
    return _hash(_SALT, f"{upstream}\0{key}".encode("utf-8", "replace"))


def chained(messages: list[Any], start: bytes) -> list[bytes]:
    """`start`, then for each message a hash of all up to it."""
    chain = [start]
    for one in messages:
        chain.append(_hash(chain[-1], _normal(one)))
    return chain


def messages_of(document: Any) -> list[Any]:
    """The messages of a request, without what may be added to every one anew (instructions, caching marks)."""
    if not isinstance(document, dict):
        return []
    said = document.get("messages", document.get("input", document.get("contents")))
    if isinstance(said, str):
        said = [{"role": "user", "content": said}]
    if not isinstance(said, list):
        return []
    return [one for one in said if isinstance(one, dict) and one.get("role") not in ("system", "developer")]


def _answers(message: dict[str, Any]) -> bool:
    return message.get("role") in ("assistant", "model") or message.get("type") in _FOLLOWS


def _is_users(message: dict[str, Any]) -> bool:
    """Whether somebody said something new, and no tool."""
    if message.get("role") != "user":
        return False
    content = message.get("content", message.get("parts"))
    if not isinstance(content, list):
        return True
    return not all(_is_result(part) for part in content)


def _is_result(part: Any) -> bool:
    return isinstance(part, dict) and (part.get("type") == "tool_result" or bool(_RESULTS & part.keys()))


def _normal(message: Any) -> bytes:
    """What of a message stays the same when it is sent again: its role, its words, the ids of its calls."""
    if not isinstance(message, dict):
        return b"?"
    calls = message.get("tool_calls")
    ids = [one.get("id") for one in calls if isinstance(one, dict)] if isinstance(calls, list) else []
    role = message.get("role")
    said = _words(message.get("content", message.get("parts")))
    told = ["assistant" if role == "model" else role, said, ids, message.get("tool_call_id"),
            message.get("call_id"), message.get("output") if "call_id" in message else None]  # fmt: skip
    return orjson.dumps(told, default=str)


def _words(content: Any) -> Any:
    if not isinstance(content, list):
        return (content.strip() or None) if isinstance(content, str) else content
    found = []
    for part in content:
        if not isinstance(part, dict):
            found.append(part)
        elif part.get("thought") is True or "reasoningContent" in part:
            continue
        elif isinstance(part.get("text"), str):
            found.append(part["text"].strip())
        elif part.get("type") not in ("thinking", "redacted_thinking", "reasoning"):
            found.append({name: value for name, value in part.items() if name not in _UNSAID})
    return found[0] if len(found) == 1 else found or None


def _hash(before: bytes, said: bytes) -> bytes:
    return blake2b(before + said, digest_size=16).digest()
