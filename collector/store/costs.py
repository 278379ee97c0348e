"""What was spent, on what: sums of calls, tokens, costs, errors and times by anything a span or its trace says.

    with open_reader(path) as reader:
        found = costs(reader, Asked(dimensions("model,day"), parse("since:7d", now_ns), zone=Zone("Europe/Berlin")))

`costs` takes the sums that are kept ahead where they hold the answer, else it looks at the spans (`cost_sources.py`).
A filter's `since until model provider service env kind tool agent prompt error.type` say which calls are summed; its
other terms say of which traces, just as in the list of traces. Without any of the former, the total's spans, errors,
cost and unpriced calls are those of that list.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from collector.errors import FilterError
from collector.store.cost_ahead import ahead, ahead_sql, running
from collector.store.cost_keys import Dimension, dimensions
from collector.store.cost_rows import CostRow, Sums
from collector.store.cost_sources import Keys, Measured, Progress, Spans, Summed, Wanted, wanted
from collector.store.cost_split import Pricer, splits, with_split
from collector.store.cost_stats import stats
from collector.store.filters import Filter
from collector.store.ground import Reading
from collector.store.pages import spelt
from collector.store.zones import Zone

__all__ = ["SORTS", "Asked", "CostRow", "Costs", "Dimension", "costs", "costs_sql", "dimensions", "ordered"]

SORTS: dict[str, Callable[[CostRow], float]] = {
    "cost": lambda row: -1 if row.cost_nanousd is None else row.cost_nanousd,
    "tokens": lambda row: row.tokens or -1,
    "calls": lambda row: row.calls,
    "spans": lambda row: row.spans,
    "errors": lambda row: row.errors,
    "p50": lambda row: row.duration.p50_ns or -1,
    "p95": lambda row: row.duration.p95_ns or -1,
    "p99": lambda row: row.duration.p99_ns or -1,
    "ttft": lambda row: row.ttft.p50_ns or -1,
    "burn": lambda row: row.per_minute_nanousd or -1,
    "percall": lambda row: row.per_call_nanousd or -1,
}
"""How rows can be sorted, beside "name"; a "-" before it for the greatest first."""
OF_TIMES = frozenset({"p50", "p95", "p99", "ttft", "burn"})
"""Orders that need all times to be known."""


@dataclass(frozen=True, slots=True)
class Asked:
    """`traces` counts the traces of each group, for which the spans have to be looked at. Without `latencies` no times
    are told: of many stretches of time they take longest. `declared` are the metadata keys that the settings have
    summed ahead."""

    by: tuple[Dimension, ...] = ()
    where: Filter = field(default_factory=Filter)
    zone: Zone = field(default_factory=Zone)
    sort: str | None = None
    traces: bool = False
    latencies: bool = True
    later: bool = False
    """Leave latencies, and how long rows were active, to `cost_times.timed`, where no order asks for them: of many
    stretches of time that takes ten times as long as the sums."""
    declared: tuple[str, ...] = ()
    stats: tuple[str, ...] = ()
    """Names of scores ("score.*") and of numeric metadata ("meta.vram_gb") to tell the mean of."""
    prices: Pricer | None = None
    """A price list, where costs are to be split by what they were paid for."""


@dataclass(frozen=True, slots=True)
class Costs:
    """`rows` has one row a group, `groups` one for each text of the first thing grouped by, `total` is everything.
    Where tags are grouped by, a trace with two of them is in two rows. `ahead` says that the sums were kept ahead.
    `times` says of every label of a stretch of time when it (begins, ends), Unix nanoseconds."""

    by: tuple[Dimension, ...]
    rows: tuple[CostRow, ...]
    groups: tuple[CostRow, ...]
    total: CostRow
    ahead: bool
    times: dict[str, tuple[int, int]]


def costs(reading: Reading, asked: Asked, progress: Progress | None = None) -> Costs:
    """The sums. FilterError for a sort that there is not; StoreError when the file cannot be read."""
    sort = asked.sort or ("name" if asked.by and asked.by[0].is_time else "-cost")
    if sort.removeprefix("-") not in (*SORTS, "name"):
        raise FilterError(f"cannot sort by {sort!r}; it is one of {', '.join((*SORTS, 'name'))}", sort, 0)
    found = Gathered(asked.by, asked.zone)
    what = wanted(asked.by, asked.where, asked.declared)
    later = asked.later and sort.removeprefix("-") not in OF_TIMES
    found.times = asked.latencies and not later
    kept = found.fill(reading, what, asked.traces, progress)
    rows = {depth: found.rows(depth, asked.traces or not kept) for depth in {0, min(1, len(asked.by)), len(asked.by)}}
    if later:
        rows = {depth: [replace(row, timed=False) for row in some] for depth, some in rows.items()}
    if asked.prices is not None:
        shares = splits(reading, what, asked.prices, found.named)
        rows = {depth: [with_split(row, shares) for row in some] for depth, some in rows.items()}
    if asked.stats:
        scores, metadata = stats(reading, what, asked.stats, found.named)
        rows = {
            depth: [replace(row, scores=scores.get(row.keys, {}), metadata=metadata.get(row.keys, {})) for row in some]
            for depth, some in rows.items()
        }
    total = next(iter(rows[0]), replace(Sums().row((), with_traces=True), timed=not later))
    return Costs(
        asked.by, ordered(rows[len(asked.by)], sort), ordered(rows[min(1, len(asked.by))], sort), total, kept,
        asked.zone.spans,
    )  # fmt: skip


def costs_sql(reading: Reading, asked: Asked) -> str:
    """The statement behind the sums, values and all, for people."""
    what = wanted(asked.by, asked.where, asked.declared)
    found = None if asked.traces else ahead_sql(reading, what)
    text, values = found or Spans(reading, what).sql()
    return spelt(reading.rows, text, values)


def ordered(rows: Sequence[CostRow], sort: str) -> tuple[CostRow, ...]:
    """Rows in an order of SORTS or by their names; ties by name."""
    name, falling = sort.removeprefix("-"), sort.startswith("-")
    found = sorted(rows, key=lambda row: row.keys, reverse=falling and name == "name")
    if name != "name":
        found.sort(key=SORTS[name], reverse=falling)
    return tuple(found)


class Gathered:
    """Sums by every beginning of the keys: those of a group are made from those of its rows."""

    def __init__(self, by: Sequence[Dimension], zone: Zone) -> None:
        self.by = tuple(by)
        self.zone = zone
        self.times = True
        self.sums = True
        self.levels: list[dict[tuple[str, ...], Sums]] = [{} for _ in range(len(self.by) + 1)]

    def fill(self, reading: Reading, asked: Wanted, with_traces: bool, progress: Progress | None) -> bool:
        """Sum; True when from the rollups. A trace with two tags must not be twice in what stands above them: that is
        summed without the tags."""
        tags = [at for at, one in enumerate(asked.by) if one.kind == "tag"]
        depth = tags[-1] + 1 if tags else 0
        kept = ahead(reading, asked, self.zone, times=self.times) if self.sums and not with_traces else None
        if kept is not None:
            self.add(*kept, depth)
            self._add_running(running(reading, asked.by), depth)
        else:
            for sums, times in Spans(reading, asked, progress, times=self.times, sums=self.sums).chunks():
                self.add(sums, times, depth)
        if tags:
            self.fill(reading, replace(asked, by=asked.by[: tags[-1]]), with_traces or kept is None, progress)
        return kept is not None

    def add(self, sums: Sequence[Summed], times: Sequence[Measured], depth: int) -> None:
        counted: set[tuple[tuple[str, ...], int]] = set()
        for raw, trace, numbers, first, last in sums:
            keys = self.named(raw)
            for level in range(depth, len(keys) + 1):
                one = self._sums(keys[:level])
                one.add(numbers, first, last)
                if trace is not None and (keys[:level], trace) not in counted:
                    counted.add((keys[:level], trace))
                    one.traces += 1
        for raw, metric, of_model, bucket, n in times:
            keys = self.named(raw)
            for level in range(depth, len(keys) + 1):
                self._sums(keys[:level]).measured(metric, of_model, bucket, n)

    def _add_running(self, calls: Sequence[tuple[Keys, int]], depth: int) -> None:
        for raw, n in calls:
            keys = self.named(raw)
            for level in range(depth, len(keys) + 1):
                self._sums(keys[:level]).running += n

    def _sums(self, keys: tuple[str, ...]) -> Sums:
        level = self.levels[len(keys)]
        found = level.get(keys)
        if found is None:
            found = level[keys] = Sums()
        return found

    def named(self, raw: Keys) -> tuple[str, ...]:
        return tuple(
            self.zone.label(value, one.name) if one.is_time else str(value)
            for one, value in zip(self.by, raw, strict=False)
        )

    def rows(self, depth: int, with_traces: bool) -> list[CostRow]:
        return [sums.row(keys, with_traces=with_traces) for keys, sums in self.levels[depth].items() if sums.numbers[0]]
