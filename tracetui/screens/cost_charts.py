"""Which charts there are of what was spent, and what stands above each. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import ceil

from collector.store.cost_rows import PARTS, CostRow, Split
from tracetui import format as fmt
from tracetui.spending import More, Spending, behind, lasting, named, spread
from tracetui.widgets.paint import Part
from tracetui.widgets.plots import INKS, Plot, Series, bar

NAMES = ("cost", "tokens", "latency", "split")
MOST_SCORED = 8
PART_NAMES = {
    "input": "input", "cache_read": "cache reads", "cache_write": "cache writes", "output": "output",
    "reasoning": "reasoning", "other": "other",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bar:
    """What one stands for, as a title, and the filter that finds the traces behind it."""

    left: list[Part]
    filter: str

    @property
    def right(self) -> list[Part]:
        return [("↵ its traces ", "quiet")]


@dataclass(frozen=True, slots=True)
class Made:
    """A drawing and its title; `bar` tells of each of its bars."""

    plot: Plot | None
    left: list[Part]
    right: list[Part]
    bar: Callable[[int], Bar] | None = None


def made(name: str, found: Spending, row: CostRow | None, more: More | None, *, ascii_mode: bool) -> Made:
    """The chart of that name: one of NAMES, or of a score, as `more` names it."""
    if name == "cost":
        return _cost(found)
    if name == "tokens":
        return _tokens(found)
    if name == "latency":
        return _latency(row or found.costs.total, found)
    if name.startswith("score.") and more is not None:
        return _score(name, more, found)
    return _split(more.split if more is not None else None, found)


def _labels(found: Spending) -> list[str]:
    """Days without the year, hours without the day."""
    cut = {"hour": 11, "quarter": 11, "day": 5}.get(found.unit, 0)
    return [row.keys[0][cut : cut + 5] if cut else row.keys[0] for row in found.times.groups]


def _cost(found: Spending) -> Made:
    """Stacked: the dearest groups each in their ink, as in the list below, the rest quiet."""
    times = found.times
    groups = times.groups
    if len(times.by) < 2:
        series = [Series([(row.cost_nanousd or 0) for row in groups])]
    else:
        shown = [row for row in found.costs.groups if row.calls or row.cost_nanousd is not None][: len(INKS) - 1]
        names = [row.keys[0] for row in shown]
        of = {row.keys: row.cost_nanousd or 0 for row in times.rows}
        series = [
            Series([of.get((group.keys[0], name), 0) for group in groups], INKS[at]) for at, name in enumerate(names)
        ]
        rest = [
            (group.cost_nanousd or 0) - sum(one.values[at] for one in series) for at, group in enumerate(groups)
        ]  # fmt: skip
        series.append(Series(rest, "quiet"))
    left: list[Part] = [(" cost", "title"), (f" a {found.unit}", "quiet")]
    return Made(
        Plot("bars", _labels(found), series, lambda value: fmt.money(round(value))), left, [], partial(_time, found)
    )


def _tokens(found: Spending) -> Made:
    put_in = [(row.usage.input_tokens or 0) for row in found.times.groups]
    put_out = [(row.usage.output_tokens or 0) for row in found.times.groups]
    left: list[Part] = [(" tokens", "title"), (f" a {found.unit}   ", "quiet"), ("input", INKS[0]), ("  ", "text"),
                        ("output", INKS[1])]  # fmt: skip
    series = [Series(put_in, INKS[0]), Series(put_out, INKS[1])]
    return Made(
        Plot("lines", _labels(found), series, lambda value: fmt.tokens(round(value))), left, [], partial(_time, found)
    )


def _latency(row: CostRow, found: Spending) -> Made:
    """How long it took: two buckets of the histogram to a bar, a doubling every other bar."""
    took = row.duration
    who = fmt.plain(row.keys[-1]) if row.keys and row.keys[-1] else ""
    left: list[Part] = [(" latency ", "title"), (fmt.clip(who, 24), "text")]
    right: list[Part] = [
        (f"p50 {fmt.duration(took.p50_ns)}  p95 {fmt.duration(took.p95_ns)}  p99 {fmt.duration(took.p99_ns)} ", "quiet")
    ]
    if not row.buckets:
        return Made(None, [*left, ("  nothing was measured", "quiet")], [])
    low, high = min(row.buckets) // 2, max(row.buckets) // 2
    counts = [row.buckets.get(2 * at, 0) + row.buckets.get(2 * at + 1, 0) for at in range(low, high + 1)]
    labels = [fmt.duration(round(2 ** (at / 2))) for at in range(low, high + 1)]

    def told(index: int) -> Bar:
        least, below = (ceil(2 ** (edge / 2)) for edge in (low + index, low + index + 1))
        what = "call" if row.calls else "span"
        head: list[Part] = [
            (f" {labels[index]} to {fmt.duration(below)}  ", "accent"),
            (fmt.clip(who, 24), "text"),
            (f"  {fmt.count(counts[index])} {what}{'' if counts[index] == 1 else 's'}", "strong"),
        ]
        terms = lasting(least, below, of_models=bool(row.calls))
        return Bar(head, behind(found, found.costs.by, row.keys, found.costs.times, terms))

    plot = Plot("bars", labels, [Series(counts, "agent")], lambda value: fmt.tokens(round(value)))
    return Made(plot, left, right, told)


def _score(name: str, more: More, found: Spending) -> Made:
    """A bar a group: the mean of the traces that have the score."""
    left: list[Part] = [(f" {fmt.plain(name)}  ", "title"), (f"mean by {found.costs.by[0].name}", "quiet")]
    score = name.removeprefix("score.")
    right: list[Part] = [(f"all {spread(more.scores[()].get(score))} ", "quiet")]
    groups = [row for row in found.costs.groups if row.calls or row.cost_nanousd is not None] or found.costs.groups
    known = [(row, one) for row in groups if (one := more.scores.get(row.keys, {}).get(score)) is not None]
    known = known[:MOST_SCORED]
    labels = [fmt.clip(fmt.plain(named(row.keys[0], found.costs.by[0])), 14) for row, _ in known]
    if not known:
        return Made(None, [*left, ("   none here has it", "quiet")], right)

    def told(index: int) -> Bar:
        row, one = known[index]
        head: list[Part] = [(f" {labels[index]}  ", "accent"), (f"{fmt.plain(name)} {spread(one)}", "strong")]
        its = behind(found, found.costs.by, row.keys[:1], found.costs.times)
        return Bar(head, its if '"' in score else f'score."{score}":* {its}')

    plot = Plot("bars", labels, [Series([one.mean for _, one in known], "agent")], lambda value: f"{value:.3g}")
    return Made(plot, left, right, told)


def _split(split: Split | None, found: Spending) -> Made:
    """By what was paid for: a chart of one bar a type of token."""
    left: list[Part] = [(" what was paid for", "title")]
    if split is None:
        return Made(None, [*left, ("   no price list explains it", "quiet")], [])
    known = [(PART_NAMES[name], getattr(split, name)) for name in PARTS if getattr(split, name)]
    right: list[Part] = [(f"caching saved {fmt.money(split.saved)} ", "quiet")] if split.saved > 0 else []
    if not known:
        return Made(None, left, right)
    labels = [f"{name} {fmt.money(value)}" for name, value in known]
    plot = Plot("bars", labels, [Series([value for _, value in known])], lambda value: fmt.money(round(value)))
    names = [name for name in PARTS if getattr(split, name)]

    def told(index: int) -> Bar:
        name, terms = known[index][0], {"cache": ["has:cache"], "reason": ["has:reasoning"]}.get(names[index][:5], [])
        head: list[Part] = [(f" {name}  ", "accent"), (fmt.money(known[index][1]), "strong")]
        return Bar(head, behind(found, (), (), {}, terms))

    return Made(plot, left, right, told)


def _time(found: Spending, index: int) -> Bar:
    row = found.times.groups[index]
    left: list[Part] = [(f" {row.keys[0]}  ", "accent"), (fmt.money(row.cost_nanousd), "strong")]
    if row.unpriced_calls:
        left.append((f" +{row.unpriced_calls} unpriced", "abandoned"))
    left.append((f"   {fmt.tokens(row.tokens)} tok   {fmt.count(row.calls)} calls", "text"))
    if row.errors:
        left.append((f"   {fmt.count(row.errors)} failed", "error"))
    return Bar(left, behind(found, found.times.by, row.keys, found.times.times))


__all__ = ["NAMES", "Bar", "Made", "bar", "made"]
