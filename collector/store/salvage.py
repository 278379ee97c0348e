"""A list of a damaged file: read piece by piece through the table itself, past what cannot be read.

An index leads through the whole file, and one bad page on the way costs the list. Rows are found by their numbers
instead, and what is around a bad page is passed over. It reads the whole table: seconds for a million rows.
"""

from __future__ import annotations

from typing import Any

from collector.errors import StoreError
from collector.store.lists import SPANS, TRACES, ordering
from collector.store.narrow import Rows
from collector.store.pages import Asked, narrowed

CHUNK = 4096
FINEST = 32
"""So many rows around a bad page are given up. A row without a trace id is none: pages that are not there are zeros."""


def salvaged(rows: Rows, moment: dict[str, Any], asked: Asked) -> list[tuple[Any, ...]] | None:
    """The page as `pages.page` gives it, of the rows that can be read; None for a list that has no numbers,
    and when none can."""
    what = asked.what
    if what is not TRACES and what is not SPANS:
        return None
    conditions = narrowed(what, asked.where, None)
    alias = what.table.split()[1]
    order = ordering(what, asked.after, asked.before, asked.sort)
    sql = f"""
        select {what.row}, {order.column}, {what.tie} from {what.table} not indexed
        where {alias}.id between :first and :last and {what.base} and {conditions.where} and {order.where}"""
    last = int(rows("select spans from counters", {})[0][0])  # no trace has a number beyond that of its spans
    found: list[tuple[Any, ...]] = []
    waiting = [(first, min(first + CHUNK - 1, last)) for first in range(1, last + 1, CHUNK)]
    bound = {**conditions.values, **moment, **order.values}
    read = False
    while waiting:
        first, end = waiting.pop()
        try:
            found += [row for row in rows(sql, {**bound, "first": first, "last": end}) if isinstance(row[2], str)]
            read = True
        except StoreError:
            if end - first >= FINEST:
                middle = (first + end) // 2
                waiting += [(first, middle), (middle + 1, end)]
    if not read:
        return None
    found.sort(
        key=lambda row: [(value is not None, isinstance(value, str), value) for value in row[-2:]], reverse=order.down
    )
    page = [row[:-2] for row in found[: asked.limit]]
    return page[::-1] if asked.before is not None else page
