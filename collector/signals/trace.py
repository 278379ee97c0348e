"""What the rules share: a trace put in order, the limits, and what a signal is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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


Earlier = Callable[[], Sequence[Turn]]
"""Gives the turns before a trace, newest first. Asked only when a value must be looked for in them: reading them
costs more than looking at the trace itself."""


def no_turns() -> Sequence[Turn]:
    """Knows of no session."""
    return ()


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
        self.spans = sorted(spans, key=lambda span: (span.start_ns, span.span_id))
        self.limits = limits
        self.window = window
        self.by_id = {span.span_id: span for span in self.spans}
        self.children: dict[str | None, list[Seen]] = {}
        for span in self.spans:
            self.children.setdefault(span.parent_id, []).append(span)

    @cached_property
    def turns(self) -> Sequence[Turn]:
        """The turns of its session before it, newest first."""
        return self._earlier()

    @cached_property
    def calls(self) -> list[Seen]:
        """Calls of chat models, each once: not the frame around a call that another span reports in full."""
        return [span for span in self.spans if span.kind == "llm" and not self._is_frame(span)]

    def _is_frame(self, span: Seen) -> bool:
        return any(below.kind == "llm" for below in self.below(span))

    @cached_property
    def well(self) -> list[Seen]:
        """The spans that went well, by start."""
        return [span for span in self.spans if span.status == "ok"]

    @cached_property
    def tools(self) -> list[Seen]:
        return [span for span in self.spans if span.kind == "tool"]

    def below(self, span: Seen) -> list[Seen]:
        """All descendants; a circle of parents ends where it began."""
        found: list[Seen] = []
        met, stack = {span.span_id}, [span.span_id]
        while stack:
            for child in self.children.get(stack.pop(), ()):
                if child.span_id not in met:
                    met.add(child.span_id)
                    found.append(child)
                    stack.append(child.span_id)
        return found

    def above(self, span: Seen) -> list[Seen]:
        """Its ancestors, nearest first."""
        found: list[Seen] = []
        met = {span.span_id}
        while span.parent_id is not None and span.parent_id not in met and span.parent_id in self.by_id:
            span = self.by_id[span.parent_id]
            met.add(span.span_id)
            found.append(span)
        return found
