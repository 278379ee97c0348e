"""Does the explorer hold ever more while it runs? An hour's worth of spans in minutes, with the user about.

A process writes spans as fast as it can; the explorer runs in a real pty of 120 x 36 cells with a hand on the keys: it
scrolls, opens a trace and goes back, visits costs, overview and errors. After each round of keys its memory is read,
and the writer's beside it. Flat means: the last third is about what the middle one was.
Run: python -m bench soak -- --spans 180000      (an hour of 50 spans a second)
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
ROUND = (b"k", b"\x1b[5~", b"\x1b[6~", b"G", b"\r", b"j", b"\x1b", b"3", b"1", b"4", b"1", b"5", b"1", b"G")
PAUSE_S = 0.15
WRITE = """
import sys, time
from pathlib import Path
from bench.commit_to_frame import BATCH
from bench.generate import Maker
from collector.ingest import Ingest
from collector.protocols import otlp
from collector.settings import Settings
path, spans = Path(sys.argv[1]), int(sys.argv[2])
maker = Maker("genai", seed=5)
with Ingest(path, Settings(db=path)) as ingest:
    for at in range(0, spans, 100):
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


def soak(path: Path, spans: int) -> tuple[list[float], list[float]]:
    """Megabytes of the explorer and of the writer, after each round of keys."""
    writer = subprocess.Popen([sys.executable, "-c", WRITE, str(path), str(spans)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout
    assert writer.stdout.readline() == "ready\n"
    env = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
    child = pexpect.spawn(sys.executable, ["-m", "tracetui", str(path)], dimensions=(ROWS, COLUMNS), env=env)  # type: ignore[arg-type]
    child.expect_exact(b"support-agent")
    ours, theirs = list[float](), list[float]()
    while writer.poll() is None:
        for key in ROUND:
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
    parser.add_argument("--spans", type=int, default=18_000, help="[18000]; 180000 are an hour of 50 a second")
    asked = parser.parse_args(argv)
    head(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        ours, theirs = soak(Path(folder, "traces.db"), asked.spans)
        say(f"  {asked.spans:,} spans in {time.perf_counter() - began:.0f} s, {len(ours)} rounds of keys; {load()}")
        tell("the explorer", ours)
        tell("the writer", theirs)


if __name__ == "__main__":
    main()
