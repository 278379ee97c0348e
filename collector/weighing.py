"""What messages say, as one text, and how much room it takes: characters, by what they are. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence

from collector.model import Value
from collector.seen import Said, Upto

OF_MESSAGES = ("system", "history", "results", "reasoning")
NOTHING = (0,) * len(OF_MESSAGES)


class Weights:
    """Characters of the first messages of histories. Where many calls go on from one history, each message is weighed
    once, not with each of them."""

    def __init__(self) -> None:
        self._upto: dict[int, list[tuple[int, ...]]] = {}

    def of(self, messages: Sequence[Said], end: int | None = None) -> tuple[int, ...]:
        """Of the first `end` messages, or all; by OF_MESSAGES."""
        known = self._upto.setdefault(messages.place, [NOTHING]) if isinstance(messages, Upto) else [NOTHING]
        for said in messages[len(known) - 1 :]:
            known.append(tuple(a + b for a, b in zip(known[-1], _weigh(said), strict=True)))
        return known[len(messages) if end is None else end]


def _weigh(said: Said) -> tuple[int, ...]:
    sizes = dict.fromkeys(OF_MESSAGES, 0)
    for part in said.message.parts:
        name = {"tool_result": "results", "reasoning": "reasoning"}.get(str(part.get("type")), "history")
        if said.message.role in ("system", "developer"):
            name = "system"
        sizes[name] += _part_size(part)
    return tuple(sizes.values())


def size_of(said: Said) -> int:
    """Characters of a message."""
    return sum(_part_size(part) for part in said.message.parts)


def _part_size(part: dict[str, Value]) -> int:
    """Characters of a part. Pictures and sounds are not text: they count nothing here, and their tokens fall to the
    rest."""
    kind = part.get("type")
    if kind in ("image", "audio", "file"):
        return 0
    if kind in ("text", "reasoning"):
        return len(str(part.get("text") or ""))
    if kind == "tool_call":
        return length(part.get("arguments")) + len(str(part.get("name") or ""))
    return length(part.get("result") if kind == "tool_result" else part.get("data"))


def length(value: Value) -> int:
    """Characters of a value; 0 of None."""
    return 0 if value is None else len(plain(value))


def plain(value: Value) -> str:
    """A text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def whole(said: Said) -> str:
    """All that a message says, as one text."""
    return "\n".join(
        str(part["text"]) if isinstance(part.get("text"), str) else json.dumps(part, ensure_ascii=False, default=str)
        for part in said.message.parts
    )
