"""Which charts there are of what was spent, and what stands above each. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import ceil

from collector.store.cost_rows import PARTS, CostRow, Split
from tracetui import format as fmt
from tracetui.spending import More, Spending, behind, lasting, named, spread
from tracetui.widgets.cost_facts import PAID
from tracetui.widgets.paint import Part
from tracetui.widgets.plots import INKS, Plot, Series, bar, mark

NAMES = ("cost", "tokens", "latency", "split")
MOST_SCORED = 8
FEWEST_POINTS = 3


@dataclass(frozen=True, slots=True)
class Bar:
    """What one stands for, as a title, and the filter that finds the traces behind it."""

    left: list[Part]
    filter: str

    @property
    def right(self) -> list[Part]:
        return [("↵ traces ", "quiet")]


@dataclass(frozen=True, slots=True)
class Made:
    """A drawing and its title; `bar` tells of each of its bars."""

    plot: Plot | None
    left: list[Part]
    right: list[Part]
    bar: Callable[[int], Bar] | None = None


def made(name: str, found: Spending, row: CostRow | None, more: More | None, *, ascii_mode: bool) -> Made:
    """The chart of that name: one of NAMES, or of a score or a key of the metadata, as `more` names it."""
    if name == "cost":
        return _cost(found)
    if name == "tokens":
        return _tokens(found, (lambda ink: mark(ink, ascii_mode=True) + " ") if ascii_mode else lambda _: "")
    if name == "latency":
        return _latency(row or found.costs.total, found)
    if name not in NAMES and more is not None:
        return _mean(name, more, found)
    return _split(more.split if more is not None else None, found)


def _labels(found: Spending) -> list[str]:
    """Days without the year, hours without the day."""
    cut = {"hour": 11, "quarter": 11, "day": 5}.get(found.unit, 0)
    return [row.keys[0][cut : cut + 5] if cut else row.keys[0] for row in found.times.groups]


def _cost(found: Spending) -> Made:
    """Stacked: the dearest groups each in their ink, as in the list below, the rest quiet."""
    times = found.times
    if not found.costs.total.cost_nanousd:
        return _calls(found)
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
    left: list[Part] = [(" cost", "title"), (f" a {_unit(found)}", "quiet")]
    return Made(
        Plot("bars", _labels(found), series, lambda value: fmt.money(round(value))), left, [], partial(_time, found)
    )


def _calls(found: Spending) -> Made:
    """Where nothing is known to have cost anything."""
    left: list[Part] = [(" calls", "title"), (f" a {_unit(found)}   no cost is known", "quiet")]
    series = Series([row.calls for row in found.times.groups])
    plot = Plot("bars", _labels(found), [series], lambda value: fmt.tokens(round(value)))
    return Made(plot, left, [], partial(_time, found))


def _unit(found: Spending) -> str:
    return "quarter hour" if found.unit == "quarter" else found.unit


def _tokens(found: Spending, signs: Callable[[str], str]) -> Made:
    """By what they were. A line needs some points to be seen: fewer are bars."""
    used = [row.usage for row in found.times.groups]
    types = {
        "input": [_less(one.input_tokens, one.cache_read_tokens, one.cache_write_tokens) for one in used],
        "cached": [one.cache_read_tokens or 0 for one in used],
        "written": [one.cache_write_tokens or 0 for one in used],
        "output": [_less(one.output_tokens, one.reasoning_tokens) for one in used],
        "reasoning": [one.reasoning_tokens or 0 for one in used],
    }
    known = [(name, values, INKS[at]) for at, (name, values) in enumerate(types.items()) if any(values)]
    left: list[Part] = [(" tokens", "title"), (f" a {_unit(found)} ", "quiet")]
    for name, _, ink in known:
        left += [("  ", "text"), (f"{signs(ink)}{name}", ink)]
    series = [Series(values, ink) for _, values, ink in known]
    plot = Plot(
        "lines" if len(used) >= FEWEST_POINTS else "bars",
        _labels(found),
        series,
        lambda value: fmt.tokens(round(value)),
    )
    return Made(plot, left, [], partial(_time, found))


def _less(whole: int | None, *parts: int | None) -> int:
    return max((whole or 0) - sum(part or 0 for part in parts), 0)


def _latency(row: CostRow, found: Spending) -> Made:
    """How long it took: two buckets of the histogram to a bar, a doubling every other bar."""
    took = row.duration
    who = fmt.plain(row.keys[-1]) if row.keys and row.keys[-1] else ""
    left: list[Part] = [(" latency ", "title"), (fmt.clip(who, 24), "text")]
    right: list[Part] = [
        (f"p50 {fmt.duration(took.p50_ns)}  p95 {fmt.duration(took.p95_ns)}  p99 {fmt.duration(took.p99_ns)} ", "quiet")
    ]
    if not row.timed:
        return Made(None, [*left, ("  adding up …", "quiet")], [])
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


def _mean(name: str, more: More, found: Spending) -> Made:
    """A bar a group: the mean of the traces that have the score, or that key in their metadata."""
    left: list[Part] = [(f" {fmt.plain(name)}  ", "title"), (f"mean by {found.costs.by[0].name}", "quiet")]
    means = more.means or {}
    right: list[Part] = [(f"all {spread(means[()].get(name))} ", "quiet")]
    groups = [row for row in found.costs.groups if row.calls or row.cost_nanousd is not None] or found.costs.groups
    known = [(row, one) for row in groups if (one := means.get(row.keys, {}).get(name)) is not None]
    known = known[:MOST_SCORED]
    labels = [fmt.clip(fmt.plain(named(row.keys[0], found.costs.by[0])), 14) for row, _ in known]
    if not known:
        return Made(None, [*left, ("   none here has it", "quiet")], right)

    def told(index: int) -> Bar:
        row, one = known[index]
        head: list[Part] = [(f"{labels[index]}  ", "accent"), (spread(one), "strong")]
        its = behind(found, found.costs.by, row.keys[:1], found.costs.times)
        opening, _, key = name.partition(".")
        return Bar(head, its if '"' in key else f'{opening}."{key}":* {its}')

    plot = Plot("bars", labels, [Series([one.mean for _, one in known], "agent")], lambda value: f"{value:.3g}")
    return Made(plot, left, right, told)


def _split(split: Split | None, found: Spending) -> Made:
    """By what was paid for: a chart of one bar a type of token."""
    left: list[Part] = [(" what was paid for", "title")]
    if split is None:
        return Made(None, [*left, ("   no price list explains it", "quiet")], [])
    known = [(PAID[name], getattr(split, name)) for name in PARTS if getattr(split, name)]
    right: list[Part] = [(f"caching saved {fmt.money(split.saved)} ", "quiet")] if split.saved > 0 else []
    if not known:
        return Made(None, left, right)
    labels = [f"{name} {fmt.money(value)}" for name, value in known]
    plot = Plot(
        "bars", labels, [Series([value for _, value in known])], lambda value: fmt.money(round(value)),
        brief=[name for name, _ in known],
    )  # fmt: skip
    names = [name for name in PARTS if getattr(split, name)]

    def told(index: int) -> Bar:
        name, terms = known[index][0], {"cache": ["has:cache"], "reason": ["has:reasoning"]}.get(names[index][:5], [])
        head: list[Part] = [(f"  {name}  ", "accent"), (fmt.money(known[index][1]), "strong")]
        return Bar(head, behind(found, (), (), {}, terms))

    return Made(plot, left, right, told)


def _time(found: Spending, index: int) -> Bar:
    row = found.times.groups[index]
    when = row.keys[0][5 if found.unit in ("quarter", "hour", "day") else 0 :]
    left: list[Part] = [(f"  {when}  ", "accent"), (fmt.money(row.cost_nanousd), "strong")]
    if row.unpriced_calls:
        left.append((f" +{fmt.count(row.unpriced_calls)} unpriced", "abandoned"))
    left.append((f"  {fmt.tokens(row.tokens)} tok  {fmt.count(row.calls)} call{'' if row.calls == 1 else 's'}", "text"))
    if row.errors:
        left.append((f"  {fmt.count(row.errors)} failed", "error"))
    return Bar(left, behind(found, found.times.by, row.keys, found.times.times))


__all__ = ["NAMES", "Bar", "Made", "bar", "made"]
