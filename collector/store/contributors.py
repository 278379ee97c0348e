"""The parts that a span was folded from, as `bodies.parts` keeps them: each as what it says otherwise than the whole.

A source that sends starts and ends (LangSmith, Langfuse 2) says nearly all of a span in each of its parts. What a part
shares with the folded span is named ("same"), not written, so that it is neither encoded nor kept twice: half of the
time and half of the row of a run that is posted and patched.

"same" is [fields, keys]: a bit for each of `_FIELDS`, and places among the sorted keys of the span's attributes. The
names themselves, as rows of before have them, took half of what was left of such a row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from collector.model import SpanPart, Value
from collector.partjson import from_json, to_json
from collector.store.content import Encoder
from collector.store.recipes import LONG_JSON, encode_string

SAME = "same"
# The places are in the file: what is new comes last.
_FIELDS = ("trace_id", "span_id", "parent_id", "name", "source_id", "source_trace_id")


def kept(part: SpanPart, whole: SpanPart, encoder: Encoder) -> Any:
    """A part as a row holds it. A history in its attributes is kept as a recipe here too, or the file of a source
    that sends starts and ends would grow with the square of the turns."""
    data = to_json(part)
    attributes = data.pop("attributes", None) or {}
    same = [name for name in _FIELDS if name in data and data[name] == getattr(whole, name)]
    for name in same:
        del data[name]
    encoded = encoder.value(data)
    shared = {key for key, value in attributes.items() if _is_same(value, whole.attributes.get(key))}
    if same or shared:
        encoded[SAME] = [sum(1 << _FIELDS.index(name) for name in same), _places(shared, whole)]
    rest = {key: _attribute(value, encoder) for key, value in attributes.items() if key not in shared}
    if rest:
        alone = len(rest) == 1 and next(iter(rest)).startswith("$")
        encoded["attributes"] = {"$o": rest} if alone else rest
    return encoded


def told(data: Mapping[str, Any], whole: SpanPart) -> SpanPart:
    """A part again, from what `kept` made of it and the folded span."""
    fields, keys = _named(data.get(SAME) or ((), ()), whole)
    shared = {key: whole.attributes[key] for key in keys}
    said = {name: value for name, value in data.items() if name != SAME}
    said |= {name: getattr(whole, name) for name in fields}
    if shared:
        said["attributes"] = shared | (said.get("attributes") or {})
    return from_json(said)


def _places(shared: set[str], whole: SpanPart) -> list[int]:
    return [place for place, key in enumerate(sorted(whole.attributes)) if key in shared] if shared else []


def _named(same: Sequence[Any], whole: SpanPart) -> tuple[Sequence[str], Sequence[str]]:
    """(fields, keys) of "same"."""
    fields, keys = same
    if isinstance(fields, int):
        fields = [name for place, name in enumerate(_FIELDS) if fields >> place & 1]
    if keys and isinstance(keys[0], int):
        ordered = sorted(whole.attributes)
        keys = [ordered[place] for place in keys]
    return fields, keys


def _is_same(one: Value, other: Value) -> bool:
    """Of texts alone, and of what is one object: to `==` the whole number 1 is True and 1.0."""
    return (one is other and one is not None) or (type(one) is str and type(other) is str and one == other)


def _attribute(value: Value, encoder: Encoder) -> Any:
    return encode_string(value, encoder) if isinstance(value, str) and len(value) >= LONG_JSON else encoder.value(value)
