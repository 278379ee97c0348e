"""Which OTLP bodies to send on of what was just stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

from collector.model import Rank, SpanPart
from collector.protocols import otlp
from collector.store.reader import Reader

SPANS_A_BODY = 512  # what exporters send at once, and what backends are used to


def bodies(
    parts: Sequence[SpanPart], open_reader: Callable[[], AbstractContextManager[Reader]]
) -> Iterator[tuple[str, bytes, int]]:
    """(signal, protobuf, number of spans or records) of the parts, which are stored.

    OTLP knows finished spans only, so a part that says a start waits for its end. Of sources that tell a span in
    several parts the end alone would be half of it: these spans are read back, put together, and sent at each end.
    """
    ended = [part for part in parts if part.rank is Rank.FINISHED and not part.keep_parts]
    told = {(part.trace_id, part.span_id) for part in parts if part.keep_parts}
    if told:
        with open_reader() as reader:
            ended += [part for part in reader.parts_named(told) if part.end_ns is not None]
    for at in range(0, len(ended), SPANS_A_BODY):
        some = ended[at : at + SPANS_A_BODY]
        yield "traces", otlp.encode_traces_protobuf(_without_logs(some)), len(some)
    said = [part for part in parts if part.logs]
    if said:
        yield "logs", otlp.encode_logs_protobuf(said), sum(len(part.logs) for part in said)


def halves(signal: str, body: bytes) -> list[tuple[bytes, int]]:
    """A body that is too large for the other side as two, with the number of spans or records of each; [] where it
    holds one only."""
    if signal == "traces":
        parts, encode = otlp.decode_traces(body).parts, otlp.encode_traces_protobuf
    else:
        said = otlp.decode_logs(body).parts
        parts = tuple(replace(part, logs=(record,)) for part in said for record in part.logs)
        encode = otlp.encode_logs_protobuf
    if len(parts) < 2:
        return []
    middle = len(parts) // 2
    return [(encode(list(some)), len(some)) for some in (parts[:middle], parts[middle:])]


def _without_logs(parts: Iterable[SpanPart]) -> list[SpanPart]:
    return [replace(part, logs=()) if part.logs else part for part in parts]
