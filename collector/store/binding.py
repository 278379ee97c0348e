"""How a condition is put together: fixed fragments of SQL, and values that are bound, never written into it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from collector.store.filter_values import Bound
from collector.store.sound import sound_text

NEVER = "0"
_OPS = {"=": "=", ">": ">", ">=": ">=", "<": "<", "<=": "<="}


@dataclass(slots=True)
class Conditions:
    """A where clause and the values it binds. `own`: those of its parts that a row answers without its spans.

    `whole`: most rows will be asked. Then the spans that are like it are gathered once, in one walk through the table,
    which takes a quarter of looking up the spans of each trace; for a page, which ends once it is full, it is the
    other way round."""

    parts: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    own: list[str] = field(default_factory=list)
    whole: bool = False
    lookups: int = 0

    def bind(self, value: str | float) -> str:
        name = f"f{len(self.values)}"
        self.values[name] = sound_text(value) if isinstance(value, str) else value
        return f":{name}"

    @property
    def where(self) -> str:
        return joined(self.parts, "and") or "1"


def matches(c: Conditions, column: str, values: Sequence[str], fold: bool = False) -> str:
    """The column equals, or globs to, one of the values. `fold` ignores the case of ASCII letters."""
    exact = [value for value in values if "*" not in value]
    out = []
    if len(exact) == 1:
        out.append(f"{column} = {c.bind(exact[0])}{' collate nocase' if fold else ''}")
    elif exact:
        listed = ", ".join(c.bind(value) for value in exact)
        out.append(f"{column}{' collate nocase' if fold else ''} in ({listed})")
    for value in values:
        if "*" in value:
            pattern = c.bind(glob_pattern(value, fold=fold))
            out.append(f"{f'lower({column})' if fold else column} glob {pattern}")
    return joined(out, "or")


def chosen(values: Sequence[str], names: Iterable[str]) -> list[str]:
    """Those of some fixed names that a term asks for, globs resolved."""
    return [name for name in names if any(fnmatchcase(name, value) for value in values)]


def joined(parts: Sequence[str], word: str) -> str:
    """The parts with the word between them, as a balanced tree: SQLite takes expressions 1000 levels deep."""
    if len(parts) < 2:
        return "".join(parts)
    half = len(parts) // 2
    return f"({joined(parts[:half], word)} {word} {joined(parts[half:], word)})"


def glob_pattern(value: str, *, fold: bool = False) -> str:
    """The value as a GLOB pattern in which only `*` is special; in lower case where case is no matter."""
    value = value.lower() if fold else value
    return value.replace("[", "[[]").replace("?", "[?]")


def bounded(c: Conditions, expression: str, bounds: Sequence[Sequence[Bound]]) -> str:
    """One of the alternatives holds whole. Of an expression that is null none does."""
    return joined([joined([compared(c, expression, one) for one in both], "and") for both in bounds], "or") or NEVER


def compared(c: Conditions, expression: str, bound: Bound) -> str:
    return f"{expression} {_OPS[bound.op]} {c.bind(bound.value)}"
