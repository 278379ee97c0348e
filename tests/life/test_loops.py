"""Loops that replace Python's own: greenlets and uvloop."""

from __future__ import annotations

import signal

import pytest

from tests.life.program import line, named, run, spans, started, statuses, write

GEVENT = "from gevent import monkey; monkey.patch_all()\n"


def nested(rows):
    names = {row.span_id: name for name, row in rows.items()}
    return {name: names.get(row.parent_id) for name, row in rows.items()}


def test_greenlets_nest_each_for_itself_and_nothing_hangs_at_the_exit(tmp_path):
    pytest.importorskip("gevent")
    code = (
        GEVENT
        + """
import gevent
from collector import observe, span, flush, carry_context
def one(n):
    with span(f"outer {n}"):
        gevent.sleep(0.001 * (10 - n))
        with span(f"inner {n}"):
            gevent.sleep(0.001 * n)
with span("root"):
    gevent.joinall([gevent.spawn(carry_context(one), n) for n in range(5)])
    gevent.spawn(one, 9).join()  # like a thread, it begins with nothing
"""
    )
    ended = run(tmp_path, code)
    assert ended.stderr == ""
    rows = named(tmp_path / "traces.db")
    assert {row.status for row in rows.values()} == {"ok"}
    want = {"root": None, "outer 9": None, "inner 9": "outer 9"}
    for n in range(5):
        want |= {f"outer {n}": "root", f"inner {n}": f"outer {n}"}
    assert nested(rows) == want


def test_a_greenlet_program_forks_flushes_and_is_terminated_like_any_other(tmp_path):
    pytest.importorskip("gevent")
    code = (
        GEVENT
        + """
import gevent, os, sys, time
from collector import observe, span, flush
with span("open"):
    assert flush()
    pid = os.fork()
    if not pid:
        with span("in child"): pass
        assert flush()
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    with span("last"): pass
    print("ready", flush=True)
    time.sleep(60)
"""
    )
    with started(tmp_path, str(write(tmp_path, code))) as child:
        assert line(child) == "ready"
        child.terminate()
        assert child.wait(20) == -signal.SIGTERM, child.stderr.read()
    assert statuses(tmp_path / "traces.db") == {"open": "abandoned", "in child": "ok", "last": "ok"}


def test_tasks_on_uvloop_nest_and_arrive(tmp_path):
    pytest.importorskip("uvloop")
    code = """
        import asyncio, uvloop
        @observe
        async def inner(n):
            await asyncio.sleep(0.001 * (5 - n))
            return await asyncio.to_thread(threaded, n)
        @observe
        def threaded(n):
            with span(f"thread {n}"): return n
        async def main():
            with span("root"):
                async def one(n):
                    with span(f"outer {n}"):
                        await asyncio.sleep(0.001)
                        with span(f"inner {n}"): await inner(n)
                await asyncio.gather(*[one(n) for n in range(3)])
            assert await asyncio.to_thread(flush)
        uvloop.install() if not hasattr(uvloop, "run") else None
        uvloop.run(main())
        print(os.path.getsize(os.environ["TRACETUI_DB"]) > 0)
    """
    ended = run(tmp_path, code)
    assert (ended.stdout, ended.stderr) == ("True\n", "")
    rows = spans(tmp_path / "traces.db")
    parents = {row.span_id: row.name for row in rows}
    found = {(row.name, parents.get(row.parent_id)) for row in rows}
    want = {("root", None), ("threaded", "inner")}
    for n in range(3):
        want |= {
            (f"outer {n}", "root"),
            (f"inner {n}", f"outer {n}"),
            ("inner", f"inner {n}"),
            (f"thread {n}", "threaded"),
        }
    assert found == want
