"""Where one may want to go in a trace: the slowest, the dearest, what failed, the longest gap. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from collector.store.skeleton import ERROR, RUNNING
from tracetui import branches, siblings
from tracetui import format as fmt
from tracetui.outline import NOWHERE, Outline
from tracetui.weights import Weights

MODEL_CODES = ("llm", "embedding", "reranker")


@dataclass(frozen=True, slots=True)
class Target:
    """A span to go to: what makes it one, how much of that, and its label (foreign text)."""

    title: str
    index: int
    figure: str
    label: str


def targets(trace: Outline, weights: Weights, at: int, now_ns: int) -> list[Target]:
    """All there is, from a span at `at`. Nothing is listed that no span has; of equals the first."""

    def lasted(index: int) -> int:
        return NOWHERE if trace.is_ghost(index) else trace.over(index, now_ns) - trace.start(index)

    def call(index: int) -> int:
        return lasted(index) if weights.kind(index) in MODEL_CODES else NOWHERE

    def tool(index: int) -> int:
        return lasted(index) if weights.kind(index) == "tool" else NOWHERE

    found: list[Target] = []

    def add(title: str, index: int | None, figure: str = "") -> None:
        if index is not None:
            found.append(Target(title, index, figure, weights.label(index)))

    def greatest(title: str, amount: Callable[[int], int], shown: Callable[[int], str]) -> None:
        index = max(range(len(trace)), key=amount, default=None)
        if index is not None and amount(index) > 0:
            add(title, index, shown(amount(index)))

    index, own_ns = siblings.greatest_self(trace, now_ns)
    if own_ns:
        add("slowest by itself", index, fmt.duration(own_ns))
    greatest("slowest model call", call, fmt.duration)
    greatest("slowest tool", tool, fmt.duration)
    greatest("dearest call", weights.costs.__getitem__, fmt.money)
    greatest("most tokens", weights.tokens.__getitem__, fmt.tokens)
    greatest("latest first token", weights.ttfts.__getitem__, fmt.duration)
    failed = sum(trace.status(index) == ERROR for index in range(len(trace)))
    add("next error", branches.next_error(trace, at, 1), f"{fmt.count(failed)} failed")
    add("still running", next((n for n in range(at + 1, len(trace)) if trace.status(n) == RUNNING), None)
        or next((n for n in range(len(trace)) if trace.status(n) == RUNNING), None))  # fmt: skip
    gap = siblings.longest_gap(trace, now_ns)
    if gap is not None:
        add("longest gap", _after(trace, gap), fmt.duration(gap[2] - gap[1]))
    return found


def _after(trace: Outline, gap: tuple[int, int, int]) -> int:
    """The child that a gap ends with, else the span whose gap it is."""
    index, _, end_ns = gap
    return next((child for child in trace.children(index) if trace.start(child) >= end_ns), index)
