"""Who this process is, so that a reader can tell whether it still lives."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from secrets import token_hex

from collector.model import Process


def this_process(service: str = "") -> Process:
    """A row for this process, under a fresh id. What the platform does not tell stays empty."""
    return Process(
        process_id=token_hex(8),
        pid=os.getpid(),
        started_ns=_started_ns(),
        host=socket.gethostname(),
        boot_id=_read("/proc/sys/kernel/random/boot_id"),
        pid_namespace=_namespace(),
        service=service,
        command=_command(),
    )


def _started_ns() -> int:
    """When the kernel started this process, as psutil tells it; 0 where it cannot."""
    try:
        if sys.platform == "linux":
            return _started_by_proc()
        import psutil

        return int(psutil.Process().create_time() * 1e9)
    except Exception:  # a sandbox may hide /proc
        return 0


def _started_by_proc() -> int:
    """What psutil does on Linux, without its import, which costs more than the first span has to wait for.

    proc(5): field 22 of /proc/PID/stat is the start in clock ticks since boot, `btime` of /proc/stat the boot.
    """
    after_name = Path("/proc/self/stat").read_text("utf-8", errors="replace").rpartition(")")[2].split()
    booted = Path("/proc/stat").read_text("ascii").partition("\nbtime ")[2].split()[0]
    return int(booted) * 1_000_000_000 + int(after_name[19]) * 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def _namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def _read(path: str) -> str:
    try:
        return Path(path).read_text("ascii").strip()
    except OSError:
        return ""


def _command() -> str:
    """The script's name, without its arguments: those may hold secrets."""
    argv = getattr(sys, "argv", None) or [""]
    return Path(argv[0]).name or "python"


def working_directory() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was deleted
        return os.sep


def lives(pid: int) -> bool:
    """Whether there is a process of this number, ended ones that nobody waited for included. POSIX."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return True
