"""The counting rule: one model call counts once, however many spans report it.

(a) Spans that share response id and model, and lie within two seconds of one another, are one call,
    wherever in the file they are: a client SDK and its instrumentor both report, sometimes in separate
    traces. It is counted at the smallest (start_ns, trace_id, span_id) of those that tell usage; of all, when
    none does (a stream whose usage nobody asked for).
(b) Otherwise a span whose descendant carries usage does not count: frameworks repeat their children's sums.

Only spans of model kinds take part in (a): an agent that quotes its last answer's id repeats a sum and
belongs under (b). The span itself always shows its own numbers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from collector.model import MODEL_KINDS

OVERLAP_NS = 2_000_000_000


class Countable(Protocol):
    """What the rule looks at."""

    trace_id: str
    span_id: str
    kind: str
    start_ns: int | None
    end_ns: int | None
    model: str | None
    response_id: str | None
    below: int

    @property
    def carries_usage(self) -> bool: ...


def may_repeat(span: Countable) -> bool:
    """Whether another span may report the same call as this one."""
    return bool(span.response_id) and span.kind in MODEL_KINDS and span.start_ns is not None


def same_calls(spans: Iterable[Countable]) -> list[list[Countable]]:
    """Group spans (of one response id) into calls, each sorted with its owner first."""
    by_model: dict[str | None, list[Countable]] = {}
    for span in spans:
        if may_repeat(span):
            by_model.setdefault(span.model, []).append(span)
    calls = []
    for group in by_model.values():
        group.sort(key=_order)
        call: list[Countable] = []
        reach = 0
        for span in group:
            start = span.start_ns or 0
            if call and start > reach + OVERLAP_NS:
                calls.append(call)
                call = []
            reach = max(reach, span.end_ns or start) if call else (span.end_ns or start)
            call.append(span)
        calls.append(call)
    for call in calls:
        call.sort(key=lambda span: (not span.carries_usage, *_order(span)))
    return calls


def _order(span: Countable) -> tuple[int, str, str]:
    return (span.start_ns or 0, span.trace_id, span.span_id)


def counts_alone(span: Countable) -> bool:
    """Rule (b), for a span that shares its call with no other, or only with such as tell no usage either."""
    return not span.below


def owner_counts(owner: Countable) -> bool:
    """Whether a call that several spans report counts at its owner: it does, unless only spans below it tell usage."""
    return owner.carries_usage or counts_alone(owner)
