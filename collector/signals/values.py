"""Values that a model must have from somewhere: ids, numbers, prices, dates. How to find them, and compare them.

A value is compared in one normal form, whatever it was written like: "1,234.50" and 1234.5, "$499" and 499,
"21 November 2026" and 2026-11-21, "ORD-17" and "ord 17".
"""

from __future__ import annotations

import hashlib
import math
import re
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, TypeAlias

from collector.memo import Memo
from collector.model import Value
from collector.signals.arithmetic import Known

ValueKind: TypeAlias = Literal["id", "number", "price", "date"]

_MONTHS = {
    name: number
    for number, names in enumerate(
        ("jan january januar enero janvier", "feb february februar febrero février", "mar march märz marzo mars",
         "apr april abril avril", "may mai mayo", "jun june juni junio juin", "jul july juli julio juillet",
         "aug august agosto août", "sep sept september septiembre septembre", "oct october oktober octubre octobre",
         "nov november noviembre novembre", "dec december dezember diciembre décembre"), 1)
    for name in names.split()
}  # fmt: skip
_MONTH = "|".join(sorted(map(re.escape, _MONTHS), key=len, reverse=True))
_DATES = re.compile(
    r"(?<!\d)(?:(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})(?!\d)"
    r"|(?P<a>\d{1,2})[/.](?P<b>\d{1,2})[/.](?P<yy>\d{4})(?!\d)"
    rf"|(?P<d2>\d{{1,2}})(?:st|nd|rd|th|\.)?\s+(?:of\s+|de\s+)?(?P<mon>{_MONTH})\.?,?\s+(?:de\s+)?(?P<y2>\d{{4}})"
    rf"|(?P<mon3>{_MONTH})\.?\s+(?P<d3>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y3>\d{{4}}))",
    re.IGNORECASE,
)
_NUMBER = r"\d{1,3}(?:[,'\u00a0\u202f]\d{3})+(?:\.\d+)?|\d{1,3}(?:\.\d{3})+,\d{1,2}(?!\d)|\d+(?:[.,]\d+)?"
_PRICES = re.compile(
    rf"(?:US\$|[$€£¥₹])\s?(?P<n>{_NUMBER})(?!\d)(?P<k>\s?(?:[kKmM]|thousand|million|billion)\b)?"
    rf"|(?<![\w.,-])(?P<n2>{_NUMBER})\s?(?:€|£|\$|USD|EUR|GBP|dollars?|euros?|pounds)(?!\w)"
)
_IDS = re.compile(
    r"(?<![\w-])(?=[\w-]*\d)(?:[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
    r"|[A-Za-z]{1,12}[-_#]\d{3,}[\w-]*|[A-Z]{1,6}\d{4,}\w*)(?![\w-])"
)
_NUMBERS = re.compile(rf"(?<![\w.,-])(?:{_NUMBER})(?![\w]|[.,]\d)")
_DIGITS = re.compile(r"\d+")
# Where a date may be: trying _DATES at each letter of a text took ten times as long as everything else about it.
_FIGURES_OF_A_DATE = re.compile(r"(?<!\d)\d(?=\d{0,3}[-/.]\d{1,2}[-/.]\d)")
_YEAR_OF_A_DATE = re.compile(r"(?<=\s)\d{4}")
_SOME_MONTH = re.compile("|".join(sorted({name[:3] for name in _MONTHS})), re.IGNORECASE)
_BEFORE_A_YEAR = 40
"""Characters of a written date before its year: "22nd of September, de "."""
_NO_SIGN = re.compile(r"[\W_]+")
_SIGNS = bytes(code for code in range(128) if not chr(code).isalnum())
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_GROUPED_BY_DOTS = re.compile(r"\d{1,3}(?:\.\d{3})+,\d{1,2}")
_GROUPS = re.compile(r"['\u00a0\u202f\s_]")
_WHOLE_NUMBER = re.compile(_NUMBER)
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|\bhttps?://\S+", re.DOTALL)
_FULL_ID = re.compile(r"(?=.*\d)[\w#-]{5,80}")


@dataclass(frozen=True, slots=True)
class Found:
    """A value in a text: as written, and the forms that would be the same value elsewhere."""

    kind: ValueKind
    text: str
    forms: tuple[str, ...]

    @property
    def number(self) -> float | None:
        return float(self.forms[0][1:]) if self.kind in ("number", "price") else None


def number_form(text: str) -> str | None:
    """A number in one way of writing, "#" before it; None for none, and for none that is finite. A comma with three
    digits after it groups."""
    if len(text) < 10 and text.isascii() and text.isdigit():
        return f"#{int(text)}"
    clean = _GROUPS.sub("", text)
    if _GROUPED.fullmatch(clean):
        clean = clean.replace(",", "")
    elif _GROUPED_BY_DOTS.fullmatch(clean):
        clean = clean.replace(".", "").replace(",", ".")
    elif clean.count(",") == 1 and "." not in clean:
        clean = clean.replace(",", ".")
    try:
        number = float(clean)
    except ValueError:
        return None
    if not math.isfinite(number):
        return None
    return f"#{number:.10g}" if abs(number) < 1e15 else f"#{clean}"


def date_forms(found: re.Match[str]) -> tuple[str, ...]:
    """The days that a written date may be: "03/04/2026" is one of two."""
    g = found.groupdict()
    if g["y"]:
        tries = [(g["y"], g["m"], g["d"])]
    elif g["yy"]:
        tries = [(g["yy"], g["b"], g["a"]), (g["yy"], g["a"], g["b"])]
    else:
        named = _MONTHS[(g["mon"] or g["mon3"]).lower()]
        tries = [(g["y2"] or g["y3"], str(named), g["d2"] or g["d3"])]
    days = []
    for year, month, day in tries:
        try:
            days.append(date(int(year), int(month), int(day)).isoformat())
        except ValueError:
            continue
    return tuple(dict.fromkeys(days))


def dated(text: str) -> Iterator[re.Match[str]]:
    """The dates that stand in a text, in their order."""
    places = [match.start() for match in _FIGURES_OF_A_DATE.finditer(text)]
    for year in _YEAR_OF_A_DATE.finditer(text):
        low = max(0, year.start() - _BEFORE_A_YEAR)
        if _SOME_MONTH.search(text, low, year.start()):
            places += [match.start() for match in _DATES.finditer(text, low, year.end()) if match.end() == year.end()]
    end = 0
    for place in sorted(places):
        if place >= end and (match := _DATES.match(text, place)):
            end = match.end()
            yield match


def id_form(text: str) -> str:
    """Its letters and figures, in one case."""
    if text.isascii():
        return text.lower().encode().translate(None, _SIGNS).decode()
    return _NO_SIGN.sub("", text.casefold())


def in_text(text: str) -> Iterator[Found]:
    """The values that an answer states. Code and addresses are left out: they hold numbers of their own."""
    if not _DIGITS.search(text):
        return
    text = _CODE.sub(" ", text)
    taken: list[tuple[int, int]] = []  # in order: an answer may be a table of a hundred thousand numbers

    def free(match: re.Match[str]) -> bool:
        start, end = match.span()
        at = bisect_left(taken, (start, end))
        if (at and taken[at - 1][1] > start) or (at < len(taken) and taken[at][0] < end):
            return False
        insort(taken, (start, end))
        return True

    for match in dated(text):
        if (days := date_forms(match)) and free(match):
            yield Found("date", match[0], days)
    for match in _PRICES.finditer(text):
        form = number_form(match["n"] or match["n2"])
        if form and free(match) and not match["k"]:
            yield Found("price", match[0].strip(), (form,))
    for match in _IDS.finditer(text):
        if free(match):
            yield Found("id", match[0], (id_form(match[0]),))
    for match in _NUMBERS.finditer(text):
        form = number_form(match[0])
        if form and free(match):
            yield Found("number", match[0], (form,))


def of_argument(value: Value) -> Found | None:
    """The value that an argument as a whole is; None for a sentence, a flag, a word."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float)):
        form = number_form(repr(abs(value)))
        return Found("number", str(value), (form,)) if form else None
    if not isinstance(value, str) or not 1 <= len(text := value.strip()) <= 80:
        return None
    dated = _DATES.match(text)
    if dated is not None and (days := date_forms(dated)) and (dated.end() == len(text) or text[dated.end()] in "T "):
        return Found("date", text, days)
    priced = _PRICES.fullmatch(text)
    if priced is not None and (form := number_form(priced["n"] or priced["n2"])):
        return Found("price", text, (form,))
    if _WHOLE_NUMBER.fullmatch(text) and (form := number_form(text)):
        return Found("number", text, (form,))
    if _FULL_ID.fullmatch(text) and len(re.sub(r"\D", "", text)) >= 3:
        return Found("id", text, (id_form(text),))
    return None


def near(days: tuple[str, ...], at_ns: int, slack: int) -> bool:
    """Whether a date could have been worked out from the day of the call, or lies in a clock gone mad."""
    try:
        today = date(1970, 1, 1) + timedelta(days=at_ns // 86_400_000_000_000)
    except OverflowError:
        return True
    return any(abs((date.fromisoformat(day) - today).days) <= slack for day in days)


_Numbers = tuple[frozenset[str], frozenset[str]]
_MEMO: Memo[_Numbers] = Memo(8_000_000)
"""By the digest of a text, which may be long: every turn of a conversation resends the texts of all before it."""
_SHORT_TEXT = 500
"""Read in less time than it takes to look it up."""


def _numbers_of(text: str) -> _Numbers:
    """(numbers as they are written, runs of digits) of a text, each in its one form."""
    if len(text) < _SHORT_TEXT:
        return _read_numbers_of(text)
    name = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    found = _MEMO.get(name)
    if found is None:
        found = _read_numbers_of(text)
        _MEMO.put(name, found, 100 * sum(map(len, found)))
    return found


def _read_numbers_of(text: str) -> _Numbers:
    whole = {form for written in set(_WHOLE_NUMBER.findall(text)) if (form := number_form(written))}
    return frozenset(whole), frozenset(f"#{int(run[:15])}" for run in set(_DIGITS.findall(text)))


class Pool:
    """All values of the texts given to it, in every form in which one of them may come back.

    What is given waits until somebody asks: most traces state nothing that would have to be looked up, and reading them
    for numbers and dates costs more than all the rules together.
    """

    def __init__(self) -> None:
        self._waiting: list[Callable[[], str]] = []
        self._texts: list[str] = []
        self._read = dict.fromkeys(("numbers", "dates", "squeezed"), 0)
        self._forms: set[str] = set()
        self._days: set[str] = set()
        self._known = Known()
        self._squeezed: list[str] = []

    def add(self, text: Callable[[], str]) -> None:
        """`text` is asked once, when a value is looked for, or never."""
        self._waiting.append(text)

    def take(self) -> None:
        """Ask for the texts that wait."""
        waiting, self._waiting = self._waiting, []
        self._texts += [text for text in (ask() for ask in waiting) if text]

    def _new(self, what: str) -> list[str]:
        """The texts that came since this was last asked."""
        self.take()
        new = self._texts[self._read[what] :]
        self._read[what] = len(self._texts)
        return new

    @property
    def known(self) -> Known:
        """The numbers of all texts."""
        self._read_numbers()
        return self._known

    def _read_numbers(self) -> set[str]:
        """All numbers in their one form."""
        new: set[float] = set()
        for text in self._new("numbers"):
            whole, runs = _numbers_of(text)
            fresh = whole - self._forms
            new.update([float(form[1:]) for form in fresh])
            self._forms |= fresh
            self._forms |= runs
        if new:
            self._known.add(new)
        return self._forms

    def _dates(self) -> set[str]:
        for text in self._new("dates"):
            for match in dated(text):
                self._days.update(date_forms(match))
        return self._days

    def _says(self, form: str) -> bool:
        """Whether a text, letters and figures only, holds this. The last ones first: there most values are from."""
        self._squeezed += [id_form(text) for text in self._new("squeezed")]
        return any(form in text for text in reversed(self._squeezed))

    def holds(self, found: Found) -> bool:
        """Whether the value, or its digits, stand anywhere in these texts."""
        if found.kind == "date":
            return not self._dates().isdisjoint(found.forms) or any(self._says(d.replace("-", "")) for d in found.forms)
        if found.kind != "id" and not self._read_numbers().isdisjoint(found.forms):
            return True
        squeezed = id_form(found.text)
        if squeezed and self._says(squeezed):
            return True
        longest = max(_DIGITS.findall(found.text), key=len, default="") if found.kind == "id" else ""
        return len(longest) >= 4 and self._says(longest)
