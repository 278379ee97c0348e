"""Lines of a document: wrapped text, JSON with its colours, folds. Pure; what the inspector's tabs are made of."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from collector.model import Message
from tracetui import format as fmt
from tracetui.widgets.edits import Diff, edited
from tracetui.widgets.markup import block, diff_line, rendered
from tracetui.widgets.paint import Part

LONG_LINES = 14
"""A text that takes more lines than this starts folded."""
FOLDED_CHARS = 12_000
"""So much of a folded text is looked at; how many lines the rest takes nobody needs to know."""
PAGE_CHARS, PAGE_LINES = 60_000, 1_000
"""An open text shows so much; Enter on its last line shows the next page."""
LEAF_CHARS = 20_000
"""Of one text within JSON."""
MOST_JSON = 4_000_000
"""A longer text is not read as JSON."""
MOST_PAGES = 40
"""While something is looked for, everything is laid out, up to so many pages of a text."""


@dataclass(frozen=True, slots=True)
class Here:
    """What a line speaks of, for copying and opening: the whole `value` and its `name`, the message it stands in, a
    file that is part of a message, or (trace id, span id) to go to."""

    value: Any = None
    name: str = ""
    message: Message | None = None
    media: dict[str, Any] | None = None
    goto: tuple[str, str] | None = None


NOWHERE = Here()


@dataclass(frozen=True, slots=True)
class DocLine:
    """One line; `fold` names what Enter on it folds and unfolds."""

    parts: tuple[Part, ...]
    fold: str = ""
    here: Here = NOWHERE


@dataclass(slots=True)
class Document:
    """Collects lines. `toggled` holds the folds that are not as they start; `whole` unfolds everything. `message` is
    the one that what is added belongs to. So many lines are its `head`.
    `blocks`: texts of several lines within JSON are shown as such."""

    width: int
    toggled: Collection[str] = ()
    whole: bool = False
    lines: list[DocLine] = field(default_factory=list)
    message: Message | None = None
    head: int = 0
    blocks: bool = False

    def add(self, *parts: Part, fold: str = "", here: Here | None = None) -> None:
        self.lines.append(DocLine(parts, fold, here or (Here(message=self.message) if self.message else NOWHERE)))

    def gap(self) -> None:
        if self.lines and self.lines[-1].parts:
            self.add()

    def rule(self, title: str, right: str = "", *, role: str = "title", fold: str = "") -> None:
        """A quiet line with a title in it."""
        tail = f" {right}" if right else ""
        room = self.width - fmt.cells(title) - fmt.cells(tail) - 5
        self.add(("── ", "faint"), (title, role), (" " + "─" * max(room, 1), "faint"), (tail, "quiet"), fold=fold)

    def is_open(self, fold: str, *, starts_open: bool) -> bool:
        return self.whole or (fold in self.toggled) != starts_open

    def pages(self, fold: str) -> int:
        """How many pages of an open text are shown: one, and those that were asked for."""
        if self.whole:
            return MOST_PAGES
        number = 1
        while f"{fold}#{number + 1}" in self.toggled:
            number += 1
        return number

    def text(
        self, text: str, role: str = "text", *, indent: int = 0, fold: str = "", lead: Part | None = None,
        name: str = "", markdown: bool = False, opened: bool = False,
    ) -> None:  # fmt: skip
        """Foreign text, wrapped. Long text folds when `fold` names it (or starts `opened`), and pages when it is open.
        `lead` stands in the indent of line one."""
        here = Here(text, name, self.message)
        folds = bool(fold) and not self.is_open(fold, starts_open=opened)
        most = FOLDED_CHARS if folds else PAGE_CHARS * (self.pages(fold) if fold else 1)
        width = max(self.width - indent, 8)
        harmless = fmt.plain_lines(text[:most])
        wrapped: Iterator[list[Part]]
        if markdown:
            wrapped = (one for line in rendered(harmless, role) for one in wrap_parts(line, width))
        else:
            wrapped = ([(piece, role)] for line in harmless for piece in fmt.wrap(line, width))
        rest = f"{fmt.count(len(text) - most)} more characters" if len(text) > most else ""
        self._block(wrapped, rest, indent=indent, fold=fold, lead=lead, here=here, opened=opened)

    def value(
        self, value: Any, *, indent: int = 0, fold: str = "", lead: Part | None = None, name: str = "",
        opened: bool = False,
    ) -> None:  # fmt: skip
        """A decoded value: text as text, anything else as JSON with its colours."""
        shown = value
        if isinstance(value, str):
            shown = as_json(value)
            if shown is None:
                self.text(value, indent=indent, fold=fold, lead=lead, name=name, opened=opened)
                return
        width = max(self.width - indent, 8)
        wrapped = (one for line in json_lines(shown, blocks=self.blocks) for one in wrap_parts(line, width))
        lines = list(islice(wrapped, PAGE_LINES * (self.pages(fold) if fold else 1) + 1))
        rest = ""
        if len(lines) > PAGE_LINES * (self.pages(fold) if fold else 1):
            rest = "more lines"
            lines.pop()
        self._block(iter(lines), rest, indent=indent, fold=fold, lead=lead, here=Here(value, name, self.message),
                    opened=opened)  # fmt: skip

    def _block(
        self, lines: Iterator[list[Part]], rest: str, *, indent: int, fold: str, lead: Part | None, here: Here,
        opened: bool,
    ) -> None:  # fmt: skip
        """Lines under one lead; long ones show their beginning until they are unfolded, `rest` says what is not even
        in them."""
        shown = list(islice(lines, LONG_LINES + 1))
        foldable = bool(fold) and (len(shown) > LONG_LINES or bool(rest))
        hidden = 0
        if foldable and not self.is_open(fold, starts_open=opened):
            begun = len(shown)
            shown, hidden = shown[: LONG_LINES - 4], begun - min(begun, LONG_LINES - 4) + sum(1 for _ in lines)
        else:
            shown += lines
        for number, line in enumerate(shown):
            margin: Part = (" " * indent, "text")
            if number == 0 and lead is not None:
                margin = (fmt.fit(lead[0], indent), lead[1])
            self.lines.append(DocLine((margin, *line), fold if foldable else "", here))
        if hidden:
            more = rest or f"+{fmt.count(hidden)} lines"
            self.add((" " * indent + f"… {more}", "accent"), fold=fold, here=here)
        elif rest:
            page = f"{fold}#{self.pages(fold) + 1}" if fold else ""
            more = "enter shows the next page" if fold else "y copies all, e opens all"
            self.add((" " * indent + f"… {rest}; {more}", "accent"), fold=page, here=here)

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
                self.value(scalar(value), indent=indent + 4, fold=prefix + key, name=name)
            else:
                lead = (margin + name, "quiet")
                self.value(scalar(value), indent=indent + column, fold=prefix + key, lead=lead, name=name)


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
    if start not in ("{", "[") or len(text) > MOST_JSON:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) and value else None


def json_lines(value: Any, depth: int = 0, *, blocks: bool = False, suffix: str = "") -> Iterator[list[Part]]:
    """A value as indented JSON, one list of parts a line, made as they are asked for. Short lists and objects stay on
    one line. With `blocks` a text of several lines is shown as these, between quotes of its own: a patch or a file that
    a tool was given is no matter for `\\n`; `suffix` is that of the file it is for, where a path beside it says so."""
    if depth > 60:
        yield [("…", "quiet")]
        return
    if blocks and _is_block(value):
        yield from _block_lines(value, suffix)
        return
    if isinstance(value, dict) and blocks:
        value = edited(value)
    flat = _flat(value, blocks)
    if flat is not None:
        yield flat
        return
    if isinstance(value, dict) and blocks:
        suffix = _suffix(value) or suffix
    opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
    yield [(opening, "quiet")]
    items: Iterator[tuple[Any, Any]] = (
        iter(value.items()) if isinstance(value, dict) else ((None, one) for one in value)
    )
    left = len(value)
    for key, item in items:
        left -= 1
        head: list[Part] = [("  ", "text")]
        if key is not None:
            head += [(_quoted(str(key)), "json-key"), (": ", "quiet")]
        before: list[Part] | None = None
        for line in json_lines(item, depth + 1, blocks=blocks, suffix=suffix):
            if before is not None:
                yield before
            before = [*head, *line]
            head = [("  ", "text")]
        if before is not None:
            yield [*before, (",", "quiet")] if left else before
    yield [(closing, "quiet")]


FLAT_MOST = 12
"""A list of more entries is never on one line."""
BLOCK = '"""'
_PATHS = ("path", "file_path", "filepath", "filename", "file", "target_file", "notebook_path")


def _is_block(value: Any) -> bool:
    return isinstance(value, str) and (isinstance(value, Diff) or "\n" in value.rstrip("\n"))


def _block_lines(value: str, suffix: str) -> Iterator[list[Part]]:
    """A text of several lines between quotes, its beginning where it is long."""
    yield [(BLOCK, "quiet")]
    lines = fmt.plain_lines(value[:LEAF_CHARS].removesuffix("\n"))
    for line in map(diff_line, lines) if isinstance(value, Diff) else block(lines, suffix):
        yield [("  ", "text"), *line]
    left = len(value) - LEAF_CHARS
    yield [(BLOCK + (f" … {fmt.count(left)} more characters; e opens all" if left > 0 else ""), "quiet")]


def _suffix(value: dict[Any, Any]) -> str:
    """Of the file that an object is about: "py"."""
    named = next((one for key in _PATHS if isinstance(one := value.get(key), str)), "")
    return named[-20:].rpartition(".")[2].lower() if "." in named[-20:] else ""


def _flat(value: Any, blocks: bool = False) -> list[Part] | None:
    """A value on one line: scalars, and small lists and objects of scalars. None when it needs more."""
    if blocks and isinstance(value, dict | list | tuple):
        inner = value.values() if isinstance(value, dict) else value
        if len(value) <= FLAT_MOST and any(map(_is_block, inner)):
            return None
    if isinstance(value, dict):
        if len(value) > 4 or any(isinstance(item, dict | list | tuple) and item for item in value.values()):
            return None
        parts = _joined(
            [[(_quoted(str(key)), "json-key"), (": ", "quiet"), _scalar(item)] for key, item in value.items()]
        )
        parts = [("{", "quiet"), *parts, ("}", "quiet")]
    elif isinstance(value, list | tuple):
        if len(value) > FLAT_MOST or any(isinstance(item, dict | list | tuple) and item for item in value):
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
    if len(text) > LEAF_CHARS:
        more = f"… {fmt.count(len(text) - LEAF_CHARS)} more characters; e opens all"
        return fmt.plain(json.dumps(text[:LEAF_CHARS], ensure_ascii=False)) + more
    return fmt.plain(json.dumps(text, ensure_ascii=False))


CLOSING = (",", "}", "]", ":")
"""What is not torn from the part it ends."""


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
    for number, (text, role) in enumerate(parts):
        size = fmt.cells(text)
        after = parts[number + 1][0].rstrip() if number + 1 < len(parts) else ""
        if after in CLOSING and size <= room < size + len(after) and room < width - hang:
            lines.append(line)  # a comma or bracket stands with what it ends
            line, room = [(" " * hang, "text")], width - hang
        if size == room + 1 and text.endswith(" "):
            text, size = text[:-1], room  # the blank behind a comma, at the edge
        if size <= room:
            line.append((text, role))
            room -= size
            continue
        pieces = _break(text, room, width - hang)
        for at, piece in enumerate(pieces):
            if at:
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
