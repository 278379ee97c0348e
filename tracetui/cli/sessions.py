"""`tracetui sessions`: threads and their sums, as columns or JSON."""

from __future__ import annotations

import time
from pathlib import Path

import click

from tracetui import format as fmt
from tracetui.cli import answers, common, table
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


@click.command(cls=common.Filtering)
@common.filter_argument
@common.list_options("last, first, traces, errors, cost, tokens or session (default: -last, newest first)")
def sessions(
    words: tuple[str, ...], views: tuple[str, ...], db: Path | None, limit: int, sort: str | None, show_sql: bool,
    as_json: bool, max_tokens: int | None,
) -> None:  # fmt: skip
    """List sessions, last active first: `tracetui sessions user:u7`."""
    where = common.parsed(words, views)
    with common.opened(db) as reader:
        if show_sql:
            click.echo(reader.list_sql("sessions", where, limit=limit, sort=sort or "-last"))
            return
        common.note_left_out(reader.sampled_out())
        see = common.narrower(f"`{common.command(db, 'show', '--session', 'ID')}` shows one")
        if as_json:
            common.print_json(answers.sessions(reader, where, limit, sort), max_tokens, see)
            return
        rows = reader.sessions(where, limit=limit, sort=sort or "-last")
    if not rows:
        common.note("no sessions match" if where else "no sessions yet: a span names one with session.id")
        return
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
    common.print_lines(table.lines(COLUMNS, cells, common.width(max_tokens), table.colours()), max_tokens, see)
