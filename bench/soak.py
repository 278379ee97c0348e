"""Does the explorer hold ever more while it runs? An hour's worth of spans in minutes, with the user about.

A process writes spans at a steady rate; the explorer runs in a real pty of 120 x 36 cells with a hand on the keys: it
scrolls, filters, searches, opens a trace with all its tabs, its context, graph and signals, and goes round all screens.
After each round of keys its memory is read, and the writer's beside it. Flat means: the last third is about what the
middle one was.
Run: python -m bench soak -- --spans 100000      (200 s at 500 spans a second: an hour of 28 a second)
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from statistics import mean

import pexpect

from bench.report import figure, head, load, memory_mb, say

COLUMNS, ROWS = 120, 36
NAMED = {"esc": b"\x1b", "enter": b"\r", "tab": b"\t", "pageup": b"\x1b[5~", "pagedown": b"\x1b[6~"}
WALK = """
1 g pagedown pagedown G k pageup t esc G
f m o d e l : g p t * enter k esc G
enter j 2 3 4 5 1 tab j tab + 0 v v v v = = c j esc a esc ! esc J esc y esc } { esc
2 k enter n esc 3 c c c c 4 5 j 6 j esc i esc ? esc
1 / o r d e r enter n enter esc esc G
"""
ROUND = tuple(NAMED.get(key, key.encode()) for key in WALK.split())
PAUSE_S = 0.1
WRITE = """
import sys, time
from pathlib import Path
from bench.commit_to_frame import BATCH
from bench.generate import Maker
from collector.ingest import Ingest
from collector.protocols import otlp
from collector.settings import Settings
path, spans, rate = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
maker = Maker("genai", seed=5)
with Ingest(path, Settings(db=path)) as ingest:
    began = time.monotonic()
    for at in range(0, spans, 100):
        time.sleep(max(began + at / rate - time.monotonic(), 0) if rate else 0)
        request, into = maker.request("soak")
        for n in range(5):
            maker.run(into, time.time_ns() - n * 1_000_000)
        ingest.write(otlp.decode_traces(request.SerializeToString(), "application/x-protobuf"))
        ingest.chores()
        if not at:
            print("ready", flush=True)
    while ingest.chores():
        pass
"""


def drain(child: pexpect.spawn, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            child.read_nonblocking(65536, timeout=0.02)
        except pexpect.TIMEOUT:
            continue


def soak(path: Path, spans: int, rate: int) -> tuple[list[float], list[float]]:
    """Megabytes of the explorer and of the writer, after each round of keys."""
    command = [sys.executable, "-c", WRITE, str(path), str(spans), str(rate)]
    writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert writer.stdout
    assert writer.stdout.readline() == "ready\n"
    env = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
    child = pexpect.spawn(sys.executable, ["-m", "tracetui", str(path)], dimensions=(ROWS, COLUMNS), env=env)  # type: ignore[arg-type]
    child.expect_exact(b"support-agent")
    ours, theirs = list[float](), list[float]()
    while writer.poll() is None:
        for key in ROUND:  # an esc and the next key would be one, were there no pause
            os.write(child.fileno(), key)
            drain(child, PAUSE_S)
        assert child.isalive(), "the explorer ended"
        with suppress(LookupError, OSError):  # the writer may just have ended
            theirs.append(memory_mb(writer.pid, "VmRSS"))
            ours.append(memory_mb(child.pid, "VmRSS"))
    assert writer.returncode == 0
    child.close(force=True)
    return ours, theirs


def tell(what: str, mb: list[float]) -> None:
    third = max(len(mb) // 3, 1)
    middle, last = mean(mb[third : 2 * third] or mb), mean(mb[-third:])
    figure(
        f"memory of {what}, by thirds", f"{mean(mb[:third]):.0f}, {middle:.0f}, {last:.0f} MB, most {max(mb):.0f};"
        f" the last third {100 * (last / middle - 1):+.1f} % of the middle one", "flat",
    )  # fmt: skip


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench soak")
    parser.add_argument("--spans", type=int, default=18_000, help="[18000]; 100000 are an hour of 28 a second")
    parser.add_argument("--rate", type=int, default=500, help="spans a second [500]; 0: as fast as it can")
    asked = parser.parse_args(argv)
    head(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        ours, theirs = soak(Path(folder, "traces.db"), asked.spans, asked.rate)
        say(f"  {asked.spans:,} spans in {time.perf_counter() - began:.0f} s, {len(ours)} rounds of keys; {load()}")
        tell("the explorer", ours)
        tell("the writer", theirs)


if __name__ == "__main__":
    main()
