"""What LangSmith's wrappers of providers' clients put into a run beside what the API itself says.

`wrap_openai` of SDKs older than their openai spells what was not given as Python prints it; `wrap_gemini` keeps
Google's `config` whole, in which instructions, tools and parameters are. Both become a request body as any other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from collector.conventions.values import unset
from collector.model import Content

SESSION_KEYS = ("session_id", "thread_id", "conversation_id", "sessionId", "threadId", "conversationId")
OF_THE_LIBRARY = (
    "ls_", "LANGSMITH_", "LANGCHAIN_", "langgraph_", "lc_", "__", "checkpoint_", "run_attempt", "usage_metadata",
    "user_id", "revision_id", *SESSION_KEYS,
)  # fmt: skip
"""How the names begin that the SDK and LangChain put into everybody's metadata; what they say is read elsewhere."""
ERROR_TYPE = re.compile(r"\s*([A-Za-z_$][\w.$]{0,120})\s*(?:\(|:\s|$)")
"""The type in what an SDK reports: Python's repr, or JavaScript's "TypeError: …"."""
_NO_PARAMS = frozenset({"system_instruction", "tools", "http_options", "automatic_function_calling"})


def is_set(value: Any) -> bool:
    """Whether a parameter was given at all."""
    return value is not None and not unset(value)


def given(inputs: Any) -> Any:
    """A run's inputs, without what was not given, and with Google's config in its place."""
    if not isinstance(inputs, dict):
        return inputs
    said = {name: value for name, value in inputs.items() if not unset(value)}
    config = said.get("config")
    if isinstance(config, dict) and "model" in said and not said.keys().isdisjoint(("contents", "messages")):
        del said["config"]
        said = {**{name: value for name, value in config.items() if name not in _NO_PARAMS}, **said}
        if config.get("system_instruction"):
            said["system"] = config["system_instruction"]
        if tools := list(_declared(config.get("tools"))):
            said["tools"] = tools
    return said


def _declared(tools: Any) -> Iterator[Any]:
    for tool in tools if isinstance(tools, list) else ():
        listed = tool.get("function_declarations", tool.get("functionDeclarations")) if isinstance(tool, dict) else None
        if isinstance(listed, list):
            yield from listed
        else:
            yield tool


def vectors(outputs: Any) -> Content | None:
    """How many vectors an embedding's run gave, and of how many dimensions; None where it gave something else."""
    listed = outputs
    if isinstance(listed, dict):
        named = (listed.get(name) for name in ("embeddings", "embedding", "data", "output"))
        listed = next((one for one in named if isinstance(one, list)), None)
    if not isinstance(listed, list) or not listed:
        return None
    first = listed[0].get("embedding") if isinstance(listed[0], dict) else listed[0]
    if isinstance(first, list) and first:
        return Content(value={"dimensions": len(first), "count": len(listed)})
    if isinstance(first, (int, float)) and not isinstance(first, bool):
        return Content(value={"dimensions": len(listed), "count": 1})
    return None
