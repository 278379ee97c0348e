"""Whether a value of ours holds what its fields promise: lines of a file may have been written by anybody."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from collector import model

_Check = Callable[[Any], bool]


def check(value: Any) -> None:
    """Raise ValueError naming the first field that is not of its type. `value` is a dataclass of `model`."""
    for name, fits in _checks(type(value)):
        if not fits(getattr(value, name)):
            raise ValueError(f"{name} is {type(getattr(value, name)).__name__}")


def _checks(cls: Any) -> list[tuple[str, _Check]]:
    known = _known.get(cls)
    if known is None:
        hints = typing.get_type_hints(cls, vars(model))
        known = _known[cls] = [(field.name, _check_of(hints[field.name])) for field in fields(cls)]
    return known


_known: dict[Any, list[tuple[str, _Check]]] = {}


def _check_of(hint: Any) -> _Check:
    if hint is Any or (typing.get_origin(hint) in _UNIONS and list in map(_bare, typing.get_args(hint))):
        return lambda value: True  # a Value: JSON made it
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in _UNIONS:
        alternatives = [_check_of(arg) for arg in args]
        return lambda value: any(fits(value) for fits in alternatives)
    if origin is tuple:
        inner = _check_of(args[0])
        return lambda value: type(value) is tuple and all(inner(item) for item in value)
    if origin in (dict, Mapping):
        return lambda value: type(value) is dict
    return _check_of_class(hint)


def _check_of_class(hint: Any) -> _Check:
    if hint is float:
        return lambda value: type(value) in (float, int)
    if is_dataclass(hint):
        return lambda value: type(value) is hint and all(fits(getattr(value, n)) for n, fits in _checks(hint))
    if hint is int or issubclass(hint, Enum):
        return lambda value: isinstance(value, hint) and type(value) is not bool
    return lambda value: type(value) is hint


def _bare(hint: Any) -> Any:
    return typing.get_origin(hint) or hint


_UNIONS = (typing.Union, types.UnionType)
