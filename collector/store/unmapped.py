"""Which attribute keys no convention knows: kept like all others, but nothing was read from them.

Found by looking at the newest spans, not counted as they come: so a newer version, which knows more names, lists less,
and taking spans in costs nothing for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from collector.conventions.gather import is_known
from collector.conventions.shape import FLAT_PREFIXES

if TYPE_CHECKING:
    from collector.store.reader import Reader

NEWEST_SPANS = 20_000
LISTED = 50
_GROUPS = 5_000

_KEYS = """
    select j.key, count(*) spans, max(n.start_ns), c.body
    from (select s.start_ns, b.attributes, b.scope from spans s join bodies b on b.id = s.id
          where b.attributes is not null and b.own = 0
          order by s.id desc limit :newest) n
    join json_each(n.attributes) j
    left join contexts c on c.hash = n.scope
    group by j.key, n.scope order by spans desc, j.key limit :groups"""


@dataclass(frozen=True, slots=True)
class UnmappedKey:
    """A key that no convention knows, how many of the newest spans have it, the instrumentation scope that wrote
    most of them ("" where there is none), and the start of the last one (Unix nanoseconds, None for a ghost)."""

    key: str
    spans: int
    scope: str
    last_ns: int | None


def unmapped_keys(reader: Reader, *, newest: int = NEWEST_SPANS, limit: int = LISTED) -> tuple[list[UnmappedKey], int]:
    """(the most frequent, how many more there are) among the newest spans that came with attributes to be read.

    Raises StoreError for a file that cannot be read.
    """
    found: dict[str, UnmappedKey] = {}
    for key, spans, last_ns, scope in reader.rows(_KEYS, {"newest": newest, "groups": _GROUPS}):
        if key in FLAT_PREFIXES or is_known(key):
            continue
        known = found.get(key)
        if known is None:
            found[key] = UnmappedKey(key, spans, _name(scope), last_ns)
        else:
            last = max(known.last_ns or 0, last_ns or 0) or None
            found[key] = UnmappedKey(key, known.spans + spans, known.scope, last)
    every = sorted(found.values(), key=lambda one: (-one.spans, one.key))
    return every[:limit], max(0, len(every) - limit)


def _name(scope: str | None) -> str:
    """The name in a scope's row: [name, version, …]."""
    if scope is None:
        return ""
    said = orjson.loads(scope)
    return said[0] if isinstance(said, list) and said and isinstance(said[0], str) else ""
