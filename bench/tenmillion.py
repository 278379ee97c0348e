"""How long does a file of millions of varied spans take to make, and what does it weigh?

A block of real runs (`varied.py`) goes through the real road; SQL copies it to later times, until a month is full.
Every copy has trace ids, sessions, users, a question and an answer of its own, in full text too; what is said between
these is the block's. Copies lie a whole number of quarter hours apart, so that the sums of the block are those of a
copy, and every table the explorer reads holds what ingest would have written. A span takes about 1.4 KB.
"""

from __future__ import annotations

import argparse
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path

import orjson

from bench.generate import MS
from bench.report import figure, head, load, say
from bench.varied import SESSION, TOKEN, USER, USERS, Runs
from collector.ingest import Ingest
from collector.model import Batch
from collector.settings import Settings
from collector.store import staging
from collector.store.content import dumps, hash_bytes, hash_text
from collector.store.search import spaced
from collector.store.totals import QUARTER_NS

DAYS = 30
SPANS_A_RUN = 20
"""About."""
MOST_RUNS = 1000
LEAST_COPIES = 10
RUNS_A_BATCH = 10
FAST = ("journal_mode = off", "synchronous = off", "cache_size = -1000000", "locking_mode = exclusive", "threads = 2")
COPIES = "with recursive n(i) as (select 1 union all select i + 1 from n where i <= :copies - 1)"
OF_SPAN = """
    create temp table of_span as select s.id, t.id as run, s.span_id = t.root_span_id as is_root
    from spans s join traces t on t.trace_id = s.trace_id order by s.id"""
OF_SPAN_KEY = "create unique index temp.of_span_key on of_span(id, run, is_root)"
# What only one run says: its root's question and answer.
OWN = """
    create temp table own as
    select o.run, q.id as question_id, q.hash as question_hash, q.text as question, a.id as answer_id,
      a.hash as answer_hash, a.text as answer
    from of_span o join bodies b on b.id = o.id join texts q on q.hash = json_extract(b.in_value, '$."$t"')
    join texts a on a.hash = json_extract(b.out_value, '$."$t"') where o.is_root order by o.run"""
OWN_KEY = "create unique index temp.own_key on own(run)"

RUN = "(n.i * :runs + o.run - 1)"
SESSION_SQL = f"session_name({RUN})"
TRACE_ID = f"printf('%08x', ({RUN} * 2654435761) % 4294967296) || substr({{0}}, 9)"
TIMES = {"start_ns": "start_ns + n.i * :step", "end_ns": "end_ns + n.i * :step"}


def many_varied(path: Path, spans: int, *, seed: int = 5, days: float = DAYS) -> int:
    """A file of about so many spans, spread over so many days and the newest a moment ago; how many there are."""
    runs = max(min(spans // SPANS_A_RUN // LEAST_COPIES, MOST_RUNS), 10)
    copies = max(spans // (runs * SPANS_A_RUN), 2)
    quarters = max(int(days * 96) // copies, 1)
    step = quarters * QUARTER_NS
    _block(path, runs, time.time_ns() - 60_000 * MS - copies * step, step, seed)
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        for pragma in FAST:
            file.execute(f"pragma {pragma}")
        return Copier(file, runs, copies, quarters).copy()


def _block(path: Path, runs: int, first_ns: int, over_ns: int, seed: int) -> None:
    """Runs through ingest, spread evenly over some time."""
    maker = Runs(seed)
    with Ingest(path, Settings(db=path)) as ingest:
        for at in range(0, runs, RUNS_A_BATCH):
            some = range(at, min(at + RUNS_A_BATCH, runs))
            parts = [part for n in some for part in maker.run(n, first_ns + n * over_ns // runs)]
            ingest.write(Batch("bench", tuple(parts)))
        while ingest.chores():
            pass
        ingest.look()


class Copier:
    """Fills the tables of a file that holds a block of runs, one statement a table."""

    def __init__(self, file: sqlite3.Connection, runs: int, copies: int, quarters: int) -> None:
        self.file = file
        self.runs, self.copies = runs, copies - 1
        (self.seq, self.spans), *_ = file.execute("select seq, spans from counters").fetchall()
        (self.texts,) = file.execute("select max(id) from texts").fetchone()
        self.values = {
            "runs": runs, "copies": self.copies, "step": quarters * QUARTER_NS, "quarters": quarters,
            "spans": self.spans, "seq": self.seq, "texts": self.texts,
        }  # fmt: skip
        self._functions()

    def _functions(self) -> None:
        make = self.file.create_function
        make("session_name", 1, lambda run: SESSION.format(run // 400 * 100 + run % 100), deterministic=True)
        make("user_name", 1, lambda run: USER.format((run // 400 * 100 + run % 100) * 7919 % USERS), deterministic=True)
        make("token", 1, TOKEN.format, deterministic=True)
        make("hash_text", 1, hash_text, deterministic=True)
        make("spaced", 1, spaced, deterministic=True)
        make("rollup_key", 7, lambda *key: hash_bytes(dumps(list(key)).encode()), deterministic=True)
        make("later", 2, later, deterministic=True)

    def copy(self) -> int:
        """All of it; how many spans there are then."""
        for sql in (OF_SPAN, OF_SPAN_KEY, OWN, OWN_KEY):
            self.file.execute(sql)
        assert self._one("select count(*) from own") == self.runs == self._one("select max(id) from traces")
        dropped = self._without_indexes()
        self.file.execute("begin")
        for step in (self._spans, self._bodies, self._traces, self._said, self._signals, self._sums, self._groups):
            began = time.perf_counter()
            step()
            say(f"    {step.__name__[1:]}: {time.perf_counter() - began:.0f} s")
        self.file.execute("commit")
        for sql in dropped:
            began = time.perf_counter()
            self.file.execute(sql)
            say(f"    {sql.partition(' on ')[0]}: {time.perf_counter() - began:.0f} s")
        self.file.execute("pragma locking_mode = normal")
        self.file.execute("pragma journal_mode = wal")
        return self._one("select count(*) from spans")

    def _one(self, sql: str) -> int:
        return int(self.file.execute(sql).fetchone()[0])

    def _run(self, sql: str) -> None:
        self.file.execute(sql, {k: v for k, v in self.values.items() if ":" + k in sql})

    def _without_indexes(self) -> list[str]:
        """Drop what is built faster at the end; the statements that bring it back."""
        rows = self.file.execute(
            "select name, sql from sqlite_schema where type = 'index' and sql is not null"
            " and tbl_name in ('spans', 'traces', 'mentions', 'signals')"
        ).fetchall()
        for name, _ in rows:
            self.file.execute(f"drop index {name}")
        return [sql for _, sql in rows]

    def _insert(self, table: str, changes: dict[str, str], source: str) -> None:
        names = [row[1] for row in self.file.execute(f"pragma table_info({table})")]
        chosen = ", ".join(changes.get(name, f"x.{name}") for name in names)
        self._run(f"{COPIES} insert into {table}({', '.join(names)}) select {chosen} from n cross join {source}")

    def _spans(self) -> None:
        changes = {
            **_of(TIMES), "id": "x.id + n.i * :spans", "seq": "x.seq + n.i * :seq",
            "trace_id": TRACE_ID.format("x.trace_id"),
            "session_id": f"case when x.session_id is not null then {SESSION_SQL} end",
            "user_id": f"case when x.user_id is not null then user_name({RUN}) end",
        }  # fmt: skip
        self._insert("spans", changes, "temp.of_span o cross join spans x on x.id = o.id")

    def _bodies(self) -> None:
        whose = f"""case when s.session_id is null then x.attributes else
            replace(replace(x.attributes, s.session_id, {SESSION_SQL}), s.user_id, user_name({RUN})) end"""
        common = {"id": "x.id + n.i * :spans", "at_ns": "x.at_ns + n.i * :step", "attributes": whose}
        common["events"] = "later(x.events, n.i * :step)"
        source = "temp.of_span o cross join bodies x on x.id = o.id cross join spans s on s.id = o.id"
        self._insert("bodies", common, f"{source} where not o.is_root")
        mine, new = "token(o.run - 1)", f"token({RUN})"
        question = f"hash_text(replace(w.question, {mine}, {new}))"
        answer = f"hash_text(replace(w.answer, {mine}, {new}))"
        both = f"replace(replace({{0}}, w.question_hash, {question}), w.answer_hash, {answer})"
        roots = {
            **common, "attributes": both.format(f"({whose})"), "in_value": both.format("x.in_value"),
            "out_value": both.format("x.out_value"), "in_preview": f"replace(x.in_preview, {mine}, {new})",
            "out_preview": f"replace(x.out_preview, {mine}, {new})",
        }  # fmt: skip
        self._insert("bodies", roots, f"{source} cross join temp.own w on w.run = o.run where o.is_root")

    def _traces(self) -> None:
        mine, new = "token(o.run - 1)", f"token({RUN})"
        changes = {
            **_of(TIMES), "id": "x.id + n.i * :runs", "seq": "x.seq + n.i * :seq",
            "trace_id": TRACE_ID.format("x.trace_id"), "session_id": SESSION_SQL, "user_id": f"user_name({RUN})",
            "in_preview": f"replace(x.in_preview, {mine}, {new})",
            "out_preview": f"replace(x.out_preview, {mine}, {new})", "state": "later(x.state, n.i * :step)",
        }  # fmt: skip
        self._insert("traces", changes, "temp.own o cross join traces x on x.id = o.run")

    def _said(self) -> None:
        """Texts, which spans brought them, and full text."""
        at = f":texts + ({RUN} - :runs) * 2"
        for side, name in enumerate(("question", "answer"), start=1):
            text = f"replace(o.{name}, token(o.run - 1), token({RUN}))"
            self._run(
                f"""{COPIES} insert into texts(id, hash, text) select {at} + {side}, hash_text({text}), {text}
                    from n cross join temp.own o"""
            )
        self.file.execute(
            """create temp table brought as select o.run, x.span_id, x.text_id,
                 (x.text_id = w.question_id) + 2 * (x.text_id = w.answer_id) as own
               from mentions x join temp.of_span o on o.id = x.span_id join temp.own w on w.run = o.run"""
        )
        self._run(
            f"""{COPIES} insert into mentions select case o.own when 0 then o.text_id else {at} + o.own end,
                  o.span_id + n.i * :spans from n cross join temp.brought o"""
        )
        self._run("insert into search(rowid, text) select id, spaced(text) from texts where id > :texts")

    def _signals(self) -> None:
        changes = {"trace_id": TRACE_ID.format("x.trace_id").replace("o.run", "x.run")}
        self.file.execute(
            "create temp table noted as select t.id as run, g.* from signals g join traces t on t.trace_id = g.trace_id"
        )
        self._insert("signals", changes, "temp.noted x")
        newest = self.file.execute("select max(seq), max(id) from traces").fetchone()
        self.file.execute(
            "update meta set value = ? where key in ('signals_settled', 'signals_quiet')", (dumps(list(newest)),)
        )
        self.file.execute("update counters set seq = ?, spans = ?", self._last())
        self.file.execute("update ledger set n = n * ? where outcome in ('received', 'stored')", (self.copies + 1,))

    def _last(self) -> tuple[int, int]:
        return self.seq * (self.copies + 1), self.spans * (self.copies + 1)

    def _sums(self) -> None:
        """Those of the block, moved: copies lie whole quarter hours apart. The last may be the next one's first."""
        names = "model, provider, service, environment, kind, dims"
        moved = f"rollup_key(x.quarter + n.i * :quarters, {', '.join('x.' + name for name in names.split(', '))})"
        self.file.execute("create temp table of_block as select key, quarter, " + names + " from rollups")
        self.file.execute("create temp table old_histograms as select * from histograms")
        self.file.execute("create index temp.old_key on old_histograms(key)")
        self.file.execute("create temp table new_keys(i, old, new)")
        self._run(f"{COPIES} insert into new_keys select n.i, x.key, {moved} from n cross join temp.of_block x")
        self.file.execute("create temp table old_rollups as select * from rollups")
        self.file.execute("create unique index temp.old_rollup on old_rollups(key)")
        names_of = [row[1] for row in self.file.execute("pragma table_info(rollups)")]
        chosen = {"key": "k.new", "quarter": "x.quarter + k.i * :quarters"}
        listed = ", ".join(chosen.get(name, f"x.{name}") for name in names_of)
        added = ", ".join(f"{name} = {name} + excluded.{name}" for name in staging.TABLES["s_rollups"][8:])
        self._run(
            f"""insert into rollups select {listed} from temp.new_keys k
                cross join temp.old_rollups x on x.key = k.old where 1 order by k.new
                on conflict(key) do update set {added}"""
        )
        self.file.execute(
            """insert into histograms select k.new, x.metric, x.bucket, x.n from temp.new_keys k
               cross join temp.old_histograms x on x.key = k.old where 1 order by 1, 2, 3
               on conflict(key, metric, bucket) do update set n = n + excluded.n"""
        )
        for table in ("days", "day_histograms"):
            self.file.execute(f"delete from {table}")
        for statement in staging.days_of("rollups", "histograms"):
            self.file.execute(statement)

    def _groups(self) -> None:
        """Sessions and users, from their traces."""
        self.file.execute("delete from sessions")
        self.file.execute("delete from users")
        self.file.execute(
            """insert into sessions select session_id, max(user_id), min(start_ns), max(start_ns), count(*),
                 sum(span_count), sum(error_count), sum(llm_calls), sum(tool_calls), sum(unpriced_calls),
                 sum(cost_nanousd), sum(input_tokens), sum(output_tokens), sum(cache_read_tokens),
                 sum(cache_write_tokens), sum(reasoning_tokens) from traces group by session_id"""
        )
        self.file.execute(
            """insert into users select user_id, min(start_ns), max(start_ns), count(*), sum(error_count),
                 sum(llm_calls), sum(unpriced_calls), sum(cost_nanousd), sum(input_tokens), sum(output_tokens)
               from traces group by user_id"""
        )


def _of(changes: dict[str, str]) -> dict[str, str]:
    return {name: "x." + text for name, text in changes.items()}


def later(text: str | None, by: int) -> str | None:
    """JSON that says when, so much later."""
    return None if text is None else dumps(_later(orjson.loads(text), by))


def _later(value: object, by: int) -> object:
    if isinstance(value, dict):
        return {name: _later(one, by) for name, one in value.items()}
    if isinstance(value, list):
        return [_later(one, by) for one in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 10**17:
        return value + by if value > 0 else value - by
    return value


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench tenmillion")
    parser.add_argument("--spans", type=int, default=20_000, help="about [20000]")
    parser.add_argument("--db", type=Path, help="make the file here and keep it")
    asked = parser.parse_args(argv)
    head(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        path = asked.db or Path(folder) / "traces.db"
        began = time.perf_counter()
        spans = many_varied(path, asked.spans)
        took, size = time.perf_counter() - began, path.stat().st_size
        figure("made", f"{spans:,} spans in {took:.0f} s; {size / 1e6:,.0f} MB, {size / spans:,.0f} B a span; {load()}")


if __name__ == "__main__":
    main()
