"""How a context grew: what each call of a chain added to the one before, what fills its window, and where the part
that a provider can cache broke. Pure.

A chain is calls that carry one conversation on. Tokens of a part of a prompt are estimated: its share of the
characters, scaled to the input tokens that the provider counted (four characters a token where it counted none).
Providers cache from the beginning of a prompt up to the first difference; tools stand first, then the system
instructions, then the messages. What follows the difference is paid in full.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from collector.alike import common, difference
from collector.chains import is_summary
from collector.model import Usage, Value
from collector.seen import Said, Seen, Upto, in_common, text_of

CHARACTERS_A_TOKEN = 4
CACHEABLE_TOKENS = 1024
"""Providers cache no shorter beginning."""
KEPT_NS = 300 * 1_000_000_000
"""Unless they are asked to, providers promise to keep a prompt no longer."""
SEGMENTS = ("system", "tools", "history", "results", "reasoning")
UNRECORDED = "unrecorded"
"""The segment of a call whose prompt is not in the file: all the tokens that were counted."""
OF_MESSAGES = ("system", "history", "results", "reasoning")
NOTHING = (0,) * len(OF_MESSAGES)
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
class Break:
    """Where a prompt stops being the one before: `part` is model, tools, system or message; `index` counts from 1.
    `place` and `what` say it in words; `kept_tokens` (estimated) come before it."""

    part: str
    index: int
    place: str
    what: str
    kept_tokens: int


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


def caches(call: Seen) -> bool:
    """Whether a call tells that its provider caches."""
    return bool(call.usage.cache_read_tokens or call.usage.cache_write_tokens)


def compacted(before: Seen, call: Seen) -> bool:
    """Whether a summary stands in a call in place of messages that the one before was given."""
    head = in_common(before.input, call.input)
    known = {one.key for one in before.input}
    new = call.input[head : head + MOST_COMPARED] if head < len(before.input) else ()
    return any(one.key not in known and is_summary(one) for one in new)


def breaks(chain: Sequence[Seen], least: int, *, cached: bool = False) -> Iterator[tuple[Seen, Seen, Break, int]]:
    """(the call before, the call, where it broke, tokens that were missed) where that cost `least` tokens or more;
    for who wants to know nothing else of the steps. `cached`: the provider is known to cache."""
    for before, call in pairwise(chain):
        cached = cached or caches(before) or caches(call)
        missed = _missed(before, call) if cached else None
        if missed is None or missed < least or _another_model(before.model, call.model):
            continue  # who goes to another model knows that it has a cache of its own
        if (broken := _break(before, call, 0.0)) is not None:
            yield before, call, broken, missed


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
    broken = _break(before, call, scale, weights)
    missed = _missed(before, call) if cached else None
    changes = tuple(_changes(before, call, scale))
    return Step(call, before, segments, not counted, changes, broken, missed, compacted=compacted(before, call))


def _sizes(call: Seen, weights: Weights) -> dict[str, int]:
    """Characters by segment."""
    sizes = dict.fromkeys(SEGMENTS, 0)
    sizes["system"] = sum(weights.of(call.system))
    sizes["tools"] = _length(call.tool_definitions)
    for name, size in zip(OF_MESSAGES, weights.of(call.input), strict=True):
        sizes[name] += size
    if not call.input:
        sizes["history"] += _length(call.input_value)
    return sizes


class Weights:
    """Characters of the first messages of histories. Where many calls go on from one history, each message is weighed
    once, not with each of them."""

    def __init__(self) -> None:
        self._upto: dict[int, list[tuple[int, ...]]] = {}

    def of(self, messages: Sequence[Said], end: int | None = None) -> tuple[int, ...]:
        """Of the first `end` messages, or all; by OF_MESSAGES."""
        known = self._upto.setdefault(messages.place, [NOTHING]) if isinstance(messages, Upto) else [NOTHING]
        for said in messages[len(known) - 1 :]:
            known.append(tuple(a + b for a, b in zip(known[-1], _weigh(said), strict=True)))
        return known[len(messages) if end is None else end]


def _weigh(said: Said) -> tuple[int, ...]:
    sizes = dict.fromkeys(OF_MESSAGES, 0)
    for part in said.message.parts:
        name = {"tool_result": "results", "reasoning": "reasoning"}.get(str(part.get("type")), "history")
        if said.message.role in ("system", "developer"):
            name = "system"
        sizes[name] += _part_size(part)
    return tuple(sizes.values())


def _scaled(sizes: dict[str, int], scale: float, counted: int | None) -> dict[str, int]:
    """Tokens by segment; they add up to what was counted."""
    tokens = {name: round(size * scale) for name, size in sizes.items()}
    if counted is not None:
        largest = max(tokens, key=lambda name: tokens[name])
        tokens[largest] += counted - sum(tokens.values())
    return tokens


def _size(said: Said) -> int:
    return sum(_part_size(part) for part in said.message.parts)


def _part_size(part: dict[str, Value]) -> int:
    """Characters of a part. Pictures and sounds are not text: they count nothing here, and their tokens fall to the
    rest."""
    kind = part.get("type")
    if kind in ("image", "audio", "file"):
        return 0
    if kind in ("text", "reasoning"):
        return len(str(part.get("text") or ""))
    if kind == "tool_call":
        return _length(part.get("arguments")) + len(str(part.get("name") or ""))
    return _length(part.get("result") if kind == "tool_result" else part.get("data"))


def _length(value: Value) -> int:
    if value is None:
        return 0
    return len(value) if isinstance(value, str) else len(json.dumps(value, ensure_ascii=False, default=str))


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
            shorter = max(0, _size(old[head + i]) - _size(said))
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
    return Change(what, at + 1, said.message.role, round(_size(said) * scale), excerpt(said))


def _cut_from(old: Sequence[Said], said: Said, head: int, gone: Sequence[int]) -> int | None:
    """Which of the messages that are gone this one is the rest of: shorter, of the same role, and begun or ended
    alike, or the result of the same tool call."""
    mine, ids, size = _whole(said), _ids(said), _size(said)
    for i in gone[:MOST_COMPARED]:
        other = old[head + i]
        if other.message.role != said.message.role or size >= _size(other):
            continue
        theirs = _whole(other)
        alike = common(mine, theirs) + common(mine[::-1], theirs[::-1])
        if (ids and ids == _ids(other)) or (mine and alike >= 0.6 * len(mine)):
            return i
    return None


def _ids(said: Said) -> tuple[str, ...]:
    return tuple(str(p["id"]) for p in said.message.parts if p.get("type") == "tool_result" and p.get("id"))


def _whole(said: Said) -> str:
    """All that a message says, as one text."""
    return "\n".join(
        str(part["text"]) if isinstance(part.get("text"), str) else json.dumps(part, ensure_ascii=False, default=str)
        for part in said.message.parts
    )


def excerpt(said: Said, most: int = 80) -> str:
    """The beginning of a message, on one line (foreign text)."""
    words = []
    for part in said.message.parts:
        if part.get("type") == "tool_call":
            words.append(f"{part.get('name')}({_plain(part.get('arguments'))})")
        elif part.get("type") == "tool_result":
            words.append(_plain(part.get("result")))
        else:
            words.append(str(part.get("text") or f"[{part.get('type')}]"))
    line = " ".join(" ".join(words)[: most * 4].split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _plain(value: Value) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


# The cache.


def _break(before: Seen, call: Seen, scale: float, weights: Weights | None = None) -> Break | None:
    """None while the whole prompt before is the beginning of this one. Without `weights` nothing is said of what was
    kept."""
    kept = 0
    if _another_model(before.model, call.model):
        return Break("model", 0, "the model", f"“{before.model}” became “{call.model}”", 0)
    recorded = _tells_all(before) == _tells_all(call)
    if (
        recorded
        and before.tool_definitions is not call.tool_definitions
        and (_plain(before.tool_definitions) != _plain(call.tool_definitions))
    ):
        what = difference(_plain(before.tool_definitions), _plain(call.tool_definitions))
        return Break("tools", 0, "the tool definitions", what, 0)
    sides = (("system", before.system, call.system), ("message", before.input, call.input))
    for part, old, new in sides if recorded else sides[1:]:
        head = in_common(old, new)
        if part == "message" and head == len(new):
            return None  # all of it is the beginning of the one before
        if head < len(old) or (part == "system" and len(old) != len(new)):
            if weights is not None:
                kept += _length(call.tool_definitions) + sum(weights.of(new, head))
            return _break_at(part, head, old, new, kept, scale)
        kept = sum(weights.of(new)) if weights is not None and part == "system" else 0
    return None


def _tells_all(call: Seen) -> bool:
    """Whether more than the messages of a call was recorded. Of one that failed it often is not."""
    return bool(call.system) or call.tool_definitions is not None


def _another_model(before: str | None, now: str | None) -> bool:
    """ "gpt-4o" and "gpt-4o-2024-08-06" are one: asked for, and answered by."""
    return bool(before and now) and not (str(before).startswith(str(now)) or str(now).startswith(str(before)))


def _break_at(part: str, head: int, old: Sequence[Said], new: Sequence[Said], kept: int, scale: float) -> Break:
    a = _whole(old[head]) if head < len(old) else ""
    b = _whole(new[head]) if head < len(new) else ""
    role = (new[head] if head < len(new) else old[head]).message.role
    same = common(a, b)
    place = "the system instructions" if part == "system" else f"message {head + 1} ({role})"
    what = difference(a, b) if b else "it is gone"
    return Break(part, head + 1, place, what, round((kept + same) * scale))


def _missed(before: Seen, call: Seen) -> int | None:
    """Input tokens of the call before that this one could have read from the cache, and did not."""
    was, now = before.usage.input_tokens, call.usage.input_tokens
    if was is None or now is None:
        return None
    expected = min(was, now)
    return max(0, expected - (call.usage.cache_read_tokens or 0)) if expected >= CACHEABLE_TOKENS else 0


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
