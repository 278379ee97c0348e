"""Attributes that repeat the conversation, kept as recipes: what was sent comes back byte for byte.

Two spellings repeat a history: a JSON list in one string (gen_ai.input.messages, or "messages" within a
recorded request body), and flattened keys (llm.input_messages.0.message.role …). Both are cut into one
element a message. An element's long strings are referred to, the rest is kept as glue, and the elements
form a path in a Merkle tree of their own, so that a resent history is one reference. Nothing is ever
serialised again: the glue is cut out of what was sent.

A short list stays inline: rows would cost more than they save. System messages at the head stay out of
the path (a clock in the prompt would start a new path with every call).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from json import JSONDecodeError, JSONDecoder
from json.encoder import encode_basestring, encode_basestring_ascii
from typing import Any

import orjson

from collector.conventions.shape import FLAT_PREFIXES
from collector.model import Content, Event, LogRecord, Value
from collector.store.content import INLINE, WHOLE, Encoder, dumps, hash_bytes
from collector.store.sound import is_sound

SHORT = 3
"""Lists of up to this many elements (after the system messages) stay inline."""

LONG_JSON = 512
"""Strings below this are not looked into."""

LONG_LEAF = 1024
"""Strings of JSON that is no message, from which on they are texts of their own."""

_GLUE = 128
_LIST_KEYS = ("messages", "input", "contents", "choices", "generations", "candidates", "output", "content",
              "value")  # fmt: skip
_SYSTEM = frozenset({"system", "developer"})
_scan = JSONDecoder().scan_once  # type: ignore[attr-defined]
_SPACE = " \t\n\r"


def encode_attributes(attributes: dict[str, Value], encoder: Encoder) -> str:
    """The bodies.attributes JSON of a span."""
    out: dict[str, Any] = {}
    flat: dict[str, list[list[list[Any]]]] = {}
    if not attributes.keys().isdisjoint(FLAT_PREFIXES):  # a key that is a bare prefix would take the list's place
        return dumps(encoder.value(attributes))
    for key, value in attributes.items():
        place = _place(key)
        if place is not None and _flatten(place, value, flat, out, encoder):
            continue
        if isinstance(value, str):
            out[key] = value if len(value) < INLINE else encode_string(value, encoder)
        else:
            out[key] = encoder.value(value)
    for prefix, elements in flat.items():
        out[prefix] = {"$m": _path_of_elements(elements, encoder)}
    return dumps(out)


def encode_events(events: Iterable[Event], encoder: Encoder) -> str | None:
    """The bodies.events JSON of a span: some clients write the whole conversation into an event."""
    rows = [[e.time_ns, e.name, _named(e.attributes, encoder), e.dropped] for e in events]
    return dumps(rows) if rows else None


def encode_logs(logs: Iterable[LogRecord], encoder: Encoder) -> str | None:
    rows = [
        [g.time_ns, g.event_name, _repeating(g.body, encoder), _named(g.attributes, encoder), g.severity,
         g.severity_number, *([g.position] if g.position else [])]
        for g in logs
    ]  # fmt: skip
    return dumps(rows) if rows else None


def _named(attributes: Mapping[str, Value], encoder: Encoder) -> Any:
    out = {key: _repeating(value, encoder) for key, value in attributes.items()}
    return {"$o": out} if len(out) == 1 and next(iter(out)).startswith("$") else out


def _repeating(value: Value, encoder: Encoder) -> Any:
    """As `Encoder.value`, but what repeats a conversation is a recipe."""
    if isinstance(value, str):
        return value if len(value) < INLINE else encode_string(value, encoder)
    try:
        recipe = _recipe_of(value, encoder) if isinstance(value, dict | list) else None
    except TypeError:
        recipe = None
    return encoder.value(value) if recipe is None else recipe


def encode_content(content: Content | None, encoder: Encoder) -> tuple[str | None, str | None]:
    """(node, value) of a side: one of them, or neither. A value that repeats a conversation (the state of an agent) is
    a recipe, too, or each turn would list all the texts of those before it."""
    if content is None:
        return None, None
    if content.messages:
        return encoder.path(content.messages), None
    if content.value is None:
        return None, None
    return None, dumps(_value(content.value, encoder))


def _value(value: Value, encoder: Encoder) -> Any:
    if isinstance(value, str):
        return encode_string(value, encoder)
    if isinstance(value, dict | list):
        try:
            recipe = _recipe_of(value, encoder)
        except TypeError:
            return encoder.value(value)
        if recipe is not None:
            return recipe
    return encoder.whole(value)


def _recipe_of(value: Value, encoder: Encoder) -> dict[str, Any] | None:
    """A value that JSON can hold and that repeats a conversation, as a recipe. TypeError: JSON cannot hold it."""
    text = orjson.dumps(value).decode()
    if len(text) > WHOLE and (cut := _cut(text)) is not None and orjson.loads(text) == value:
        return {"$p": _recipe(text, *cut, encoder)}
    return None


def encode_string(value: str, encoder: Encoder) -> Any:
    """A long string: a recipe when it holds a list of messages, else a reference."""
    if len(value) >= LONG_JSON and value[0] in '[{"':
        cut = _cut(value) if value[0] != '"' else None
        if cut is not None:
            return {"$r": _recipe(value, *cut, encoder)}
        if len(value) >= LONG_LEAF and (pieces := _long_leaves(value, encoder)) is not None:
            return {"$r": [pieces, "", []]}
    return {"$t": encoder.text(value)}


def _long_leaves(raw: str, encoder: Encoder) -> list[Any] | None:
    """Any other JSON with its long strings cut out (a document, a file in base64: likely somewhere else, too). What is
    shorter stays in the text around, where search finds it."""
    try:
        value, _ = _scan(raw, _skip(raw, 0))
    except (JSONDecodeError, StopIteration, RecursionError):
        return None
    pieces = _pieces(raw, value, encoder, LONG_LEAF)
    return pieces if len(pieces) > 1 else None


@lru_cache(maxsize=20_000)
def _place(key: str) -> tuple[str, int, str] | None:
    """(prefix, index, suffix) of a flattened key; None for every other."""
    if not key.startswith(FLAT_PREFIXES):
        return None
    prefix = next(p for p in FLAT_PREFIXES if key.startswith(p))
    number = key[len(prefix) :].partition(".")[0]
    if not (number.isascii() and number.isdigit()) or (number[0] == "0" and len(number) > 1) or len(number) > 6:
        return None
    return prefix, int(number), key[len(prefix) + len(number) :]


def _flatten(
    place: tuple[str, int, str], value: Value, flat: dict[str, list[list[list[Any]]]], out: dict[str, Any],
    encoder: Encoder,
) -> bool:  # fmt: skip
    """Take a flattened key into its list. False when it does not follow on: then it is kept by itself."""
    prefix, index, suffix = place
    elements = flat.get(prefix)
    if elements is None:
        elements = flat[prefix] = []
        out[prefix] = None  # holds the list's place
    if index == len(elements):
        elements.append([])
    elif index != len(elements) - 1:
        return False
    elements[-1].append([suffix, value if type(value) is str and len(value) < INLINE else encoder.value(value)])
    return True


def _path_of_elements(elements: list[list[list[Any]]], encoder: Encoder) -> list[Any]:
    first = 0
    while first < len(elements) and _is_system(elements[first]):
        first += 1
    if len(elements) - first <= SHORT:
        return [elements, ""]
    return [elements[:first], _path([dumps(element) for element in elements[first:]], encoder)]


def _is_system(element: list[list[Any]]) -> bool:
    return any(suffix.endswith("role") and type(value) is str and value in _SYSTEM for suffix, value in element)


def _path(bodies: list[str], encoder: Encoder) -> str:
    parent = ""
    known, recipes = encoder.known, encoder.recipes
    for depth, body in enumerate(bodies, 1):
        name = hash_bytes((parent + body).encode())
        if name not in known and name not in recipes:
            recipes[name] = (parent, body, depth)
        parent = name
    return parent


def _cut(raw: str) -> tuple[list[tuple[int, int]], list[Any]] | None:
    """Where the elements of a message list lie within `raw`, and the elements; None if there is no such list."""
    at = _skip(raw, 0)
    if raw[at] == "[":
        return _elements(raw, _innermost(raw, at))
    for key in _LIST_KEYS:
        found = raw.find(f'"{key}"')
        if found < 0:
            continue
        colon = _skip(raw, found + len(key) + 2)
        if raw[colon : colon + 1] == ":":
            opening = _skip(raw, colon + 1)
            if raw[opening : opening + 1] == "[":
                return _elements(raw, _innermost(raw, opening))
    return _message(raw, at) if '"role"' in raw else None


def _innermost(raw: str, opening: int) -> int:
    """Where the list begins, or the first list within it: LangChain's batch of one."""
    inner = _skip(raw, opening + 1)
    return inner if raw[inner : inner + 1] == "[" else opening


def _message(raw: str, at: int) -> tuple[list[tuple[int, int]], list[Any]] | None:
    """A single message: what came out of a call, where it is no list."""
    try:
        value, end = _scan(raw, at)
    except (JSONDecodeError, StopIteration, RecursionError):
        return None
    return ([(at, end)], [value]) if isinstance(value, dict) and "role" in value else None


def _elements(raw: str, at: int) -> tuple[list[tuple[int, int]], list[Any]] | None:
    spans, values = [], []
    at = _skip(raw, at + 1)
    try:
        while True:
            value, end = _scan(raw, at)
            if not isinstance(value, dict):
                return None
            spans.append((at, end))
            values.append(value)
            at = _skip(raw, end)
            if raw[at] != ",":
                return (spans, values) if raw[at] == "]" else None
            at = _skip(raw, at + 1)
    except (JSONDecodeError, StopIteration, IndexError, RecursionError):
        return None


def _skip(raw: str, at: int) -> int:
    while raw[at : at + 1] in _SPACE and at < len(raw):
        at += 1
    return at


def _recipe(raw: str, spans: list[tuple[int, int]], values: list[Any], encoder: Encoder) -> list[Any]:
    """[head, node, tail] of a string. Commas between elements belong to the element before them."""
    first = 0
    while first < len(values) and str(values[first].get("role")) in _SYSTEM:
        first += 1
    if len(values) - first <= SHORT:
        first = len(values)
    ends = [*(start for start, _ in spans[1:]), spans[-1][1]]
    head = _glue(raw[: spans[0][0]], encoder)
    for (start, _), end, value in zip(spans[:first], ends, values[:first], strict=False):
        head += _pieces(raw[start:end], value, encoder)
    bodies = [
        _body(raw[start:end], value, encoder) for (start, end), value in zip(spans[first:], values[first:], strict=True)
    ]
    if not bodies:
        return [head, "", _glue(raw[spans[-1][1] :], encoder)]
    return [head, _path(_with_commas(raw, spans[first:], bodies), encoder), _glue(raw[spans[-1][1] :], encoder)]


def _with_commas(raw: str, spans: list[tuple[int, int]], bodies: list[str]) -> list[str]:
    """Put the separators in front of the elements they precede, so that the last one is spelt like any other."""
    full = bodies[:1]
    for (_, before), (start, _), body in zip(spans, spans[1:], bodies[1:], strict=False):
        full.append(f"[{dumps(raw[before:start])},{body[1:]}")
    return full


def _body(raw: str, value: Any, encoder: Encoder) -> str:
    """One element, as `recipes` keeps it. Those of a history come again with every turn: a look-up then."""
    found = encoder.elements.get(raw)
    if found is not None and all(name in encoder.known or name in encoder.texts for name in found[1]):
        encoder.used += found[1]
        return found[0]
    began = len(encoder.used)
    body = dumps(_pieces(raw, value, encoder))
    encoder.elements.put(raw, (body, tuple(encoder.used[began:])), len(body) + 80 * (len(encoder.used) - began))
    return body


def _glue(text: str, encoder: Encoder) -> list[Any]:
    if not text:
        return []
    return [text] if len(text) < _GLUE else [[encoder.text(text), 0]]


def _pieces(raw: str, value: Any, encoder: Encoder, least: int = INLINE) -> list[Any]:
    """One element as glue and references. What cannot be found as it would be spelt stays glue."""
    pieces: list[Any] = []
    at = 0
    for text in _long_strings(value, least):
        if not is_sound(text):  # half of a surrogate pair, spelt \\ud83d: it stays in the glue
            continue
        for style, spelt in _spellings(text):
            found = raw.find(spelt, at)
            if found >= 0:
                if found > at:
                    pieces += _glue(raw[at:found], encoder)
                pieces.append([encoder.text(text), style])
                at = found + len(spelt)
                break
    if at < len(raw):
        pieces += _glue(raw[at:], encoder)
    return pieces


def _spellings(text: str) -> Iterator[tuple[int, str]]:
    """(style, as JSON writes it), for one style after the other. Plain ASCII is spelt the same by all, but for
    the delete character."""
    if text.isascii() and "\x7f" not in text:
        yield 1, orjson.dumps(text)[1:-1].decode()  # a tenth of the time
    else:
        yield 1, encode_basestring_ascii(text)[1:-1]
        yield 2, encode_basestring(text)[1:-1]


def _long_strings(value: Any, least: int) -> Iterator[str]:
    """String leaves worth a reference, in the order they were written."""
    if isinstance(value, str):
        if len(value) >= least:
            yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _long_strings(item, least)
    elif isinstance(value, list):
        for item in value:
            yield from _long_strings(item, least)
