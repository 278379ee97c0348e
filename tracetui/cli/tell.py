"""A trace told as text: its tree, its messages, one span. Pure: rows in, harmless lines out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from collector.export.telling import jsonable
from collector.model import Content, Message, Usage
from collector.store.rows import SpanDetail, SpanRow, TraceRow
from tracetui import format as fmt
from tracetui.cli.traces import cost, tokens
from tracetui.pieces import unwrapped

LABEL_CELLS = 11
GLYPHS = fmt.UNICODE


def heading(row: TraceRow) -> str:
    """One line: state, name, session and user, duration, calls, tokens, cost."""
    facts = [
        fmt.plain(row.name or row.trace_id),
        *(fmt.plain(word) for word in (row.session_id, row.user_id, row.environment) if word),
        fmt.duration(row.duration_ns, running=row.status == "running"),
        f"{row.llm_calls} LLM  {row.tool_calls} tool",
        f"{tokens(row.usage)} tok",
        cost(row.cost_nanousd, row.unpriced_calls),
    ]
    return f"{GLYPHS.states[row.status]} " + "  ".join(facts)


def tree_lines(nodes: Iterable[tuple[int, SpanRow | None, str]]) -> list[str]:
    """A line a node of a tree in pre-order: (depth, row or None for a span that never came, its id)."""
    listed = list(nodes)
    branches = _branches([depth for depth, _, _ in listed])
    return [
        branch + (span_line(row) if row else f"{GLYPHS.ghost} (span {fmt.plain(span_id)} has not come)")
        for branch, (_, row, span_id) in zip(branches, listed, strict=True)
    ]


def _branches(depths: Sequence[int]) -> list[str]:
    """The lines drawn before each node; walks backwards, so that it knows whether a sibling follows."""
    out: list[str] = []
    open_levels: set[int] = set()
    for depth in reversed(depths):
        open_levels = {level for level in open_levels if level <= depth}
        rails = "".join("│   " if level in open_levels else "    " for level in range(1, depth))
        turn = ("├── " if depth in open_levels else "└── ") if depth else ""
        out.append(rails + turn)
        open_levels.add(depth)
    return out[::-1]


def span_line(row: SpanRow) -> str:
    """Glyph, name, model, duration, tokens and cost, and what went wrong."""
    took = None if row.end_ns is None else row.end_ns - row.start_ns
    facts = [f"{GLYPHS.kinds.get(row.kind, GLYPHS.dot)} {fmt.plain(row.name)}"]
    if row.model and row.model not in row.name:
        facts.append(fmt.plain(row.model))
    facts.append(fmt.duration(took, running=row.status == "running"))
    if row.input_tokens is not None or row.output_tokens is not None:
        facts.append(f"{tokens(Usage(row.input_tokens, row.output_tokens))} tok")
    if row.cost_nanousd is not None:
        facts.append(fmt.money(row.cost_nanousd))
    if row.status == "error":
        facts.append(f"{GLYPHS.states['error']} {fmt.plain(row.status_message or row.error_type or 'failed')}")
    elif row.status == "abandoned":
        facts.append(f"{GLYPHS.states['abandoned']} abandoned")
    return "  ".join(facts)


def conversation_lines(spans: Iterable[SpanDetail]) -> Iterator[str]:
    """The messages of every span that has some; what an earlier span already said is not said again."""
    said: set[str] = set()
    for span in spans:
        messages = [*span.system, *_messages(span.input), *_messages(span.output)]
        keys = [json.dumps(jsonable([m.role, m.name, m.parts]), sort_keys=True) for m in messages]
        new = [message for message, key in zip(messages, keys, strict=True) if key not in said]
        said.update(keys)
        if not new:
            continue
        yield span_line(span.row)
        if len(new) < len(messages):
            yield f"  ({len(messages) - len(new)} earlier messages)"
        for message in new:
            yield from message_lines(message)
        yield ""


def _messages(content: Content | None) -> tuple[Message, ...]:
    return content.messages if content else ()


def message_lines(message: Message) -> Iterator[str]:
    label = message.role
    for part in message.parts:
        for line in part_lines(part):
            yield f"  {fmt.fit(fmt.plain(label), LABEL_CELLS)}{line}".rstrip()
            label = ""
    if not message.parts:
        yield f"  {fmt.plain(label)}"


def part_lines(part: dict[str, Any]) -> list[str]:
    """One part of a message as lines."""
    kind = part.get("type")
    if kind == "text":
        return fmt.plain_lines(str(part.get("text") or ""))
    if kind == "reasoning":
        return [f"(reasoning) {line}" for line in fmt.plain_lines(str(part.get("text") or ""))]
    if kind == "tool_call":
        return [fmt.plain(f"{GLYPHS.kinds['tool']} {part.get('name')}({compact(part.get('arguments'))})")]
    if kind == "tool_result":
        return fmt.plain_lines(f"{GLYPHS.arrow} {compact(part.get('result'))}")
    shown = {key: value for key, value in part.items() if key not in ("type", "data")} if kind != "data" else part
    return [fmt.plain(f"[{kind}] {compact(shown)}")]


def compact(value: object) -> str:
    """A value on one line: text as it is, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(jsonable(value), ensure_ascii=False)


def span_lines(span: SpanDetail) -> Iterator[str]:
    """Everything about one span: its line, its facts, its content, its attributes."""
    for part in (span_facts, span_messages, span_raw):
        yield from part(span)


def span_facts(span: SpanDetail) -> Iterator[str]:
    yield span_line(span.row)
    for note in span.notes:
        yield f"  {GLYPHS.warn} {fmt.plain(note)}"
    yield from _fields({"trace": span.row.trace_id, "span": span.row.span_id, "parent": span.row.parent_id})
    yield from _fields({"started": fmt.clock(span.row.start_ns), "session": span.row.session_id})
    yield from _fields({"user": span.row.user_id, "provider": span.row.provider, "model": span.row.model})
    if span.tool:
        arguments = compact(unwrapped(span.tool.arguments))
        yield from _fields({"tool": f"{span.tool.name}({arguments})", "result": span.tool.result})
    for title, content in (("input", span.input), ("output", span.output)):
        if content and content.value is not None:
            yield from _fields({title: content.value})


def span_messages(span: SpanDetail) -> Iterator[str]:
    for message in (*span.system, *_messages(span.input), *_messages(span.output)):
        yield from message_lines(message)


def span_raw(span: SpanDetail) -> Iterator[str]:
    """Its attributes and events as they came."""
    for title, values in (("attributes", span.attributes), ("resource", span.resource.attributes)):
        if values:
            yield title
            yield from _fields(dict(values))
    for event in span.events:
        yield f"event {fmt.plain(event.name)}"
        yield from _fields(dict(event.attributes))


def _fields(values: dict[str, Any]) -> Iterator[str]:
    for name, value in values.items():
        if value is None:
            continue
        lines = fmt.plain_lines(compact(value))
        yield f"  {fmt.plain(name)}  {lines[0]}"
        yield from (f"    {line}" for line in lines[1:])
