"""Which machine this is, and whether a process of it still lives."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

SAME_START_NS = 1_500_000_000
"""A process's start time is read to about a second: two readings may differ by this much."""


@lru_cache(maxsize=1)
def boot_id() -> str:
    """The kernel's id of this boot; '' where the platform has none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""


@lru_cache(maxsize=1)
def pid_namespace() -> str:
    """Which process table our pids are of ("pid:[4026531836]"); '' where the platform has only one."""
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def alive(pid: int, started_ns: int) -> bool:
    """Whether the process runs (a stopped one does), and is not another that got its pid.

    `started_ns` 0 means the start is not known: then the pid alone decides.
    """
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return not started_ns or abs(int(process.create_time() * 1e9) - started_ns) < SAME_START_NS
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:
        return True  # it is there, we may just not look at it
