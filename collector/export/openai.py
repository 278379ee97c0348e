"""A request in the words of OpenAI's chat completions: https://platform.openai.com/docs/api-reference/chat/create."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from collector.export.shared import Body, as_text, empty_schema, held, params, tools
from collector.model import Message

PATH = "/chat/completions"
_SAME = """temperature top_p max_tokens max_completion_tokens seed n stop frequency_penalty presence_penalty logprobs
    top_logprobs response_format tool_choice parallel_tool_calls reasoning_effort service_tier verbosity logit_bias
    modalities prediction""".split()
NAMES = {**{name: name for name in _SAME}, "stop_sequences": "stop"}
_ROLES = {"human": "user", "ai": "assistant", "model": "assistant"}


def request(said: Sequence[Message], given: Mapping[str, Any], definitions: Any) -> tuple[Body, list[str]]:
    """`messages`, `tools` and parameters, and sentences on what was left out."""
    left_out: list[str] = []
    body: Body = {"messages": [one for message in said for one in _message(message, left_out)]}
    if known := tools(definitions):
        body["tools"] = [_tool(tool) for tool in known]
    return {**body, **params(given, NAMES, left_out)}, list(dict.fromkeys(left_out))


def _tool(tool: Body) -> Body:
    about = {"description": tool["description"]} if tool["description"] else {}
    return {"type": "function", "function": {"name": tool["name"], **about, "parameters": empty_schema(tool["schema"])}}


def _message(message: Message, left_out: list[str]) -> list[Body]:
    """One message; results of tools become messages of their own, which come first: they answer what was before."""
    role = _ROLES.get(message.role, message.role)
    results: list[Body] = []
    blocks: list[Body] = []
    calls: list[Body] = []
    for part in message.parts:
        kind = part.get("type")
        if kind == "tool_result":
            answer = {"role": "tool", "tool_call_id": str(part.get("id") or ""), "content": as_text(part.get("result"))}
            results.append(answer)
        elif kind == "tool_call":
            calls.append(_call(part))
        elif kind == "reasoning":
            left_out.append("Reasoning of earlier turns is left out: this API does not take it back.")
        elif (block := _block(part)) is not None:
            blocks.append(block)
        else:
            left_out.append(f"A part of type {kind} is left out: it has no place in this API, or was not recorded.")
    if not blocks and not calls:
        return results
    if role == "tool":
        role = "user"
    one: Body = {"role": role, "content": _content(blocks, role)}
    if message.name and role != "system":
        one["name"] = message.name
    if calls:
        one["tool_calls"] = calls
    return [*results, one]


def _content(blocks: list[Body], role: str) -> Any:
    if not blocks:
        return None
    if all(block["type"] == "text" for block in blocks) and (len(blocks) == 1 or role == "assistant"):
        return "".join(block["text"] for block in blocks)
    return blocks


def _call(part: Mapping[str, Any]) -> Body:
    arguments = part.get("arguments")
    text = arguments if isinstance(arguments, str) else json.dumps(arguments or {}, ensure_ascii=False, default=str)
    function = {"name": str(part.get("name") or ""), "arguments": text}
    return {"id": str(part.get("id") or ""), "type": "function", "function": function}


def _block(part: Mapping[str, Any]) -> Body | None:
    kind, file = part.get("type"), held(part)
    if kind == "text":
        return {"type": "text", "text": str(part.get("text") or "")}
    if kind == "image" and (file or part.get("url")):
        url = f"data:{file[0]};base64,{file[1]}" if file else str(part["url"])
        return {"type": "image_url", "image_url": {"url": url}}
    if kind == "audio" and file:
        return {"type": "input_audio", "input_audio": {"data": file[1], "format": file[0].partition("/")[2] or "wav"}}
    if kind == "file" and (file or part.get("file_id")):
        named = {"filename": str(part["name"])} if part.get("name") else {}
        where = {"file_data": f"data:{file[0]};base64,{file[1]}"} if file else {"file_id": str(part["file_id"])}
        return {"type": "file", "file": {**named, **where}}
    return None
