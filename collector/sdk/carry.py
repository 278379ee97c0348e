"""A function that runs in the context of whoever made it, on whatever thread."""

from __future__ import annotations

from contextvars import copy_context
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Function = TypeVar("Function", bound="Callable[..., Any]")


def carried(function: Function) -> Function:
    """Each call gets a copy of its own: a context can only be entered once at a time."""
    context = copy_context()

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return context.copy().run(function, *args, **kwargs)

    return call  # type: ignore[return-value]  # same signature
