"""What the costs screen asks of a reader, and what it gets. Plain functions that run in a reader's thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from collector.model import MODEL_KINDS
from collector.store.binding import Conditions
from collector.store.cost_keys import Dimension, dimensions
from collector.store.cost_rows import Split, Stat
from collector.store.costs import Asked, Costs, costs
from collector.store.zones import Zone
from tracetui import format as fmt
from tracetui.source import Reader, Source

if TYPE_CHECKING:
    from collector.pricing import Prices
    from collector.store import reader as stored

PERIODS = ("1h", "24h", "7d", "30d", "")
"""How far back; "" is everything."""
UNITS = {"1h": "quarter", "24h": "hour", "7d": "day", "30d": "day", "": "day"}
GROUPINGS = (
    "model", "model,user", "user", "user,model", "session", "service", "prompt", "prompt,version", "tag", "kind",
    "provider", "env", "agent", "tool", "name", "release", "project", "error.type", "day", "hour",
)  # fmt: skip
TWO_LEVELS = "+"
"""What the menu answers for two things that are chosen one after the other."""
MOST_BARS, FEWEST_BARS = 60, 3
"""With more bars, or fewer, time is cut more coarsely, or more finely."""
COUNTABLE_SPANS = 20_000
"""In larger files traces are not counted: that looks at every span, and this is asked again as they arrive."""
MOST_SCORES = 100_000
"""With more of them the screen tells none: they are read one by one. `tracetui costs --show score.*` does."""
COARSER = {"quarter": "hour", "hour": "day", "day": "week", "week": "month"}
FINER = {"day": "hour", "hour": "quarter"}
Progress = Callable[[int, int], None]


class Superseded(Exception):
    """Another question was put meanwhile; nobody waits for this answer."""


@dataclass(frozen=True, slots=True)
class Question:
    """`text` is the user's filter, `period` one of PERIODS, `by` what to group by."""

    by: str = "model"
    text: str = ""
    period: str = "7d"
    sort: str = "-cost"

    @property
    def filter(self) -> str:
        """The whole filter, of the period too."""
        since = f"since:{self.period}" if self.period else ""
        text = f"({self.text})" if since and " or " in self.text.lower() else self.text
        return " ".join(filter(None, (text, since)))


@dataclass(frozen=True, slots=True)
class Spending:
    """`costs` by what was asked, `times` by `unit` of time and, where the sums are kept ahead, by the first of it."""

    question: Question
    costs: Costs
    times: Costs
    unit: str


def ask(reader: Reader, source: Source, question: Question, progress: Progress | None) -> Spending:
    """FilterError when the filter cannot be read, Superseded from `progress`."""
    by = dimensions(question.by)
    where = source.parse(question.filter) if question.filter else source.parse("")
    reading, declared = cast("stored.Reader", reader), tuple(source.dimensions)
    counted = reading.rows("select spans from counters")[0][0] <= COUNTABLE_SPANS
    found = costs(reading, Asked(by, where, Zone(), question.sort, traces=counted, declared=declared), progress)
    kept = found.ahead or (counted and bool(by) and by[0].key in declared)
    ahead = bool(by) and not by[0].is_time and (kept or by[0].rolled(Conditions()) is not None)
    split = by[:1] if ahead else ()

    def over(unit: str) -> Costs:
        asked = Asked((Dimension(unit, "time"), *split), where, Zone(), latencies=False, declared=declared)
        return costs(reading, asked, progress)

    unit = UNITS[question.period]
    times = over(unit)
    while len(times.groups) > MOST_BARS and unit in COARSER:
        unit = COARSER[unit]
        times = over(unit)
    while 0 < len(times.groups) < FEWEST_BARS and unit in FINER:
        unit = FINER[unit]
        times = over(unit)
    return Spending(question, found, times, unit)


@dataclass(frozen=True, slots=True)
class More:
    """What is asked for once the numbers stand: everything split by what it was paid for, and the scores of every row
    and group, and of all (), by their names."""

    split: Split | None
    scores: Mapping[tuple[str, ...], Mapping[str, Stat]]

    @property
    def names(self) -> list[str]:
        return [f"score.{name}" for name in self.scores.get((), ())]


def ask_more(reader: Reader, source: Source, question: Question, prices: Prices) -> More:
    reading, declared = cast("stored.Reader", reader), tuple(source.dimensions)
    where = source.parse(question.filter)
    split = costs(reading, Asked((), where, Zone("UTC"), declared=declared, prices=prices)).total.split
    scores = reading.rows(f"select count(*) from (select 1 from scores limit {MOST_SCORES + 1})")[0][0]
    if not 0 < scores <= MOST_SCORES:
        return More(split, {})
    asked = Asked(dimensions(question.by), where, Zone(), latencies=False, declared=declared, stats=("score.*",))
    found = costs(reading, asked)
    return More(split, {row.keys: row.scores for row in (*found.rows, *found.groups, found.total)})


def spread(one: Stat | None) -> str:
    """`0.82 ±0.11 n=40`."""
    if one is None:
        return fmt.UNKNOWN
    around = "" if one.deviation is None else f" ±{one.deviation:.3g}"
    return f"{one.mean:.3g}{around} n={one.count}"


def behind(
    spending: Spending, by: tuple[Dimension, ...], keys: tuple[str, ...], times: dict[str, tuple[int, int]],
    also: Sequence[str] = (),
) -> str:  # fmt: skip
    """The filter that finds the traces behind a row: whose span it was, and of which trace. `also` are more terms
    that the very span has to meet."""
    calls: list[str] = list(also)
    traces: list[str] = []
    for one, key in zip(by, keys, strict=False):
        if one.is_time:
            start, end = times[key]
            calls.append(f"since:{moment(start)} until:{moment(end)}")
        elif term := one.finds(key):
            (calls if one.of_calls else traces).append(term)
    own = spending.question.filter
    if calls:
        traces.append(f"any:({' '.join(calls)})")
    text = f"({own})" if " or " in own.lower() else own
    return " ".join(filter(None, (*traces, text)))


def lasting(least_ns: int, below_ns: int, *, of_models: bool) -> list[str]:
    """The terms that find spans of so many nanoseconds, of models where a histogram is of their calls alone."""
    kinds = [f"kind:{','.join(sorted(MODEL_KINDS))}"] if of_models else []
    least = [f"latency:>={_exactly(least_ns)}"] if least_ns > 1 else []
    return [*kinds, *least, f"latency:<{_exactly(below_ns)}"]


def _exactly(ns: int) -> str:
    return f"{ns / 1e6:.6f}".rstrip("0").rstrip(".") + "ms"


def named(key: str, one: Dimension) -> str:
    return key or f"(no {one.key or one.name})"


def moment(ns: int) -> str:
    """As filters take it, to the minute before."""
    return datetime.fromtimestamp(ns // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%MZ")


def choices(known: Any) -> list[tuple[str, str]]:
    """(what is shown, what to group by) for the menu, the file's own metadata keys and any two of all last."""
    own = [f"meta.{key}" for key in known]
    return [*((name.replace(",", " › "), name) for name in (*GROUPINGS, *own)), ("two of these …", TWO_LEVELS)]


def levels(known: Any, above: str = "") -> list[tuple[str, str]]:
    """What one level of two may be grouped by, but for what is `above`."""
    return [(label, name) for label, name in choices(known) if "," not in name and name not in (TWO_LEVELS, above)]


KNOWN_METADATA = """
    select key from (select e.key as key from
      (select t.metadata as object from traces t order by t.start_ns desc limit 500) n join json_each(n.object) e)
    group by key order by count(*) desc, key limit 12"""


def metadata_keys(reader: Reader) -> list[str]:
    """The commonest keys of the newest traces' metadata."""
    return [row[0] for row in cast("stored.Reader", reader).rows(KNOWN_METADATA) if '"' not in row[0]]


__all__ = ["PERIODS", "Question", "Spending", "Superseded", "ask", "ask_more", "behind", "named"]
