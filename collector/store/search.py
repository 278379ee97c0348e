"""What the full-text index is fed, and how a user's words become a query of it.

FTS5's unicode61 splits at spaces and punctuation, so text of scripts written without spaces would be one
endless token. Such characters go into the index one by one, and are asked for as phrases: any substring
of them is found, of any length. Vowel signs and tone marks of these scripts are no letters to unicode61,
which would drop them (Thai "far" and "near" differ in one): private letters stand in for them.

Emoji and symbols are no letters to unicode61 either. They go the same way: a pair of private letters each,
apart from what stands around it, so that 👍 is found in "done👍" and in 👍🏽.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise

from collector.store.sound import sound_text

_SCRIPTS = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f"  # Myanmar
    "\u1780-\u17ff"  # Khmer
    "\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f"  # Hiragana, Katakana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # Han
    "\uac00-\ud7af"  # Hangul: words are spaced, but their endings are not
    "\U00020000-\U0003ffff"  # Han, further planes
)
_SYMBOLS = (
    "\u00a2-\u00a9\u00ac\u00ae-\u00b1\u00d7\u00f7\u2103\u2109\u2116\u2122"  # £ § © ± ™ …
    "\u20a0-\u20cf"  # currencies
    "\u2190-\u23ff\u2440-\u24ff\u25a0-\u2bff"  # arrows, mathematics, signs, dingbats; no box drawing
    "\u3012\u3013\u3200-\u33ff"  # enclosed and squared CJK
    "\U0001d000-\U0001d3ff\U0001f000-\U0001fbff"  # music, games, emoji
)
_SPACELESS = re.compile(f"[{_SCRIPTS}{_SYMBOLS}]")
_RUNS = re.compile(f"[{_SCRIPTS}{_SYMBOLS}]+")
_SYMBOL = re.compile(f"[{_SYMBOLS}]")
_PRIVATE = 0xE000
_SIGN_RANGES = ((0x0E00, 0x0F00), (0x1000, 0x10A0), (0x1780, 0x1800), (0x3099, 0x309B))
_SIGNS = {
    code: chr(_PRIVATE + number)
    for number, code in enumerate(code for start, end in _SIGN_RANGES for code in range(start, end))
    if unicodedata.category(chr(code)).startswith("M")
}
_SIGNED = re.compile(f"[{''.join(map(chr, _SIGNS))}]")
_HIGH, _LOW = 0xE400, 0xE800  # _HIGH + at most 0x1fb, _LOW + at most 0xff
_TOKEN = re.compile(r'"([^"]*)"?|(\S+)')
_PIECE = re.compile(rf"[{_SYMBOLS}]|(?:(?![{_SYMBOLS}])[^\W_])+")


def needs_spacing(text: str) -> bool:
    """Whether the text has symbols, or characters of a script written without spaces."""
    return not text.isascii() and _SPACELESS.search(text) is not None


def spaced(text: str) -> str:
    """The text with a space around every such character, and letters for symbols and for signs."""
    if text.isascii():
        return text
    apart = _RUNS.sub(lambda run: f" {' '.join(run[0])} ", text)
    apart = _SYMBOL.sub(_letters, apart)
    return apart.translate(_SIGNS) if _SIGNED.search(apart) else apart


def _letters(symbol: re.Match[str]) -> str:
    high, low = divmod(ord(symbol[0]), 256)
    return chr(_HIGH + high) + chr(_LOW + low)


_OR, _GROUP = "\x1f", "\x1e"


def any_of(ways: Iterable[str]) -> str:
    """What to look for where one of these is enough, to stand among other words. Nobody types such separators, and
    for all but `match_expression` they are spaces."""
    return _GROUP + _OR.join(ways) + _GROUP


def spelt(asked: str) -> str:
    """What is looked for, to be read by people."""
    return " ".join(asked.replace(_OR, " or ").replace(_GROUP, " ").split())


def match_expression(text: str) -> str | None:
    """An FTS5 expression for what a user typed: words are and-ed, "…" is a phrase, word* a prefix; see `any_of`.

    Never a syntax error: whatever is no word is left out. None when nothing is left to look for.
    """
    groups = []
    for group in text.split(_GROUP):
        ways = [way for way in map(_all_words, group.split(_OR)) if way]
        if ways:
            groups.append(ways[0] if len(ways) == 1 else "(" + " OR ".join(f"({way})" for way in ways) + ")")
    return " AND ".join(groups) or None


def _all_words(text: str) -> str:
    terms = []
    for phrase, word in _TOKEN.findall(sound_text(text)):
        raw = phrase or word
        prefix = bool(word) and word.endswith("*")
        words = spaced(raw.replace("\x00", " ")).split()
        tokens = [token for part in words for token in _split(part)]
        if tokens:
            quoted = '"' + " ".join(tokens) + '"'
            terms.append(quoted + (" *" if prefix else ""))
    return " AND ".join(terms)


def _split(word: str) -> list[str]:
    cleaned = word.replace('"', " ").strip()
    return [cleaned] if any(c.isalnum() or unicodedata.category(c) == "Co" for c in cleaned) else []


def snippet(text: str, asked: str, width: int = 120) -> tuple[str, tuple[tuple[int, int], ...]]:
    """(one line around the first hit, the character ranges of hits in it)."""
    pattern = _hits(asked)
    first = pattern.search(_folded(text)) if pattern is not None else None
    start = max(0, first.start() - width // 3) if first is not None else 0
    end = min(len(text), start + width)
    line = text[start:end].translate(_ONE_LINE)
    if start:
        line = "…" + line[1:]
    if end < len(text):
        line = line[:-1] + "…"
    return line, hit_ranges(line, asked)


def hit_ranges(text: str, asked: str) -> tuple[tuple[int, int], ...]:
    """The character ranges of what was asked for in a text, as the index compares: without case and accents."""
    pattern = _hits(asked)
    return tuple(found.span() for found in pattern.finditer(_folded(text))) if pattern is not None else ()


def is_short_beginning(asked: str) -> bool:
    """Whether it is one beginning of a word, of a letter or two: so many words have it that the index must gather
    a great part of itself before it can name the first text."""
    return _SHORT.fullmatch(asked.strip()) is not None


def says(text: str, asked: str) -> bool:
    """Whether a text has one of the words."""
    pattern = _hits(asked)
    return pattern is not None and pattern.search(_folded(text)) is not None


_SHORT = re.compile(r"[a-z0-9]{1,2}\*", re.IGNORECASE)
_ONE_LINE = {ord(c): " " for c in "\n\r\t\v\f\x85\u2028\u2029"}


class _Fold(dict[int, str]):
    """Each character's base letter in lower case: one for one, so that places stay what they are."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        whole = "가" <= char <= "힣" or _SYMBOL.match(char)  # Hangul has no accents, ≠ is more than =
        base = char if whole else unicodedata.normalize("NFD", char)[0]
        folded = self[code] = base.lower() if len(base.lower()) == 1 else char
        return folded


_FOLD = _Fold()


def _folded(text: str) -> str:
    """The text as the index compares it: without case and accents. Of the same length."""
    return text.lower() if text.isascii() else text.translate(_FOLD)


def _joined(pieces: list[str]) -> str:
    """A pattern of the pieces, one after the other. A symbol may stand close to its neighbour."""
    out = re.escape(pieces[0])
    for before, piece in pairwise(pieces):
        gap = "*" if _SYMBOL.match(before) or _SYMBOL.match(piece) else "+"
        out += rf"[\W_]{gap}?{re.escape(piece)}"
    return out


@lru_cache(maxsize=8)
def _hits(asked: str) -> re.Pattern[str] | None:
    words = []
    for phrase, word in _TOKEN.findall(asked):
        pieces = _PIECE.findall(_folded(phrase or word))
        if pieces:
            left = "" if _SPACELESS.match(pieces[0][0]) else r"(?<![^\W_])"
            right = "" if word.endswith("*") or _SPACELESS.match(pieces[-1][-1]) else r"(?![^\W_])"
            words.append(left + _joined(pieces) + right)
    return re.compile("|".join(words)) if words else None
