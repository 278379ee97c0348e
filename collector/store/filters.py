"""The filter language: text -> `Filter`, an immutable tree. What it means in SQL is in `conditions.py`.

    status:error model:gpt-4o* cost:>0.05 latency:>2s (kind:tool or kind:llm) since:1h meta.tier:premium -name:health
    any:(kind:tool status:error) root:name:checkout score.quality:<0.5 "free text"

Terms are and-ed; `or` and parentheses; `-` negates; `,` lists alternatives; `*` globs; "…" quotes a value or a
phrase; `any:` and `root:` look at the spans of the trace. Words without a key are searched for in the text of what
was said. `filter_keys.py` lists the keys, `docs/filters.md` explains them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from collector.errors import FilterError
from collector.store.filter_keys import KEYS
from collector.store.filter_words import Term, Word, Words

__all__ = ["KEYS", "MAX_CHARS", "Either", "Filter", "Part", "Term", "Within", "parse", "parse_with", "quoted"]

MAX_CHARS = 10_000


@dataclass(frozen=True, slots=True)
class Filter:
    """All terms hold. An empty filter lets everything through."""

    terms: tuple[Part, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.terms)


@dataclass(frozen=True, slots=True)
class Either:
    """At least one of these filters holds."""

    ways: tuple[Filter, ...]
    negated: bool = False
    column: int = 0


@dataclass(frozen=True, slots=True)
class Within:
    """One span of the trace holds for all of `where`: "any" span, or the "root"; or the "trace" itself does."""

    scope: str
    where: Filter
    negated: bool = False
    column: int = 0


Part: TypeAlias = Term | Either | Within


def parse(text: str, now_ns: int) -> Filter:
    """Read a filter. `now_ns` is what `since:1h` counts back from. FilterError points at the column."""
    return parse_with(text, now_ns, {})


def parse_with(text: str, now_ns: int, views: Mapping[str, str]) -> Filter:
    """Read a filter that may name saved ones: `view:slow` stands for `views["slow"]`, in parentheses."""
    return _parse(text, now_ns, views, ())


def _parse(text: str, now_ns: int, views: Mapping[str, str], inside: tuple[str, ...]) -> Filter:
    if len(text) > MAX_CHARS:
        raise FilterError(f"a filter may have {MAX_CHARS} characters, this one has {len(text)}", text, MAX_CHARS)
    words = list(Words(text, now_ns))
    if all(word.sign in ("TERM", "MINUS", "SCOPE") for word in words):
        found = _in_a_row(words, text)
    else:
        from collector.store.filter_grammar import assemble  # 0.1 s to load

        found = assemble(words, text)
    return _with_views(found, text, now_ns, views, inside)


def _in_a_row(words: Sequence[Word], text: str) -> Filter:
    """The filter that words make which hold no `or`, `and` or parenthesis."""
    parts: list[Part] = []
    before: list[Word] = []
    for word in words:
        if word.term is None:
            before.append(word)
            continue
        part: Part | Filter = word.term
        while before:
            sign = before.pop()
            if sign.sign == "MINUS":
                part = negated(part, sign.column)
            else:
                part = scoped(sign.scope, joined([part]), sign.column, text)
        parts.extend(joined([part]).terms)
    return Filter(tuple(parts))


def joined(parts: Sequence[Part | Filter]) -> Filter:
    """All of these: filters give their terms."""
    return Filter(tuple(one for part in parts for one in (part.terms if isinstance(part, Filter) else (part,))))


def either(ways: Sequence[Filter]) -> Either:
    return Either(tuple(ways), column=ways[0].terms[0].column)


def negated(part: Part | Filter, column: int) -> Part:
    """The opposite; `column` is the minus's."""
    if isinstance(part, Filter):
        if len(part.terms) != 1:
            return Either((part,), True, column)
        part = part.terms[0]
    return replace(part, negated=not part.negated, column=column)


def scoped(scope: str, where: Filter, column: int, text: str = "") -> Within:
    """FilterError for a scope inside a scope: a span has no spans of its own to look through."""
    if any(isinstance(part, Within) and scope != "trace" for part in every(where)):
        raise FilterError(f"{scope}: cannot hold another any: or root:; write them side by side", text, column)
    return Within(scope, where, column=column)


def words_and_rest(where: Filter) -> tuple[str, Filter]:
    """(the words that everything must say, as `match_expression` takes them; what else it asks), for search."""
    words = [(part, _words(part)) for part in where.terms]
    rest = Filter(tuple(part for part, said in words if said is None))
    return " ".join(said for _, said in words if said is not None), rest


def _words(part: Part) -> str | None:
    """What it looks for, where it asks for nothing but words: one, or either of several."""
    if isinstance(part, Term):
        return part.values[0] if part.key == "text" and not part.negated else None
    if not isinstance(part, Either) or part.negated:
        return None
    from collector.store.search import any_of

    ways = [[_words(one) if isinstance(one, Term) else None for one in way.terms] for way in part.ways]
    return None if any(None in way for way in ways) else any_of(" ".join(map(str, way)) for way in ways)


def quoted(value: str) -> str:
    """A value as it stands in a filter."""
    bare = value.replace("-", "").replace("_", "").replace(".", "")
    return value if bare.isalnum() and not value.startswith("-") else '"' + value.replace('"', '""') + '"'


def every(where: Filter) -> Iterator[Part]:
    """Every part of a filter, those inside others too."""
    for part in where.terms:
        yield part
        for inner in part.ways if isinstance(part, Either) else (part.where,) if isinstance(part, Within) else ():
            yield from every(inner)


def _with_views(
    where: Filter, text: str, now_ns: int, views: Mapping[str, str], inside: tuple[str, ...]
) -> Filter:  # fmt: skip
    if not any(isinstance(part, Term) and part.key == "view" for part in every(where)):
        return where

    def filled(one: Filter) -> Filter:
        return joined([put(part) for part in one.terms])

    def put(part: Part) -> Part | Filter:
        if isinstance(part, Either):
            return replace(part, ways=tuple(filled(way) for way in part.ways))
        if isinstance(part, Within):
            return replace(scoped(part.scope, filled(part.where), part.column, text), negated=part.negated)
        if part.key != "view":
            return part
        found = [_view(name, part.column, text, now_ns, views, inside) for name in part.values]
        whole = found[0] if len(found) == 1 else Filter((Either(tuple(found), column=part.column),))
        return negated(whole, part.column) if part.negated else whole

    return filled(where)


def _view(
    name: str, column: int, text: str, now_ns: int, views: Mapping[str, str], inside: tuple[str, ...]
) -> Filter:  # fmt: skip
    if name not in views:
        known = f"there are {', '.join(sorted(views))}" if views else "none is saved yet: [views] in tracetui.toml"
        raise FilterError(f"there is no view {name!r}; {known}", text, column)
    if name in inside:
        raise FilterError(f"the view {name!r} names itself: {' > '.join((*inside, name))}", text, column)
    try:
        return _parse(views[name], now_ns, views, (*inside, name))
    except FilterError as error:
        raise FilterError(f"the view {name!r} ({views[name]}): {error}", text, column) from error
