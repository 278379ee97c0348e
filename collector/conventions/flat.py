"""Lists that were flattened into one attribute a leaf (`llm.input_messages.0.message.role`), put together again.

Elements are dicts from what follows the index to its value. Linear in the number of attributes:
a span that resends a thousand messages has thousands of them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from collector.conventions.messages import ROLES, decoded_blocks, message
from collector.conventions.parts import Part, part, parts, tool_call, tool_result
from collector.conventions.values import decoded, integer, number, shared, text
from collector.model import Document, Message, Value

Elements = dict[int, dict[str, Value]]


def in_order(elements: Elements) -> list[dict[str, Value]]:
    if len(elements) == 1:
        return list(elements.values())
    return [elements[index] for index in sorted(elements)]


def inner_list(element: dict[str, Value], prefix: str) -> list[dict[str, Value]]:
    """The list within an element whose keys start with `prefix` and an index."""
    inner: Elements = {}
    for key, value in element.items():
        if key.startswith(prefix):
            index, _, rest = key[len(prefix) :].partition(".")
            if index.isdecimal() and len(index) < 10:
                inner.setdefault(int(index), {})[rest] = value
    return in_order(inner)


# OpenInference: message.role, message.content, message.contents.N.…, message.tool_calls.N.…


def openinference_messages(elements: Elements, role: str) -> list[Message]:
    return [_openinference(element, role) for element in in_order(elements)]


def _openinference(element: dict[str, Value], role: str) -> Message:
    given = element.get("message.role")
    if isinstance(given, str) and given:
        role = ROLES.get(given, given)
    content = element.get("message.content")
    if (
        len(element) <= 2
        and role != "tool"
        and "message.content.0" not in element
        and (content is None or (type(content) is str and content[:2] != "[{"))
    ):
        return Message(role, ({"type": "text", "text": content},) if content else ())
    made: list[Part] = parts(decoded_blocks(content))
    if any(leaf.startswith("message.contents.") for leaf in element):
        blocks = [_block(block) for block in inner_list(element, "message.contents.")]
        if content == "".join(str(one.get("text", "")) for one in blocks if one["type"] == "text"):
            made = []  # the same text twice
        made.extend(blocks)
    if content is None and "message.content.0" in element:  # of the Claude Agent SDK: one text a block
        made.extend(part(block[""]) for block in inner_list(element, "message.content.") if block.get(""))
    if any(leaf.startswith("function.") for leaf in element):
        made = [_autogen_result(decoded(value)) for key, value in element.items() if key.startswith("function.")]
    call_id = element.get("message.tool_call_id")
    if role == "tool" and not any(p["type"] == "tool_result" for p in made):
        said = content if content is not None else "".join(p.get("text", "") for p in made)
        made = [tool_result(call_id, said)]
    known = {p.get("id") for p in made if p["type"] == "tool_call"}
    for call in inner_list(element, "message.tool_calls."):
        one = _call(call)
        if one["id"] is None or one["id"] not in known:
            made.append(one)
    if element.get("message.function_call_name"):
        made.append(
            tool_call(None, element["message.function_call_name"], element.get("message.function_call_arguments_json"))
        )
    return Message(role, tuple(made), text(element.get("message.name")), text(element.get("message.finish_reason")))


def _autogen_result(said: Any) -> Part:
    """AutoGen's results of tools: llm.input_messages.N.function.M, an object of `name`, `content` and `call_id`."""
    return tool_result(said.get("call_id"), said.get("content")) if isinstance(said, dict) else part(said)


def _call(call: dict[str, Value]) -> Part:
    return tool_call(
        call.get("tool_call.id"), call.get("tool_call.function.name"), call.get("tool_call.function.arguments")
    )


def _block(block: dict[str, Value]) -> Part:
    kind = block.get("message_content.type")
    if kind in ("tool_use", "tool_call", "function_call") or "tool_call.function.name" in block:
        return _call(block)
    said = block.get("message_content.text")
    if kind in ("reasoning", "thinking"):
        return {"type": "reasoning", "text": text(said) or ""}
    if kind == "tool_result":
        return tool_result(block.get("message_content.tool_call_id") or block.get("tool_call.id"), said)
    for media in ("image", "audio", "file"):
        url = block.get(f"message_content.{media}.{media}.url")
        if url is not None:
            mime = block.get(f"message_content.{media}.{media}.mime_type")
            made = part({"type": media, media: {"url": url, **({"mime_type": mime} if mime is not None else {})}})
            return made if made["type"] == media else {"type": media, "url": url}
    if said is not None:
        return {"type": "text", "text": text(said) or ""}
    return {"type": "data", "data": {key.removeprefix("message_content."): value for key, value in block.items()}}


# OpenTelemetry's first generation, as instrumentations flattened it: role, content, tool_calls.N.name, finish_reason


def prompt_messages(elements: Elements, role: str) -> list[Message]:
    """gen_ai.prompt.N.*, gen_ai.completion.N.*, llm.prompts.N.*, llm.completions.N.*"""
    made = [_prompt(element, role) for element in in_order(elements)]
    return _thought(made) if any(one.role == "thinking" for one in made) else made


def _thought(said: list[Message]) -> list[Message]:
    """OpenLLMetry writes an answer's thinking as a message of its own, before the answer."""
    out: list[Message] = []
    before: Message | None = None
    for one in said:
        if one.role == "thinking":
            one = Message("assistant", tuple([{**p, "type": "reasoning"} if "text" in p else p for p in one.parts]),
                          one.name, one.finish_reason)  # fmt: skip
            before = one
        elif before is not None and one.role == "assistant":
            out.pop()
            one = replace(one, parts=before.parts + one.parts, finish_reason=one.finish_reason or before.finish_reason)
            before = None
        else:
            before = None
        out.append(one)
    return out


def _prompt(element: dict[str, Value], role: str) -> Message:
    if "role" not in element and "content" not in element:
        said = element.get("prompt.text", element.get("completion.text", element.get("")))
        if said is not None:
            return message(decoded(said) if isinstance(said, str) and said.startswith("{") else said, role)
        (only, value), *others = element.items()
        if not others and only in ("user", "system", "assistant"):  # OpenLLMetry's of Replicate: gen_ai.prompt.0.user
            return message(value, only)
    whole: dict[str, Any] = {key: value for key, value in element.items() if "." not in key}
    calls = inner_list(element, "tool_calls.")
    if calls:
        whole["tool_calls"] = [
            {
                "id": call.get("id"),
                "name": call.get("name", call.get("function.name")),
                "arguments": call.get("arguments", call.get("function.arguments")),
            }
            for call in calls
        ]
    if "function_call.name" in element:
        whole["function_call"] = {
            "name": element["function_call.name"],
            "arguments": element.get("function_call.arguments"),
        }
    return message(whole, role)


# other lists


def tool_definitions(elements: Elements) -> list[Value]:
    """llm.tools.N.tool.json_schema, or llm.request.functions.N.{name, description, parameters}"""
    out: list[Value] = []
    for element in in_order(elements):
        schema = element.get("tool.json_schema")
        if schema is None:
            out.append({key: shared(value) for key, value in element.items()})
        else:
            out.append(shared(schema))
    return out


def documents(elements: Elements) -> tuple[Document, ...]:
    """retrieval.documents.N.document.{id, content, score, metadata}"""
    out = []
    for rank, element in enumerate(in_order(elements)):
        said = {key.removeprefix("document."): value for key, value in element.items()}
        out.append(document(said, rank))
    return tuple(out)


def document(said: dict[str, Any], rank: int) -> Document:
    meta = decoded(said.get("metadata"))
    content = said.get("content", said.get("text", said.get("page_content")))
    return Document(
        text(said.get("id")),
        content if content is None or isinstance(content, str) else str(content),
        number(said.get("score", said.get("relevance_score"))),
        rank,
        meta if isinstance(meta, dict) and meta else None,
        integer(said.get("rank_before")),
    )


def embedded_texts(elements: Elements) -> list[str]:
    found = (element.get("embedding.text") for element in in_order(elements))
    return [said for said in found if isinstance(said, str)]
