"""How the chains of a trace look as lines: a bar a call, a growth chart, what changed. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from collector.chains import chains
from collector.context import SEGMENTS, UNRECORDED, Price, Step, steps
from collector.prefixes import KEPT_NS, caches
from collector.seen import Seen
from tracetui import format as fmt

SIGNS = {"system": "█", "tools": "▓", "history": "▒", "results": "░", "reasoning": "▚"}
ASCII_SIGNS = {"system": "#", "tools": "%", "history": "=", "results": "-", "reasoning": "~"}
INKS = {"system": "role-system", "tools": "tool", "history": "role-user", "results": "role-tool",
        "reasoning": "chain"}  # fmt: skip
BARE, ASCII_BARE = "━", "."
LEVELS, ASCII_LEVELS = " ▁▂▃▄▅▆▇█", " .:-=+*#%"
MOST_CHANGES = 200
MOST_BAR = 8


@dataclass(frozen=True, slots=True)
class Chain:
    """One conversation of a trace: its calls beside one another, the longest first in a trace."""

    name: str
    steps: tuple[Step, ...]

    @property
    def largest(self) -> int:
        return max((step.tokens for step in self.steps), default=0)

    @property
    def over_nanousd(self) -> int | None:
        """What broken prefixes cost, as far as it is known; None where nothing is."""
        known = [step.over_nanousd for step in self.steps if step.over_nanousd is not None]
        return sum(known) if known else None


def chains_of(
    spans: Sequence[Seen], price: Price | None = None, earlier: Sequence[Sequence[Seen]] = ()
) -> list[Chain]:  # fmt: skip
    """The chains of a trace's model calls; frames around a call are left out. `earlier`: the turns of its session
    before it, so that the first call of a chain stands beside the last one of the turn before."""
    names = {span.span_id: span for span in spans}
    found = []
    for chain in chains([call for some in (*earlier, spans) for call in _calls(some)]):
        mine = tuple(step for step in steps(chain, price) if names.get(step.call.span_id) is step.call)
        if mine:
            first = mine[0].call
            above = names.get(first.parent_id or "")
            found.append(Chain(first.agent_name or (above.name if above else first.name), mine))
    for name, calls in _bare(spans, names).items():
        if len(calls) > 1:  # of one alone there is nothing to see
            found.append(Chain(name, tuple(steps(calls, price))))
    return sorted(found, key=lambda one: (-len(one.steps), one.steps[0].call.start_ns))


def _calls(spans: Sequence[Seen], *, bare: bool = False) -> list[Seen]:
    """Calls whose prompts are in the file, or (`bare`) are not."""
    ids = {span.parent_id for span in spans if span.kind == "llm"}
    calls = [span for span in spans if span.kind == "llm" and span.span_id not in ids]
    return [call for call in calls if bare != bool(call.input or call.system or call.input_value is not None)]


def _bare(spans: Sequence[Seen], known: Mapping[str, Seen]) -> dict[str, list[Seen]]:
    """Calls of which only the tokens were recorded, by the agent they are of: how much they grew is known."""
    found: dict[str, list[Seen]] = {}
    for call in sorted(_calls(spans, bare=True), key=lambda one: (one.start_ns, one.span_id)):
        if call.usage.input_tokens:
            above = known.get(call.parent_id or "")
            found.setdefault(call.agent_name or (above.name if above else call.name), []).append(call)
    return found


def bar(step: Step, largest: int, width: int, *, ascii_mode: bool = False) -> list[tuple[str, str]]:
    """What fills the window, `width` cells for the largest call: (signs, ink), a segment that is there at least one
    cell as long as there are any."""
    signs = ASCII_SIGNS if ascii_mode else SIGNS
    total = round(width * step.tokens / largest) if largest else 0
    if UNRECORDED in step.segments:
        return [((ASCII_BARE if ascii_mode else BARE) * total, "quiet")]
    parts: list[tuple[str, str]] = []
    begun, seen = 0, 0
    for name in SEGMENTS:
        seen += step.segments[name]
        end = round(total * seen / step.tokens) if step.tokens else 0
        if step.segments[name] and end == begun and begun < total:
            end += 1
        if end > begun:
            parts.append((signs[name] * (end - begun), INKS[name]))
            begun = end
    return parts


def growth_lines(found: Sequence[Step], width: int, height: int, *, ascii_mode: bool = False) -> list[str]:
    """Tokens over the calls as a chart of `height` lines: a bar a call, as wide as there is room, up to MOST_BAR cells;
    more calls than cells share one by their largest."""
    levels = ASCII_LEVELS if ascii_mode else LEVELS
    sizes = [step.tokens for step in found]
    if len(sizes) > width:
        edges = [len(sizes) * at // width for at in range(width + 1)]
        sizes = [max(sizes[a:b]) for a, b in pairwise(edges)]
    cells = min(max(width // max(len(sizes), 1), 1), MOST_BAR)
    gap = " " if cells > 2 else ""
    top = max(sizes, default=0) or 1
    eighths = [round(size / top * height * 8) for size in sizes]
    return [
        gap.join(levels[min(max(n - 8 * (height - 1 - line), 0), 8)] * (cells - len(gap)) for n in eighths)
        for line in range(height)
    ]


def share(step: Step) -> str:
    """ "61%" of the input was read from the cache; "" where nobody says."""
    read, total = step.call.usage.cache_read_tokens, step.call.usage.input_tokens
    return f"{read / total:.0%}" if read is not None and total else ""


def growth(step: Step) -> str:
    """ "+1.2k", "-300": how many more input tokens than the call before, as counted, or else estimated by what changed;
    "" for the first call."""
    if step.before is None:
        return ""
    was, now = step.before.usage.input_tokens, step.call.usage.input_tokens
    more = sum(one.tokens if one.what == "added" else -one.tokens for one in step.changes
               if one.what in ("added", "dropped", "truncated"))  # fmt: skip
    if was is not None and now is not None:
        more = now - was
    return f"+{fmt.tokens(more)}" if more >= 0 else f"-{fmt.tokens(-more)}"


def told(step: Step) -> list[tuple[str, str]]:
    """What the call did to its context, a line each: (words of ours and the trace's, ink). Harmless text."""
    about = "about " if step.estimated else ""
    if UNRECORDED in step.segments:
        return [(f"{fmt.count(step.tokens)} tokens: the prompt is not in the file, only how long it was", "text")]
    shares = ", ".join(f"{name} {fmt.tokens(step.segments[name])}" for name in SEGMENTS if step.segments[name])
    out = [(f"{about}{fmt.count(step.tokens)} tokens: {shares}", "text")]
    if step.before is None:
        return [*out, ("the first call of its conversation", "quiet")]
    if step.compacted:
        gone = sum(one.what in ("dropped", "rewritten") for one in step.changes)
        many = "1 message" if gone == 1 else f"{fmt.count(gone)} messages"
        out.append((f"compacted: a summary stands for {many}", "strong"))
    if step.broken is not None:
        out.append((fmt.plain(f"prefix broken at {step.broken.place}: {step.broken.what}"), "error"))
        out.append((_cost(step), "abandoned"))
    else:
        missed = (
            f"; {fmt.count(step.missed_tokens)} tokens of it were not read from the cache" if step.missed_tokens else ""
        )
        out.append((f"prefix unbroken{missed}", "ok"))
    for one in step.changes[:MOST_CHANGES]:
        what = "answered" if one.answer else one.what
        lost = " lost" if one.what == "truncated" else ""
        head = f"{what:<9} {one.index:>4} {one.role:<9} {fmt.tokens(one.tokens):>6}{lost}  "
        out.append((fmt.plain(head + one.text), {"added": "ok", "dropped": "error"}.get(one.what, "abandoned")))
    if len(step.changes) > MOST_CHANGES:
        out.append((f"and {fmt.count(len(step.changes) - MOST_CHANGES)} more", "quiet"))
    return out


def _cost(step: Step) -> str:
    if step.missed_tokens is None:
        what = "how much could have been read from the cache" if caches(step.call) else "whether the provider caches"
        return f"{what} is not known"
    cost = "its price is not known" if step.over_nanousd is None else f"{fmt.money(step.over_nanousd)} more"
    told = f"{fmt.count(step.missed_tokens)} tokens not read from the cache: {cost} than with an unbroken prefix"
    before = step.before.end_ns or step.before.start_ns if step.before else step.call.start_ns
    if step.missed_tokens and (gap := step.call.start_ns - before) > KEPT_NS:
        told += f", had that been kept for the {fmt.duration(gap)} between them"
    return told
