"""Lines of a document: wrapped text, JSON with its colours, folds. Pure; what the inspector's tabs are made of."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from tracetui import format as fmt
from tracetui.widgets.paint import Part

LONG_LINES = 14
"""A text that takes more lines than this starts folded."""
MOST_CHARS = 400_000
"""More of one text is not laid out; copying has all of it."""


@dataclass(frozen=True, slots=True)
class DocLine:
    """One line; `fold` names what Enter on it folds and unfolds."""

    parts: tuple[Part, ...]
    fold: str = ""


@dataclass(slots=True)
class Document:
    """Collects lines. `toggled` holds the folds that are not as they start."""

    width: int
    toggled: Collection[str] = ()
    lines: list[DocLine] = field(default_factory=list)

    def add(self, *parts: Part, fold: str = "") -> None:
        self.lines.append(DocLine(parts, fold))

    def gap(self) -> None:
        if self.lines and self.lines[-1].parts:
            self.add()

    def rule(self, title: str, right: str = "", *, role: str = "title", fold: str = "") -> None:
        """A quiet line with a title in it."""
        tail = f" {right}" if right else ""
        room = self.width - fmt.cells(title) - fmt.cells(tail) - 5
        self.add(("── ", "faint"), (title, role), (" " + "─" * max(room, 1), "faint"), (tail, "quiet"), fold=fold)

    def is_open(self, fold: str, *, starts_open: bool) -> bool:
        return (fold in self.toggled) != starts_open

    def text(self, text: str, role: str = "text", *, indent: int = 0, fold: str = "", lead: Part | None = None) -> None:
        """Foreign text, wrapped. Long text folds when `fold` names it. `lead` stands in the indent of line one."""
        lines = []
        for line in fmt.plain_lines(text[:MOST_CHARS]):
            lines += [[(piece, role)] for piece in fmt.wrap(line, max(self.width - indent, 8))]
        if len(text) > MOST_CHARS:
            lines.append([(f"… {fmt.count(len(text) - MOST_CHARS)} more characters; y copies all", "quiet")])
        self.block(lines, indent=indent, fold=fold, lead=lead)

    def value(self, value: Any, *, indent: int = 0, fold: str = "", lead: Part | None = None) -> None:
        """A decoded value: text as text, anything else as JSON with its colours."""
        if isinstance(value, str):
            decoded = as_json(value)
            if decoded is None:
                self.text(value, indent=indent, fold=fold, lead=lead)
                return
            value = decoded
        wrapped: list[list[Part]] = []
        for line in json_lines(value):
            wrapped += wrap_parts(line, max(self.width - indent, 8))
        self.block(wrapped, indent=indent, fold=fold, lead=lead)

    def block(self, lines: list[list[Part]], *, indent: int, fold: str, lead: Part | None) -> None:
        """Lines under one lead; long ones show their beginning until they are unfolded."""
        shown, hidden = lines, 0
        foldable = bool(fold) and len(lines) > LONG_LINES
        if foldable and not self.is_open(fold, starts_open=False):
            shown, hidden = lines[: LONG_LINES - 4], len(lines) - (LONG_LINES - 4)
        for number, line in enumerate(shown):
            margin: Part = (" " * indent, "text")
            if number == 0 and lead is not None:
                margin = (fmt.fit(lead[0], indent), lead[1])
            self.lines.append(DocLine((margin, *line), fold if foldable else ""))
        if hidden:
            self.add((" " * indent + f"… +{fmt.count(hidden)} lines", "accent"), fold=fold)

    def pairs(self, pairs: Iterable[tuple[str, Any]], *, prefix: str = "", indent: int = 0) -> None:
        """`key  value` lines, keys in a column of their own. Values that are None or empty are left out."""
        known = [(key, value) for key, value in pairs if value is not None and value not in ("", (), [], {})]
        longest = max((fmt.cells(fmt.plain(key)) for key, _ in known), default=0)
        column = min(longest, max((self.width - indent) * 2 // 5, 12)) + 2
        margin = " " * indent
        for key, value in known:
            name = fmt.plain(key)
            if fmt.cells(name) > column - 2:
                self.add((margin + fmt.clip(name, self.width - indent), "quiet"))
                self.value(scalar(value), indent=indent + 4, fold=prefix + key)
            else:
                self.value(scalar(value), indent=indent + column, fold=prefix + key, lead=(margin + name, "quiet"))


def scalar(value: Any) -> Any:
    """Numbers and words as text without quotes; lists and dicts stay."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value}"
    return value


def as_json(text: str) -> Any | None:
    """The list or object that a text holds as JSON, else None."""
    start = text[:20].lstrip()[:1]
    if start not in ("{", "[") or len(text) > MOST_CHARS:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) and value else None


def json_lines(value: Any, depth: int = 0) -> list[list[Part]]:
    """A value as indented JSON, one list of parts a line. Short lists and objects stay on one line."""
    if depth > 60:
        return [[("…", "quiet")]]
    flat = _flat(value)
    if flat is not None:
        return [flat]
    opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
    lines: list[list[Part]] = [[(opening, "quiet")]]
    items = list(value.items()) if isinstance(value, dict) else [(None, item) for item in value]
    for number, (key, item) in enumerate(items):
        inner = json_lines(item, depth + 1)
        head: list[Part] = [("  ", "text")]
        if key is not None:
            head += [(_quoted(str(key)), "json-key"), (": ", "quiet")]
        lines.append([*head, *inner[0]])
        lines += [[("  ", "text"), *line] for line in inner[1:]]
        if number < len(items) - 1:
            lines[-1].append((",", "quiet"))
    lines.append([(closing, "quiet")])
    return lines


def _flat(value: Any) -> list[Part] | None:
    """A value on one line: scalars, and small lists and objects of scalars. None when it needs more."""
    if isinstance(value, dict):
        if len(value) > 4 or any(isinstance(item, dict | list | tuple) and item for item in value.values()):
            return None
        parts = _joined(
            [[(_quoted(str(key)), "json-key"), (": ", "quiet"), _scalar(item)] for key, item in value.items()]
        )
        parts = [("{", "quiet"), *parts, ("}", "quiet")]
    elif isinstance(value, list | tuple):
        if len(value) > 12 or any(isinstance(item, dict | list | tuple) and item for item in value):
            return None
        parts = [("[", "quiet"), *_joined([[_scalar(item)] for item in value]), ("]", "quiet")]
    else:
        return [_scalar(value)]
    return parts if sum(len(text) for text, _ in parts) <= 72 or not value else None


def _joined(items: list[list[Part]]) -> list[Part]:
    parts: list[Part] = []
    for number, item in enumerate(items):
        parts += ([(", ", "quiet")] if number else []) + item
    return parts


def _scalar(value: Any) -> Part:
    if isinstance(value, str):
        return _quoted(value), "json-text"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value], "json-word"
    if isinstance(value, bytes):
        return f"base64 {base64.b64encode(value[:3000]).decode()}", "json-text"
    if isinstance(value, dict | list | tuple):
        return "{}" if isinstance(value, dict) else "[]", "quiet"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value), "json-word"
    return fmt.plain(str(value)), "json-number"


def _quoted(text: str) -> str:
    return fmt.plain(json.dumps(text[:MOST_CHARS], ensure_ascii=False))


def wrap_parts(parts: list[Part], width: int) -> list[list[Part]]:
    """Break a line of parts into lines of at most `width` cells; the rest hangs two cells deeper."""
    if sum(len(text) for text, _ in parts) * 2 <= width or sum(fmt.cells(text) for text, _ in parts) <= width:
        return [parts]
    margin = 0
    for text, _ in parts:
        margin += len(text) - len(text.lstrip(" "))
        if text.strip(" "):
            break
    hang = min(margin + 2, width // 2)
    lines: list[list[Part]] = []
    line: list[Part] = []
    room = width
    for text, role in parts:
        size = fmt.cells(text)
        if size <= room:
            line.append((text, role))
            room -= size
            continue
        pieces = _break(text, room, width - hang)
        for number, piece in enumerate(pieces):
            if number:
                lines.append(line)
                line, room = [(" " * hang, "text")], width - hang
            if piece:
                line.append((piece, role))
                room -= fmt.cells(piece)
    return [*lines, line]


def _break(text: str, first: int, rest: int) -> list[str]:
    """Cut into a piece that fits `first` cells (it may be empty) and pieces that fit `rest`."""
    if first < 12 and fmt.cells(text) > first:
        return ["", *fmt.wrap(text, rest)]
    head = fmt.wrap(text, first)[0] if first > 1 else ""
    return [head, *fmt.wrap(text[len(head) :].lstrip(), rest)]
