"""A redactor that keeps count of what it found, by kind: how many different values there were, and none of them."""

from __future__ import annotations

from collector.redact.redactor import Redactor


class Counting(Redactor):
    """See `Redactor`. Values are told apart by their placeholders, so that no secret is held."""

    @property
    def found(self) -> dict[str, int]:
        """How many different values of each kind were replaced, the most first."""
        seen: dict[str, int] = {}
        for mark in self._marks():
            kind = mark[1:].partition(":")[0]
            seen[kind] = seen.get(kind, 0) + 1
        return dict(sorted(seen.items(), key=lambda one: (-one[1], one[0])))

    def _marks(self) -> set[str]:
        if not hasattr(self, "_seen"):
            self._seen: set[str] = set()
        return self._seen

    def _mark(self, kind: str, secret: str) -> str:
        mark = super()._mark(kind, secret)
        self._marks().add(mark)
        return mark
