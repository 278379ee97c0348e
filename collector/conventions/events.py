"""What events say: those of a span, and log records that name one. OpenTelemetry has put content into both.

First generation: one event a message (`gen_ai.user.message`, …, `gen_ai.choice`), its body in the log record, or
flattened into the event's attributes. Before it: `gen_ai.content.prompt` and `gen_ai.content.completion`.
Second: one `gen_ai.client.inference.operation.details` with everything that a span would carry.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from collector.conventions.messages import message, messages
from collector.conventions.values import decoded, text
from collector.model import Message, Value

DETAILS = "gen_ai.client.inference.operation.details"
HITS = (".query.result", ".search.result")
"""How an event's name ends that says what a vector database found, one event a hit (`db.query.result`,
`db.chroma.query.result`): `vectors` reads them."""
FIRST_TOKEN = frozenset({"First Token Stream Event", "gen_ai.content.completion.chunk", "gen_ai.first_token",
                         "llm.content.completion.chunk", "first_token_received"})  # fmt: skip
_ROLES = {
    "gen_ai.system.message": "system",
    "gen_ai.developer.message": "developer",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
_JSON_FIELDS = ("message", "tool_calls", "parts")


@dataclass(slots=True)
class Said:
    """What a span's events or log records say: messages one by one, and whole sets of attributes."""

    input: list[Message] = field(default_factory=list)
    output: list[Message] = field(default_factory=list)
    attributes: dict[str, Value] = field(default_factory=dict)
    provider: str | None = None
    error_type: str | None = None
    error_message: str | None = None
    first_token_ns: int | None = None
    retrieved: bool = False


def listen(records: Iterable[tuple[str, int, Value, Mapping[str, Value]]]) -> Said:
    """`records` are (name, Unix nanoseconds, body or None, attributes), in order of time."""
    said = Said()
    for name, time_ns, body, attributes in records:
        if name == "exception":
            said.error_type = text(attributes.get("exception.type")) or said.error_type
            said.error_message = text(attributes.get("exception.message")) or said.error_message
        elif name in FIRST_TOKEN:
            if said.first_token_ns is None:
                said.first_token_ns = time_ns
        elif name.endswith(HITS):
            said.retrieved = True
        elif name.startswith("gen_ai."):
            _content(said, name, body, attributes)
    return said


def _content(said: Said, name: str, body: Value, attributes: Mapping[str, Value]) -> None:
    if name == DETAILS:
        inner = {k: v for k, v in body.items() if k.startswith("gen_ai.")} if isinstance(body, dict) else {}
        said.attributes = {**inner, **attributes, **said.attributes}  # of several, the first began with what was asked
        return
    if name == "gen_ai.content.prompt":
        said.input += messages(attributes.get("gen_ai.prompt", body), "user")
    elif name == "gen_ai.content.completion":
        said.output += messages(attributes.get("gen_ai.completion", body), "assistant")
    elif name == "gen_ai.choice":
        _heard(said.output, _choice(_body(body, attributes)))
    elif name in _ROLES:
        _heard(said.input, message(_body(body, attributes), _ROLES[name]))
    else:
        return
    said.provider = text(attributes.get("gen_ai.provider.name", attributes.get("gen_ai.system"))) or said.provider


def _heard(said: list[Message], one: Message) -> None:
    """A message; where contents are not recorded, an event says that there was one, and nothing of it."""
    if one.parts:
        said.append(one)


def _body(body: Value, attributes: Mapping[str, Value]) -> dict[str, Any]:
    """The event's body, wherever it was put: into the record, into one attribute, or over all of them."""
    inner = decoded(body if body is not None else attributes.get("gen_ai.event.content"))
    if isinstance(inner, dict):
        return inner
    if isinstance(inner, str) and inner:
        return {"content": inner}
    out: dict[str, Any] = {}
    for key, value in attributes.items():
        short = key.removeprefix("gen_ai.event.")
        if not short.startswith("gen_ai.") and short != "event.name":
            out[short] = decoded(value) if short in _JSON_FIELDS else value
    return out


def _choice(body: dict[str, Any]) -> Message:
    inner = body.get("message")
    if isinstance(inner, str | list):
        inner = {"content": inner}
    if isinstance(inner, dict):
        inner = {**{key: body[key] for key in ("tool_calls",) if key in body}, **inner}
    made = message(inner if isinstance(inner, dict) else {k: v for k, v in body.items() if k != "index"}, "assistant")
    finish = text(body.get("finish_reason")) or made.finish_reason
    return Message(made.role, made.parts, made.name, finish)
