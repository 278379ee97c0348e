"""Bedrock's Converse (docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html), and Anthropic's
models through InvokeModel. The model is in the path, and no answer names it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from collector.protocols.llm import Endpoint, Said, anthropic
from collector.protocols.llm.chat import params
from collector.protocols.llm.plainly import fields, plain, text, told

_NO_PARAMS = frozenset({"messages", "system", "toolConfig", "inferenceConfig"})
_PROVIDER = "aws.bedrock"


def asked(body: dict[str, Any]) -> Said:
    tools = fields(body.get("toolConfig"))
    config = {**fields(body.get("inferenceConfig")), **{n: v for n, v in tools.items() if n != "tools"}}
    return {
        "input": {"system": body.get("system"), "messages": body.get("messages")},
        "tool_definitions": tools.get("tools"),
        "params": {**(params(body, _NO_PARAMS) or {}), **plain(config)} or None,
    }


def answered(answer: Any) -> Said:
    said = told(answer)
    message = fields(fields(said.get("output")).get("message"))
    reason, latency = text(said.get("stopReason")), fields(said.get("metrics")).get("latencyMs")
    return {
        "output": [message] if message.get("content") else None,
        "finish_reasons": [reason] if reason else None,
        "usage": usage_of(fields(said.get("usage"))),
        "attributes": {"bedrock.latency_ms": latency} if isinstance(latency, int) else {},
    }


def usage_of(usage: dict[str, Any]) -> dict[str, Any] | None:
    """Tokens in our meaning: what was read from the cache or written to it is counted beside `inputTokens`
    (docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html)."""
    given, read, written = (
        usage.get(name) for name in ("inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens")
    )
    found = {
        "input_tokens": given + (read or 0) + (written or 0) if isinstance(given, int) else None,
        "output_tokens": usage.get("outputTokens"),
        "cache_read_tokens": read,
        "cache_write_tokens": written,
    }
    return {name: value for name, value in found.items() if value is not None} or None


class Gather:
    """ConverseStream's events, each under its name: {"contentBlockDelta": {…}}."""

    def __init__(self) -> None:
        self.complete = False
        self.frame: dict[str, Any] = {}
        self.blocks: dict[int, dict[str, Any]] = {}

    def take(self, item: Any) -> bool:
        for kind, given in fields(item).items():
            event = fields(given)
            index = event.get("contentBlockIndex") or 0
            if kind == "contentBlockStart":
                self.blocks[index] = {name: {**fields(one)} for name, one in fields(event.get("start")).items()}
            elif kind == "contentBlockDelta":
                return self.delta(self.blocks.setdefault(index, {}), fields(event.get("delta")))
            elif kind == "messageStop":
                self.frame["stopReason"] = event.get("stopReason")
                self.complete = True
            elif kind == "metadata":
                self.frame.update(plain(event))
        return False

    def delta(self, block: dict[str, Any], delta: dict[str, Any]) -> bool:
        if piece := text(delta.get("text")):
            block.setdefault("text", []).append(piece)
        elif piece := text(fields(delta.get("toolUse")).get("input")):
            block.setdefault("toolUse", {}).setdefault("input", []).append(piece)
        elif piece := text(fields(delta.get("reasoningContent")).get("text")):
            block.setdefault("reasoning", []).append(piece)
        else:
            return False
        return True

    def said(self) -> Said:
        content = [_whole(self.blocks[index]) for index in sorted(self.blocks)]
        return answered({**self.frame, "output": {"message": {"role": "assistant", "content": content}}})


def _whole(block: dict[str, Any]) -> dict[str, Any]:
    whole = dict(block)
    if isinstance(pieces := whole.get("text"), list):
        whole["text"] = "".join(pieces)
    if isinstance(pieces := whole.pop("reasoning", None), list):
        whole["reasoningContent"] = {"reasoningText": {"text": "".join(pieces)}}
    if isinstance(pieces := fields(whole.get("toolUse")).get("input"), list):
        whole["toolUse"] = {**whole["toolUse"], "input": "".join(pieces)}
    return whole


_CLAUDE = Endpoint("chat", "llm", anthropic.asked, anthropic.answered, anthropic.MessageGather, _PROVIDER)
_ON_VERTEX = replace(_CLAUDE, provider="gcp.vertex_ai")
ENDPOINTS = {
    "/converse": Endpoint("chat", "llm", asked, answered, Gather, _PROVIDER),
    "/converse-stream": Endpoint("chat", "llm", asked, answered, Gather, _PROVIDER),
}
OF_ANTHROPIC = {
    "/invoke": _CLAUDE, "/invoke-with-response-stream": _CLAUDE,
    ":rawPredict": _ON_VERTEX, ":streamRawPredict": _ON_VERTEX,
}  # fmt: skip
"""Where the path names one of Anthropic's models; Vertex AI's too."""
