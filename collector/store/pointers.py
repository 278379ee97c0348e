"""From a span to those that name it: its replays, and the spans that link to it. They name it, not the other way
round, so that each one's naming is kept when it is written (`named`), and asked for by the id that was named.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from collector.model import Link
from collector.store.migrations import UP_TO

if TYPE_CHECKING:
    from collector.store.ground import Reading

POINTERS_FROM = 9
"""The schema that first kept them."""
KINDS = ("replay", "link")
MOST = 20
"""Of each kind, the newest."""
LOOKED_AT = 20_000
"""Of the spans that are not in the table so many are looked at for replays, those that came last: 30 ms."""

_COLUMNS = """s.trace_id, s.span_id, ifnull(s.name, ''), ifnull(s.model, s.request_model), s.status, s.start_ns,
      s.duration_ns, s.cost_nanousd"""
TO_IT = f"""
    select {_COLUMNS} from pointers p cross join spans s on s.id = p.from_id
    where p.to_span = :span_id and p.kind = :kind and p.to_trace in (:trace_id, '') and s.start_ns is not null
    order by p.from_id desc limit {MOST}"""
_OLDER = f"""
    select {_COLUMNS}
    from (select id, replay_of from bodies where id <= :up_to order by id desc limit :most) b
    cross join spans s on s.id = b.id
    where b.replay_of in (:both, :span_id) and s.start_ns > :start_ns
    order by s.start_ns desc, s.id desc limit {MOST}"""


@dataclass(frozen=True, slots=True)
class Pointer:
    """A span that names another; `kind` is one of KINDS. `duration_ns` and `cost_nanousd` are None where they are not
    known (yet); `name` and `model` are foreign text."""

    kind: str
    trace_id: str
    span_id: str
    name: str
    model: str | None
    status: str
    start_ns: int
    duration_ns: int | None
    cost_nanousd: int | None


def target(text: str, trace_id: str) -> tuple[str, str] | None:
    """(trace id, span id) of a span that is named by its id, or by both ids; None where it is neither."""
    ids = re.findall(r"[0-9a-f]+", text.lower())
    spans, traces = [one for one in ids if len(one) == 16], [one for one in ids if len(one) == 32]
    return (traces[0] if traces else trace_id, spans[-1]) if spans else None


def named(span: int, links: Iterable[Link], replay_of: str | None) -> Iterator[tuple[str, str, int, str]]:
    """The rows for what a span (its spans.id) names."""
    for link in links:
        yield link.span_id, "link", span, link.trace_id
    if replay_of and (found := target(replay_of, "")) is not None:
        yield found[1], "replay", span, found[0]


def pointing_at(reading: Reading, trace_id: str, span_id: str, start_ns: int) -> list[Pointer]:
    """Those that name this span, which began at `start_ns`: replays first, the newest first."""
    values = {"trace_id": trace_id, "span_id": span_id}
    found: dict[tuple[str, str, str], Pointer] = {}

    def add(kind: str, rows: Iterable[tuple[Any, ...]]) -> None:
        for row in rows:
            one = Pointer(kind, *row)
            found.setdefault((kind, one.trace_id, one.span_id), one)

    up_to = None
    if reading.state.schema_version >= POINTERS_FROM:
        for kind in KINDS:
            add(kind, reading.rows(TO_IT, {**values, "kind": kind}))
        told = reading.rows("select cast(value as integer) from meta where key = :key", {"key": UP_TO})
        if not told:
            return _sorted(found.values())
        up_to = told[0][0]
    last = 2**62 if up_to is None else up_to
    older = {**values, "both": f"{trace_id}:{span_id}", "start_ns": start_ns, "up_to": last, "most": LOOKED_AT}
    add("replay", reading.rows(_OLDER, older))
    return _sorted(found.values())


def _sorted(found: Iterable[Pointer]) -> list[Pointer]:
    return sorted(found, key=lambda one: (KINDS.index(one.kind), -one.start_ns, one.span_id))
