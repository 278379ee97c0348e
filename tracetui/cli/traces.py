"""`tracetui traces`: the list of traces, as columns or JSON."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import click

from collector.model import Usage
from collector.store.rows import TraceRow
from tracetui import format as fmt
from tracetui.cli import answers, common, table
from tracetui.cli.table import Column

COLUMNS = (
    Column("ID"),
    Column("STATUS"),
    Column("NAME", flexible=True),
    Column("INPUT → OUTPUT", flexible=True),
    Column("MODEL", flexible=True, optional=True),
    Column("CALLS", right=True, optional=True),
    Column("TOKENS", right=True),
    Column("COST", right=True),
    Column("DURATION", right=True),
    Column("AGE", right=True),
)


@click.command(cls=common.Filtering)
@common.filter_argument
@common.list_options("start, duration, cost, tokens, spans, errors or name (default: -start, newest first)")
def traces(
    words: tuple[str, ...], views: tuple[str, ...], db: Path | None, limit: int, sort: str | None, show_sql: bool,
    as_json: bool, max_tokens: int | None,
) -> None:  # fmt: skip
    """List traces, newest first: `tracetui traces 'status:error model:gpt-4o* since:1d'`."""
    where = common.parsed(words, views)
    with common.opened(db) as reader:
        if show_sql:
            click.echo(reader.list_sql("traces", where, limit=limit, sort=sort or "-start"))
            return
        common.note_left_out(reader.sampled_out())
        see = common.narrower(f"`{common.command(db, 'show', 'TRACE')}` shows one")
        if as_json:
            common.print_json(answers.traces(reader, where, limit, sort), max_tokens, see)
            return
        rows = reader.traces(where, limit=limit, sort=sort or "-start")
    if not rows:
        common.note("no traces match" if where else "no traces yet")
        return
    common.print_lines(row_lines(rows, time.time_ns(), common.width(max_tokens)), max_tokens, see)


def row_lines(rows: Sequence[TraceRow], now_ns: int, width: int | None) -> list[str]:
    ids = shortened([row.trace_id for row in rows])
    cells = [trace_cells(row, short, now_ns) for row, short in zip(rows, ids, strict=True)]
    return table.lines(COLUMNS, cells, width, table.colours())


def trace_cells(row: TraceRow, short: str, now_ns: int) -> list[str]:
    """What the list shows of one trace. Unknown is –; a sum that leaves calls without a price out says so."""
    sides = [fmt.plain(side) for side in (row.input_preview, row.output_preview) if side]
    return [
        short,
        row.status,
        fmt.plain(row.name or fmt.UNKNOWN),
        " → ".join(sides) or fmt.UNKNOWN,
        fmt.plain(", ".join(row.models)) or fmt.UNKNOWN,
        str(row.llm_calls),
        tokens(row.usage),
        cost(row.cost_nanousd, row.unpriced_calls),
        fmt.duration(row.duration_ns, running=row.status == "running"),
        fmt.age(row.start_ns, now_ns),
    ]


def tokens(usage: Usage) -> str:
    """Input and output together; – when neither is known."""
    known = [n for n in (usage.input_tokens, usage.output_tokens) if n is not None]
    return fmt.tokens(sum(known)) if known else fmt.UNKNOWN


def cost(nanousd: int | None, unpriced: int = 0) -> str:
    shown = fmt.money(nanousd)
    return f"{shown} +{unpriced} unpriced" if unpriced else shown


def shortened(ids: Sequence[str], at_least: int = 8) -> list[str]:
    """Each id cut to what tells it from the others shown (foreign ids may share a long beginning)."""
    unique = sorted(set(ids))
    shared = max((_shared(*pair) for pair in pairwise(unique)), default=0)
    return [id_[: max(at_least, shared + 1)] for id_ in ids]


def _shared(one: str, other: str) -> int:
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
