"""What does tracing cost the traced program, beside opentelemetry-sdk in the same run?

Both in their usual shape: `@observe` on a function of two scalar arguments, and `start_as_current_span` with two
attributes under a BatchSpanProcessor whose exporter does nothing; the threads behind them sleep while the caller
is timed. Budgets: a span costs its caller at most 1/10 of opentelemetry-sdk's; importing `observe, configure,
flush` takes at most 0.6 of `import opentelemetry.sdk.trace`; 200 spans are visible within 1 s beside a spinning
thread. Run on a quiet machine: python -m bench sdk_overhead
"""

from __future__ import annotations

import argparse
import gc
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from bench.report import figure, head, say
from collector.sdk.observe import decorate
from collector.sdk.queue import Queue

ROUNDS = 200
CALLS = 500
SPANS = 20_000
IMPORTS = 9
OURS = "from collector import observe, configure, flush"
THEIRS = "import opentelemetry.sdk.trace"


class Nowhere(SpanExporter):
    """Counts what it is given."""

    def __init__(self) -> None:
        self.seen = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.seen += len(spans)
        return SpanExportResult.SUCCESS


def plain(number: int, word: str) -> int:
    return number


def caller_cost() -> dict[str, list[float]]:
    """Nanoseconds a call, above the plain function's, the worker asleep: rounds are interleaved."""
    queue = Queue()
    queue.wake = lambda: None  # type: ignore[method-assign]
    ours = decorate(queue, plain, "span", None)
    provider, nowhere = TracerProvider(), Nowhere()
    room = CALLS * 2  # neither a full queue nor a full batch: its thread sleeps through a round, as ours does
    batches = BatchSpanProcessor(nowhere, room, 3_600_000, max_export_batch_size=room)
    provider.add_span_processor(batches)
    tracer = provider.get_tracer("bench")

    def theirs(number: int, word: str) -> int:
        with tracer.start_as_current_span("plain", attributes={"number": number, "word": word}):
            return number

    functions = {"plain": plain, "collector": ours, "opentelemetry-sdk": theirs}
    took: dict[str, list[float]] = {name: [] for name in functions}
    for number in range(1, ROUNDS + 1):
        for name, function in functions.items():
            took[name].append(per_call(function))
        assert len(queue.ends) == CALLS  # it really recorded them
        assert batches.force_flush()
        assert nowhere.seen == number * CALLS
        queue.starts.clear()
        queue.ends.clear()
        queue.bytes = 0
    provider.shutdown()
    return {name: [ns - base for ns, base in zip(took[name], took["plain"], strict=True)] for name in functions}


def per_call(function: Callable[..., Any]) -> float:
    began = time.perf_counter_ns()
    for number in range(CALLS):
        function(number, "hello")
    return (time.perf_counter_ns() - began) / CALLS


def whole_cost(folder: Path) -> float:
    """CPU microseconds a span of caller and worker together, down to the committed and indexed file."""
    db = folder / "whole.db"
    queue = Queue(db=db)
    ours = decorate(queue, plain, "span", None)
    ours(0, "warm")
    assert queue.flush()
    began = time.process_time()
    for number in range(SPANS):
        ours(number, "hello")
    assert queue.flush(120)
    took = time.process_time() - began
    assert queue.close(120)
    with sqlite3.connect(db) as file:
        assert file.execute("select count(*) from spans").fetchone() == (SPANS + 1,)
    file.close()
    return took / SPANS * 1e6


def beside_a_spinning_thread(folder: Path) -> float:
    """Seconds until 200 spans are committed while another thread of the process never waits."""
    queue = Queue(db=folder / "spin.db")
    ours = decorate(queue, plain, "span", None)
    ours(0, "warm")
    assert queue.flush()
    spinning = True

    def spin() -> None:
        while spinning:
            sum(range(100))

    thread = threading.Thread(target=spin)
    thread.start()
    began = time.monotonic()
    for number in range(200):
        ours(number, "hello")
    assert queue.flush(60)
    took = time.monotonic() - began
    spinning = False
    thread.join()
    assert queue.close(60)
    return took


def import_ms(code: str) -> float:
    timed = f"import time; began = time.perf_counter(); {code}; print((time.perf_counter() - began) * 1e3)"
    return float(subprocess.run([sys.executable, "-c", timed], capture_output=True, text=True, check=True).stdout)


def main(argv: list[str] | None = None) -> None:
    argparse.ArgumentParser(prog="python -m bench sdk_overhead").parse_args(argv)
    head(__doc__)
    say(f"opentelemetry-sdk {version('opentelemetry-sdk')}")
    gc.collect()
    costs = caller_cost()
    for name in ("collector", "opentelemetry-sdk"):
        ordered = sorted(costs[name])
        figure(f"caller, {name}", f"min {ordered[0]:,.0f} ns, median {median(ordered):,.0f} ns a span")
    ratio = median(costs["opentelemetry-sdk"]) / median(costs["collector"])
    figure("caller, opentelemetry-sdk against ours", f"{ratio:.1f} times", "at least 10")
    with tempfile.TemporaryDirectory() as folder:
        figure("caller and worker", f"{whole_cost(Path(folder)):.0f} us of CPU a span")
        figure("200 spans beside a spinning thread", f"{beside_a_spinning_thread(Path(folder)):.2f} s", "1 s")
    pairs = [(import_ms(OURS), import_ms(THEIRS)) for _ in range(IMPORTS)]
    ours, theirs = median(a for a, _ in pairs), median(b for _, b in pairs)
    figure("import", f"{ours:.0f} ms against {theirs:.0f} ms, {ours / theirs:.2f}", "at most 0.6")


if __name__ == "__main__":
    main()
