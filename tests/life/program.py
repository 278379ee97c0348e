"""Traced programs as processes of their own: run to their end, or started and told what to do."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from collector.errors import NotFound, StoreError
from collector.store import open_reader
from collector.store.rows import SpanRow

ROOT = str(Path(__file__).parents[2])
DEADLINE_S = 30.0
EXIT_S = 2.0
SLACK_S = 3.0
"""What a loaded machine is given on top of the two seconds that an exit may be delayed."""

HEAD = """
import os, sys, time
from collector import observe, span, flush, configure, current_trace_id, traceparent, continue_trace
"""


def write(folder: Path, code: str, name: str = "program.py") -> Path:
    """A file, because spawned children import the program anew."""
    path = folder / name
    code = textwrap.dedent(code)
    path.write_text(code if "from collector import observe" in code else HEAD + code)
    return path


def environment(folder: Path, **variables: str) -> dict[str, str]:
    """The spans go to traces.db in the folder, unless variables say otherwise."""
    ours = {"PYTHONPATH": f"{ROOT}{os.pathsep}{folder}", "TRACETUI_DB": str(folder / "traces.db")}
    return os.environ | ours | variables


def run(
    folder: Path, code: str, *arguments: str, expect: int = 0, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end. Every warning is an error, among them Python's of a fork beside threads."""
    ended = subprocess.run(
        [sys.executable, "-W", "error", str(write(folder, code)), *arguments], cwd=folder, capture_output=True,
        text=True, env=environment(folder, **variables), timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == expect, ended.stderr
    assert expect or not any(word in ended.stderr for word in ("Traceback", "Exception ignored", "Warning:")), ended
    return ended


@contextmanager
def started(folder: Path, *command: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """`python COMMAND…` with pipes; killed at the end, if it is still there."""
    with subprocess.Popen(
        [sys.executable, *command], cwd=folder, env=environment(folder, **variables), text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as child:  # fmt: skip
        try:
            yield child
        finally:
            child.kill()


def line(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().rstrip("\n")


def until(condition: Callable[[], object], what: str = "") -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"still not so after {DEADLINE_S:.0f} s: {what}"
        time.sleep(0.01)


def spans(db: Path) -> list[SpanRow]:
    """All spans of a file; none while there is no file."""
    try:
        with open_reader(db) as reader:
            return reader.spans(limit=100_000)
    except (NotFound, StoreError):
        return []


def statuses(db: Path) -> dict[str, str]:
    return {row.name: row.status for row in spans(db)}


def named(db: Path) -> dict[str, SpanRow]:
    """The spans by name; each name once."""
    found = spans(db)
    assert len({row.name for row in found}) == len(found), [row.name for row in found]
    return {row.name: row for row in found}


def warnings_of(ended: subprocess.CompletedProcess[str]) -> list[str]:
    """What tracing said on stderr: one line a cause."""
    return [row for row in ended.stderr.splitlines() if row.startswith("tracing: ")]


def seconds_of_exit(ended: subprocess.CompletedProcess[str]) -> float:
    """From the program's last words, `print(time.monotonic())`, until now, when it has ended."""
    return time.monotonic() - float(ended.stdout.split()[-1])
