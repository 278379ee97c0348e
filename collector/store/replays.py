"""From a span to those that replay it. A replay names its original, not the other way round, and nothing indexes that:
the newest spans are looked at, which is where replays of what one is reading stand."""

from __future__ import annotations

from dataclasses import dataclass

from collector.store.narrow import Rows

LOOKED_AT = 20_000
"""So many spans that began after the original, the newest first: 30 ms where all have a body of their own."""
MOST = 20

_REPLAYS = f"""
    select s.trace_id, s.span_id, ifnull(s.model, s.request_model), s.status, s.start_ns, s.duration_ns, s.cost_nanousd
    from (select id from spans where start_ns > :start_ns order by start_ns desc, id desc limit {LOOKED_AT}) n
    cross join spans s on s.id = n.id cross join bodies b on b.id = n.id
    where b.replay_of in (:both, :span_id)
    order by s.start_ns desc, s.id desc limit {MOST}"""


@dataclass(frozen=True, slots=True)
class Replay:
    """A span that replays another. `duration_ns` and `cost_nanousd` are None where they are not known (yet)."""

    trace_id: str
    span_id: str
    model: str | None
    status: str
    start_ns: int
    duration_ns: int | None
    cost_nanousd: int | None


def replays_of(rows: Rows, trace_id: str, span_id: str, start_ns: int) -> list[Replay]:
    """Those of this span, which began at `start_ns`; the newest first, at most MOST."""
    values = {"both": f"{trace_id}:{span_id}", "span_id": span_id, "start_ns": start_ns}
    return [Replay(*row) for row in rows(_REPLAYS, values)]
