"""Which signals the traces of a page have, and how a line says so. How they are found is in `signals.py`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import orjson

from collector.kinds import SIGNALS as KINDS
from collector.store.ground import Reading
from collector.store.rows import TraceRow

SINCE = 4
"""The schema that brought the tables."""
STAND_IN = "create temp table if not exists signals(kind, trace_id, n, span_id, text, spans, value)"
OF_TRACES = """
    select trace_id, kind, count(*) from signals
    where trace_id in (select value from json_each(:ids)) and kind <> 'skipped'
    group by trace_id, kind"""


def of_traces(reading: Reading, trace_ids: Sequence[str]) -> dict[str, dict[str, int]]:
    """Kinds of stored signals and how many, by trace, for a page of a list."""
    found: dict[str, dict[str, int]] = {}
    for trace_id, kind, n in reading.rows(OF_TRACES, {"ids": orjson.dumps(list(trace_ids)).decode()}):
        if kind in KINDS:
            found.setdefault(trace_id, {})[kind] = n
    return found


def marked(reading: Reading, rows: Sequence[TraceRow]) -> list[TraceRow]:
    """A page of traces with the kinds of their signals, in the order of `KINDS`."""
    found = of_traces(reading, [row.trace_id for row in rows]) if rows else {}
    out = []
    for row in rows:
        kinds = set(found.get(row.trace_id, ())) | ({"abandoned"} if row.status == "abandoned" else set())
        out.append(replace(row, signals=tuple(kind for kind in KINDS if kind in kinds)) if kinds else row)
    return out


def summary(kinds: Collection[str]) -> str:
    """ "loop" or "loop +2": the first of a trace's kinds, in the order of `KINDS`, and how many more there are."""
    names = [kind for kind in KINDS if kind in kinds]
    if not names:
        return ""
    return names[0] + (f" +{len(names) - 1}" if len(names) > 1 else "")
