"""What goes on now: how fast money and tokens burn, what runs, what failed last, what was dearest.

Looks at the newest spans only (MOST_SPANS at most, and no further back than WINDOW_NS), so that it costs the same in a
file of any size. In a file that nothing arrives in any more, "now" is when its last span began.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from collector.model import MODEL_KINDS
from collector.store.conditions import SPAN_STATUS
from collector.store.ground import Reading

MIN_NS = 60_000_000_000
MINUTES = 30
"""How far back, a bar of the sparklines each."""
WINDOW_NS = MINUTES * MIN_NS
RATE_MIN, LEAST_MIN = 5, 0.5
"""Rates are over so many minutes; where the first span began less long ago, over the time since, half a minute at
least."""
STALE_NS = WINDOW_NS
MOST_SPANS = 50_000
LISTED = 20
MOST_RUNNING = 1000
_MODEL = f"in ({', '.join(repr(kind) for kind in sorted(MODEL_KINDS))})"

LAST = "select start_ns from spans where start_ns is not null and start_ns <= :now order by start_ns desc limit 1"
WINDOW = f"""
    with w as (select s.start_ns, s.model, s.kind, s.status, s.counted, s.cost_nanousd, s.input_tokens, s.output_tokens,
        s.duration_ns
      from spans s where s.start_ns > :since and s.start_ns <= :now order by s.start_ns desc, s.id desc limit :most)
    select (:now - start_ns) / {MIN_NS}, case when kind {_MODEL} then ifnull(model, '') end, count(*),
      sum(status = 'error'), sum(counted and kind {_MODEL}),
      sum(cost_nanousd is null and counted and kind {_MODEL} and status = 'ok'),
      sum(case when counted then cost_nanousd end),
      sum(case when counted then ifnull(input_tokens, 0) + ifnull(output_tokens, 0) end), sum(duration_ns),
      sum(duration_ns is not null), min(start_ns)
    from w group by 1, 2"""
_ROW = "s.trace_id, s.span_id, ifnull(s.name, ''), s.kind, s.model, s.start_ns, s.duration_ns, s.cost_nanousd"
RUNNING = f"""
    select {_ROW}, null from spans s where s.status = 'running' and +s.start_ns is not null
      and ({SPAN_STATUS}) = 'running' order by +s.start_ns desc, s.id desc limit :most"""
FAILED = f"""
    select {_ROW}, ifnull(s.status_message, s.error_type) from spans s
    where s.status = 'error' and s.start_ns <= :now order by s.start_ns desc, s.id desc limit :most"""
DEAREST = f"""
    select {_ROW}, null from (select id, cost_nanousd from spans
        where start_ns > :since and start_ns <= :now order by start_ns desc, id desc limit :spans) n
    join spans s on s.id = n.id where n.cost_nanousd > 0 and s.counted
    order by n.cost_nanousd desc, s.id limit :most"""


@dataclass(frozen=True, slots=True)
class Line:
    """A span that stands in the overview. `said` is why it failed."""

    trace_id: str
    span_id: str
    name: str
    kind: str
    model: str | None
    start_ns: int
    duration_ns: int | None
    cost_nanousd: int | None
    said: str | None


@dataclass(frozen=True, slots=True)
class ModelNow:
    """Calls of a model within the window. `minutes` has calls per minute, the oldest first, MINUTES of them."""

    model: str
    minutes: tuple[int, ...]
    calls: int
    errors: int
    unpriced_calls: int
    cost_nanousd: int | None
    tokens: int
    mean_ns: int | None


@dataclass(frozen=True, slots=True)
class Overview:
    """`now_ns` is the moment that all is told of; `live` says that it is the present. Rates are over the last RATE_MIN
    minutes, or what of them something happened in and was looked at: `rate_min`. `costs` has nano-dollars per minute,
    the oldest first. `running` counts spans that run, MOST_RUNNING at most, of which `active` lists the newest."""

    now_ns: int
    live: bool
    rate_min: float
    cost_nanousd: int | None
    unpriced_calls: int
    tokens: int
    calls: int
    spans: int
    errors: int
    costs: tuple[int, ...]
    running: int
    models: tuple[ModelNow, ...]
    active: tuple[Line, ...]
    failed: tuple[Line, ...]
    dearest: tuple[Line, ...]


def overview(reading: Reading, now_ns: int) -> Overview | None:
    """What goes on; None in a file without spans."""
    last = reading.rows(LAST, {"now": now_ns})
    if not last:
        return None
    live = now_ns - last[0][0] < STALE_NS
    now = now_ns if live else last[0][0]
    window = {"now": now, "since": now - WINDOW_NS}
    rows = reading.rows(WINDOW, {**window, "most": MOST_SPANS})
    running = reading.rows(RUNNING, {**reading.moment(), "most": MOST_RUNNING})
    recent = [row for row in rows if row[0] < RATE_MIN]
    seen = sum(row[2] for row in rows)
    begun_min = (now - min((row[10] for row in rows), default=now)) / MIN_NS
    rate_min = min(float(RATE_MIN), max(begun_min, 1 / 60 if seen >= MOST_SPANS else LEAST_MIN))
    costs = [row[6] for row in recent if row[6] is not None]

    def summed(column: int) -> int:
        return sum(row[column] or 0 for row in recent)

    return Overview(
        now_ns=now, live=live, rate_min=rate_min, cost_nanousd=sum(costs) if costs else None,
        unpriced_calls=summed(5), tokens=summed(7), calls=summed(4), spans=summed(2), errors=summed(3),
        costs=_per_minute(rows, 6), running=len(running), models=_models(rows), active=_lines(running[:LISTED]),
        failed=_lines(reading.rows(FAILED, {"now": now, "most": LISTED})),
        dearest=_lines(reading.rows(DEAREST, {**window, "spans": MOST_SPANS, "most": LISTED})),
    )  # fmt: skip


def _per_minute(rows: list[tuple[Any, ...]], column: int) -> tuple[int, ...]:
    found = [0] * MINUTES
    for row in rows:
        if row[0] < MINUTES:
            found[MINUTES - 1 - row[0]] += row[column] or 0
    return tuple(found)


def _models(rows: list[tuple[Any, ...]]) -> tuple[ModelNow, ...]:
    """The busiest first."""
    by_model: dict[str, list[tuple[Any, ...]]] = {}
    for row in rows:
        if row[1] is not None:
            by_model.setdefault(row[1], []).append(row)
    found = []
    for model, mine in by_model.items():
        costs = [row[6] for row in mine if row[6] is not None]
        ended = sum(row[9] for row in mine)
        found.append(
            ModelNow(
                model,
                _per_minute(mine, 2),
                sum(row[4] for row in mine),
                sum(row[3] for row in mine),
                sum(row[5] for row in mine),
                sum(costs) if costs else None,
                sum(row[7] or 0 for row in mine),
                sum(row[8] or 0 for row in mine) // ended if ended else None,
            )  # fmt: skip
        )
    return tuple(sorted(found, key=lambda one: (-one.calls, one.model)))


def _lines(rows: list[tuple[Any, ...]]) -> tuple[Line, ...]:
    return tuple(Line(*row) for row in rows)
