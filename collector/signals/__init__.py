"""What looks wrong in a trace, each with its evidence. Pure: the spans of one trace in, signals out.

One function a rule, all of them in `RULES`. `docs/signals.md` says what each looks for, and what it passes over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from collector.limits import Limits
from collector.model import SIGNALS
from collector.seen import Said, Seen
from collector.signals import answers, caches, calls, misread, sources, trees
from collector.signals.places import Place, first_places
from collector.signals.trace import Earlier, Signal, Trace, Turn, Window, no_turns

Rule = Callable[[Trace], Iterable[Signal]]

MOST_OF_A_KIND = 50
"""A trace of thousands of the same says no more than this many."""
MOST_TEXT = 1000
"""Characters of a signal's evidence: a name within it may be as long as a sender likes."""

RULES: dict[str, Rule] = {
    "loop": calls.loop,
    "retries": calls.retries,
    "truncated": answers.truncated,
    "ignored_result": calls.ignored_result,
    "window": answers.window,
    "cache": caches.cache,
    "swallowed": trees.swallowed,
    "orphan": trees.orphan,
    "abandoned": trees.abandoned,
    "unmetered": answers.unmetered,
    "invented": sources.sources,
    "borrowed": sources.sources,
    "misread": misread.misread,
    "unknown_tool": calls.unknown_tool,
    "bad_arguments": calls.bad_arguments,
    "altered_arguments": calls.altered_arguments,
    "refusal": answers.refusal,
    "empty_retrieval": trees.empty_retrieval,
}

KINDS = SIGNALS

ABOUT: dict[str, str] = {
    "loop": "same tool, same arguments, same result again",
    "retries": "the same step failing, or the same prompt sent, again and again",
    "truncated": "an answer cut by the token limit",
    "ignored_result": "an empty or failed tool result that the answer passes over",
    "window": "a context near the model's window, or beyond it",
    "cache": "the cacheable beginning of the prompt changed",
    "swallowed": "a step failed, and the trace ended as if nothing were",
    "orphan": "spans whose parent never arrived",
    "abandoned": "spans that began and whose process is gone",
    "unmetered": "a model call with neither usage nor price",
    "invented": "an id, number, price or date that nothing before it says",
    "borrowed": "a value that only another turn says",
    "misread": "a value that was said, but of something else",
    "unknown_tool": "a call of a tool that there is not",
    "bad_arguments": "arguments that break the tool's schema",
    "altered_arguments": "a tool that ran with other arguments than asked for",
    "refusal": "the model declined, or a filter stopped it",
    "empty_retrieval": "a search that brought no document",
}


def no_window(provider: str | None, model: str | None) -> int | None:
    """Knows the window of no model."""
    return None


def detect(
    spans: Sequence[Seen], limits: Limits | None = None, window: Window = no_window, earlier: Earlier = no_turns
) -> list[Signal]:  # fmt: skip
    """The signals of one trace, in the order of its spans, MOST_OF_A_KIND of a kind at most."""
    limits = limits or Limits()
    trace = Trace(spans, limits, window, earlier)
    found: list[Signal] = []
    rules = dict.fromkeys(rule for kind, rule in RULES.items() if kind not in limits.off)
    for rule in rules:
        found += rule(trace)
    order = {span.span_id: number for number, span in enumerate(trace.spans)}
    found.sort(key=lambda one: (order.get(one.span_id, -1), KINDS.index(one.kind)))
    kept: list[Signal] = []
    counts = dict.fromkeys(KINDS, 0)
    for one in found:
        counts[one.kind] += 1
        if one.kind not in limits.off and counts[one.kind] <= MOST_OF_A_KIND:
            kept.append(one if len(one.text) <= MOST_TEXT else replace(one, text=f"{one.text[:MOST_TEXT]}…"))
    return kept


__all__ = [
    "ABOUT", "KINDS", "RULES", "Earlier", "Limits", "Place", "Said", "Seen", "Signal", "Turn", "Window", "detect",
    "first_places",
]  # fmt: skip
