"""Answers cut to a number of tokens, for programs and agents that pay for all they read. Pure.

A token is taken to be CHARS characters of what is printed: close for English, JSON and code, too few tokens for Chinese
or Japanese. An answer is at most SLACK tokens longer than asked for, which only the note at its end can need.

What fits is left as it is. Of what does not, JSON stays JSON: fields that are null or empty go first, then raw ones
(LAST); long texts are cut and say by how much; lists lose items, of spans the harmless ones, of messages the older
ones, of all else those at the end. An object says how many fields it lost, `"left_out": 3`; so does a list, as its
last item `{"left_out": 12}`; and the whole says where the rest is: `"left_out": {"items", "characters", "see"}`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tracetui.cli.rooms import CHARS, SEE_CHARS, Written, cut, shares

SLACK = 100
SMALLEST = 100
"""The least that can be asked for, in tokens."""
ENOUGH_ITEM, ENOUGH_FIELD = 320, 80
"""Characters from which on an item of a list or a field of an object is worth having."""
IDS = 5
LEFT_OUT = "left_out"

FIRST = """span_id trace_id session_id signal role type status name kind parent_span_id error_type status_message
    message evidence fingerprint by count text cost_usd duration_ns error_count start model models snippet output
    input tool signals""".split()
LAST = frozenset(
    """attributes resource scope convention source_id tool_definitions params logs links response_id counted start_ns
    end_ns first_ns last_ns time_ns history marks""".split()
)
FOREIGN = frozenset("value arguments result attributes resource metadata content params data body parameters".split())
"""What is in these came from outside: a null there was sent, and is no unknown of ours."""
NEWEST_FIRST = ("messages", "turns", "calls")
_GONE = object()


def fit_json(document: Any, max_tokens: int, see: str, written: Written | None = None) -> Any:
    """The document, or as much of it as `max_tokens` hold. `see` says where the rest is."""
    written = written or Written()
    whole, room = written.size(document), max_tokens * CHARS
    if whole <= room or not isinstance(document, (list, dict)):
        return document
    note = {"items": len(document), "characters": whole, "see": _short(see, written)}
    room -= written.size({LEFT_OUT: note}) + 1
    if isinstance(document, list):
        items, left = _items(document, room, written, "")
        note |= {"items": left, "characters": whole - written.size(items)}
        return [*items, {LEFT_OUT: note}]
    fields, left = _fields(_with_fewer_ids(document), room, written, "")
    note["characters"] = whole - written.size(fields)
    del note["items"]
    return fields | {LEFT_OUT: ({"fields": left} if left else {}) | note}


def _with_fewer_ids(document: dict[str, Any]) -> dict[str, Any]:
    """A trace whose signals name a few of their spans: the spans themselves are worth more."""
    signals = document.get("signals")
    if not isinstance(signals, list):
        return document
    return document | {"signals": [_naming_few(one) for one in signals]}


def _naming_few(signal: Any) -> Any:
    ids = signal.get("spans") if isinstance(signal, dict) else None
    if not isinstance(ids, list) or len(ids) <= IDS:
        return signal
    return signal | {"spans": [*ids[:IDS], {LEFT_OUT: len(ids) - IDS}]}


def _fit(value: Any, room: int, written: Written, key: str) -> Any:
    """The value in at most `room` characters of JSON, or _GONE. `key` is where it stands, "" in what came from
    outside."""
    if written.size(value) <= room:
        return value
    if isinstance(value, str):
        shorter = cut(value, room, written)
        return _GONE if shorter is None else shorter
    if isinstance(value, list):
        items, left = _items(value, room - written.size({LEFT_OUT: len(value)}) - 1, written, key)
        return [*items, {LEFT_OUT: left}] if items and left else items or _GONE
    if isinstance(value, dict):
        fields, left = _fields(value, room - written.size({LEFT_OUT: len(value)}) - 1, written, key)
        return fields | {LEFT_OUT: left} if fields and left else fields or _GONE
    return _GONE


def _items(values: list[Any], room: int, written: Written, key: str) -> tuple[list[Any], int]:
    """The items that fit, in their order, and how many are left out, with those that a note at the end counts."""
    values, already = _counted(values)
    sizes = [written.size(value) + 1 for value in values]
    given = shares(sizes, _order(values, key), room - 2, ENOUGH_ITEM)
    fitted = [_fit(value, got - 1, written, "") for value, got in zip(values, given, strict=True) if got]
    kept = [value for value in fitted if value is not _GONE]
    return kept, len(values) - len(kept) + already


def _counted(values: list[Any]) -> tuple[list[Any], int]:
    last = values[-1] if values else None
    if isinstance(last, dict) and last.keys() == {LEFT_OUT} and isinstance(last[LEFT_OUT], int):
        return values[:-1], last[LEFT_OUT]
    return values, 0


def _order(values: list[Any], key: str) -> list[int]:
    """Indexes of the items of a list, the most useful first."""
    if key == "spans" and all(isinstance(value, dict) for value in values):
        named = [(one.get("status"), one.get("parent_span_id"), one.get("kind")) for one in values]
        return most_useful(named)
    if key in NEWEST_FIRST:
        backwards = list(range(len(values)))[::-1]
        return [*backwards[:2], *sorted({0} - set(backwards[:2])), *(at for at in backwards[2:] if at)]
    return list(range(len(values)))


def most_useful(spans: Sequence[tuple[object, object, object]]) -> list[int]:
    """Indexes of spans given as (status, parent id, kind): the root, what failed, the last model call, then agents,
    models and tools, then the rest."""
    last = max((at for at, (_, _, kind) in enumerate(spans) if kind == "llm"), default=-1)

    def rank(at: int) -> tuple[int, int]:
        status, parent, kind = spans[at]
        if parent is None:
            return 0, at
        if status in ("error", "abandoned"):
            return 1, at
        return 2 if at == last else 3 if kind in ("agent", "llm", "tool") else 4, at

    return sorted(range(len(spans)), key=rank)


def _fields(value: dict[str, Any], room: int, written: Written, key: str) -> tuple[dict[str, Any], int]:
    """The fields that fit, in their order, and how many are left out, of those that say something."""
    foreign = key in FOREIGN
    there = {name: one for name, one in value.items() if foreign or one not in (None, [], {}, "")}
    names = list(there)
    heads = [written.size(name) + 2 for name in names]
    sizes = [head + written.size(there[name]) for name, head in zip(names, heads, strict=True)]
    order = sorted(range(len(names)), key=lambda at: FIRST.index(names[at]) if names[at] in FIRST else len(FIRST))
    raw = [at for at in order if names[at] in LAST and not foreign]
    given = shares(sizes, (at for at in order if at not in raw), room - 2, ENOUGH_FIELD, stop=False)
    rest = shares(sizes, raw, room - 2 - sum(given), ENOUGH_FIELD, stop=False)
    kept: dict[str, Any] = {}
    for name, head, got, more in zip(names, heads, given, rest, strict=True):
        inner = name if not foreign else key
        fitted = _fit(there[name], got + more - head, written, inner) if got + more else _GONE
        if fitted is not _GONE:
            kept[name] = fitted
    return kept, len(names) - len(kept)


def _short(see: str, written: Written) -> str:
    return cut(see, SEE_CHARS, written) or ""
