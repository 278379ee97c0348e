"""From where on something is a signal: the settings table `[signals]`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from collector.kinds import SIGNALS


@dataclass(frozen=True, slots=True)
class Limits:
    """`loop_calls`: the same tool with the same arguments and nothing new in the result, so often. `retry_failures`:
    the same step failed so often. `retry_same`: the same prompt sent again, one after the other, so often.
    `window_share`: of the model's context window, by input and output together. `cache_tokens`: a broken cache of
    fewer tokens is no signal. `number_digits`: whole numbers of fewer digits are too common to say where they are
    from. `date_days`: dates so near to the call can be worked out from today's. `max_spans`: larger traces are looked
    at when they are opened, not when they are stored. `windows`: context windows of models by name or glob, in
    tokens, before those of the price table. `off`: kinds that are not looked for.
    """

    loop_calls: int = 3
    retry_failures: int = 3
    retry_same: int = 5
    window_share: float = 0.9
    cache_tokens: int = 1024
    number_digits: int = 4
    date_days: int = 40
    max_spans: int = 2000
    windows: Mapping[str, int] = field(default_factory=dict)
    off: tuple[str, ...] = ()


RANGES = {
    "loop_calls": (2, 1000), "retry_failures": (2, 1000), "retry_same": (2, 1000), "cache_tokens": (1, 10_000_000),
    "number_digits": (1, 12), "date_days": (0, 100_000), "max_spans": (0, 100_000),
}  # fmt: skip


def limits(value: object) -> dict[str, Any]:
    """The table as a setting holds it, for `Limits(**table)`; JSON of it from a variable. ValueError says what is
    wrong."""
    table = value
    if isinstance(value, str):
        import json  # not everybody who reads settings needs it

        table = json.loads(value)
    if not isinstance(table, Mapping):
        raise ValueError("give it a table, like {loop_calls = 4, off = ['refusal']}")
    known = [one.name for one in fields(Limits)]
    read: dict[str, Any] = {}
    for name, one in table.items():
        key = str(name).replace("-", "_")
        if key not in known:
            from difflib import get_close_matches

            close = get_close_matches(key, known, n=1)
            raise ValueError(f"there is no {name!r} in it" + (f"; did you mean {close[0]}?" if close else ""))
        read[key] = _READ.get(key, _count)(key, one)
    return read


def _count(name: str, value: object) -> int:
    low, high = RANGES[name]
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{name} must be a whole number between {low:,} and {high:,}, not {value!r}")
    return value


def _share(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= 1:
        raise ValueError(f"{name} must lie between 0 and 1, not {value!r}")
    return float(value)


def _windows(name: str, value: object) -> dict[str, int]:
    if not isinstance(value, Mapping):
        raise ValueError(f'{name} needs a table of models and tokens, like {{"my-model*" = 32000}}')
    for model, tokens in value.items():
        if isinstance(tokens, bool) or not isinstance(tokens, int) or tokens < 1:
            raise ValueError(f"{name}: {model} needs a number of tokens, not {tokens!r}")
    return {str(model): tokens for model, tokens in value.items()}


def _off(name: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)):
        raise ValueError(f'{name} needs a list of signals, like ["refusal"]')
    for one in value:
        if one not in SIGNALS:
            raise ValueError(f"{name}: there is no signal {one!r}; they are {', '.join(SIGNALS)}")
    return tuple(value)


_READ: dict[str, Any] = {"window_share": _share, "windows": _windows, "off": _off}
