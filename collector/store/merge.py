"""The merge rule: many parts, one span, whatever the order they came in.

Parts are ordered by (rank, at_ns, hash of the content). Each field, and each attribute key, takes its
value from the greatest part that sets it; None, "", {} and () set nothing, nor does a code of 0.
Log records are not contested: a span has all of them.

A part that wins no field any more can never win one again, because what beats it stays. So only the
*contributors* need keeping, and most spans have one. That is what makes the rule cheap, and exact.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any

import orjson

from collector.model import NO_READING, READING_FIELDS, USAGE_FIELDS, LogRecord, Rank, Reading, SpanPart, Usage

_NOT_CONTESTED = {"trace_id", "span_id", "rank", "at_ns", "attributes", "logs", "reading", "keep_parts"}
_FIELDS: tuple[str, ...] = tuple(f.name for f in fields(SpanPart) if f.name not in _NOT_CONTESTED)
_PLAIN_READING = tuple(name for name in READING_FIELDS if name not in ("usage", "metadata"))


def fold(parts: Iterable[SpanPart]) -> tuple[SpanPart, list[SpanPart]]:
    """Return (the span, its contributors from greatest to least).

    All parts must be of one span. The span's rank and at_ns are those of the greatest part.
    """
    said = list(parts)
    if len(said) == 1:
        return said[0], said
    ordered = _greatest_first(said)
    merged: dict[str, Any] = {}
    attributes: dict[str, Any] = {}
    reading: dict[str, Any] = {}
    contributors: list[SpanPart] = []
    for part in ordered:
        won = _take_fields(merged, part)
        won |= _take_keys(attributes, part.attributes)
        if part.reading is not NO_READING:
            won |= _take_reading(reading, part.reading)
        if won or not contributors:
            contributors.append(part)
    top = contributors[0]
    logs = union_of_logs(part.logs for part in said)
    span = replace(
        top,
        **merged,
        attributes=_in_order(attributes, contributors),
        reading=_reading(reading),
        logs=logs,
        keep_parts=any(part.keep_parts for part in said),
    )
    return span, contributors


def order(part: SpanPart) -> tuple[int, int, bytes]:
    """What makes one part greater than another. The hash only ever decides between equal moments."""
    return (int(part.rank), part.at_ns, digest(part))


def digest(part: SpanPart) -> bytes:
    """A hash of everything the part says, the same wherever and whenever it is computed."""
    said = {name: getattr(part, name) for name in _FIELDS}
    said["attributes"] = part.attributes
    said["reading"] = {
        name: value
        for name in READING_FIELDS
        if (value := getattr(part.reading, name)) is not None or name not in _LATER
    }
    return hashlib.sha256(orjson.dumps(said, default=_plain, option=_CANONICAL)).digest()


_LATER = frozenset({"trace_name", "trace_input", "trace_output"})
"""Fields that came after the first version: unset they leave the hash as it was."""
_CANONICAL = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return {"$b": value.hex()}
    if isinstance(value, int):
        return {"$i": str(value)}
    return repr(value)


def _greatest_first(parts: Iterable[SpanPart]) -> list[SpanPart]:
    """Parts in falling order, repetitions left out (told by hash: to Python, 0 == False == 0.0)."""
    many = list(parts)
    moments = {(int(part.rank), part.at_ns): part for part in many}
    if len(moments) == len(many):  # no tie for a hash of all they say to decide, nor a repetition
        return [moments[key] for key in sorted(moments, reverse=True)]
    by_order = {order(part): part for part in many}
    return [by_order[key] for key in sorted(by_order, reverse=True)]


def says_nothing(value: object) -> bool:
    """True for what sets no field: None, empty text, empty collections, and a code of 0."""
    return (
        value is None or value == "" or value == () or value == {} or value == [] or (value == 0 and value is not False)
    )


def _take_fields(merged: dict[str, Any], part: SpanPart) -> bool:
    won = False
    for name in _FIELDS:
        if name not in merged:
            value = getattr(part, name)
            if not says_nothing(value) or (value == 0 and name in ("start_ns", "end_ns")):
                merged[name] = value
                won = True
    return won


def _take_keys(into: dict[str, Any], values: dict[str, Any]) -> bool:
    won = False
    for key, value in values.items():
        if key in into:
            continue
        if value is None or value == "" or value == {} or value == []:
            continue
        into[key] = value
        won = True
    return won


def _take_reading(into: dict[str, Any], reading: Reading) -> bool:
    won = False
    for name in _PLAIN_READING:
        value = getattr(reading, name)
        if name not in into and value is not None and value not in ("", (), {}, []):
            into[name] = value
            won = True
    if reading.usage is not None:
        usage = into.setdefault("usage", {})
        for name in USAGE_FIELDS:
            value = getattr(reading.usage, name)
            if name not in usage and value is not None:
                usage[name] = value
                won = True
    if reading.metadata:
        won |= _take_keys(into.setdefault("metadata", {}), reading.metadata)
    return won


def _reading(taken: dict[str, Any]) -> Reading:
    if not taken:
        return NO_READING
    if "usage" in taken:
        taken["usage"] = Usage(**taken["usage"])
    return Reading(**taken)


def _in_order(attributes: dict[str, Any], contributors: list[SpanPart]) -> dict[str, Any]:
    """Keys in the order of the greatest part that has them; empty values of the top part are kept as sent."""
    out = {}
    for part in contributors:
        for key, value in part.attributes.items():
            if key in attributes:
                out[key] = attributes[key]
            elif part is contributors[0]:
                out[key] = value
    return out


def union_of_logs(many: Iterable[tuple[LogRecord, ...]]) -> tuple[LogRecord, ...]:
    """All log records, each once, by time; ties by where they stood in their body, then by content."""
    seen: dict[bytes, LogRecord] = {}
    for logs in many:
        for record in logs:
            digest = log_digest(record)
            known = seen.get(digest)
            if known is None or record.position < known.position:
                seen[digest] = record
    ordered = sorted(seen.items(), key=lambda item: (item[1].time_ns, item[1].position, item[0]))
    return tuple(record for _, record in ordered)


def log_digest(record: LogRecord) -> bytes:
    said = replace(record, position=0) if record.position else record
    return hashlib.sha256(orjson.dumps(said, default=_plain, option=_CANONICAL)).digest()


def state_of(part: SpanPart) -> str:
    """The stored status of a folded span: error wins; an end, or a finished part, ends it."""
    if part.status == "error" or part.reading.status == "error":
        return "error"
    if part.end_ns is not None or part.rank == Rank.FINISHED:
        return "ok"
    return "running"
