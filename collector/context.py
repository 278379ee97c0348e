"""How a context grew: what each call of a chain added to the one before, what fills its window, and what a broken
prefix (`prefixes.py`) cost. Pure.

A chain is calls that carry one conversation on. Tokens of a part of a prompt are estimated: its share of the
characters, scaled to the input tokens that the provider counted (four characters a token where it counted none).
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from collector.alike import common
from collector.chains import is_summary
from collector.model import Usage
from collector.prefixes import Break, break_of, caches, missed_by
from collector.seen import Said, Seen, in_common, text_of
from collector.weighing import OF_MESSAGES, Weights, length, plain, size_of, whole

CHARACTERS_A_TOKEN = 4
SEGMENTS = ("system", "tools", "history", "results", "reasoning")
UNRECORDED = "unrecorded"
"""The segment of a call whose prompt is not in the file: all the tokens that were counted."""
MOST_COMPARED = 100
"""With so many of the messages that are gone a new one is compared, for whether it is the rest of one."""

Price = Callable[[str | None, str | None, Usage, int], "int | None"]
"""(provider, model, usage, Unix nanoseconds) -> nano-dollars."""


@dataclass(frozen=True, slots=True)
class Change:
    """One message of a call that is not as in the call before. `what` is added, dropped, truncated, rewritten or
    moved; `index` counts from 1, in the new call but for what was dropped; `answer` says that it is what the call
    before answered. `tokens` is estimated; of a message that was cut, what is gone."""

    what: str
    index: int
    role: str
    tokens: int
    text: str
    answer: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One call beside the one before it in its chain (None: it is the first).

    `segments` are the tokens by `SEGMENTS`, or all of them UNRECORDED; `estimated` where the provider did not count
    them. `compacted`: a summary came in place of messages.
    `missed_tokens` could have been read from the cache had nothing changed, and were not: None where nothing tells
    that the provider caches. `over_nanousd` is what that cost, None where no price is known."""

    call: Seen
    before: Seen | None
    segments: dict[str, int]
    estimated: bool
    changes: tuple[Change, ...]
    broken: Break | None
    missed_tokens: int | None
    over_nanousd: int | None = None
    compacted: bool = False

    @property
    def tokens(self) -> int:
        return sum(self.segments.values())


def steps(chain: Sequence[Seen], price: Price | None = None) -> list[Step]:
    """What each call of a chain did to its context."""
    out: list[Step] = []
    before: Seen | None = None
    cached = False
    weights = Weights()
    for call in chain:
        cached = cached or caches(call)
        step = _step(call, before, cached, weights)
        out.append(step if price is None else replace(step, over_nanousd=_over(step, price)))
        before = call
    return out


def compacted(before: Seen, call: Seen) -> bool:
    """Whether a summary stands in a call in place of messages that the one before was given."""
    head = in_common(before.input, call.input)
    known = {one.key for one in before.input}
    new = call.input[head : head + MOST_COMPARED] if head < len(before.input) else ()
    return any(one.key not in known and is_summary(one) for one in new)


def _step(call: Seen, before: Seen | None, cached: bool, weights: Weights) -> Step:
    sizes = _sizes(call, weights)
    total = sum(sizes.values())
    counted = call.usage.input_tokens
    scale = counted / total if counted and total else 1 / CHARACTERS_A_TOKEN
    segments = _scaled(sizes, scale, counted if counted and total else None)
    if counted and not total:
        segments[UNRECORDED] = counted
    if before is None:
        return Step(call, None, segments, not counted, (), None, None)
    broken = break_of(before, call, scale, weights)
    missed = missed_by(before, call) if cached else None
    changes = tuple(_changes(before, call, scale))
    return Step(call, before, segments, not counted, changes, broken, missed, compacted=compacted(before, call))


def _sizes(call: Seen, weights: Weights) -> dict[str, int]:
    """Characters by segment."""
    sizes = dict.fromkeys(SEGMENTS, 0)
    sizes["system"] = sum(weights.of(call.system))
    sizes["tools"] = length(call.tool_definitions)
    for name, size in zip(OF_MESSAGES, weights.of(call.input), strict=True):
        sizes[name] += size
    if not call.input:
        sizes["history"] += length(call.input_value)
    return sizes


def _scaled(sizes: dict[str, int], scale: float, counted: int | None) -> dict[str, int]:
    """Tokens by segment; they add up to what was counted."""
    tokens = {name: round(size * scale) for name, size in sizes.items()}
    if counted is not None:
        largest = max(tokens, key=lambda name: tokens[name])
        tokens[largest] += counted - sum(tokens.values())
    return tokens


# What changed.


def _changes(before: Seen, call: Seen, scale: float) -> list[Change]:
    old, new = before.input, call.input
    head = in_common(old, new)
    a, b = [one.key for one in old[head:]], [one.key for one in new[head:]]
    tail = common(a[::-1], b[::-1])
    a, b = a[: len(a) - tail], b[: len(b) - tail]
    gone, came = _unmatched(a, b)
    moved = set()
    both = Counter(a[i] for i in gone) & Counter(b[j] for j in came)
    for key in both:
        moved |= {j for j in came if b[j] == key}
        gone = [i for i in gone if a[i] != key]
    answers = {one.key for one in before.output} | {text_of(one.message) for one in before.output} - {""}
    out: list[Change] = []
    for j in came:
        said = new[head + j]
        if j in moved:
            out.append(_change("moved", head + j, said, scale))
            continue
        i = _cut_from(old, new[head + j], head, gone)
        if i is not None:
            gone.remove(i)
            shorter = max(0, size_of(old[head + i]) - size_of(said))
            out.append(replace(_change("truncated", head + j, said, scale), tokens=round(shorter * scale)))
        elif j in gone and old[head + j].message.role == said.message.role:
            gone.remove(j)
            out.append(_change("rewritten", head + j, said, scale))
        else:
            is_answer = said.key in answers or text_of(said.message) in answers
            out.append(replace(_change("added", head + j, said, scale), answer=is_answer))
    out += [_change("dropped", head + i, old[head + i], scale) for i in gone]
    return sorted(out, key=lambda one: (one.index, one.what))


def _unmatched(a: Sequence[str], b: Sequence[str]) -> tuple[list[int], list[int]]:
    """The places of each that have no partner in the other's order: all but the longest run of partners that rises
    on both sides."""
    places: dict[str, deque[int]] = defaultdict(deque)
    for i, key in enumerate(a):
        places[key].append(i)
    pairs = [(places[key].popleft(), j) for j, key in enumerate(b) if places.get(key)]
    kept = _rising(pairs)
    olds, news = {i for i, _ in kept}, {j for _, j in kept}
    return [i for i in range(len(a)) if i not in olds], [j for j in range(len(b)) if j not in news]


def _rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest subsequence whose first numbers rise (the second ones do)."""
    ends: list[int] = []  # the least last number of a run of each length, as places in `pairs`
    before: list[int] = []
    for at, (i, _) in enumerate(pairs):
        length = bisect_left(ends, i, key=lambda place: pairs[place][0])
        before.append(ends[length - 1] if length else -1)
        ends[length : length + 1] = [at]
    out: list[tuple[int, int]] = []
    at = ends[-1] if ends else -1
    while at >= 0:
        out.append(pairs[at])
        at = before[at]
    return out[::-1]


def _change(what: str, at: int, said: Said, scale: float) -> Change:
    return Change(what, at + 1, said.message.role, round(size_of(said) * scale), excerpt(said))


def _cut_from(old: Sequence[Said], said: Said, head: int, gone: Sequence[int]) -> int | None:
    """Which of the messages that are gone this one is the rest of: shorter, of the same role, and begun or ended
    alike, or the result of the same tool call."""
    mine, ids, size = whole(said), _ids(said), size_of(said)
    for i in gone[:MOST_COMPARED]:
        other = old[head + i]
        if other.message.role != said.message.role or size >= size_of(other):
            continue
        theirs = whole(other)
        alike = common(mine, theirs) + common(mine[::-1], theirs[::-1])
        if (ids and ids == _ids(other)) or (mine and alike >= 0.6 * len(mine)):
            return i
    return None


def _ids(said: Said) -> tuple[str, ...]:
    return tuple(str(p["id"]) for p in said.message.parts if p.get("type") == "tool_result" and p.get("id"))


def excerpt(said: Said, most: int = 80) -> str:
    """The beginning of a message, on one line (foreign text)."""
    words = []
    for part in said.message.parts:
        if part.get("type") == "tool_call":
            words.append(f"{part.get('name')}({plain(part.get('arguments'))})")
        elif part.get("type") == "tool_result":
            words.append(plain(part.get("result")))
        else:
            words.append(str(part.get("text") or f"[{part.get('type')}]"))
    line = " ".join(" ".join(words)[: most * 4].split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _over(step: Step, price: Price) -> int | None:
    """What a broken prefix cost against an unbroken one, in nano-dollars; 0 where it is whole."""
    if step.broken is None or not step.missed_tokens:
        return 0 if step.missed_tokens is not None or step.broken is None else None
    call, missed = step.call, step.missed_tokens
    paid = price(call.provider, call.model, call.usage, call.start_ns)
    written = call.usage.cache_write_tokens
    unbroken = replace(
        call.usage,
        cache_read_tokens=(call.usage.cache_read_tokens or 0) + missed,
        cache_write_tokens=None if written is None else max(0, written - missed),
    )
    would = price(call.provider, call.model, unbroken, call.start_ns)
    return None if paid is None or would is None else max(0, paid - would)


def growth(steps_of_chain: Sequence[Step]) -> list[int]:
    """How many tokens each call has more than the one before (less: negative); the first one's are all new."""
    sizes = [step.tokens for step in steps_of_chain]
    return sizes[:1] + [b - a for a, b in pairwise(sizes)]
