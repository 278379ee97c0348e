"""What the full-text index is fed, and how a user's words become a query of it.

FTS5's unicode61 splits at spaces and punctuation, so text of scripts written without spaces would be one
endless token. Such characters go into the index one by one, and are asked for as phrases: any substring
of them is found, of any length.
"""

from __future__ import annotations

import re

_SCRIPTS = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f"  # Myanmar
    "\u1780-\u17ff"  # Khmer
    "\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f"  # Hiragana, Katakana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # Han
    "\uac00-\ud7af"  # Hangul: words are spaced, but their endings are not
    "\U00020000-\U0003ffff"  # Han, further planes
)
_SPACELESS = re.compile(f"[{_SCRIPTS}]")
_TOKEN = re.compile(r'"([^"]*)"?|(\S+)')
_WORD = re.compile(r"[^\W_]+", re.UNICODE)


def needs_spacing(text: str) -> bool:
    """Whether the text has characters of a script written without spaces."""
    return not text.isascii() and _SPACELESS.search(text) is not None


def spaced(text: str) -> str:
    """The text with a space around every character of such scripts."""
    return _SPACELESS.sub(r" \g<0> ", text) if not text.isascii() else text


def match_expression(text: str) -> str | None:
    """An FTS5 expression for what a user typed: words are and-ed, "…" is a phrase, word* a prefix.

    Never a syntax error: whatever is no word is left out. None when nothing is left to look for.
    """
    terms = []
    for phrase, word in _TOKEN.findall(text):
        raw = phrase or word
        prefix = bool(word) and word.endswith("*")
        words = spaced(raw.replace("\x00", " ")).split()
        tokens = [token for part in words for token in _split(part)]
        if tokens:
            quoted = '"' + " ".join(tokens) + '"'
            terms.append(quoted + (" *" if prefix else ""))
    return " AND ".join(terms) or None


def _split(word: str) -> list[str]:
    cleaned = word.replace('"', " ").strip()
    return [cleaned] if cleaned and any(c.isalnum() or ord(c) > 127 for c in cleaned) else []


def words_of(text: str) -> list[str]:
    """The words and phrases a user asked for, for marking them in snippets."""
    found = []
    for phrase, word in _TOKEN.findall(text):
        raw = (phrase or word).strip('"').rstrip("*").strip()
        if raw:
            found.append(raw)
    return found


def snippet(text: str, asked: str, width: int = 120) -> tuple[str, tuple[tuple[int, int], ...]]:
    """(one line around the first hit, the character ranges of hits in it)."""
    pattern = _hits(asked)
    first = pattern.search(text) if pattern is not None else None
    start = max(0, first.start() - width // 3) if first is not None else 0
    end = min(len(text), start + width)
    line = text[start:end].translate(_ONE_LINE)
    if start:
        line = "…" + line[1:]
    if end < len(text):
        line = line[:-1] + "…"
    marks = tuple(found.span() for found in pattern.finditer(line)) if pattern is not None else ()
    return line, marks


_ONE_LINE = {ord(c): " " for c in "\n\r\t\v\f\x85\u2028\u2029"}


def _hits(asked: str) -> re.Pattern[str] | None:
    words = []
    for raw in words_of(asked):
        pieces = [re.escape(w) for w in _WORD.findall(raw)]
        if pieces:
            words.append(r"[\W_]+".join(pieces))
    return re.compile("|".join(words), re.IGNORECASE) if words else None
