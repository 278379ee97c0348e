"""From a reader to an outline, in the reader's thread."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from sys import intern

from collector.store.rows import SpanRow
from tracetui.source import Reader
from tracetui.timeline import Outline, outline


def read_outline(reader: Reader, trace_id: str, limit: int | None) -> Outline:
    """The spans of a trace as an outline; `partial` when there may be more than `limit`."""
    rows = reader.tree_spans(trace_id, limit=limit)
    return outline(preorder(rows), partial=limit is not None and len(rows) >= limit)


def preorder(rows: Sequence[SpanRow]) -> Iterator[tuple[str, SpanRow | None, int]]:
    """(span id, row, depth), children by start. Parents that are missing are ghosts (row None) at the top; of
    spans with one id the later is shown too; a cycle is cut where it is met."""
    children: dict[str, list[SpanRow]] = {}
    known = {row.span_id for row in rows}
    tops: list[tuple[int, str, SpanRow | None]] = []
    for row in rows:
        parent = row.parent_id
        if not parent or parent == row.span_id:
            tops.append((row.start_ns, row.span_id, row))
            continue
        if parent not in known and parent not in children:
            tops.append((row.start_ns, parent, None))
        children.setdefault(intern(parent), []).append(row)
    seen: set[int] = set()
    yield from _walk(sorted(tops, key=lambda top: top[:2]), children, seen)
    if len(seen) < len(rows):
        rest = [(row.start_ns, row.span_id, row) for row in rows]
        yield from _walk((top for top in rest if id(top[2]) not in seen), children, seen)


def _walk(
    tops: Iterable[tuple[int, str, SpanRow | None]],
    children: dict[str, list[SpanRow]],
    seen: set[int],
) -> Iterator[tuple[str, SpanRow | None, int]]:
    for _, span_id, row in tops:
        stack: list[tuple[str, SpanRow | None, int]] = [(span_id, row, 0)]
        while stack:
            at_id, at, depth = stack.pop()
            if at is not None:
                if id(at) in seen:
                    continue
                seen.add(id(at))
            yield at_id, at, depth
            below = reversed(children.pop(at_id, []))
            stack += [(child.span_id, child, depth + 1) for child in below]
