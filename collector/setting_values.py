"""How the settings that are single values are read from whatever an argument, a variable or a file holds.

Each takes anything, and raises ValueError with what it should have been.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

PREFIX = "TRACETUI_"
PRICE_KEYS = ("input", "output", "cache_read", "cache_write", "audio_input", "audio_output", "reasoning", "request")


def did_you_mean(name: str, known: Iterable[str], *, env: bool = False) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, list(known), n=1)
    if not close:
        return ""
    return f"; did you mean {PREFIX + close[0].upper() if env else close[0]}?"


def text(value: object) -> str:
    if not isinstance(value, (str, os.PathLike)) or not str(value).strip():
        raise ValueError("give it some text")
    return str(value)


def path(value: object) -> Path:
    return Path(text(value)).expanduser()


def switch(value: object) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if isinstance(value, bool):
        return value
    if isinstance(value, (str, int)) and str(value).strip().lower() in words:
        return words[str(value).strip().lower()]
    raise ValueError("say true or false")


def number(low: float, high: float) -> Callable[[object], float]:
    def read(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise ValueError("give it a number")
        number = float(value)
        if not low <= number <= high:
            raise ValueError(f"must lie between {low:g} and {high:g}")
        return number

    return read


def count(low: int, high: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            raise ValueError("give it a whole number")
        number = int(str(value).replace("_", ""))
        if not low <= number <= high:
            raise ValueError(f"must lie between {low:,} and {high:,}")
        return number

    return read


def choice(known: tuple[str, ...]) -> Callable[[object], str]:
    def read(value: object) -> str:
        if value is False:  # TOML and YAML hands write `off` as a boolean
            value = "off"
        if value not in known:
            raise ValueError(f"must be one of {', '.join(known)}{did_you_mean(str(value), known)}")
        return str(value)

    return read


def names(value: object) -> tuple[str, ...]:
    """A list, a comma-separated text, or a TOML table `{keys = […]}`."""
    if isinstance(value, Mapping):
        value = value.get("keys", [name for name, on in value.items() if on is True])
    if isinstance(value, str):
        value = [name.strip() for name in value.split(",")]
    if not isinstance(value, (list, tuple)) or not all(isinstance(name, str) for name in value):
        raise ValueError("give it a list of names")
    return tuple(dict.fromkeys(name for name in value if name))


def url(value: object) -> str:
    address = text(value).rstrip("/")
    if not address.startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://, like http://127.0.0.1:4318")
    return address


def prices(value: object) -> dict[str, dict[str, float]]:
    if isinstance(value, str):
        import json

        value = json.loads(value)
    if not isinstance(value, Mapping):
        raise ValueError("give it a table of models")
    return {str(model): _price(str(model), table) for model, table in value.items()}


def _price(model: str, table: object) -> dict[str, float]:
    if not isinstance(table, Mapping):
        raise ValueError(f"{model} needs a table of prices, like {{input = 0.5, output = 1.5}} (dollars per million)")
    for key, price in table.items():
        if key not in PRICE_KEYS:
            raise ValueError(f"{model}: there is no price {key!r}{did_you_mean(str(key), PRICE_KEYS)}")
        if isinstance(price, bool) or not isinstance(price, (int, float)) or not 0 <= price < float("inf"):
            raise ValueError(f"{model}.{key} must be a number of dollars, not {price!r}")
    return {str(key): float(price) for key, price in table.items()}


def keys(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping) or not all(isinstance(keys, (str, list)) for keys in value.values()):
        raise ValueError('give it a table of commands and keys, like {"lists.filter" = "ctrl+o"}')
    return {str(name): keys if isinstance(keys, str) else ",".join(map(str, keys)) for name, keys in value.items()}
