"""The one room where SQL is spoken: the file, what is written into it and what is read back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collector.store.opening import open_reader

__all__ = ["open_reader"]


def __getattr__(name: str) -> Any:
    """`open_reader`, imported at first use: importing the package must stay light."""
    if name == "open_reader":
        from collector.store.opening import open_reader

        return open_reader
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
