"""LangChain's messages, documents and results as plain values.

Nothing of LangChain is imported: types are told by name. Nor is anything of the host's called.
"""

from __future__ import annotations

from typing import Any

from collector.protocols.llm import Said
from collector.protocols.llm.plainly import fields, text
from collector.sdk.capture import SCALARS

MAX_NODES = 20_000
_ROLES = {"human": "user", "ai": "assistant", "AIMessageChunk": "assistant", "HumanMessageChunk": "user",
          "SystemMessageChunk": "system", "ToolMessageChunk": "tool", "function": "tool"}  # fmt: skip
_EXTRA = ("reasoning_content", "reasoning", "refusal", "audio", "function_call")
_PROVIDERS = {
    "azure": "azure.ai.openai", "amazon_bedrock": "aws.bedrock", "bedrock": "aws.bedrock", "bedrock_converse":
    "aws.bedrock", "google_genai": "gcp.gemini", "google_vertexai": "gcp.vertex_ai", "mistralai": "mistral_ai",
    "mistral": "mistral_ai", "xai": "x_ai",
}  # fmt: skip
"""LangChain's names of providers in the spelling of OpenTelemetry's conventions; most are the same."""
_NO_PARAMS = frozenset(
    {"model", "model_name", "model_id", "_type", "messages", "input", "tools", "functions", "stream"}
)
_USAGE = (("input_tokens", "input_tokens"), ("output_tokens", "output_tokens"))
_INPUT = (
    ("cache_read", "cache_read_tokens"),
    ("cache_creation", "cache_write_tokens"),
    ("audio", "audio_input_tokens"),
)
_OUTPUT = (("reasoning", "reasoning_tokens"), ("audio", "audio_output_tokens"))


def is_message(value: Any) -> bool:
    return any(kind.__name__ == "BaseMessage" for kind in type(value).__mro__)


def is_document(value: Any) -> bool:
    return any(kind.__name__ == "Document" for kind in type(value).__mro__)


def plain(value: Any) -> Any:
    """A copy in which messages and documents are dicts; of anything else `capture` knows what may be kept."""
    return _plain(value, [MAX_NODES])


def state(value: Any) -> Any:
    """What went into a step or came out: messages alone as the conversation they are."""
    held = plain(value)
    if isinstance(held, dict) and set(held) == {"messages"}:
        held = held["messages"]
    if isinstance(held, dict) and "role" in held and "content" in held:
        return [held]
    return held


def _plain(value: Any, left: list[int], depth: int = 0) -> Any:
    kind = type(value)
    left[0] -= 1
    if kind in SCALARS or depth > 30 or left[0] < 0:
        return value
    if kind is dict:
        return {name: _plain(item, left, depth + 1) for name, item in value.items()}
    if kind is list or kind is tuple:
        return [_plain(item, left, depth + 1) for item in value]
    if is_message(value):
        return message(value)
    if is_document(value):
        return document(value)
    if kind.__name__ in ("ChatPromptValue", "ChatPromptValueConcrete"):
        return [message(one) for one in fields(value).get("messages") or ()]
    if kind.__name__ == "Overwrite" or hasattr(kind, "__pydantic_fields__"):  # a graph's state may be a model
        return {name: _plain(item, left, depth + 1) for name, item in fields(value).items()}
    return value


def message(value: Any) -> dict[str, Any]:
    """A message in the shape that OpenAI's have; `tool_calls` as LangChain spells them."""
    held = fields(value)
    kind = held.get("type") or ""
    role = held.get("role") or _ROLES.get(kind, kind)
    said: dict[str, Any] = {"role": role, "content": held.get("content")}
    if calls := held.get("tool_calls"):
        said["tool_calls"] = [dict(call) for call in calls]
    more = held.get("additional_kwargs") or {}
    said |= {name: more[name] for name in _EXTRA if more.get(name)}
    if said.get("tool_calls"):
        said.pop("function_call", None)
    if role == "tool":
        said["tool_call_id"] = held.get("tool_call_id")
    if held.get("name"):
        said["name"] = held["name"]
    return said


def document(value: Any) -> dict[str, Any]:
    held = fields(value)
    metadata = held.get("metadata") or {}
    scores = (metadata.get(name) for name in ("score", "relevance_score", "_score", "similarity"))
    score = next((one for one in scores if isinstance(one, int | float)), None)
    return {"id": held.get("id"), "content": held.get("page_content"), "score": score, "metadata": dict(metadata)}


def asked(serialized: Any, invocation: dict[str, Any], metadata: dict[str, Any]) -> Said:
    """What a model's start says beside the messages."""
    made = fields(fields(serialized).get("kwargs"))
    names = (invocation.get("model"), invocation.get("model_name"), invocation.get("model_id"),
             metadata.get("ls_model_name"), made.get("model"), made.get("model_name"))  # fmt: skip
    provider = text(metadata.get("ls_provider"))
    params = {name: value for name, value in invocation.items() if value is not None and name not in _NO_PARAMS}
    return {
        "operation": "chat",
        "request_model": next((name for name in names if text(name)), None),
        "provider": _PROVIDERS.get(provider or "", provider),
        "params": params or None,
        "tool_definitions": invocation.get("tools") or invocation.get("functions"),
    }


def answered(result: Any) -> Said:
    """A model's result: of several candidates all, of several prompts the first, as each has a run of its own."""
    held = fields(result)
    batch = held.get("generations") or []
    generations = [fields(one) for one in (batch[0] if batch else ())]
    messages = [one["message"] for one in generations if one.get("message") is not None]
    whole = fields(held.get("llm_output"))
    first = fields(messages[0]) if messages else {}
    told = {**whole, **fields(first.get("response_metadata"))}
    reasons = [_reason(one) for one in generations]
    output: list[Any] = [message(one) for one in messages]
    output = output or [{"role": "assistant", "content": one.get("text") or ""} for one in generations]
    return {
        "output": output or None,
        "model": text(told.get("model_name")) or text(told.get("model")) or text(told.get("model_id")),
        "response_id": _id(told, first),
        "finish_reasons": [reason for reason in reasons if reason] or None,
        "usage": _usage(first.get("usage_metadata")) or _older_usage(told),
    }


def _reason(generation: dict[str, Any]) -> str | None:
    told = {**fields(fields(generation.get("message")).get("response_metadata")),
            **fields(generation.get("generation_info"))}  # fmt: skip
    return next((text(told[name]) for name in ("finish_reason", "stop_reason", "done_reason") if told.get(name)), None)


def _id(told: dict[str, Any], first: dict[str, Any]) -> str | None:
    """The provider's id of the response. Where LangChain has none it makes ids of its own, which start with "run-"
    or "lc_run-"."""
    given = text(told.get("id")) or text(told.get("response_id")) or text(first.get("id"))
    return None if given is None or given.startswith(("run-", "lc_", "run--")) else given


def _usage(said: Any) -> dict[str, Any] | None:
    """LangChain's own meaning is ours: its totals include cached tokens, and reasoning."""
    if not isinstance(said, dict):
        return None
    found = {ours: said.get(theirs) for theirs, ours in _USAGE}
    found |= {ours: fields(said.get("input_token_details")).get(theirs) for theirs, ours in _INPUT}
    found |= {ours: fields(said.get("output_token_details")).get(theirs) for theirs, ours in _OUTPUT}
    return {name: value for name, value in found.items() if value is not None} or None


def _older_usage(told: dict[str, Any]) -> dict[str, Any] | None:
    said = told.get("token_usage") or told.get("usage")
    if not isinstance(said, dict):
        return None
    if "input_tokens" in said and "cache_read_input_tokens" in said:
        from collector.protocols.llm.anthropic import usage_of

        return usage_of(said)
    return said
