"""`tracetui export`: spans as JSON lines, in our own format or as OTLP."""

from __future__ import annotations

import gzip
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby, islice
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from collector.model import Refusal, SpanPart
from tracetui.cli import common

if TYPE_CHECKING:
    from collector.store.filters import Filter
    from collector.store.reader import Reader

SPANS_A_LINE = 100


@click.command(cls=common.Filtering)
@common.filter_argument
@click.option(
    "--format", "form", type=click.Choice(["native", "otlp"]), default="native", show_default=True,
    help="native: everything, for `tracetui import`; otlp: for any OpenTelemetry tool. Both are JSON lines.",
)  # fmt: skip
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="A file; .gz is gzipped.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many spans [default: all].")
@common.show_sql_option
@common.view_option
@common.db_option
def export(
    words: tuple[str, ...], views: tuple[str, ...], form: str, output: Path | None, limit: int | None, show_sql: bool,
    db: Path | None,
) -> None:  # fmt: skip
    """Write the spans of FILTER to standard output or a file, oldest first.

    OTLP comes out as it went in, after redaction: attributes, events, links, resource and scope.
    """
    where = common.parsed(words, views)
    with common.opened(db) as reader:
        if show_sql:
            click.echo(reader.parts_sql(where, limit=limit))
            return
        parts: Iterator[SpanPart] = islice(reader.parts(where), limit)
        lines = (
            otlp_lines(parts) if form == "otlp" else native_lines(reader, where, parts, whole=not where and not limit)
        )
        with destination(output) as out:
            count = 0
            for spans, line in lines:
                out.write(line)
                count += spans
    if output is not None:
        common.note(f"{count} spans written to {output}")


def otlp_lines(parts: Iterable[SpanPart]) -> Iterator[tuple[int, bytes]]:
    """(spans in it, one ExportTraceServiceRequest as a line), neighbours of one resource together."""
    from collector.protocols import otlp

    for _, alike in groupby(parts, key=lambda part: (part.resource, part.scope)):
        while chunk := list(islice(alike, SPANS_A_LINE)):
            yield len(chunk), otlp.encode_traces(chunk).rstrip(b"\n") + b"\n"


def native_lines(
    reader: Reader, where: Filter, parts: Iterable[SpanPart], *, whole: bool = False
) -> Iterator[tuple[int, bytes]]:
    """Spans, then the scores of their traces, then the processes that made them; of a `whole` file what sampling
    left out of it."""
    from collector.protocols import native

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
        left_out: Counter[str] = Counter()
        for row in reader.ledger():
            if row.outcome == "sampled_out":
                left_out[row.reason] += row.n
        for reason, n in sorted(left_out.items()):
            yield 0, _line(native.encode_left_out(Refusal(reason, "", n)))


def _line(encoded: str | bytes) -> bytes:
    raw = encoded.encode("utf-8") if isinstance(encoded, str) else encoded
    return raw.rstrip(b"\n") + b"\n"


@contextmanager
def destination(output: Path | None) -> Iterator[IO[bytes]]:
    """Standard output, or a file that appears (0600) under its name only when it is complete."""
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = output.with_name(f".{output.name}.{os.getpid()}.part")
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as raw:
            if output.suffix == ".gz":
                with gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as packed:
                    yield packed  # type: ignore[misc]
            else:
                yield raw
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)
