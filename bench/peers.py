"""How soon do the simplest thing that could work and arize-phoenix list spans, beside the explorer?

The simplest thing is a Textual DataTable that is given all rows of one query, newest first; it runs in a pty of 200 x
50 cells like the explorer, on the same file, in turn. Phoenix (--phoenix PYTHON, of an environment that has it)
answers GET /v1/projects/default/spans: a block of spans is sent to it over HTTP, and copied to as many in its own file
by SQL while it does not run; a page of 100, and the ones after it by its cursor, beside such pages of our reader.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import tempfile
import time
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

from bench.explorer import spoken, told
from bench.first_paint import PAGE_DOWN, PAGE_UP, UP
from bench.generate import agent_bodies
from bench.report import figure, head, load, say
from bench.servers import Server, measure, phoenix, phoenix_version
from bench.tenmillion import many_varied
from bench.watched import Watched
from collector.store import open_reader
from collector.store.lists import SPANS, place

BLOCK = 1000
PAGE = 100
ARROW_DOWN = b"\x1b[B"
TABLE = """
import sqlite3, sys
from textual.app import App
from textual.widgets import DataTable
QUERY = "select span_id, name, kind, status, model, duration_ns, cost_nanousd, input_tokens from spans order by start_ns desc limit ?"
class Table(App):
    def compose(self):
        yield DataTable(cursor_type="row")
    def on_mount(self):
        table = self.query_one(DataTable)
        table.add_columns("id", "name", "kind", "status", "model", "took", "cost", "tokens")
        table.add_rows(sqlite3.connect(sys.argv[1]).execute(QUERY, (int(sys.argv[2]),)))
        table.focus()
Table().run()
"""  # noqa: E501
NEWEST = "select span_id from spans order by start_ns desc limit 1"


def tables(path: Path, rows: int, keys: int) -> None:
    with closing(sqlite3.connect(path)) as file:
        ((newest,),) = file.execute(NEWEST).fetchall()
    for who, arguments, shown, page_key, line_key in (
        (
            "the explorer, all of the file", ["-m", "tracetui", str(path)],
            lambda rows: bool(spoken(rows)), PAGE_UP, UP,
        ),
        (
            f"DataTable, the newest {rows:,} spans", ["-c", TABLE, str(path), str(rows)],
            lambda rows: any(newest in row for row in rows), PAGE_DOWN, ARROW_DOWN,
        ),
    ):  # fmt: skip  # the newest line is the explorer's last
        began = time.perf_counter()
        with Watched(arguments) as seen:
            told(f"{who}: first paint", [1000 * (seen.until(shown, within_s=1800) - began)])
            told(f"{who}: a page further", [seen.key(page_key.decode()) for _ in range(keys)])
            told(f"{who}: a line further", [seen.key(line_key.decode()) for _ in range(keys)])
            figure(f"{who}: memory", f"{seen.mb:.0f} MB; {load()}")


def many(db: Path, spans: int) -> None:
    """Copy what is in phoenix's file until there are so many."""
    with closing(sqlite3.connect(db)) as file, file:
        copies = spans // BLOCK - 1
        for table, changes in (
            ("traces", {"id": "id + n.i * :most", "trace_id": "printf('%08x', n.i) || substr(trace_id, 9)"}),
            (
                "spans",
                {
                    "id": "id + n.i * :most", "trace_rowid": "trace_rowid + n.i * :traces",
                    "span_id": "printf('%06x', n.i) || substr(span_id, 7)",
                    "parent_id": "printf('%06x', n.i) || substr(parent_id, 7)",
                },
            ),
        ):  # fmt: skip
            names = [row[1] for row in file.execute(f"pragma table_xinfo({table})") if not row[6]]
            (most,) = file.execute(f"select max(id) from {table}").fetchone()
            if table == "traces":
                traces = most
            chosen = ", ".join(changes.get(name, name) for name in names)
            file.execute(
                f"""with recursive n(i) as (select 1 union all select i + 1 from n where i < :copies)
                    insert into {table}({", ".join(names)}) select {chosen} from n, {table} where id <= :most""",
                {"copies": copies, "most": most, "traces": traces},
            )


def page(server: Server, cursor: str | None) -> tuple[float, str | None, int]:
    """(milliseconds, the cursor of the next page, spans in this one)."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=600)
    began = time.perf_counter()
    after = f"&cursor={cursor}" if cursor else ""
    connection.request("GET", f"/v1/projects/default/spans?limit={PAGE}{after}")
    answer = connection.getresponse()
    body = answer.read()
    took = 1000 * (time.perf_counter() - began)
    connection.close()
    assert answer.status == 200, body[:300]
    found = json.loads(body)
    return took, found.get("next_cursor"), len(found["data"])


def theirs(python: Path, spans: int, pages: int) -> None:
    who = f"{phoenix_version(python)}, {spans:,} spans"
    with tempfile.TemporaryDirectory() as folder:
        with phoenix(python, Path(folder)) as server:
            measure(server, list(agent_bodies(BLOCK)), 0)
            db = server.db
        many(db, spans)
        with phoenix(python, Path(folder)) as server:
            with closing(sqlite3.connect(db)) as file:
                assert file.execute("select count(*) from spans").fetchone() == (spans // BLOCK * BLOCK,)
            took, cursor, size = page(server, None)
            assert size == PAGE
            told(f"{who}: the first page over REST", [took])
            ms = []
            for _ in range(pages):
                took, cursor, size = page(server, cursor)
                ms.append(took)
            told(f"{who}: the pages after it", ms)


def ours(path: Path, pages: int) -> None:
    ms, after = [], None
    with open_reader(path) as reader:
        for _ in range(pages + 1):
            began = time.perf_counter()
            rows = reader.spans(limit=PAGE, after=after, sort="-start")
            ms.append(1000 * (time.perf_counter() - began))
            after = place(SPANS, rows[-1], "-start")
    told("our reader on this file: the first page of 100 spans", ms[:1])
    told("our reader on this file: the pages after it", ms[1:])


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench peers")
    parser.add_argument("--spans", type=int, default=20_000, help="of a file that is made [20000]")
    parser.add_argument("--db", type=Path, help="make the file here and keep it; take it if it is there")
    parser.add_argument("--rows", type=int, default=5_000, help="that the DataTable is given [5000]")
    parser.add_argument("--keys", type=int, default=20)
    parser.add_argument("--phoenix", type=Path, metavar="PYTHON")
    parser.add_argument("--phoenix-spans", type=int, default=10_000, help="[10000]")
    asked = parser.parse_args(argv)
    head(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        path = asked.db or Path(folder) / "traces.db"
        if not path.exists():
            many_varied(path, asked.spans)
        tables(path, asked.rows, asked.keys)
        ours(path, 20)
        if asked.phoenix is not None:
            theirs(asked.phoenix, asked.phoenix_spans, 20)
        else:
            say("  arize-phoenix: not asked for (--phoenix PYTHON)")


if __name__ == "__main__":
    main()
