"""What the writer asks of the file before it writes: few, batched, indexed questions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import orjson

from collector.model import SpanPart
from collector.store import contributors
from collector.store.content import dumps
from collector.store.expand import Expander
from collector.store.merge import union_of_logs
from collector.store.relations import SpanKey
from collector.store.state import BODY_COLUMNS, SPAN_COLUMNS, SpanState
from collector.store.totals import TRACE_COLUMNS, Previews, TraceTotals

_SPAN = ", ".join(f"s.{name}" for name in SPAN_COLUMNS)

ONE = f"select {_SPAN} from spans s where s.trace_id = :trace_id and s.span_id = :span_id"
OF_TRACE = f"select {_SPAN} from spans s where s.trace_id = :trace_id order by s.start_ns, s.span_id"
OF_SAME = f"""
    select {_SPAN} from json_each(:responses) j cross join spans s on s.response_id = json_extract(j.value, '$[0]')
    where +s.start_ns <= json_extract(j.value, '$[2]')
      and ifnull(s.end_ns, s.start_ns) >= json_extract(j.value, '$[1]')
    union all
    select {_SPAN} from json_each(:keys) j cross join spans s on s.call_key = j.value"""
KNOWN_TRACES = """
    select json_group_array(j.value) from json_each(:ids) j
    where exists (select 1 from spans s where s.trace_id = j.value)"""
BY_KEYS = f"""
    select {_SPAN}, {", ".join(f"b.{name}" for name in BODY_COLUMNS)}
    from json_each(:keys) j
    cross join spans s on s.trace_id = json_extract(j.value, '$[0]') and s.span_id = json_extract(j.value, '$[1]')
    cross join bodies b on b.id = s.id"""
USAGE_BELOW = """
    select distinct s.parent_id from json_each(:ids) j
    cross join spans s on s.trace_id = :trace_id and s.parent_id = j.value
    where s.parent_id <> s.span_id and (s.below = 1 or (s.start_ns is not null
      and (s.input_tokens is not null or s.output_tokens is not null or s.cost_nanousd is not null)))"""
TRACES = f"""
    select {", ".join("t." + name for name in TRACE_COLUMNS)}
    from json_each(:ids) j cross join traces t on t.trace_id = j.value"""
TOLD = "select m.key, m.value from json_each(:names) j cross join meta m on m.key = j.value"
PREVIEWS = "select in_preview, out_preview, trace_in, trace_out from bodies where id = :id"


class Stored:
    """Answers from the writer's own connection. Every state handed out is fresh."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._execute = connection.execute
        self._expander = Expander(connection)

    def counters(self) -> tuple[int, int]:
        """(seq, last span id)"""
        seq, spans = self._execute("select seq, spans from counters").fetchone()
        return int(seq), int(spans)

    def known_traces(self, trace_ids: Iterable[str]) -> set[str]:
        return set(orjson.loads(self._execute(KNOWN_TRACES, {"ids": dumps(list(trace_ids))}).fetchone()[0]))

    def told(self, names: Iterable[str]) -> dict[str, int]:
        """What processes have counted so far (`LedgerEntry.told`), where anything is known of it."""
        rows = self._execute(TOLD, {"names": dumps(list(names))}).fetchall()
        return {name: int(total) for name, total in rows}

    def one(self, trace_id: str, span_id: str) -> SpanState | None:
        row = self._execute(ONE, {"trace_id": trace_id, "span_id": span_id}).fetchone()
        return None if row is None else SpanState(*row)

    def of_trace(self, trace_id: str) -> list[SpanState]:
        return [SpanState(*row) for row in self._execute(OF_TRACE, {"trace_id": trace_id}).fetchall()]

    def of_same(self, answers: Iterable[tuple[str, int, int]], call_keys: Iterable[str]) -> list[SpanState]:
        """The stored spans with one of these ids of answers that lie within its (from, to), or with one of these keys
        of calls; one with both comes twice."""
        asked = {"responses": dumps(list(answers)), "keys": dumps(list(call_keys))}
        return [SpanState(*row) for row in self._execute(OF_SAME, asked).fetchall()]

    def usage_below(self, trace_id: str, parent_ids: Iterable[str]) -> set[str]:
        """Which of these spans have a stored child that carries usage, itself or below."""
        values = {"trace_id": trace_id, "ids": dumps(list(parent_ids))}
        return {row[0] for row in self._execute(USAGE_BELOW, values).fetchall()}

    def traces(self, trace_ids: Sequence[str]) -> dict[str, TraceTotals]:
        if not trace_ids:
            return {}
        rows = self._execute(TRACES, {"ids": dumps(list(trace_ids))}).fetchall()
        loaded = (TraceTotals.load(dict(zip(TRACE_COLUMNS, row, strict=True))) for row in rows)
        return {totals.trace_id: totals for totals in loaded}

    def previews(self, span_rowid: int) -> Previews:
        row = self._execute(PREVIEWS, {"id": span_rowid}).fetchone()
        return Previews() if row is None else Previews(*row)

    def spans(self, keys: Sequence[SpanKey]) -> dict[SpanKey, tuple[SpanState, list[Any]]]:
        """The stored spans among `keys`, with their bodies as BODY_COLUMNS has them."""
        rows = self._execute(BY_KEYS, {"keys": dumps([list(key) for key in keys])}).fetchall()
        found = {}
        for row in rows:
            state = SpanState(*row[: len(SPAN_COLUMNS)])
            found[state.trace_id, state.span_id] = (state, list(row[len(SPAN_COLUMNS) :]))
        return found

    def parts(self, state: SpanState, row: Sequence[Any]) -> list[SpanPart]:
        """The parts that a stored span was folded from. Takes its whole history to pieces: `same_row` is cheaper."""
        body = dict(zip(BODY_COLUMNS, row, strict=True))
        folded = self._expander.part(state, body)
        if body["parts"] is None:
            return [folded]
        kept: Any = self._expander.json(body["parts"])
        parts = [contributors.told(data, folded) for data in kept]
        logs = union_of_logs([folded.logs, *(part.logs for part in parts)])
        return [replace(parts[0], logs=logs), *parts[1:]]
