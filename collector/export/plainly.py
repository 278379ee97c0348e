"""Foreign text where it is shown or run: control characters as their pictures, nothing that turns text round."""

from __future__ import annotations

import json
import re
from typing import Any

_SUSPECT = re.compile(r"[^\x20-\x7e\n\t]")


def visible(text: str) -> str:
    """Text with line ends and tabs as they are. Control characters become pictures (␛), what is invisible or changes
    the direction of what stands around it becomes its number (U+202E)."""
    if text.isascii() and text.isprintable():
        return text
    return _SUSPECT.sub(_seen, text.replace("\r\n", "\n").replace("\r", "\n"))


def _seen(found: re.Match[str]) -> str:
    char = found[0]
    if char.isprintable():
        return char
    if ord(char) < 0x20 or char == "\x7f":
        return chr(0x2400 + ord(char)) if char != "\x7f" else "␡"
    return " " if char.isspace() and char not in "\x85\u2028\u2029" else f"[U+{ord(char):04X}]"


def json_text(value: Any, indent: int | None = 2) -> str:
    """A value as JSON in which every character that cannot be seen is written as its escape."""
    text = json.dumps(value, ensure_ascii=False, indent=indent, default=str)
    return _SUSPECT.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    char = found[0]
    return char if char.isprintable() else json.dumps(char)[1:-1]


def line(text: str, most: int = 200) -> str:
    """One visible line of at most `most` characters."""
    said = " ".join(visible(text[: 4 * most]).split())
    return said if len(said) <= most else said[: most - 1] + "…"
