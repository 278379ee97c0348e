"""What the rules share: a trace put in order, the limits, and what a signal is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from collector.seen import Seen


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
class Limits:
    """From where on something is a signal: the settings table `[signals]`.

    `loop_calls`: the same tool with the same arguments and nothing new in the result, so often. `retry_failures`: the
    same step failed so often. `retry_same`: the same prompt sent again, one after the other, so often. `window_share`:
    of the model's context window, by input and output together. `cache_tokens`: a broken cache of fewer tokens is no
    signal. `number_digits`: whole numbers of fewer digits are too common to say where they are from. `date_days`:
    dates so near to the call can be worked out from today's. `max_spans`: larger traces are looked at when they are
    opened, not when they are stored. `windows`: context windows of models by name or glob, in tokens, before those of
    the price table. `off`: kinds that are not looked for.
    """

    loop_calls: int = 3
    retry_failures: int = 3
    retry_same: int = 5
    window_share: float = 0.9
    cache_tokens: int = 1024
    number_digits: int = 4
    date_days: int = 40
    max_spans: int = 2000
    windows: Mapping[str, int] = field(default_factory=dict)
    off: tuple[str, ...] = ()


Window = Callable[[str | None, str | None], "int | None"]
"""(provider, model) -> its context window in tokens, None where nobody knows."""


class Trace:
    """The spans of one trace by start, and who is below whom."""

    def __init__(self, spans: Sequence[Seen], limits: Limits, window: Window) -> None:
        self.spans = sorted(spans, key=lambda span: (span.start_ns, span.span_id))
        self.limits = limits
        self.window = window
        self.by_id = {span.span_id: span for span in self.spans}
        self.children: dict[str | None, list[Seen]] = {}
        for span in self.spans:
            self.children.setdefault(span.parent_id, []).append(span)

    @cached_property
    def calls(self) -> list[Seen]:
        """Calls of chat models, each once: not the frame around a call that another span reports in full."""
        return [span for span in self.spans if span.kind == "llm" and not self._is_frame(span)]

    def _is_frame(self, span: Seen) -> bool:
        return any(below.kind == "llm" for below in self.below(span))

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
