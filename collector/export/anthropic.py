"""A request in the words of Anthropic's messages: https://docs.anthropic.com/en/api/messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from collector.export.shared import Body, as_text, decoded, empty_schema, held, params, tools
from collector.model import Message

PATH = "/v1/messages"
MAX_TOKENS = 1024
_SAME = "temperature top_p top_k max_tokens stop_sequences tool_choice thinking metadata service_tier".split()
NAMES = {
    **{name: name for name in _SAME}, "stop": "stop_sequences", "max_completion_tokens": "max_tokens",
    "max_output_tokens": "max_tokens",
}  # fmt: skip


def request(said: Sequence[Message], given: Mapping[str, Any], definitions: Any) -> tuple[Body, list[str]]:
    """`system`, `messages`, `tools` and parameters, and sentences on what was left out."""
    left_out: list[str] = []
    system = [block for message in said if _is_system(message) for block in _blocks(message, left_out)]
    body: Body = {"messages": _turns(said, left_out)}
    if texts := [str(block["text"]) for block in system if block["type"] == "text"]:
        body["system"] = "\n\n".join(texts)
    if known := tools(definitions):
        body["tools"] = [_tool(tool) for tool in known]
    body |= params(given, NAMES, left_out)
    if isinstance(body.get("stop_sequences"), str):
        body["stop_sequences"] = [body["stop_sequences"]]
    if "max_tokens" not in body:
        body["max_tokens"] = MAX_TOKENS
        left_out.append(f"How many tokens the answer may have was not recorded: {MAX_TOKENS} is written here.")
    return body, list(dict.fromkeys(left_out))


def _is_system(message: Message) -> bool:
    return message.role in ("system", "developer")


def _tool(tool: Body) -> Body:
    about = {"description": tool["description"]} if tool["description"] else {}
    return {"name": tool["name"], **about, "input_schema": empty_schema(tool["schema"])}


def _turns(said: Sequence[Message], left_out: list[str]) -> list[Body]:
    """Turns by turns: neighbours of one role are one turn, as the API asks for."""
    turns: list[Body] = []
    for message in said:
        blocks = [] if _is_system(message) else _blocks(message, left_out)
        role = "assistant" if message.role in ("assistant", "ai", "model") else "user"
        if not blocks:
            continue
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        else:
            turns.append({"role": role, "content": blocks})
    return turns


def _blocks(message: Message, left_out: list[str]) -> list[Body]:
    found = []
    for part in message.parts:
        block = _block(part)
        if block is not None:
            found.append(block)
        elif part.get("type") == "reasoning":
            left_out.append("Reasoning of earlier turns is left out: its signature was not recorded.")
        elif part.get("type") != "text":
            left_out.append(f"A part of type {part.get('type')} is left out: it has no place here.")
    return found


def _block(part: Mapping[str, Any]) -> Body | None:
    kind = part.get("type")
    if kind == "text":
        return {"type": "text", "text": str(part["text"])} if part.get("text") else None
    if kind == "tool_call":
        arguments = decoded(part.get("arguments"))
        given = arguments if isinstance(arguments, dict) else {} if arguments is None else {"value": arguments}
        return {
            "type": "tool_use",
            "id": str(part.get("id") or ""),
            "name": str(part.get("name") or ""),
            "input": given,
        }
    if kind == "tool_result":
        return {"type": "tool_result", "tool_use_id": str(part.get("id") or ""), "content": as_text(part.get("result"))}
    if kind in ("image", "file"):
        return _file(part, "image" if kind == "image" else "document")
    return None


def _file(part: Mapping[str, Any], kind: str) -> Body | None:
    file = held(part)
    if file is not None:
        return {"type": kind, "source": {"type": "base64", "media_type": file[0], "data": file[1]}}
    if str(part.get("url") or "").startswith("https://"):
        return {"type": kind, "source": {"type": "url", "url": str(part["url"])}}
    return None
