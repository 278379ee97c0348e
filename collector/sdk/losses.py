"""Spans that had to be dropped (no disk, no time at the exit), until the file's ledger has heard of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from collector.model import Refusal
    from collector.sdk.worker import Worker

LOST = "lost before the file"
"""How the ledger's reasons begin for them."""


class Losses:
    """How many were lost for which reason, and how many of them are told."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.known: dict[str, int] = {}

    def add(self, spans: int, error: Exception) -> None:
        reason = f"{LOST}: {getattr(error, 'strerror', None) or type(error).__name__}"
        self.counts[reason] = self.counts.get(reason, 0) + spans

    def news_waits(self) -> bool:
        """Whether something was lost of which no ledger knows."""
        return self.counts != self.known

    def news(self, worker: Worker | None) -> tuple[Refusal, ...]:
        """What was lost and is in no ledger yet, in the name of the worker's process."""
        from collector.model import Refusal

        pulse = worker.pulse if worker is not None else None
        who = pulse.process.process_id if pulse is not None else ""
        return tuple(
            Refusal(why, "", n - told, process_id=who, total=n)
            for why, n in self.counts.copy().items()
            if n > (told := self.known.get(why, 0))
        )

    def told(self, lost: Iterable[Refusal]) -> None:
        """This news of losses is in the file, or beside it."""
        for one in lost:
            self.known[one.reason] = max(one.total, self.known.get(one.reason, 0))

    def clear(self) -> None:
        """What the parent of a fork lost is its own to tell."""
        self.counts.clear()
        self.known.clear()
