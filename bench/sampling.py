"""What does a span cost when everything is written, when a tenth of all traces is, and when none is?

`@observe` on a function of two scalar arguments, a trace a call, into a real file. The caller's CPU and that of the
whole process, the worker's included. python -m bench sampling
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.report import figure, head, quiet
from collector.sdk.observe import decorate
from collector.sdk.queue import Queue

CALLS = 500


def measure(db: Path, rate: float, spans: int) -> tuple[float, float]:
    """CPU microseconds a span: the caller's, and the process's."""
    queue = Queue(db=db, sample_rate=rate)
    traced = decorate(queue, lambda a, b: a, "span", "traced")
    for _ in range(CALLS):
        traced(1, "x")
    queue.flush(60)
    quiet()
    caller, began = 0.0, time.process_time()
    for _ in range(spans // CALLS):
        before = time.thread_time()
        for _ in range(CALLS):
            traced(1, "x")
        caller += time.thread_time() - before
        queue.flush(60)
    took = time.process_time() - began
    queue.close(60)
    return caller / spans * 1e6, took / spans * 1e6


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench sampling", description=__doc__)
    parser.add_argument("--spans", type=int, default=5_000, help="[5000]")
    asked = parser.parse_args(argv)
    head(__doc__)
    for rate in (1.0, 0.1, 0.0):
        with tempfile.TemporaryDirectory() as folder:
            caller, total = measure(Path(folder) / "traces.db", rate, asked.spans)
        figure(f"sample_rate {rate:g}", f"caller {caller:.2f} µs, whole process {total:.0f} µs CPU a span")


if __name__ == "__main__":
    main()
