"""Tokens in one meaning: input includes cache reads and writes, output includes reasoning.

Both conventions read here define it so (OpenTelemetry: "SHOULD include all types of input tokens"; OpenInference:
details are parts of their totals). Some count the parts beside them all the same: where a total was sent, it decides.
Where the numbers contradict the meaning, they stand as sent, with a note: whether a sender counts exclusively cannot be
known from one span.
"""

from __future__ import annotations

from collector.conventions.found import Found
from collector.conventions.values import number
from collector.model import Usage

CACHE_NOTE = "cache parts exceed input tokens"
REASONING_NOTE = "reasoning exceeds output tokens"


def usage_of(found: Found, kind: str | None) -> tuple[Usage | None, tuple[str, ...]]:
    """(tokens, notes); None where nothing was said."""
    said = found.counts
    if not said:
        return None, ()
    total = said.pop("total_tokens", None)
    if total is not None and "output_tokens" not in said and kind in ("embedding", "reranker"):
        said.setdefault("input_tokens", total)  # nothing comes out of these, so all of it went in
    elif total is not None and "input_tokens" in said and "output_tokens" in said:
        _made_whole(said, total, found.texts.get("provider") or "")
    if not said:
        return None, ()
    usage = Usage(**said)
    return usage, _doubts(said) if len(said) > 1 else ()


def _made_whole(said: dict[str, int], total: int, provider: str) -> None:
    """Where the total is more than input and output, it says what stands beside them."""
    more = total - said["input_tokens"] - said["output_tokens"]
    if more <= 0:
        return
    cached = said.get("cache_read_tokens", 0) + said.get("cache_write_tokens", 0)
    thought = said.get("reasoning_tokens", 0)
    if more in (cached, cached + thought):
        said["input_tokens"] += cached
        said["output_tokens"] += more - cached
    elif more == thought:
        said["output_tokens"] += thought
    elif "reasoning_tokens" not in said and provider.lower().startswith(_THINKS_BESIDE):
        said["output_tokens"] += more
        said["reasoning_tokens"] = more


_THINKS_BESIDE = ("gcp", "google", "gemini", "vertex")
"""Google's output leaves the thoughts out, and some instrumentations report them nowhere but in the total."""


def _doubts(said: dict[str, int]) -> tuple[str, ...]:
    notes = []
    given = said.get("input_tokens")
    if given is not None and said.get("cache_read_tokens", 0) + said.get("cache_write_tokens", 0) > given:
        notes.append(CACHE_NOTE)
    if said.get("reasoning_tokens", 0) > said.get("output_tokens", 2**63):
        notes.append(REASONING_NOTE)
    return tuple(notes)


def cost_of(found: Found) -> int | None:
    """Nano-dollars, where the source reports dollars."""
    dollars = number(found.slots.get("cost"))
    if dollars is None:
        parts = [number(found.slots.get(slot)) for slot in ("cost_in", "cost_out")]
        if all(part is None for part in parts):
            return None
        dollars = sum(part or 0.0 for part in parts)
    return round(dollars * 1e9) if 0 <= dollars < 1e9 else None
