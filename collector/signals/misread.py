"""Values that were said of something else: in another unit, on another line of code, in a document about something
else; and sums that do not come out.

Narrow on purpose: each rule needs the right value beside the wrong one, so that it can say both.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any

import orjson

from collector.model import Value
from collector.seen import Said, Seen, text_of, tool_calls, unwrapped
from collector.signals.trace import Signal, Trace
from collector.signals.values import in_text

MOST_MESSAGES = 200
"""So many of the last messages are read for what they say of a value, and of the results and documents before a call as
many: a run of hundreds of questions has thousands, and nothing to do with most."""
MOST_ADDED = 10
LONGEST_SUM = 1_000
"""Characters of a question that asks for the sum of MOST_ADDED numbers. Longer ones are not read for it: a column of
numbers would be tried from each of them on."""
LINES_AROUND = 2
"""Comments stand on a line near what they are about."""

_DEGREES = r"(?:°|º|degrees?|deg)\s?"
_UNITS: dict[str, tuple[str, str]] = {
    rf"{_DEGREES}(?:c|celsius)|℃|celsius": ("temperature", "°C"),
    rf"{_DEGREES}(?:f|fahrenheit)|℉|fahrenheit": ("temperature", "°F"),
    r"km/h|kph|kmh": ("speed", "km/h"), r"mph|miles per hour": ("speed", "mph"),
    r"km|kilomet(?:er|re)s?": ("distance", "km"), r"mi|miles?": ("distance", "miles"),
    r"kg|kilograms?|kilos?": ("weight", "kg"), r"lbs?|pounds?": ("weight", "lb"),
    r"met(?:er|re)s": ("length", "metres"), r"feet|ft": ("length", "feet"),
    r"cm|centimet(?:er|re)s?": ("width", "cm"), r"inch(?:es)?": ("width", "inches"),
    r"lit(?:er|re)s?": ("volume", "litres"), r"gallons?": ("volume", "gallons"),
    r"kb|kib": ("size", "KB"), r"mb|mib": ("size", "MB"), r"gb|gib": ("size", "GB"), r"tb|tib": ("size", "TB"),
    r"ms|milliseconds?": ("time", "ms"), r"seconds?|secs?": ("time", "s"),
    r"usd|us\s?dollars?": ("money", "USD"), r"eur|€|euros?": ("money", "EUR"), r"gbp|£": ("money", "GBP"),
}  # fmt: skip
_OFTEN = frozenset({"length", "width", "volume", "size", "time", "money"})
"""Of these, small whole numbers are too common to be taken for the same one."""
_KIND = {unit: kind for kind, unit in _UNITS.values()}
_SIGNS = {"$": "USD", "€": "EUR", "£": "GBP"}
_SIGNED = re.compile(
    r"(?<![\w$€£])([$€£])\s?(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)(?!\w|[.,]\d|\s?(?:thousand|[mb]illion))"
)
"""Another dollar than the American one has letters before its sign."""
_TO: dict[tuple[str, str], Callable[[float], float]] = {
    ("°C", "°F"): lambda n: n * 1.8 + 32, ("°F", "°C"): lambda n: (n - 32) / 1.8,
    ("km/h", "mph"): lambda n: n / 1.609344, ("mph", "km/h"): lambda n: n * 1.609344,
    ("km", "miles"): lambda n: n / 1.609344, ("miles", "km"): lambda n: n * 1.609344,
    ("kg", "lb"): lambda n: n / 0.45359237, ("lb", "kg"): lambda n: n * 0.45359237,
    ("metres", "feet"): lambda n: n / 0.3048, ("feet", "metres"): lambda n: n * 0.3048,
    ("cm", "inches"): lambda n: n / 2.54, ("inches", "cm"): lambda n: n * 2.54,
    ("litres", "gallons"): lambda n: n / 3.785411784, ("gallons", "litres"): lambda n: n * 3.785411784,
    ("ms", "s"): lambda n: n / 1000, ("s", "ms"): lambda n: n * 1000,
}  # fmt: skip
"""There is none for money, and for sizes of 1000 or 1024: only the same number is told."""
_SHORT = {"c": "°C", "f": "°F", "metric": "", "imperial": ""}
_WITH_UNIT = re.compile(
    rf"(?<![\w.,])(-?\d+(?:[.,]\d+)?)\s?(?:{'|'.join(f'(?P<u{n}>{unit})' for n, unit in enumerate(_UNITS))})(?![\w/])",
    re.IGNORECASE,
)
_UNIT_KEYS = frozenset({"unit", "units", "temperature_unit", "scale", "currency"})
_LINE_KEYS = frozenset({"line", "line_number", "lineno", "linenumber", "start_line", "end_line"})
_LISTED = re.compile(r"^[^\S\n]*(\d{1,6})[^\S\n]*[|:│\t→](.*)$", re.MULTILINE)
_QUOTED = re.compile(r"`([^`\n]{1,80})`")
_NAME = re.compile(r"[A-Za-z_]\w{2,}")
_WORD = re.compile(r"[^\W\d_]{3,}")
_NUMBER = r"\d+(?:[.,]\d+)*"
_ASKS_A_SUM = re.compile(
    rf"\b(?:add|sum)\b[^\d?!.]{{0,40}}(?P<list>{_NUMBER}(?:\s*(?:(?:,|and|\+|plus|&)\s*)+{_NUMBER})+)"
    rf"|(?<!\d)(?P<plus>{_NUMBER}(?:\s*(?:\+|plus)\s*{_NUMBER})+)",
    re.IGNORECASE,
)
_NO_SUBJECT = frozenset(
    """the and for with per month year day week cost costs price prices much how what does our your you are is of from
    usd eur gbp dollar dollars euro euros month monthly year yearly annual annually each total
    please tell can""".split()
)

Measured = tuple[str, float]
"""(unit, number)"""
Priced = tuple[frozenset[str], dict[str, str]]
"""(words, prices as they are written by their one form) of a text"""


def misread(trace: Trace) -> Iterator[Signal]:
    """A value that what was said says of something else."""
    given = _Given(trace)
    for span in trace.calls:
        asked = tool_calls(span.output)
        if asked:
            yield from _lines(span, asked)
            continue
        answer = "\n".join(text_of(one.message) for one in span.output)
        if answer:
            yield from _units(given, span, answer)
            yield from _subjects(given, span, answer)
            yield from _sums(span, answer)


def _recent(span: Seen) -> Sequence[Said]:
    return span.input[max(0, len(span.input) - MOST_MESSAGES) :]


class _Given:
    """What the tools and searches of a trace gave, in the order in which they ended, and what calls were told. Each is
    read once, when it is asked for."""

    def __init__(self, trace: Trace) -> None:
        tools = [one for one in trace.tools if one.tool is not None and one.end_ns is not None]
        self._tools = sorted(tools, key=_ended)
        searches = sorted((one for one in trace.spans if one.documents and one.end_ns is not None), key=_ended)
        self._documents = [(_ended(one), str(document.content)) for one in searches
                           for document in one.documents if document.content]  # fmt: skip
        self._measured: dict[str, frozenset[Measured]] = {}
        self._priced: dict[int, Priced] = {}

    def measured(self, span: Seen) -> set[Measured]:
        """The numbers with a unit in all that a call was told, and in what was given before it."""
        found: set[Measured] = set()
        for one in (*span.system, *_recent(span)):
            found |= self._once(f"m{one.key}", (part.get("result") if part.get("type") == "tool_result" else
                                                part.get("text") for part in one.message.parts))  # fmt: skip
        for at in _last(bisect_right(self._tools, span.start_ns, key=_ended)):
            tool = self._tools[at].tool
            found |= self._once(f"t{at}", (tool.result if tool is not None else None,))
        for at in self._before(span):
            found |= self._once(f"d{at}", (self._documents[at][1],))
        return found

    def documents(self, span: Seen) -> list[Priced]:
        """(words, prices by their one form) of the documents that were found before a call."""
        return [self._of_document(at) for at in self._before(span)]

    def _before(self, span: Seen) -> range:
        return _last(bisect_right(self._documents, span.start_ns, key=lambda one: one[0]))

    def _of_document(self, at: int) -> Priced:
        if at not in self._priced:
            text = self._documents[at][1]
            prices = {one.forms[0]: one.text for one in in_text(text) if one.kind == "price"}
            self._priced[at] = _words(text), prices
        return self._priced[at]

    def _once(self, name: str, values: Iterable[Value]) -> frozenset[Measured]:
        if name not in self._measured:
            self._measured[name] = frozenset(one for value in values for one in _all_measured(value))
        return self._measured[name]


def _ended(span: Seen) -> int:
    return span.end_ns or 0


def _last(end: int) -> range:
    return range(max(0, end - MOST_MESSAGES), end)


# Units.


def _units(given: _Given, span: Seen, answer: str) -> Iterator[Signal]:
    """88 °C in the answer where all that was said is 88 °F."""
    stated = list(dict.fromkeys(_measured(answer)))
    if not stated:
        return
    said = given.measured(span)
    for unit, number in stated:
        if _KIND[unit] in _OFTEN and abs(number) < 10 and number == int(number):
            continue
        others = {other for other, same in said if same == number and other != unit and _KIND.get(other) == _KIND[unit]}
        if not others or (unit, number) in said or any(abs(n - number) < 1 for n in _converted(said, unit)):
            continue
        other = min(others)
        text = f"{number:g} {unit} in the answer: what was said is {number:g} {other}"
        yield Signal("misread", span.span_id, text, value=f"{number:g}")


def _converted(said: Iterable[Measured], unit: str) -> Iterator[float]:
    return (_TO[other, unit](number) for other, number in said if (other, unit) in _TO)


def _measured(text: str) -> Iterator[Measured]:
    """The numbers of a text that have a unit."""
    names = list(_UNITS.values())
    for match in _WITH_UNIT.finditer(text) if any(c.isdigit() for c in text) else ():
        unit = next(names[n][1] for n in range(len(names)) if match[f"u{n}"])
        yield unit, float(match[1].replace(",", "."))
    for sign, number in _SIGNED.findall(text):
        yield _SIGNS[sign], float(number.replace(",", ""))


def _all_measured(value: Value, deep: int = 0) -> Iterator[Measured]:
    """Of values, too: {"temperature": 88, "unit": "F"}, {"temp_f": 88}."""
    if isinstance(value, str):
        inner = _decoded(value)
        yield from _measured(value) if inner is None else _all_measured(inner, deep + 1)
    elif isinstance(value, list) and deep < 6:
        for one in value[:200]:
            yield from _all_measured(one, deep + 1)
    elif isinstance(value, dict) and deep < 6:
        beside = next((_unit(one) for key, one in value.items() if str(key).lower() in _UNIT_KEYS), None)
        for key, one in value.items():
            unit = _unit(str(key).lower().rpartition("_")[2]) if "_" in str(key) else None
            if isinstance(one, (int, float)) and not isinstance(one, bool) and (unit or beside) and abs(one) < 1e15:
                yield unit or beside or "", float(one)
            else:
                yield from _all_measured(one, deep + 1)


def _decoded(text: str) -> Value:
    """The object or list that a text spells, as providers want the results of tools; None for other texts."""
    if text.lstrip()[:1] in ("{", "["):
        with suppress(ValueError, RecursionError):
            found: Value = orjson.loads(text)
            return found
    return None


def _unit(name: Value) -> str | None:
    if not isinstance(name, str):
        return None
    clean = name.strip().lower()
    return _SHORT.get(clean) or next(
        (unit for spelt, (_, unit) in _UNITS.items() if re.fullmatch(spelt, clean, re.IGNORECASE)), None
    )


# Lines.


def _lines(span: Seen, asked: Sequence[dict[str, Any]]) -> Iterator[Signal]:
    """A comment on a line that has nothing of what it quotes, where another line has."""
    for call in asked:
        arguments = unwrapped(call.get("arguments"))
        if not isinstance(arguments, dict):
            continue
        line = next((one for key, one in arguments.items() if str(key).lower() in _LINE_KEYS), None)
        texts = [one for one in arguments.values() if isinstance(one, str)]
        names = {name for text in texts for quoted in _QUOTED.findall(text) for name in _NAME.findall(quoted)}
        if not isinstance(line, int) or isinstance(line, bool) or not names:
            continue
        listed = _listing(span, line)
        with_names = [at for at, code in listed.items() if names.intersection(_NAME.findall(code))]
        if with_names and all(abs(at - line) > LINES_AROUND for at in with_names):
            there = ", ".join(str(at) for at in with_names[:3])
            quoted = ", ".join(sorted(names))[:80]
            text = f"line {line} in {call.get('name')}: {quoted} stands on line {there}, not near it"
            yield Signal("misread", span.span_id, text, value=str(line))


def _listing(span: Seen, line: int) -> dict[int, str]:
    """The last numbered listing that has this line; nothing where there is none."""
    for one in reversed(_recent(span)):
        for part in one.message.parts:
            text = part.get("result") if part.get("type") == "tool_result" else part.get("text")
            found = {int(at): code for at, code in _LISTED.findall(text)} if isinstance(text, str) else {}
            if line in found and len(found) >= 3:
                return found
    return {}


# Subjects.


def _subjects(given: _Given, span: Seen, answer: str) -> Iterator[Signal]:
    """A price that only a document about something else says, where one about what was asked says another."""
    prices = list(dict.fromkeys(one for one in islice(in_text(answer), 50) if one.kind == "price"))
    read = given.documents(span) if prices else []
    if len(read) < 2:
        return
    question = _words(_question(span))
    stated, spoken = {one.forms[0] for one in prices}, _words(answer)
    for price in prices:
        of = [words for words, known in read if price.forms[0] in known]
        if not of or any(words & spoken - question for words in of):
            continue  # nowhere, or the answer names what it is of
        fits = max((words & question for words in of), key=len)
        for words, known in read:
            if known and stated.isdisjoint(known) and fits < words & question:
                asked = ", ".join(sorted((words & question) - fits))
                text = f"{price.text} in the answer: the document about {asked} says {next(iter(known.values()))}"
                yield Signal("misread", span.span_id, text, value=price.text)
                break


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.casefold())) - _NO_SUBJECT


def _question(span: Seen) -> str:
    return next((text for one in reversed(_recent(span)) if one.message.role == "user"
                 and (text := text_of(one.message))), "")  # fmt: skip


# Sums.


def _sums(span: Seen, answer: str) -> Iterator[Signal]:
    """The sum of the numbers that the user gave, worked out wrong without a tool."""
    stated = [one for one in islice(in_text(answer), 3) if one.kind == "number"]
    if len(stated) != 1 or not span.input or span.input[-1].message.role != "user":
        return
    question = text_of(span.input[-1].message)
    asked = _ASKS_A_SUM.search(question) if len(question) <= LONGEST_SUM else None
    if asked is None:
        return
    numbers = [one.number for one in in_text(asked[0]) if one.kind == "number" and one.number is not None]
    number = stated[0].number
    if not 2 <= len(numbers) <= MOST_ADDED or number is None:
        return
    zeros = len(str(int(number))) - len(str(int(number)).rstrip("0")) if number == int(number) else -1
    slack = 0.5 * 10.0**zeros  # "about 70"
    if all(abs(number - one) > slack for one in _partial_sums(numbers)):
        text = f"{stated[0].text} in the answer: the numbers that were given come to {sum(numbers):g}"
        yield Signal("misread", span.span_id, text, value=stated[0].text)


def _partial_sums(numbers: Sequence[float]) -> set[float]:
    sums = {0.0}
    for number in numbers:
        sums |= {round(one + number, 6) for one in sums}
    return sums
