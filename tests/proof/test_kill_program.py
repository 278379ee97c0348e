"""A traced program that dies leaves what it did, and nothing of it runs for ever; one that sleeps is not dead."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from collector.errors import NotFound, StoreError
from collector.store import open_reader
from collector.store.rows import SpanRow
from tests.proof.processes import line, listening, started, until
from tests.store.audit import audit

TICK_S = 0.05
LATE_S = 10 * TICK_S
"""What a loaded machine is given on top of a tick."""

HOURS_NS = 2 * 3600 * 10**9

WORKING = """
import time
from collector import flush, observe, span

@observe(kind="tool")
def step(n):
    return n

with span("agent", kind="agent"):
    step(0)
    assert flush()
    n = 0
    while True:
        n += 1
        step(n)
        print(n, time.monotonic(), flush=True)
        time.sleep(0.002)
"""

WAITING = """
import sys, time
from collector import span

with span("agent", kind="agent") as agent:
    with span("think", kind="llm"):
        print("thinking", flush=True)
        {wait}
    agent.update(output="done")
"""


@contextmanager
def traced(program: str, path: Path) -> Iterator[subprocess.Popen[str]]:
    with started("-c", program, cwd=path.parent, TRACETUI_DB=str(path)) as child:
        yield child


def spans(path: Path, *, later_ns: int = 0) -> dict[str, SpanRow]:
    """The spans by name (the steps by number), as a reader sees them that far in the future."""
    try:
        with open_reader(path, now_ns=lambda: time.time_ns() + later_ns) as reader:
            return {row.name if row.name != "step" else row.span_id: row for row in reader.spans(limit=100_000)}
    except (NotFound, StoreError):
        return {}  # not there yet


def is_(path: Path, name: str, status: str) -> bool:
    row = spans(path).get(name)
    return row is not None and row.status == status


def steps(path: Path) -> set[int]:
    """The numbers of the steps that are in the file, finished."""
    with open_reader(path) as reader:
        found = [part for part in reader.parts() if part.name == "step" and part.end_ns is not None]
    return {part.reading.output.value for part in found if part.reading.output is not None}  # type: ignore[misc]


def test_a_killed_program_loses_at_most_its_last_tick(tmp_path: Path) -> None:
    path = tmp_path / "traces.db"
    finished: dict[int, float] = {}
    with traced(WORKING, path) as child:
        until(lambda: is_(path, "agent", "running"), "the agent runs")
        deadline = time.monotonic() + 1.2
        while time.monotonic() < deadline:
            number, at = line(child).split()
            finished[int(number)] = float(at)
        killed = time.monotonic()
        child.kill()
        rest, _ = child.communicate()
    finished |= {int(row.split()[0]): float(row.split()[1]) for row in rest.splitlines() if len(row.split()) == 2}
    missing = set(finished) - steps(path)
    lost_s = max((killed - finished[n] for n in missing), default=0.0)
    print(
        f"\n{len(finished)} steps finished, {len(missing)} lost,"
        f" the oldest finished {lost_s * 1000:.0f} ms before the kill"
    )
    assert len(finished) > 20
    assert lost_s < TICK_S + LATE_S
    assert spans(path)["agent"].status == "abandoned"
    with open_reader(path) as reader:
        (trace,) = reader.traces()
    assert trace.status == "abandoned"
    audit(path)


def test_an_open_span_of_a_killed_program_is_abandoned_at_once(tmp_path: Path) -> None:
    path = tmp_path / "traces.db"
    with traced(WAITING.format(wait="sys.stdin.readline()"), path) as child:
        until(lambda: is_(path, "think", "running") and is_(path, "agent", "running"), "both spans run")
        child.kill()
        child.wait()
        assert {name: row.status for name, row in spans(path).items()} == {"agent": "abandoned", "think": "abandoned"}


@pytest.mark.skipif(os.name == "nt", reason="SIGSTOP is POSIX")
def test_a_stopped_program_is_running_and_finishes_when_it_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "traces.db"
    with traced(WAITING.format(wait="sys.stdin.readline()"), path) as child:
        assert line(child) == "thinking"
        until(lambda: is_(path, "think", "running"), "the span is written as started")
        child.send_signal(signal.SIGSTOP)
        until(lambda: "T (stopped)" in Path(f"/proc/{child.pid}/status").read_text(), "it is stopped")
        for later_ns in (0, HOURS_NS):  # no heartbeat for hours: the process table decides
            assert {row.status for row in spans(path, later_ns=later_ns).values()} == {"running"}
        child.send_signal(signal.SIGCONT)
        child.communicate("go on\n", timeout=20)
        assert child.returncode == 0
    assert not path.with_name("traces.db-wal").exists()
    assert {name: row.status for name, row in spans(path).items()} == {"agent": "ok", "think": "ok"}
    audit(path)


def test_a_program_that_sleeps_is_running(tmp_path: Path) -> None:
    path = tmp_path / "traces.db"
    with traced(WAITING.format(wait="time.sleep(1000)"), path) as child:
        until(lambda: is_(path, "think", "running"), "the span is written as started")
        assert {row.status for row in spans(path, later_ns=HOURS_NS).values()} == {"running"}
        child.terminate()
        child.wait()
        until(lambda: {row.status for row in spans(path).values()} == {"abandoned"}, "its spans are abandoned")


def test_the_heartbeat_of_a_sleeping_program_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "traces.db"

    def heartbeat_ns() -> int:
        with open_reader(path) as reader:
            return max(process.heartbeat_ns for process in reader.processes())

    with traced(WAITING.format(wait="time.sleep(1000)"), path):
        until(lambda: is_(path, "think", "running"), "the span is written as started")
        first = heartbeat_ns()
        until(lambda: heartbeat_ns() > first, "another heartbeat")


COLLECT = ("-m", "tracetui", "collect", "--json", "--http-port", "0", "--grpc-port", "0", "--db")


def test_a_program_that_sends_to_a_collector_is_watched_like_any_other(tmp_path: Path) -> None:
    path = tmp_path / "traces.db"
    with started(*COLLECT, str(path), cwd=tmp_path) as collector:
        url = f"http://127.0.0.1:{listening(collector)['ports']['http']}"
        with started("-c", WAITING.format(wait="sys.stdin.readline()"), cwd=tmp_path, TRACETUI_URL=url) as child:
            until(lambda: is_(path, "think", "running") and is_(path, "agent", "running"), "both spans run")
            child.kill()
            child.wait()
            assert {row.status for row in spans(path).values()} == {"abandoned"}
