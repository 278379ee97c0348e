"""`tracetui costs`: what was spent, on what, as columns, JSON or CSV."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tracetui import format as fmt
from tracetui.cli import common, cost_shapes, table
from tracetui.cli.table import Column
from tracetui.cli.traces import cost
from tracetui.spending import spread

if TYPE_CHECKING:
    from collector.store.costs import Asked, CostRow, Costs
    from collector.store.reader import Reader

COUNTABLE_SPANS = 500_000
"""In files up to this size the traces of each row are counted without being asked for."""
BY = (
    "Group by up to three of: model provider service env kind prompt version tool agent error.type user session name "
    'release project tag tag:KEY meta.KEY quarter hour day week month; "" for one sum.'
)
SHOWS = (
    "traces, tokens (by type), split (what was paid for, and what caching saved), score.NAME and meta.KEY (means; "
    "* for all)"
)
TOKENS = {
    "input_tokens": "IN", "cache_read_tokens": "READ", "cache_write_tokens": "WRITTEN", "output_tokens": "OUT",
    "reasoning_tokens": "REASONED", "audio_input_tokens": "AUDIO IN", "audio_output_tokens": "AUDIO OUT",
}  # fmt: skip
SPLIT = {
    "input": "INPUT", "cache_read": "READ", "cache_write": "WRITE", "output": "OUTPUT", "reasoning": "THOUGHT",
    "other": "OTHER", "saved": "SAVED",
}  # fmt: skip
SORTS = "-cost, tokens, calls, spans, errors, p50, p95, p99, ttft, burn, percall or name"


@click.command(cls=common.Filtering)
@common.filter_argument
@click.option("--by", metavar="NAMES", default="model", show_default=True, help=BY)
@click.option("--show", metavar="NAMES", default="", help=f"Tell these, too: {SHOWS}.")
@click.option("--tz", metavar="ZONE", help="Whose hours and days: UTC, Asia/Kolkata … [default: this machine's].")
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values.")
@common.list_options(f"{SORTS} (default: -cost; by time: name)")
def costs(
    words: tuple[str, ...], by: str, show: str, tz: str | None, as_csv: bool, views: tuple[str, ...], db: Path | None,
    limit: int, sort: str | None, show_sql: bool, as_json: bool, max_tokens: int | None,
) -> None:  # fmt: skip
    """Add up calls, tokens and costs: `tracetui costs since:7d --by model,user`.

    A call that several spans report is counted once, as in the list of traces. The filter's since: until: model:
    provider: service: env: kind: tool: agent: prompt: and error.type: say which calls are summed, its other terms say
    of which traces.
    """
    if as_csv and max_tokens:
        raise click.UsageError("--csv is for programs that add up, and has no --max-tokens; --limit cuts it")
    where = common.parsed(words, views)
    with common.opened(db) as reader:
        asked = to_sum(reader, by, show, tz, sort, where, db)
        from collector.store.costs import costs_sql

        if show_sql:
            click.echo(costs_sql(reader, asked))
            return
        found = summed(reader, asked, limit, _progress(as_json or as_csv))
        common.note_left_out(reader.sampled_out())
    rows = found.rows[:limit]
    if len(found.rows) > limit:
        common.note(f"{len(found.rows) - limit} more rows; --limit shows more of them")
    see = common.narrower("--by and --sort choose what comes first")
    if as_json:
        common.print_json([cost_shapes.cost_json(row, found) for row in rows], max_tokens, see)
    elif as_csv:
        click.echo(_as_csv(rows, found), nl=False)
    elif not found.rows:
        common.note("nothing to add up: no spans match" if where else "nothing to add up: no spans yet")
    else:
        ranks = [0, *[1] * len(rows), 0] if found.by else ()  # the head and the sum before the rows
        kinds = list(TOKENS) if "tokens" in _names(show) else []
        common.print_lines(_lines(rows, found, kinds, common.width(max_tokens)), max_tokens, see, ranks)


def summed(reader: Reader, asked: Asked, limit: int, progress: Callable[[int, int], None] | None = None) -> Costs:
    """The sums; what takes long is told of the first `limit` rows only."""
    from collector.store.cost_times import timed
    from collector.store.costs import costs as sums

    found = sums(reader, asked, progress)
    return found if found.total.timed else timed(reader, asked, found, found.rows[:limit], progress)


def to_sum(
    reader: Reader, by: str, show: str, tz: str | None, sort: str | None, where: object, db: Path | None
) -> Asked:  # fmt: skip
    from collector.pricing import Prices
    from collector.settings import resolve
    from collector.store import cost_stats
    from collector.store.cost_times import FINE
    from collector.store.costs import Asked, dimensions
    from collector.store.filters import Filter
    from collector.store.zones import Zone

    assert isinstance(where, Filter)
    settings = resolve(db=db).settings
    names = _names(show)
    told = cost_stats.patterns(",".join(name for name in names if name not in ("traces", "split", "tokens")))
    counted = "traces" in names or reader.rows("select spans from counters")[0][0] <= COUNTABLE_SPANS
    asked = dimensions(by)
    later = not counted and any(one.name in FINE for one in asked)
    return Asked(
        asked, where, Zone(tz), sort=sort, traces=counted, later=later, declared=settings.dimensions, stats=told,
        prices=Prices(settings.prices) if "split" in names else None,
    )  # fmt: skip


def _names(show: str) -> list[str]:
    return [name.strip() for name in show.split(",") if name.strip()]


def _progress(quiet: bool) -> Callable[[int, int], None] | None:
    """A line on a terminal's stderr that counts up where there is much to look at."""
    if quiet or not sys.stderr.isatty():
        return None

    def say(done: int, whole: int) -> None:
        if whole > 5000:
            end = "" if done + 1000 < whole else "\r\x1b[K"
            click.echo(f"\rtracetui: looked at {done:,} of {whole:,} traces{end}", err=True, nl=False)

    return say


def _as_csv(rows: Sequence[CostRow], found: Costs) -> str:
    out = io.StringIO()
    flat = [cost_shapes.flat(row, found) for row in rows]
    names = list(dict.fromkeys(name for one in flat for name in one))
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    return out.getvalue()


def _lines(rows: Sequence[CostRow], found: Costs, kinds: list[str], width: int | None) -> list[str]:
    """`kinds` of tokens are told where there are some."""
    kinds = [name for name in kinds if getattr(found.total.usage, name)]
    columns = _columns(found, kinds)
    cells = [_cells(row, found, kinds) for row in rows]
    if found.by:
        cells.append(_cells(found.total, found, kinds))
    return table.lines(columns, cells, width, table.colours())


def _columns(found: Costs, kinds: list[str]) -> list[Column]:
    names = [Column(one.name.upper(), flexible=True) for one in found.by]
    columns = [
        *names, Column("CALLS", right=True), Column("TOKENS", right=True), Column("CACHED", right=True, optional=True),
        Column("COST", right=True), Column("SHARE", right=True, optional=True),
        Column("/CALL", right=True, optional=True), Column("/TRACE", right=True, optional=True),
        Column("/MIN", right=True, optional=True), Column("ERRORS", right=True), Column("P50", right=True),
        Column("P95", right=True), Column("P99", right=True, optional=True), Column("TTFT", right=True, optional=True),
    ]  # fmt: skip
    columns += [Column(TOKENS[name], right=True) for name in kinds]
    if found.total.split is not None:
        columns += [
            Column(name, right=True) for name in ("INPUT", "READ", "WRITE", "OUTPUT", "THOUGHT", "OTHER", "SAVED")
        ]
    return [*columns, *(Column(name.upper(), right=True) for name in _stats(found))]


def _stats(found: Costs) -> list[str]:
    return [*found.total.scores, *found.total.metadata]


def _cells(row: CostRow, found: Costs, kinds: list[str]) -> list[str]:
    names = [fmt.plain(key) or f"(no {one.key or one.name})" for one, key in zip(found.by, row.keys, strict=False)]
    if not row.keys:
        names = ["total", *[""] * (len(found.by) - 1)] if found.by else []
    cells = [
        *names, fmt.count(row.calls), fmt.tokens(row.tokens), cost_shapes.percent(row.cached),
        cost(row.cost_nanousd, row.unpriced_calls), cost_shapes.share(row, found.total),
        *(fmt.money(None if one is None else round(one))
          for one in (row.per_call_nanousd, row.per_trace_nanousd, row.per_minute_nanousd)),
        fmt.count(row.errors), *map(fmt.duration, (row.duration.p50_ns, row.duration.p95_ns, row.duration.p99_ns)),
        fmt.duration(row.ttft.p50_ns),
    ]  # fmt: skip
    cells += [fmt.tokens(getattr(row.usage, name)) for name in kinds]
    if found.total.split is not None:
        split = row.split
        cells += [fmt.money(None if split is None else getattr(split, name)) for name in SPLIT]
    stats = {**row.scores, **row.metadata}
    return [*cells, *(spread(stats.get(name)) for name in _stats(found))]
