"""What both shapes of a request need: parameters by their names, tools, files as base64."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

Body = dict[str, Any]
SPOKEN_ANYWAY = frozenset(
    {"model", "messages", "stream", "stream_options", "system", "tools", "input", "instructions", "prompt"}
)
"""Parameters that say what the request says itself, or how the answer travels."""


def params(given: Mapping[str, Any], names: Mapping[str, str], left_out: list[str]) -> Body:
    """Parameters under the API's `names` (ours to theirs); those it does not know are said in `left_out`."""
    out: Body = {}
    strange: list[str] = []
    for name, value in given.items():
        if value is None or name in SPOKEN_ANYWAY:
            continue
        if name in names:
            out.setdefault(names[name], decoded(value))
        else:
            strange.append(name)
    if strange:
        left_out.append(f"Parameters left out: {', '.join(sorted(strange))}.")
    return out


def decoded(value: Any) -> Any:
    """A list or object that was recorded as JSON text; anything else as it is."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def tools(definitions: Any) -> list[Body]:
    """Tool definitions of any spelling as `name`, `description`, `schema`; what names nothing is no tool."""
    found = []
    given = decoded(definitions)
    for one in given if isinstance(given, list) else [given] if isinstance(given, dict) else []:
        one = decoded(one)
        if not isinstance(one, dict):
            continue
        inner = one["function"] if isinstance(one.get("function"), dict) else one
        if not inner.get("name"):
            continue
        schema = inner.get("parameters") or inner.get("input_schema") or inner.get("inputSchema") or {}
        found.append({"name": inner["name"], "description": inner.get("description"), "schema": decoded(schema)})
    return found


def empty_schema(schema: Any) -> Body:
    """A schema that APIs accept: an object at least."""
    return schema if isinstance(schema, dict) and schema else {"type": "object", "properties": {}}


def held(part: Mapping[str, Any]) -> tuple[str, str] | None:
    """(mime type, base64) of a file that the recording holds; None where it only names one."""
    mime = str(part.get("mime_type") or "application/octet-stream")
    data, url = part.get("data"), part.get("url")
    if isinstance(data, bytes):
        return mime, base64.b64encode(data).decode()
    if isinstance(data, str) and data.startswith("data:"):
        url, data = data, None
    if isinstance(url, str) and url.startswith("data:"):
        head, _, text = url.partition(",")
        if head.endswith(";base64"):
            return head[5:].partition(";")[0] or mime, text
    return (mime, data) if isinstance(data, str) and data else None


def as_text(value: Any) -> str:
    """A result as the text that a model is given."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
