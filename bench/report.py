"""What every benchmark prints around its figures: where, with what, how busy the machine was, median and p95."""

from __future__ import annotations

import gc
import os
import platform
import sqlite3
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

SPARE_CORE, MEASURED_CORE = 0, 1


def say(text: str = "") -> None:
    print(text, flush=True)


def head(question: str | None) -> None:
    """The question, the machine, the versions, and the load before anything was measured."""
    say(f"\n{(question or '').strip()}\n")
    packages = ", ".join(f"{name} {installed(name)}" for name in ("tracetui", "textual", "orjson", "protobuf"))
    python = f"{platform.python_implementation()} {platform.python_version()}"
    say(f"{cpu()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}")
    say(f"{python}, SQLite {sqlite3.sqlite_version}, {packages}; {load()}")


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


def times(what: str, ms: Sequence[float], budget: str = "") -> None:
    """One line: median, p95, p99 and the worst of these milliseconds."""
    told = f"  {what}: n {len(ms)}, p50 {median(ms):.1f}, p95 {percentile(ms, 0.95):.1f}"
    told += f", p99 {percentile(ms, 0.99):.1f}, max {max(ms):.1f} ms"
    say(told + (f"  (budget: {budget})" if budget else ""))


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
