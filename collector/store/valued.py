"""Conditions on what has the user's own names: metadata, attributes, resources, scores; and on lists kept as JSON.

A value there may be text, a number, true or false, a list (one of it is enough), or the name of a long text that is
stored once ({"$t": HASH}). It is compared as text, or by an operator as a number; a text that spells a number counts
as one.
"""

from __future__ import annotations

from collections.abc import Sequence

from collector.store.binding import NEVER, Conditions, bounded, compared, joined, matches
from collector.store.filter_values import Bound
from collector.store.filter_words import Term

_TEXT = """cast(case e.type when 'true' then 'true' when 'false' then 'false' else
    case when e.key = '$t' then (select x.text from texts x where x.hash = e.value) else e.value end end as text)"""
_NUMBER = """case e.type when 'integer' then e.value when 'real' then e.value when 'text' then
    case when e.value glob '[-+.0-9]*' and not e.value glob '*[^-+.0-9eE]*' then cast(e.value as real) end end"""
_SCORE = """exists (select 1 from scores c where {} and c.name = {} and ({}))"""
_SCORE_TEXT = """case c.data_type when 'boolean' then case when c.value then 'true' else 'false' end
    else ifnull(c.label, cast(c.value as text)) end"""
OF_RESOURCE = "json_extract(c.body, '$[0]')"
CONTEXT = "b.resource in (select c.hash from contexts c where c.kind = 'resource' and {})"


def in_object(c: Conditions, document: str, term: Term) -> str:
    """The JSON object has, under the term's name, a value that the term asks for."""
    path = c.bind(f'$."{term.name}"')
    return f"exists (select 1 from json_each({document}, {path}) e where {_asked(c, term)})"


def in_list(c: Conditions, document: str, values: Sequence[str]) -> str:
    """The JSON list of texts holds one of the values."""
    return f"exists (select 1 from json_each({document}) e where {matches(c, 'e.value', values)})"


def in_resource(c: Conditions, term: Term) -> str:
    return CONTEXT.format(in_object(c, OF_RESOURCE, term))


def document_scores(c: Conditions, bounds: Sequence[Sequence[Bound]]) -> str:
    score = "json_extract(d.value, '$[2]')"
    return f"exists (select 1 from json_each(b.documents) d where {bounded(c, score, bounds)})"


def scored(c: Conditions, whose: str, term: Term) -> str:
    """`whose` is a fragment that ties `scores c` to what is asked about."""
    parts = [matches(c, _SCORE_TEXT, term.values)] if term.values else []
    for both in term.bounds:
        tests = [compared(c, "c.label" if isinstance(one.value, str) else "c.value", one) for one in both]
        parts.append(joined(tests, "and"))
    return _SCORE.format(whose, c.bind(term.name), joined(parts, "or"))


def _asked(c: Conditions, term: Term) -> str:
    parts = [matches(c, _TEXT, term.values)] if term.values else []
    for both in term.bounds:
        tests = [
            f"(e.type = 'text' and {compared(c, _TEXT, one)})"
            if isinstance(one.value, str)
            else compared(c, f"({_NUMBER})", one)
            for one in both
        ]
        parts.append(joined(tests, "and"))
    return joined(parts, "or") or NEVER
