"""A write beside a busy Python thread is seen at once, and keeps nobody else from writing."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from collector.ingest import Ingest
from collector.model import Batch
from collector.settings import Settings
from collector.store import fulltext, open_reader
from collector.store.files import lock_path
from collector.store.lock import FileLock
from tests.builders import TRACE, conversation, make_llm, make_part, span_id, trace_id, user

SPANS = 200
DEADLINE_S = 20

BUSY_HOST = """
import json, sys, threading
from pathlib import Path
from collector.ingest import Ingest
from collector.model import Batch
from collector.settings import Settings
from collector.store import staging
from tests.builders import conversation, make_llm, user

path, batches = Path(sys.argv[1]), int(sys.argv[2])
transactions = 0
real = staging.commit

def commit(*arguments):
    global transactions
    transactions += 1
    real(*arguments)

staging.commit = commit
ingest = Ingest(path, Settings(db=path, redact="default"))
calls = [make_llm(n, reading={"input": conversation(user(f"question {n} " * 50))}) for n in range(1, 201)]
ingest.write(Batch("sdk", (make_llm(0),)))  # loads the price table, as a host has by then
print("ready", flush=True)
sys.stdin.readline()

def spin():
    while True:
        pass

threading.Thread(target=spin, daemon=True).start()
transactions = 0
size = len(calls) // batches
for at in range(0, len(calls), size):
    ingest.write(Batch("sdk", tuple(calls[at : at + size])))
print(json.dumps({"transactions": transactions}), flush=True)
sys.stdin.readline()
import os; os._exit(0)
"""


def wait_for(path: Path, want: int) -> None:
    """Until a reader sees so many spans in the trace."""
    deadline = time.monotonic() + DEADLINE_S
    with open_reader(path) as reader:
        while (found := reader.trace(TRACE).span_count) < want:
            assert time.monotonic() < deadline, f"{found} of {want} spans after {DEADLINE_S} s"
            time.sleep(0.005)


class Neighbour(threading.Thread):
    """Commits a span at a time until told to stop."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.commits = 0
        self.stopped = threading.Event()

    def run(self) -> None:
        with Ingest(self.path, Settings(db=self.path, redact="off")) as ingest:
            while not self.stopped.wait(0.01):
                part = make_part(self.commits + 1, trace=trace_id(9))
                assert ingest.write(Batch("test", (part,))).stored == 1
                self.commits += 1


@pytest.mark.parametrize("batches", [1, 2])
def test_what_is_written_beside_a_spinning_thread_is_seen_and_lets_others_write(tmp_path: Path, batches: int) -> None:
    path = tmp_path / "traces.db"
    with subprocess.Popen(
        [sys.executable, "-c", BUSY_HOST, str(path), str(batches)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as host:
        assert host.stdin is not None
        assert host.stdout is not None
        neighbour = Neighbour(path)
        try:
            assert host.stdout.readline() == "ready\n"
            host.stdin.write("go\n")
            host.stdin.flush()
            neighbour.start()
            wait_for(path, SPANS + 1)
            told: dict[str, Any] = json.loads(host.stdout.readline())
            neighbour.stopped.set()
            neighbour.join(DEADLINE_S)
        finally:
            neighbour.stopped.set()
            host.kill()
    assert told["transactions"] >= batches
    assert neighbour.commits


def test_a_transaction_is_one_statement_however_many_spans_it_writes(tmp_path: Path) -> None:
    """Each statement is a step that wins the GIL back, while the others wait for the lock."""
    path = tmp_path / "traces.db"
    said: list[str] = []
    with Ingest(path, Settings(db=path, redact="off")) as ingest:
        connection = ingest._writer._connection
        ingest.write(Batch("test", (make_llm(0, trace=trace_id(9)),)))
        connection.set_trace_callback(said.append)
        spoken = []
        for many in (5, 50):
            said.clear()
            asked = conversation(user(f"question {many}"))
            calls = (make_llm(n, trace=trace_id(many), reading={"input": asked}) for n in range(1, many + 1))
            assert ingest.write(Batch("test", tuple(calls))).received == many
            # what a trigger does is told in the words of the statement that fired it
            spoken.append([" ".join(statement.split()[:3]).lower() for statement, _ in groupby(said)])
    few, more = spoken
    assert few == more
    assert few.count("insert into temp.go") == 1
    assert not any(statement.startswith(("begin", "commit", "savepoint")) for statement in few)


def test_a_large_batch_is_cut_into_short_transactions(tmp_path: Path) -> None:
    path = tmp_path / "traces.db"
    seen = []
    with Ingest(path, Settings(db=path, redact="off")) as ingest, open_reader(path) as reader:
        writer = threading.Thread(
            target=ingest.write, args=(Batch("test", tuple(make_llm(n) for n in range(1, 2001))),)
        )
        writer.start()
        while writer.is_alive():
            seen.append(reader.totals().spans)
        writer.join()
        assert reader.totals().spans == 2000
    assert [n for n in seen if 0 < n < 2000]


def test_full_text_is_spelt_before_the_transaction_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python within a transaction is what a busy thread slows down: half a megabyte of Chinese took 3 s."""
    path = tmp_path / "traces.db"
    holds: list[bool] = []
    real = fulltext.spaced
    with Ingest(path, Settings(db=path, redact="off")) as ingest, closing(sqlite3.connect(path)) as other:

        def spaced(text: str) -> str:
            other.execute("begin immediate")  # would be refused
            other.execute("rollback")
            lock = FileLock(lock_path(path), wait_s=0)
            with lock:
                holds.append(False)
            lock.close()
            return real(text)

        monkeypatch.setattr(fulltext, "spaced", spaced)
        ingest.write(Batch("test", (make_part(1, attributes={"said": "世界你好\0我们在这里工作" * 20}),)))
        ingest.flush()
        with open_reader(path) as reader:
            assert [hit.span_id for hit in reader.search("你好")] == [span_id(1)]
            assert [hit.span_id for hit in reader.search("在这里")] == [span_id(1)]
    assert holds == [False]


def test_what_a_batch_and_its_indexing_read_comes_in_few_steps(tmp_path: Path) -> None:
    """Each row is a step that wins the GIL back: looking at 200 waiting texts took 1 s beside a busy thread."""
    path = tmp_path / "traces.db"
    steps = 0

    def row(cursor: sqlite3.Cursor, values: tuple[Any, ...]) -> tuple[Any, ...]:
        nonlocal steps
        steps += 1
        return values

    with Ingest(path, Settings(db=path, redact="off")) as ingest:
        ingest._writer._connection.row_factory = row
        said = [{"said": f"你好 {n} " * 20} for n in range(SPANS)]
        parts = (make_part(n + 1, trace=trace_id(n + 1), attributes=said[n]) for n in range(SPANS))
        assert ingest.write(Batch("test", tuple(parts))).received == SPANS
        assert ingest._writer.index(10**6) is False
        assert 0 < steps < 20
        with open_reader(path) as reader:
            assert len(reader.search("你好", limit=1000)) == SPANS


def test_texts_that_a_killed_writer_left_are_found_once_another_writes(tmp_path: Path) -> None:
    path = tmp_path / "traces.db"
    killed = Ingest(path, Settings(db=path, redact="off"))
    killed.write(Batch("test", (make_part(1, attributes={"said": "an unusual word: quokka " * 5}),)))
    killed._writer._connection.close()  # no chores, no goodbye
    killed._writer._lock.close()
    with Ingest(path, Settings(db=path, redact="off")) as ingest:
        ingest.flush()
        with open_reader(path) as reader:
            assert [hit.span_id for hit in reader.search("quokka")] == [span_id(1)]


def test_two_writers_that_index_the_same_texts_find_each_once(tmp_path: Path) -> None:
    path = tmp_path / "traces.db"
    with Ingest(path, Settings(db=path, redact="off")) as one, Ingest(path, Settings(db=path, redact="off")) as other:
        one.write(
            Batch("test", (make_part(1, attributes={"a": "世界你好" * 30, "b": "an unusual word: quokka " * 5}),))
        )
        mine, theirs = one._writer._connection, other._writer._connection
        first, second = fulltext.prepare(mine, 10**6), fulltext.prepare(theirs, 10**6)
        assert first is not None
        assert second is not None
        fulltext.commit(mine, first)
        one.write(Batch("test", (make_part(2, attributes={"a": "你好吗" * 30}),)))
        fulltext.commit(theirs, second)
        one.flush()
        with open_reader(path) as reader:
            assert sorted(hit.span_id for hit in reader.search("你好")) == [span_id(1), span_id(2)]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("select count(*) from todo").fetchone() == (0,)
        connection.execute("insert into search(search) values ('integrity-check')")
        assert connection.execute("select count(*) from search where search match 'quokka'").fetchone() == (1,)
