"""A conversation as text, for people and their clipboards. Pure; harmless lines out."""

from __future__ import annotations

from collections.abc import Iterator

from collector.store.conversation import Conversation, Turn
from tracetui import format as fmt

QUIET_NS = 1_000_000_000
"""Shorter gaps between turns are not told."""


def facts(turn: Turn) -> str:
    """What a turn took, and what of it failed, in a few words."""
    return "  ".join(part for part in (took(turn), failed(turn)) if part)


def took(turn: Turn, now_ns: int | None = None) -> str:
    """How long, up to now while it runs, and for how much."""
    trace = turn.trace
    used = [n for n in (trace.usage.input_tokens, trace.usage.output_tokens) if n is not None]
    running = trace.status == "running"
    lasted = now_ns - trace.start_ns if running and now_ns is not None else trace.duration_ns
    said = [fmt.duration(lasted, running=running)]
    if used:
        said.append(f"{fmt.tokens(sum(used))} tok")
    if trace.cost_nanousd is not None or trace.llm_calls:
        said.append(fmt.money(trace.cost_nanousd))
    if trace.unpriced_calls:
        said.append(f"+{trace.unpriced_calls} unpriced")
    return "  ".join(said)


def failed(turn: Turn) -> str:
    """How much of a turn failed; "" when nothing did."""
    return f"{turn.trace.error_count} failed" if turn.trace.error_count else ""


def gap(turn: Turn) -> str | None:
    """How long it was quiet before, where that is worth telling."""
    if turn.gap_ns is None or -QUIET_NS < turn.gap_ns < QUIET_NS:
        return None
    if turn.gap_ns < 0:
        return "began while the turn before it ran"
    return f"{fmt.duration(turn.gap_ns)} later"


def tools(turn: Turn) -> str:
    """`get_order ✖, refund`: what ran, and what of it failed."""
    signs = {"error": f" {fmt.UNICODE.states['error']}", "running": f" {fmt.RUNNING}"}
    return ", ".join(fmt.plain(name) + signs.get(status, "") for name, status in turn.tools)


def heading(found: Conversation) -> str:
    """One line: session, user, turns, calls, tokens, cost, time from the first to the last."""
    row = found.session
    used = [n for n in (row.usage.input_tokens, row.usage.output_tokens) if n is not None]
    parts = [
        fmt.plain(row.session_id), fmt.plain(row.user_id or "") or None, turns(row.trace_count),
        f"{row.llm_calls} LLM  {row.tool_calls} tool", f"{fmt.tokens(sum(used))} tok" if used else None,
        fmt.money(row.cost_nanousd) + (f" +{row.unpriced_calls} unpriced" if row.unpriced_calls else ""),
        f"{row.error_count} failed" if row.error_count else None,
        f"over {fmt.duration(row.last_ns - row.first_ns)}" if row.trace_count > 1 else None,
    ]  # fmt: skip
    return "  ".join(part for part in parts if part)


def turns(count: int) -> str:
    return "1 turn" if count == 1 else f"{fmt.count(count)} turns"


def markdown(found: Conversation) -> Iterator[str]:
    """The conversation as Markdown; texts keep their own lines."""
    yield f"# {heading(found)}"
    for turn in found.turns:
        yield ""
        yield f"## {fmt.clock(turn.trace.start_ns)[:19]} {fmt.plain(turn.trace.name or '')} ({facts(turn)})".rstrip()
        for who, text in (("user", turn.asked), ("assistant", turn.answered)):
            if text is not None:
                yield from ("", f"**{who}**", "", *fmt.plain_lines(text))


def lines(found: Conversation) -> Iterator[str]:
    """The conversation as plain lines: what `tracetui show --session` prints."""
    glyphs = fmt.UNICODE
    yield heading(found)
    if found.earlier:
        yield f"({fmt.count(found.earlier)} earlier {'turn' if found.earlier == 1 else 'turns'}; --limit shows more)"
    for turn in found.turns:
        trace, quiet = turn.trace, gap(turn)
        if quiet:
            yield f"  {glyphs.dot} {quiet}"
        name = fmt.plain(trace.name or "(no name)")
        yield f"{glyphs.states[trace.status]} {fmt.clock(trace.start_ns)[:19]}  {name}  {facts(turn)}  {trace.trace_id}"
        for who, text in (("user", turn.asked), ("assistant", turn.answered)):
            for at, line in enumerate(fmt.plain_lines(text) if text is not None else ()):
                yield f"  {who if not at else '':<11}{line}".rstrip()
        if turn.tools:
            yield f"  {'tools':<11}{tools(turn)}"
