"""What is stored as running is abandoned when its process is gone: judged when read, the same in every answer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from collector.model import Process
from collector.store import hostid, open_reader
from collector.store.filters import parse
from tests.builders import MS, T0, make_part, make_started, trace_id
from tests.store_read.files import write

S = 1000 * MS
posix = pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")


def statuses(path: Path, now_ns: int | None = None) -> dict[int, str]:
    """The status of each trace; spans, filters, counts and sessions must tell the same."""
    with open_reader(path, now_ns=None if now_ns is None else lambda: now_ns) as reader:
        found = {int(row.trace_id, 16): row.status for row in reader.traces()}
        for status in ("running", "abandoned", "ok", "error"):
            expected = {n for n, s in found.items() if s == status}
            where = parse(f"status:{status}", T0)
            assert {int(row.trace_id, 16) for row in reader.traces(where)} == expected
            assert reader.totals(where).traces == len(expected)
            unlike = parse(f"-status:{status}", T0)
            assert {int(row.trace_id, 16) for row in reader.traces(unlike)} == found.keys() - expected
            assert {(row.trace_id, row.span_id) for row in reader.spans(where)} == {
                (row.trace_id, row.span_id) for row in reader.spans() if row.status == status
            }
        for n, status in found.items():
            assert reader.trace(trace_id(n)).status == status
            rows = reader.tree_spans(trace_id(n))
            assert [reader.span(row.trace_id, row.span_id).row.status for row in rows] == [row.status for row in rows]
            if status in ("running", "abandoned"):
                assert status in {row.status for row in rows}
    return found


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "import time; print(1, flush=True); time.sleep(600)"],
                          stdout=subprocess.PIPE) as process:  # fmt: skip
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def here(pid: int, **fields: object) -> Process:
    """A process of this machine, as the SDK would announce it."""
    values = {
        "process_id": f"p{pid}", "pid": pid, "started_ns": int(psutil.Process(pid).create_time() * 1e9),
        "boot_id": hostid.boot_id(), "pid_namespace": hostid.pid_namespace(), "heartbeat_ns": T0, **fields,
    }  # fmt: skip
    return Process(**values)  # type: ignore[arg-type]


@posix
def test_a_span_of_a_killed_process_is_abandoned(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    process = here(sleeper.pid, heartbeat_ns=time.time_ns())
    path = write(tmp_path / "t.db", make_started(1, trace=trace_id(1), process_id=process.process_id),
                 make_part(2, trace=trace_id(2), process_id=process.process_id), processes=[process])  # fmt: skip
    assert statuses(path) == {1: "running", 2: "ok"}
    sleeper.send_signal(signal.SIGKILL)
    sleeper.wait()
    assert statuses(path) == {1: "abandoned", 2: "ok"}


@posix
def test_a_killed_process_that_nobody_buried_is_dead(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    process = here(sleeper.pid)
    path = write(tmp_path / "t.db", make_started(1, trace=trace_id(1), process_id=process.process_id),
                 processes=[process])  # fmt: skip
    sleeper.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while psutil.Process(sleeper.pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
    assert statuses(path) == {1: "abandoned"}


@posix
def test_a_stopped_process_is_alive_however_long_ago_it_was_heard_of(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    process = here(sleeper.pid)
    path = write(tmp_path / "t.db", make_started(1, trace=trace_id(1), process_id=process.process_id),
                 processes=[process])  # fmt: skip
    sleeper.send_signal(signal.SIGSTOP)
    deadline = time.monotonic() + 10
    while psutil.Process(sleeper.pid).status() != psutil.STATUS_STOPPED:
        assert time.monotonic() < deadline
    assert statuses(path, now_ns=T0 + 86400 * S) == {1: "running"}


def test_a_recycled_pid_is_not_the_process_that_had_it(tmp_path: Path) -> None:
    mine = here(os.getpid())
    gone = here(os.getpid(), process_id="old", started_ns=mine.started_ns - 10 * S)
    path = write(tmp_path / "t.db", make_started(1, trace=trace_id(1), process_id=mine.process_id),
                 make_started(1, trace=trace_id(2), process_id="old"), processes=[mine, gone])  # fmt: skip
    assert statuses(path) == {1: "running", 2: "abandoned"}


@pytest.mark.parametrize("elsewhere", [{"boot_id": "another"}, {"pid_namespace": "pid:[1]"}, {"boot_id": ""}])
def test_elsewhere_the_heartbeat_decides_and_is_over_after_a_minute(tmp_path: Path, elsewhere: dict[str, str]) -> None:
    process = here(os.getpid(), heartbeat_ns=T0, **elsewhere)
    path = write(tmp_path / "t.db", make_started(1, trace=trace_id(1), process_id=process.process_id),
                 processes=[process])  # fmt: skip
    assert statuses(path, now_ns=T0 + 60 * S) == {1: "running"}
    assert statuses(path, now_ns=T0 + 60 * S + 1) == {1: "abandoned"}


def test_a_process_that_said_it_ended_left_its_open_spans(tmp_path: Path) -> None:
    process = here(os.getpid(), ended_ns=T0 + 1)
    path = write(tmp_path / "t.db", make_started(1, trace=trace_id(1), process_id=process.process_id),
                 processes=[process])  # fmt: skip
    assert statuses(path, now_ns=T0) == {1: "abandoned"}


@pytest.mark.parametrize("process_id", [None, "never announced"])
def test_without_a_process_a_span_is_abandoned_after_an_hour_of_quiet(tmp_path: Path, process_id: str | None) -> None:
    before = time.time_ns()
    path = write(tmp_path / "t.db", make_started(1, trace=trace_id(1), process_id=process_id))
    after = time.time_ns()
    assert statuses(path, now_ns=before + 3600 * S) == {1: "running"}
    assert statuses(path, now_ns=after + 3600 * S + 1) == {1: "abandoned"}


def test_a_dead_process_says_nothing_of_spans_without_one(tmp_path: Path) -> None:
    dead = here(os.getpid(), process_id="dead", ended_ns=T0)
    path = write(tmp_path / "t.db", make_started(1, trace=trace_id(1), process_id="dead"),
                 make_started(1, trace=trace_id(2)), processes=[dead])  # fmt: skip
    assert statuses(path) == {1: "abandoned", 2: "running"}


def test_a_trace_runs_while_one_of_its_spans_does_and_fails_with_its_root(tmp_path: Path) -> None:
    dead = here(os.getpid(), process_id="dead", ended_ns=T0)
    alive = here(os.getpid(), process_id="alive")
    path = write(
        tmp_path / "t.db",
        make_part(1, trace=trace_id(1)), make_started(2, parent=1, trace=trace_id(1), process_id="dead"),
        make_started(3, parent=1, trace=trace_id(1), process_id="alive"),
        make_part(1, trace=trace_id(2)), make_started(2, parent=1, trace=trace_id(2), process_id="dead"),
        make_part(1, trace=trace_id(3), status="error"),
        make_started(2, parent=1, trace=trace_id(3), process_id="alive"),
        make_part(1, trace=trace_id(4)), make_part(2, parent=1, trace=trace_id(4), status="error"),
        processes=[dead, alive],
    )  # fmt: skip
    assert statuses(path) == {1: "running", 2: "abandoned", 3: "error", 4: "ok"}
    with open_reader(path) as reader:
        assert reader.trace(trace_id(1)).running_count == 2
        assert reader.trace(trace_id(4)).error_count == 1


def test_this_process_is_alive_and_an_unused_pid_is_not() -> None:
    assert hostid.alive(os.getpid(), 0)
    assert hostid.alive(os.getpid(), int(psutil.Process().create_time() * 1e9))
    assert not hostid.alive(2**30, 0)
