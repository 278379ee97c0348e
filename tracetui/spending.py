"""What the costs screen asks of a reader, and what it gets. Plain functions that run in a reader's thread."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from collector.errors import Interrupted
from collector.model import MODEL_KINDS
from collector.store.binding import Conditions
from collector.store.cost_keys import Dimension, dimensions
from collector.store.cost_rows import CostRow, Split, Stat
from collector.store.cost_sources import TooMany, of_calls, wanted
from collector.store.cost_stats import stats
from collector.store.cost_times import timed, with_times
from collector.store.costs import Asked, Costs, Gathered, costs
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
MOST_DESCRIBED = 100_000
"""With more traces that have scores or numbers in their metadata the screen tells no means: that is half a minute of
reading. `tracetui costs --show 'score.*,meta.*'` does."""
EVERYTHING = ("score.*", "meta.*")
COARSER = {"quarter": "hour", "hour": "day", "day": "week", "week": "month"}
FINER = {"day": "hour", "hour": "quarter"}
Progress = Callable[[int, int], None]


class Superseded(Interrupted):
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
    asked: Asked


def ask(reader: Reader, source: Source, question: Question, progress: Progress | None) -> Spending:
    """FilterError when the filter cannot be read, Superseded from `progress`."""
    by = dimensions(question.by)
    where = source.parse(question.filter) if question.filter else source.parse("")
    reading, declared = cast("stored.Reader", reader), tuple(source.dimensions)
    counted = reading.rows("select spans from counters")[0][0] <= COUNTABLE_SPANS
    asked = Asked(by, where, Zone(), question.sort, counted, later=not counted, declared=declared)
    found = costs(reading, asked, progress)
    kept = found.ahead or (counted and bool(by) and by[0].key in declared)
    ahead = bool(by) and not by[0].is_time and (kept or by[0].rolled(Conditions()) is not None)
    split = by[:1] if ahead else ()

    def over(unit: str) -> Costs:
        by = (Dimension(unit, "time"), *split)
        return costs(reading, Asked(by, where, Zone(), latencies=False, declared=declared), progress)

    unit = UNITS[question.period]
    times = over(unit)
    while len(times.groups) > MOST_BARS and unit in COARSER:
        unit = COARSER[unit]
        times = over(unit)
    while 0 < len(times.groups) < FEWEST_BARS and unit in FINER:
        unit = FINER[unit]
        times = over(unit)
    return Spending(question, found, times, unit, asked)


def ask_times(reader: Reader, found: Spending, rows: Sequence[CostRow], progress: Progress | None) -> Spending:
    """The same with the latencies of the total, the groups and these rows, which were left for later."""
    told = timed(cast("stored.Reader", reader), found.asked, found.costs, rows, progress)
    return replace(found, costs=told)


def with_times_of(found: Spending, other: Spending) -> Spending:
    """With what latencies the other answer to the same question knows: what is read must not come and go while sums
    are asked for anew."""
    if other.question is not found.question:
        return found
    known = {row.keys: row for row in (*other.costs.rows, *other.costs.groups, other.costs.total) if row.timed}
    return replace(found, costs=with_times(found.costs, known))


Keys: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class More:
    """What is asked for once the numbers stand, by the keys of rows and groups and, under (), of all: what was paid
    for, and the means of scores and of numeric metadata, named `score.NAME` and `meta.KEY`; None while they are being
    read. More than `passed_over` traces have some: too many to read."""

    splits: Mapping[Keys, Split] = field(default_factory=dict)
    means: Mapping[Keys, Mapping[str, Stat]] | None = None
    passed_over: int = 0

    @property
    def split(self) -> Split | None:
        return self.splits.get(())

    @property
    def names(self) -> list[str]:
        return list((self.means or {}).get((), ()))


def ask_splits(reader: Reader, source: Source, question: Question, prices: Prices, progress: Progress) -> More:
    found = costs(cast("stored.Reader", reader), replace(_briefly(source, question), prices=prices), progress)
    rows = (*found.rows, *found.groups, found.total)
    return More({row.keys: row.split for row in rows if row.split is not None})


def ask_means(reader: Reader, source: Source, question: Question, more: More, progress: Progress) -> More:
    """`more` with the means of everything that has some."""
    asked = _briefly(source, question)
    gathered = Gathered(asked.by, asked.zone)
    what = wanted(asked.by, asked.where, asked.declared)
    try:
        scores, metadata = stats(
            cast("stored.Reader", reader), what, EVERYTHING, gathered.named, most=MOST_DESCRIBED, progress=progress
        )
    except TooMany as error:
        return replace(more, passed_over=error.most)
    means: dict[Keys, dict[str, Stat]] = {}
    for opening, told in (("score.", scores), ("meta.", metadata)):
        for keys, some in told.items():
            means.setdefault(keys, {}).update({opening + name: one for name, one in some.items()})
    return replace(more, means=means)


def _briefly(source: Source, question: Question) -> Asked:
    where = source.parse(question.filter)
    return Asked(dimensions(question.by), where, Zone(), latencies=False, declared=tuple(source.dimensions))


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
    that the very span has to meet, as are those of the question that say which calls are summed."""
    calls: list[str] = []
    traces: list[str] = []
    for one, key in zip(by, keys, strict=False):
        if one.is_time:
            start, end = times[key]
            calls.append(f"since:{moment(start)} until:{moment(end)}")
        elif term := one.finds(key):
            (calls if one.of_calls else traces).append(term)
    calls += also
    for text, of_call in _asked(spending):
        (calls if of_call else traces).append(text)
    if calls:
        traces.insert(0, f"any:({' '.join(calls)})")
    return " ".join(traces)


def _asked(spending: Spending) -> Iterator[tuple[str, bool]]:
    """The question's own terms as they were written, and whether they say which calls. What holds together (`or`,
    parentheses, a view) is told as one."""
    text, period = spending.question.text, spending.question.period
    parts = spending.asked.where.terms
    own = parts[:-1] if period else parts
    if re.search(r"[()]|\bor\b|view:", text, re.IGNORECASE):
        yield f"({text})", all(map(of_calls, own))
    else:
        ends = [*(part.column for part in own[1:]), len(text)]
        for part, end in zip(own, ends, strict=False):
            yield text[part.column : end].strip(), of_calls(part)
    if period:
        yield f"since:{period}", True


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


__all__ = ["PERIODS", "Question", "Spending", "Superseded", "ask", "behind", "named"]
