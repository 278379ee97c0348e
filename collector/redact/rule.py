"""How a pattern is written and applied. The tables are in `formats`, `rules` and `personal`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

Mark = Callable[[str, str], str]
"""(kind, secret) -> placeholder."""


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """`gates` are texts of which one must be present; `group` is the secret in a match.

    `length` looks closer (check digits, dates): it says how many characters of the match are the secret,
    counted from its start; 0 means that it is none.
    """

    kind: str
    gates: tuple[str, ...]
    pattern: re.Pattern[str]
    group: int = 0
    length: Callable[[str], int] | None = None

    def apply(self, text: str, mark: Mark) -> str:
        """The text with every secret of this kind replaced."""
        if self.length is not None:
            return self._checked(text, mark, self.length)
        if self.group == 0:
            return self.pattern.sub(lambda m: mark(self.kind, m[0]), text)
        return self.pattern.sub(self._within(mark), text)

    def _within(self, mark: Mark) -> Callable[[re.Match[str]], str]:
        def put(match: re.Match[str]) -> str:
            start, end = match.span(self.group)
            whole, base = match[0], match.start()
            return whole[: start - base] + mark(self.kind, whole[start - base : end - base]) + whole[end - base :]

        return put

    def _checked(self, text: str, mark: Mark, length: Callable[[str], int]) -> str:
        """What follows the secret is looked at again: two may stand side by side."""
        out, at = [], 0
        while (match := self.pattern.search(text, at)) is not None:
            size = length(match[0])
            end = match.start() + size if size else match.start() + 1
            out += [text[at : match.start()], mark(self.kind, match[0][:size]) if size else text[match.start()]]
            at = end
        return "".join(out) + text[at:] if out else text


def start(literal: str) -> str:
    """A pattern for the literal at the start of a word, or behind a JSON escape (`\\nsk-…` in raw JSON)."""
    at = re.escape(literal)
    return rf"{at}(?:(?<![A-Za-z0-9]{at})|(?<=\\[nrtbf]{at})|(?<=\\u00[0-9a-fA-F][0-9a-fA-F]{at}))"


def token(literal: str, rest: str, kind: str = "API_KEY") -> Rule:
    """A key that begins with a literal of its maker's."""
    return Rule(kind, (literal,), re.compile(start(literal) + rest))
