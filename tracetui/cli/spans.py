"""`tracetui spans`: spans of all traces, as columns or JSON."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import click

from collector.model import Usage
from collector.store.rows import SpanRow
from tracetui import format as fmt
from tracetui.cli import answers, common, table
from tracetui.cli.listing import Listing
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


def row_lines(rows: Sequence[SpanRow], width: int | None) -> list[str]:
    short, now_ns = shortened([row.trace_id for row in rows]), time.time_ns()
    cells = [span_cells(row, id_, now_ns) for row, id_ in zip(rows, short, strict=True)]
    return table.lines(COLUMNS, cells, width, table.colours())


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


LIST = Listing(
    what="spans",
    order="-start",
    one=("show", "TRACE", "SPAN"),
    none_yet="no spans yet",
    rows=lambda reader, where, limit, sort: reader.spans(where, limit=limit, sort=sort),
    as_json=answers.spans,
    lines=row_lines,
)


@click.command(cls=common.Filtering)
@common.filter_argument
@common.list_options("start, duration, cost, tokens, ttft or name (default: -start, newest first)")
def spans(**asked: Any) -> None:
    """List spans, newest first: `tracetui spans kind:tool status:error`."""
    LIST.run(**asked)
