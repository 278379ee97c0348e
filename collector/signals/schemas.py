"""Whether arguments keep to a tool's JSON Schema: the words of it that tools use, the rest holds for anything.

Rules: json-schema.org/draft/2020-12/json-schema-validation. What is not understood here is never a fault.
"""

from __future__ import annotations

from typing import Any

from collector.model import Value

MAX_DEEP = 12
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,), "array": (list, tuple),
    "object": (dict,), "null": (type(None),),
}  # fmt: skip


def definitions(value: Value) -> dict[str, Any]:
    """Tool name -> its schema (None where there is none), however the provider frames a definition."""
    found: dict[str, Any] = {}
    items = value if isinstance(value, list) else [value]
    for item in items:
        if not isinstance(item, dict):
            continue
        declared = item.get("functionDeclarations", item.get("function_declarations"))
        if isinstance(declared, list):
            found |= definitions(declared)
            continue
        inner = item.get("function", item.get("toolSpec"))
        body: dict[str, Any] = inner if isinstance(inner, dict) else item
        name = body.get("name")
        if isinstance(name, str) and name:
            schema = body.get("parameters", body.get("input_schema", body.get("inputSchema")))
            found[name] = schema.get("json", schema) if isinstance(schema, dict) else None
    return found


def unnamed(value: Value) -> int:
    """How many definitions have no name: {"type": "web_search_preview"}."""
    items = value if isinstance(value, list) else [value] if value else []
    return sum(isinstance(item, dict) and not definitions(item) for item in items)


def fault(schema: Any, value: Value, path: str = "", deep: int = 0) -> str | None:
    """What is wrong, the first thing, in a few words; None where nothing is."""
    if not isinstance(schema, dict) or deep > MAX_DEEP or "$ref" in schema:
        return None
    where = path or "the arguments"
    for word in ("anyOf", "oneOf"):
        ways = schema.get(word)
        if isinstance(ways, list) and ways and all(fault(way, value, path, deep + 1) for way in ways):
            return f"{where} fits none of its {len(ways)} forms"
    wrong = _type_fault(schema, value, where) or _choice_fault(schema, value, where)
    if wrong is None and isinstance(value, dict):
        wrong = _object_fault(schema, value, path, deep)
    if wrong is None and isinstance(value, list):
        items = schema.get("items")
        found = (fault(items, one, f"{path}[{at}]", deep + 1) for at, one in enumerate(value[:100]))
        wrong = next((one for one in found if one), None)
    return wrong


def _type_fault(schema: dict[str, Any], value: Value, where: str) -> str | None:
    kind = schema.get("type")
    kinds = [kind] if isinstance(kind, str) else kind
    if not isinstance(kinds, list) or not kinds or (schema.get("nullable") is True and value is None):
        return None
    known = [str(one).lower() for one in kinds]
    if any(one not in _TYPES or _is(value, one) for one in known):
        return None
    return f"{where} should be {' or '.join(known)}, not {_name(value)}"


def _is(value: Value, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES[kind])


def _name(value: Value) -> str:
    kind = next(
        (name for name in ("boolean", "null", "integer", "number", "string", "array", "object") if _is(value, name)),
        "?",
    )
    return kind if isinstance(value, (dict, list)) or value is None else f"{kind} {str(value)[:40]!r}"


def _choice_fault(schema: dict[str, Any], value: Value, where: str) -> str | None:
    choices = schema.get("enum")
    if (
        not isinstance(choices, list)
        or not choices
        or value in choices
        or (value is None and schema.get("nullable") is True)
    ):
        return None
    return f"{where} is {str(value)[:40]!r}, none of {', '.join(str(one) for one in choices[:6])}"


def _object_fault(schema: dict[str, Any], value: dict[str, Value], path: str, deep: int) -> str | None:
    required = schema.get("required")
    missing = [key for key in required if key not in value] if isinstance(required, list) else []
    if missing:
        return f"{'.'.join(filter(None, (path, str(missing[0]))))} is missing"
    known = schema.get("properties")
    if not isinstance(known, dict):
        return None
    for key, one in value.items():
        name = ".".join(filter(None, (path, key)))
        if key in known:
            if found := fault(known[key], one, name, deep + 1):
                return found
        elif schema.get("additionalProperties") is False and not schema.get("patternProperties"):
            return f"{name} is no argument of it"
    return None
