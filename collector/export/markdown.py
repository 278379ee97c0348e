"""Traces and conversations as Markdown.

In a file of whole traces every foreign text stands in a fence: nothing in it is a heading, a link or a picture that a
viewer would fetch. A single conversation, for pasting, has its messages as they were written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from collector.export.plainly import json_text, line, visible
from collector.export.telling import facts, jsonable, sides, trace_facts
from collector.export.whole import Told
from collector.model import Message
from collector.store.rows import SpanDetail

_ACTIVE = re.compile(r"([\\`*_\[\]#|<>&])")


def trace(told: Told) -> Iterator[tuple[int, bytes]]:
    """(spans in it, text of it): what the trace is, then each of its spans."""
    head = [f"# {escaped(told.row.name or told.row.trace_id)}", ""]
    head += [f"- {name}: {escaped(value)}" for name, value in trace_facts(told.row)]
    for score in told.scores:
        given = score.label if score.value is None else f"{score.value:g}"
        head.append(f"- score {escaped(score.name)}: {escaped(str(given))}")
    yield 0, _bytes([*head, ""])
    for depth, span in told.spans:
        yield 1, _bytes(_span(depth, span))


def _span(depth: int, span: SpanDetail) -> Iterator[str]:
    """A span: its heading (six levels are all there are), what it took, what went in and out."""
    row = span.row
    yield f"{'#' * min(depth + 2, 6)} {escaped(row.name)}"
    yield ""
    yield escaped(" · ".join([*facts(span), f"span {row.span_id}"]))
    yield ""
    if row.status == "error" or row.error_type:
        said = ": ".join(text for text in (row.error_type, row.status_message) if text) or "failed"
        yield from [fenced(said), ""]
    for title, messages, value in sides(span):
        yield from [f"**{title}**", ""]
        if messages:
            yield from (text for message in messages for text in [*_message(message, fence=True), ""])
        else:
            yield from [fenced(_text(value), "" if isinstance(value, str) else "json"), ""]
    for document in span.documents:
        score = "" if document.score is None else f" {document.score:.3g}"
        yield from [f"document{score} {escaped(document.id or '')}", "", fenced(document.content or ""), ""]


def conversation(span: SpanDetail) -> str:
    """What was said to the model of a span, and what it said, as Markdown."""
    said = [*span.system]
    for _, messages, value in sides(span):
        said += [message for message in messages if message not in span.system]
        if not messages and value is not None:
            said.append(Message("value", ({"type": "text", "text": _text(value)},)))
    texts = ["\n".join(_message(message, fence=False)) for message in said]
    return "\n\n".join(texts) + "\n" if texts else "(nothing was recorded)\n"


def _message(message: Message, *, fence: bool) -> list[str]:
    named = f" {line(message.name)}" if message.name else ""
    out = [f"**{escaped(line(message.role) + named)}**", ""]
    for part in message.parts:
        out += [_part(part, fence), ""]
    return out[:-1] if message.parts else out


def _part(part: dict[str, Any], fence: bool) -> str:
    kind = part.get("type")
    if kind == "text":
        text = visible(str(part.get("text") or ""))
        return fenced(text) if fence else text
    if kind == "reasoning":
        return "*reasoning*\n\n" + fenced(str(part.get("text") or ""))
    if kind == "tool_call":
        return f"calls `{_code(part.get('name'))}`\n\n" + fenced(_text(part.get("arguments")), "json")
    if kind == "tool_result":
        result = part.get("result")
        return "result\n\n" + fenced(_text(result), "" if isinstance(result, str) else "json")
    if kind in ("image", "audio", "file"):
        about = " ".join(line(str(part[key])) for key in ("mime_type", "name", "file_id") if part.get(key))
        url = str(part.get("url") or "")
        return f"[{kind}] `{_code(about)}`" + (f" `{_code(url)}`" if url and not url.startswith("data:") else "")
    return fenced(_text(part), "json")


def fenced(text: str, language: str = "") -> str:
    """Text in a fence that it cannot close."""
    text = visible(text)
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(longest + 1, 3)
    return f"{fence}{language}\n{text}\n{fence}"


def escaped(text: str) -> str:
    """One line in which nothing is Markdown."""
    return _ACTIVE.sub(r"\\\1", line(text))


def _code(value: Any) -> str:
    return line(str(value)).replace("`", "'")


def _text(value: Any) -> str:
    if isinstance(value, str):
        try:
            decoded = json.loads(value) if value[:1] in ("{", "[") else value
        except ValueError:
            decoded = value
        return decoded if isinstance(decoded, str) else json_text(decoded)
    return json_text(jsonable(value))


def _bytes(lines: Iterable[str]) -> bytes:
    return ("\n".join(lines) + "\n").encode("utf-8", "replace")
