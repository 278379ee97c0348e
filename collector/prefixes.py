"""Where the part of a prompt broke that a provider can cache, against the call before, and what could not be read from
the cache for it. Pure.

Providers cache from the beginning of a prompt up to the first difference; tools stand first, then the system
instructions, then the messages. What follows the difference is paid in full.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from collector.alike import common, difference
from collector.seen import Said, Seen, in_common
from collector.weighing import Weights, length, plain, whole

CACHEABLE_TOKENS = 1024
"""Providers cache no shorter beginning."""
KEPT_NS = 300 * 1_000_000_000
"""Unless they are asked to, providers promise to keep a prompt no longer."""


@dataclass(frozen=True, slots=True)
class Break:
    """Where a prompt stops being the one before: `part` is model, tools, system or message; `index` counts from 1.
    `place` and `what` say it in words; `kept_tokens` (estimated) come before it."""

    part: str
    index: int
    place: str
    what: str
    kept_tokens: int


def caches(call: Seen) -> bool:
    """Whether a call tells that its provider caches."""
    return bool(call.usage.cache_read_tokens or call.usage.cache_write_tokens)


def breaks(chain: Sequence[Seen], least: int, *, cached: bool = False) -> Iterator[tuple[Seen, Seen, Break, int]]:
    """(the call before, the call, where it broke, tokens that were missed) where that cost `least` tokens or more;
    for who wants to know nothing else of the steps. `cached`: the provider is known to cache."""
    for before, call in pairwise(chain):
        cached = cached or caches(before) or caches(call)
        missed = missed_by(before, call) if cached else None
        if missed is None or missed < least or _another_model(before.model, call.model):
            continue  # who goes to another model knows that it has a cache of its own
        if (broken := break_of(before, call, 0.0)) is not None:
            yield before, call, broken, missed


def break_of(before: Seen, call: Seen, scale: float, weights: Weights | None = None) -> Break | None:
    """None while the whole prompt before is the beginning of this one. Without `weights` nothing is said of what was
    kept."""
    kept = 0
    if _another_model(before.model, call.model):
        return Break("model", 0, "the model", f"“{before.model}” became “{call.model}”", 0)
    recorded = _tells_all(before) == _tells_all(call)
    if (
        recorded
        and before.tool_definitions is not call.tool_definitions
        and (plain(before.tool_definitions) != plain(call.tool_definitions))
    ):
        what = difference(plain(before.tool_definitions), plain(call.tool_definitions))
        return Break("tools", 0, "the tool definitions", what, 0)
    sides = (("system", before.system, call.system), ("message", before.input, call.input))
    for part, old, new in sides if recorded else sides[1:]:
        head = in_common(old, new)
        if part == "message" and head == len(new):
            return None  # all of it is the beginning of the one before
        if head < len(old) or (part == "system" and len(old) != len(new)):
            if weights is not None:
                kept += length(call.tool_definitions) + sum(weights.of(new, head))
            return _break_at(part, head, old, new, kept, scale)
        kept = sum(weights.of(new)) if weights is not None and part == "system" else 0
    return None


def _tells_all(call: Seen) -> bool:
    """Whether more than the messages of a call was recorded. Of one that failed it often is not."""
    return bool(call.system) or call.tool_definitions is not None


def _another_model(before: str | None, now: str | None) -> bool:
    """ "gpt-4o" and "gpt-4o-2024-08-06" are one: asked for, and answered by."""
    return bool(before and now) and not (str(before).startswith(str(now)) or str(now).startswith(str(before)))


def _break_at(part: str, head: int, old: Sequence[Said], new: Sequence[Said], kept: int, scale: float) -> Break:
    a = whole(old[head]) if head < len(old) else ""
    b = whole(new[head]) if head < len(new) else ""
    role = (new[head] if head < len(new) else old[head]).message.role
    same = common(a, b)
    place = "the system instructions" if part == "system" else f"message {head + 1} ({role})"
    what = difference(a, b) if b else "it is gone"
    return Break(part, head + 1, place, what, round((kept + same) * scale))


def missed_by(before: Seen, call: Seen) -> int | None:
    """Input tokens of the call before that this one could have read from the cache, and did not."""
    was, now = before.usage.input_tokens, call.usage.input_tokens
    if was is None or now is None:
        return None
    expected = min(was, now)
    return max(0, expected - (call.usage.cache_read_tokens or 0)) if expected >= CACHEABLE_TOKENS else 0
