"""Regular expressions that users bring, to be redacted as well (`redact_patterns`): checked once, bounded always.

Python's `re` cannot be stopped once it runs, and holds the interpreter while it does. So a pattern is tried before it
is taken: for each repetition in it a text is made that leads up to it, repeats it and then fails, which is what makes
a pattern like `(a+)+$` take for ever. One that needs more than LIMIT_S for WINDOW characters of that is refused. Texts
are looked through in windows of that size, so no text takes longer per character than what was tried.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from time import thread_time
from typing import Any, TypeAlias

Parsed: TypeAlias = "list[tuple[Any, Any]]"
"""What Python makes of a pattern: (what it is, what is said of it)."""

WINDOW = 1_000
"""Characters looked at in one go. They are cut behind white space, so that what has none in it is never cut."""
LIMIT_S = 0.1
_ROUNDS = (*range(8, 33, 2), 40, 48, 60, 75, 95, 120, 150, 190, 240, 300, 400, 500, 700, WINDOW)
"""In small steps: what doubles with every round must not double ten times between two of them."""
_PLACEHOLDER = re.compile(r"(\[[A-Z][A-Z0-9_]*:[0-9a-f]{4}\])")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")


@dataclass(frozen=True, slots=True)
class OwnPattern:
    """`kind` is what its placeholders say: `[EMPLOYEE:3fa9]`. The first group is the secret, or else the match."""

    kind: str
    pattern: re.Pattern[str]

    def apply(self, text: str, mark: Callable[[str, str], str]) -> str:
        """The text with every match replaced; placeholders that are in it stay as they are."""
        out: list[str] = []
        for window in [text] if len(text) <= WINDOW else windows(text):
            pieces = _PLACEHOLDER.split(window) if "[" in window else [window]
            pieces[::2] = [self._piece(piece, mark) for piece in pieces[::2]]
            out += pieces
        return "".join(out)

    def _piece(self, text: str, mark: Callable[[str, str], str]) -> str:
        group = 1 if self.pattern.groups else 0

        def put(match: re.Match[str]) -> str:
            start, end = match.span(group)
            if start == end:
                return match[0]
            base = match.start()
            return match[0][: start - base] + mark(self.kind, match[group]) + match[0][end - base :]

        return self.pattern.sub(put, text)


def windows(text: str) -> Iterator[str]:
    """The text in pieces of at most WINDOW characters, cut behind white space where there is any."""
    at = 0
    while at < len(text):
        end = at + WINDOW
        if end < len(text) and (space := max(text.rfind(" ", at, end), text.rfind("\n", at, end))) > at:
            end = space + 1
        yield text[at:end]
        at = end


@lru_cache(maxsize=256)
def own_pattern(name: str, pattern: str) -> OwnPattern:
    """A pattern as a settings file names it. ValueError says what is wrong with it."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot name a pattern: use letters, digits and _, at most 32")
    if not pattern:
        raise ValueError(f"{name} needs a regular expression, like '{name} = \"EMP-[0-9]{{6}}\"'")
    try:
        compiled = re.compile(pattern)
    except re.error as e:
        raise ValueError(f"{name} is no regular expression: {e}") from e
    except (OverflowError, RecursionError) as e:
        raise ValueError(f"{name} is too large a regular expression: {e}") from e
    if compiled.match(""):
        raise ValueError(f"{name} matches nothing at all, so it would match everywhere: {pattern}")
    _try(name, compiled)
    return OwnPattern(name.upper(), compiled)


def _try(name: str, compiled: re.Pattern[str]) -> None:
    """Refuse what takes too long on the texts that are worst for it."""
    for lead, unit in dict.fromkeys(_worst(compiled.pattern)):
        for rounds in _ROUNDS:
            text = lead + unit * rounds + "\x00"
            if len(text) > WINDOW + len(lead) + 1:
                break
            started = thread_time()  # of this thread alone: a busy machine makes no pattern slow
            compiled.sub("", text)
            took = thread_time() - started
            if took > LIMIT_S:
                raise ValueError(
                    f"{name} takes too long ({took:.1f} s for {len(text)} characters like {(lead + unit)[:24]!r}): "
                    "a repetition within a repetition, or several in a row that match the same; give them bounds "
                    "or tell them apart"
                )


def _worst(pattern: str) -> Iterator[tuple[str, str]]:
    """(what leads up to a repetition, one round of it), for every repetition of the pattern."""
    yield from (("", unit) for unit in ("a", "0", " ", "a1 "))
    try:
        tree = list(import_module("re._parser").parse(pattern))  # the only look inside a pattern that there is
    except Exception:  # noqa: BLE001  # another Python's inside: then the plain texts must do
        return
    yield from _repeats(tree, "")


def _repeats(items: Parsed, lead: str) -> Iterator[tuple[str, str]]:
    for item in items:
        op, said = str(item[0]), item[1]
        if op in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            low, _, body = said
            for variant in range(4):
                if unit := _example(list(body), variant):
                    yield lead, unit
            yield from _repeats(list(body), lead)
            lead += _example(list(body), 0) * min(int(low), 50)
            continue
        for inner in _inner(op, said):
            yield from _repeats(inner, lead)
        lead += _example([item], 0)


def _inner(op: str, said: Any) -> list[Parsed]:
    """The patterns within a group, an alternative or a look-around."""
    if op == "BRANCH":
        return [list(one) for one in said[1]]
    if op in ("SUBPATTERN", "ASSERT", "ASSERT_NOT"):
        return [list(said[-1])]
    return [list(said)] if op == "ATOMIC_GROUP" else []


_CATEGORIES = {"CATEGORY_DIGIT": "0", "CATEGORY_SPACE": " ", "CATEGORY_NOT_WORD": "-"}


def _example(items: Parsed, variant: int) -> str:
    """A text that these match; `variant` chooses among alternatives."""
    out = ""
    for item in items:
        op, said = str(item[0]), item[1]
        if op == "LITERAL":
            out += chr(said)
        elif op in ("ANY", "NOT_LITERAL"):
            out += "a"
        elif op == "IN":
            out += _member(said)
        elif op in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            low, _, body = said
            out += _example(list(body), variant) * max(1, min(int(low), 50))
        elif op == "BRANCH":
            branches = _inner(op, said)
            out += _example(branches[variant % len(branches)], variant)
        elif op in ("SUBPATTERN", "ATOMIC_GROUP"):
            out += _example(_inner(op, said)[0], variant)
    return out


def _member(said: Any) -> str:
    """One character of a set."""
    for member in said:
        op, what = str(member[0]), member[1]
        if op == "LITERAL":
            return chr(what)
        if op == "RANGE":
            return chr(what[0])
        if op == "CATEGORY":
            return _CATEGORIES.get(str(what), "a")
    return "a"
