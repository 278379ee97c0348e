"""The agent graph of a trace as text and as JSON, for `tracetui show TRACE --graph`. Pure but for the one reading."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from collector.store import skeleton
from tracetui import format as fmt
from tracetui import trees
from tracetui.callers import CallGraph, Calls, call_graph, graph_lines
from tracetui.shapes import dollars
from tracetui.weights import weigh

if TYPE_CHECKING:
    from collector.store.reader import Reader


def read(reader: Reader, trace_id: str, now_ns: int) -> CallGraph:
    """The graph of a trace in the file."""
    outline = trees.outline(reader.skeleton(trace_id))
    return call_graph(outline, weigh(outline, reader.measures(trace_id)), now_ns)


def text_lines(graph: CallGraph) -> list[str]:
    """A line a pair of caller and callee: `├─ ✦ gpt-4o-mini  3×  4.1s  3.9k tok  $0.0021  ✖1`."""
    lines = []
    for line in graph_lines(graph):
        calls = line.calls
        facts = [f"{line.branch}{fmt.UNICODE.kinds[line.actor.kind]} {fmt.plain(line.actor.label) or '(no name)'}",
                 f"{fmt.count(calls.calls)}×", fmt.duration(calls.taken_ns)]  # fmt: skip
        facts += [f"{fmt.tokens(calls.tokens)} tok"] if calls.tokens is not None else []
        unpriced = [] if calls.tokens is None else ["no price"]
        facts += [fmt.money(calls.nanousd)] if calls.nanousd is not None else unpriced
        facts += [f"{fmt.UNICODE.states['error']}{fmt.count(calls.errors)}"] if calls.errors else []
        facts += ["(see above)"] if line.again else []
        lines.append("  ".join(facts))
    return lines or ["nothing has arrived that called anything"]


def graph_json(graph: CallGraph) -> dict[str, Any]:
    """`actors` are numbered by their place; `edges` name them by it, `caller` null for what nobody called."""
    actors = graph.actors()
    place = {actor: number for number, actor in enumerate(actors)}
    return {
        "actors": [{"kind": actor.kind, "name": actor.label} for actor in actors],
        "edges": [
            _edge_json(None if caller is None else place[caller], place[callee], calls)
            for caller, below in graph.edges.items()
            for callee, calls in below.items()
        ],
    }


def _edge_json(caller: int | None, callee: int, calls: Calls) -> dict[str, Any]:
    return {
        "caller": caller,
        "callee": callee,
        "calls": calls.calls,
        "errors": calls.errors,
        "duration_ns": calls.taken_ns,
        "tokens": calls.tokens,
        "cost_usd": dollars(calls.nanousd),
        "first_span_id": skeleton.name(calls.first),
    }
