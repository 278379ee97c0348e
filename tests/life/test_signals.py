"""SIGTERM: what there is is written and the process dies by it; whoever handles it is left alone."""

from __future__ import annotations

import signal
import sqlite3
import sys
import time
from contextlib import closing

import pytest

from tests.life.program import EXIT_S, SLACK_S, line, run, spans, started, statuses, write

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")

QUIET = "configure(tick_s=30)  # nothing is written but by the exit\n"
WAITS = """
import signal
with span("first"): pass
flush()
{before}
with span("open"):
    with span("last"): pass
    print("ready", flush=True)
    {waits}
"""


def program(before: str = "", waits: str = "time.sleep(60)") -> str:
    return QUIET + WAITS.format(before=before, waits=waits)


def test_a_terminated_program_writes_what_it_has_and_dies_by_the_signal(tmp_path):
    with started(tmp_path, str(write(tmp_path, program()))) as child:
        assert line(child) == "ready"
        child.terminate()
        assert child.wait(20) == -signal.SIGTERM
        assert child.stderr.read() == ""
    assert not (tmp_path / "traces.db-wal").exists()
    assert statuses(tmp_path / "traces.db") == {"first": "ok", "last": "ok", "open": "abandoned"}


def test_a_program_that_hangs_in_a_locked_file_still_dies_in_time(tmp_path):
    code = program(waits="sys.stdin.readline(); print('go', flush=True); time.sleep(60)")
    with started(tmp_path, str(write(tmp_path, code))) as child:
        assert line(child) == "ready"
        with closing(sqlite3.connect(tmp_path / "traces.db", isolation_level=None)) as other:
            other.execute("begin immediate")
            began = time.monotonic()
            child.terminate()
            assert child.wait(20) == -signal.SIGTERM
            took = time.monotonic() - began
            other.execute("rollback")
    assert took < EXIT_S + SLACK_S
    (spilled,) = tmp_path.glob("traces.db.spill-*")
    run(tmp_path, "with span('next program'): pass", TRACETUI_EXIT_WAIT_S="30")
    assert not spilled.exists()
    assert statuses(tmp_path / "traces.db") == {
        "first": "ok", "last": "ok", "next program": "ok", "open": "abandoned",
    }  # fmt: skip


def test_a_second_signal_ends_the_program_at_once(tmp_path):
    code = "configure(exit_wait_s=60)\n" + program().removeprefix(QUIET)
    with started(tmp_path, str(write(tmp_path, code))) as child:
        assert line(child) == "ready"
        with closing(sqlite3.connect(tmp_path / "traces.db", isolation_level=None)) as other:
            other.execute("begin immediate")
            began = time.monotonic()
            while child.poll() is None:
                child.terminate()
                assert time.monotonic() - began < 20
                time.sleep(0.02)
            other.execute("rollback")
    assert child.returncode == -signal.SIGTERM
    assert time.monotonic() - began < 20


HANDLER = "signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))"


@pytest.mark.parametrize("place", ["before", "after"])
def test_a_handler_of_the_programs_own_wins(tmp_path, place):
    code = program(before=HANDLER) if place == "after" else f"import signal\n{HANDLER}\n{program()}"
    with started(tmp_path, str(write(tmp_path, code))) as child:
        assert line(child) == "ready"
        child.terminate()
        assert child.wait(20) == 7
    assert statuses(tmp_path / "traces.db") == {"first": "ok", "last": "ok", "open": "error"}


def test_a_handler_that_calls_the_one_before_it_decides_how_the_program_ends(tmp_path):
    before = """
def mine(*args):
    theirs(*args)
    print("still here", flush=True)
    os._exit(9)
theirs = signal.signal(signal.SIGTERM, mine)
"""
    with started(tmp_path, str(write(tmp_path, program(before=before)))) as child:
        assert line(child) == "ready"
        child.terminate()
        assert line(child) == "still here"
        assert child.wait(20) == 9
    assert statuses(tmp_path / "traces.db")["last"] == "ok"


def test_a_signal_that_the_program_ignores_and_an_interrupt_are_left_as_they_are(tmp_path):
    code = """
        import signal
        interrupt = signal.getsignal(signal.SIGINT)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        with span("x"): pass
        flush()
        print(signal.getsignal(signal.SIGTERM) is signal.SIG_IGN, signal.getsignal(signal.SIGINT) is interrupt)
    """
    assert run(tmp_path, code).stdout == "True True\n"


def test_tracing_that_begins_off_the_main_thread_leaves_the_signal_alone(tmp_path):
    code = """
        import signal, threading
        @observe
        def work(): return 1
        thread = threading.Thread(target=work); thread.start(); thread.join()
        flush()
        print(signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)
    """
    assert run(tmp_path, code).stdout == "True\n"
    assert len(spans(tmp_path / "traces.db")) == 1


def test_a_signal_during_a_spill_does_not_hang_the_program(tmp_path):
    """The signal comes while the main thread holds the lock of the spill file."""
    code = """
        import signal
        import collector.sdk.api as api
        with span("first"): pass
        flush()
        with api.QUEUE.spill_lock, api.QUEUE.lock:
            with span("last"): pass
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(60)
    """
    began = time.monotonic()
    run(tmp_path, code, expect=-signal.SIGTERM, TRACETUI_EXIT_WAIT_S="0.5")
    assert time.monotonic() - began < 20
    assert statuses(tmp_path / "traces.db")["last"] == "ok"
