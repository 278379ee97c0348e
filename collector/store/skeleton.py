"""The bones of a trace: what its tree and its bars stand on, in columns, so that 100,000 spans fit in 4 MB.

SQLite puts each column into one value. Stepping through the rows would take and drop the interpreter's lock for
every one of them, and make a tuple and a dozen objects for each: three times as slow, and felt by the other threads.
"""

from __future__ import annotations

import re
import sys
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from collector.store.conditions import SPAN_STATUS
from collector.store.lists import SPAN_ROW
from collector.store.rows import SpanRow

Rows = Callable[[str, dict[str, Any]], list[tuple[Any, ...]]]

OK, ERROR, RUNNING, ABANDONED = range(4)
STATUSES = ("ok", "error", "running", "abandoned")
INFRA = ("", "http", "db")
_NONE = "'0000000000000000'"
_is_id = re.compile(r"[0-9a-f]{16}", re.ASCII).fullmatch
_MARK = f"""char(48 + 4 * (case {SPAN_STATUS} when 'ok' then 0 when 'error' then 1 when 'running' then 2 else 3 end)
    + (case s.kind when 'http' then 1 when 'db' then 2 else 0 end))"""
_COLUMNS = f"""
    select group_concat({{span}} || {{parent}}, ''), json_group_array(s.start_ns),
      json_group_array(ifnull(s.end_ns, -1)), group_concat({_MARK}, '')
    from spans s where {{where}} and s.start_ns is not null"""
_SPAN, _PARENT = "s.span_id", f"ifnull(s.parent_id, {_NONE})"
# Slower: ids that are none (a damaged file, a foreign writer) are left out, and name no parent.
_IS_ID = "length({0}) = 16 and {0} not glob '*[^0-9a-f]*'"
_SOUND_PARENT = f"case when {_IS_ID.format('s.parent_id')} then s.parent_id else {_NONE} end"
_WHOLE = "s.trace_id = :trace_id"
# The plus keeps SQLite from going through the whole trace for the few spans that changed.
_CHANGED = """s.id in (select id from spans where seq > :since and +trace_id = :trace_id
    union select id from spans where trace_id = :trace_id and status = 'running')"""
_SOME = f"""
    select {SPAN_ROW} from json_each(:ids) j
    cross join spans s indexed by spans_key on s.trace_id = :trace_id and s.span_id = j.value
    where s.start_ns is not null"""


@dataclass(frozen=True, slots=True)
class Skeleton:
    """Parallel columns, one place a span, in no particular order. Ids are read as numbers (see `name`).

    `parents` holds 0 where there is none; `ends_ns` -1 where not known; `marks` 4 * status + infrastructure,
    indexes of STATUSES and INFRA.
    """

    ids: array[int] = field(default_factory=lambda: array("Q"))
    parents: array[int] = field(default_factory=lambda: array("Q"))
    starts_ns: array[int] = field(default_factory=lambda: array("q"))
    ends_ns: array[int] = field(default_factory=lambda: array("q"))
    marks: bytes = b""

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def of(cls, rows: Iterable[SpanRow]) -> Skeleton:
        """The bones of rows that are at hand; of those whose ids are none, nothing."""
        made, marks = cls(), bytearray()
        for row in rows:
            if not (own := number(row.span_id)):
                continue
            made.ids.append(own)
            made.parents.append(number(row.parent_id))
            made.starts_ns.append(row.start_ns)
            made.ends_ns.append(-1 if row.end_ns is None else row.end_ns)
            infra = INFRA.index(row.kind) if row.kind in INFRA else 0
            marks.append(4 * STATUSES.index(row.status) + infra)
        return replace(made, marks=bytes(marks))

    def merged(self, news: Skeleton) -> Skeleton:
        """With the spans of `news` in the place of their older selves, or at the end."""
        place = {one: index for index, one in enumerate(self.ids)}
        made = Skeleton(self.ids[:], self.parents[:], self.starts_ns[:], self.ends_ns[:])
        marks = bytearray(self.marks)
        for index, one in enumerate(news.ids):
            at = place.setdefault(one, len(made.ids))
            if at == len(made.ids):
                made.ids.append(one)
                made.parents.append(0)
                made.starts_ns.append(0)
                made.ends_ns.append(0)
                marks.append(0)
            made.parents[at], marks[at] = news.parents[index], news.marks[index]
            made.starts_ns[at], made.ends_ns[at] = news.starts_ns[index], news.ends_ns[index]
        return replace(made, marks=bytes(marks))


def name(one: int) -> str:
    """The span id of a number."""
    return f"{one:016x}"


def number(span_id: str | None) -> int:
    """The number of a span id; 0, which is no span's, for None and for what is not 16 hex digits in lower case (a
    damaged file, a foreign writer)."""
    return int(span_id, 16) if span_id is not None and _is_id(span_id) else 0


def read(rows: Rows, trace_id: str, moment: dict[str, Any], since: int | None) -> Skeleton:
    """The bones of a trace: all of them, or of the spans that changed after `since` (a trace's seq) or run."""
    where = _WHOLE if since is None else _CHANGED
    values = {"trace_id": trace_id, "since": since, **moment}
    try:
        return _skeleton(rows(_COLUMNS.format(span=_SPAN, parent=_PARENT, where=where), values)[0])
    except ValueError:
        where += f" and {_IS_ID.format('s.span_id')}"
        return _skeleton(rows(_COLUMNS.format(span=_SPAN, parent=_SOUND_PARENT, where=where), values)[0])


def some_rows(rows: Rows, trace_id: str, moment: dict[str, Any], numbers: Sequence[int]) -> dict[int, SpanRow]:
    """The rows of some spans, by the number of their id."""
    ids = orjson.dumps([name(one) for one in numbers]).decode()
    found = rows(_SOME, {"trace_id": trace_id, "ids": ids, **moment})
    return {number(row.span_id): row for row in map(SpanRow._make, found)}


def _skeleton(columns: tuple[Any, ...]) -> Skeleton:
    """ValueError when an id is not 16 hex digits."""
    if not columns[0]:
        return Skeleton()
    pairs = array("Q", bytes.fromhex(columns[0]))
    if sys.byteorder == "little":
        pairs.byteswap()
    starts, ends = array("q", orjson.loads(columns[1])), array("q", orjson.loads(columns[2]))
    if len(columns[0]) != 32 * len(starts):
        raise ValueError("a span id is not 16 hex digits")
    marks = columns[3].encode().translate(_FROM_CHAR)
    return Skeleton(pairs[0::2], pairs[1::2], starts, ends, marks)


_FROM_CHAR = bytes((code - 48) % 256 for code in range(256))
