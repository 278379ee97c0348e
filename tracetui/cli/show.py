"""`tracetui show`: one trace as a tree, as its messages or as JSON; or one span of it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from collector.errors import NotFound
from collector.limits import Limits
from collector.settings import resolve
from collector.store.rows import SpanDetail, SpanRow
from tracetui.cli import common, shapes, tell

if TYPE_CHECKING:
    from collector.store.reader import Reader


@click.command()
@click.argument("trace", required=False)
@click.argument("span", required=False)
@click.option("--tree", "form", flag_value="tree", default="tree", help="The tree of its spans (default).")
@click.option("--messages", "form", flag_value="messages", help="Who said what, each message once.")
@click.option("--json", "form", flag_value="json", help="Print one JSON document.")
@click.option("--context", is_flag=True, help="How the prompts of its model calls grew, and where the cache broke.")
@click.option("--graph", is_flag=True, help="Agents, models and tools: who called whom, how often, at what cost.")
@click.option("--session", metavar="ID", help="A session as a conversation, its newest turns, in place of TRACE.")
@click.option("--limit", type=click.IntRange(min=1), default=100, help="Of a session: at most so many turns [100].")
@common.db_option
def show(
    trace: str | None, span: str | None, form: str, context: bool, graph: bool, session: str | None, limit: int,
    db: Path | None,
) -> None:  # fmt: skip
    """Show TRACE, or only SPAN of it. Ids may be shortened while they are unique."""
    if (trace is None) == (session is None):
        raise click.UsageError("show wants a TRACE, or --session ID")
    if session is not None:
        from tracetui.cli.session import show_session

        show_session(session, form, limit, db)
        return
    assert trace is not None
    if (graph or context) and span is not None:
        raise click.UsageError("--graph and --context are of a whole trace; leave SPAN out")
    with common.opened(db) as reader:
        trace_id = reader.resolve_trace(trace)
        if context:
            _show_context(reader, trace_id, form)
        elif graph:
            _show_graph(reader, trace_id, form)
        elif span is None:
            _show_trace(reader, trace_id, form)
        else:
            _show_span(reader, trace_id, span, form)


def _show_trace(reader: Reader, trace_id: str, form: str) -> None:
    from collector import tree

    row = reader.trace(trace_id)
    nodes = tree.build(reader.tree_spans(trace_id))
    arrived = [node.row for node in nodes if node.row is not None]
    if form == "json":
        found = reader.signals(trace_id, Limits(**resolve().settings.signals))
        details = [reader.span(trace_id, one.span_id) for one in arrived]
        common.print_json(shapes.trace_json(row, reader.scores(trace_id), details, found))
        return
    click.echo(tell.heading(row))
    if form == "messages":
        _print(tell.conversation_lines(_details(reader, arrived)))
    else:
        _print(tell.tree_lines((node.depth, node.row, node.span_id) for node in nodes))


def _show_context(reader: Reader, trace_id: str, form: str) -> None:
    from tracetui.cli import context

    found = context.read(reader, trace_id, resolve().settings.prices)
    if form == "json":
        common.print_json({"trace_id": trace_id, **context.context_json(found)})
        return
    click.echo(tell.heading(reader.trace(trace_id)))
    _print(context.text_lines(found))


def _show_graph(reader: Reader, trace_id: str, form: str) -> None:
    from tracetui.cli import graph

    found = graph.read(reader, trace_id, time.time_ns())
    if form == "json":
        common.print_json({"trace_id": trace_id, **graph.graph_json(found)})
        return
    click.echo(tell.heading(reader.trace(trace_id)))
    _print(graph.text_lines(found))


def _show_span(reader: Reader, trace_id: str, prefix: str, form: str) -> None:
    detail = reader.span(trace_id, _span_id(reader, trace_id, prefix))
    if form == "json":
        common.print_json(shapes.span_json(detail))
    elif form == "messages":
        _print(tell.conversation_lines([detail]))
    else:
        _print(tell.span_lines(detail))


def _span_id(reader: Reader, trace_id: str, prefix: str) -> str:
    """The one span of the trace whose id begins so. NotFound says how many do."""
    ids = [row.span_id for row in reader.tree_spans(trace_id) if row.span_id.startswith(prefix.lower())]
    if len(ids) != 1:
        found = f"{len(ids)} of its spans begin so; give more of the id" if ids else "none of its spans begins so"
        raise NotFound(f"trace {trace_id} has no span {prefix!r}: {found}")
    return ids[0]


def _details(reader: Reader, rows: Iterable[SpanRow]) -> Iterable[SpanDetail]:
    return (reader.span(row.trace_id, row.span_id) for row in rows)


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)
