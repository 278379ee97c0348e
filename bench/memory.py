"""How much memory does a collector use over a million spans sent over HTTP?

A real `tracetui collect` process, bodies of 200 spans of 2 KB over four connections, made while they are sent (so the
rate says little). Printed every tenth: resident memory now, its peak, what of it is the process's own, and the file.
At the end all spans must be in the file and full text caught up. Every text is new: nothing is stored once by chance.
Budget: a peak under 200 MB.
"""

from __future__ import annotations

import argparse
import sqlite3
import tempfile
import time
from contextlib import closing
from itertools import islice
from pathlib import Path

from bench.generate import agent_bodies
from bench.report import figure, head, load, memory_mb, say
from bench.servers import post, stored, tracetui

BATCH = 200


def waiting(db: Path) -> int:
    """How many texts are not in full-text search yet."""
    with closing(sqlite3.connect(f"file:{db}?mode=ro", uri=True)) as file:
        return int(file.execute("select count(*) from todo").fetchone()[0])


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench memory")
    parser.add_argument("--spans", type=int, default=20_000, help="[20000]; the budget is for 1000000")
    parser.add_argument("--folder", type=Path, help="where the file is made: some 5 KB a span [a temporary folder]")
    asked = parser.parse_args(argv)
    head(__doc__)
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder, tracetui(Path(folder), pinned=False) as server:
        pid, spans = server.process.pid, asked.spans
        figure("resident before the first span", f"{memory_mb(pid, 'VmRSS'):.0f} MB")
        at, began, sent = 0, time.perf_counter(), agent_bodies(spans, seed=99)
        while at < spans:
            at += post(server, islice(sent, max(spans // 10 // BATCH, 1)))[0]
            say(
                f"  {at:,} spans after {time.perf_counter() - began:.0f} s: {memory_mb(pid, 'VmRSS'):.0f} MB"
                f" ({memory_mb(pid, 'RssAnon'):.0f} its own), peak {memory_mb(pid):.0f} MB,"
                f" file {server.db.stat().st_size / 1e6:,.0f} MB; {load()}"
            )
        behind, answered = waiting(server.db), time.perf_counter()
        found = stored(server, spans)
        assert found == spans, f"{found:,} of {spans:,} spans stored"
        took = time.perf_counter() - began
        figure(f"peak over {spans:,} spans", f"{memory_mb(pid):.0f} MB", "200 MB")
        figure("resident when all is indexed", f"{memory_mb(pid, 'VmRSS'):.0f} MB")
        caught_up = (
            f"{behind:,} texts behind at the last answer, caught up {time.perf_counter() - answered:.0f} s later"
        )
        figure("full text", caught_up)
        figure("file, with its log", f"{sum(p.stat().st_size for p in Path(folder).glob('traces.db*')) / 1e6:,.0f} MB")
        figure("all taken in and indexed after", f"{took:.0f} s")


if __name__ == "__main__":
    main()
