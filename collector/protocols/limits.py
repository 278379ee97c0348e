"""What a body may hold, and what is kept of that which had to be left out."""

from __future__ import annotations

from dataclasses import dataclass, replace

from collector.errors import TracetuiError
from collector.model import Refusal

NAMED = 20
"""So many of the spans that were refused for one reason are named."""
SAMPLE_CHARS = 8000
"""Of what was refused; ingest redacts it before it cuts it to a line (`redact.sample`)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Over `spans` (or log records) a body, the body is TooLarge, and of protobuf over `pieces` (attributes, events and
    links of all its spans; JSON is weighed, see `jsonbody.weigh`); over the others, the one span is refused.

    `depth` counts arrays and key-value lists within one another; `attributes` counts those of one span.
    """

    spans: int = 100_000
    pieces: int = 3_000_000
    attributes: int = 100_000
    depth: int = 32


LIMITS = Limits()


class SpanError(TracetuiError):
    """This one span (or log record) cannot be stored; the message says why. It never leaves this package."""


class Refusals:
    """Counts what was left out, by reason, with one sample each and the names of the first few."""

    def __init__(self) -> None:
        self._by_reason: dict[str, Refusal] = {}

    def add(self, reason: str, sample: str, span: tuple[str, str] | None = None) -> None:
        """`span` is (trace id, span id) as sent, where it is a span that is left out."""
        so_far = self._by_reason.get(reason) or Refusal(reason, sample[:SAMPLE_CHARS], 0)
        names = so_far.spans if span is None or len(so_far.spans) >= NAMED else (*so_far.spans, span)
        self._by_reason[reason] = replace(so_far, count=so_far.count + 1, spans=names)

    def result(self) -> tuple[Refusal, ...]:
        return tuple(self._by_reason.values())
