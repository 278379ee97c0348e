"""From attributes to meaning: what a span says, whoever instrumented it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from collector.model import LogRecord, Reading, SpanPart, Value


def read(part: SpanPart) -> Reading:
    return Reading()


def read_logs(logs: Sequence[LogRecord]) -> Reading:
    return Reading()


def encode(reading: Reading) -> dict[str, Value]:
    return {}
