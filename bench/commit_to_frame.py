"""How long from a commit until the terminal has its frame, at 500 spans/s, while the user scrolls?

A process writes 500 spans/s and, ten times a second, renames one running trace. The explorer shows the list in a real
pty of 200 x 50 cells, its wheel turned up and down all the time. Measured is from the commit of each name (write has
returned) until the bytes that draw it, or a later one, have been read from the pty. A second row: wheel to bytes.
Budget: p50 under 50 ms, p99 under 150 ms.
Run: python -m bench.commit_to_frame [--seconds N] [--rate SPANS] [--before SPANS]
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from statistics import median

import pexpect

from bench.report import figure, head, load, percentile, say

COLUMNS, ROWS = 200, 50
BATCH = 25
BEACON_S = 0.1
WHEEL_S = 1 / 15
NAME = re.compile(rb"beacon-(\d{6})")
UP, DOWN = b"\x1b[<64;20;20M", b"\x1b[<65;20;20M"
TRACE = "be" * 16


def write(path: Path, rate: int, seconds: float) -> None:
    """The writer: says `number time` for every name when its commit is done."""
    from bench.generate import Maker
    from collector.ingest import Ingest
    from collector.model import Batch
    from collector.protocols import otlp
    from collector.settings import Settings

    maker = Maker("genai", seed=os.getpid())

    def runs(spans: int, start_ns: int) -> Batch:
        request, into = maker.request("bench")
        while len(into) < spans:
            maker.run(into, start_ns, min(20, spans - len(into)))
        return otlp.decode_traces(request.SerializeToString(), "application/x-protobuf")

    with Ingest(path, Settings(db=path)) as ingest:
        now = time.time_ns()
        ingest.write(beacon(now, 0))
        for n in range(30):
            ingest.write(runs(20, now + n * 1000))
        print("ready", flush=True)
        sys.stdin.readline()
        began, sent, named = time.monotonic(), 0, 0
        gap, next_name = Random(1), 0.0
        while (at := time.monotonic() - began) < seconds:
            if sent < at * rate:
                ingest.write(runs(BATCH, time.time_ns()))
                sent += BATCH
            if at >= next_name:
                named += 1
                ingest.write(beacon(now, named))
                print(named, time.monotonic_ns(), flush=True)
                next_name = at + BEACON_S * (0.5 + gap.random())
            ingest.chores()
            time.sleep(0.002)
        print("wrote", sent, flush=True)


def beacon(start_ns: int, number: int) -> object:
    from collector.model import Batch, Rank, SpanPart

    part = SpanPart(
        trace_id=TRACE, span_id="be" * 8, parent_id=None, rank=Rank.UPDATE, at_ns=time.time_ns(),
        name=f"beacon-{number:06}", start_ns=start_ns, end_ns=None,
    )  # fmt: skip
    return Batch("bench", (part,))


def watch(path: Path, rate: int, seconds: float) -> tuple[dict[int, int], list[tuple[int, int]], list[float], int]:
    """(commit times by number, (time, number) as they were drawn, key to bytes in ms, spans written)."""
    command = [sys.executable, "-m", "bench.commit_to_frame", "--write", str(path), str(rate), str(seconds)]
    writer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert writer.stdin
    assert writer.stdout
    assert writer.stdout.readline() == "ready\n"
    env = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
    env.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program has its bytecode
    screen = pexpect.spawn(
        sys.executable, ["-m", "tracetui", str(path)], dimensions=(ROWS, COLUMNS), env=env, timeout=20
    )  # type: ignore[arg-type]
    screen.expect(NAME)
    os.set_blocking(screen.fileno(), False)
    drawn, waits = scroll(screen, writer, seconds)
    told = writer.stdout.read().split("\n")
    writer.wait(20)
    commits = {int(line.split()[0]): int(line.split()[1]) for line in told if line[:1].isdigit()}
    screen.close(force=True)
    return commits, drawn, waits, int(next(line for line in told if line.startswith("wrote")).split()[1])


def scroll(
    screen: pexpect.spawn, writer: subprocess.Popen[str], seconds: float
) -> tuple[list[tuple[int, int]], list[float]]:
    """Turn the wheel for so long, reading all that is drawn."""
    assert writer.stdin
    time.sleep(1)
    writer.stdin.write("go\n")
    writer.stdin.flush()
    drawn: list[tuple[int, int]] = []
    waits: list[float] = []
    tail, turn, pressed = b"", 0, 0.0
    end, due = time.monotonic() + seconds + 0.5, 0.0
    while (now := time.monotonic()) < end:
        if now >= due:
            os.write(screen.fileno(), UP if turn % 8 < 4 else DOWN)
            turn, due, pressed = turn + 1, now + WHEEL_S, now
        try:
            got = os.read(screen.fileno(), 65536)
        except BlockingIOError:
            time.sleep(0.0005)
            continue
        at = time.monotonic_ns()
        if pressed:
            waits.append(at / 1e6 - pressed * 1e3)
            pressed = 0.0
        tail = (tail + got)[-200_000:]
        found = NAME.findall(tail)
        if found:
            drawn.append((at, max(map(int, found))))
            tail = tail[-12:]
    return drawn, waits


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.commit_to_frame")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rate", type=int, default=500)
    parser.add_argument("--before", type=int, default=100_000, help="spans that are in the file before")
    parser.add_argument("--write", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.write:
        write(Path(asked.write[0]), int(asked.write[1]), float(asked.write[2]))
        return
    from bench import bigfile

    head(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "traces.db")
        bigfile.many_traces(path, asked.before)
        commits, drawn, waits, written = watch(path, asked.rate, asked.seconds)
    assert max(commits) == max(number for _, number in drawn), "the last name was never drawn"
    late, at = [], 0
    for number, committed in sorted(commits.items()):
        while drawn[at][1] < number:
            at += 1
        late.append(max(drawn[at][0] - committed, 0) / 1e6)
    say(f"  {written / asked.seconds:,.0f} spans/s were written, {len(drawn)} frames drew a name")
    for what, ms, budget in (
        ("commit to frame", late, "p50 50 ms, p99 150 ms"), ("wheel to bytes, meanwhile", waits, ""),
    ):  # fmt: skip
        measured = f"p50 {median(ms):.0f}, p95 {percentile(ms, 0.95):.0f}, p99 {percentile(ms, 0.99):.0f}"
        figure(what, f"{measured}, max {max(ms):.0f} ms, n {len(ms)}; {load()}", budget)


if __name__ == "__main__":
    main()
