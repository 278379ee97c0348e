"""Which traces the SDK writes when it is not to write all of them. Pure: no clock, no I/O.

    sampler = Sampler(settings)
    write = sampler.sift(parts, now_s)      # what to write now
    told = sampler.left_out()               # what will never be written, by reason, since it was last asked

A whole trace is kept or left out, never half of one. The trace id decides: a trace is kept at rate p when the
rightmost 56 bits of its id are at least (1 - p) * 2^56 (W3C Trace Context level 2, OpenTelemetry's consistent
probability sampling), so that all processes that share a trace and a rate agree without talking to each other.
Rules come before the rate; of those that fit, the first counts. A trace that is left out waits in bounded memory, and
is written after all when one of its spans fails.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from fnmatch import fnmatchcase
from functools import cache
from operator import attrgetter
from sys import getsizeof
from typing import Any

from collector.model import NO_READING, Rank, Refusal, Resource, Scope, SpanPart
from collector.setting_tables import SamplingRule, environment_of
from collector.settings import Settings

WAITING_BYTES = 16_000_000
"""What traces that are left out may hold while they wait; beyond it those that were quiet for longest are given up."""
QUIET_S = 2.0
"""How long a trace without an open span waits for a late failure."""
KNOWN_TRACES = 20_000
"""So many traces are remembered, kept ones too: of each that failed, the rest is to be written as well."""
_BITS = 56
_ENTRY_BYTES = 250


class Sampler:
    """Belongs to one thread. Costs nothing while `active(settings)` is False: then do not make one."""

    def __init__(self, settings: Settings, *, limit_bytes: int = WAITING_BYTES) -> None:
        self._settings = settings
        self._limit = limit_bytes
        self._quiet_s = QUIET_S + settings.started_after_s  # by then we know of what is open
        self._bytes = 0
        self._traces: OrderedDict[str, _Trace] = OrderedDict()
        self._waiting: OrderedDict[str, _Trace] = OrderedDict()  # the longest quiet first
        self._left_out: dict[str, int] = {}

    @staticmethod
    def active(settings: Settings) -> bool:
        """Whether anything could be left out at all."""
        return any(
            one.sample_rate < 1 or one.sampling
            for one in (settings, *(settings.within(name) for name in settings.environments))
        )

    @property
    def waiting(self) -> bool:
        """Whether traces wait, so that `sift` should be called again in a while, with nothing if need be."""
        return bool(self._waiting)

    def is_new(self, trace_id: str) -> bool:
        """Whether nothing is known of a trace yet: its next span is to be met."""
        return trace_id not in self._traces

    def meet(self, part: SpanPart) -> None:
        """A trace begins here: its first span in this process, as it started. It gives the trace its name."""
        trace = self._of(part)
        if trace.rules:
            trace.learn(part)

    def sift(self, parts: Iterable[SpanPart], now_s: float) -> list[SpanPart]:
        """The parts to write now: those of traces that are kept, and all that waited of one that failed.

        `now_s` is of a clock that only goes on.
        """
        found = [(part, self._of(part)) for part in parts]
        for part, trace in found:  # all is heard before anything is judged: of children and root, children end first
            if trace.rules and not trace.kept:
                trace.learn(part)
        out: list[SpanPart] = []
        for part, trace in found:
            if trace.kept:
                out.append(part)
            elif _failed(part) or kept_at(trace.trace_id, trace.rate):
                out += self._release(trace, part)
            else:
                self._hold(trace, part, now_s)
        self._tend(now_s)
        return out

    def left_out(self) -> tuple[Refusal, ...]:
        """How many spans were left out since the last call, by the rule or rate that did it."""
        told = tuple(Refusal(reason, "", count) for reason, count in sorted(self._left_out.items()))
        self._left_out.clear()
        return told

    def give_up(self) -> None:
        """At the end: nothing more will come, what waits is left out, what was open with it."""
        while self._waiting:
            self._drop(next(iter(self._waiting.values())))
        for trace in self._traces.values():
            if trace.open:
                self._count(trace, len(trace.open))
                trace.open = None

    def _of(self, part: SpanPart) -> _Trace:
        trace = self._traces.get(part.trace_id)
        if trace is not None:
            self._traces.move_to_end(part.trace_id)
            return trace
        trace = self._traces[part.trace_id] = _Trace(part, self._settings.within(environment_of(part)))
        if len(self._traces) > KNOWN_TRACES:
            self._drop(self._traces.popitem(last=False)[1])
        return trace

    def _hold(self, trace: _Trace, part: SpanPart, now_s: float) -> None:
        trace.seen_s = now_s
        finished = part.rank is Rank.FINISHED
        if trace.dropped:  # it was given up: what comes late is only counted, once it ends
            self._count(trace, int(finished))
            if finished and trace.open:
                trace.open.discard(part.span_id)
            return
        parts = trace.parts = {} if trace.parts is None else trace.parts
        before = parts.get(part.span_id)
        if before is None or before[0].rank <= part.rank:
            size = _weight(part) + _ENTRY_BYTES
            parts[part.span_id] = (part, size)
            change = size - (before[1] if before is not None else 0)
            trace.running += (not finished) - (before is not None and before[0].rank is not Rank.FINISHED)
            trace.bytes += change
            self._bytes += change
        self._waiting[trace.trace_id] = trace
        self._waiting.move_to_end(trace.trace_id)

    def _release(self, trace: _Trace, last: SpanPart) -> list[SpanPart]:
        """All that waited, with the part that decided it; that it started need not be said of what ended."""
        held = [part for part, _ in (trace.parts or {}).values()]
        trace.kept, trace.open = True, None
        self._forget(trace)
        return [*(part for part in held if part.span_id != last.span_id or part.rank > last.rank), last]

    def _tend(self, now_s: float) -> None:
        """Give up what has ended and stayed quiet, and what was quiet for longest while there is too much."""
        quiet = []
        for trace in self._waiting.values():
            if now_s - trace.seen_s < self._quiet_s:
                break
            if not trace.running:
                quiet.append(trace)
        for trace in quiet:
            self._drop(trace)
        while self._bytes > self._limit and self._waiting:
            self._drop(next(iter(self._waiting.values())))

    def _drop(self, trace: _Trace) -> None:
        if trace.parts:
            trace.open = {part.span_id for part, _ in trace.parts.values() if part.rank is not Rank.FINISHED}
            self._count(trace, len(trace.parts) - len(trace.open))
        trace.dropped = True
        self._forget(trace)

    def _count(self, trace: _Trace, spans: int) -> None:
        if spans:
            self._left_out[trace.reason] = self._left_out.get(trace.reason, 0) + spans

    def _forget(self, trace: _Trace) -> None:
        self._bytes -= trace.bytes
        trace.bytes = trace.running = 0
        trace.parts = None
        self._waiting.pop(trace.trace_id, None)


class Verdicts:
    """What sampling says of traces whose spans are all at hand, as in a spill file: hear all, then judge."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._traces: dict[str, _Trace] = {}

    def hear(self, parts: Iterable[SpanPart]) -> None:
        for part in parts:
            trace = self._traces.get(part.trace_id)
            if trace is None:
                within = self._settings.within(environment_of(part))
                trace = self._traces[part.trace_id] = _Trace(part, within)
            if trace.rules:
                trace.learn(part)
            trace.kept = trace.kept or _failed(part)

    def judge(self, parts: Iterable[SpanPart]) -> tuple[tuple[SpanPart, ...], tuple[Refusal, ...]]:
        """Of parts that were heard: those to write, and how many spans are left out by which rule or rate."""
        kept, left_out = [], Counter[str]()
        for part in parts:
            trace = self._traces[part.trace_id]
            if trace.kept or kept_at(trace.trace_id, trace.rate):
                kept.append(part)
            elif part.rank is Rank.FINISHED:
                left_out[trace.reason] += 1
        return tuple(kept), tuple(Refusal(reason, "", n) for reason, n in sorted(left_out.items()))


class _Trace:
    """What is known of a trace: for the rules, and while it waits. There may be many, so most is made when needed."""

    __slots__ = (
        "base", "bytes", "dropped", "kept", "name", "open", "parts", "rule", "rules", "running", "said", "seen_s",
        "trace_id",
    )  # fmt: skip

    def __init__(self, part: SpanPart, settings: Settings) -> None:
        self.trace_id = part.trace_id
        self.name = part.name or ""
        self.base = settings.sample_rate
        self.rules = settings.sampling
        self.rule: SamplingRule | None = None
        self.said: _Said | None = None
        self.parts: dict[str, tuple[SpanPart, int]] | None = None
        self.open: set[str] | None = None
        """The spans that had not ended when the trace was given up: they are counted when they do."""
        self.bytes = self.running = 0
        self.seen_s = 0.0
        self.kept = self.dropped = False

    @property
    def rate(self) -> float:
        return self.base if self.rule is None else self.rule.rate

    @property
    def reason(self) -> str:
        return f"sample_rate {self.base:g}" if self.rule is None else f"sampling rule {self.rule}: {self.rule.rate:g}"

    def learn(self, part: SpanPart) -> None:
        """Take over what a span says of its trace, and find the first rule that fits by now."""
        if part.parent_id is None and part.name:
            self.name = part.name
        if self.said is None:
            self.said = _Said()
        said = self.said
        said.hear(part)
        self.rule = next(
            (r for r in self.rules if (r.name is None or fnmatchcase(self.name, r.name)) and said.fits(r)), None
        )


class _Said:
    """What the spans of a trace say of it. Only as much as a rule could need: not more than LIMIT of each."""

    LIMIT = 100
    __slots__ = ("metadata", "sessions", "tags", "users")

    def __init__(self) -> None:
        self.users: set[str] = set()
        self.sessions: set[str] = set()
        self.tags: set[str] = set()
        self.metadata: dict[str, str] = {}

    def hear(self, part: SpanPart) -> None:
        said = part.reading
        if said is not NO_READING:
            self._add(self.users, said.user_id)
            self._add(self.sessions, said.session_id)
            for tag in said.tags:
                self._add(self.tags, tag)
            for key, value in (said.metadata or {}).items():
                if len(self.metadata) < self.LIMIT:
                    self.metadata.setdefault(key, str(value)[:1_000])
        self._add(self.users, part.attributes.get("user.id"))
        self._add(self.sessions, part.attributes.get("session.id"))

    def fits(self, rule: SamplingRule) -> bool:
        """Whether what the rule asks for beside the name holds of the trace."""
        return (
            _any_fits(self.users, rule.user)
            and _any_fits(self.sessions, rule.session)
            and _any_fits(self.tags, rule.tag)
            and all(
                key in self.metadata and fnmatchcase(self.metadata[key], wanted)
                for key, wanted in rule.metadata.items()
            )
        )

    def _add(self, into: set[str], value: object) -> None:
        if isinstance(value, str) and value and len(into) < self.LIMIT:
            into.add(value[:1_000])


def kept_at(trace_id: str, rate: float) -> bool:
    """Whether a trace is kept at a rate from 0 to 1: a question of its id alone."""
    return rate >= 1 or int(trace_id[-_BITS // 4 :], 16) >= round((1 - rate) * 2**_BITS)


def _any_fits(found: set[str], wanted: str | None) -> bool:
    return wanted is None or any(fnmatchcase(one, wanted) for one in found)


def _failed(part: SpanPart) -> bool:
    return part.status == "error" or part.otel_status == 2 or part.reading.status == "error"


def _weight(part: SpanPart) -> int:
    """About the bytes that a part keeps alive by itself."""
    total = 0
    left: list[Any] = [(part,)]
    while left:
        for value in left.pop():
            if not value:  # most fields of most parts
                continue
            kind: Any = type(value)
            if kind is dict:
                left += (value.keys(), value.values())
            elif kind is list or kind is tuple:
                left.append(value)
            elif kind not in _SCALARS and (get := _getter(kind)) is not None:
                left.append(get(value))
            total += getsizeof(value, 64)
    return total


_SCALARS = frozenset({str, bytes, int, float, bool, Rank})


@cache
def _getter(kind: Any) -> attrgetter[Any] | None:
    """What gets all fields of a dataclass (ours have several) at once. Resource and scope are shared by parts."""
    if not is_dataclass(kind) or kind in (Resource, Scope):
        return None
    return attrgetter(*(one.name for one in fields(kind)))
