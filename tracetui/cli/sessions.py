"""`tracetui sessions`: threads and their sums, as columns or JSON."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import click

from collector.store.rows import SessionRow
from tracetui import format as fmt
from tracetui.cli import answers, common, table
from tracetui.cli.listing import Listing
from tracetui.cli.table import Column
from tracetui.cli.traces import cost, tokens

COLUMNS = (
    Column("SESSION", flexible=True),
    Column("USER", flexible=True),
    Column("TRACES", right=True),
    Column("ERRORS", right=True),
    Column("CALLS", right=True),
    Column("TOKENS", right=True),
    Column("COST", right=True),
    Column("LAST", right=True),
)


def row_lines(rows: Sequence[SessionRow], width: int | None) -> list[str]:
    now_ns = time.time_ns()
    cells = [
        [
            fmt.plain(row.session_id),
            fmt.plain(row.user_id or fmt.UNKNOWN),
            str(row.trace_count),
            str(row.error_count),
            str(row.llm_calls),
            tokens(row.usage),
            cost(row.cost_nanousd, row.unpriced_calls),
            fmt.age(row.last_ns, now_ns),
        ]
        for row in rows
    ]
    return table.lines(COLUMNS, cells, width, table.colours())


LIST = Listing(
    what="sessions",
    order="-last",
    one=("show", "--session", "ID"),
    none_yet="no sessions yet: a span names one with session.id",
    rows=lambda reader, where, limit, sort: reader.sessions(where, limit=limit, sort=sort),
    as_json=answers.sessions,
    lines=row_lines,
)


@click.command(cls=common.Filtering)
@common.filter_argument
@common.list_options("last, first, traces, errors, cost, tokens or session (default: -last, newest first)")
def sessions(**asked: Any) -> None:
    """List sessions, last active first: `tracetui sessions user:u7`."""
    LIST.run(**asked)
