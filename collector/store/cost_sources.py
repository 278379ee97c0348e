"""Costs summed from the spans: of the traces that the filter finds, a thousand at a time, telling how far it is.

Follows the counting rule: what another span reports too is counted once. `cost_ahead.py` has the same sums from the
rollups, where those hold the answer; a property test holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import orjson

from collector.kinds import MODEL_KINDS, USAGE_FIELDS
from collector.store.binding import Conditions
from collector.store.conditions import for_calls
from collector.store.cost_keys import QUARTER_NS, Dimension
from collector.store.filters import Either, Filter, Part, Term, every
from collector.store.ground import Reading
from collector.store.narrow import narrow
from collector.store.totals import bucket_of

Keys: TypeAlias = tuple[Any, ...]
Summed: TypeAlias = tuple[Keys, int | None, Sequence[int | None], int, int]
"""(keys, number of the trace where known, sums as in SUMMED, first quarter hour, last)."""
Measured: TypeAlias = tuple[Keys, str, bool, int, int]
"""(keys, metric, whether of model calls, bucket, how many)."""
Progress: TypeAlias = Callable[[int, int], None]
"""(traces looked at, traces in all); it may raise to give up."""

OF_CALLS = frozenset(
    "model answered provider service env kind tool agent prompt version error.type since until".split()
)
"""Keys that say which calls are summed; all others say of which traces."""
CHUNK = 1000
OF_MODEL = f"in ({', '.join(repr(kind) for kind in sorted(MODEL_KINDS))})"
_SPAN_SUMS = ", ".join(
    (
        "count(*)", "sum(s.status = 'error')", f"sum(s.counted and s.kind {OF_MODEL})",
        "sum(s.counted and s.kind = 'llm')",
        f"sum(s.cost_nanousd is null and s.counted and s.kind {OF_MODEL} and s.status = 'ok')",
        *(f"sum(case when s.counted then s.{name} end)" for name in ("cost_nanousd", *USAGE_FIELDS)),
    )
)  # fmt: skip
_SOME = "from json_each(:ids) j cross join traces t on t.id = j.value cross join spans s on s.trace_id = t.trace_id"
MEMBERS = f"""
    select distinct {{listed}} t.id {_SOME} {{joins}}
    where s.start_ns is not null and s.start_ns >= :low and s.start_ns < :high and {{where}}"""
_OF_FEW = """t.trace_id in (select n.trace_id from spans n where n.id in (select value from json_each(:narrow)))"""
_TRACE_IDS = "select t.id from traces t where {} order by t.start_ns, t.trace_id"
_BEGUN = "t.trace_id in (select n.trace_id from spans n where n.start_ns >= :low and n.start_ns < :high)"
REACH = "t.start_ns < :high and (t.end_ns is null or t.running_count or t.end_ns >= :low)"


class TooMany(Exception):
    """More traces would have to be looked at than were allowed: `most`."""

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self.most = most


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is summed: the filter's terms by what they ask about, and the stretch of time that they leave."""

    by: tuple[Dimension, ...]
    of_traces: Filter
    of_spans: Filter
    low: int | None = None
    high: int | None = None
    declared: tuple[str, ...] = ()
    """Metadata keys that rollups may carry."""

    def bounds(self) -> dict[str, int]:
        """The stretch of time as SQL binds it: `low` up to but without `high`."""
        low, high = self.low, self.high
        return {"low": -(2**63) if low is None else low, "high": 2**63 - 1 if high is None else high}


def wanted(by: Sequence[Dimension], where: Filter, declared: Sequence[str] = ()) -> Wanted:
    spans = [part for part in where.terms if of_calls(part)]
    times = [part for part in spans if isinstance(part, Term) and part.key in ("since", "until") and not part.negated]
    lows = [int(part.values[0]) for part in times if part.key == "since"]
    highs = [int(part.values[0]) for part in times if part.key == "until"]
    return Wanted(
        tuple(by), Filter(tuple(part for part in where.terms if part not in spans)),
        Filter(tuple(part for part in spans if part not in times)),
        max(lows, default=None), min(highs, default=None), tuple(declared),
    )  # fmt: skip


def of_calls(part: Part) -> bool:
    """Whether it says which calls are summed, not of which traces."""
    if isinstance(part, Either):
        terms = [one for way in part.ways for one in every(way)]
        return all(isinstance(one, Term) and one.key in OF_CALLS for one in terms if not isinstance(one, Either))
    return isinstance(part, Term) and part.key in OF_CALLS


# -- the spans ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class Spans:
    """The spans of the traces that a filter finds."""

    reading: Reading
    asked: Wanted
    progress: Progress | None = None
    only: Container[int] | None = None
    """Numbers (`traces.id`) of the traces to look at, where not all are."""
    times: bool = True
    """Whether durations are asked for, too."""
    sums: bool = True
    """Whether anything but durations is asked for."""
    most: int | None = None
    """TooMany where there are more traces to look at."""

    def chunks(self) -> Iterator[tuple[list[Summed], list[Measured]]]:
        """The sums and the measured times, a thousand traces at a time, oldest first."""
        traces, spans = self._conditions()
        statements = self._statements(spans)
        for ids in self._numbers(traces):
            yield self._chunk(statements, {**spans.values, "ids": ids})

    def members(self) -> Iterator[list[tuple[Keys, int]]]:
        """What keys which traces have spans of (keys, number of the trace), a thousand traces at a time."""
        traces, spans = self._conditions()
        found = [one.of_span(spans, f"g{at}") for at, one in enumerate(self.asked.by)]
        sql = MEMBERS.format(
            listed="".join(f"{text}, " for text, _ in found), joins=" ".join(join for _, join in found),
            where=spans.where,
        )  # fmt: skip
        for ids in self._numbers(traces):
            rows = self.reading.rows(sql, {**spans.values, "ids": ids})
            yield [(row[:-1], row[-1]) for row in rows]

    def _numbers(self, traces: Conditions) -> Iterator[str]:
        """The traces, a thousand at a time, as JSON; says how far it is before each."""
        found = [row[0] for row in self.reading.rows(_TRACE_IDS.format(traces.where), traces.values)]
        numbers = found if self.only is None else [number for number in found if number in self.only]
        if self.most is not None and len(numbers) > self.most:
            raise TooMany(self.most)
        for at in range(0, len(numbers), CHUNK):
            if self.progress is not None:
                self.progress(at, len(numbers))
            yield orjson.dumps(numbers[at : at + CHUNK]).decode()

    def sql(self) -> tuple[str, dict[str, Any]]:
        """(the statement of the sums, its values), of all traces at once."""
        traces, spans = self._conditions()
        ids = f"(select t.id as value from traces t where {traces.where}) j"
        return self._statements(spans)[0].replace("json_each(:ids) j", ids), spans.values

    def _conditions(self) -> tuple[Conditions, Conditions]:
        """Those on traces and those on spans, each with all values."""
        traces, spans = for_calls(self.asked.of_traces, self.asked.of_spans)
        traces.values |= {**self.reading.moment(), **self.asked.bounds()}
        low, high = self.asked.low, self.asked.high
        if low is not None and high is not None and high - low <= QUARTER_NS:
            traces.parts.append(_BEGUN)  # by the index of their spans: others are found by looking at all before them
        elif low is not None or high is not None:
            traces.parts.append(REACH)
        few = narrow(self.reading.rows, self.asked.of_traces)
        if few is not None:
            traces.parts.append(_OF_FEW)
            traces.values["narrow"] = orjson.dumps(few).decode()
        spans.values |= traces.values
        return traces, spans

    def _statements(self, spans: Conditions) -> tuple[str, str]:
        found = [one.of_span(spans, f"g{at}") for at, one in enumerate(self.asked.by)]
        listed = "".join(f"{text}, " for text, _ in found)
        source = f"{_SOME} {' '.join(join for _, join in found)}"
        where = f"s.start_ns is not null and s.start_ns >= :low and s.start_ns < :high and {spans.where}"
        places = ", ".join(str(at) for at in range(1, len(found) + 2))
        quarter = f"s.start_ns / {QUARTER_NS}"
        sums = f"""select {listed} t.id, {_SPAN_SUMS}, min({quarter}), max({quarter}) {source}
            where {where} group by {places}"""
        times = f"""select {listed} s.kind {OF_MODEL}, s.duration_ns, s.ttft_ns {source}
            where {where} and (s.duration_ns is not null or s.ttft_ns is not null)"""
        return sums, times

    def _chunk(self, statements: tuple[str, str], values: dict[str, Any]) -> tuple[list[Summed], list[Measured]]:
        n = len(self.asked.by)
        summed = self.reading.rows(statements[0], values) if self.sums else ()
        sums: list[Summed] = [(row[:n], row[n], row[n + 1 : -2], row[-2], row[-1]) for row in summed]
        times: list[Measured] = []
        for row in self.reading.rows(statements[1], values) if self.times else ():
            *keys, of_model, took, first = row
            if took is not None:
                times.append((tuple(keys), "duration", bool(of_model), bucket_of(took), 1))
            if first is not None:
                times.append((tuple(keys), "ttft", bool(of_model), bucket_of(first), 1))
        return sums, times
