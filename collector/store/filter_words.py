"""From the text of a filter to its words: signs, scopes, parentheses, and terms whose values are already typed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias, TypeVar

from collector.errors import FilterError
from collector.store import filter_values as values_of
from collector.store.filter_keys import ELSEWHERE, KEYS, SCOPES, TABLE, Key, key_of
from collector.store.filter_values import Bound

MAX_DEEP = 40
T = TypeVar("T")
Sign: TypeAlias = Literal["TERM", "MINUS", "SCOPE", "OPEN", "CLOSE", "OR", "AND"]
_KEY = re.compile(r"((?:attr|res|meta|score)\.(?:\"[^\"]*\"|[^\s:,\"()]+)|[A-Za-z_][\w.]*):", re.IGNORECASE)
_JOINS: dict[str, Sign] = {"or": "OR", "and": "AND"}
_QUOTED = re.compile(r'"((?:[^"]|"")*)"')


@dataclass(frozen=True, slots=True)
class Term:
    """One condition. `values` are alternatives, as typed; for "since" and "until" there is one, Unix nanoseconds as
    text; for "text" one, the words as typed. `name` is the user's part of `meta.tier`.

    `bounds` are comparisons: of each inner tuple all must hold, one of the tuples is enough. A key that holds any
    value has its plain alternatives in `values` and its comparisons here. `column` is where it stands in the
    filter's text."""

    key: str
    values: tuple[str, ...]
    negated: bool = False
    column: int = 0
    name: str = ""
    bounds: tuple[tuple[Bound, ...], ...] = ()


class Word(NamedTuple):
    """A sign, or a term, or the name of a scope, and where it begins."""

    sign: Sign
    column: int
    term: Term | None = None
    scope: str = ""


class Value(NamedTuple):
    text: str
    quoted: bool
    column: int


class Words:
    """Reads a filter's text from left to right, once. FilterError points at the column."""

    def __init__(self, text: str, now_ns: int) -> None:
        self.text = text
        self.now_ns = now_ns
        self.at = 0
        self.open: list[int] = []
        self.tied = False
        """Whether what comes next belongs to a minus or a scope just before it."""

    def __iter__(self) -> Iterator[Word]:
        while self.at < len(self.text):
            if self.text[self.at].isspace():
                self.at += 1
                continue
            word = self._next()
            self.tied = word.sign in ("MINUS", "SCOPE")
            yield word
        if self.open:
            raise self._error("this ( is never closed", self.open[-1])

    def _error(self, message: str, column: int) -> FilterError:
        return FilterError(message, self.text, column)

    def _next(self) -> Word:
        start, char = self.at, self.text[self.at]
        if char == "(":
            self.open.append(start)
            if len(self.open) > MAX_DEEP:
                raise self._error(f"parentheses go {MAX_DEEP} deep at most", start)
            return self._sign("OPEN", 1)
        if char == ")":
            if not self.open:
                raise self._error('this ) closes nothing; to look for the text itself, quote it: "…)"', start)
            self.open.pop()
            return self._sign("CLOSE", 1)
        if char == "-" and self._is_minus(start):
            return self._sign("MINUS", 1)
        if char == '"':
            return self._phrase()
        key = _KEY.match(self.text, start)
        if key is not None and self.text[key.end() : key.end() + 2] != "//":
            return self._keyed(key)
        text = self._bare(stop="")
        join = _JOINS.get(text.lower())
        if join is not None and not self.tied:
            return Word(join, start)
        return Word("TERM", start, Term("text", (text,), column=start))

    def _is_minus(self, at: int) -> bool:
        """A minus alone, and the second of two, are text."""
        alone = at + 1 == len(self.text) or self.text[at + 1].isspace()
        return not alone and (not self.tied or self.text[at - 1] == ":")

    def _sign(self, sign: Sign, size: int) -> Word:
        self.at += size
        return Word(sign, self.at - size)

    def _phrase(self) -> Word:
        start = self.at
        words = self._quoted()
        if not words.strip():
            raise self._error('there is nothing between these quotes: "…" wants a text to look for', start)
        return Word("TERM", start, Term("text", (f'"{words.replace(QUOTE, " ")}"',), column=start))

    def _keyed(self, found: re.Match[str]) -> Word:
        start, end = found.start(), found.end()
        key, name = key_of(found[1])
        if key is None:
            raise self._error(unknown(found[1]), start)
        self.at = end
        ended = end >= len(self.text) or self.text[end].isspace() or self.text[end] == ")"
        if key.named:
            name = name.strip('"')
            if not name or "\0" in name:
                raise self._error(f"{key.name}. wants a name before the colon, like {key.example}", start)
        if key.name in SCOPES:
            if ended:
                raise self._error(f"{key.name}: wants a term right after the colon, like {key.example}", end)
            return Word("SCOPE", start, scope=key.name)
        values = list(self._values())
        if not values:
            raise self._error(f"{key.opening} wants a value after the colon, like {key.example}", end)
        return Word("TERM", start, self._term(key, name, values, start))

    def _values(self) -> Iterator[Value]:
        while self.at < len(self.text) and not self.text[self.at].isspace():
            start = self.at
            if self.text[start] == '"':
                yield Value(self._quoted(), True, start)
            else:
                word = self._bare(stop=",")
                op, rest = values_of.split_op(word)
                if op and not rest and self.text[self.at : self.at + 1] == '"':
                    word += self._quoted()
                if word:
                    yield Value(word, False, start)
                elif self.text[self.at : self.at + 1] == ")":
                    return
            if self.text[self.at : self.at + 1] == ",":
                self.at += 1

    def _quoted(self) -> str:
        """What stands between quotes; two quotes in a row are one that belongs to it."""
        found = _QUOTED.match(self.text, self.at)
        if found is None:
            raise self._error("this quote is never closed", self.at)
        self.at = found.end()
        return found[1].replace('""', '"')

    def _bare(self, stop: str) -> str:
        """Up to a space, `stop` or the parenthesis that closes an open one; `f(x)` is one word. A quote ends a bare
        word only after an operator (`>"two words"`), else it is part of it."""
        start, deep = self.at, 0
        while self.at < len(self.text):
            char = self.text[self.at]
            if char.isspace() or char in stop or (char == ")" and deep == 0 and self.open):
                break
            if char == '"' and stop and values_of.split_op(self.text[start : self.at]) in _BARE_OPS:
                break
            deep += (char == "(") - (char == ")" and deep > 0)
            self.at += 1
        return self.text[start : self.at]

    def _term(self, key: Key, name: str, values: Sequence[Value], start: int) -> Term:
        texts = tuple(value.text for value in values if value.text)
        if not texts:
            raise self._error(f"{key.opening} wants a value after the colon, like {key.example}", values[0].column)
        if key.holds == "choice":
            texts = tuple(self._choice(key, value) for value in values if value.text)
        elif key.holds == "moment":
            if len(values) != 1:
                raise self._error(f"{key.name}: takes one moment, like {key.name}:1h or {key.name}:2026-11-21",
                                  values[0].column)  # fmt: skip
            texts = (str(self._read(values[0], lambda text: values_of.moment(text, self.now_ns))),)
        elif key.holds == "any":
            plain = [value.text for value in values if value.text and not _compares(value)]
            compared = [value for value in values if value.text and _compares(value)]
            return Term(key.name, tuple(plain), False, start, name, self._bounds(key, compared))
        elif key.ordered:
            return Term(key.name, texts, False, start, name, self._bounds(key, values))
        return Term(key.name, texts, False, start, name)

    def _bounds(self, key: Key, values: Sequence[Value]) -> tuple[tuple[Bound, ...], ...]:
        return tuple(self._read(one, lambda text: values_of.bounds(key.holds, text)) for one in values if one.text)

    def _read(self, value: Value, read: Callable[[str], T]) -> T:
        try:
            return read(value.text)
        except ValueError as error:
            raise self._error(str(error), value.column) from error

    def _choice(self, key: Key, value: Value) -> str:
        low = value.text.lower()
        if low in key.choices or "*" in low:
            return low
        from difflib import get_close_matches

        close = get_close_matches(low, key.choices, n=1)
        hint = f"did you mean {close[0]}?" if close else f"it is one of {', '.join(key.choices)}"
        raise self._error(f"{value.text!r} is no {_CHOICE.get(key.name, key.name)}; {hint}", value.column)


QUOTE = '"'
_CHOICE = {"has": "thing that has: looks for"}
_BARE_OPS = ((">", ""), (">=", ""), ("<", ""), ("<=", ""), ("=", ""))


def _compares(value: Value) -> bool:
    """Of a key that holds anything: an operator, or a range of numbers, compares; all else is a text."""
    if value.quoted:
        return False
    op, rest = values_of.split_op(value.text)
    if op is not None:
        return True
    low, dots, high = rest.partition("..")
    return bool(dots and (low or high)) and all(_is_number(end) for end in (low, high) if end)


def _is_number(text: str) -> bool:
    try:
        values_of.number(text)
    except ValueError:
        return False
    return True


def unknown(word: str) -> str:
    """What to try in place of a key that there is not."""
    from difflib import get_close_matches

    low = word.lower()
    head = low.partition(".")[0]
    close = get_close_matches(low, KEYS, n=1, cutoff=0.7)
    if low in ELSEWHERE or head in ELSEWHERE:
        hint = f"did you mean {ELSEWHERE.get(low) or ELSEWHERE[head]}:?"
    elif close:
        hint = f"did you mean {close[0]}{'.NAME' if TABLE[close[0]].named else ''}:?"
    else:
        hint = f"the keys are {' '.join(key.opening for key in TABLE.values())}"
    return f'there is no key {word!r}; {hint} To look for the text itself, quote it: "{word}:…"'
