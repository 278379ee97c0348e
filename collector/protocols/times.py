"""Moments as other systems write them, as Unix nanoseconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9})\d*)?\s*(Z|z|[+-]\d\d:?(?:\d\d)?)?", re.ASCII
).fullmatch
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS_UNTIL = 1e11
"""A number below this counts seconds (the year 5138), above it milliseconds."""
_LAST_NS = 2**63 - 1


def time_ns(value: Any) -> int | None:
    """ISO 8601 (UTC where it names no zone, up to nanoseconds), or a number of milliseconds or seconds; None for
    anything else, and for what is before 1970 or beyond 64 bits."""
    if isinstance(value, str):
        found = _iso(value.strip())
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            found = round(value * 1e9) if abs(value) < _SECONDS_UNTIL else round(value) * 10**6
        except (ValueError, OverflowError):
            return None
    else:
        return None
    return found if found is not None and 0 <= found <= _LAST_NS else None


def iso(moment_ns: int) -> str:
    """A moment to the microsecond, in UTC: "2026-11-21T02:23:47.361363+00:00"."""
    return (_EPOCH + timedelta(microseconds=moment_ns // 1000)).isoformat(timespec="microseconds")


def _iso(text: str) -> int | None:
    match = _ISO(text)
    if match is None:
        return None
    day, clock, fraction, zone = match.groups()
    zone = "+00:00" if zone in (None, "Z", "z") else zone
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{zone}")
        seconds = (moment - _EPOCH) // timedelta(seconds=1)
    except (ValueError, OverflowError):
        return None
    return seconds * 10**9 + int((fraction or "0").ljust(9, "0"))
