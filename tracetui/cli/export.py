"""`tracetui export`: spans for programs (native, OTLP, CSV), whole traces for people (Markdown, HTML, Perfetto)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from tracetui import files
from tracetui.cli import common

if TYPE_CHECKING:
    from collector.store.filters import Filter
    from collector.store.reader import Reader

FORMS = ("native", "otlp", "csv", "md", "html", "perfetto")


@click.command(cls=common.Filtering)
@common.filter_argument
@click.option(
    "--format", "form", type=click.Choice(FORMS), default="native", show_default=True,
    help="native: everything, for `tracetui import`; otlp: for any OpenTelemetry tool (both JSON lines); csv: a row a "
    "span; md: Markdown; html: one page for any browser; perfetto: a timeline for ui.perfetto.dev.",
)  # fmt: skip
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="A file; .gz is gzipped.")
@click.option("--trace", "ids", metavar="ID", multiple=True, help="This trace, whole; the id may be shortened.")
@click.option("--whole", is_flag=True, help="All spans of the traces that FILTER finds, in every format.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many spans, or whole traces [default: all].")
@common.show_sql_option
@common.view_option
@common.db_option
def export(
    words: tuple[str, ...], views: tuple[str, ...], form: str, output: Path | None, ids: tuple[str, ...], whole: bool,
    limit: int | None, show_sql: bool, db: Path | None,
) -> None:  # fmt: skip
    """Write what FILTER finds to standard output or a file, oldest first, inputs and outputs included.

    native, otlp and csv hold the spans that `tracetui spans FILTER` lists; md, html and perfetto the whole traces that
    `tracetui traces FILTER` lists, and with --whole the others do too. OTLP comes out as it went in, after redaction:
    attributes, events, links, resource and scope.
    """
    if ids and words:
        raise click.UsageError("give --trace or a FILTER, not both")
    with common.opened(db) as reader:
        if show_sql:
            click.echo(_sql(reader, common.parsed(words, views), form, whole, limit))
            return
        chunks = _chunks(reader, words, views, form, ids, whole, limit)
        with out_of(output) as out:
            count = 0
            for spans, data in chunks:
                out.write(data)
                count += spans
    if output is not None:
        common.note(f"{count} spans written to {output}")


def _chunks(
    reader: Reader, words: tuple[str, ...], views: tuple[str, ...], form: str, ids: tuple[str, ...], whole: bool,
    limit: int | None,
) -> Iterator[tuple[int, bytes]]:  # fmt: skip
    from collector.export import formats
    from collector.export.whole import found

    if ids:
        rows = [reader.trace(reader.resolve_trace(prefix)) for prefix in ids]
        return formats.of_traces(reader, form, rows)
    where = common.parsed(words, views)
    if whole:
        return formats.of_traces(reader, form, found(reader, where, limit))
    return formats.spans_found(reader, form, where, limit)


def _sql(reader: Reader, where: Filter, form: str, whole: bool, limit: int | None) -> str:
    """The statement behind the spans that are written, or behind the traces that are written whole."""
    from collector.export.formats import BY_NAME
    from collector.export.whole import PAGE

    if whole or BY_NAME[form].trees:
        return reader.list_sql("traces", where, limit=min(limit or PAGE, PAGE), sort="start")
    return reader.parts_sql(where, limit=limit)


def out_of(output: Path | None) -> AbstractContextManager[IO[bytes]]:
    """Standard output, or a file that appears (0600) under its name only when it is complete."""
    return _standard_output() if output is None else files.destination(output)


@contextmanager
def _standard_output() -> Iterator[IO[bytes]]:
    yield sys.stdout.buffer
    sys.stdout.buffer.flush()
