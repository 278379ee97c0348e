"""The tree of a trace, in the order it is drawn.

Everything odd about real traces is settled here:
- a parent that never came (or not yet) is a *ghost*: a node without a row, at the top;
- of several spans with one id (a broken sender), each is kept, the first has the children;
- a cycle of parents is cut at its earliest span, which becomes a top, after the others;
- siblings are ordered by start, then id; a ghost stands where its earliest child does.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Generic, NamedTuple, Protocol, TypeVar


class SpanLike(Protocol):
    """What a tree is built of."""

    @property
    def span_id(self) -> str: ...
    @property
    def parent_id(self) -> str | None: ...
    @property
    def start_ns(self) -> int: ...


Row = TypeVar("Row", bound=SpanLike)


class Node(NamedTuple, Generic[Row]):
    """A place in the tree. `row` is None for a ghost; `depth` counts from 0; `children` counts direct ones."""

    span_id: str
    row: Row | None
    depth: int
    children: int


def build(rows: Sequence[Row]) -> list[Node[Row]]:
    """All rows of one trace in pre-order, ghosts included."""
    ordered = sorted(rows, key=attrgetter("start_ns", "span_id"))
    first: dict[str, Row] = {}
    children: dict[str, list[Row]] = {}
    for row in ordered:
        first.setdefault(row.span_id, row)
    tops: list[tuple[str, Row | None, int]] = []
    for row in ordered:
        parent = row.parent_id
        if not parent or parent == row.span_id:
            tops.append((row.span_id, row, 0))
        elif (below := children.get(parent)) is not None:
            below.append(row)
        else:
            if parent not in first:
                tops.append((parent, None, 0))
            children[parent] = [row]
    out: list[Node[Row]] = []
    tops.reverse()
    _walk(tops, children, first, out)
    if len(out) < len(ordered) + sum(node.row is None for node in out):
        _cut_cycles(ordered, children, first, out)
    return out


def _walk(
    stack: list[tuple[str, Row | None, int]],
    children: dict[str, list[Row]],
    first: dict[str, Row],
    out: list[Node[Row]],
) -> None:
    """Append what is on the stack and all below it; a stack, because a trace can be deeper than Python's.

    No row is met twice: it is in one list of children, and a list is opened by one row (or ghost) only.
    """
    while stack:
        span_id, row, depth = stack.pop()
        below = children.get(span_id)
        if below is None or (row is not None and first[span_id] is not row):
            out.append(Node(span_id, row, depth, 0))
        else:
            out.append(Node(span_id, row, depth, len(below)))
            depth += 1
            stack += [(child.span_id, child, depth) for child in reversed(below)]


def _cut_cycles(
    ordered: Sequence[Row], children: dict[str, list[Row]], first: dict[str, Row], out: list[Node[Row]]
) -> None:
    """Append what only a cycle reaches: the earliest row of a cycle leaves its parent, and becomes a top."""
    placed = {id(node.row) for node in out}
    for row in ordered:
        if id(row) in placed:
            continue
        cut = _in_cycle(row, first)
        parent = cut.parent_id or ""
        children[parent] = [child for child in children[parent] if child is not cut]
        start = len(out)
        _walk([(cut.span_id, cut, 0)], children, first, out)
        placed.update(id(node.row) for node in out[start:])


def _in_cycle(row: Row, first: dict[str, Row]) -> Row:
    """The earliest row of the cycle that the parents of `row` lead into."""
    seen: dict[int, Row] = {}
    while id(row) not in seen:
        seen[id(row)] = row
        row = first[row.parent_id or ""]
    start = list(seen).index(id(row))
    return min(list(seen.values())[start:], key=attrgetter("start_ns", "span_id"))
