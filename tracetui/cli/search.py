"""`tracetui search`: full text, newest first."""

from __future__ import annotations

import time
from pathlib import Path

import click

from collector.store.rows import SearchHit
from tracetui import format as fmt
from tracetui import shapes
from tracetui.cli import common, table


@click.command(cls=common.Filtering)
@click.argument("words", metavar="TEXT|FILTER…", nargs=-1, required=True)
@click.option("--where", metavar="FILTER", default="", help="Only in spans that this filter finds, too.")
@common.view_option
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="At most so many.")
@common.show_sql_option
@common.db_option
@common.json_option
@common.budget_option
def search(
    words: tuple[str, ...], where: str, views: tuple[str, ...], limit: int, show_sql: bool, db: Path | None,
    as_json: bool, max_tokens: int | None,
) -> None:  # fmt: skip
    """Search messages, names, errors and long values; all words must be there.

    Filters may stand among the words: `tracetui search refund kind:llm since:1d`.
    """
    from collector.store import filters
    from collector.store.search import spelt

    whole = common.parsed((*words, where), views)
    asked, spans = filters.words_and_rest(whole)
    if not asked:
        raise click.UsageError("search wants words to look for; `tracetui spans FILTER` lists what a filter finds")
    with common.opened(db) as reader:
        if show_sql:
            click.echo(reader.list_sql("spans", whole, limit=limit, sort="-start"))
            return
        hits = reader.search(asked, spans, limit=limit)
    see = common.narrower(f"`{common.command(db, 'show', 'TRACE', 'SPAN')}` shows one")
    if as_json:
        common.print_json([shapes.hit_json(hit) for hit in hits], max_tokens, see)
        return
    if not hits:
        common.note(f"nothing says {spelt(asked)!r}")
        return
    common.print_lines(hit_lines(hits[0:limit], time.time_ns(), table.colours()), max_tokens, see)


def hit_lines(hits: list[SearchHit], now_ns: int, colour: bool) -> list[str]:
    """Two lines a hit: where it is, and what it says there."""
    out = []
    for hit in hits:
        where = f"{hit.trace_id[:8]} {hit.span_id}  {fmt.age(hit.start_ns, now_ns)}  {hit.kind}  {fmt.plain(hit.name)}"
        out += [click.style(where, dim=True) if colour else where, "    " + marked(hit, colour)]
    return out


def marked(hit: SearchHit, colour: bool) -> str:
    """The snippet as one harmless line, its hits bold where there is colour."""
    out, at = [], 0
    for start, end in hit.marks:
        out.append(fmt.plain(hit.snippet[at:start]))
        found = fmt.plain(hit.snippet[start:end])
        out.append(click.style(found, bold=True) if colour else found)
        at = end
    return "".join([*out, fmt.plain(hit.snippet[at:])])
