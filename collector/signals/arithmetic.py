"""Whether a number follows from numbers that were said: by rounding, another unit, or a step of arithmetic.

The numbers are kept in order, so that each way of getting there is a look or two for the number it would take, and no
walk through all pairs: an answer with 200 numbers after a result with 200 took 13 s, and takes 0.1 s.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import combinations

MOST_NUMBERS = 200
"""So many, the greatest, are tried in pairs."""
MOST_IN_SUMS = 40
SCALES = (10, 100, 1000, 1e6, 0.1, 0.01, 0.001, 1e-6, 12, 1 / 12)
"""Per cent, thousands, months of a year."""
UNITS = (
    60, 1 / 60, 3600, 1 / 3600, 24, 1 / 24, 7, 1024, 1 / 1024, 1.609344, 1 / 1.609344, 2.54, 1 / 2.54, 0.3048,
    1 / 0.3048, 0.45359237, 1 / 0.45359237,
)  # fmt: skip
"""Hours, days, weeks; bytes; miles, inches, feet, pounds."""


class Known:
    """Numbers that were said, none below 0, each once, smallest first; `total` is their sum."""

    def __init__(self) -> None:
        self._said: list[float] = []
        self._ordered = True
        self.total = 0.0

    def add(self, numbers: Iterable[float]) -> None:
        """Add numbers that are not there yet."""
        new = list(numbers)
        self._said += new
        self._ordered = False
        self.total += sum(new)

    @property
    def numbers(self) -> list[float]:
        if not self._ordered:
            self._said.sort()
            self._ordered = True
        return self._said

    def explain(self, number: float, *, slack: float, about: float, units: bool) -> bool:
        """Whether a number (0 or more, good to `slack`) follows from them. `about` is how far it may be from one of
        them as it stands; without `units` it is not taken for another unit of one."""
        said = self.numbers
        if _between(said, number - about, number + about) or abs(self.total - number) <= slack:
            return True
        low, high = number - slack, number + slack
        factors = SCALES + UNITS if units else SCALES
        if any(_between(said, low / factor, high / factor) for factor in factors):
            return True
        some = said[-MOST_NUMBERS:]
        degrees = _between(some, (low - 32) / 1.8, (high - 32) / 1.8) or _between(some, low * 1.8 + 32, high * 1.8 + 32)
        few = some[-MOST_IN_SUMS:]
        return degrees or any(_with_another(a, some, low, high) for a in some) or _sum_of_three(few, low, high)


def _between(numbers: Sequence[float], low: float, high: float, without: float | None = None) -> bool:
    """Whether one of these ordered numbers, but for one of them, is no less than `low` and no more than `high`."""
    at = bisect_left(numbers, low)
    if at < len(numbers) and numbers[at] == without:
        at += 1
    return at < len(numbers) and numbers[at] <= high


def _with_another(a: float, some: Sequence[float], low: float, high: float) -> bool:
    """Whether what lies from `low` to `high` is sum, difference, product, share or growth of `a` and another one."""
    ways = [(low - a, high - a), (low + a, high + a)]
    if a:
        ways += [(low / a, high / a), (low * 100 / a, high * 100 / a)]
        ways += [(low * a, high * a), (low * a / 100, high * a / 100)]
        ways.append(((low / 100 + 1) * a, (high / 100 + 1) * a))
    return any(_between(some, least, most, without=a) for least, most in ways)


def _sum_of_three(few: Sequence[float], low: float, high: float) -> bool:
    sums = {round(a + b, 6) for a, b in combinations(few, 2)}
    return any(_between(few, low - two, high - two) for two in sums)
