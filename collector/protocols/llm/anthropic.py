"""Anthropic's messages."""

from __future__ import annotations

from typing import Any

from collector.protocols.llm import Endpoint, Said
from collector.protocols.llm.chat import params
from collector.protocols.llm.plainly import fields, plain, text, told

_NO_PARAMS = frozenset({"model", "messages", "system", "tools"})
_ADDED = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}


def asked(body: dict[str, Any]) -> Said:
    return {
        "input": {"system": body.get("system"), "messages": body.get("messages")},
        "tool_definitions": body.get("tools"),
        "params": params(body, _NO_PARAMS),
    }


def answered(answer: Any) -> Said:
    said = told(answer)
    content, usage, reason = said.get("content"), said.get("usage"), text(said.get("stop_reason"))
    usage = usage if isinstance(usage, dict) else {}
    kept = {f"anthropic.usage.{name}": value for name, value in usage.items() if type(value) in (int, str)}
    return {
        "model": text(said.get("model")),
        "response_id": text(said.get("id")),
        "output": [{"role": "assistant", "content": content}] if content else None,
        "finish_reasons": [reason] if reason else None,
        "usage": usage_of(usage),
        "attributes": kept,
    }


def usage_of(usage: dict[str, Any]) -> dict[str, int] | None:
    """Tokens in our meaning. Anthropic counts what was read from the cache or written to it beside `input_tokens`
    (docs: "total input tokens = cache_read_input_tokens + cache_creation_input_tokens + input_tokens")."""
    read, written = usage.get("cache_read_input_tokens"), usage.get("cache_creation_input_tokens")
    given = usage.get("input_tokens")
    found = {
        "input_tokens": None if given is None else given + (read or 0) + (written or 0),
        "output_tokens": usage.get("output_tokens"),
        "cache_read_tokens": read,
        "cache_write_tokens": written,
        "reasoning_tokens": fields(usage.get("output_tokens_details")).get("thinking_tokens"),
    }
    return {name: value for name, value in found.items() if value is not None} or None


class MessageGather:
    """A streamed message: https://docs.anthropic.com/en/docs/build-with-claude/streaming."""

    def __init__(self) -> None:
        self.complete = False
        self.message: dict[str, Any] = {}
        self.blocks: dict[int, dict[str, Any]] = {}
        self.added: dict[tuple[int, str], list[str]] = {}

    def take(self, item: Any) -> bool:
        event = fields(item)
        kind, index = event.get("type"), event.get("index") or 0
        if kind == "content_block_delta":
            return self.delta(index, fields(event.get("delta")))
        if kind == "content_block_start":
            self.blocks[index] = plain(event.get("content_block"))
        elif kind == "message_start":
            self.message = plain(event.get("message"))
        elif kind == "message_delta":
            usage = {**self.message.get("usage", {}), **plain(fields(event.get("usage")))}
            self.message = {**self.message, **plain(fields(event.get("delta"))), "usage": usage}
            self.complete = bool(self.message.get("stop_reason"))
        elif kind == "message_stop":
            self.complete = True
        return False

    def delta(self, index: int, delta: dict[str, Any]) -> bool:
        name = _ADDED.get(delta.get("type") or "")
        if name is None:
            return False
        self.added.setdefault((index, name), []).append(delta.get(name) or "")
        return True

    def said(self) -> Said:
        blocks = {index: dict(block) for index, block in self.blocks.items()}
        for (index, name), pieces in self.added.items():
            block, joined = blocks.setdefault(index, {"type": "text"}), "".join(pieces)
            if name == "partial_json":
                block["input"] = joined or block.get("input")
            else:
                block[name] = (block.get(name) or "") + joined
        return answered({**self.message, "content": [blocks[index] for index in sorted(blocks)]})


ENDPOINTS = {"/v1/messages": Endpoint("chat", "llm", asked, answered, MessageGather, "anthropic")}
