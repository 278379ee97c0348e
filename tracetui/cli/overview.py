"""`tracetui overview`: what goes on now, as text or JSON."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import click

from collector.store.overview import Line, Overview
from tracetui import format as fmt
from tracetui import shapes
from tracetui.cli import common
from tracetui.pieces import Json


@click.command()
@common.db_option
@common.json_option
@common.budget_option
def overview(db: Path | None, as_json: bool, max_tokens: int | None) -> None:
    """Say what goes on now: what is spent a minute, what runs, what failed last, what was dearest."""
    from collector.store.overview import overview as look

    with common.opened(db) as reader:
        found = look(reader, time.time_ns())
    see = f"a larger --max-tokens; `{common.command(db, 'show', 'TRACE', 'SPAN')}` shows one of these"
    if as_json:
        common.print_json(None if found is None else overview_json(found), max_tokens, see)
    elif found is None:
        common.note("no spans yet")
    else:
        common.print_lines(_lines(found), max_tokens, see)


def overview_json(found: Overview) -> Json:
    return {
        "now": shapes.rfc3339(found.now_ns),
        "now_ns": found.now_ns,
        "live": found.live,
        "rate_minutes": found.rate_min,
        "spans": found.spans,
        "errors": found.errors,
        "calls": found.calls,
        "unpriced_calls": found.unpriced_calls,
        "tokens": found.tokens,
        "cost_usd": shapes.dollars(found.cost_nanousd),
        "cost_usd_per_minute": None if found.cost_nanousd is None else found.cost_nanousd / 1e9 / found.rate_min,
        "tokens_per_minute": found.tokens / found.rate_min,
        "costs_usd": [cost / 1e9 for cost in found.costs],
        "running": found.running,
        "models": [
            {
                "model": one.model or None,
                "calls": one.calls,
                "errors": one.errors,
                "unpriced_calls": one.unpriced_calls,
                "cost_usd": shapes.dollars(one.cost_nanousd),
                "tokens": one.tokens,
                "mean_ns": one.mean_ns,
                "minutes": list(one.minutes),
            }
            for one in found.models
        ],
        "active": [_line_json(one) for one in found.active],
        "failed": [_line_json(one) for one in found.failed],
        "dearest": [_line_json(one) for one in found.dearest],
    }


def _line_json(one: Line) -> Json:
    return {
        "trace_id": one.trace_id,
        "span_id": one.span_id,
        "name": one.name,
        "kind": one.kind,
        "model": one.model,
        "start": shapes.rfc3339(one.start_ns),
        "start_ns": one.start_ns,
        "duration_ns": one.duration_ns,
        "cost_usd": shapes.dollars(one.cost_nanousd),
        "said": one.said,
    }


def _lines(found: Overview) -> Iterator[str]:
    if not found.live:
        yield f"nothing new; as of {fmt.clock(found.now_ns)[:19]}"
    cost = None if found.cost_nanousd is None else round(found.cost_nanousd / found.rate_min)
    unpriced = f" +{found.unpriced_calls} unpriced" if found.unpriced_calls else ""
    yield (
        f"{fmt.money(cost)}/min{unpriced}  {fmt.tokens(round(found.tokens / found.rate_min))} tok/min"
        f"  {found.calls / found.rate_min:.1f} calls/min  {found.running} running"
        f"  {found.errors} of {found.spans} spans failed"
    )
    for one in found.models:
        name, price = fmt.plain(one.model) or "(no model)", fmt.money(one.cost_nanousd)
        calls = f"{one.calls} call{'' if one.calls == 1 else 's'}"
        yield f"  {name}  {calls}  {price}  {fmt.tokens(one.tokens)} tok  {one.errors} failed"
    for title, lines in (("running", found.active), ("failed last", found.failed), ("dearest", found.dearest)):
        if lines:
            yield title
        for line in lines:
            yield f"  {_told(line, found.now_ns)}"


def _told(one: Line, now_ns: int) -> str:
    parts = [
        fmt.age(one.start_ns, now_ns), fmt.plain(one.name), fmt.plain(one.model or ""),
        fmt.duration(one.duration_ns, running=one.duration_ns is None),
        fmt.money(one.cost_nanousd) if one.cost_nanousd is not None else "", fmt.plain(one.said or ""), one.trace_id,
    ]  # fmt: skip
    return "  ".join(part for part in parts if part)
