"""What the rules share: a trace put in order, the limits, and what a signal is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from collector.limits import Limits
from collector.seen import Seen
from collector.signals.values import Pool


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing that looks wrong. `kind` is a name of `KINDS`, `span_id` the span to look at, `text` the evidence in
    a sentence; `spans` names what else belongs to it, `value` what `w` would look for. Its texts hold what the trace
    said: foreign text."""

    kind: str
    span_id: str
    text: str
    spans: tuple[str, ...] = ()
    value: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier trace of the same session, or its first spans; its name is foreign text."""

    trace_id: str
    name: str
    spans: Sequence[Seen]


Earlier = Callable[["int | None"], Sequence[Turn]]
"""Gives the turns before a trace, newest first: so many, or (None) all in which values are looked for. Asked only when
they must be looked at: reading them costs more than looking at the trace itself."""


def no_turns(most: int | None = None) -> Sequence[Turn]:
    """Knows of no session."""
    return ()


HANDLED = frozenset({"http", "db", "event"})
"""Kinds whose failures are told by the step that needed them."""
Window = Callable[[str | None, str | None], "int | None"]
"""(provider, model) -> its context window in tokens, None where nobody knows."""


class Trace:
    """The spans of one trace by start, and who is below whom."""

    def __init__(
        self, spans: Sequence[Seen], limits: Limits, window: Window, earlier: Earlier = no_turns
    ) -> None:  # fmt: skip
        self._earlier = earlier
        self.said_before: list[Pool] = []
        """What the turns said, as far as they were read; `sources` fills it."""
        self.met_before: set[str] = set()
        """Keys of the messages in them, and of those in the trace."""
        self.spans = sorted(spans, key=lambda span: (span.start_ns, span.span_id))
        self.limits = limits
        self.window = window
        self.by_id = {span.span_id: span for span in self.spans}

    @cached_property
    def turns(self) -> Sequence[Turn]:
        """The turns of its session before it, newest first."""
        return self._earlier(None)

    def near(self, most: int) -> Sequence[Turn]:
        """The last of them."""
        return self.turns[:most] if "turns" in self.__dict__ else self._earlier(most)

    @cached_property
    def calls(self) -> list[Seen]:
        """Calls of chat models, each once: not the frame around a call that another span reports in full."""
        frames = self._with_below(span for span in self.spans if span.kind == "llm")
        return [span for span in self.spans if span.kind == "llm" and span.span_id not in frames]

    @cached_property
    def failing_below(self) -> set[str]:
        """The spans below which a step failed whose failure is not told by the step that needed it."""
        return self._with_below(span for span in self.spans if span.status == "error" and span.kind not in HANDLED)

    @cached_property
    def metered_below(self) -> set[str]:
        """The spans below which a model told its usage."""
        return self._with_below(span for span in self.spans if span.usage)

    def _with_below(self, spans: Iterable[Seen]) -> set[str]:
        """All ancestors of these, each gone through once."""
        found: set[str] = set()
        for span in spans:
            at, below = span.parent_id, span.span_id
            while at is not None and at != below and at not in found and at in self.by_id:
                found.add(at)
                at = self.by_id[at].parent_id
        return found

    @cached_property
    def last_well(self) -> dict[tuple[str | None, str, str], int]:
        """(parent, "kind" or "name", which): when the last span of it began that went well."""
        last: dict[tuple[str | None, str, str], int] = {}
        for span in self.spans:
            if span.status == "ok":
                last[span.parent_id, "kind", span.kind] = last[span.parent_id, "name", span.name] = span.start_ns
        return last

    @cached_property
    def last_model_below(self) -> dict[str, int]:
        """When the last agent or call of a model below a span began that went well."""
        last: dict[str, int] = {}
        for span in reversed(self.spans):
            at = span.parent_id if span.status == "ok" and span.kind in ("llm", "agent") else None
            while at is not None and at not in last and at in self.by_id:
                last[at] = span.start_ns
                at = self.by_id[at].parent_id
        return last

    @cached_property
    def tools(self) -> list[Seen]:
        return [span for span in self.spans if span.kind == "tool"]

    def above(self, span: Seen) -> list[Seen]:
        """Its ancestors, nearest first."""
        found: list[Seen] = []
        met = {span.span_id}
        while span.parent_id is not None and span.parent_id not in met and span.parent_id in self.by_id:
            span = self.by_id[span.parent_id]
            met.add(span.span_id)
            found.append(span)
        return found
