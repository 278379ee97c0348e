"""A request as a sheet of text that people edit, and back.

#: model gpt-4o-mini
#: temperature 0.2

#: system
You are brief.

#: user
Where is my order?

#: tools json
[…]

A line that begins with `#: ` opens a part. After `model` and after a parameter's name stands its value, in JSON or as
plain text; what is below `system`, `user`, `assistant` and other roles is a message. A message that is more than text
is written as JSON (`#: assistant json`). A line of a text that begins like a part has a backslash before it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from collector.export.plainly import json_text, visible
from collector.replay.failures import ReplayError

OPENS = "#: "
ROLES = ("system", "developer", "user", "assistant", "tool", "function")
_OPENS = re.compile(r"^(\\*)#: ")
_WORD = re.compile(r"[A-Za-z_][\w.]*$")
Body = dict[str, Any]


def to_sheet(body: Mapping[str, Any]) -> str:
    """The request as a sheet; `from_sheet` makes the same request of it."""
    lines = [f"{OPENS}model {body.get('model') or ''}".rstrip()]
    rest = {name: value for name, value in body.items() if name not in ("model", "messages", "system", "tools")}
    lines += [f"{OPENS}{name} {_inline(value)}" for name, value in rest.items()]
    if "system" in body:
        lines += _part("system", body["system"])
    for message in body.get("messages") or ():
        bare = set(message) == {"role", "content"} and message["role"] in ROLES
        lines += _part(str(message.get("role")) if bare else "message", message["content"] if bare else message)
    if body.get("tools"):
        lines += _part("tools", body["tools"])
    return "\n".join(lines) + "\n"


def _inline(value: Any) -> str:
    """A value on one line: text bare where it reads back as itself."""
    if isinstance(value, str) and value == value.strip() and value and visible(value) == value and "\n" not in value:
        try:
            json.loads(value)
        except ValueError:
            return value
    return json_text(value, None)


def _part(name: str, content: Any) -> list[str]:
    """Text as it is; anything else, and text that would not come back, as JSON."""
    if isinstance(content, str) and content and visible(content) == content and content == content.strip("\n"):
        return ["", f"{OPENS}{name}", *(_OPENS.sub(r"\\\g<0>", line) for line in content.split("\n"))]
    return ["", f"{OPENS}{name} json", *json_text(content).split("\n")]


def from_sheet(text: str, api: str) -> Body:
    """The request that a sheet says. `api` is "openai" or "anthropic". ReplayError names the line that is wrong."""
    body: Body = {"messages": []}
    for number, head, lines in _parts(text):
        name, _, rest = head.partition(" ")
        if name in ROLES or name in ("message", "tools"):
            _take_part(body, api, number, name, rest.strip(), lines)
        elif any(line.strip() for line in lines):
            raise ReplayError(f"line {number + 1}: {name} takes its value on its own line; text belongs below a role")
        elif not _WORD.match(name):
            raise ReplayError(f"line {number}: {name!r} is neither a role nor a parameter's name")
        else:
            body[name] = rest.strip() if name == "model" else _value(rest.strip())
    if not body.get("model"):
        raise ReplayError("no model is named; the first line reads `#: model NAME`")
    if not body["messages"]:
        raise ReplayError("there is no message; `#: user` opens one")
    return body


def _parts(text: str) -> Iterator[tuple[int, str, list[str]]]:
    """(line number from 1, what stands after the opening, lines below)."""
    number, head, lines = 0, "", list[str]()
    for at, line in enumerate(text.split("\n"), 1):
        if line.startswith(OPENS):
            if head:
                yield number, head, lines
            number, head, lines = at, line[len(OPENS) :].strip(), []
            if not head:
                raise ReplayError(f"line {at}: `{OPENS}` opens a part; name it: model, a parameter, system, user …")
        elif head:
            lines.append(line[1:] if line.startswith("\\") and _OPENS.match(line) else line)
        elif line.strip():
            raise ReplayError(f"line {at}: text before the first part; `#: user` opens a message")
    if head:
        yield number, head, lines


def _take_part(body: Body, api: str, number: int, name: str, form: str, lines: list[str]) -> None:
    if form not in ("", "json"):
        raise ReplayError(f"line {number}: {name} is followed by its text below, or by the word json; not by {form!r}")
    text = "\n".join(lines).strip("\n")
    content = _json(text, number) if form or name in ("message", "tools") else text
    if name == "tools":
        if not isinstance(content, list):
            raise ReplayError(f"line {number}: tools are a JSON list")
        body["tools"] = content
    elif name == "system" and api == "anthropic":
        body["system"] = content
    elif name == "message":
        if not isinstance(content, dict) or not isinstance(content.get("role"), str):
            raise ReplayError(f"line {number}: a message is a JSON object with a role")
        body["messages"].append(content)
    else:
        body["messages"].append({"role": name, "content": content})


def _json(text: str, number: int) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        line = getattr(error, "lineno", 1)
        raise ReplayError(f"line {number + line}: this is no JSON: {getattr(error, 'msg', error)}") from error


def _value(text: str) -> Any:
    if not text:
        return ""
    try:
        return json.loads(text)
    except ValueError:
        return text
