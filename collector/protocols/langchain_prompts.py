"""Prompts as LangChain spells them (a "manifest": its constructors, serialised) to those of our library, and back.

What a manifest says is read into a text or a list of messages whose variables stand in double braces, as Langfuse's
SDKs read them; the manifest itself is kept beside (`collector.receiver.doors.langsmith.hub`), so that who pushed it
pulls it again to the letter. The spelling was taken from langchain-core 1.x's `langchain_core.load.dumps`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

_ROLES = {"Human": "user", "AI": "assistant", "System": "system", "Tool": "tool", "Function": "function"}
_KINDS = {"user": "Human", "human": "Human", "assistant": "AI", "ai": "AI", "system": "System"}
_FIELD = re.compile(r"\{\{|\}\}|\{(\w+)\}")
_VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")


def body_of(manifest: Mapping[str, Any]) -> str | list[dict[str, Any]]:
    """A text, or messages ({"role", "content"}, {"type": "placeholder", "name"}). What is neither is told as JSON."""
    name, kwargs = _name(manifest), _kwargs(manifest)
    if name == "RunnableSequence" and isinstance(kwargs.get("first"), Mapping):
        return body_of(kwargs["first"])  # a prompt with the model it was made for
    if isinstance(kwargs.get("messages"), list):
        return [_message(one) for one in kwargs["messages"]]
    if isinstance(kwargs.get("template"), str):
        return _template(kwargs)
    return orjson.dumps(dict(manifest)).decode()


def manifest_of(body: Any) -> dict[str, Any]:
    """A prompt that was not made with LangChain, as its loader takes it."""
    if isinstance(body, str):
        return _prompt_template(body)
    messages = [_constructor(one) for one in body if isinstance(one, Mapping)] if isinstance(body, list) else []
    names = sorted({name for one in messages for name in _variables(one)})
    return _made("chat", "ChatPromptTemplate", {"input_variables": names, "messages": messages})


def _name(made: Any) -> str:
    path = made.get("id") if isinstance(made, Mapping) else None
    return str(path[-1]) if isinstance(path, list) and path else ""


def _kwargs(made: Any) -> Mapping[str, Any]:
    kwargs = made.get("kwargs") if isinstance(made, Mapping) else None
    return kwargs if isinstance(kwargs, Mapping) else {}


def _message(made: Any) -> dict[str, Any]:
    name, kwargs = _name(made), _kwargs(made)
    if name == "MessagesPlaceholder":
        return {"type": "placeholder", "name": str(kwargs.get("variable_name", ""))}
    kind = name.removesuffix("PromptTemplate").removesuffix("Message")
    role = str(kwargs.get("role") or _ROLES.get(kind) or kind.lower() or "user")
    if "prompt" in kwargs:
        return {"role": role, "content": _content(kwargs["prompt"])}
    return {"role": role, "content": _content(kwargs.get("content", ""))}


def _content(said: Any) -> str:
    if isinstance(said, str):
        return said
    if isinstance(said, list):
        return "\n".join(filter(None, map(_content, said)))
    inner = _kwargs(said)
    if isinstance(inner.get("template"), str):
        return _template(inner)
    if isinstance(said, Mapping) and isinstance(said.get("text"), str):
        return str(said["text"])
    return orjson.dumps(said).decode()


def _template(kwargs: Mapping[str, Any]) -> str:
    """A template with its variables in double braces. Python's `{{` is a brace that is meant."""
    text = str(kwargs["template"])
    if kwargs.get("template_format", "f-string") != "f-string":
        return text
    return _FIELD.sub(lambda m: f"{{{{{m[1]}}}}}" if m[1] else m[0][0], text)


def _made(module: str, name: str, kwargs: dict[str, Any]) -> dict[str, Any]:
    return {"lc": 1, "type": "constructor", "id": ["langchain", "prompts", module, name], "kwargs": kwargs}


def _prompt_template(text: str) -> dict[str, Any]:
    names = sorted(set(_VARIABLE.findall(text)))
    said = {"input_variables": names, "template": text, "template_format": "mustache"}
    return _made("prompt", "PromptTemplate", said)


def _constructor(message: Mapping[str, Any]) -> dict[str, Any]:
    if message.get("type") == "placeholder":
        return _made("chat", "MessagesPlaceholder", {"variable_name": str(message.get("name", ""))})
    role, inner = str(message.get("role", "user")), _prompt_template(_content(message.get("content", "")))
    if kind := _KINDS.get(role):
        return _made("chat", f"{kind}MessagePromptTemplate", {"prompt": inner})
    return _made("chat", "ChatMessagePromptTemplate", {"prompt": inner, "role": role})


def _variables(made: Mapping[str, Any]) -> list[str]:
    kwargs = _kwargs(made)
    if "variable_name" in kwargs:
        return [str(kwargs["variable_name"])]
    return list(_kwargs(kwargs.get("prompt")).get("input_variables", ()))
