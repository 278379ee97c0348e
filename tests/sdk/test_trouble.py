"""When the file cannot be had, or holds what it must not: the host goes on, and nothing is lost or told twice."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import pytest

from collector.sdk.capture import MAX_NODES, capture
from collector.sdk.observe import decorate
from collector.sdk.process import this_process
from collector.sdk.queue import Queue
from collector.store import open_reader
from tests.receiver.running import until

SECRET = "sk-proj-" + "aB3" * 14


@contextmanager
def tracing(db: Path, **settings: object) -> Iterator[Queue]:
    queue = Queue(db=db, **settings)
    try:
        yield queue
    finally:
        queue.close()


def names(db: Path) -> list[str]:
    with open_reader(db) as reader:
        return sorted(row.name for row in reader.spans(limit=10_000))


def program(code: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=folder, env=os.environ | variables, capture_output=True,
        text=True, timeout=60, check=False,
    )  # fmt: skip


def test_a_reader_sees_a_span_that_runs(tmp_path):
    db = tmp_path / "traces.db"
    leave = threading.Event()
    with tracing(db) as queue:
        decorate(queue, lambda: None, "span", "first")()
        assert queue.flush()
        waits = decorate(queue, lambda asked: leave.wait(20), "agent", "waits")
        host = threading.Thread(target=waits, args=("for news",))
        host.start()
        try:
            with open_reader(db) as reader:
                until(lambda: [row for row in reader.spans() if (row.name, row.status) == ("waits", "running")])
                (trace,) = [row for row in reader.traces() if row.name == "waits"]
                assert trace.duration_ns is None
                assert "for news" in trace.input_preview
        finally:
            leave.set()
            host.join()


def test_a_locked_file_neither_blocks_the_host_nor_loses_a_span(tmp_path):
    db = tmp_path / "traces.db"
    with tracing(db) as queue:
        work = decorate(queue, lambda n: n, "span", "work")
        work(0)
        assert queue.flush()
        with closing(sqlite3.connect(db, isolation_level=None)) as other:
            other.execute("begin immediate")
            began = time.monotonic()
            for n in range(1, 101):
                work(n)
            took = time.monotonic() - began
            assert not queue.flush(0.2)
            other.execute("rollback")
        assert took < 1.0  # microseconds each; a blocked host would wait for the lock
        until(lambda: queue.flush(5))
    assert names(db) == ["work"] * 101


def test_a_directory_that_takes_no_file_is_told_once_and_harms_nobody(tmp_path, caplog):
    (tmp_path / "a file").touch()
    with tracing(tmp_path / "a file" / "traces.db") as queue:
        work = decorate(queue, lambda n: n + 1, "span", "work")
        assert [work(n) for n in range(5)] == [1, 2, 3, 4, 5]
        assert not queue.flush(5)
        assert work(5) == 6
        assert not queue.flush(5)
    assert sum(seen for cause, seen in queue.failures.items() if cause.startswith("write")) >= 2
    assert len([record for record in caplog.records if "write" in record.getMessage()]) == 1
    assert any(cause.startswith("dropped") for cause in queue.failures)  # not even a spill file can be had


def test_secrets_do_not_reach_the_disk(tmp_path):
    db = tmp_path / "traces.db"
    with tracing(db) as queue:

        def fails(prompt: str, options: dict[str, str]) -> None:
            raise ValueError(f"refused with {prompt}")

        with pytest.raises(ValueError, match=SECRET):
            decorate(queue, fails, "tool", "fails")(f"my key is {SECRET}", {"authorization": f"Bearer {SECRET}"})
        assert queue.flush()
        assert not [path.name for path in tmp_path.iterdir() if SECRET.encode() in path.read_bytes()]
    assert names(db) == ["fails"]
    assert not [path.name for path in tmp_path.iterdir() if SECRET.encode() in path.read_bytes()]


def test_secrets_do_not_reach_the_spill_file(tmp_path):
    db = tmp_path / "traces.db"
    with tracing(db) as queue:
        queue.limit = 0
        decorate(queue, lambda prompt: prompt, "span", "spilled")(f"my key is {SECRET}")
        (spilled,) = tmp_path.glob("traces.db.spill-*")
        assert b"spilled" in spilled.read_bytes()
        assert SECRET.encode() not in spilled.read_bytes()


def test_a_huge_argument_costs_a_bounded_time_and_room(tmp_path):
    copied, size = capture([[n] for n in range(1_000_000)])
    assert len(copied) <= MAX_NODES
    assert copied[-1].endswith("more")
    assert size < 5_000_000
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    capture(deep)


def test_a_change_after_the_call_does_not_change_what_was_recorded(tmp_path):
    db = tmp_path / "traces.db"
    with tracing(db) as queue:

        def clears(items: list[int], options: dict[str, list[int]]) -> list[int]:
            items.clear()
            options["more"].append(9)
            return items

        result = decorate(queue, clears, "span", "clears")([1, 2], {"more": []})
        result.append(7)
        assert queue.flush()
        with open_reader(db) as reader:
            (row,) = reader.spans()
            detail = reader.span(row.trace_id, row.span_id)
    assert detail.input.value == {"items": [1, 2], "options": {"more": []}}
    assert detail.output.value == []


def test_a_variable_switches_tracing_off_and_no_file_is_made(tmp_path):
    code = "from collector import observe, flush\n@observe\ndef f(): return 1\nprint(f(), f(), flush())"
    ended = program(code, tmp_path, TRACETUI_DISABLED="1", TRACETUI_DB=str(tmp_path / "traces.db"))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("1 1")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("leaves", "code"), [("sys.exit(3)", 3), ("sys.exit()", 0), ("raise KeyError('x')", 1)])
def test_spans_are_there_however_the_program_leaves(tmp_path, leaves, code):
    db = tmp_path / "traces.db"
    ended = program(
        f"import sys\nfrom collector import observe\n@observe\ndef f(): return 1\nf()\n{leaves}",
        tmp_path, TRACETUI_DB=str(db),
    )  # fmt: skip
    assert ended.returncode == code
    assert names(db) == ["f"]


def test_a_process_says_when_it_began_as_a_reader_will_read_it():
    assert abs(this_process().started_ns - psutil.Process().create_time() * 1e9) < 1e9
