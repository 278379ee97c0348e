"""Children of multiprocessing, whatever way they are started: their spans are there, where the parent's are."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from collector.sdk import inherit
from collector.store import open_reader
from tests.life.program import named, run, spans, statuses, warnings_of

METHODS = ["fork", "spawn", "forkserver"]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork")

MAIN = """
import multiprocessing as mp
from concurrent.futures import ProcessPoolExecutor

@observe
def work(n):
    return n * n

def within(headers, n):
    with continue_trace(headers):
        return work(n)

def main(context):
    {body}

if __name__ == "__main__":
    {before}
    main(mp.get_context(sys.argv[1]))
"""

ALL = """
    with span("outer"):
        headers = {"traceparent": traceparent()}
        one = context.Process(target=within, args=(headers, 0))
        one.start(); one.join()
        with context.Pool(1, maxtasksperchild=2) as pool:
            pool.starmap(within, [(headers, n) for n in range(1, 5)], chunksize=1)
            pool.close(); pool.join()
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            list(pool.map(within, [headers] * 2, range(5, 7)))
"""


def program(body: str, before: str = "pass") -> str:
    return MAIN.replace("{body}", body.strip()).replace("{before}", before)


@pytest.mark.parametrize("method", METHODS)
def test_processes_pools_and_executors_leave_every_span_in_the_trace_they_were_handed(tmp_path, method):
    run(tmp_path, program(ALL), method)
    assert not (tmp_path / "traces.db-wal").exists()
    found = spans(tmp_path / "traces.db")
    (outer,) = [row for row in found if row.name == "outer"]
    work = [row for row in found if row.name == "work"]
    assert {row.status for row in found} == {"ok"}
    assert [(row.trace_id, row.parent_id) for row in work] == [(outer.trace_id, outer.span_id)] * 7


@pytest.mark.parametrize("method", METHODS)
def test_what_configure_said_in_the_parent_holds_in_its_children_and_in_theirs(tmp_path, method):
    body = """
    one = context.Process(target=middle, args=(sys.argv[1],))
    one.start(); one.join()
"""
    code = program(body, "configure(db='elsewhere.db', service='parent', token='t0p-secret', capture_output=False)")
    code = code.replace(
        "def main(context):",
        "def middle(method):\n    work(2)\n    one = mp.get_context(method).Process(target=work, args=(3,))\n"
        "    one.start(); one.join()\n    assert 't0p-secret' not in str(os.environ)\n\ndef main(context):",
    )
    run(tmp_path, code, method)
    found = spans(tmp_path / "elsewhere.db")
    assert [(row.name, row.service) for row in found] == [("work", "parent")] * 2
    assert not (tmp_path / "traces.db").exists()


@pytest.mark.parametrize(("mask", "kept"), [("hide", "hidden"), ("lambda text: 'hidden'", "")])
def test_a_mask_reaches_a_spawned_child_or_no_content_leaves_it(tmp_path, mask, kept):
    body = """
    one = context.Process(target=work, args=("a secret",))
    one.start(); one.join()
"""
    code = program(body, f"configure(mask={mask})").replace("return n * n", "return str(n)")
    run(tmp_path, code.replace("\ndef main", "\ndef hide(text):\n    return 'hidden'\n\ndef main", 1), "spawn")
    (row,) = spans(tmp_path / "traces.db")
    assert "secret" not in (tmp_path / "traces.db").read_bytes().decode(errors="replace")
    with open_reader(tmp_path / "traces.db") as reader:
        output = reader.span(row.trace_id, row.span_id).output
    assert (str(output.value) if output is not None else "") == kept


def test_a_pool_that_is_terminated_leaves_what_its_workers_did(tmp_path):
    body = """
    with context.Pool(2) as pool:  # leaving the block terminates it
        pool.map(work, range(1, 9), chunksize=1)
        for n in range(8):
            pool.apply_async(time.sleep, (60,))
"""
    run(tmp_path, program(body, "work(0); flush()"), "fork")
    found = spans(tmp_path / "traces.db")
    assert sorted(row.status for row in found) == ["ok"] * 9


def test_a_child_that_is_terminated_dies_by_the_signal_and_leaves_its_open_span(tmp_path):
    body = """
    ready = context.Event()
    one = context.Process(target=wait, args=(ready,))
    one.start()
    assert ready.wait(30)
    one.terminate(); one.join()
    print(one.exitcode)
"""
    wait = """
def wait(ready):
    with span("waits"):
        work(1)
        ready.set()
        time.sleep(60)

def main"""
    code = program(body).replace("\ndef main", wait, 1)
    assert run(tmp_path, code, "spawn").stdout == "-15\n"
    assert statuses(tmp_path / "traces.db") == {"waits": "abandoned", "work": "ok"}


def test_settings_are_read_by_children_of_the_process_that_wrote_them_only(tmp_path):
    code = """
        import subprocess
        configure(db="elsewhere.db")
        with span("parent"): pass
        other = "from collector import span\\nwith span('other program'): pass"
        subprocess.run([sys.executable, "-c", other], check=True)
    """
    run(tmp_path, code)
    assert list(named(tmp_path / "elsewhere.db")) == ["parent"]
    assert list(named(tmp_path / "traces.db")) == ["other program"]


def test_tracing_that_begins_in_a_child_is_flushed_when_it_ends(tmp_path):
    body = """
    one = context.Process(target=work, args=(3,))
    one.start(); one.join()
"""
    run(tmp_path, program(body), "fork")
    assert list(named(tmp_path / "traces.db")) == ["work"]


def shout(text: str) -> str:
    return text.upper()


@pytest.fixture
def _clean(monkeypatch):
    monkeypatch.setenv(inherit.VARIABLE, "")


@pytest.mark.usefixtures("_clean")
def test_no_token_and_no_password_goes_into_the_environment():
    assert inherit.hand_on({"token": "secret", "url": "https://me:secret@host:4318/x", "service": "s"}, Path()) is None
    said = os.environ[inherit.VARIABLE]
    assert "secret" not in said
    assert json.loads(said)["arguments"] == {"url": "https://host:4318/x", "service": "s"}


@pytest.mark.usefixtures("_clean")
def test_a_function_goes_by_its_name_and_one_without_a_name_takes_the_contents_with_it():
    inherit.hand_on({"mask": shout}, Path())
    said = json.loads(os.environ[inherit.VARIABLE])
    assert (said["arguments"], said["functions"]) == ({}, {"mask": f"{__name__}:shout"})
    inherit.hand_on({"mask": lambda text: text}, Path())
    assert json.loads(os.environ[inherit.VARIABLE])["arguments"] == {"capture_content": "metadata"}


@pytest.mark.usefixtures("_clean")
def test_settings_too_long_for_an_environment_are_not_handed_on():
    assert "longer" in str(inherit.hand_on({"service": "s" * 100_000}, Path()))
    assert inherit.VARIABLE not in os.environ


def test_a_program_is_told_when_its_settings_cannot_be_handed_on(tmp_path):
    ended = run(tmp_path, "configure(service='s' * 100_000)\nwith span('x'): pass\n")
    assert len(warnings_of(ended)) == 1
