"""What every benchmark prints around its figures: where, with what, how busy the machine was, median and p95."""

from __future__ import annotations

import gc
import os
import platform
import sqlite3
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

SPARE_CORE, MEASURED_CORE = 0, 1
PACKAGES = ("tracetui", "textual", "orjson", "protobuf")


@dataclass(frozen=True)
class Figure:
    """One measured thing, as a row of a table. `budget` is "" where there is none."""

    what: str
    measured: str
    budget: str = ""


figures: list[Figure] = []
"""All that were told since the process began: `python -m bench --write` makes a table of them."""


def say(text: str = "") -> None:
    print(text, flush=True)


def figure(what: str, measured: str, budget: str = "") -> None:
    """Print a figure, and keep it for the table."""
    say(f"  {what}: {measured}" + (f"  (budget: {budget})" if budget else ""))
    figures.append(Figure(what, measured, budget))


def head(question: str | None) -> None:
    """The question, the machine, the versions, and the load before anything was measured."""
    say(f"\n{(question or '').strip()}\n\n{machine()}\n{versions()}; {load()}")


def machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30 if hasattr(os, "sysconf") else 0
    told = f", {memory:.0f} GiB" if memory else ""
    return f"{cpu()}, {os.cpu_count()} cores{told}, {platform.system()} {platform.release()}"


def versions() -> str:
    packages = ", ".join(f"{name} {installed(name)}" for name in PACKAGES)
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{time.strftime('%Y-%m-%d %H:%M')}, {python}, SQLite {sqlite3.sqlite_version}, {packages}"


def installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown CPU")


def load() -> str:
    return f"load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "load unknown"


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def times(what: str, ms: Sequence[float], budget: str = "", *, cpu_ms: Sequence[float] = ()) -> None:
    """One line: median, p95, p99 and the worst of these milliseconds; and the median of the CPU they took, which says
    more where other programs run beside."""
    told = f"n {len(ms)}, p50 {median(ms):.1f}, p95 {percentile(ms, 0.95):.1f}"
    told += f", p99 {percentile(ms, 0.99):.1f}, max {max(ms):.1f} ms"
    figure(what, told + (f"; CPU p50 {median(cpu_ms):.1f} ms" if cpu_ms else ""), budget)


class Clock:
    """Milliseconds of wall and of this thread's CPU, a pair for each `with`."""

    def __init__(self) -> None:
        self.ms: list[float] = []
        self.cpu_ms: list[float] = []

    def __enter__(self) -> None:
        self._began = time.perf_counter(), time.thread_time()

    def __exit__(self, *_: object) -> None:
        self.ms.append((time.perf_counter() - self._began[0]) * 1e3)
        self.cpu_ms.append((time.thread_time() - self._began[1]) * 1e3)

    def tell(self, what: str, budget: str = "") -> None:
        times(what, self.ms, budget, cpu_ms=self.cpu_ms)


def pin(core: int) -> bool:
    """Keep this process on one core. False where the system has no such call, or one core only."""
    if not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2:
        return False
    os.sched_setaffinity(0, {core})
    return True


def memory_mb(pid: int, field: str = "VmHWM") -> float:
    """Resident memory of a process: VmHWM is its peak, VmRSS what it has now."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    raise LookupError(field)


def quiet() -> None:
    """Before timing: what garbage there is goes now."""
    gc.collect()
    sys.stdout.flush()
