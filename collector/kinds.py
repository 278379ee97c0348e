"""The words of the model: which kinds of spans there are, how they end, what may look wrong, what a call used.

Apart from `model.py`, because a list of traces needs no more of it than this, and is to be on the screen at once.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

KINDS = (
    "agent", "llm", "tool", "retriever", "embedding", "reranker", "chain", "guardrail", "evaluator",
    "prompt", "event", "http", "db", "span",
)  # fmt: skip
MODEL_KINDS = frozenset({"llm", "embedding", "reranker"})
STATUSES = ("running", "ok", "error", "abandoned")
SIGNALS = (
    "loop", "retries", "truncated", "ignored_result", "window", "cache", "swallowed", "orphan", "abandoned",
    "unmetered", "invented", "borrowed", "misread", "unknown_tool", "bad_arguments", "altered_arguments", "refusal",
    "empty_retrieval",
)  # fmt: skip
"""What may look wrong in a trace; `collector.signals` says of each how it is found."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one model call, in one meaning whoever reported them.

    `input_tokens` includes cache reads and writes, `output_tokens` includes reasoning.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    audio_input_tokens: int | None = None
    audio_output_tokens: int | None = None

    def __bool__(self) -> bool:
        return any(getattr(self, name) is not None for name in USAGE_FIELDS)


USAGE_FIELDS: tuple[str, ...] = tuple(f.name for f in fields(Usage))
