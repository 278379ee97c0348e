"""A trace as its readers look at it: plain values of its spans, whoever keeps them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from collector.model import Document, Message, Tool, Usage, Value

NO_USAGE = Usage()


@dataclass(frozen=True, slots=True)
class Said:
    """A message and its name: equal names are equal messages (of the same role and parts)."""

    key: str
    message: Message


@dataclass(frozen=True, slots=True)
class Seen:
    """One span as the rules look at it. Fields mean what they mean in `model.Reading` and in the store's rows;
    `input_value` and `output_value` are what a side holds that is no conversation."""

    span_id: str
    parent_id: str | None = None
    name: str = ""
    kind: str = "span"
    status: str = "ok"
    start_ns: int = 0
    end_ns: int | None = None
    provider: str | None = None
    model: str | None = None
    usage: Usage = NO_USAGE
    cost_nanousd: int | None = None
    counted: bool = True
    error_type: str | None = None
    status_message: str | None = None
    agent_name: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    system: tuple[Said, ...] = ()
    input: tuple[Said, ...] = ()
    output: tuple[Said, ...] = ()
    input_value: Value = None
    output_value: Value = None
    tool: Tool | None = None
    tool_name: str | None = None
    tool_definitions: Value = None
    documents: tuple[Document, ...] = ()
    finish_reasons: tuple[str, ...] = ()
    metadata: Mapping[str, Any] | None = None


def text_of(message: Message) -> str:
    """What it says in words: its text parts."""
    return "\n".join(str(part.get("text") or "") for part in message.parts if part.get("type") == "text")


def tool_calls(said: Sequence[Said]) -> list[dict[str, Any]]:
    return [part for one in said for part in one.message.parts if part.get("type") == "tool_call"]


def tool_results(said: Sequence[Said]) -> list[dict[str, Any]]:
    return [part for one in said for part in one.message.parts if part.get("type") == "tool_result"]


def unwrapped(value: Value) -> Value:
    """Arguments without the frame that decorators put around them."""
    if isinstance(value, dict) and set(value) == {"args", "kwargs"} and not value["args"]:
        return value["kwargs"]
    return value
