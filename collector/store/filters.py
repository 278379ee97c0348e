"""The filter language: text -> `Filter`, an immutable tree. What it means in SQL is in `conditions.py`.

    status:error model:gpt-4o* kind:tool name:get_weather session:thread-42 user:u7 since:1h -name:health "free text"
    run:20261121-074148-3fa9c2

Terms are and-ed; `-` negates; `,` lists alternatives; `*` globs; "…" quotes a value or a phrase. Words
without a key are searched for in the text of what was said.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches

from collector.errors import FilterError
from collector.model import KINDS, STATUSES

KEYS = ("status", "kind", "model", "name", "session", "user", "since", "run")
LATER = ("cost", "latency", "tokens", "tag", "service", "has", "meta", "score", "any", "root", "errors", "until")
MAX_CHARS = 10_000
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_AGE = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")
_KEY = re.compile(r"([A-Za-z_][\w.]*):")


@dataclass(frozen=True, slots=True)
class Term:
    """One condition. `values` are alternatives; for "since" there is one, Unix nanoseconds as text;
    for "text" one, the words as typed. `column` is where it stands in the filter's text."""

    key: str
    values: tuple[str, ...]
    negated: bool = False
    column: int = 0


@dataclass(frozen=True, slots=True)
class Filter:
    """All terms hold. An empty filter lets everything through."""

    terms: tuple[Term, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.terms)


def parse(text: str, now_ns: int) -> Filter:
    """Read a filter. `now_ns` is what `since:1h` counts back from. FilterError points at the column."""
    if len(text) > MAX_CHARS:
        raise FilterError(f"a filter may have {MAX_CHARS} characters, this one has {len(text)}", text, MAX_CHARS)
    terms = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        term, at = _term(text, at, now_ns)
        terms.append(term)
    return Filter(tuple(terms))


def _term(text: str, at: int, now_ns: int) -> tuple[Term, int]:
    start = at
    negated = text[at] == "-" and at + 1 < len(text) and not text[at + 1].isspace()
    at += negated
    key = _KEY.match(text, at)
    if key is None or text[at] == '"':
        words, at = _quoted(text, at) if text[at] == '"' else _word(text, at)
        if not words.strip():
            raise FilterError('there is nothing between these quotes: "…" wants a text to look for', text, start)
        return Term("text", (f'"{words}"' if text[at - 1 : at] == '"' else words,), negated, start), at
    name = key[1].lower()
    if name not in KEYS:
        raise FilterError(_unknown(key[1]), text, at)
    values, end = _values(text, key.end())
    if not values:
        raise FilterError(f"{name}: wants a value after the colon, like {_EXAMPLE[name]}", text, key.end())
    return Term(name, _checked(name, values, text, key.end(), now_ns), negated, start), end


_EXAMPLE = {
    "status": "status:error", "kind": "kind:tool", "model": "model:gpt-4o*", "name": "name:get_weather",
    "session": "session:thread-42", "user": "user:u7", "since": "since:1h",
    "run": "run:20261121-074148-3fa9c2",
}  # fmt: skip


def _unknown(key: str) -> str:
    close = get_close_matches(key.lower(), KEYS, n=1)
    hint = f"did you mean {close[0]}:?" if close else f"the keys are {' '.join(k + ':' for k in KEYS)}"
    return f'there is no key {key!r}; {hint} To look for the text itself, quote it: "{key}:…"'


def _values(text: str, at: int) -> tuple[tuple[str, ...], int]:
    values = []
    while at < len(text) and not text[at].isspace():
        value, at = _quoted(text, at) if text[at] == '"' else _word(text, at, stop=",")
        if value:
            values.append(value)
        if at < len(text) and text[at] == ",":
            at += 1
    return tuple(values), at


def _quoted(text: str, at: int) -> tuple[str, int]:
    end = text.find('"', at + 1)
    if end < 0:
        raise FilterError("this quote is never closed", text, at)
    return text[at + 1 : end], end + 1


def _word(text: str, at: int, stop: str = "") -> tuple[str, int]:
    end = at
    while end < len(text) and not text[end].isspace() and text[end] not in stop:
        end += 1
    return text[at:end], end


def _checked(name: str, values: tuple[str, ...], text: str, at: int, now_ns: int) -> tuple[str, ...]:
    allowed = {"status": STATUSES, "kind": KINDS}.get(name)
    if allowed is not None:
        lowered = tuple(value.lower() for value in values)
        for value in lowered:
            if value not in allowed and "*" not in value:
                close = get_close_matches(value, allowed, n=1)
                hint = f"did you mean {close[0]}?" if close else f"it is one of {', '.join(allowed)}"
                raise FilterError(f"{value!r} is no {name}; {hint}", text, at)
        return lowered
    if name == "since":
        if len(values) != 1:
            raise FilterError("since: takes one moment, like since:1h or since:2026-11-21", text, at)
        return (str(_moment(values[0], text, at, now_ns)),)
    return values


def _moment(value: str, text: str, at: int, now_ns: int) -> int:
    """Unix nanoseconds of "90s", "5m", "1h", "2d", "1w" ago, or of an RFC 3339 date or time (UTC unless it says)."""
    try:
        age = _AGE.fullmatch(value)
        if age is not None:
            moment = now_ns - int(float(age[1]) * _UNITS_S[age[2]] * 1e9)
        else:
            date = datetime.fromisoformat(value)
            date = date.replace(tzinfo=UTC) if date.tzinfo is None else date
            moment = (date - _EPOCH) // timedelta(microseconds=1) * 1000
        if not -(2**63) <= moment < 2**63:
            raise OverflowError("beyond what 64 bits of nanoseconds hold")
    except (ValueError, OverflowError) as error:
        raise FilterError(
            f"{value!r} is no moment; write an age (90s 5m 1h 2d 1w) or a date (2026-11-21, 2026-11-21T14:00Z)",
            text,
            at,
        ) from error
    return moment
