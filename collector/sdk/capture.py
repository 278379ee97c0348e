"""Copies of the host's values, taken on the host's thread: cheap, bounded, and never raising.

Strings, numbers and None are kept by reference (they cannot change); containers are copied, because the
host may change them before the worker gets to write; of anything else only its type and a short repr is kept.
"""

from __future__ import annotations

from typing import Any

MAX_NODES = 20_000
MAX_DEPTH = 40
MAX_REPR = 2_000
SCALARS = frozenset({str, int, float, bool, type(None)})
OVERHEAD_BYTES = 56
"""What a small object costs the queue, besides its text."""


def capture(value: object) -> tuple[Any, int]:
    """Return a JSON-ready copy of `value` and its size in bytes, roughly. Never raises."""
    kind = type(value)
    if kind is str:
        return value, len(value)  # type: ignore[arg-type]  # narrowed by the exact type
    if kind in SCALARS:
        return value, 0
    budget = _Budget()
    try:
        return budget.copy(value, 0), budget.size
    except Exception as e:
        return f"<{kind.__name__}: could not be captured: {type(e).__name__}>", OVERHEAD_BYTES


class _Budget:
    """One capture: counts nodes, so that a huge structure costs a bounded time."""

    __slots__ = ("nodes", "size")

    def __init__(self) -> None:
        self.nodes = 0
        self.size = 0

    def copy(self, value: Any, depth: int) -> Any:
        self.nodes += 1
        kind = type(value)
        if kind is str:
            self.size += len(value)
            return value
        if kind in SCALARS:
            return value
        self.size += OVERHEAD_BYTES
        if kind is bytes:
            self.size += len(value)
            return value
        if depth >= MAX_DEPTH or self.nodes > MAX_NODES:
            return "…"
        return self.container(value, depth + 1)

    def container(self, value: Any, depth: int) -> Any:
        if isinstance(value, dict):
            return self.mapping(value, depth)
        if isinstance(value, (list, tuple, set, frozenset)):
            return self.sequence(value, depth)
        return self.other(value)

    def mapping(self, value: dict[Any, Any], depth: int) -> dict[str, Any]:
        copied: dict[str, Any] = {}
        for key, item in value.copy().items():  # another thread of the host may be writing to it
            if self.nodes > MAX_NODES:
                copied["…"] = f"{len(value) - len(copied)} more"
                break
            copied[key if type(key) is str else str(key)] = self.copy(item, depth)
        return copied

    def sequence(self, value: Any, depth: int) -> list[Any]:
        copied: list[Any] = []
        for item in tuple(value):
            if self.nodes > MAX_NODES:
                copied.append(f"… {len(value) - len(copied)} more")
                break
            copied.append(self.copy(item, depth))
        return copied

    def other(self, value: Any) -> Any:
        if isinstance(value, bool):
            return bool(value)
        if isinstance(value, str):  # a subclass, such as a StrEnum
            text = str.__str__(value)
            self.size += len(text)
            return text
        if isinstance(value, int):
            return int.__int__(value)
        if isinstance(value, float):
            return float.__float__(value)
        if isinstance(value, bytearray):
            self.size += len(value)
            return bytes(value)
        described = describe(value)
        self.size += len(described["repr"])
        return described


def describe(value: object) -> dict[str, str]:
    """The type of `value` and at most MAX_REPR characters of its repr, whatever its __repr__ does."""
    kind = type(value)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    try:
        text = repr(value)
    except Exception as e:
        text = f"<repr raised {type(e).__name__}>"
    return {"type": name, "repr": text if len(text) <= MAX_REPR else text[:MAX_REPR] + "…"}
