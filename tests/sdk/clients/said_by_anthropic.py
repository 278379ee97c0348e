"""What Anthropic's API answers, cut down to what is read of it (shapes: docs.anthropic.com/en/api/messages)."""

from __future__ import annotations

from typing import Any

USAGE = {
    "input_tokens": 10, "cache_read_input_tokens": 900, "cache_creation_input_tokens": 90, "output_tokens": 25,
}  # fmt: skip
HELLO = [{"role": "user", "content": "Hello"}]
THOUGHT = {"type": "thinking", "thinking": "They greet me.", "signature": "c2ln"}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "京都"}}


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said, "citations": None}


def message(*content: Any, reason: str | None = "end_turn", **more: Any) -> dict[str, Any]:
    return {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-haiku-4-5-20251001",
        "content": list(content), "stop_reason": reason, "stop_sequence": None, "usage": USAGE, **more,
    }  # fmt: skip


def events(*blocks: Any, reason: str = "end_turn") -> list[Any]:
    """The blocks as a stream tells them, each text in two pieces."""
    said = [{"type": "message_start", "message": message(reason=None, usage={**USAGE, "output_tokens": 1})}]
    for index, block in enumerate(blocks):
        empty, deltas = _in_pieces(block)
        said.append({"type": "content_block_start", "index": index, "content_block": empty})
        said += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        said.append({"type": "content_block_stop", "index": index})
    usage = {"output_tokens": 25}
    said.append({"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None}, "usage": usage})
    return [*said, {"type": "message_stop"}]


def _in_pieces(block: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    kind = block["type"]
    if kind == "tool_use":
        first, second = '{"city": "', f'{block["input"]["city"]}"}}'
        deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in ("", first, second)]
        return {**block, "input": {}}, deltas
    name, delta = ("thinking", "thinking_delta") if kind == "thinking" else ("text", "text_delta")
    half = len(block[name]) // 2
    deltas = [{"type": delta, name: block[name][:half]}, {"type": delta, name: block[name][half:]}]
    if kind == "thinking":
        deltas.append({"type": "signature_delta", "signature": block["signature"]})
        return {**block, "thinking": "", "signature": ""}, deltas
    return {**block, "text": ""}, deltas
