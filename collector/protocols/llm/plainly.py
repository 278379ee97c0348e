"""What a client library answers with (pydantic models, or dicts) as plain values, without running the host's code."""

from __future__ import annotations

from typing import Any

SCALARS = frozenset({str, int, float, bool, type(None)})
_PARSED = frozenset({"parsed", "parsed_arguments", "parsed_output"})
"""Where the libraries put objects of the host's own classes; the text they were made from stands beside them."""
MAX_DEPTH = 40


def fields(value: Any) -> dict[str, Any]:
    """The fields of an answer or of a part of it, one level deep; {} of what has none. Not to be changed."""
    if isinstance(value, dict):
        return value
    try:
        held: dict[str, Any] = object.__getattribute__(value, "__dict__")
        extra = object.__getattribute__(value, "__pydantic_extra__") if _is_model(type(value)) else None
    except AttributeError:
        return {}
    return {**held, **extra} if extra else held


def _is_model(kind: type) -> bool:
    return hasattr(kind, "__pydantic_fields__") or hasattr(kind, "model_fields")


def plain(value: Any, depth: int = 0) -> Any:
    """A model as the dict it came from: no None, nothing private, nothing that the host's classes were parsed into."""
    kind = type(value)
    if kind in SCALARS or depth > MAX_DEPTH:
        return value
    if kind is list or kind is tuple:
        return [plain(item, depth + 1) for item in value]
    if kind is dict or _is_model(kind):
        return {
            name: plain(item, depth + 1)
            for name, item in fields(value).items()
            if item is not None and not (type(name) is str and (name in _PARSED or name.startswith("_")))
        }
    return value


def told(answer: Any) -> dict[str, Any]:
    """A whole answer as a dict; {} where a server answered with something else."""
    said = plain(answer)
    return said if isinstance(said, dict) else {}


def text(value: Any) -> str | None:
    """A text that says something, else None."""
    return value if isinstance(value, str) and value else None
