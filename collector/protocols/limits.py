"""What a body may hold, and what is kept of that which had to be left out."""

from __future__ import annotations

from dataclasses import dataclass

from collector.errors import TracetuiError
from collector.model import Refusal

SAMPLE_CHARS = 8000
"""Of what was refused; ingest redacts it before it cuts it to a line (`redact.sample`)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Over `spans` (or log records) a body, the body is TooLarge; over the others, the one span is refused.

    `depth` counts arrays and key-value lists within one another; `attributes` counts those of one span.
    """

    spans: int = 100_000
    attributes: int = 100_000
    depth: int = 32


LIMITS = Limits()


class SpanError(TracetuiError):
    """This one span (or log record) cannot be stored; the message says why. It never leaves this package."""


class Refusals:
    """Counts what was left out, by reason, with one sample each."""

    def __init__(self) -> None:
        self._by_reason: dict[str, tuple[str, int]] = {}

    def add(self, reason: str, sample: str) -> None:
        first, count = self._by_reason.get(reason, (sample[:SAMPLE_CHARS], 0))
        self._by_reason[reason] = (first, count + 1)

    def result(self) -> tuple[Refusal, ...]:
        return tuple(Refusal(reason, sample, count) for reason, (sample, count) in self._by_reason.items())
