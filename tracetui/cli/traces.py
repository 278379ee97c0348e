"""`tracetui traces`: the list of traces, as columns or JSON."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import click

from collector.model import Usage
from collector.store.rows import TraceRow
from tracetui import format as fmt
from tracetui.cli import answers, common, table
from tracetui.cli.listing import Listing
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


def row_lines(rows: Sequence[TraceRow], width: int | None) -> list[str]:
    ids, now_ns = shortened([row.trace_id for row in rows]), time.time_ns()
    cells = [trace_cells(row, short, now_ns) for row, short in zip(rows, ids, strict=True)]
    return table.lines(COLUMNS, cells, width, table.colours())


LIST = Listing(
    what="traces",
    order="-start",
    one=("show", "TRACE"),
    none_yet="no traces yet",
    rows=lambda reader, where, limit, sort: reader.traces(where, limit=limit, sort=sort),
    as_json=answers.traces,
    lines=row_lines,
)


@click.command(cls=common.Filtering)
@common.filter_argument
@common.list_options("start, duration, cost, tokens, spans, errors or name (default: -start, newest first)")
def traces(**asked: Any) -> None:
    """List traces, newest first: `tracetui traces 'status:error model:gpt-4o* since:1d'`."""
    LIST.run(**asked)


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
