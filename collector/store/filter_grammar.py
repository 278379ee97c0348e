"""How the words of a filter are put together: `or`, parentheses, minus and scopes, as a grammar.

The parser library takes 0.1 s to load, which is as long as a list takes. Most filters are terms in a row: those are
put together in `filters.py` without it, and a test holds that both read them alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedToken, v_args
from lark.exceptions import VisitError

from collector.errors import FilterError
from collector.store.filter_words import Word
from collector.store.filters import Filter, Part, either, joined, negated, scoped

GRAMMAR = """
start: either
either: all (_OR all)*
all: one (_AND? one)*
?one: MINUS core -> minus
    | core
?core: TERM -> term
    | _OPEN either _CLOSE -> group
    | SCOPE one -> scope
%declare TERM MINUS SCOPE _OPEN _CLOSE _OR _AND
"""
_SIGNS = {"OPEN": "_OPEN", "CLOSE": "_CLOSE", "OR": "_OR", "AND": "_AND"}


@v_args(inline=True)
class _Build(Transformer[Token, Filter]):
    """The tree of the grammar as our own values."""

    def start(self, found: Part | Filter) -> Filter:
        return joined([found])

    def either(self, *ways: Filter) -> Part | Filter:
        return ways[0] if len(ways) == 1 else either(ways)

    def all(self, *parts: Part | Filter) -> Filter:
        return joined(parts)

    def minus(self, sign: Token, part: Part | Filter) -> Part:
        return negated(part, sign.value.column)

    def term(self, word: Token) -> Part:
        term: Part = word.value.term
        return term

    def group(self, inner: Part | Filter) -> Part | Filter:
        return inner

    def scope(self, word: Token, part: Part | Filter) -> Part:
        return scoped(word.value.scope, joined([part]), word.value.column)


@cache
def _parser() -> Lark:
    return Lark(GRAMMAR, parser="lalr", lexer="basic")


def assemble(words: Sequence[Word], text: str) -> Filter:
    """The filter that the words make. FilterError where they do not go together."""
    parser = _parser().parse_interactive()
    before: Word | None = None
    for word in words:
        _feed(parser, Token(_SIGNS.get(word.sign, word.sign), word), text, before, word)
        before = word
    end = Token("$END", "")
    tree = _feed(parser, end, text, before, None)
    try:
        return _Build().transform(tree)
    except VisitError as error:
        if isinstance(error.orig_exc, FilterError):
            raise FilterError(str(error.orig_exc), text, error.orig_exc.column) from error
        raise


def _feed(parser: Any, token: Token, text: str, before: Word | None, word: Word | None) -> Any:
    try:
        return parser.feed_token(token)
    except UnexpectedToken as error:
        at = before if before is not None and (word is None or before.sign in ("OR", "AND")) else word
        raise FilterError(_said(before, word), text, at.column if at is not None else 0) from error


def _said(before: Word | None, word: Word | None) -> str:
    quote = 'to look for the word itself, quote it: "{}"'
    for one, side in ((before, "after"), (word, "before")):
        if one is not None and one.sign in ("OR", "AND"):
            name = one.sign.lower()
            return f"{name} wants a term {side} it; {quote.format(name)}"
    if before is not None and before.sign == "OPEN":
        return "there is nothing between these parentheses"
    sign = {"MINUS": "-", "SCOPE": f"{before.scope}:"}.get(before.sign, "") if before is not None else ""
    return f"{sign or 'this'} wants a term right after it, like {sign}status:error"
