"""`tracetui show`: one trace as a tree, as its messages or as JSON; or one span of it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from collector.settings import resolve
from collector.store.rows import SpanRow
from tracetui import shapes
from tracetui.cli import answers, budget_lines, common, tell

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
@click.option("--first", metavar="VALUE", help="Where a value stood first, here and in the session before.")
@click.option("--session", metavar="ID", help="A session as a conversation, its newest turns, in place of TRACE.")
@click.option("--limit", type=click.IntRange(min=1), default=100, help="Of a session: at most so many turns [100].")
@common.budget_option
@common.db_option
def show(
    trace: str | None, span: str | None, form: str, context: bool, graph: bool, first: str | None,
    session: str | None, limit: int, max_tokens: int | None, db: Path | None,
) -> None:  # fmt: skip
    """Show TRACE, or only SPAN of it. Ids may be shortened while they are unique."""
    if (trace is None) == (session is None):
        raise click.UsageError("show wants a TRACE, or --session ID")
    if session is not None:
        from tracetui.cli.session import show_session

        show_session(session, form, limit, db, max_tokens)
        return
    assert trace is not None
    if (graph or context or first) and span is not None:
        raise click.UsageError("--graph, --context and --first are of a whole trace; leave SPAN out")
    if first is not None and not first.strip():
        raise click.UsageError("--first wants a value: an id, a number, a date, some words")
    with common.opened(db) as reader:
        trace_id = reader.resolve_trace(trace)
        asked = Asked(form, max_tokens, db)
        if context:
            _show_context(reader, trace_id, asked)
        elif graph:
            _show_graph(reader, trace_id, asked)
        elif first is not None:
            _show_first(reader, trace_id, first.strip(), asked)
        elif span is None:
            _show_trace(reader, trace_id, asked)
        else:
            _show_span(reader, trace_id, span, asked)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a trace is to be shown as: `form` is tree, messages or json."""

    form: str
    max_tokens: int | None
    db: Path | None

    def see(self, *words: str) -> str:
        """Where the rest is of what was cut."""
        return f"a larger --max-tokens, or `{common.command(self.db, 'show', *words)}`"


def _show_trace(reader: Reader, trace_id: str, asked: Asked) -> None:
    from collector import tree

    see = asked.see(trace_id, "SPAN", "--json" if asked.form == "json" else "--messages")
    if asked.form == "json":
        document = answers.trace(reader, trace_id, resolve().settings.signals, asked.max_tokens)
        common.print_json(document, asked.max_tokens, see)
        return
    row = reader.trace(trace_id)
    nodes = tree.build(reader.tree_spans(trace_id))
    if asked.form == "messages":
        arrived = [node.row for node in nodes if node.row is not None]
        told = tell.conversation_lines(reader.span(trace_id, one.span_id) for one in arrived)
        _print(chain([tell.heading(row)], told), asked, see, newest_first=True)
        return
    lines = tell.tree_lines((node.depth, node.row, node.span_id) for node in nodes)
    ranks = budget_lines.tree_ranks([node.depth for node in nodes], [_failed(node.row) for node in nodes])
    common.print_lines([tell.heading(row), *lines], asked.max_tokens, see, [0, *ranks])


def _failed(row: SpanRow | None) -> bool:
    return row is not None and row.status in ("error", "abandoned")


def _show_context(reader: Reader, trace_id: str, asked: Asked) -> None:
    from tracetui.cli import context

    prices = resolve().settings.prices
    see = asked.see(trace_id, "SPAN", "--messages")
    if asked.form == "json":
        common.print_json(answers.context(reader, trace_id, prices), asked.max_tokens, see)
        return
    found = context.read(reader, trace_id, prices)
    _print(chain([tell.heading(reader.trace(trace_id))], context.text_lines(found)), asked, see, newest_first=True)


def _show_graph(reader: Reader, trace_id: str, asked: Asked) -> None:
    from tracetui.cli import graph

    see = asked.see(trace_id)
    if asked.form == "json":
        common.print_json(answers.graph(reader, trace_id), asked.max_tokens, see)
        return
    found = graph.read(reader, trace_id, time.time_ns())
    _print(chain([tell.heading(reader.trace(trace_id))], graph.text_lines(found)), asked, see)


def _show_first(reader: Reader, trace_id: str, value: str, asked: Asked) -> None:
    from tracetui.cli import places

    see = asked.see(trace_id, "SPAN", "--messages")
    if asked.form == "json":
        common.print_json(answers.first(reader, trace_id, value), asked.max_tokens, see)
        return
    found, names = reader.first_places(trace_id, value), reader.span_names(trace_id)
    _print(chain([tell.heading(reader.trace(trace_id))], places.text_lines(found, names)), asked, see)


def _show_span(reader: Reader, trace_id: str, prefix: str, asked: Asked) -> None:
    detail = reader.span(trace_id, answers.span_id(reader, trace_id, prefix))
    see = asked.see(trace_id, detail.row.span_id, "--json")
    if asked.form == "json":
        common.print_json(shapes.span_json(detail), asked.max_tokens, see)
    elif asked.form == "messages":
        _print(tell.conversation_lines([detail]), asked, see, newest_first=True)
    else:
        facts, said, raw = list(tell.span_facts(detail)), list(tell.span_messages(detail)), list(tell.span_raw(detail))
        ranks = [*budget_lines.newest_first(len(facts), len(facts) + len(said)), *[len(said) + 1] * len(raw)]
        common.print_lines([*facts, *said, *raw], asked.max_tokens, see, ranks)


def _print(lines: Iterable[str], asked: Asked, see: str, *, newest_first: bool = False) -> None:
    """Lines of which the first is a heading; with a budget `newest_first` keeps the end of the others."""
    if asked.max_tokens is None:
        common.print_lines(lines)
        return
    listed = list(lines)
    ranks = budget_lines.newest_first(1, len(listed)) if newest_first else ()
    common.print_lines(listed, asked.max_tokens, see, ranks)
