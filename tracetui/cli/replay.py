"""`tracetui replay`: a recorded call of a model, changed and sent again, beside what was answered then."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tracetui import format as fmt
from tracetui import shapes
from tracetui.cli import common

if TYPE_CHECKING:
    from collector.replay import Draft, Estimate, Outcome
    from collector.settings import Settings
    from collector.store.rows import SpanDetail


@click.command()
@click.argument("span", metavar="SPAN")
@click.option("--model", metavar="NAME", help="Ask this model instead.")
@click.option(
    "--set", "changes", metavar="NAME=VALUE", multiple=True,
    help="A parameter, in JSON or as text: --set temperature=0; null takes it away. Any number of times.",
)  # fmt: skip
@click.option("--edit", is_flag=True, help="Edit the whole request in $VISUAL or $EDITOR first.")
@click.option("--dry-run", is_flag=True, help="Print the request as a sheet, and send nothing.")
@common.db_option
@common.json_option
@common.budget_option
def replay(
    span: str, model: str | None, changes: tuple[str, ...], edit: bool, dry_run: bool, db: Path | None, as_json: bool,
    max_tokens: int | None,
) -> None:  # fmt: skip
    """Send the recorded call SPAN again, and store what is answered: `tracetui replay 3fa9 --model gpt-4.1-mini`.

    SPAN may be shortened while it is unique; TRACE:SPAN looks in one trace. The key comes from the provider's own
    variable (OPENAI_API_KEY, ANTHROPIC_API_KEY …) and is never stored; OPENAI_BASE_URL or ANTHROPIC_BASE_URL name
    another server. The answer is a trace of its own in the same file; `has:replay` finds it.
    """
    from collector.replay import to_sheet

    settings = common.resolved(db).settings
    detail, draft = _draft(span, db)
    draft = _changed(draft, model, changes, edit)
    for doubt in draft.call.doubts:
        common.note(fmt.plain(doubt))
    guess = _guess(draft, settings)
    if dry_run:
        see = "a larger --max-tokens"
        if as_json:
            common.print_json(_request(draft, guess) | {"request": draft.call.body}, max_tokens, see)
        else:
            common.print_lines(to_sheet(draft.call.body).split("\n")[:-1], max_tokens, see)
        return
    common.note(told(draft, guess))
    try:
        outcome = _asked(draft, settings.db, streaming=not as_json and max_tokens is None)
    except KeyboardInterrupt:
        common.note("cancelled; what came until then is kept, `has:replay` finds it")
        raise
    room = max_tokens if outcome.stored else None  # what is kept nowhere else is told whole
    see = f"`{common.command(db, 'show', outcome.trace_id[:12], '--messages')}`"
    if as_json:
        common.print_json(_document(draft, guess, outcome, settings.db), room, see)
        return
    if max_tokens is not None and outcome.answer.text:
        common.print_lines(fmt.plain_lines(outcome.answer.text), room, see)
    _summary(detail, draft, outcome, settings.db)


def _draft(span: str, db: Path | None) -> tuple[SpanDetail, Draft]:
    from collector.replay import draft_of
    from collector.store.naming import resolve_span

    with common.opened(db) as reader:
        detail = reader.span(*resolve_span(reader, span))
    return detail, draft_of(detail)


def _changed(draft: Draft, model: str | None, changes: tuple[str, ...], edit: bool) -> Draft:
    from collector.replay import edited, from_sheet, to_sheet
    from collector.replay.draft import with_body

    given: dict[str, str] = {}
    for change in changes:
        name, equals, value = change.partition("=")
        if not equals:
            raise click.BadParameter(f"{change!r} is not NAME=VALUE", param_hint="--set")
        given[name.strip()] = value
    draft = edited(draft, model, given)
    if not edit:
        return draft
    text = click.edit(to_sheet(draft.call.body), extension=".md", require_save=False)
    if text is None:
        raise click.Abort
    return with_body(draft, from_sheet(text, draft.call.provider.api))


def _guess(draft: Draft, settings: Settings) -> Estimate:
    from collector.pricing import Prices
    from collector.replay import estimate

    return estimate(draft, Prices(settings.prices), time.time_ns())


def told(draft: Draft, guess: Estimate) -> str:
    """What is about to be sent, in a line."""
    answer = "" if guess.output_tokens is None else f", {fmt.count(guess.output_tokens)} out"
    cost = "price unknown" if guess.cost_nanousd is None else f"about {fmt.money(guess.cost_nanousd)}"
    return f"asking {fmt.plain(draft.model)}: about {fmt.count(guess.input_tokens)} tokens in{answer}, {cost}"


def _asked(draft: Draft, db: Path, *, streaming: bool) -> Outcome:
    """Send it; the answer's text goes to stdout as it comes, and its line is ended whatever happens."""
    from collector.replay import send

    wrote = False

    def write(text: str) -> None:
        nonlocal wrote
        wrote = wrote or bool(text)
        click.echo("\n".join(fmt.plain_lines(text)), nl=False)

    try:
        return asyncio.run(send(draft, db, on_text=write if streaming else lambda _: None))
    finally:
        if wrote:
            click.echo()


def _summary(before: SpanDetail, draft: Draft, outcome: Outcome, db: Path) -> None:
    from collector.export.plainly import json_text, line
    from collector.replay.words import compared, cut_short

    for name, arguments in outcome.answer.tools:
        click.echo(f"{line(name)}({json_text(arguments, None)})")
    recorded = draft.call.answer
    if recorded is not None:
        pieces = compared(recorded.text, outcome.answer.text)
        gone, new = (sum(len(one.text.split()) for one in pieces if one.kind == kind) for kind in ("gone", "new"))
        same = (
            "the same text as then"
            if not gone and not new
            else f"against then: {new} new {'word' if new == 1 else 'words'}, {gone} gone"
        )
        if recorded.tools != outcome.answer.tools:
            same += "; other tool calls"
        common.note(same)
    if short := cut_short(outcome.finish_reason):
        common.note(f"not the whole answer: {short}")
    took = f"{fmt.duration(outcome.duration_ns)} (then {fmt.duration(_took(before))})"
    common.note(f"{took}; {_stored(outcome, db)}")


def _took(span: SpanDetail) -> int | None:
    return None if span.row.end_ns is None else span.row.end_ns - span.row.start_ns


def _stored(outcome: Outcome, db: Path) -> str:
    if outcome.stored:
        return f"stored: tracetui show {outcome.trace_id[:12]}"
    return f"NOT stored: {db} could not be written"


def _request(draft: Draft, guess: Estimate) -> dict[str, Any]:
    """What is known before anything is sent."""
    return {
        "replay_of": draft.replay_of,
        "model": draft.model,
        "doubts": list(draft.call.doubts),
        "estimate": {
            "input_tokens": guess.input_tokens,
            "output_tokens": guess.output_tokens,
            "cost_usd": shapes.dollars(guess.cost_nanousd),
        },
    }


def _document(draft: Draft, guess: Estimate, outcome: Outcome, db: Path) -> dict[str, Any]:
    from collector import store
    from collector.replay.words import compared

    span = None
    if outcome.stored:
        with store.open_reader(db) as reader:
            span = shapes.span_json(reader.span(outcome.trace_id, outcome.span_id))
    recorded = draft.call.answer
    return _request(draft, guess) | {
        "trace_id": outcome.trace_id,
        "span_id": outcome.span_id,
        "stored": outcome.stored,
        "answer": _answer(outcome.answer),
        "recorded": _answer(recorded),
        "diff": [one._asdict() for one in compared(recorded.text, outcome.answer.text)] if recorded else None,
        "finish_reason": outcome.finish_reason,
        "duration_ns": outcome.duration_ns,
        "ttft_ns": outcome.first_token_ns,
        "span": span,
    }


def _answer(answer: Any) -> dict[str, Any] | None:
    if answer is None:
        return None
    return {"text": answer.text, "tool_calls": [{"name": n, "arguments": a} for n, a in answer.tools]}
