"""However a program ends: what was older than a tick is there, and an orderly exit leaves everything."""

from __future__ import annotations

import sys
import time

import pytest

from tests.life.program import line, run, spans, started, statuses, until, write

CRASH = """
with span("open"):
    with span("done"): pass
    print("ready", flush=True)  # nobody calls flush()
    sys.stdin.readline()
    {end}
"""
ENDS = {
    "os._exit": ("os._exit(3)", 3),
    "a crash in C": ("import ctypes; ctypes.string_at(0)", -11),
    "abort": ("os.abort()", -6),
    "SIGKILL": ("os.kill(os.getpid(), 9)", -9),
}


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("end", list(ENDS))
def test_what_is_older_than_a_tick_survives(tmp_path, end):
    how, code = ENDS[end]
    db = tmp_path / "traces.db"
    with started(tmp_path, str(write(tmp_path, CRASH.format(end=how)))) as child:
        assert line(child) == "ready"
        until(lambda: statuses(db) == {"done": "ok", "open": "running"}, "both are written, unasked")
        child.stdin.write("\n")
        child.stdin.flush()
        assert child.wait(20) == code
    assert statuses(db) == {"done": "ok", "open": "abandoned"}


def test_spans_of_threads_that_outlive_the_main_one_are_there(tmp_path):
    code = """
        import threading
        def late():
            threading.main_thread().join()
            with span("late"): pass
        threading.Thread(target=late).start()
        with span("main"): pass
    """
    run(tmp_path, code)
    assert statuses(tmp_path / "traces.db") == {"main": "ok", "late": "ok"}


def test_a_first_span_after_the_main_thread_has_ended_is_there(tmp_path):
    code = """
        import threading
        def late():
            threading.main_thread().join()
            with span("late"): pass
        threading.Thread(target=late).start()
    """
    run(tmp_path, code)
    assert statuses(tmp_path / "traces.db") == {"late": "ok"}


def test_spans_of_exit_handlers_are_there_or_with_the_next_program(tmp_path):
    code = """
        import atexit
        from collector import score
        def at_exit(name):
            with span(name): pass
        atexit.register(at_exit, "after ours")
        def scored():
            with span("scored") as s: score("fine", True)
        atexit.register(scored)
        with span("main"): pass
        atexit.register(at_exit, "before ours")
    """
    db = tmp_path / "traces.db"
    run(tmp_path, code)
    assert statuses(db) == {"main": "ok", "before ours": "ok"}
    run(tmp_path, "with span('next program'): pass", TRACETUI_EXIT_WAIT_S="30")
    assert statuses(db) == dict.fromkeys(("main", "before ours", "after ours", "scored", "next program"), "ok")
    assert not list(tmp_path.glob("*.spill-*"))


def test_spans_that_end_while_the_interpreter_goes_down_harm_nothing(tmp_path):
    code = """
        import threading
        class Held:
            def __init__(self): self.span = span("held").__enter__()
            def __del__(self): self.span.__exit__(None, None, None)
        held = Held()
        @observe
        def step(): return 1
        def for_ever():
            while True:
                step()
                time.sleep(0.001)
        threading.Thread(target=for_ever, daemon=True).start()
        @observe
        def numbers():
            yield 1
            yield 2
        unclosed = numbers()
        next(unclosed)
        with span("main"): pass
    """
    ended = run(tmp_path, code)
    assert ended.stderr == ""
    assert {"main", "step"} <= {row.name for row in spans(tmp_path / "traces.db")}


@pytest.mark.slow
def test_a_long_spill_is_read_back_by_several_short_programs(tmp_path):
    code = """
        import collector.sdk.api as api
        api.QUEUE.at_exit()  # from now on all is spilled
        @observe
        def work(n): return n
        for n in range(1200): work(n)
    """
    run(tmp_path, code)
    (spill,) = tmp_path.glob("*.spill*")
    assert len(spill.read_bytes().splitlines()) == 1200
    code = """
        from collector import spilled
        from collector.ingest import Ingest
        from collector.settings import Settings
        from pathlib import Path
        with Ingest(Path("traces.db"), Settings()) as ingest:
            for batch in spilled.claim(Path("traces.db")):
                ingest.write(batch)
                if len(sys.argv) > 1: os._exit(0)  # after the first piece is written, before that is said
    """
    run(tmp_path, code, "die")
    run(tmp_path, code)
    assert not list(tmp_path.glob("*.spill*"))
    assert len(spans(tmp_path / "traces.db")) == 1200


def test_an_exit_takes_no_noticeable_time_when_nothing_is_in_the_way(tmp_path):
    ended = run(tmp_path, "with span('x'): pass\nflush()\nprint(time.monotonic())")
    assert time.monotonic() - float(ended.stdout) < 2.0
