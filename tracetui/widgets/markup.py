"""Markdown, code and diffs as lines of parts: a line in, a line out, so that a long text is laid out as far as it is
seen.

Made for reading traces: what a mark says is shown (bold, a heading, a fence), lists and tables stay as they were typed,
and a line that is no Markdown looks as it is. The text is harmless already (`format.plain_lines`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from tracetui.widgets.paint import Part

_FENCE = re.compile(r"\s{0,3}(`{3,}|~{3,})\s*([\w+#.-]*)[^`]*$")
_HEADING = re.compile(r"(#{1,6})\s+(.*)")
_QUOTE = re.compile(r"\s{0,3}>\s?(.*)")
_INLINE = re.compile(
    r"(`{1,3})(?P<code>.+?)\1|\*\*(?P<bold>[^\s*](?:.*?[^\s*])?)\*\*|\[(?P<link>[^\]]+)\]\((?P<url>[^)\s]+)\)"
)
MOST_INLINE = 2_000
"""Characters of a line in which marks are looked for: the patterns above take their square."""
_DIFF = re.compile(r"diff --git |Index: |--- \S")
MOST_CODE = 8_000
"""Characters of one block that get colours."""
LANGUAGES = frozenset(
    """python py js javascript ts typescript tsx jsx json bash sh shell zsh sql html xml yaml yml toml ini c cpp rust go
    java kotlin swift ruby rb php css dockerfile make lua r""".split()
)
"""Those that pygments is asked for: a name in a fence is foreign."""


def rendered(lines: Iterable[str], role: str) -> Iterator[list[Part]]:
    """Each line of a text as parts. A text that begins as a diff is one."""
    lines = iter(lines)
    first = next(lines, None)
    if first is None:
        return
    if _DIFF.match(first):
        second = next(lines, None)
        both = [first] if second is None else [first, second]
        if first.startswith(("diff", "Index")) or (second or "").startswith("+++ "):
            yield from map(diff_line, chain(both, lines))
            return
        lines = chain(both, lines)
    else:
        lines = chain((first,), lines)
    yield from _markdown(lines, role)


def _markdown(lines: Iterator[str], role: str) -> Iterator[list[Part]]:
    for line in lines:
        fence = _FENCE.match(line)
        if fence:
            yield [(line.strip(), "quiet")]
            yield from _block(lines, fence[1], fence[2].lower())
        elif heading := _HEADING.match(line):
            yield [(f"{heading[1]} ", "quiet"), (heading[2], "strong")]
        elif quote := _QUOTE.match(line):
            yield [("│ ", "faint"), *inline(quote[1], "quiet")]
        else:
            yield inline(line, role)


def _block(lines: Iterator[str], fence: str, language: str) -> Iterator[list[Part]]:
    """The lines of a block, up to the fence that closes it."""
    if language in ("diff", "patch"):
        for line in lines:
            if _closes(line, fence):
                yield [(line.strip(), "quiet")]
                return
            yield diff_line(line)
        return
    held: list[str] = []
    size = 0
    for line in lines:
        if _closes(line, fence):
            yield from code(held, language)
            yield [(line.strip(), "quiet")]
            return
        held.append(line)
        size += len(line) + 1
        if size > MOST_CODE:
            yield from code(held, language)
            held, size, language = [], 0, ""
    yield from code(held, language)


def block(lines: list[str], language: str) -> Iterator[list[Part]]:
    """A text that is no prose: a diff, a program of a language that is known, or as it is."""
    first, second = (*lines, "", "")[:2]
    if first.startswith(("diff --git ", "Index: ", "*** Begin Patch")) or (
        _DIFF.match(first) and second.startswith("+++ ")
    ):
        yield from map(diff_line, lines)
    elif language in LANGUAGES and sum(map(len, lines)) <= MOST_CODE:
        yield from code(lines, language)
    else:
        yield from ([(line, "json-text")] for line in lines)


def _closes(line: str, fence: str) -> bool:
    said = line.strip()
    return len(said) >= len(fence) and set(said) == {fence[0]}


def diff_line(line: str) -> list[Part]:
    """A line of a unified diff."""
    if line.startswith(("+++", "---", "diff ", "index ")):
        return [(line, "strong")]
    role = {"+": "ok", "-": "error", "@": "accent"}.get(line[:1], "code")
    return [(line, role)]


def inline(line: str, role: str) -> list[Part]:
    """Code, bold and links within a line."""
    if len(line) > MOST_INLINE or ("`" not in line and "**" not in line and "](" not in line):
        return [(line, role)]
    parts: list[Part] = []
    at = 0
    for found in _INLINE.finditer(line):
        if found.start() > at:
            parts.append((line[at : found.start()], role))
        if found["code"] is not None:
            parts.append((found["code"], "code"))
        elif found["bold"] is not None:
            parts.append((found["bold"], "strong"))
        else:
            parts += [(found["link"], "accent"), (f" ({found['url']})", "quiet")]
        at = found.end()
    if at < len(line) or not parts:
        parts.append((line[at:], role))
    return parts


def code(lines: list[str], language: str) -> Iterator[list[Part]]:
    """Lines of a program, with colours where the language is one of ours."""
    if language not in LANGUAGES or not lines:
        yield from ([(line, "code")] for line in lines)
        return
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        yield from ([(line, "code")] for line in lines)
        return
    parts: list[Part] = []
    for token, text in lexer.get_tokens("\n".join(lines)):
        role = _role(str(token))
        first, *rest = text.split("\n")
        if first:
            parts.append((first, role))
        for piece in rest:
            yield parts
            parts = [(piece, role)] if piece else []
    yield parts


def _role(token: str) -> str:
    for name, role in (
        ("Token.Keyword", "json-word"), ("Token.Literal.String", "code-text"), ("Token.Literal.Number", "json-number"),
        ("Token.Comment", "quiet"), ("Token.Name.Function", "strong"), ("Token.Name.Class", "strong"),
        ("Token.Name.Tag", "json-key"), ("Token.Name.Attribute", "json-key"),
    ):  # fmt: skip
        if token.startswith(name):
            return role
    return "code"
