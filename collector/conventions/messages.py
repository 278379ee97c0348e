"""Messages in any provider's spelling, as ours.

What is said again must become an equal message: the same turn as an answer, and later within a history, is
stored once. So nothing but role, parts and name goes in (the finish reason stays outside of the hash).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from collector.conventions.parts import Part, is_block, part, parts, tool_call, tool_result
from collector.conventions.values import decoded, text
from collector.model import Content, Message

ROLES = {
    "human": "user", "ai": "assistant", "model": "assistant", "bot": "assistant", "function": "tool",
    "AIMessageChunk": "assistant", "ai_message": "assistant", "human_message": "user",
    "tool-call": "assistant", "tool-response": "tool",
}  # fmt: skip
SYSTEM = frozenset({"system", "developer"})
_ROLES = SYSTEM | {"user", "assistant", "tool"}
_BODIES = frozenset({"content", "parts", "data", "kwargs"})
_LANGCHAIN_TYPES = frozenset({"human", "ai", "system", "tool", "function", "chat", "AIMessageChunk"})
_LANGCHAIN_CLASSES = {
    f"{kind.capitalize()}Message{chunk}": kind
    for kind in ("human", "system", "tool", "function", "chat")
    for chunk in ("", "Chunk")
} | {"AIMessage": "ai", "AIMessageChunk": "ai"}
_ITEM_TYPES = frozenset({"function_call", "function_call_output", "reasoning", "message", "custom_tool_call",
                         "custom_tool_call_output"})  # fmt: skip
"""Items of OpenAI's Responses API that are messages of their own."""


def message(said: Any, role: str) -> Message:
    """One message; `role` where it names none."""
    if not isinstance(said, dict):
        return Message(role, tuple(parts(said)))
    blocks = said.get("parts")
    if type(blocks) is list:  # OpenTelemetry's own
        return _of_parts(said, blocks, role)
    said = _unwrapped(said)
    kind = _type(said)
    if "role" not in said and kind in _ITEM_TYPES and is_message(said) and kind != "message":
        return Message("tool" if kind.endswith("_output") else "assistant", (part(said),))
    given = said.get("role")
    if given is None and kind in _LANGCHAIN_TYPES:
        given = kind
    role = ROLES.get(given, given) if isinstance(given, str) and given else role
    if role not in _ROLES and "additional_kwargs" in said:  # Langfuse's handler for LangChain.js names the tool there
        said, role = {"name": role, **said}, "tool"
    content = said.get("content")
    made = parts(decoded_blocks(content))
    if content is None and said.keys().isdisjoint(_EXTRAS) and not said.keys() <= _HEAD:
        made = [part(said)]
    elif not said.keys().isdisjoint(_EXTRAS):
        made = _with_extras(said, role, made)
    elif role == "tool":
        made = _as_result(said, made, content)
    finish = said.get("finish_reason") or said.get("stop_reason")
    return Message(role, tuple(made), text(said.get("name") or said.get("tool_name")), text(finish))


def _of_parts(said: dict[str, Any], blocks: list[Any], role: str) -> Message:
    given = said.get("role")
    if type(given) is str and given:
        role = ROLES.get(given, given)
    made = tuple([part(block) for block in blocks])
    if "tool_call_id" in said or "tool_calls" in said:
        made = _beside_parts(said, role, made)
    name, finish = said.get("name"), said.get("finish_reason")
    if name is None and finish is None:
        return Message(role, made)
    return Message(role, made, text(name), text(finish))


def _beside_parts(said: dict[str, Any], role: str, made: tuple[Part, ...]) -> tuple[Part, ...]:
    """LiteLLM writes the text as a part, and a call and its id as OpenAI does, beside the parts."""
    if role == "tool":
        if not made or any(p["type"] != "text" for p in made):
            return made
        return (tool_result(said["tool_call_id"], "".join(p["text"] for p in made)),)
    told = [p for p in made if p.get("text") != ""]
    return tuple(_with_extras({"tool_calls": said.get("tool_calls")}, role, told))


_HEAD = frozenset({"role", "name", "content", "parts", "finish_reason", "stop_reason", "index", "id", "type"})
_EXTRAS = frozenset({
    "tool_calls", "function_call", "tool_call_id", "reasoning_content", "reasoning", "refusal", "audio", "thinking",
})  # fmt: skip


def _type(said: dict[str, Any]) -> str:
    kind = said.get("type")
    return kind if isinstance(kind, str) else ""


def decoded_blocks(content: Any) -> Any:
    """A list of content blocks out of its string (flat attributes cannot hold one); any other text stays text."""
    if isinstance(content, str) and content.startswith(("[{", '{"parts"')):
        blocks = decoded(content)
        if isinstance(blocks, dict) and isinstance(blocks.get("parts"), list):
            return blocks["parts"]
        if isinstance(blocks, list) and all(is_block(b) for b in blocks):
            return blocks
    return content


def _unwrapped(said: dict[str, Any]) -> dict[str, Any]:
    """LangChain's envelopes: {"lc", "id": […, "HumanMessage"], "kwargs"} and {"type": "human", "data"}."""
    if "lc" in said and isinstance(said.get("kwargs"), dict):
        fields = dict(said["kwargs"])
        if "type" not in fields and "role" not in fields:  # JavaScript says it by the class alone
            kind = _LANGCHAIN_CLASSES.get(_class(said))
            if kind is not None:
                fields["type"] = kind
        return fields
    if _type(said) in _LANGCHAIN_TYPES and isinstance(said.get("data"), dict):
        return {"type": said["type"], **said["data"]}
    inner = said.get("message")
    if isinstance(inner, dict) and "role" not in said and "content" not in said:
        return {**inner, **({"finish_reason": said["finish_reason"]} if "finish_reason" in said else {})}
    return said


def _class(said: dict[str, Any]) -> str:
    """The class in LangChain's envelope of any object: the last word of {"lc": 1, "id": ["langchain_core", …]}."""
    path = said.get("id")
    return path[-1] if isinstance(path, list) and path and isinstance(path[-1], str) else ""


def _as_result(said: dict[str, Any], made: list[Part], content: Any) -> list[Part]:
    """What a tool said, as the result of its call."""
    if any(p["type"] == "tool_result" for p in made) or content is None:
        return made
    return [tool_result(said.get("tool_call_id") or said.get("id"), content)]


def _with_extras(said: dict[str, Any], role: str, made: list[Part]) -> list[Part]:
    """What OpenAI and those like it keep beside the content."""
    if role == "tool":
        made = _as_result(said, made, said.get("content"))
    thought = said.get("reasoning_content") or said.get("reasoning") or said.get("thinking")
    if isinstance(thought, str):
        made.insert(0, {"type": "reasoning", "text": thought})
    if isinstance(said.get("refusal"), str) and said["refusal"]:
        made.append({"type": "text", "text": said["refusal"]})
    if isinstance(said.get("audio"), dict):
        made.append(part({"type": "audio", "audio": said["audio"]}))
    calls = decoded(said.get("tool_calls"))
    known = {p["id"] for p in made if p["type"] == "tool_call" and p["id"] is not None}
    for call in calls if isinstance(calls, list) else ():
        one = part({"type": "function", **call}) if isinstance(call, dict) else part(call)
        if one.get("id") not in known:
            made.append(one)
    function = decoded(said.get("function_call"))
    if isinstance(function, dict) and function.get("name"):
        made.append(tool_call(function.get("id"), function["name"], function.get("arguments")))
    return made


def messages(said: Any, role: str) -> list[Message]:
    """A list of messages, or the one that stands alone."""
    said = decoded(said)
    if said is None or said == "":
        return []
    if not isinstance(said, list):
        return [message(said, role)]
    if said and isinstance(said[0], Message):
        return said
    if said and not is_message(said[0]) and not any(is_message(one) for one in said):
        return [Message(role, tuple(parts(said)))]
    return [message(one, role) for one in said]


def is_message(said: Any) -> bool:
    """Whether this is a message, and not one block of one, or anything else."""
    if not isinstance(said, dict):
        return False
    if "role" in said:
        return True
    if "lc" in said and "kwargs" in said:
        inner = said["kwargs"]
        kind = inner.get("type") if isinstance(inner, dict) else None
        return kind in _LANGCHAIN_TYPES or _class(said).endswith(("Message", "MessageChunk"))
    inner = said.get("message")
    if isinstance(inner, dict) and "role" in inner:  # one of an answer's choices
        return True
    kind = _type(said)
    return (kind in _LANGCHAIN_TYPES and ("data" in said or "content" in said)) or (
        kind in _ITEM_TYPES and (kind != "reasoning" or "summary" in said)
    )


def system(said: Any) -> list[Message]:
    """System instructions: a text, or a list of parts, which are one message."""
    said = decoded(said)
    if isinstance(said, dict) and isinstance(said.get("parts"), list):
        said = said["parts"]  # Google's, of the role "user"
    if isinstance(said, list) and any(is_message(one) for one in said):
        return [message(one, "system") for one in said]
    made = parts(said)
    return [Message("system", tuple(made))] if made else []


def split_system(said: Iterable[Message]) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
    """(leading system and developer messages, the rest)."""
    every = tuple(said)
    first = 0
    while first < len(every) and every[first].role in SYSTEM:
        first += 1
    return every[:first], every[first:]


def conversation(value: Any, *, of_model: bool, role: str) -> list[Message] | None:
    """The messages of a recorded input or output, where it is a conversation; else None.

    `of_model` says that this is the body of a request to a model, or of its answer: then a conversation may
    stand beside parameters; elsewhere only where it is all there is.
    """
    if isinstance(value, list):
        if value and all(is_message(one) for one in value):
            return [message(one, role) for one in value]
        return _commanded(value, role)
    if not isinstance(value, dict):
        return None
    if "lc" in value and isinstance(value.get("kwargs"), dict) and _class(value).endswith("PromptValue"):
        return _listed(value["kwargs"], role)
    if role == "assistant" and "text" in value and len(value) > 1 and value.keys() <= _SDK_ANSWER:
        return [Message(role, tuple(_sdk_answer(value)))]
    if not of_model and value.keys() == {"output"}:
        return conversation(value["output"], of_model=False, role=role)
    if is_message(value) and _type(value) not in _ITEM_TYPES and value.keys() & _BODIES:
        return [message(value, role)]
    if not of_model:
        return _listed(value, role) if len(value.keys() - _LANGGRAPHS) == 1 else None
    return _request(value, role) if role == "user" else _answer(value)


_SDK_ANSWER = frozenset({
    "text", "toolCalls", "toolResults", "reasoning", "reasoningText", "files", "sources", "warnings", "finishReason",
    "object",
})  # fmt: skip
"""What the Vercel AI SDK answers, as frameworks over it (Mastra) record it."""


def _sdk_answer(value: dict[str, Any]) -> list[Part]:
    out: list[Part] = []
    thought = value.get("reasoningText") or value.get("reasoning")
    if thought:
        out += [part({"type": "reasoning", "text": thought})] if isinstance(thought, str) else parts(thought)
    out += parts(value["text"])
    for name, kind in (("toolCalls", "tool-call"), ("files", "file")):
        given = value.get(name)
        for one in given if isinstance(given, list) else ():
            out.append(part({"type": kind, **one}) if isinstance(one, dict) else part(one))
    return out


_LANGGRAPHS = frozenset({"lg_tool_call"})
"""Beside the messages of a state that LangGraph.js hands to one tool."""


def _commanded(value: list[Any], role: str) -> list[Message] | None:
    """The messages that LangGraph.js's commands add to the state: [{"lg_name": "Command", "update": {"messages"}}]."""
    out: list[Message] = []
    for one in value:
        if not isinstance(one, dict) or one.get("lg_name") != "Command" or not isinstance(one.get("update"), dict):
            return None
        out += _listed(one["update"], role) or ()
    return out or None


def _listed(value: dict[str, Any], role: str) -> list[Message] | None:
    for name in ("messages", "contents"):
        listed = value.get(name)
        if isinstance(listed, list) and len(listed) == 1 and isinstance(listed[0], list):
            listed = listed[0]  # LangChain's batch of one
        if isinstance(listed, list) and listed and all(is_message(one) for one in listed):
            return [message(one, role) for one in listed]
    return None


def _request(value: dict[str, Any], role: str) -> list[Message] | None:
    said = _listed(value, role)
    if said is None:
        given = value.get("input", value.get("prompt"))
        listed = isinstance(given, list) and given and all(is_message(one) for one in given)
        if listed or (isinstance(given, str) and ("model" in value or "instructions" in value)):
            said = messages(given, role)
    if said is None:
        return None
    head = next((value[name] for name in _INSTRUCTIONS if value.get(name)), None)
    return system(head) + said if head else said


_INSTRUCTIONS = ("system", "instructions", "systemInstruction", "system_instruction")


def _answer(value: dict[str, Any]) -> list[Message] | None:
    if "role" in value and isinstance(value.get("content"), list):
        return [message(value, "assistant")]  # Anthropic's
    for name in ("choices", "candidates", "output"):
        listed = value.get(name)
        if isinstance(listed, list) and listed and all(isinstance(one, dict) for one in listed):
            if name == "output":
                return [message(one, "assistant") for one in listed]
            return [_choice(one) for one in listed]
    return _generations(value) if "generations" in value else None


def _generations(value: dict[str, Any]) -> list[Message] | None:
    """LangChain's answer: {"generations": [[{"text", "message"}]]}."""
    listed = value.get("generations")
    if isinstance(listed, list) and listed and isinstance(listed[0], list):
        listed = listed[0]
    if not isinstance(listed, list) or not listed or not all(isinstance(one, dict) for one in listed):
        return None
    return [message(one.get("message") or {"content": one.get("text")}, "assistant") for one in listed]


def _choice(choice: dict[str, Any]) -> Message:
    inner = choice.get("message", choice.get("content", choice.get("text")))
    said = message(inner, "assistant")
    finish = text(choice.get("finish_reason") or choice.get("finishReason"))
    return Message(said.role, said.parts, said.name, finish or said.finish_reason)


def side(value: Any, *, of_model: bool, role: str) -> Content:
    """A recorded input or output: a conversation where it is one, else the value."""
    said = conversation(value, of_model=of_model, role=role)
    return Content(messages=tuple(said)) if said else Content(value=value)
