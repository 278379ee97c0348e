"""The cacheable beginning of a prompt changed: within a trace, and against the turn before it in its session."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from collector import prefixes
from collector.chains import chains
from collector.context import compacted
from collector.seen import Seen, text_of
from collector.signals.trace import Signal, Trace

NEAR_TURNS = 3
"""The turn before is among so many: others may lie between that carry another conversation."""
LAST_MESSAGES = 20
"""The answer before stands among so many of the last messages of a call that goes on from it."""


def cache(trace: Trace) -> Iterator[Signal]:
    """The beginning of a prompt changed, and what the provider had kept of it could not be used."""
    found = chains([span for span in trace.calls if span.input or span.system])
    if any(prefixes.caches(span) for span in trace.calls):
        for chain in found:
            for before, call, broken, missed in prefixes.breaks(chain, trace.limits.cache_tokens):
                if _counts(before, call, broken):
                    yield _signal(call, "the call before", broken, missed, (before.span_id,))
    yield from _since_the_turn_before(trace, [chain[0] for chain in found])


def _since_the_turn_before(trace: Trace, firsts: Sequence[Seen]) -> Iterator[Signal]:
    """The first call of each conversation beside the last one of the turn before that it goes on from."""
    doubtful = [call for call in firsts if _may_have_missed(call, trace.limits.cache_tokens)]
    if not doubtful:
        return
    before: list[Seen] = []
    for turn in reversed(trace.near(NEAR_TURNS)):
        before += Trace(turn.spans, trace.limits, trace.window).calls
    cached = any(prefixes.caches(call) for call in (*before, *doubtful))
    for call in doubtful:
        begun = [one for one in before if (one.start_ns, one.span_id) < (call.start_ns, call.span_id)]
        chain = next(chain for chain in chains([*begun, call]) if chain[-1] is call)
        if len(chain) < 2 or not _answered_in(chain[-2], call):
            continue
        for last, _, broken, missed in prefixes.breaks(chain[-2:], trace.limits.cache_tokens, cached=cached):
            if _counts(last, call, broken):
                yield _signal(call, "the turn before", broken, missed, ())


def _signal(call: Seen, than: str, broken: prefixes.Break, missed: int, spans: tuple[str, ...]) -> Signal:
    text = f"the prompt differs from {than} at {broken.place}: {broken.what}; "
    return Signal("cache", call.span_id, text + f"{missed:,} tokens were not read from the cache", spans)


def _counts(before: Seen, call: Seen, broken: prefixes.Break) -> bool:
    """Whether an unbroken prompt could have been read from the cache. Not where only the last message differs: that is
    another question after the same beginning, which is read. Who compacts a context knows what it costs."""
    if broken.part == "message" and (broken.index >= len(call.input) or compacted(before, call)):
        return False
    return call.start_ns - (before.end_ns or before.start_ns) <= prefixes.KEPT_NS


def _may_have_missed(call: Seen, least: int) -> bool:
    """Whether it is worth reading the turn before: a call that carries a history, and whose provider tells that it read
    less of it from a cache than it might have."""
    told, read = call.usage.input_tokens, call.usage.cache_read_tokens
    return len(call.input) > 2 and told is not None and read is not None and told - read >= least


def _answered_in(before: Seen, call: Seen) -> bool:
    """Whether a call was given what another one answered, so that it goes on from it."""
    last = call.input[max(0, len(call.input) - LAST_MESSAGES) :]
    keys = {one.key for one in before.output}
    if any(one.key in keys for one in last):
        return True
    texts = {text_of(one.message) for one in before.output} - {""}
    return bool(texts) and any(text_of(one.message) in texts for one in last)
