"""OpenAI's Responses API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collector.conventions.messages import is_message
from collector.protocols.llm import Said
from collector.protocols.llm.chat import params
from collector.protocols.llm.plainly import fields, plain, text, told

_NO_PARAMS = frozenset({"model", "input", "instructions", "tools", "prompt"})
UNDER_WAY = frozenset({"queued", "in_progress"})
"""What is asked for in the background is answered at once, with one of these; its answer is fetched later."""
_WHOLE = frozenset({"response.completed", "response.incomplete", "response.failed"})
_PIECES = {
    "response.output_text.delta": "text", "response.refusal.delta": "text",
    "response.function_call_arguments.delta": "arguments", "response.mcp_call_arguments.delta": "arguments",
    "response.custom_tool_call_input.delta": "input",
    "response.reasoning_summary_text.delta": "summary", "response.reasoning_text.delta": "summary",
}  # fmt: skip


def asked(body: dict[str, Any]) -> Said:
    given = body.get("input")
    prompt = body.get("prompt")
    prompt = prompt if isinstance(prompt, dict) else {}
    return {
        "input": items(given) if isinstance(given, list) else given,
        "system": body.get("instructions"),
        "tool_definitions": body.get("tools"),
        "params": params(body, _NO_PARAMS),
        "prompt_name": text(prompt.get("id")),
        "prompt_version": text(prompt.get("version")),
    }


def items(given: list[Any]) -> list[Any]:
    """Items as messages: thoughts that hold nothing readable are left out, on the way in as on the way back."""
    kept = [one for one in given if not _empty_thought(one)]
    return [one if is_message(one) else {"role": "assistant", "content": [one]} for one in kept]


def _empty_thought(item: Any) -> bool:
    return (
        isinstance(item, dict)
        and item.get("type") == "reasoning"
        and not item.get("summary")
        and not item.get("content")
    )


def answered(answer: Any) -> Said:
    said = told(answer)
    status = said.get("status")
    reason = fields(said.get("incomplete_details")).get("reason") or (None if status in UNDER_WAY else status)
    error = fields(said.get("error"))
    return {
        "model": text(said.get("model")),
        "response_id": text(said.get("id")),
        "output": items(said.get("output") or []) or None,
        "finish_reasons": [str(reason)] if reason else None,
        "usage": fields(said.get("usage")) or None,
        "status": "error" if status == "failed" else None,
        "status_message": text(error.get("message")),
        "attributes": _kept(said),
    }


def _kept(said: dict[str, Any]) -> dict[str, Any]:
    names = ("service_tier", "status", "completed_at") if said.get("background") is True else ("service_tier",)
    return {f"openai.response.{name}": said[name] for name in names if type(said.get(name)) in (str, int)}


def is_under_way(attributes: Mapping[str, Any]) -> bool:
    """Whether the answer that these attributes are of is still being made in the background."""
    return attributes.get("openai.response.status") in UNDER_WAY


def completed_at(attributes: Mapping[str, Any]) -> int | None:
    """When it was done (Unix seconds), where it was made in the background and says so."""
    told = attributes.get("openai.response.completed_at")
    return told if type(told) is int else None


class ResponseGather:
    """A streamed response. It comes whole with its last event; until then, item by item and piece by piece."""

    def __init__(self) -> None:
        self.complete = False
        self.whole: Any = None
        self.items: dict[int, Any] = {}
        self.done: set[int] = set()
        self.pieces: dict[int, tuple[str, list[str]]] = {}

    def take(self, item: Any) -> bool:
        event = fields(item)
        kind, index = event.get("type"), event.get("output_index") or 0
        piece = _PIECES.get(kind) if isinstance(kind, str) else None
        if piece is not None:
            self.pieces.setdefault(index, (piece, []))[1].append(event.get("delta") or "")
            return True
        if kind in ("response.output_item.added", "response.output_item.done"):
            self.items[index] = plain(event.get("item"))
            if kind == "response.output_item.done":
                self.done.add(index)
        elif event.get("response") is not None:
            self.whole = event["response"]
            self.complete = kind in _WHOLE
        return False

    def said(self) -> Said:
        said = answered(self.whole) if self.whole is not None else {}
        if self.complete:
            return said
        so_far = [self.item(index) for index in sorted(self.items.keys() | self.pieces.keys())]
        return {**said, "output": items(so_far) or None, "finish_reasons": None}

    def item(self, index: int) -> Any:
        found = self.items.get(index) or {"type": "message", "role": "assistant"}
        if index in self.done or index not in self.pieces:
            return found
        piece, texts = self.pieces[index]
        joined = "".join(texts)
        if piece == "text":
            return {**found, "content": [{"type": "output_text", "text": joined}]}
        if piece == "summary":
            return {**found, "type": "reasoning", "summary": [{"type": "summary_text", "text": joined}]}
        return {**found, piece: joined}
