"""LangSmith's filter language: `and(eq(run_type, "llm"), gt(latency, 2), has(tags, "prod"))`.

A filter is parsed to a predicate over runs as the API shows them (dicts). Metadata and feedback are compared as
entries: within one `and`, `eq(metadata_key, "plan")` and `eq(metadata_value, "pro")` speak of the same entry.
https://docs.langchain.com/langsmith/trace-query-syntax
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from collector.errors import DecodeError
from collector.protocols.times import time_ns

Run = dict[str, Any]
Predicate = Callable[[Run], bool]

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    |(?P<name>[A-Za-z_][\w.]*)|(?P<mark>[(),\[\]]))""",
    re.VERBOSE,
)
_DEPTH = 40
_LENGTH = 20_000
_LIKE_CHARS, _LIKE_PATTERN = 10_000, 200
_SECONDS, _MOMENTS = ("latency", "first_token_latency"), ("start_time", "end_time")
_DURATION = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?\s*").fullmatch
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_WORDS = {"null": None, "None": None, "true": True, "True": True, "false": False, "False": False}


@dataclass(frozen=True, slots=True)
class Name:
    """A field of a run."""

    name: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A function and its arguments: names, values, lists, other functions."""

    function: str
    arguments: tuple[Any, ...]


def parse(text: str) -> Predicate:
    """What a filter asks of a run. DecodeError says where it is not understood."""
    if len(text) > _LENGTH:
        raise DecodeError(f"a filter of {len(text):,} characters is over the limit of {_LENGTH:,}")
    tokens = _tokens(text)
    asked, at = _expression(tokens, 0, text, 0)
    if at != len(tokens):
        raise DecodeError(f"filter {text[:120]!r}: {tokens[at][1]!r} comes after its end")
    return _predicate(asked)


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise DecodeError(f"filter {text[:120]!r}: {text[at : at + 20]!r} at character {at + 1} is not understood")
        found.append((match.lastgroup or "", match.group(match.lastgroup or 0)))
        at = match.end()
    return found


def _expression(tokens: list[tuple[str, str]], at: int, text: str, depth: int) -> tuple[Any, int]:
    if depth > _DEPTH:
        raise DecodeError(f"filter {text[:120]!r} is nested too deep")
    if at >= len(tokens):
        raise DecodeError(f"filter {text[:120]!r} ends too early")
    kind, said = tokens[at]
    if kind == "text":
        return _unquoted(said), at + 1
    if kind == "number":
        return (float(said) if any(c in said for c in ".eE") else int(said)), at + 1
    if said == "[":
        return _listed(tokens, at + 1, "]", text, depth)
    if kind != "name":
        raise DecodeError(f"filter {text[:120]!r}: {said!r} is not understood")
    if at + 1 < len(tokens) and tokens[at + 1][1] == "(":
        arguments, at = _listed(tokens, at + 2, ")", text, depth)
        return Asked(said, tuple(arguments)), at
    return (_WORDS[said] if said in _WORDS else Name(said)), at + 1


def _listed(
    tokens: list[tuple[str, str]], at: int, end: str, text: str, depth: int
) -> tuple[list[Any], int]:  # fmt: skip
    out: list[Any] = []
    while at < len(tokens) and tokens[at][1] != end:
        item, at = _expression(tokens, at, text, depth + 1)
        out.append(item)
        if at < len(tokens) and tokens[at] == ("mark", ","):
            at += 1
        elif at >= len(tokens) or tokens[at][1] != end:
            break
    if at >= len(tokens) or tokens[at][1] != end:
        raise DecodeError(f"filter {text[:120]!r} lacks a {end!r}")
    return out, at + 1


def _unquoted(said: str) -> str:
    inner = said[1:-1]
    return re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t"}.get(m.group(1), m.group(1)), inner)


def _predicate(asked: Any) -> Predicate:
    if not isinstance(asked, Asked):
        raise DecodeError(f'a filter is a call such as eq(name, "x"), not {asked!r}')
    name, arguments = asked.function, asked.arguments
    if name == "and":
        return _all(arguments)
    if name == "or":
        some = [_predicate(one) for one in arguments]
        return lambda run: any(test(run) for test in some)
    if name == "not":
        if len(arguments) != 1:
            raise DecodeError("not(…) takes one filter")
        inner = _predicate(arguments[0])
        return lambda run: not inner(run)
    if name == "search":
        words = [str(one).lower() for one in arguments if not isinstance(one, Name)]
        return lambda run: all(word in _everything(run) for word in words)
    if name not in TESTS or len(arguments) != 2 or not isinstance(arguments[0], Name):
        known = ", ".join(["and", "or", "not", "search", *TESTS])
        raise DecodeError(f'filter function {name}(…) is not understood here; known: {known}, as in eq(name, "x")')
    return _comparison(name, arguments[0].name, _value(arguments[1]))


def _value(said: Any) -> Any:
    return said.name if isinstance(said, Name) else said


def _all(arguments: Sequence[Any]) -> Predicate:
    """`and`: what is said of metadata entries, or of feedback, is said of one and the same."""
    groups: dict[str, list[tuple[str, str, Any]]] = {}
    rest: list[Predicate] = []
    for one in arguments:
        field = one.arguments[0].name if _compares(one) else ""
        entry = next((name for name in ENTRIES if field.startswith(f"{name}_")), None)
        if entry is None:
            rest.append(_predicate(one))
        else:
            _predicate(one)  # for its complaints
            groups.setdefault(entry, []).append((one.function, field, _value(one.arguments[1])))
    tests = [*rest, *(_of_one_entry(name, asked) for name, asked in groups.items())]
    return lambda run: all(test(run) for test in tests)


def _compares(asked: Any) -> bool:
    return (
        isinstance(asked, Asked)
        and asked.function in TESTS
        and len(asked.arguments) == 2
        and isinstance(asked.arguments[0], Name)
    )


def _of_one_entry(name: str, asked: Sequence[tuple[str, str, Any]]) -> Predicate:
    def test(run: Run) -> bool:
        return any(
            all(TESTS[function](entry.get(field), value) for function, field, value in asked)
            for entry in ENTRIES[name](run)
        )

    return test


def _comparison(function: str, field: str, value: Any) -> Predicate:
    for name in ENTRIES:
        if field.startswith(f"{name}_"):
            return _of_one_entry(name, [(function, field, value)])
    test = TESTS[function]
    value = _measured(field, value)
    read = FIELDS.get(field)
    if read is None:
        raise DecodeError(f"a filter cannot ask for {field!r}; known: {', '.join(sorted(FIELDS))}, "
                          f"{', '.join(f'{name}_…' for name in ENTRIES)}")  # fmt: skip
    return lambda run: test(read(run), value)


def _measured(field: str, value: Any) -> Any:
    """A duration ("5s", "1.5h") in seconds, a moment as it is compared. DecodeError for what is neither."""
    if not isinstance(value, str):
        return value
    if field in _SECONDS:
        found = _DURATION(value)
        if found is None:
            raise DecodeError(f'{field} is compared with seconds or a duration such as "5s", not {value[:60]!r}')
        return float(found.group(1)) * _UNITS[found.group(2) or "s"]
    if field in _MOMENTS:
        moment = f"{value}T00:00:00Z" if len(value) == 10 else value
        if time_ns(moment) is None:
            raise DecodeError(f'{field} is compared with a time such as "2026-11-21T00:00:00Z", not {value[:60]!r}')
        return moment
    return value


def _metadata(run: Run) -> Iterable[Run]:
    metadata = (run.get("extra") or {}).get("metadata") or {}
    return [{"metadata_key": key, "metadata_value": value} for key, value in metadata.items()]


def _feedback(run: Run) -> Iterable[Run]:
    return [
        {"feedback_key": one.get("key"), "feedback_score": one.get("score"), "feedback_value": one.get("value"),
         "feedback_source": (one.get("feedback_source") or {}).get("type")}
        for one in run.get("feedback") or ()
    ]  # fmt: skip


def _flat(side: str) -> Callable[[Run], Iterable[Run]]:
    """`inputs` and `outputs` as entries of one level, as `eq(input_key, …)` asks."""

    def entries(run: Run) -> Iterable[Run]:
        said = run.get(f"{side}s")
        listed = said.items() if isinstance(said, dict) else ()
        return [{f"{side}_key": key, f"{side}_value": value} for key, value in listed]

    return entries


ENTRIES: dict[str, Callable[[Run], Iterable[Run]]] = {
    "metadata": _metadata,
    "feedback": _feedback,
    "input": _flat("input"),
    "output": _flat("output"),
}


def _latency(run: Run) -> float | None:
    start, end = time_ns(run.get("start_time")), time_ns(run.get("end_time"))
    return None if start is None or end is None else (end - start) / 1e9


def _first_token(run: Run) -> float | None:
    start, first = time_ns(run.get("start_time")), time_ns(run.get("first_token_time"))
    return None if start is None or first is None else (first - start) / 1e9


def _as_is(name: str) -> Callable[[Run], Any]:
    return lambda run: run.get(name)


FIELDS: dict[str, Callable[[Run], Any]] = {
    **{name: _as_is(name) for name in (
        "id", "name", "run_type", "error", "tags", "status", "trace_id", "parent_run_id", "start_time", "end_time",
        "total_tokens", "prompt_tokens", "completion_tokens", "total_cost", "prompt_cost", "completion_cost",
        "reference_example_id", "session_id", "thread_id", "dotted_order", "inputs", "outputs",
    )},
    "metadata": lambda run: (run.get("extra") or {}).get("metadata") or {},
    "is_root": lambda run: run.get("parent_run_id") is None,
    "latency": _latency,
    "first_token_latency": _first_token,
}  # fmt: skip


def _pair(have: Any, want: Any) -> tuple[Any, Any]:
    """Both as numbers, or as moments, where that is what they are."""
    if isinstance(have, (int, float)) and isinstance(want, str):
        try:
            return have, float(want)
        except ValueError:
            return str(have), want
    if isinstance(have, str) and isinstance(want, str) and "T" in want:
        moments = time_ns(have), time_ns(want)
        if None not in moments:
            return moments
    if isinstance(have, str) and isinstance(want, (int, float)) and not isinstance(want, bool):
        try:
            return float(have), want
        except ValueError:
            return have, want
    return have, want


def _equal(have: Any, want: Any) -> bool:
    first, second = _pair(have, want)
    return bool(first == second)


def _ordered(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compare(have: Any, want: Any) -> bool:
        first, second = _pair(have, want)
        try:
            return first is not None and second is not None and test(first, second)
        except TypeError:
            return False

    return compare


def _has(have: Any, want: Any) -> bool:
    if isinstance(have, dict):
        try:
            asked = orjson.loads(want) if isinstance(want, str) else want
        except orjson.JSONDecodeError:
            return want in have
        return isinstance(asked, dict) and all(key in have and _equal(have[key], value) for key, value in asked.items())
    if isinstance(have, (list, tuple, str)):
        return want in have
    return False


def _like(have: Any, want: Any) -> bool:
    """SQL's: `%` is any text, `_` any character; letters of either case. In time that grows with both lengths only:
    behind a `%`, the shortest stretch that fits is as good as any."""
    if not isinstance(have, str):
        return False
    text, pattern = have[:_LIKE_CHARS].lower(), str(want)[:_LIKE_PATTERN].lower()
    at = of = 0
    star, resume = -1, 0
    while at < len(text):
        if of < len(pattern) and pattern[of] == "%":
            star, resume, of = of, at, of + 1
        elif of < len(pattern) and pattern[of] in ("_", text[at]):
            at, of = at + 1, of + 1
        elif star >= 0:
            resume += 1
            at, of = resume, star + 1
        else:
            return False
    return not pattern[of:].strip("%")


TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": _equal,
    "neq": lambda have, want: not _equal(have, want),
    "gt": _ordered(lambda a, b: a > b),
    "gte": _ordered(lambda a, b: a >= b),
    "lt": _ordered(lambda a, b: a < b),
    "lte": _ordered(lambda a, b: a <= b),
    "has": _has,
    "exists": lambda have, want: isinstance(have, dict) and want in have,
    "in": lambda have, want: isinstance(want, list) and any(_equal(have, one) for one in want),
    "nin": lambda have, want: isinstance(want, list) and not any(_equal(have, one) for one in want),
    "like": _like,
}


def _everything(run: Run) -> str:
    said = [run.get(name) for name in ("name", "error", "inputs", "outputs", "tags")]
    return orjson.dumps(said, default=str, option=orjson.OPT_NON_STR_KEYS).decode().lower()
