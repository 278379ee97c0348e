"""`tracetui errors`: failures grouped by what they have in common, as columns or JSON."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tracetui import format as fmt
from tracetui import shapes
from tracetui.cli import common, table
from tracetui.cli.table import Column

if TYPE_CHECKING:
    from collector.store.failures import Failure
    from collector.store.reader import Reader

SORTED = "count, traces, users, first, last, type or message; a leading - turns it round."
COLUMNS = (
    Column("COUNT", right=True),
    Column("TRACES", right=True),
    Column("TYPE", flexible=True),
    Column("MESSAGE", flexible=True),
    Column("IN", flexible=True, optional=True),
    Column("USERS", right=True, optional=True),
    Column("FIRST", right=True),
    Column("LAST", right=True),
    Column("LAST TRACE"),
)


@click.command(cls=common.Filtering)
@common.filter_argument
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="At most so many kinds.")
@click.option("--sort", metavar="NAME", default="-count", show_default=True, help=SORTED)
@click.option("--near", is_flag=True, help="With --json: of each the nearest trace like it that succeeded.")
@common.show_sql_option
@common.view_option
@common.db_option
@common.json_option
@common.budget_option
def errors(
    words: tuple[str, ...], limit: int, sort: str, near: bool, show_sql: bool, views: tuple[str, ...], db: Path | None,
    as_json: bool, max_tokens: int | None,
) -> None:  # fmt: skip
    """Group failed spans by type and message: `tracetui errors since:1d kind:tool`.

    Numbers, ids, paths and quoted values in a message make no difference.
    """
    from collector.store import failures as store

    where = common.parsed(words, views)
    with common.opened(db) as reader:
        if show_sql:
            click.echo(store.failures_sql(reader, where))
            return
        found = store.failures(reader, where)
        groups = store.ordered(found.groups, sort)[:limit]
        if found.partial:
            common.note(f"only the newest {store.MOST_SPANS:,} failed spans were looked at")
        see = common.narrower(f"`{common.command(db, 'show', 'TRACE')}` shows one")
        if as_json:
            shown = [failure_json(one) | (near_json(reader, one) if near else {}) for one in groups]
            common.print_json(shown, max_tokens, see)
            return
    if not groups:
        common.note("no failures match" if where else "nothing has failed")
        return
    now_ns = time.time_ns()
    cells = [failure_cells(one, now_ns) for one in groups]
    common.print_lines(table.lines(COLUMNS, cells, common.width(max_tokens), table.colours()), max_tokens, see)


def near_json(reader: Reader, one: Failure) -> dict[str, Any]:
    from collector.store.failures import nearest_success

    found = nearest_success(reader, one.last_trace)
    return {"succeeded_trace_id": found.trace_id if found else None}


def failure_cells(one: Failure, now_ns: int) -> list[str]:
    return [
        str(one.count),
        str(one.traces),
        fmt.plain(one.error_type or fmt.UNKNOWN),
        fmt.plain(one.fingerprint or fmt.UNKNOWN),
        fmt.plain(", ".join([*one.tools, *one.models] or one.names)),
        str(len(one.users)),
        fmt.age(one.first_ns, now_ns),
        fmt.age(one.last_ns, now_ns),
        one.last_trace[:8],
    ]


def failure_json(one: Failure) -> dict[str, Any]:
    """`filter` finds its traces; names are objects of how often each was there."""
    return {
        "error_type": one.error_type or None, "fingerprint": one.fingerprint, "message": one.message,
        "count": one.count, "spans": one.spans, "traces": one.traces, "names": one.names, "tools": one.tools,
        "models": one.models, "users": one.users, "services": one.services,
        "first": shapes.rfc3339(one.first_ns), "first_ns": one.first_ns,
        "last": shapes.rfc3339(one.last_ns), "last_ns": one.last_ns,
        "last_trace_id": one.last_trace, "last_span_id": one.last_span, "history": list(one.history),
        "filter": one.filter,
    }  # fmt: skip
