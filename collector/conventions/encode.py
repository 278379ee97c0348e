"""Our reading as attributes others can read: `gen_ai.*` where OpenTelemetry has a name, OpenInference's elsewhere.

The inverse of `read`, for spans of our own SDK that leave as OTLP. Messages are written as the JSON that OpenTelemetry
specifies; https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import orjson

from collector.conventions.names import OPENINFERENCE_KINDS, OPERATIONS
from collector.model import Content, Document, Message, Reading, Value

_OPERATION_OF_KIND = {
    "llm": "chat", "embedding": "embeddings", "tool": "execute_tool", "agent": "invoke_agent",
    "chain": "invoke_workflow", "retriever": "retrieval", "reranker": "rerank",
}  # fmt: skip
_NAMES = {
    "provider": "gen_ai.provider.name",
    "request_model": "gen_ai.request.model",
    "response_id": "gen_ai.response.id",
    "prompt_name": "gen_ai.prompt.name",
    "prompt_version": "gen_ai.prompt.version",
    "agent_name": "gen_ai.agent.name",
    "session_id": "session.id",
    "user_id": "user.id",
    "error_type": "error.type",
    "status_message": "error.message",
    "environment": "deployment.environment.name",
    "release": "service.version",
    "project": "openinference.project.name",
    "level": "tracetui.level",
    "replay_of": "tracetui.replay_of",
}
_TOKENS = {
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "cache_read_tokens": "gen_ai.usage.cache_read.input_tokens",
    "cache_write_tokens": "gen_ai.usage.cache_creation.input_tokens",
    "reasoning_tokens": "gen_ai.usage.reasoning.output_tokens",
    "audio_input_tokens": "gen_ai.usage.audio.input_tokens",
    "audio_output_tokens": "gen_ai.usage.audio.output_tokens",
}
_JSON = orjson.OPT_NON_STR_KEYS


def encode(reading: Reading) -> dict[str, Value]:
    """Attributes from which `read` gets the same fields back (not `convention`, `service` and `notes`)."""
    out: dict[str, Value] = {}
    _encode_kind(reading, out)
    for field, key in _NAMES.items():
        value = getattr(reading, field)
        if value is not None:
            out[key] = value
    if reading.model is not None and reading.model != reading.request_model:
        out["gen_ai.response.model"] = reading.model
    for name, param in (reading.params or {}).items():
        out[f"gen_ai.request.{name}"] = param
    if reading.usage is not None:
        for field, key in _TOKENS.items():
            count = getattr(reading.usage, field)
            if count is not None:
                out[key] = count
    if reading.cost_nanousd is not None:
        out["gen_ai.usage.cost"] = reading.cost_nanousd / 1e9
    if reading.ttft_ns is not None:
        out["gen_ai.response.time_to_first_chunk"] = reading.ttft_ns / 1e9
    if reading.finish_reasons:
        out["gen_ai.response.finish_reasons"] = list(reading.finish_reasons)
    if reading.tags:
        out["tag.tags"] = list(reading.tags)
    if reading.metadata:
        out["metadata"] = _json(reading.metadata)
    _encode_content(reading, out)
    return out


def _encode_kind(reading: Reading, out: dict[str, Value]) -> None:
    operation = reading.operation or _OPERATION_OF_KIND.get(reading.kind or "")
    if operation is not None:
        out["gen_ai.operation.name"] = operation
    spelt = (reading.kind or "").upper()
    if spelt in OPENINFERENCE_KINDS and OPERATIONS.get(str(operation).lower()) != reading.kind:
        out["openinference.span.kind"] = spelt


def _encode_content(reading: Reading, out: dict[str, Value]) -> None:
    leading: tuple[Message, ...] = ()
    if len(reading.system) == 1 and reading.system[0].role == "system" and reading.system[0].name is None:
        out["gen_ai.system_instructions"] = _json([_part(part) for part in reading.system[0].parts])
    else:
        leading = reading.system
    said_in = leading + (reading.input.messages if reading.input else ())
    if said_in:
        out["gen_ai.input.messages"] = _json(_messages(said_in))
    if reading.output and reading.output.messages:
        out["gen_ai.output.messages"] = _json(_messages(reading.output.messages))
    _side("input", reading.input, out)
    _side("output", reading.output, out)
    tool = reading.tool
    if tool is not None:
        for key, value in (
            ("name", tool.name),
            ("call.id", tool.call_id),
            ("call.arguments", _text(tool.arguments)),
            ("call.result", _text(tool.result)),
        ):
            if value is not None:
                out[f"gen_ai.tool.{key}"] = value
    if reading.tool_definitions is not None:
        out["gen_ai.tool.definitions"] = _json(reading.tool_definitions)
    if reading.documents:
        out["gen_ai.retrieval.documents"] = _json([_document(document) for document in reading.documents])


def _side(name: str, content: Content | None, out: dict[str, Value]) -> None:
    if content is None or content.messages or content.value is None:
        return
    if isinstance(content.value, str):
        out[f"{name}.value"], out[f"{name}.mime_type"] = content.value, "text/plain"
    else:
        out[f"{name}.value"], out[f"{name}.mime_type"] = _json(content.value), "application/json"


def _messages(said: Iterable[Message]) -> list[dict[str, Any]]:
    return [
        {
            "role": message.role,
            "parts": [_part(part) for part in message.parts],
            **({"name": message.name} if message.name is not None else {}),
            **({"finish_reason": message.finish_reason} if message.finish_reason is not None else {}),
        }
        for message in said
    ]


def _part(part: dict[str, Any]) -> dict[str, Any]:
    kind = part.get("type")
    if kind in ("text", "reasoning"):
        return {"type": kind, "content": part.get("text")}
    if kind == "tool_result":
        named = {"name": part["name"]} if part.get("name") else {}
        return {"type": "tool_call_response", "id": part.get("id"), "response": part.get("result"), **named}
    if kind in ("image", "audio", "file"):
        head = {"modality": kind, **{key: value for key, value in part.items() if key not in ("type", "url", "data")}}
        if "url" in part:
            return {"type": "uri", **head, "uri": part["url"]}
        return {"type": "blob", **head, "content": part["data"]} if "data" in part else {"type": "file", **head}
    if kind == "data" and isinstance(part.get("data"), dict):
        return dict(part["data"])
    return part


def _document(document: Document) -> dict[str, Any]:
    fields = {name: getattr(document, name) for name in ("id", "content", "score", "metadata")}
    return {name: value for name, value in fields.items() if value is not None}


def _text(value: Value) -> Value:
    return value if value is None or isinstance(value, str | bool | int | float) else _json(value)


def _json(value: Any) -> str:
    try:
        return orjson.dumps(value, default=repr, option=_JSON).decode()
    except TypeError:  # an integer beyond 64 bits, half a surrogate pair
        return json.dumps(value, default=repr)
