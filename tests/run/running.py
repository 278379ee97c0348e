"""`tracetui run` as a real process, in an environment of its own."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

DEADLINE_S = 40.0
ROOT = Path(__file__).parents[2]


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Nobody's settings but the test's; a port of its own, so that nobody is joined by chance."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("TRACETUI_", "OTEL_"))}
    env |= {"XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder), "PYTHONPATH": str(ROOT)}
    env |= {"TRACETUI_HTTP_PORT": str(free_port()), "TRACETUI_GRPC_PORT": "0"}
    return env | more


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def tracetui(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "tracetui", *arguments]


def run(folder: Path, *arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """`tracetui run ARGUMENTS…` in `folder`, its file `traces.db` there, to its end."""
    command = tracetui("run", "--db", str(folder / "traces.db"), *arguments)
    return subprocess.run(
        command, cwd=folder, env=env or environment(folder), stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=DEADLINE_S,
    )  # fmt: skip


def program(folder: Path, text: str, name: str = "agent.py") -> list[str]:
    """A Python program; the command that runs it."""
    path = folder / name
    path.write_text(text)
    return [sys.executable, str(path)]


def rows(folder: Path, sql: str) -> list[tuple]:
    """What the file holds, read with nothing of ours."""
    connection = sqlite3.connect(folder / "traces.db")
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def until(condition: Callable[[], object], what: str = "") -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"still not so after {DEADLINE_S:.0f} s: {what}"
        time.sleep(0.02)
