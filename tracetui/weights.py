"""What each span of an outline is and costs, and how hot that makes it. Pure."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from collector.model import KINDS
from collector.store.measures import UNKNOWN, Measures
from tracetui import siblings
from tracetui.outline import Outline

HEATS = ("kind", "cost", "tokens", "self")
"""What the colours of the bars tell: kinds, or how much of what."""
LEVELS = 5
_GHOST = len(KINDS) - 1


@dataclass(frozen=True, slots=True)
class Weights:
    """The columns of `Measures` in the order of an outline; a span that was not measured yet is of no kind worth
    naming, and nothing about it is known."""

    codes: bytes = b""
    costs: array[int] = field(default_factory=lambda: array("q"))
    tokens: array[int] = field(default_factory=lambda: array("q"))
    ttfts: array[int] = field(default_factory=lambda: array("q"))
    label_of: array[int] = field(default_factory=lambda: array("i"))
    labels: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.codes)

    def kind(self, index: int) -> str:
        return KINDS[self.codes[index]]

    def label(self, index: int) -> str:
        """Foreign text; "" for a ghost."""
        at = self.label_of[index]
        return self.labels[at] if at >= 0 else ""


def weigh(trace: Outline, measures: Measures) -> Weights:
    """Put the measures into the order of the outline; the two may have been read at different moments."""
    place = {number: index for index, number in enumerate(measures.ids)}
    spans = zip(trace.ids, trace.order, strict=True)
    at = array("i", (UNKNOWN if order < 0 else place.get(number, UNKNOWN) for number, order in spans))

    def column(values: array[int]) -> array[int]:
        return array(values.typecode, (values[n] if n >= 0 else UNKNOWN for n in at))

    return Weights(
        bytes(measures.kinds[n] if n >= 0 else _GHOST for n in at), column(measures.costs), column(measures.tokens),
        column(measures.ttfts), column(measures.label_of), measures.labels,
    )  # fmt: skip


def amount(heat: str, trace: Outline, weights: Weights, now_ns: int) -> Callable[[int], int]:
    """How much of it a span has, as a function of its index: -1 where not known."""
    if heat == "self":
        return lambda index: siblings.self_ns(trace, index, now_ns)
    column = weights.costs if heat == "cost" else weights.tokens
    return lambda index: column[index]


def most(heat: str, trace: Outline, weights: Weights, now_ns: int) -> int:
    """The greatest amount in the trace, 0 when none is known."""
    if heat == "self":
        return siblings.greatest_self(trace, now_ns)[1]
    return max(weights.costs if heat == "cost" else weights.tokens, default=0)


def foldable(trace: Outline, weights: Weights, folded: Collection[int]) -> list[tuple[str, int, bool]]:
    """(kind, spans that have something below them, whether all of these are folded), the most spans first."""
    counts: Counter[int] = Counter()
    shut: Counter[int] = Counter()
    places = zip(trace.ids, trace.order, trace.end, trace.noise, weights.codes, strict=True)
    for index, (number, at, after, noise, code) in enumerate(places, 1):
        if after > index and at >= 0 and not noise:
            counts[code] += 1
            shut[code] += number in folded
    return [(KINDS[code], many, shut[code] == many) for code, many in counts.most_common()]


def of_kind(trace: Outline, weights: Weights, kind: str) -> set[int]:
    """The ids of the spans of a kind that have something below them."""
    wanted = KINDS.index(kind)
    places = zip(trace.ids, trace.end, weights.codes, strict=True)
    return {number for index, (number, after, code) in enumerate(places, 1) if code == wanted and after > index}


def level(amount: int, most: int) -> int:
    """0 for nothing (or not known), else 1 to 4: up to a tenth, a third and two thirds of the most, and above."""
    if amount <= 0 or most <= 0:
        return 0
    share = amount / most
    return 1 + (share > 0.1) + (share > 1 / 3) + (share > 2 / 3)
