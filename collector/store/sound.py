"""Text that no UTF-8 can hold, made whole: half of a surrogate pair becomes U+FFFD.

JavaScript cuts strings between the halves of an emoji, Python decodes file names to lone halves. Looking for
them in everything that passes would cost every span; so it is done for what turned out not to be writable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

T = TypeVar("T")


def is_sound(text: str) -> bool:
    """Whether UTF-8 can hold the text."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def sound_text(text: str) -> str:
    """The text with two halves joined and each lone half replaced; the same object when it was sound."""
    return text if is_sound(text) else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def sound(items: Sequence[T]) -> tuple[list[T], int]:
    """Dataclass values with everything in them made sound, and how many of them were not."""
    whole = [_sound(item) for item in items]
    return whole, sum(new is not old for new, old in zip(whole, items, strict=True))


def _sound(value: Any) -> Any:
    """The same object when there was nothing to do."""
    if isinstance(value, str):
        return sound_text(value)
    if isinstance(value, list | tuple):
        items = [_sound(item) for item in value]
        return value if all(new is old for new, old in zip(items, value, strict=True)) else type(value)(items)
    if isinstance(value, dict):
        pairs = [(_sound(key), _sound(item)) for key, item in value.items()]
        same = all(k is a and v is b for (k, v), (a, b) in zip(pairs, value.items(), strict=True))
        return value if same else dict(pairs)
    if is_dataclass(value) and not isinstance(value, type):
        changes = {f.name: new for f in fields(value) if (new := _sound(old := getattr(value, f.name))) is not old}
        return replace(value, **changes) if changes else value
    return value
