"""The documents that reading commands print with --json and that `tracetui mcp` answers with: a reader in, JSON out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from collector.errors import FilterError, NotFound
from collector.limits import Limits
from tracetui import shapes
from tracetui.cli import budget, rooms
from tracetui.pieces import Json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from collector.store.filters import Filter
    from collector.store.reader import Reader
    from collector.store.rows import SpanRow

SMALLEST_SPAN = 200
"""Characters of the shortest span worth showing: what cannot have room is not read either."""


def traces(reader: Reader, where: Filter, limit: int, sort: str | None) -> list[Json]:
    rows = reader.traces(where, limit=limit, sort=sort or "-start")
    return [shapes.trace_json(row, reader.scores(row.trace_id)) for row in rows]


def spans(reader: Reader, where: Filter, limit: int, sort: str | None) -> list[Json]:
    rows = reader.spans(where, limit=limit, sort=sort or "-start")
    return [shapes.span_json(reader.span(row.trace_id, row.span_id)) for row in rows]


def sessions(reader: Reader, where: Filter, limit: int, sort: str | None) -> list[Json]:
    return [shapes.session_json(row) for row in reader.sessions(where, limit=limit, sort=sort or "-last")]


def trace(reader: Reader, trace_id: str, thresholds: Mapping[str, Any], max_tokens: int | None) -> Json:
    """One trace with its spans. Where `max_tokens` cannot hold all of them, those that matter most are read, and a last
    item counts the others."""
    from collector import tree

    row = reader.trace(trace_id)
    nodes = tree.build(reader.tree_spans(trace_id))
    arrived = [node.row for node in nodes if node.row is not None]
    shown = _those_with_room(arrived, max_tokens)
    found = reader.signals(trace_id, Limits(**thresholds))
    details = [reader.span(trace_id, one.span_id) for one in shown]
    document = shapes.trace_json(row, reader.scores(trace_id), details, found)
    if len(shown) < len(arrived):
        document["spans"].append({budget.LEFT_OUT: len(arrived) - len(shown)})
    return document


def _those_with_room(rows: list[SpanRow], max_tokens: int | None) -> list[SpanRow]:
    if max_tokens is None:
        return rows
    most = max_tokens * rooms.CHARS // SMALLEST_SPAN + 1
    order = budget.most_useful([(row.status, row.parent_id, row.kind) for row in rows])
    return [rows[at] for at in sorted(order[:most])]


def span_id(reader: Reader, trace_id: str, prefix: str) -> str:
    """The one span of the trace whose id begins so. NotFound says how many do."""
    ids = [row.span_id for row in reader.tree_spans(trace_id) if row.span_id.startswith(prefix.lower())]
    if len(ids) != 1:
        found = f"{len(ids)} of its spans begin so; give more of the id" if ids else "none of its spans begins so"
        raise NotFound(f"trace {trace_id} has no span {prefix!r}: {found}")
    return ids[0]


def span(reader: Reader, trace_id: str, prefix: str) -> Json:
    return shapes.span_json(reader.span(trace_id, span_id(reader, trace_id, prefix)))


def search(reader: Reader, asked: Filter, limit: int) -> list[Json]:
    """Hits of the words in `asked`, in spans that its filters find. FilterError when there are no words."""
    from collector.store import filters

    words, where = filters.words_and_rest(asked)
    if not words:
        raise FilterError("search wants words to look for; a filter alone lists spans")
    return [shapes.hit_json(hit) for hit in reader.search(words, where, limit=limit)]


def context(reader: Reader, trace_id: str, prices: Mapping[str, Mapping[str, Any]]) -> Json:
    """How the prompts of a trace's model calls grew."""
    from tracetui.cli import context

    return {"trace_id": trace_id, **context.context_json(context.read(reader, trace_id, prices))}


def graph(reader: Reader, trace_id: str) -> Json:
    """Who called whom in a trace."""
    from tracetui.cli import graph

    return {"trace_id": trace_id, **graph.graph_json(graph.read(reader, trace_id, time.time_ns()))}


def first(reader: Reader, trace_id: str, value: str) -> list[Json]:
    """Where a value stood first."""
    from tracetui.cli import places

    return places.places_json(reader, trace_id, value)


def session(reader: Reader, session_id: str, limit: int) -> Json:
    """One session with its newest turns. NotFound when there is none."""
    from collector.store.conversation import conversation
    from tracetui.cli.session import conversation_json

    return conversation_json(conversation(reader, session_id, limit=limit))


def overview(reader: Reader) -> Json | None:
    """What goes on now; None in a file without spans."""
    from collector.store.overview import overview as look
    from tracetui.cli.overview import overview_json

    found = look(reader, time.time_ns())
    return None if found is None else overview_json(found)


def costs(
    reader: Reader, where: Filter, by: str, limit: int, sort: str | None, db: Path | None, show: str = "",
    tz: str | None = None,
) -> list[Json]:  # fmt: skip
    from tracetui.cli.cost_shapes import cost_json
    from tracetui.cli.costs import summed, to_sum

    found = summed(reader, to_sum(reader, by, show, tz, sort, where, db), limit)
    return [cost_json(row, found) for row in found.rows[:limit]]


def errors(reader: Reader, where: Filter, limit: int, sort: str | None = None, *, near: bool = False) -> list[Json]:
    """Kinds of failures; `near` adds of each the nearest trace like it that succeeded."""
    from collector.store.failures import failures, ordered
    from tracetui.cli.errors import failure_json, near_json

    groups = ordered(failures(reader, where).groups, sort or "-count")[:limit]
    return [failure_json(one) | (near_json(reader, one) if near else {}) for one in groups]


def signals(reader: Reader, where: Filter) -> list[Json]:
    from collector.store.signals import ordered
    from tracetui.cli.signals import BY_TRACES, counted_json

    return [counted_json(row) for row in ordered(reader.signal_counts(where), BY_TRACES) if row.signals]
