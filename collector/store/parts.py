"""Spans as they were sent, folded again from what the file holds: for export, and for those that hand them on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from collector.errors import StoreError
from collector.model import SpanPart
from collector.store.conditions import Conditions, for_spans
from collector.store.filters import Filter
from collector.store.ground import Reading
from collector.store.pages import spelt
from collector.store.state import SELECTED, state_and_body

EXPORT = f"""
    select {SELECTED}
    from spans s join bodies b on b.id = s.id
    where s.start_ns is not null and (s.start_ns, s.id) > (:at, :tie) and {{where}}
    order by s.start_ns, s.id limit :limit"""
EXPORT_ONE = EXPORT.replace("order by s.start_ns, s.id limit :limit", "and s.id = :number")
EXPORT_NAMED = f"""
    select {SELECTED}
    from spans s join bodies b on b.id = s.id
    where s.trace_id = :trace_id and s.span_id = :span_id and s.start_ns is not null"""
GHOSTS = f"""
    select {SELECTED}
    from spans s join bodies b on b.id = s.id where s.start_ns is null order by s.id"""
PAGE = 500


def parts(reading: Reading, where: Filter | None = None) -> Iterator[SpanPart]:
    """Every span the filter finds, as it was sent (folded), oldest first: for export."""
    conditions = for_spans(where or Filter())
    sql = EXPORT.format(where=conditions.where)
    at, tie = -(2**62), 0
    while True:
        values = {"at": at, "tie": tie, "limit": PAGE, **conditions.values, **reading.moment()}
        try:
            rows = reading.rows(sql, values)
        except StoreError:
            yield from _one_by_one(reading, conditions, (at, tie))
            break
        for row in rows:
            state, body = state_and_body(row)
            at, tie = state.start_ns or 0, state.id
            with reading.sound():
                part = reading.expander.part(state, body)
            yield part
        if len(rows) < PAGE:
            break
    if not where:
        yield from _ghosts(reading)


def parts_sql(reading: Reading, where: Filter, limit: int | None) -> str:
    """What `parts` asks for, page by page, in one statement; below it SQLite's plan."""
    conditions = for_spans(where)
    values = {"at": -(2**62), "tie": 0, "limit": -1 if limit is None else limit, **reading.moment()}
    return spelt(reading.rows, EXPORT.format(where=conditions.where), {**conditions.values, **values})


def parts_named(reading: Reading, names: Iterable[tuple[str, str]]) -> Iterator[SpanPart]:
    """The spans of these (trace id, span id), as they were sent (folded); those that are not there are left out."""
    for trace_id, span_id in names:
        for row in reading.rows(EXPORT_NAMED, {"trace_id": trace_id, "span_id": span_id}):
            with reading.sound():
                part = reading.expander.part(*state_and_body(row))
            yield part


def _ghosts(reading: Reading) -> Iterator[SpanPart]:
    """Spans of which only late parts are here."""
    try:
        rows = reading.rows(GHOSTS)
    except StoreError:
        reading.say_damaged()
        return
    for row in rows:
        with reading.sound():
            part = reading.expander.part(*state_and_body(row))
        yield part


def _one_by_one(reading: Reading, conditions: Conditions, after: tuple[int, int]) -> Iterator[SpanPart]:
    """The spans of a damaged file after (start, id): by their numbers, passing over those that cannot be read."""
    sql = EXPORT_ONE.format(where=conditions.where)
    values = {"at": after[0], "tie": after[1], **conditions.values, **reading.moment()}
    last = reading.rows("select spans from counters")[0][0]
    for number in range(1, last + 1):
        try:
            for row in reading.rows(sql, {**values, "number": number}):
                with reading.sound():
                    part = reading.expander.part(*state_and_body(row))
                yield part
        except StoreError:
            reading.say_damaged()
