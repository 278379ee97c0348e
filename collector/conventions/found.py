"""What one pass over a span's attributes found, by slot, before anything is made of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from collector.conventions.flat import Elements
from collector.model import SpanPart, Value


@dataclass(slots=True)
class Found:
    """`texts` and `counts` are fields of ours by name, `slots` what needs looking into, `lists` the flattened
    lists by family, `params` what the call asked for, `meta` what stood under a prefix for metadata."""

    texts: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    slots: dict[str, Any] = field(default_factory=dict)
    lists: dict[str, Elements] = field(default_factory=dict)
    params: dict[str, Value] = field(default_factory=dict)
    meta: dict[str, Value] = field(default_factory=dict)
    conventions: int = 0


class Convention(NamedTuple):
    """One way of writing spans, as tables.

    `own` are beginnings of keys that nobody else writes: a span with one of them was written (also) so. `slots` says
    which keys fill a slot, the newest first; `params` and `meta` are prefixes of parameters and of metadata, whatever
    follows them. `heard` are further keys and prefixes (ending in a dot) that say nothing we have a field for.
    `scopes` are instrumentation scopes whose spans are written so, whatever keys they have (one that
    ends in a dot: all below it). `prepare` makes of the
    convention's own slots what everybody's slots hold; it is called for spans that are written so, and sees the part.
    """

    name: str
    own: tuple[str, ...] = ()
    slots: Mapping[str, str] = {}
    params: tuple[str, ...] = ()
    meta: tuple[str, ...] = ()
    heard: str = ""
    scopes: tuple[str, ...] = ()
    prepare: Callable[[Found, SpanPart], None] | None = None
