"""What costs are told in: frozen rows, and the sums they are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from collector.model import USAGE_FIELDS, Usage

SUMMED = ("spans", "errors", "calls", "llm_calls", "unpriced_calls", "cost_nanousd", *USAGE_FIELDS)
QUARTER_MIN = 15
_COST = SUMMED.index("cost_nanousd")


@dataclass(frozen=True, slots=True)
class Latency:
    """Quantiles in nanoseconds, None where nothing was measured. They come from a histogram with four buckets to each
    doubling: right within 9 %."""

    p50_ns: int | None = None
    p95_ns: int | None = None
    p99_ns: int | None = None
    count: int = 0


@dataclass(frozen=True, slots=True)
class Split:
    """A cost by what it was paid for, in nano-dollars; the parts add up to it. `input` are tokens that no cache had,
    `output` those that were no reasoning; `other` is what the price list does not explain: fees per request, calls
    whose model it does not know. `saved` is what the same tokens would have cost more without a cache (less than 0
    where writing it cost more than reading it brought)."""

    input: int = 0
    cache_read: int = 0
    cache_write: int = 0
    output: int = 0
    reasoning: int = 0
    other: int = 0
    saved: int = 0


PARTS = ("input", "cache_read", "cache_write", "output", "reasoning", "other")


@dataclass(frozen=True, slots=True)
class Stat:
    """Numbers of one kind: their mean, their standard deviation (n - 1; None for one) and how many there are."""

    mean: float
    deviation: float | None
    count: int


@dataclass(frozen=True, slots=True)
class CostRow:
    """The sums of one group. `keys` has a text for each thing grouped by, "" where it is not known.

    `errors` counts failed spans, `calls` counts calls of models (each once), `unpriced_calls` those whose price
    nobody knows. Costs and tokens are None where none is known. Latencies are those of model calls, or of all spans
    where there is no call. `traces` is None where it was not asked for. `minutes` is how long the group was active:
    from the quarter hour of its first span to that of its last.
    """

    keys: tuple[str, ...]
    spans: int
    errors: int
    calls: int
    llm_calls: int
    unpriced_calls: int
    cost_nanousd: int | None
    usage: Usage
    duration: Latency
    ttft: Latency
    minutes: int
    traces: int | None = None
    split: Split | None = None
    buckets: Mapping[int, int] = field(default_factory=dict)
    scores: Mapping[str, Stat] = field(default_factory=dict)
    metadata: Mapping[str, Stat] = field(default_factory=dict)
    timed: bool = True
    """Whether latencies and `minutes` were asked for already; until then they are not to be shown."""

    @property
    def tokens(self) -> int | None:
        """Input and output together."""
        known = [n for n in (self.usage.input_tokens, self.usage.output_tokens) if n is not None]
        return sum(known) if known else None

    @property
    def per_call_nanousd(self) -> float | None:
        """Mean cost of a call whose price is known."""
        priced = self.calls - self.unpriced_calls
        return None if self.cost_nanousd is None or priced <= 0 else self.cost_nanousd / priced

    @property
    def per_trace_nanousd(self) -> float | None:
        return None if self.cost_nanousd is None or not self.traces else self.cost_nanousd / self.traces

    @property
    def per_minute_nanousd(self) -> float | None:
        return None if self.cost_nanousd is None or not self.minutes else self.cost_nanousd / self.minutes

    @property
    def error_rate(self) -> float | None:
        """Failed spans of all spans."""
        return self.errors / self.spans if self.spans else None

    @property
    def cached(self) -> float | None:
        """The share of input tokens that a cache had."""
        put_in = self.usage.input_tokens
        return (self.usage.cache_read_tokens or 0) / put_in if put_in else None


class Sums:
    """The sums of one group in the making."""

    __slots__ = (
        "durations", "first", "first_tokens", "last", "numbers", "other_durations", "other_first_tokens", "running",
        "traces",
    )  # fmt: skip

    def __init__(self) -> None:
        self.numbers: list[int | None] = [None] * len(SUMMED)
        self.first: int | None = None
        self.last: int | None = None
        self.traces = 0
        self.running = 0
        """Calls among those counted that nobody knows the cost of yet, where sums were kept ahead."""
        self.durations: dict[int, int] = {}
        self.other_durations: dict[int, int] = {}
        self.first_tokens: dict[int, int] = {}
        self.other_first_tokens: dict[int, int] = {}

    def add(self, numbers: Sequence[int | None], first: int, last: int) -> None:
        for at, number in enumerate(numbers):
            if number is not None:
                self.numbers[at] = (self.numbers[at] or 0) + number
        self.first = first if self.first is None else min(self.first, first)
        self.last = last if self.last is None else max(self.last, last)

    def measured(self, metric: str, of_model: bool, bucket: int, n: int) -> None:
        """`n` more values in a bucket of a histogram ("duration" or "ttft")."""
        if metric == "duration":
            into = self.durations if of_model else self.other_durations
        else:
            into = self.first_tokens if of_model else self.other_first_tokens
        into[bucket] = into.get(bucket, 0) + n

    def times(self) -> tuple[Latency, Latency, dict[int, int]]:
        """(durations, first tokens, the histogram of durations), of model calls where there are some."""
        buckets = self.durations or self.other_durations
        return latency(buckets), latency(self.first_tokens or self.other_first_tokens), dict(sorted(buckets.items()))

    def row(self, keys: tuple[str, ...], *, with_traces: bool) -> CostRow:
        spans, errors, calls, llm, unpriced = (number or 0 for number in self.numbers[:_COST])
        cost = self.numbers[_COST]
        if (
            cost == 0 and calls <= unpriced + errors + self.running
        ):  # sums that were kept ahead hold 0 where nothing is known
            cost = None
        duration, ttft, buckets = self.times()
        minutes = 0 if self.first is None or self.last is None else (self.last - self.first + 1) * QUARTER_MIN
        return CostRow(
            keys, spans, errors, calls, llm, unpriced, cost, Usage(*(n or None for n in self.numbers[_COST + 1 :])),
            duration, ttft, minutes, self.traces if with_traces else None, None, buckets,
        )  # fmt: skip


def latency(buckets: Mapping[int, int]) -> Latency:
    p50, p95, p99 = (quantile(buckets, part) for part in (0.5, 0.95, 0.99))
    return Latency(p50, p95, p99, sum(buckets.values()))


def quantile(buckets: Mapping[int, int], part: float) -> int | None:
    """The value below which that part of the values lies, within 9 %: bucket b holds [2^(b/4), 2^((b+1)/4))
    nanoseconds, and its middle is at most so far from any value in it. To go by how many values of the bucket come
    before would be nearer where they lie evenly, and twice as far off where they are all alike."""
    wanted = part * sum(buckets.values())
    seen = 0
    for bucket, n in sorted(buckets.items()):
        seen += n
        if n > 0 and seen >= wanted:
            return round(2 ** ((bucket + 0.5) / 4))
    return None
