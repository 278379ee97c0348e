"""The values of the filter language: moments, durations, counts, money, numbers, and how they are compared.

Every function takes the text as typed and raises ValueError with a sentence for people.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Literal, TypeAlias, cast

from collector.store.filter_keys import Holds

Op: TypeAlias = Literal["=", ">", ">=", "<", "<="]
_OP = re.compile(r">=|<=|>|<|=")
_DURATION_NS = {
    "ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "min": 60 * 10**9,
    "h": 3600 * 10**9, "d": 86400 * 10**9, "w": 7 * 86400 * 10**9,
}  # fmt: skip
_NUMBER = r"\d+(?:\.\d+)?|\.\d+"
_STEP = re.compile(rf"({_NUMBER})(ns|us|µs|μs|ms|min|s|m|h|d|w)")
_AGE = re.compile(rf"(?:{_STEP.pattern})+")
_COUNT = re.compile(rf"([+-]?(?:{_NUMBER})(?:e[+-]?\d+)?)([kmg]?)", re.IGNORECASE)
_TIMES = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Bound:
    """Compares with a number, or in `attr. res. meta. score.` with a text."""

    op: Op
    value: int | float | str


def split_op(text: str) -> tuple[Op | None, str]:
    """(the operator that a value begins with, the rest)."""
    found = _OP.match(text)
    return (cast(Op, found[0]), text[found.end() :]) if found else (None, text)


def bounds(holds: Holds, text: str) -> tuple[Bound, ...]:
    """What one value asks for, all of it: ">2s" is one bound, "1s..2s" are two, "2s" is equality."""
    op, rest = split_op(text)
    if op is not None:
        if not rest:
            raise ValueError(f"{op} wants a value right after it")
        return (Bound(op, value(holds, rest)),)
    low, dots, high = rest.partition("..")
    if not dots:
        return (Bound("=", value(holds, rest)),)
    found = [Bound(cast(Op, sign), value(holds, end)) for sign, end in ((">=", low), ("<=", high)) if end]
    if not found:
        raise ValueError(".. wants a value before it, after it, or both")
    return tuple(found)


def value(holds: Holds, text: str) -> int | float | str:
    """The value in the unit of the file: nanoseconds, nano-dollars, a plain number."""
    if holds == "duration":
        return duration(text)
    if holds == "money":
        return money(text)
    if holds == "any":
        try:
            return number(text)
        except ValueError:
            return text
    return number(text)


def asks_for_some(alternatives: Iterable[Iterable[Bound]]) -> bool:
    """Whether these hold only of whole numbers above 0."""
    return all(any(map(_above_zero, both)) for both in alternatives)


def _above_zero(bound: Bound) -> bool:
    if isinstance(bound.value, str) or bound.op in ("<", "<="):
        return False
    return bound.value > 0 or (bound.op == ">" and bound.value == 0)


def duration(text: str) -> int:
    """Nanoseconds of 250ms, 2s, 1.5m, 1h30m."""
    if not _AGE.fullmatch(text):
        bare = re.fullmatch(_NUMBER, text)
        hint = f"did you mean {text}s or {text}ms?" if bare else "write 250ms, 2s, 1.5m or 1h30m"
        raise ValueError(f"{text!r} is no duration; {hint}")
    return _sized(round(sum(Decimal(n) * _DURATION_NS[unit] for n, unit in _STEP.findall(text))), text)


def money(text: str) -> int:
    """Nano-dollars of 0.05 or $0.05."""
    try:
        dollars = Decimal(text.removeprefix("$"))
        return _sized(round(dollars * 10**9), text)
    except (InvalidOperation, ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is no sum of US dollars; write 0.05 or $0.05") from error


def number(text: str) -> int | float:
    """A number, with k, M or G for thousands, millions, milliards: 10k, 1.5M, 0.5."""
    found = _COUNT.fullmatch(text.replace("_", ""))
    if found is None:
        raise ValueError(f"{text!r} is no number; write 0.5, 300, 10k or 1.5M")
    exact = Decimal(found[1]) * _TIMES[found[2].lower()]
    if not isfinite(float(exact)):
        raise ValueError(f"{text!r} is too large a number")
    whole = exact == exact.to_integral_value() and abs(exact) < 2**63
    return int(exact) if whole else float(exact)


def moment(text: str, now_ns: int) -> int:
    """Unix nanoseconds of "90s", "5m", "1h", "2d", "1w" ago, or of an RFC 3339 date or time (UTC unless it says)."""
    try:
        if _AGE.fullmatch(text):
            return _sized(now_ns - duration(text), text)
        date = datetime.fromisoformat(text)
        date = date.replace(tzinfo=UTC) if date.tzinfo is None else date
        return _sized((date - _EPOCH) // timedelta(microseconds=1) * 1000, text)
    except (ValueError, OverflowError) as error:
        raise ValueError(
            f"{text!r} is no moment; write an age (90s 5m 1h 2d 1w) or a date (2026-11-21, 2026-11-21T14:00Z)"
        ) from error


def _sized(found: int, text: str) -> int:
    if not -(2**63) <= found < 2**63:
        raise ValueError(f"{text!r} is beyond what 64 bits hold")
    return found
