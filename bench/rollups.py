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
from typing import Any

from bench.generate import agent_bodies
from bench.report import Clock, figure, head, load, quiet, say
from collector.ingest import Ingest
from collector.protocols import otlp
from collector.settings import Settings
from collector.store import open_reader, staging
from collector.store.costs import Asked, costs, dimensions
from collector.store.filters import parse
from collector.store.zones import Zone

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


def spread(db: Path, spans: int, days: int) -> None:
    """Write the sums of so many spans over so many days."""
    rows = days * QUARTERS_A_DAY * len(KINDS) * len(DEPARTMENTS) * len(FEATURES)
    each, rest = divmod(spans, rows)
    with closing(sqlite3.connect(db)) as file, file:
        file.execute("delete from rollups")
        file.execute("delete from days")
        file.execute(
            SPREAD,
            {
                "quarters": days * QUARTERS_A_DAY, "departments": json.dumps(DEPARTMENTS), "each": each, "rest": rest,
                "features": json.dumps(FEATURES), "kinds": json.dumps(KINDS), "now": int(time.time()) // 900,
            },
        )  # fmt: skip


def days(db: Path) -> None:
    """The sums of whole days, as the writer keeps them."""
    with closing(sqlite3.connect(db)) as file, file:
        file.execute("delete from day_histograms")
        for statement in staging.days_of("rollups", "histograms"):
            file.execute(statement)


def ask(db: Path, clock: Clock, sql: str, values: dict[str, int]) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{db}?mode=ro", uri=True)) as file, clock:
        return file.execute(sql, values).fetchall()


def sums(db: Path, spans: int, rounds: int) -> None:
    """Whatever adds up all spans must find them all."""
    since = {"since": int(time.time()) // 900 - QUARTERS_A_DAY}
    queries: dict[str, tuple[str, dict[str, int]]] = {
        **{f"sums {name}": (sql, {}) for name, sql in QUERIES.items()},
        "sums by model, last day": (LAST_DAY, since),
        "sums of one department by model, last day": (ONE_DEPARTMENT.format(where=RECENT), since),
        "sums of one department by model": (ONE_DEPARTMENT.format(where=""), {}),
    }
    whole(db, spans, rounds)
    for name, (sql, values) in queries.items():
        clock = Clock()
        for _ in range(rounds):
            rows = ask(db, clock, sql, values)
            assert rows
            assert values or "one department" in name or sum(row[-2] for row in rows) == spans
        clock.tell(name, BUDGET)


def whole(db: Path, spans: int, rounds: int) -> None:
    """The reader's totals: what the screen shows of everything."""
    clock = Clock()
    for _ in range(rounds):
        with open_reader(db) as reader, clock:
            found = reader.totals()
        assert (found.traces, found.spans) == (spans // RUN_SPANS, spans)
    clock.tell("totals, as the reader has them", BUDGET)


def asked(db: Path, spans: int, rounds: int) -> None:
    """What `tracetui costs` and its screen ask, all sums and latencies."""
    for by, where in (
        ("model", ""),
        ("meta.department", ""),
        ("model", "since:7d"),
        ("model", "meta.department:support"),
    ):
        clock = Clock()
        for _ in range(rounds):
            wanted = Asked(dimensions(by), parse(where, time.time_ns()), Zone("UTC"), declared=("department",))
            with open_reader(db) as reader, clock:
                found = costs(reader, wanted)
            assert found.ahead
            assert where or found.total.spans == spans
        clock.tell(f"costs by {by} {where}".strip(), BUDGET)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench rollups")
    parser.add_argument("--spans", type=int, default=100_000, help="in thousands [100000]; the budget is for 10000000")
    parser.add_argument("--days", type=int, default=30, help="over which they are spread [30]")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--db", type=Path, help="make the file here and keep it; take it if it is there")
    given = parser.parse_args(argv)
    head(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        db = given.db or Path(folder) / "traces.db"
        if not db.exists():
            traces(db, given.spans)
            spread(db, given.spans, given.days)
            days(db)
        quarter_rows = given.days * QUARTERS_A_DAY * len(KINDS) * len(DEPARTMENTS) * len(FEATURES)
        size = db.stat().st_size / 1e6
        figure("file", f"{given.spans:,} spans over {given.days} days, {quarter_rows:,} rows of sums, {size:,.0f} MB")
        quiet()
        sums(db, given.spans, given.rounds)
        asked(db, given.spans, given.rounds)
    say(f"  {load()}")


if __name__ == "__main__":
    main()
