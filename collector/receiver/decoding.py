"""Which decoder reads which body, and the limits that hold for all of them.

Decoders are loaded on the first body: protobuf alone takes 60 ms to import, and a receiver must be up first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

from collector.errors import DecodeError, TooLarge
from collector.model import Batch

Decode = Callable[[bytes, str], Batch]


@dataclass
class Decoders:
    """The seam between bytes and batches; tests pass their own functions."""

    max_spans: int

    @cached_property
    def functions(self) -> dict[str, Decode]:
        """By signal: "traces", "logs", "native"."""
        from collector.protocols import native, otlp

        return {
            "traces": otlp.decode_traces,
            "logs": otlp.decode_logs,
            "native": lambda body, _: native.decode_batch(body),
        }

    def decode(
        self, signal: str, unpack: Callable[[], bytes], kind: str, source: str, header: str | None = None
    ) -> Batch:
        """Unpack and decode one body. DecodeError, TooLarge, UnsupportedMedia."""
        body = unpack()
        try:
            batch = self.functions[signal](body, self._kind(body, kind, header))
        except RecursionError as e:
            raise DecodeError(f"a body of {len(body):,} bytes is nested too deep") from e
        if len(batch.parts) > self.max_spans:
            raise TooLarge(
                f"{len(batch.parts):,} spans in one body are over the limit of {self.max_spans:,}; send smaller batches"
            )
        return batch if batch.source == source else replace(batch, source=source)

    @staticmethod
    def _kind(body: bytes, kind: str, header: str | None) -> str:
        """Without a Content-Type header only the inflated body says what it is."""
        from collector.receiver.bodies import media_type

        return kind if header or not kind else media_type(None, body)
