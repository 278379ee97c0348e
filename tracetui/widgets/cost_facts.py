"""Everything about one line of costs: what the columns have no room for. Pure, but for the widget itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from textual.strip import Strip

from collector.store.cost_rows import CostRow, Latency, Split, Stat
from tracetui import format as fmt
from tracetui.spending import spread
from tracetui.widgets.cost_table import AWAITED, money, percent
from tracetui.widgets.paint import Painter, Part

LABEL = 8
LEAST_LINES, MOST_LINES = 3, 6
PAID = {
    "input": "input", "cache_read": "cached", "cache_write": "written", "output": "output",
    "reasoning": "reasoning", "other": "other",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Known:
    """A row under its name, its share of all cost, and what came later: the split of its cost and its means, None while
    they are being read. `passed_over`: more traces than so many have scores or numbers."""

    name: str
    row: CostRow
    share: float | None
    split: Split | None = None
    means: Mapping[str, Stat] | None = None
    passed_over: int = 0
    awaited: bool = False
    """The split is being read."""


class CostFacts(Painter):
    """Below the list."""

    def __init__(self) -> None:
        super().__init__(id="facts")
        self._known: Known | None = None
        self._height = MOST_LINES

    def show(self, known: Known | None, room: int) -> None:
        """`room`: how many lines nobody else needs; a few are taken anyway."""
        self._known = known
        height = min(max(room, LEAST_LINES), MOST_LINES)
        if height != self._height:
            self._height, self.styles.height = height, height
        self.refresh()

    def render_line(self, y: int) -> Strip:
        found = [] if self._known is None else lines(self._known)
        return self.strip(found[y] if y < len(found) else [], self.size.width)


def lines(known: Known) -> list[list[Part]]:
    """A line each; the first ones are there where there is room for few."""
    return [_who(known), _money(known), _times(known.row), _tokens(known.row), _paid(known), _means(known)]


def _line(label: str, *facts: list[Part]) -> list[Part]:
    out: list[Part] = [(f" {label:<{LABEL}}", "quiet")]
    for at, fact in enumerate(facts):
        out += [*([("   ", "text")] if at else []), *fact]
    return out


def _fact(value: str, what: str, ink: str = "text") -> list[Part]:
    return [(value, "quiet" if value == fmt.UNKNOWN else ink), (f" {what}", "quiet")]


def _who(known: Known) -> list[Part]:
    row = known.row
    facts = [_fact(fmt.count(row.calls), "call" if row.calls == 1 else "calls")]
    if row.spans != row.calls:
        facts.append(_fact(fmt.count(row.spans), "span" if row.spans == 1 else "spans"))
    if row.traces is not None:
        facts.append(_fact(fmt.count(row.traces), "trace" if row.traces == 1 else "traces"))
    if row.unpriced_calls:
        facts.append([(f"{fmt.count(row.unpriced_calls)} unpriced", "abandoned")])
    if row.errors:
        facts.append([(f"{fmt.count(row.errors)} failed ({percent(row.error_rate or 0)})", "error")])
    return [(f" {fmt.clip(fmt.plain(known.name), 40)}", "strong"), ("   ", "text"), *_line("", *facts)[1:]]


def _tokens(row: CostRow) -> list[Part]:
    usage = row.usage
    of_input = (
        (usage.cache_read_tokens, "cached"),
        (usage.cache_write_tokens, "written"),
        (usage.audio_input_tokens, "audio"),
    )
    of_output = (usage.reasoning_tokens, "reasoning"), (usage.audio_output_tokens, "audio")
    facts = []
    for whole, what, parts in ((usage.input_tokens, "in", of_input), (usage.output_tokens, "out", of_output)):
        facts.append(_fact(fmt.tokens(whole), what, "strong"))
        facts += [_fact(fmt.tokens(n), name) for n, name in parts if n]
    return _line("tokens", *facts)


def _money(known: Known) -> list[Part]:
    row = known.row
    facts = [[money(row.cost_nanousd)]]
    if known.share is not None:
        facts[0] = [*facts[0], (f" {percent(known.share)}", "quiet")]
    facts.append([money(row.per_call_nanousd), (" a call", "quiet")])
    if row.traces is not None:
        facts.append([money(row.per_trace_nanousd), (" a trace", "quiet")])
    facts.append([money(row.per_minute_nanousd) if row.timed else AWAITED, (" a minute", "quiet")])
    return _line("cost", *facts)


def _paid(known: Known) -> list[Part]:
    """By what the cost was paid for; nothing where no price is known."""
    split = known.split
    if split is None:
        return _line("paid", [AWAITED if known.awaited else (fmt.UNKNOWN, "quiet")])
    facts = [[(f"{PAID[name]} ", "quiet"), money(getattr(split, name))] for name in PAID if getattr(split, name)]
    if split.saved:
        facts.append([(f"{'saved' if split.saved > 0 else 'caching cost'} ", "quiet"), money(abs(split.saved))])
    return _line("paid", *facts)


def _times(row: CostRow) -> list[Part]:
    if not row.timed:
        return _line("took", [AWAITED])
    facts = [_latency(row.duration)]
    if row.ttft.count:
        facts.append([("ttft ", "quiet"), *_latency(row.ttft)])
    return _line("took", *facts)


def _latency(one: Latency) -> list[Part]:
    out: list[Part] = []
    for name, ns in (("p50", one.p50_ns), ("p95", one.p95_ns), ("p99", one.p99_ns)):
        out += [(f"{name} ", "quiet"), (fmt.duration(ns), "quiet" if ns is None else "text"), ("  ", "text")]
    return out[:-1]


def _means(known: Known) -> list[Part]:
    if known.passed_over:
        said = (
            f"over {fmt.count(known.passed_over)} traces have some: tracetui costs --show 'score.*,meta.*' reads them"
        )
        return _line("means", [(said, "quiet")])
    if known.means is None:
        return _line("means", [AWAITED])
    facts = [[(f"{fmt.plain(name)} ", "quiet"), (spread(one), "text")] for name, one in known.means.items()]
    return _line("means", *facts or [[(fmt.UNKNOWN, "quiet"), (" no scores, no numbers in the metadata", "quiet")]])
