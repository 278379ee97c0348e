"""The tree of a trace, in the order it is drawn.

Everything odd about real traces is settled here:
- a parent that never came (or not yet) is a *ghost*: a node without a row, at the top;
- of several spans with one id (a broken sender), each is kept, the first has the children;
- a cycle of parents is cut at its earliest span, which becomes a top;
- siblings are ordered by start, then id; a ghost stands where its earliest child does.
"""

from __future__ import annotations

from collections.abc import Sequence
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
    ordered = sorted(rows, key=lambda row: (row.start_ns, row.span_id))
    first: dict[str, Row] = {}
    for row in ordered:
        first.setdefault(row.span_id, row)
    children: dict[str, list[Row]] = {}
    tops: list[tuple[str, Row | None]] = []
    for row in ordered:
        parent = row.parent_id
        if not parent or parent == row.span_id:
            tops.append((row.span_id, row))
            continue
        if parent not in first and parent not in children:
            tops.append((parent, None))
        children.setdefault(parent, []).append(row)
    out: list[Node[Row]] = []
    placed: set[int] = set()
    _walk(tops, children, first, placed, out)
    if len(placed) < len(ordered):  # what only a cycle reaches
        for row in ordered:
            if id(row) not in placed:
                _walk([(row.span_id, row)], children, first, placed, out)
    return out


def _walk(
    tops: Sequence[tuple[str, Row | None]], children: dict[str, list[Row]], first: dict[str, Row],
    placed: set[int], out: list[Node[Row]],
) -> None:  # fmt: skip
    """Append the tops and all below them; a stack, because a trace can be deeper than Python's."""
    stack: list[tuple[str, Row | None, int]] = [(span_id, row, 0) for span_id, row in reversed(tops)]
    while stack:
        span_id, row, depth = stack.pop()
        if row is not None:
            if id(row) in placed:
                continue
            placed.add(id(row))
        below = children.get(span_id, ()) if row is None or first.get(span_id) is row else ()
        mine = [child for child in below if id(child) not in placed]
        out.append(Node(span_id, row, depth, len(mine)))
        stack.extend((child.span_id, child, depth + 1) for child in reversed(mine))
