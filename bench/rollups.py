"""How long do sums over ten million spans take: the whole, by model, by hour, by a declared dimension?

Sums are kept per quarter hour by model, provider, service, environment, kind and declared dimensions, so what counts
is how many such rows there are. They are written as a month would leave them: 96 quarter hours a day, four models and
three kinds without one, four departments with three features each. Traces are copies of real ones, 20 spans each, for
the whole counts them; spans and contents are left out, for no sum looks at them. The queries are like that of
docs/file-format.md. Each runs on a connection of its own; answers are checked against the number of spans.
Budget: 100 ms.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path

from bench.generate import agent_bodies
from bench.report import figure, head, load, quiet, say, times
from collector.ingest import Ingest
from collector.protocols import otlp
from collector.settings import Settings
from collector.store import open_reader

BUDGET = "100 ms"
QUARTERS_A_DAY = 96
BLOCK, RUN_SPANS = 1000, 20
KINDS = (
    ("llm", "gpt-4o-mini"), ("llm", "gpt-4o"), ("llm", "claude-sonnet-4"), ("embedding", "text-embedding-3-small"),
    ("agent", ""), ("tool", ""), ("retriever", ""),
)  # fmt: skip
DEPARTMENTS = ("sales", "support", "research", "finance")
FEATURES = ("chat", "search", "report")

SPREAD = """
    with recursive q(n) as (select 0 union all select n + 1 from q where n + 1 < :quarters),
      d(dims) as (select json_object('department', a.value, 'feature', b.value)
        from json_each(:departments) a, json_each(:features) b),
      every as (select row_number() over () - 1 as at, :now - q.n as quarter, json_extract(k.value, '$[0]') as kind,
        json_extract(k.value, '$[1]') as model, d.dims from q, json_each(:kinds) k, d)
    insert into rollups
    select hex(randomblob(11)), quarter, model, case when model <> '' then 'openai' else '' end, 'bench', 'prod', kind,
      dims, :each + (at < :rest), 0, calls, 0, calls * 150000, calls * 900, calls * 90, 0, 0, 0, 0, 0, :each * 800000000
    from (select *, (model <> '') * :each as calls from every)"""
TRACES = """
    with recursive n(i) as (select 1 union all select i + 1 from n where i < :copies)
    insert into traces({columns}) select {chosen} from n, traces where traces.id <= :block"""
BY_DIMENSION = """
    select json_extract(dims, '$.department') as department, sum(spans), sum(cost)
    from (select dims, sum(spans) as spans, sum(cost_nanousd) as cost from rollups group by dims) group by 1"""
QUERIES = {
    "by model": "select model, sum(spans), sum(cost_nanousd) from rollups group by model",
    "by hour and model": "select quarter / 4, model, sum(spans), sum(cost_nanousd) from rollups group by 1, 2",
    "by a declared dimension": BY_DIMENSION,
}
RECENT = "where quarter > :since"
LAST_DAY = f"select model, sum(spans), sum(cost_nanousd) from rollups {RECENT} group by model"
ONE_DEPARTMENT = """
    select model, sum(spans), sum(cost) from (select model, dims, sum(spans) as spans, sum(cost_nanousd) as cost
      from rollups {where} group by model, dims)
    where json_extract(dims, '$.department') = 'support' group by model"""


def traces(db: Path, spans: int) -> None:
    """A file of so many spans' traces, though but the first thousand spans are there."""
    ((_, body),) = agent_bodies(BLOCK, batch=BLOCK)
    with Ingest(db, Settings(db=db)) as ingest:
        ingest.write(otlp.decode_traces(body, "application/x-protobuf"))
    with closing(sqlite3.connect(db)) as file, file:
        columns = [row[1] for row in file.execute("pragma table_info(traces)")]
        block = file.execute("select count(*) from traces").fetchone()[0]
        changed = {
            "id": f"id + n.i * {block}", "seq": f"seq + n.i * {block}", "session_id": "session_id || '-' || n.i % 5000",
            "trace_id": "printf('%08x', n.i) || substr(trace_id, 9)", "start_ns": "start_ns - n.i * 50000000000",
            "end_ns": "end_ns - n.i * 50000000000",
        }  # fmt: skip
        chosen = ", ".join(changed.get(name, name) for name in columns)
        copies = {"copies": spans // BLOCK - 1, "block": block}
        file.execute(TRACES.format(columns=", ".join(columns), chosen=chosen), copies)


def spread(db: Path, spans: int, days: int) -> int:
    """Write the sums of so many spans over so many days. How many rows that made."""
    rows = days * QUARTERS_A_DAY * len(KINDS) * len(DEPARTMENTS) * len(FEATURES)
    each, rest = divmod(spans, rows)
    with closing(sqlite3.connect(db)) as file, file:
        file.execute("delete from rollups")
        file.execute(
            SPREAD,
            {
                "quarters": days * QUARTERS_A_DAY, "departments": json.dumps(DEPARTMENTS), "each": each, "rest": rest,
                "features": json.dumps(FEATURES), "kinds": json.dumps(KINDS), "now": int(time.time()) // 900,
            },
        )  # fmt: skip
    return rows


def asked(db: Path, sql: str, values: dict[str, int], at: int, spans: int) -> float:
    """Milliseconds of one query; column `at` of its rows adds up to the spans (0: not checked)."""
    with closing(sqlite3.connect(f"file:{db}?mode=ro", uri=True)) as file:
        began = time.perf_counter()
        rows = file.execute(sql, values).fetchall()
        took = (time.perf_counter() - began) * 1e3
    assert rows
    assert not spans or sum(row[at] for row in rows) == spans
    return took


def sums(db: Path, spans: int, rounds: int) -> None:
    times("totals, as the reader has them", [whole(db, spans) for _ in range(rounds)], BUDGET)
    for name, sql in QUERIES.items():
        at = 2 if "hour" in name else 1
        times(f"sums {name}", [asked(db, sql, {}, at, spans) for _ in range(rounds)], BUDGET)
    since = int(time.time()) // 900 - QUARTERS_A_DAY
    times("sums by model, last day", [asked(db, LAST_DAY, {"since": since}, 1, 0) for _ in range(rounds)], BUDGET)
    one = "sums of one department by model"
    times(
        f"{one}, last day",
        [asked(db, ONE_DEPARTMENT.format(where=RECENT), {"since": since}, 1, 0) for _ in range(rounds)],
        BUDGET,
    )
    times(f"{one}, all", [asked(db, ONE_DEPARTMENT.format(where=""), {}, 1, 0) for _ in range(rounds)], BUDGET)


def whole(db: Path, spans: int) -> float:
    """Milliseconds of the reader's totals: what the screen shows of everything."""
    with open_reader(db) as reader:
        began = time.perf_counter()
        found = reader.totals()
        took = (time.perf_counter() - began) * 1e3
    assert (found.traces, found.spans) == (spans // RUN_SPANS, spans)
    return took


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench rollups")
    parser.add_argument("--spans", type=int, default=100_000, help="in thousands [100000]; the budget is for 10000000")
    parser.add_argument("--days", type=int, default=30, help="over which they are spread [30]")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--folder", type=Path, help="where the file is made [a temporary folder]")
    options = parser.parse_args(argv)
    head(__doc__)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        db = Path(folder) / "traces.db"
        began = time.perf_counter()
        traces(db, options.spans)
        rows = spread(db, options.spans, options.days)
        say(f"  made in {time.perf_counter() - began:.0f} s")
        size = db.stat().st_size / 1e6
        figure("file", f"{options.spans:,} spans over {options.days} days, {rows:,} rows of sums, {size:,.0f} MB")
        quiet()
        sums(db, options.spans, options.rounds)
    say(f"  {load()}")


if __name__ == "__main__":
    main()
