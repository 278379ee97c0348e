"""On a file of a million spans: how soon is the first list painted, and what do PageDown and the cursor take?

First paint is from the start of the process until the newest row has been read from its pty (200 x 50 cells), beside an
empty Textual app until its one word is read. Keys are from the key until the bytes that it changed.
Budgets: first paint at most 1.5x the empty app; PageDown p50 under 30 ms, cursor p50 under 10 ms.
Run: python -m bench.first_paint [--spans N] [--rounds N] [--keys N]
"""

from __future__ import annotations

import argparse
import atexit
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from statistics import median

import pexpect

from bench import bigfile
from bench.report import figure, head, load, percentile, say

COLUMNS, ROWS = 200, 50
EMPTY = """
from textual.app import App
from textual.widgets import Static
class Empty(App):
    def compose(self):
        yield Static("nothing-here")
Empty().run()
"""
PAGE_UP, PAGE_DOWN, UP, DOWN = b"\x1b[5~", b"\x1b[6~", b"k", b"j"
QUIET_S = 0.12


@cache
def home() -> str:
    """An empty folder for settings, for as long as this process runs."""
    folder = tempfile.mkdtemp(prefix="tracetui-bench-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def started(arguments: Sequence[str]) -> pexpect.spawn:
    env = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
    env.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program has its bytecode
    env |= dict.fromkeys(("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"), home())  # nobody's own order of lists
    child = pexpect.spawn(sys.executable, list(arguments), dimensions=(ROWS, COLUMNS), env=env, timeout=30)  # type: ignore[arg-type]
    child.delaybeforesend = None
    return child


def first_paint(arguments: Sequence[str], shows: bytes) -> float:
    """Seconds from the start until it shows."""
    began = time.perf_counter()
    child = started(arguments)
    child.expect_exact(shows)
    took = time.perf_counter() - began
    child.close(force=True)
    return took


def settle(child: pexpect.spawn) -> None:
    """Read until nothing more comes."""
    while True:
        try:
            child.read_nonblocking(65536, timeout=QUIET_S)
        except pexpect.TIMEOUT:
            return


def key(child: pexpect.spawn, pressed: bytes) -> float:
    """Milliseconds from a key until the first bytes of its frame."""
    settle(child)
    began = time.perf_counter()
    os.write(child.fileno(), pressed)
    child.read_nonblocking(65536, timeout=5)
    return 1000 * (time.perf_counter() - began)


def tell(what: str, ms: Sequence[float], budget: str) -> None:
    measured = f"p50 {median(ms):.1f}, p95 {percentile(ms, 0.95):.1f}, p99 {percentile(ms, 0.99):.1f} ms, n {len(ms)}"
    figure(what, f"{measured}; {load()}", budget)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.first_paint")
    parser.add_argument("--spans", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--keys", type=int, default=100)
    asked = parser.parse_args(arguments)
    head(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "traces.db")
        began = time.perf_counter()
        bigfile.many_traces(path, asked.spans)
        say(
            f"  {asked.spans:,} spans, {path.stat().st_size / 1e6:,.0f} MB, made in {time.perf_counter() - began:.0f} s"
        )
        explore = ["-m", "tracetui", str(path)]
        empty, ours = [], []
        for _ in range(asked.rounds):
            empty.append(first_paint(["-c", EMPTY], b"nothing-here"))
            ours.append(first_paint(explore, b"support-agent"))
        ratio = median(one / other for one, other in zip(ours, empty, strict=True))
        figure(
            f"first paint on {asked.spans:,} spans, beside an empty Textual app",
            f"{1000 * median(ours):.0f} ms against {1000 * median(empty):.0f} ms: {ratio:.2f}x; {load()}",
            "1.5x",
        )
        child = started(explore)
        child.expect_exact(b"support-agent")
        pages = [key(child, PAGE_UP) for _ in range(asked.keys // 2)]
        pages += [key(child, PAGE_DOWN) for _ in range(asked.keys // 2)]
        tell("PageUp and PageDown, key to bytes", pages, "p50 30 ms")
        for _ in range(20):
            key(child, UP)
        moves = [key(child, UP if n % 2 else DOWN) for n in range(asked.keys)]
        tell("cursor, key to bytes", moves, "p50 10 ms")
        child.close(force=True)


if __name__ == "__main__":
    main()
