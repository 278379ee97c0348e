"""Big files in a minute: a block of real spans goes through the real road, then SQL copies it under other ids.

Every row of `spans`, `bodies`, `traces` and `sessions` is there and every sum is right; copies share their texts.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from bench.generate import GENAI, MS, Maker
from collector.ingest import Ingest
from collector.protocols import otlp
from collector.settings import Settings

RUNS = 50
RUN_SPANS = 20
BLOCK = RUNS * RUN_SPANS
OTHER_ID = "printf('%08x', n.i) || substr({0}, 9)"
COPIES = "with recursive n(i) as (select 1 union all select i + 1 from n where i < :copies)"


def many_traces(path: Path, spans: int) -> None:
    """A file of `spans` spans in traces of 20, the newest a second ago."""
    now = time.time_ns()
    _block(path, [(now - (RUNS - n) * 1000 * MS, True) for n in range(RUNS)])
    copies = spans // BLOCK - 1
    back = f"- n.i * {RUNS * 1000 * MS}"
    with closing(sqlite3.connect(path)) as file, file:
        times = {"start_ns": "start_ns " + back, "end_ns": "end_ns " + back}
        ids = {"id": f"id + n.i * {BLOCK}", "seq": f"seq + n.i * {BLOCK}", "trace_id": OTHER_ID.format("trace_id")}
        session = {"session_id": "session_id || '-' || (n.i % 5000)"}
        own = {"span_id": OTHER_ID.format("span_id"), "parent_id": OTHER_ID.format("parent_id")}
        _copy(file, "spans", copies, {**ids, **own, **times, **session, "response_id": "null", "source_id": "null"})
        _copy(file, "bodies", copies, {"id": f"id + n.i * {BLOCK}"})
        root = {"root_span_id": OTHER_ID.format("root_span_id")}
        _copy(file, "traces", copies, {**ids, **times, **session, **root, "id": f"id + n.i * {RUNS}"})
        _recount(file, spans)


def one_trace(path: Path, spans: int) -> str:
    """A file with one trace of `spans` spans: a root, and below it runs of 20, one after the other. Its id."""
    now = time.time_ns() - spans // RUN_SPANS * 1000 * MS
    _block(path, [(now + n * 1000 * MS, n == 0) for n in range(RUNS)], one=True)
    copies = spans // BLOCK - 1
    with closing(sqlite3.connect(path)) as file, file:
        on = f"+ n.i * {RUNS * 1000 * MS}"
        (trace_id, root) = file.execute("select trace_id, span_id from spans order by start_ns, id limit 1").fetchone()
        changes = {
            "id": f"id + n.i * {BLOCK}", "seq": f"seq + n.i * {BLOCK}", "span_id": OTHER_ID.format("span_id"),
            "parent_id": f"case when ifnull(parent_id, '{root}') = '{root}' then '{root}'"
            f" else {OTHER_ID.format('parent_id')} end",
            "start_ns": f"start_ns {on}", "end_ns": f"end_ns {on}", "response_id": "null", "source_id": "null",
        }  # fmt: skip
        _copy(file, "spans", copies, changes)
        _copy(file, "bodies", copies, {"id": f"id + n.i * {BLOCK}"})
        file.execute("update traces set end_ns = (select max(end_ns) from spans), seq = (select max(seq) from spans)")
        sums = "span_count error_count llm_calls tool_calls unpriced_calls cost_nanousd input_tokens output_tokens"
        file.execute("update traces set " + ", ".join(f"{name} = {name} * {copies + 1}" for name in sums.split()))
        _recount(file, spans)
    return str(trace_id)


def _block(path: Path, runs: list[tuple[int, bool]], *, one: bool = False) -> None:
    """Write the runs through ingest. `one`: all of them into one trace, the later ones below the first's root."""
    maker = Maker(GENAI)
    request, spans = maker.request("bench")
    for start_ns, _ in runs:
        maker.run(spans, start_ns)
    if one:
        for n, span in enumerate(spans):
            span.trace_id = spans[0].trace_id
            if n and not span.parent_span_id:
                span.parent_span_id = spans[0].span_id
    with Ingest(path, Settings(db=path)) as ingest:
        ingest.write(otlp.decode_traces(request.SerializeToString(), "application/x-protobuf"))
        ingest.chores()


def _copy(file: sqlite3.Connection, table: str, copies: int, changes: dict[str, str]) -> None:
    names = [row[1] for row in file.execute(f"pragma table_info({table})")]
    chosen = ", ".join(changes.get(name, name) for name in names)
    block = list(names)
    file.execute(
        f"{COPIES} insert into {table}({', '.join(block)}) select {chosen} from n, {table}"
        f" where {table}.id <= {RUNS if table == 'traces' else BLOCK}",
        {"copies": copies},
    )


def _recount(file: sqlite3.Connection, spans: int) -> None:
    file.execute("update counters set seq = (select max(seq) from spans), spans = (select max(id) from spans)")
    file.execute("update rollups set spans = 0, errors = 0, unpriced_calls = 0, cost_nanousd = 0")
    file.execute(
        """update rollups set (spans, errors, unpriced_calls, cost_nanousd) =
           (select sum(span_count), sum(error_count), sum(unpriced_calls), ifnull(sum(cost_nanousd), 0) from traces)
           where key = (select min(key) from rollups)"""
    )
    file.execute("delete from sessions")
    file.execute(
        """insert into sessions(session_id, user_id, first_ns, last_ns, trace_count, span_count, error_count,
             llm_calls, tool_calls, unpriced_calls, cost_nanousd, input_tokens, output_tokens)
           select session_id, max(user_id), min(start_ns), max(start_ns), count(*), sum(span_count), sum(error_count),
             sum(llm_calls), sum(tool_calls), sum(unpriced_calls), sum(cost_nanousd), sum(input_tokens),
             sum(output_tokens)
           from traces where session_id is not null group by session_id"""
    )
    found = file.execute("select count(*), (select sum(span_count) from traces) from spans").fetchone()
    assert found == (spans, spans), found


def made(folder: Path, name: str) -> Path:
    """A fresh path in `folder`."""
    path = folder / f"{name}.db"
    for suffix in ("", "-wal", "-shm"):
        if os.path.exists(f"{path}{suffix}"):
            os.unlink(f"{path}{suffix}")
    return path
