"""The counting rule: one model call counts once, however many spans report it.

(a) Spans that share an identity, and lie within two seconds of one another, are one call, wherever in the file they
    are: a client SDK and its instrumentor both report, sometimes in separate traces. An identity is the id of the
    answer with the model (asked or answering, whatever gateway's name stands before it), or the call's key, by which
    those who tell no such id name it (`collector.conventions.calls`). It is counted at the smallest (start_ns,
    trace_id, span_id) of those that tell usage; of all, when none does (a stream whose usage nobody asked for).
(b) Otherwise a span whose descendant carries usage does not count: frameworks repeat their children's sums.

Only spans of model kinds take part in (a): an agent that quotes its last answer's id repeats a sum and
belongs under (b). The span itself always shows its own numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Protocol

from collector.conventions.calls import WAY, by_times
from collector.kinds import MODEL_KINDS

OVERLAP_NS = 2_000_000_000


class Countable(Protocol):
    """What the rule looks at."""

    trace_id: str
    span_id: str
    kind: str
    start_ns: int | None
    end_ns: int | None
    model: str | None
    request_model: str | None
    response_id: str | None
    call_key: str | None
    project: str | None
    source_id: str | None
    below: int

    @property
    def carries_usage(self) -> bool: ...


def may_repeat(span: Countable) -> bool:
    """Whether another span may report the same call as this one."""
    return bool(span.response_id or span.call_key) and span.kind in MODEL_KINDS and span.start_ns is not None


def same_calls(spans: Iterable[Countable]) -> list[list[Countable]]:
    """Group spans into calls, each sorted with its owner first. All that share an identity with one of them, or with
    one that does, have to be there."""
    at_hand = sorted(filter(may_repeat, spans), key=_order)
    head = list(range(len(at_hand)))
    for told in (*_by_answer(at_hand), *_by_key(at_hand)):
        for one in told[1:]:
            head[_first(head, one)] = _first(head, told[0])
    calls: dict[int, list[Countable]] = {}
    for at, span in enumerate(at_hand):
        calls.setdefault(_first(head, at), []).append(span)
    for call in calls.values():
        call.sort(key=lambda span: (not span.carries_usage, *_order(span)))
    return list(calls.values())


def _first(head: list[int], at: int) -> int:
    while head[at] != at:
        head[at] = at = head[head[at]]
    return at


def _by_answer(spans: list[Countable]) -> Iterator[list[int]]:
    """Places of spans with the answer's id and a model in common. What lies far off says nothing of the others' models:
    of an id that is used again and again only what is near has to be known."""
    by_id: dict[str, list[int]] = {}
    for at, span in enumerate(spans):
        if span.response_id:
            by_id.setdefault(span.response_id, []).append(at)
    for group in by_id.values():
        for near in _close(spans, group):
            if len(near) > 1:
                for agreeing in _by_model(spans, near):
                    yield from _close(spans, agreeing)


def _by_model(spans: list[Countable], group: list[int]) -> list[list[int]]:
    """Who tells only the model asked agrees with who tells both it and the one that answered."""
    found: list[tuple[set[str], list[int]]] = []
    for at in group:
        names, places = _models(spans[at]), [at]
        apart = []
        for known, others in found:
            if names.isdisjoint(known):
                apart.append((known, others))
            else:
                names, places = names | known, others + places
        found = [*apart, (names, places)]
    return [sorted(places) for _, places in found]


def _models(span: Countable) -> set[str]:
    """The names of the model, without those of gateways: `openai/gpt-4o` is `gpt-4o`."""
    return {name.rpartition("/")[2].lower() for name in (span.model, span.request_model) if name} or {""}


def _by_key(spans: list[Countable]) -> Iterator[list[int]]:
    """Places of spans with the call's key in common. Where that is only the call's times, two that came the same way
    from one project are two calls, and so are their copies, in the order of their ids."""
    by_key: dict[str, list[int]] = {}
    for at, span in enumerate(spans):
        if span.call_key:
            by_key.setdefault(span.call_key.partition(WAY)[0], []).append(at)
    for key, group in by_key.items():
        if not by_times(key):
            yield from _close(spans, group)
            continue
        ways: dict[tuple[str | None, bool, str], list[int]] = {}
        for at in group:
            one = spans[at]
            way = (one.call_key or "").partition(WAY)[2]
            ways.setdefault((one.project, bool(one.source_id), way), []).append(at)
        if len(ways) > 1:
            for copies in zip_longest(*ways.values()):
                yield from _close(spans, sorted(at for at in copies if at is not None))


def _close(spans: list[Countable], group: list[int]) -> Iterator[list[int]]:
    """Cut where more than two seconds lie between: an id used again is another call."""
    told: list[int] = []
    reach = 0
    for at in group:
        start = spans[at].start_ns or 0
        if told and start > reach + OVERLAP_NS:
            yield told
            told = []
        reach = max(reach if told else 0, spans[at].end_ns or start)
        told.append(at)
    if told:
        yield told


def _order(span: Countable) -> tuple[int, str, str]:
    return (span.start_ns or 0, span.trace_id, span.span_id)


def counts_alone(span: Countable) -> bool:
    """Rule (b), for a span that shares its call with no other, or only with such as tell no usage either."""
    return not span.below


def owner_counts(owner: Countable) -> bool:
    """Whether a call that several spans report counts at its owner: it does, unless only spans below it tell usage."""
    return owner.carries_usage or counts_alone(owner)
