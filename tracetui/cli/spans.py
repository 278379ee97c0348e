"""`tracetui spans`: spans of all traces, as columns or JSON."""

from __future__ import annotations

import time
from pathlib import Path

import click

from collector.model import Usage
from collector.store.rows import SpanRow
from tracetui import format as fmt
from tracetui.cli import answers, common, table
from tracetui.cli.table import Column
from tracetui.cli.traces import cost, shortened, tokens

COLUMNS = (
    Column("TRACE"),
    Column("SPAN"),
    Column("STATUS"),
    Column("KIND"),
    Column("NAME", flexible=True),
    Column("MODEL", flexible=True),
    Column("TOKENS", right=True),
    Column("COST", right=True),
    Column("DURATION", right=True),
    Column("AGE", right=True),
    Column("ERROR", flexible=True),
)


@click.command(cls=common.Filtering)
@common.filter_argument
@common.list_options("start, duration, cost, tokens, ttft or name (default: -start, newest first)")
def spans(
    words: tuple[str, ...], views: tuple[str, ...], db: Path | None, limit: int, sort: str | None, show_sql: bool,
    as_json: bool, max_tokens: int | None,
) -> None:  # fmt: skip
    """List spans, newest first: `tracetui spans kind:tool status:error`."""
    where = common.parsed(words, views)
    with common.opened(db) as reader:
        if show_sql:
            click.echo(reader.list_sql("spans", where, limit=limit, sort=sort or "-start"))
            return
        common.note_left_out(reader.sampled_out())
        see = common.narrower(f"`{common.command(db, 'show', 'TRACE', 'SPAN')}` shows one")
        if as_json:
            common.print_json(answers.spans(reader, where, limit, sort), max_tokens, see)
            return
        rows = reader.spans(where, limit=limit, sort=sort or "-start")
    if not rows:
        common.note("no spans match" if where else "no spans yet")
    else:
        short = shortened([row.trace_id for row in rows])
        cells = [span_cells(row, id_, time.time_ns()) for row, id_ in zip(rows, short, strict=True)]
        lines = table.lines(COLUMNS, cells, common.width(max_tokens), table.colours())
        common.print_lines(lines, max_tokens, see)


def span_cells(row: SpanRow, trace: str, now_ns: int) -> list[str]:
    took = None if row.end_ns is None else row.end_ns - row.start_ns
    return [
        trace,
        row.span_id,
        row.status,
        row.kind,
        fmt.plain(row.name),
        fmt.plain(row.model or fmt.UNKNOWN),
        tokens(Usage(row.input_tokens, row.output_tokens)),
        cost(row.cost_nanousd),
        fmt.duration(took, running=row.status == "running"),
        fmt.age(row.start_ns, now_ns),
        fmt.plain(row.status_message or row.error_type or "") if row.status == "error" else "",
    ]
