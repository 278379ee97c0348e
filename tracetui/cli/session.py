"""`tracetui show --session`: a session as a conversation, as text, Markdown or JSON."""

from __future__ import annotations

from pathlib import Path

from collector.store.conversation import Conversation, Turn
from tracetui import shapes, talk
from tracetui.cli import budget_lines, common
from tracetui.pieces import Json


def show_session(session_id: str, form: str, limit: int, db: Path | None, max_tokens: int | None = None) -> None:
    """Print it; NotFound when there is none. `form` is tree (as text), messages (as Markdown) or json."""
    from collector.store.conversation import conversation

    with common.opened(db) as reader:
        found = conversation(reader, session_id, limit=limit)
    see = f"a larger --max-tokens, or `{common.command(db, 'show', 'TRACE', '--messages')}` for one turn"
    if form == "json":
        common.print_json(conversation_json(found), max_tokens, see)
        return
    lines = list(talk.markdown(found) if form == "messages" else talk.lines(found))
    common.print_lines(lines, max_tokens, see, budget_lines.newest_first(1, len(lines)))


def conversation_json(found: Conversation) -> Json:
    """The session's sums, its `turns`, and how many `earlier_turns` are not among them."""
    return shapes.session_json(found.session) | {
        "turns": [_turn_json(turn) for turn in found.turns],
        "earlier_turns": found.earlier,
    }


def _turn_json(turn: Turn) -> Json:
    trace = turn.trace
    return {
        "trace_id": trace.trace_id,
        "name": trace.name,
        "status": trace.status,
        "start": shapes.rfc3339(trace.start_ns),
        "start_ns": trace.start_ns,
        "duration_ns": trace.duration_ns,
        "gap_ns": turn.gap_ns,
        "asked": turn.asked,
        "answered": turn.answered,
        "tools": [{"name": name, "status": status} for name, status in turn.tools],
        "error_count": trace.error_count,
        "usage": shapes.usage_json(trace.usage),
        "cost_usd": shapes.dollars(trace.cost_nanousd),
        "unpriced_calls": trace.unpriced_calls,
    }
