"""Which decoder reads which body, and the limits that hold for all of them.

Decoders are loaded when it listens: protobuf takes 60 ms to import and the price table 0.7 s.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial

from collector import pricing
from collector.errors import DecodeError, TooLarge
from collector.model import Batch
from collector.protocols.jsonbody import weigh

Decode = Callable[[bytes, str], Batch]


def _native(body: bytes, _: str) -> Batch:
    from collector.protocols import native

    weigh(body)
    return native.decode(body.split(b"\n"))


@dataclass
class Decoders:
    """The seam between bytes and batches; tests pass their own functions."""

    max_spans: int

    @cached_property
    def functions(self) -> dict[str, Decode]:
        """By signal: "traces", "logs", "native", "openai-agents"."""
        from collector.protocols import openai_agents, otlp
        from collector.protocols.limits import Limits

        limits = Limits(spans=self.max_spans)
        return {
            "traces": partial(otlp.decode_traces, limits=limits),
            "logs": partial(otlp.decode_logs, limits=limits),
            "native": _native,
            "openai-agents": lambda body, _: openai_agents.decode(body, limits),
        }

    def load(self) -> None:
        """Load decoders and price table now, in the background of a start, instead of with the first body."""
        _ = self.functions
        pricing.load()

    def decode(self, signal: str, body: bytes, kind: str = "") -> Batch:
        """Decode one inflated body of OTLP or of our own. DecodeError, TooLarge."""
        return self.functions[signal](body, kind)

    def run(self, decode: Callable[[bytes], Batch], source: str, body: bytes) -> Batch:
        """What any door's decoder makes of a body, within the limits that hold for all. DecodeError, TooLarge."""
        try:
            return self.checked(decode(body), source)
        except RecursionError as e:
            raise DecodeError("the body is nested too deep") from e

    def checked(self, batch: Batch, source: str) -> Batch:
        """The batch under its door's name; TooLarge where it holds more than `max_spans`."""
        if len(batch.parts) > self.max_spans:
            raise TooLarge(
                f"{len(batch.parts):,} spans in one body are over the limit of {self.max_spans:,}; send smaller batches"
            )
        return batch if batch.source == source else replace(batch, source=source)
