"""Makers of traces to look at: spans follow one another, a second each."""

from __future__ import annotations

import json
from typing import Any

from collector.model import Message, Tool, Usage
from collector.seen import Said, Seen
from collector.signals import Limits, Signal, detect
from tests.builders import T0

S = 1_000_000_000


def said(role: str, *parts: str | dict[str, Any]) -> Said:
    full = tuple({"type": "text", "text": part} if isinstance(part, str) else part for part in parts)
    return Said(json.dumps([role, full], default=str), Message(role, full))


def user(text: str) -> Said:
    return said("user", text)


def assistant(text: str) -> Said:
    return said("assistant", text)


def call(name: str, arguments: Any, call_id: str | None = None) -> dict[str, Any]:
    return {"type": "tool_call", "id": call_id, "name": name, "arguments": arguments}


def asks(name: str, arguments: Any, call_id: str | None = None) -> Said:
    return said("assistant", call(name, arguments, call_id))


def result(value: Any, call_id: str | None = None) -> Said:
    return said("tool", {"type": "tool_result", "id": call_id, "result": value})


def span(n: int, kind: str = "span", **fields: Any) -> Seen:
    fields = {"parent_id": "0", "name": f"{kind} {n}", "start_ns": T0 + n * S, "end_ns": T0 + n * S + S // 2, **fields}
    return Seen(f"{n}", kind=kind, **fields)


def root(**fields: Any) -> Seen:
    return Seen("0", name="agent", kind="agent", start_ns=T0, **{"end_ns": T0 + 1000 * S, **fields})


def llm(
    n: int, *messages: Said, out: Said | None = None, tokens: tuple[int, int] | None = (100, 10), **fields: Any
) -> Seen:
    usage = Usage(*tokens) if tokens else Usage()
    fields = {"model": "gpt-4o-mini", "usage": usage, **fields}
    return span(n, "llm", input=messages, output=(out,) if out else (), **fields)


def tool(n: int, name: str, arguments: Any, answer: Any = None, **fields: Any) -> Seen:
    call_id = fields.pop("call_id", None)
    return span(n, "tool", tool=Tool(name, call_id, arguments, answer), tool_name=name, **fields)


def found(*spans: Seen, limits: Limits | None = None, **more: Any) -> list[Signal]:
    """The signals of a trace with a root of its own."""
    return detect([root(), *spans], limits, **more)


def kinds(*spans: Seen, limits: Limits | None = None, **more: Any) -> list[str]:
    return [one.kind for one in found(*spans, limits=limits, **more)]
