"""Spans as JSON lines: our own format, which `tracetui import` reads back whole, or OTLP for any other tool."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from itertools import groupby, islice

from collector.model import Refusal, SpanPart
from collector.protocols import native, otlp
from collector.store import lookup, shelf
from collector.store.reader import Reader

SPANS_A_LINE = 100
SCORES_A_PAGE = 500


def otlp_lines(parts: Iterable[SpanPart]) -> Iterator[tuple[int, bytes]]:
    """(spans in it, one ExportTraceServiceRequest as a line), neighbours of one resource together; after it, where
    their log records came as such, an ExportLogsServiceRequest: some instrumentations say the messages there only."""
    for _, alike in groupby(parts, key=lambda part: (part.resource, part.scope)):
        while chunk := list(islice(alike, SPANS_A_LINE)):
            yield len(chunk), otlp.encode_traces(chunk) + b"\n"
            if any(part.logs for part in chunk):
                yield 0, otlp.encode_logs(chunk) + b"\n"


def native_lines(reader: Reader, parts: Iterable[SpanPart], *, whole: bool = False) -> Iterator[tuple[int, bytes]]:
    """Spans, then the scores of their traces, then the processes that made them; of a `whole` file what sampling
    left out of it, the other scores, and the library (prompts, datasets with their experiments, files)."""
    traces: dict[str, None] = {}
    processes: set[str] = set()
    for part in parts:
        traces[part.trace_id] = None
        if part.process_id:
            processes.add(part.process_id)
        yield 1, _line(native.encode(part))
    for trace_id in traces:
        for score in reader.scores(trace_id):
            yield 0, _line(native.encode(score))
    for process in reader.processes():
        if process.process_id in processes:
            yield 0, _line(native.encode(process))
    if whole:
        yield from _rest(reader, traces)


def _rest(reader: Reader, traces: Collection[str]) -> Iterator[tuple[int, bytes]]:
    """What a file holds beside its spans and their traces' scores."""
    left_out: Counter[str] = Counter()
    for row in reader.ledger():
        if row.outcome == "sampled_out":
            left_out[row.reason] += row.n
    for reason, n in sorted(left_out.items()):
        yield 0, _line(native.encode_left_out(Refusal(reason, "", n)))
    after = None
    while scores := lookup.scores(reader, limit=SCORES_A_PAGE, after=after):
        yield from ((0, _line(native.encode(one))) for one in scores if one.trace_id not in traces)
        after = (scores[-1].time_ns, scores[-1].score_id)
    for item in shelf.items(reader):
        yield 0, _line(native.encode(item))


def _line(encoded: str | bytes) -> bytes:
    raw = encoded.encode("utf-8") if isinstance(encoded, str) else encoded
    return raw.rstrip(b"\n") + b"\n"
