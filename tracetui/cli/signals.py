"""`tracetui signals`: what looks wrong in the file, by kind, with the newest example of each."""

from __future__ import annotations

import time
from pathlib import Path

import click

from collector.signals import ABOUT
from collector.store.signals import MOST_WAITING, Counted, ordered
from tracetui import format as fmt
from tracetui.cli import common, table
from tracetui.cli.table import Column
from tracetui.shapes import rfc3339

SORTED = "traces, signals, last or kind; a leading - turns it round."
BY_TRACES = "-traces"
COLUMNS = (
    Column("SIGNAL"),
    Column("TRACES", right=True),
    Column("SIGNALS", right=True),
    Column("LAST", right=True),
    Column("NEWEST"),
    Column("EVIDENCE", flexible=True),
)


@click.command(cls=common.Filtering)
@common.filter_argument
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="At most so many kinds.")
@click.option("--sort", metavar="NAME", default=BY_TRACES, show_default=True, help=SORTED)
@common.db_option
@common.view_option
@common.json_option
@common.budget_option
@click.option("--look", is_flag=True, help="First look at every trace that nobody has looked at yet.")
@click.option("--look-again", is_flag=True, help="First look at every trace anew, with the thresholds of now.")
def signals(
    words: tuple[str, ...], limit: int, sort: str, db: Path | None, views: tuple[str, ...], as_json: bool,
    max_tokens: int | None, look: bool, look_again: bool,
) -> None:  # fmt: skip
    """Count what looks wrong: loops, cut answers, invented values, … `signal:loop` finds the traces of one."""
    where = common.parsed(words, views)
    if look or look_again:
        _look(db, anew=look_again)
    with common.opened(db) as reader:
        rows = ordered([row for row in reader.signal_counts(where) if row.signals], sort)[:limit]
        waiting = reader.unlooked()
    see = common.narrower(f"`{common.command(db, 'traces', 'signal:NAME')}` lists the traces")
    if waiting:
        common.note(f"{fmt.unlooked(waiting, MOST_WAITING)}; `{common.command(db, 'signals', '--look')}` does")
    if as_json:
        common.print_json([counted_json(row) for row in rows], max_tokens, see)
        return
    if not rows:
        common.note("nothing looks wrong in the traces that were looked at")
        return
    cells = [counted_cells(row, time.time_ns()) for row in rows]
    common.print_lines(table.lines(COLUMNS, cells, common.width(max_tokens), table.colours()), max_tokens, see)


def _look(db: Path | None, *, anew: bool) -> None:
    """As whoever writes does."""
    from collector.errors import NotFound
    from collector.ingest import Ingest

    settings = common.resolved(db).settings
    if not settings.db.exists():
        raise NotFound(f"there is no file {settings.db}; name one with --db, or make one with `tracetui demo`")
    with Ingest(settings.db, settings) as ingest:
        traces = ingest.look(anew=anew)
    common.note(f"looked at {fmt.count(traces)} {'trace' if traces == 1 else 'traces'}")


def counted_json(row: Counted) -> dict[str, object]:
    """One kind; `newest` is of the newest trace that has it."""
    newest = {"trace_id": row.trace_id, "span_id": row.span_id or None, "trace": row.trace,
              "start": rfc3339(row.newest_ns), "evidence": row.text}  # fmt: skip
    return {"signal": row.kind, "about": ABOUT.get(row.kind), "traces": row.traces, "signals": row.signals,
            "newest": newest}  # fmt: skip


def counted_cells(row: Counted, now_ns: int) -> list[str]:
    last = fmt.age(row.newest_ns, now_ns) if row.newest_ns is not None else fmt.UNKNOWN
    return [row.kind, fmt.count(row.traces), fmt.count(row.signals), last, row.trace_id[:8], fmt.plain(row.text)]
