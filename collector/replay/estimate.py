"""What a request will probably take, before it is sent."""

from __future__ import annotations

from dataclasses import dataclass

from collector.export.calls import name_of
from collector.model import Usage
from collector.pricing import Prices
from collector.replay.draft import Draft, characters

CHARS_A_TOKEN = 4.0
"""Of English text, by OpenAI's rule of thumb; only where the recorded call tells nothing better."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """`output_tokens` is what the recorded answer took, or else the most that is asked for; None where neither is
    known. `cost_nanousd` is None where the model has no price, and of the input alone where the output is unknown."""

    input_tokens: int
    output_tokens: int | None
    cost_nanousd: int | None


def estimate(draft: Draft, prices: Prices, now_ns: int) -> Estimate:
    """Tokens by the recorded call's own ratio of characters to tokens, at today's price."""
    chars = characters(draft.call.body)
    ratio = CHARS_A_TOKEN
    if draft.recorded_tokens and draft.recorded_chars:
        ratio = draft.recorded_chars / draft.recorded_tokens
    asked = round(chars / ratio)
    body = draft.call.body
    most = next(
        (body[name] for name in ("max_completion_tokens", "max_tokens") if isinstance(body.get(name), int)), None
    )
    told = draft.recorded_output_tokens
    answered = told if most is None else most if told is None else min(told, most)
    cost = prices.cost(name_of(draft.call.provider), draft.model, Usage(asked, answered or 0), now_ns)
    return Estimate(asked, answered, cost)
