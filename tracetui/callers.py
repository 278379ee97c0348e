"""Who called whom in a trace: agents, models and tools as a graph, and that graph as lines of text. Pure.

A span is an actor when it is an agent, a call of a model, a tool, a retrieval and the like, or a root; chains, requests
and other spans in between stand for nobody. Calls of one actor by another are one edge, however many they are. What an
edge cost and used includes all below its calls. An actor that called itself is an edge to itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from collector.store.measures import UNKNOWN
from collector.store.skeleton import ERROR
from tracetui import format as fmt
from tracetui.outline import NOWHERE, Outline
from tracetui.weights import Weights

ACTORS = frozenset({"agent", "llm", "tool", "retriever", "embedding", "reranker", "guardrail", "evaluator"})
MOST_LINES = 2000
_PREFIXES = ("invoke_agent ", "execute_tool ", "chat ")


@dataclass(frozen=True, slots=True, order=True)
class Actor:
    """`label` is foreign text."""

    kind: str
    label: str


@dataclass(slots=True)
class Calls:
    """All calls of one actor by another. `nanousd` and `tokens` are None when no call below knows any; `first` is
    the id (a number) of the earliest."""

    calls: int = 0
    errors: int = 0
    taken_ns: int = 0
    nanousd: int | None = None
    tokens: int | None = None
    first: int = 0

    def add(self, taken_ns: int, failed: bool, cost: int, tokens: int) -> None:
        self.calls += 1
        self.errors += failed
        self.taken_ns += taken_ns
        self.nanousd = self.nanousd if cost < 0 else (self.nanousd or 0) + cost
        self.tokens = self.tokens if tokens < 0 else (self.tokens or 0) + tokens


@dataclass(slots=True)
class CallGraph:
    """`edges[caller][callee]`, both in the order of first calls; `edges[None]` are the roots."""

    edges: dict[Actor | None, dict[Actor, Calls]] = field(default_factory=dict)

    def actors(self) -> list[Actor]:
        return list(dict.fromkeys(actor for below in self.edges.values() for actor in below))


def call_graph(trace: Outline, weights: Weights, now_ns: int) -> CallGraph:
    """The graph of an outline and what its spans cost."""
    size = len(trace)
    costs, tokens = _below(trace, weights.costs), _below(trace, weights.tokens)
    graph = CallGraph()
    acting: list[Actor | None] = [None] * size
    for index in range(size):
        above = trace.parent[index]
        caller = acting[above] if above >= 0 else None
        acting[index] = caller
        if trace.is_ghost(index) or not (weights.kind(index) in ACTORS or caller is None):
            continue
        actor = acting[index] = Actor(weights.kind(index), _named(weights.label(index)))
        edge = graph.edges.setdefault(caller, {}).setdefault(actor, Calls(first=trace.ids[index]))
        taken_ns = trace.over(index, now_ns) - trace.start(index)
        edge.add(taken_ns, trace.status(index) == ERROR, costs[index], tokens[index])
    return graph


def _named(label: str) -> str:
    for prefix in _PREFIXES:
        if label.startswith(prefix) and len(label) > len(prefix):
            return label[len(prefix) :]
    return label


def _below(trace: Outline, amounts: Iterable[int]) -> list[int]:
    """The sum over each span and all below it, -1 where none of them knows any. Backwards: children come first."""
    sums = list(amounts)
    for index in range(len(sums) - 1, -1, -1):
        above = trace.parent[index]
        if above != NOWHERE and sums[index] != UNKNOWN:
            sums[above] = max(sums[above], 0) + sums[index]
    return sums


@dataclass(frozen=True, slots=True)
class GraphLine:
    """One line: the branch before it, who is called, how often. `again`: what this actor calls stands further up."""

    branch: str
    actor: Actor
    calls: Calls
    again: bool = False


def graph_lines(graph: CallGraph, glyphs: fmt.Glyphs = fmt.UNICODE) -> list[GraphLine]:
    """The graph as a tree: what an actor calls stands below its first line, at most `MOST_LINES` lines."""
    lines: list[GraphLine] = []
    told: set[Actor] = set()
    waiting: list[tuple[str, Iterator[tuple[Actor, Calls]], int]] = []

    def enter(caller: Actor | None, margin: str) -> None:
        below = list(graph.edges.get(caller, {}).items())
        waiting.append((margin, iter(below), len(below)))

    enter(None, "")
    while waiting and len(lines) < MOST_LINES:
        margin, below, left = waiting.pop()
        step = next(below, None)
        if step is None:
            continue
        waiting.append((margin, below, left - 1))
        actor, calls = step
        is_top = len(waiting) == 1
        closes = left == 1
        branch = "" if is_top else margin + (glyphs.elbow if closes else glyphs.tee) + glyphs.dash + " "
        calls_others = actor in graph.edges
        lines.append(GraphLine(branch, actor, calls, again=calls_others and actor in told))
        if calls_others and actor not in told:
            told.add(actor)
            enter(actor, "" if is_top else margin + ("   " if closes else glyphs.pipe + "  "))
    return lines
