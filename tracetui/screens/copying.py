"""What `y` offers of a span: ids, the value and the message under the cursor, the conversation, the span, and programs
that repeat its call. Texts are made when they are chosen: a span may hold megabytes."""

from __future__ import annotations

import json
from functools import partial

from collector.export import calls, code, markdown
from collector.export.telling import jsonable
from collector.model import Message
from collector.store.rows import SpanDetail
from tracetui import shapes
from tracetui.screens.menu import Choice
from tracetui.widgets.lines import Here, scalar
from tracetui.widgets.messages import message_values


def trace_choices(trace_id: str) -> list[Choice]:
    """Of any trace."""
    return [Choice("trace id", trace_id), Choice("command that shows it", f"tracetui show {trace_id}")]


def span_choices(span: SpanDetail, here: Here) -> list[Choice]:
    """Of the span that the inspector shows; `here` is what its cursor stands on."""
    choices: list[Choice] = []
    if here.value is not None:
        choices.append(
            Choice(f"value {here.name}".rstrip(), make=partial(as_text, here.value), about=_begin(here.value))
        )
    message = here.message or _last(span)
    if message is not None:
        about = f"{message.role}: {_begin(said(message))}"
        choices.append(Choice("message", make=partial(said, message), about=about))
    if span.input is not None or span.output is not None or span.tool is not None:
        choices.append(Choice("conversation, Markdown", make=partial(markdown.conversation, span), about="all of it"))
    for name, side in (("input", span.input), ("output", span.output)):
        if side is not None:
            value = message_values(side.messages) if side.messages else side.value
            choices.append(Choice(name, make=partial(as_text, value), about=_begin(value)))
    choices.append(Choice("span id", span.row.span_id))
    choices.append(
        Choice("span as JSON", make=lambda: as_text(shapes.span_json(span)), about="as `tracetui show … --json`")
    )
    return choices + _programs(span)


def _programs(span: SpanDetail) -> list[Choice]:
    if span.row.kind not in ("llm", "embedding"):
        return []
    about = f"{span.row.name} (span {span.row.span_id})"

    def curl() -> str:
        return code.curl(calls.call_of(span))

    def python() -> str:
        return code.python(calls.call_of(span), about)

    def pytest() -> str:
        return code.pytest(calls.call_of(span), about)

    made = (("curl", curl), ("Python", python), ("pytest", pytest))
    return [Choice(name, make=make, about="repeats this call; keys stay in the environment") for name, make in made]


def said(message: Message) -> str:
    """A message as one would paste it: its text, and its calls and results as JSON; not what it thought before."""
    texts = []
    for part in message.parts:
        kind = part.get("type")
        if kind == "text" or (kind == "reasoning" and len(message.parts) == 1):
            texts.append(str(part.get("text") or ""))
        elif kind == "reasoning":
            continue
        elif kind == "tool_call":
            texts.append(f"{part.get('name')}({as_text(part.get('arguments'))})")
        else:
            texts.append(as_text(part.get("result", part) if kind == "tool_result" else part))
    return "\n\n".join(texts)


def _last(span: SpanDetail) -> Message | None:
    """The answer, else what was asked last."""
    for side in (span.output, span.input):
        if side is not None and side.messages:
            return side.messages[-1]
    return None


def as_text(value: object) -> str:
    """A value as it is pasted: text as it is, anything else as JSON."""
    value = scalar(value)
    return value if isinstance(value, str) else json.dumps(jsonable(value), ensure_ascii=False, indent=2, default=str)


def _begin(value: object) -> str:
    """Enough of a value for one line of a menu."""
    if isinstance(value, list | dict):
        what = ("message", "messages") if value and _is_message(value) else ("entry", "entries")
        return f"{len(value)} {what[len(value) != 1]}"
    return as_text(value)[:200]


def _is_message(value: list[object] | dict[str, object]) -> bool:
    return isinstance(value, list) and isinstance(value[0], dict) and "role" in value[0]
