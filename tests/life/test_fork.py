"""A program that forks: nothing of ours is carried over, and both sides trace on."""

from __future__ import annotations

import os
import sys

import pytest

from tests.life.program import named, run, spans, statuses

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def test_at_a_fork_there_is_no_thread_of_ours_and_no_file_open(tmp_path):
    code = """
        import os, sys, threading
        def look():
            threads = len(os.listdir("/proc/self/task")) if sys.platform == "linux" else threading.active_count()
            opened = [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")
                      if os.path.exists(f"/proc/self/fd/{fd}")] if sys.platform == "linux" else []
            print(threads, sum("traces.db" in path for path in opened))
        os.register_at_fork(before=look)  # called after those that are registered later
        from collector import observe, span, flush
        with span("open"):
            with span("first"): pass
            flush()
            for n in range(5):
                with span(f"before {n}"): pass
                pid = os.fork()
                if not pid:
                    os._exit(0)
                os.waitpid(pid, 0)
    """
    assert run(tmp_path, code).stdout.split("\n")[:-1] == ["1 0"] * 5
    assert set(statuses(tmp_path / "traces.db").values()) == {"ok"}
    assert len(spans(tmp_path / "traces.db")) == 7


def test_what_is_queued_at_a_fork_is_the_parents_only_and_the_child_nests_under_its_open_span(tmp_path):
    code = """
        with span("outer") as outer:
            flush()
            with span("queued"): pass
            pid = os.fork()
            if not pid:
                with span("in child"):
                    with span("deeper"): pass
                sys.exit(0)  # unwinds `outer` here too, which is not the child's to end
            os.waitpid(pid, 0)
            with span("after"): pass
            outer.update(output="from the parent")
    """
    run(tmp_path, code)
    rows = named(tmp_path / "traces.db")
    assert {row.status for row in rows.values()} == {"ok"}
    outer = rows["outer"].span_id
    assert {name: row.parent_id for name, row in rows.items()} == {
        "outer": None, "queued": outer, "in child": outer, "deeper": rows["in child"].span_id, "after": outer,
    }  # fmt: skip
    assert rows["outer"].end_ns >= rows["after"].end_ns


@pytest.mark.skipif(sys.version_info[:2] == (3, 13), reason="there the next span starts the thread")
def test_the_thread_goes_on_by_itself_after_a_fork_while_a_span_is_open(tmp_path):
    code = """
        import collector.sdk.api as api
        def beats(): return api.QUEUE.worker.pulse.beat_at
        configure(heartbeat_s=0.1)
        with span("open"):
            flush()
            pid = os.fork()
            if not pid:
                os._exit(0)
            os.waitpid(pid, 0)
            before, deadline = beats(), time.monotonic() + 20
            while beats() == before and time.monotonic() < deadline:
                time.sleep(0.01)
            print(beats() > before)
    """
    assert run(tmp_path, code).stdout == "True\n"


def test_what_was_recorded_before_a_fork_is_written_before_it(tmp_path):
    code = """
        import sqlite3
        configure(tick_s=30, started_after_s=30)
        with span("first"): pass
        flush()
        with span("open"):
            with span("done"): pass
            pid = os.fork()
            if not pid:
                with sqlite3.connect(os.environ["TRACETUI_DB"]) as connection:
                    print([name for name, in connection.execute("select name from v_spans order by name")], flush=True)
                connection.close()
                os._exit(0)
            os.waitpid(pid, 0)
    """
    assert run(tmp_path, code).stdout == "['done', 'first', 'open']\n"


def test_without_an_open_span_no_thread_runs_until_the_next_one(tmp_path):
    code = """
        import threading
        with span("first"): pass
        flush()
        pid = os.fork()
        if not pid:
            print(threading.active_count(), flush=True)
            with span("in child"): pass
            print(threading.active_count(), flush=True)
            sys.exit(0)
        os.waitpid(pid, 0)
        print(threading.active_count())
        with span("second"): pass
        print(threading.active_count())
    """
    assert run(tmp_path, code).stdout.split() == ["1", "2", "1", "2"]
    assert statuses(tmp_path / "traces.db") == dict.fromkeys(("first", "in child", "second"), "ok")


def test_a_daemon_ends_the_spans_of_the_process_it_left(tmp_path):
    code = """
        with span("main"):
            flush()
            started_by = os.getpid()
            if os.fork():
                os._exit(0)
            with span("work"): pass
            while os.getppid() == started_by:
                time.sleep(0.01)
    """
    run(tmp_path, code)
    assert statuses(tmp_path / "traces.db") == {"main": "ok", "work": "ok"}


def test_threads_that_trace_while_another_forks_lose_nothing(tmp_path):
    code = """
        import threading
        @observe
        def step(n): return n
        def work():
            for n in range(150):
                step(n)
                time.sleep(0.002)
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads: thread.start()
        import warnings
        warnings.simplefilter("ignore")  # they are the program's own threads
        for _ in range(8):
            pid = os.fork()
            if not pid:
                step(-1)
                os._exit(not flush(60))
            assert os.waitpid(pid, 0)[1] == 0
        for thread in threads: thread.join()
        assert flush(60)
    """
    run(tmp_path, code)
    found = spans(tmp_path / "traces.db")
    assert len(found) == 3 * 150 + 8
    assert {row.status for row in found} == {"ok"}


def test_a_fork_waits_for_a_locked_file_but_not_for_ever_and_then_its_child_spills(tmp_path):
    code = """
        import sqlite3, warnings
        import collector.sdk.forks
        collector.sdk.forks.FORK_WAIT_S = 0.5
        warnings.simplefilter("ignore")  # the thread hangs in the file: this fork is beside it
        with span("first"): pass
        flush()
        other = sqlite3.connect(os.environ["TRACETUI_DB"], isolation_level=None)
        other.execute("begin immediate")
        with span("second"): pass
        flush(0.2)
        began = time.monotonic()
        pid = os.fork()
        if not pid:
            with span("in child"): pass
            flush()
            os._exit(0)
        print(time.monotonic() - began)
        os.waitpid(pid, 0)
        print(sum("spill" in name for name in os.listdir()))
        other.execute("rollback"); other.close()
        with span("third"): pass
        flush()
    """
    took, spilled = run(tmp_path, code).stdout.split()
    assert float(took) < 4.0
    assert spilled == "1"
    run(tmp_path, "pass\nwith span('next program'): pass")
    assert statuses(tmp_path / "traces.db") == dict.fromkeys(
        ("first", "second", "third", "in child", "next program"), "ok"
    )
