"""Edits that agents ask for as an old text and a new one: what differs is what one reads. Pure."""

from __future__ import annotations

from difflib import unified_diff
from typing import Any

NAMES = (("old_string", "new_string"), ("old_str", "new_str"), ("old_text", "new_text"), ("oldText", "newText"))
"""As the tools of Claude Code, Anthropic's text editor and file servers over MCP call the two."""
MOST = 20_000
"""Characters of both: what takes longer is shown as the two texts."""


class Diff(str):
    """A text that is the lines of a diff."""

    __slots__ = ()


def edited(value: dict[Any, Any]) -> dict[Any, Any]:
    """The same with one diff in the place of an old and a new text; the very same where it has none."""
    for names in NAMES:
        before, after = (value.get(name) for name in names)
        if isinstance(before, str) and isinstance(after, str) and before != after and len(before) + len(after) <= MOST:
            diff = Diff("\n".join(_differing(before, after)))
            both = {" / ".join(names): diff}
            shown: dict[Any, Any] = {}
            for key, item in value.items():
                shown |= both if key == names[0] else {} if key == names[1] else {key: item}
            return shown
    return value


def _differing(before: str, after: str) -> list[str]:
    """The lines of a diff without its head; where its parts begin only when there are several."""
    lines = list(unified_diff(before.splitlines(), after.splitlines(), lineterm=""))[2:]
    parts = sum(line.startswith("@@") for line in lines)
    told = [line for line in lines if parts > 1 or not line.startswith("@@")]
    return told or ["  (only the ends of lines differ)"]
