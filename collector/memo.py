"""A memory of texts and what became of them, bounded by the bytes it keeps alive."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class Memo(Generic[T]):
    """Two generations instead of an order: a hit in the old one moves to the young one; when the young one is
    full it becomes the old one, and the old one goes. A look-up costs a hash of the text and nothing else.

    Keyed by the text itself, not by a digest: exact. Races between threads lose an entry at worst.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._half = limit_bytes // 2
        self._bytes = 0
        self._young: dict[str, tuple[T, int]] = {}
        self._old: dict[str, tuple[T, int]] = {}

    def get(self, text: str) -> T | None:
        found = self._young.get(text)
        if found is None:
            found = self._old.get(text)
            if found is None:
                return None
            self.put(text, *found)
        return found[0]

    def put(self, text: str, result: T, more_bytes: int = 0) -> None:
        """`more_bytes` is about what `result` takes, beside the text."""
        size = len(text) + more_bytes + 200  # the entry itself
        if size > self._half:
            return
        if self._bytes + size > self._half:
            self._old, self._young, self._bytes = self._young, {}, 0
        self._young[text] = (result, more_bytes)
        self._bytes += size

    def __len__(self) -> int:
        return len(self._young) + len(self._old)
