"""Texts that are JSON: look at the decoded leaves, put back only what changed.

The patterns hold for raw JSON too (see `rules`), so that clean JSON is never decoded: only where one of them hit,
or where `\\u00xx` and `\\/` could hide a secret from them. Then the leaves decide (a card number that stands there
as a JSON number is a number), and each changed leaf is replaced in the raw text, which else stays as it was sent.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collector.redact.redactor import Redactor

_HIDDEN = re.compile(r"\\u00[2-7]|\\/")


def looks_like_json(text: str) -> bool:
    """Starts like an object, an array or a string."""
    return text[0] in '{["' or text[:64].lstrip()[:1] in ("{", "[", '"')


def may_hide(text: str) -> bool:
    """Whether an escape stands there that could hide a printable ASCII character."""
    return ("\\u00" in text or "\\/" in text) and _HIDDEN.search(text) is not None


def redact(raw: str, redactor: Redactor) -> str | None:
    """`raw` with its leaves redacted; None for what is no JSON."""
    try:
        decoded = _decode(raw)
        clean = _walk(decoded, redactor)
    except (ValueError, RecursionError):
        return None
    if clean is decoded:
        return raw if redactor.rules(raw, exempt=True) is raw else _encode(raw, clean)
    return _substituted(raw, decoded, clean, redactor) or _encode(raw, clean)


def _decode(raw: str) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:  # NaN, a lone surrogate: Python is less strict
        return json.loads(raw)


def _walk(value: Any, redactor: Redactor) -> Any:
    clean = redactor.value(value)
    return _keys(clean, redactor)


def _keys(value: Any, redactor: Redactor) -> Any:
    if isinstance(value, dict):
        new = {key: _keys(one, redactor) for key, one in value.items()}
        same = all(new[key] is one for key, one in value.items())
        return redactor.keys(value if same else new)
    if isinstance(value, list):
        items = [_keys(one, redactor) for one in value]
        return value if all(a is b for a, b in zip(items, value, strict=True)) else items
    return value


def _substituted(raw: str, before: Any, after: Any, redactor: Redactor) -> str | None:
    """The raw text with only the changed leaves replaced, or None where that does not give the same value."""
    pairs: dict[str, str] = {}
    if not _changes(before, after, pairs):
        return None
    text = raw
    for old in sorted(pairs, key=len, reverse=True):
        for ascii_only in (True, False):
            quoted = json.dumps(old, ensure_ascii=ascii_only)
            if quoted in text:
                text = text.replace(quoted, json.dumps(pairs[old], ensure_ascii=ascii_only))
    try:
        same = _decode(text) == after
    except ValueError:
        return None
    return text if same and redactor.rules(text, exempt=True) is text else None


def _changes(before: Any, after: Any, into: dict[str, str]) -> bool:
    """Collect old -> new of every changed leaf; False where keys changed as well."""
    if before is after:
        return True
    if isinstance(before, str):
        into[before] = after
        return True
    if isinstance(before, list):
        return all(_changes(a, b, into) for a, b in zip(before, after, strict=True))
    if isinstance(before, dict):
        return before.keys() == after.keys() and all(_changes(one, after[key], into) for key, one in before.items())
    return False


def _encode(raw: str, value: Any) -> str:
    """As JSON of the raw text's habits: its spacing, and whether it escapes what is not ASCII."""
    separators = (", ", ": ") if '": ' in raw else (",", ":")
    return json.dumps(value, ensure_ascii=raw.isascii(), separators=separators)
