"""Quarter hours into hours, days, weeks and months of a time zone.

Every zone in use is a whole number of quarter hours off UTC, so a quarter hour lies in one day of it, also where the
clock is put forward or back: a day is then 23 or 25 hours long, and an hour that comes twice is two.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from collector.errors import FilterError

S = 1_000_000_000
QUARTER_S = 900
A_WEEK = 7 * 96
_LABELS = {"quarter": "%Y-%m-%d %H:%M", "hour": "%Y-%m-%d %H:%M", "day": "%Y-%m-%d", "week": "%G-W%V", "month": "%Y-%m"}


class Zone:
    """A time zone by its name ("Asia/Kolkata", "UTC"); None is that of this machine. FilterError for no such."""

    def __init__(self, name: str | None = None) -> None:
        try:
            self.tz: tzinfo | None = None if name is None else UTC if name.upper() == "UTC" else ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise FilterError(
                f"there is no time zone {name!r}; write UTC or a name like Asia/Kolkata", name or "", 0
            ) from error
        self._labels: dict[tuple[int, str], str] = {}
        self.spans: dict[str, tuple[int, int]] = {}
        """Of every label given out: (start, end) in Unix nanoseconds."""

    def label(self, quarter: int, unit: str) -> str:
        """What the stretch is called that a quarter hour (since 1970, UTC) lies in. Labels sort as time does."""
        found = self._labels.get((quarter, unit))
        if found is None:
            found = self._labels[quarter, unit] = self._new(quarter, unit)
        return found

    def hour_shift(self, low: int, high: int) -> int | None:
        """By how many quarter hours (0 to 3) its hours are off those of UTC; None where that changes meanwhile."""
        shifts = {self._offset(quarter) % 4 for quarter in (*range(low, high, A_WEEK), high)}
        return shifts.pop() if len(shifts) == 1 else None

    def _offset(self, quarter: int) -> int:
        """How far it is ahead of UTC, in quarter hours."""
        try:
            ahead = self._at(quarter * QUARTER_S).utcoffset()
        except (OverflowError, ValueError, OSError):  # a clock gone mad
            return 0
        return 0 if ahead is None else int(ahead.total_seconds()) // QUARTER_S

    def _new(self, quarter: int, unit: str) -> str:
        try:
            at = self._at(quarter * QUARTER_S)
            start, end = self._around(at, quarter, unit)
            label = (
                at.strftime(_LABELS[unit])
                if unit in ("day", "week", "month")
                else self._at(start).strftime(_LABELS[unit])
            )
            if unit in ("hour", "quarter") and self._at(start).fold:
                label += f" ({self._at(start):%z})"
        except (OverflowError, ValueError, OSError):  # a clock gone mad
            start, end, label = quarter * QUARTER_S, (quarter + 1) * QUARTER_S, "no date"
        self.spans[label] = (start * S, end * S)
        return label

    def _around(self, at: datetime, quarter: int, unit: str) -> tuple[int, int]:
        """(start, end) in Unix seconds."""
        here = quarter * QUARTER_S
        if unit == "quarter":
            return here, here + QUARTER_S
        if unit == "hour":
            return self._hour(here)
        day = at.date()
        if unit == "week":
            day -= timedelta(days=day.weekday())
        elif unit == "month":
            day = day.replace(day=1)
        after = day + timedelta(days={"day": 1, "week": 7, "month": 32}[unit])
        return self._midnight(day), self._midnight(after.replace(day=1) if unit == "month" else after)

    def _hour(self, here: int) -> tuple[int, int]:
        """(start, end) of the hour around: half an hour where a clock is put forward or back by one (Lord Howe)."""
        hour, offset = self._at(here).hour, self._at(here).utcoffset()
        start, end = here, here + QUARTER_S
        while (self._at(start - 1).hour, self._at(start - 1).utcoffset()) == (hour, offset):
            start -= QUARTER_S
        while (self._at(end).hour, self._at(end).utcoffset()) == (hour, offset):
            end += QUARTER_S
        return start, end

    def _at(self, seconds: int) -> datetime:
        return datetime.fromtimestamp(seconds, UTC).astimezone(self.tz)

    def _midnight(self, day: date) -> int:
        """When a day begins: at 00:00, or later where that hour does not exist."""
        start = datetime(day.year, day.month, day.day, tzinfo=self.tz)
        return int((start if self.tz else start.astimezone()).timestamp())
