"""LiteLLM's callback "langsmith": the inputs of its runs are all that LiteLLM knows of a call, the request among it."""

from __future__ import annotations

import re
from typing import Any

from collector.conventions.names import OPERATIONS
from collector.conventions.values import mapping, number, text

_MAX_WAIT_S = 86_400.0


def is_payload(inputs: Any) -> bool:
    return isinstance(inputs, dict) and "litellm_call_id" in inputs and "messages" in inputs


def request(payload: dict[str, Any]) -> dict[str, Any]:
    """The request's body, as any other client's run would have it."""
    parameters = mapping(payload.get("model_parameters")) or {}
    if kind(payload, "llm") == "embedding":
        given = payload["messages"] if isinstance(payload["messages"], list) else [payload["messages"]]
        return {**parameters, "input": [one.get("content") if isinstance(one, dict) else one for one in given]}
    return {**parameters, "model": _deployed(payload), "messages": payload.get("messages")}


def kind(payload: dict[str, Any], said: str) -> str:
    """Its runs are all of the type "llm"; the call's own type (`aembedding`) says what was called."""
    return OPERATIONS.get((text(payload.get("call_type")) or "").removeprefix("a"), said)


def metadata(payload: dict[str, Any]) -> dict[str, Any]:
    """What its payload says by other names: provider, session, user."""
    asked = mapping((mapping(payload.get("metadata")) or {}).get("requester_metadata")) or {}
    said = {
        "ls_provider": payload.get("custom_llm_provider"),
        "ls_model_name": _deployed(payload),
        "session_id": payload.get("session_id") or asked.get("session_id") or _named(payload.get("trace_id")),
        "user_id": asked.get("trace_user_id") or payload.get("end_user"),
    }
    return {name: value for name, value in said.items() if text(value)}


def answered(payload: dict[str, Any], out: dict[str, Any]) -> None:
    """The proxy gives its own name of a model as the one that answered: that is what was asked for."""
    group = text(payload.get("model_group"))
    if group is not None and out.get("model") == group:
        out["request_model"], out["model"] = group, _deployed(payload) or group
    began, first = number(payload.get("startTime")), number(payload.get("completionStartTime"))
    if payload.get("stream") and began is not None and first is not None and 0 <= first - began < _MAX_WAIT_S:
        out["ttft_ns"] = round((first - began) * 1e9)


def _named(trace: Any) -> str | None:
    """LiteLLM's id of a trace is the session that the application named; else a UUID of its own."""
    said = text(trace)
    return None if said is None or _UUID.fullmatch(said) else said


_UUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)


def _deployed(payload: dict[str, Any]) -> str | None:
    """The model without its provider, which LiteLLM writes before it."""
    name = text(payload.get("model")) or ""
    return name.removeprefix(f"{payload.get('custom_llm_provider')}/") or None
