"""What does tracing cost the traced program, beside opentelemetry-sdk in the same run?

Budgets: a span with scalar arguments costs its caller at most 1/10 of opentelemetry-sdk's; importing
`observe, configure, flush` takes at most 0.6 of `import opentelemetry.sdk.trace`; 200 spans are visible
within 1 s beside a spinning thread. Run: python bench/sdk_overhead.py
"""

from __future__ import annotations

import gc
import platform
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from opentelemetry.sdk.trace import TracerProvider

from collector.sdk.observe import decorate
from collector.sdk.queue import Queue

ROUNDS = 200
CALLS = 500
SPANS = 20_000
IMPORTS = 9
OURS = "from collector import observe, configure, flush"
THEIRS = "import opentelemetry.sdk.trace"


def plain(number: int, word: str, flag: bool = False) -> int:
    return number


def caller_cost() -> dict[str, list[float]]:
    """Nanoseconds a call, above the plain function's, the worker asleep: rounds are interleaved."""
    queue = Queue()
    queue.wake = lambda: None  # type: ignore[method-assign]
    ours = decorate(queue, plain, "span", None)
    tracer = TracerProvider().get_tracer("bench")

    def theirs(number: int, word: str, flag: bool = False) -> int:
        with tracer.start_as_current_span("plain", attributes={"number": number, "word": word, "flag": flag}):
            return number

    functions = {"plain": plain, "collector": ours, "opentelemetry-sdk": theirs}
    took: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(ROUNDS):
        for name, function in functions.items():
            took[name].append(per_call(function))
        assert len(queue.ends) == CALLS  # it really recorded them
        queue.starts.clear()
        queue.ends.clear()
        queue.bytes = 0
    return {name: [ns - base for ns, base in zip(took[name], took["plain"], strict=True)] for name in functions}


def per_call(function: Callable[..., Any]) -> float:
    began = time.perf_counter_ns()
    for number in range(CALLS):
        function(number, "hello", flag=True)
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
        ours(number, "hello", flag=True)
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


def main() -> None:
    print(__doc__)
    print(f"{platform.machine()}, Python {platform.python_version()}, opentelemetry-sdk {version('opentelemetry-sdk')}")
    gc.collect()
    costs = caller_cost()
    for name in ("collector", "opentelemetry-sdk"):
        ordered = sorted(costs[name])
        print(f"caller, {name}: min {ordered[0]:,.0f} ns, median {median(ordered):,.0f} ns a span")
    ratio = median(costs["opentelemetry-sdk"]) / median(costs["collector"])
    print(f"caller, opentelemetry-sdk costs {ratio:.1f} times as much (budget: at least 10)")
    with tempfile.TemporaryDirectory() as folder:
        print(f"caller and worker: {whole_cost(Path(folder)):.0f} us of CPU a span")
        print(f"200 spans beside a spinning thread: {beside_a_spinning_thread(Path(folder)):.2f} s (budget: 1)")
    pairs = [(import_ms(OURS), import_ms(THEIRS)) for _ in range(IMPORTS)]
    ours, theirs = median(a for a, _ in pairs), median(b for _, b in pairs)
    print(f"import: {ours:.0f} ms against {theirs:.0f} ms, {ours / theirs:.2f} (budget: at most 0.6)")


if __name__ == "__main__":
    main()
