"""A session as a conversation: each of its traces is a turn, with what was asked and what was answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from collector.errors import NotFound
from collector.model import Content, Message, Usage
from collector.store.lists import SESSION_ROW
from collector.store.reader import Reader
from collector.store.rows import SessionRow, SpanDetail, TraceRow
from collector.store.sound import sound_text

ONE_SESSION = f"select {SESSION_ROW} from sessions x where x.session_id = :session"
TURNS = """
    select t.trace_id, t.seq from traces t where t.session_id = :session
    order by t.start_ns desc, t.trace_id desc limit :limit"""
TELLING = """
    select s.span_id, s.parent_id is null, s.kind, ifnull(s.tool_name, s.name), s.status from spans s
    where s.trace_id = :trace and s.start_ns is not null and (s.parent_id is null or s.kind in ('llm', 'tool'))
    order by s.start_ns, s.span_id limit 500"""
MOST_TOOLS = 50


@dataclass(frozen=True, slots=True)
class Turn:
    """`asked` and `answered` are whole texts, None where nothing of the kind was recorded; `tools` are the (name,
    status) of the tools that ran, in order. `gap_ns` is how long it was quiet between the turn before and this one:
    None for the first, below 0 where the two overlap."""

    trace: TraceRow
    asked: str | None
    answered: str | None
    tools: tuple[tuple[str, str], ...]
    gap_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """`turns` oldest first; `earlier` of the session's traces are not among them."""

    session: SessionRow
    turns: tuple[Turn, ...]
    earlier: int


def conversation(
    reader: Reader, session_id: str, *, limit: int = 200, known: Mapping[str, Turn] | None = None
) -> Conversation:  # fmt: skip
    """The newest `limit` turns. Of `known` turns (by trace id) those are taken over whose trace did not change.

    NotFound when the file has no such session.
    """
    asked = {"session": sound_text(session_id)}
    found = reader.rows(ONE_SESSION, asked)
    if not found:
        raise NotFound(f"{reader.state.path} has no session {session_id!r}; `tracetui sessions` lists them")
    row = SessionRow(*[*found[0][:11], Usage(*found[0][11:])])
    turns: list[Turn] = []
    for trace_id, seq in reversed(reader.rows(TURNS, {**asked, "limit": limit})):
        trace = reader.trace(trace_id)
        old = (known or {}).get(trace_id)
        same = old is not None and old.trace.seq == seq and old.trace.status == trace.status
        turn = old if same and old is not None else _turn(reader, trace)
        before = turns[-1].trace if turns else None
        turns.append(Turn(trace, turn.asked, turn.answered, turn.tools, _gap(before, trace)))
    return Conversation(row, tuple(turns), max(row.trace_count - len(turns), 0))


def _gap(before: TraceRow | None, trace: TraceRow) -> int | None:
    return None if before is None else trace.start_ns - (before.end_ns or before.start_ns)


def _turn(reader: Reader, trace: TraceRow) -> Turn:
    """What the root was given and gave; else the question of the first model call and the answer of the last."""
    rows = reader.rows(TELLING, {"trace": trace.trace_id})
    root = next((row[0] for row in rows if row[1]), None)
    calls = [row[0] for row in rows if row[2] == "llm" and row[0] != root]
    tools = tuple((str(row[3] or ""), str(row[4])) for row in rows if row[2] == "tool")[:MOST_TOOLS]
    asked = answered = None
    if root is not None:
        detail = reader.span(trace.trace_id, root)
        asked, answered = _text(detail.input, "user"), _text(detail.output, "assistant")
    if asked is None:
        asked = _first(reader, trace, calls[:3], "user")
    if answered is None:
        answered = _first(reader, trace, calls[:-4:-1], "assistant")
    return Turn(trace, asked, answered, tools)


def _first(reader: Reader, trace: TraceRow, spans: Iterable[str], role: str) -> str | None:
    for span_id in spans:
        detail: SpanDetail = reader.span(trace.trace_id, span_id)
        found = _text(detail.input if role == "user" else detail.output, role)
        if found is not None:
            return found
    return None


def _text(content: Content | None, role: str) -> str | None:
    """The last message of that role that says something; else the value."""
    if content is None:
        return None
    for message in reversed(content.messages):
        if message.role == role and (said := _said(message)):
            return said
    return _value(content.value)


def _said(message: Message) -> str:
    texts: Sequence[Any] = [part.get("text") for part in message.parts if part.get("type") == "text"]
    return "".join(text for text in texts if isinstance(text, str))


def _value(value: Any) -> str | None:
    """A text, the one text of an object ({"question": …}), or JSON."""
    if value is None or value in ("", {}, []):
        return None
    if isinstance(value, dict) and len(value) == 1:
        (value,) = value.values()
    if isinstance(value, str):
        return value
    import json

    return json.dumps(value, ensure_ascii=False, default=str)
