"""Four processes write one file while a reader tails it: no error, nothing lost, no change missed."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from collector.store import open_reader
from collector.store.rows import SpanRow
from tests.builders import trace_id
from tests.store.audit import audit, rows

WRITERS, SPANS, TRACES = 4, 72, 5
DEADLINE_S = 30

WRITER = """
import sys
from dataclasses import replace
from pathlib import Path
from random import Random
from collector.ingest import Ingest
from collector.model import Batch, Rank
from collector.settings import Settings
from tests.builders import conversation, make_llm, trace_id, user

path, who, spans, traces = Path(sys.argv[1]), *map(int, sys.argv[2:])
random = Random(who)

def call(n):
    # every response is reported by all four, in other traces too; every text as well
    return make_llm(
        who * 1000 + n, trace=trace_id(1 + (n + who) % traces), model=None,
        parent=random.choice([None, who * 1000 + 1, 2001]),
        reading={"response_id": f"r{n}", "session_id": f"s{n % 3}", "input": conversation(user(f"question {n} " * 20))},
    )

print("ready", flush=True)
sys.stdin.readline()
with Ingest(path, Settings(db=path, redact="off")) as ingest:
    for at in range(1, spans, 6):
        calls = [call(n) for n in range(at, min(at + 6, spans + 1))]
        started = [replace(c, rank=Rank.STARTED, end_ns=None, at_ns=c.start_ns) for c in calls]
        assert ingest.write(Batch("test", tuple(started))).stored == len(started)
        assert ingest.write(Batch("test", tuple(calls))).stored == len(calls)
        ingest.chores()
"""


class Tail:
    """What a screen does: ask what changed, and read the changed traces again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.seq = 0
        self.spans: dict[tuple[str, str], SpanRow] = {}
        self.polls = 0
        self.not_rising: list[Any] = []

    def poll(self, reader: Any) -> None:
        changes = reader.changes_since(self.seq, limit=50)
        if changes.seq < self.seq or (changes.trace_ids and changes.seq == self.seq):
            self.not_rising.append((self.seq, changes))
        self.seq = changes.seq
        self.polls += bool(changes.trace_ids)
        for changed in changes.trace_ids:
            for row in reader.tree_spans(changed):
                self.spans[row.trace_id, row.span_id] = row


def test_four_writers_and_a_reader_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "traces.db"
    numbers = [str(n) for n in (SPANS, TRACES)]
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(who), *numbers],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for who in range(1, WRITERS + 1)
    ]  # fmt: skip
    try:
        for writer in writers:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "ready\n"
        for writer in writers:
            assert writer.stdin is not None
            writer.stdin.write("go\n")  # all at once: the file is not there yet
            writer.stdin.flush()
        tail = follow(path, writers)
        said = [writer.communicate(timeout=DEADLINE_S)[1] for writer in writers]
    finally:
        for writer in writers:
            writer.kill()
            writer.communicate()
    assert said == [""] * WRITERS
    assert [writer.returncode for writer in writers] == [0] * WRITERS
    check(path, tail)


def follow(path: Path, writers: list[subprocess.Popen[str]]) -> Tail:
    deadline = time.monotonic() + DEADLINE_S
    while not ready(path):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    tail = Tail(path)
    with open_reader(path) as reader:
        while any(writer.poll() is None for writer in writers):
            tail.poll(reader)
            assert time.monotonic() < deadline
            time.sleep(0.002)
        while tail.seq < reader.seq():
            tail.poll(reader)
    return tail


def ready(path: Path) -> bool:
    """Whether the file is there, and has its tables."""
    if not path.exists() or not path.stat().st_size:
        return False
    with closing(sqlite3.connect(path)) as connection:
        return bool(connection.execute("pragma user_version").fetchone()[0])


def check(path: Path, tail: Tail) -> None:
    assert not path.with_name("traces.db-wal").exists()
    assert rows(path, "pragma integrity_check") == [{"integrity_check": "ok"}]
    with open_reader(path) as reader:
        found = {
            (row.trace_id, row.span_id): row for n in range(1, TRACES + 1) for row in reader.tree_spans(trace_id(n))
        }
    assert len(found) == WRITERS * SPANS
    assert {row.status for row in found.values()} == {"ok"}
    assert tail.spans == found
    assert tail.not_rising == []
    assert tail.polls > 5
    seqs = [row["seq"] for row in rows(path, "select seq from spans")]
    assert len(set(seqs)) == len(seqs)
    assert max(seqs) <= rows(path, "select seq from counters")[0]["seq"]
    assert sum(row.counted for row in found.values()) <= SPANS  # each response is one call, whoever reports it
    ledger = rows(path, "select outcome, sum(n) n from ledger group by outcome order by outcome")
    assert ledger == [{"outcome": name, "n": 2 * WRITERS * SPANS} for name in ("received", "stored")]
    audit(path)
