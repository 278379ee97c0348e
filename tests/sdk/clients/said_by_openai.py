"""What OpenAI's API answers, cut down to what is read of it (shapes: platform.openai.com/docs/api-reference)."""

from __future__ import annotations

from typing import Any

USAGE = {
    "prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120,
    "prompt_tokens_details": {"cached_tokens": 40, "audio_tokens": 3},
    "completion_tokens_details": {"reasoning_tokens": 8, "audio_tokens": 2},
}  # fmt: skip
RESPONSE_USAGE = {
    "input_tokens": 50, "input_tokens_details": {"cached_tokens": 10}, "output_tokens": 9,
    "output_tokens_details": {"reasoning_tokens": 4}, "total_tokens": 59,
}  # fmt: skip
HELLO = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}]
TOOL = {
    "type": "function",
    "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}


def completion(
    text: str | None = "Hi there", id: str = "chatcmpl-1", reason: str = "stop", **message: Any
) -> dict[str, Any]:
    return {
        "id": id, "object": "chat.completion", "created": 1, "model": "gpt-4o-mini-2024-07-18",
        "choices": [{"index": 0, "finish_reason": reason, "logprobs": None,
                     "message": {"role": "assistant", "content": text, "refusal": None, **message}}],
        "usage": USAGE, "service_tier": "default",
    }  # fmt: skip


def chunk(delta: dict[str, Any] | None = None, reason: str | None = None, id: str = "chatcmpl-1", **more: Any) -> Any:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": reason}]
    head = {"id": id, "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-mini-2024-07-18"}
    return {**head, "choices": choices, **more}


def chunks(*words: str, usage: bool = True, id: str = "chatcmpl-1") -> list[Any]:
    said = [chunk({"role": "assistant", "content": ""}, id=id), *(chunk({"content": word}, id=id) for word in words)]
    return [*said, chunk({}, "stop", id=id), *([chunk(usage=USAGE, id=id)] if usage else [])]


def response(*output: Any, status: str = "completed", id: str = "resp_1", **more: Any) -> dict[str, Any]:
    return {
        "id": id, "object": "response", "created_at": 1, "status": status, "model": "gpt-4.1-2025-04-14",
        "output": list(output), "parallel_tool_calls": True, "tool_choice": "auto", "tools": [],
        "usage": RESPONSE_USAGE, **more,
    }  # fmt: skip


def said(text: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": content}


def response_events(text: str = "Hi there", **more: Any) -> list[Any]:
    empty = {"type": "message", "id": "msg_1", "role": "assistant", "status": "in_progress", "content": []}
    at = {"output_index": 0, "content_index": 0, "item_id": "msg_1"}
    part = {"type": "output_text", "text": "", "annotations": []}
    unused: Any = {**response(status="in_progress", **more), "usage": None}
    events = [
        {"type": "response.created", "response": unused},
        {"type": "response.output_item.added", "output_index": 0, "item": empty},
        {"type": "response.content_part.added", **at, "part": part},
        *({"type": "response.output_text.delta", **at, "delta": word, "logprobs": []} for word in text.split(" ")),
        {"type": "response.output_item.done", "output_index": 0, "item": said(text)},
        {"type": "response.completed", "response": response(said(text), **more)},
    ]
    return [{**event, "sequence_number": n} for n, event in enumerate(events)]
