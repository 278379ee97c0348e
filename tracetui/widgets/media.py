"""Files that a span holds: the line that stands for one, and those within values that are no messages. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from collector.conventions.parts import REFERENCE
from tracetui import format as fmt
from tracetui.widgets.lines import Document, Here
from tracetui.widgets.paint import Part

MOST = 20
"""Of one value so many files are listed."""
MOST_LOOKED = 20_000
"""Entries of a value that are looked at."""
_HEAD = 200
"""Characters of a data URL in which its type is looked for."""


def add(page: Document, part: dict[str, Any], margin: Part) -> None:
    """The line of a file: what it is, and that a key opens it."""
    keys = "  enter shows, o opens" if part.get("type") == "image" and page.width >= 60 else "  o opens"
    about = fmt.clip(fmt.plain(told(part)), page.width - fmt.cells(margin[0]) - len(keys))
    here = Here(part, str(part.get("type")), page.message, media=part)
    page.add(margin, (about, "quiet"), (keys, "quiet"), here=here)


def told(part: dict[str, Any]) -> str:
    """One line in place of a file: what it is, and where, or how large."""
    url, size = part.get("url"), part.get("size")
    held = not url or str(url).startswith("data:")
    where = part.get("file_id") or "" if held else url
    large = f"{fmt.count(size)} bytes" if isinstance(size, int) else ""
    if held and not where and not large:
        large = f"{fmt.count(len(str(part.get('data') or '')))} characters"
    about = " ".join(str(said) for said in (part.get("name"), where, large) if said)
    return f"[{part.get('type')} {part.get('mime_type') or ''}] {about}"[:300]


def within(value: Any) -> list[dict[str, Any]]:
    """The files in a value, as parts of a message: data URLs, and what Langfuse's SDK puts in the place of files that
    it sends by themselves. Each once, at most MOST."""
    found: dict[str, dict[str, Any]] = {}
    for name, text in _texts(value):
        if text.startswith("data:"):
            mime, base64, held = text[5:_HEAD].partition(";base64,")
            if base64 and held:
                letters = len(text) - 5 - len(mime) - len(base64)
                size = letters * 3 // 4 - text.count("=", -2)
                found.setdefault(text, {**_typed(mime), "name": name, "url": text, "size": size})
        elif "@@@langfuseMedia:" in text:
            for one in REFERENCE.finditer(text):
                found.setdefault(one[2], {**_typed(one[1]), "name": name, "file_id": one[2]})
        if len(found) >= MOST:
            break
    return list(found.values())[:MOST]


def _typed(mime: str) -> dict[str, Any]:
    kind = mime.partition("/")[0]
    return {"type": kind if kind in ("image", "audio") else "file", "mime_type": mime.partition(";")[0]}


def _texts(value: Any) -> Iterator[tuple[str, str]]:
    """(the key it stands under, text) of the texts in a value, in their order."""
    waiting: list[tuple[str, Any]] = [("", value)]
    for _ in range(MOST_LOOKED):
        if not waiting:
            return
        name, one = waiting.pop()
        if isinstance(one, str):
            yield name, one
        elif isinstance(one, Mapping):
            waiting += reversed([(str(key), item) for key, item in one.items()])
        elif isinstance(one, list | tuple):
            waiting += [(name, item) for item in reversed(one)]


def list_within(page: Document, value: Any) -> None:
    """The files in a value, a line each."""
    for part in within(value):
        add(page, part, ("  ", "text"))
