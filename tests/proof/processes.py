"""Programs of ours as processes that may be killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DEADLINE_S = 20.0


@contextmanager
def started(*arguments: str, cwd: Path, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """`python ARGUMENTS…` with pipes for its streams, without our variables; killed at the end, if still there."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRACETUI_")}
    environment |= {"PYTHONPATH": str(Path(__file__).parents[2]), "XDG_CONFIG_HOME": str(cwd), **variables}
    with subprocess.Popen(
        [sys.executable, *arguments], cwd=cwd, env=environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as child:  # fmt: skip
        try:
            yield child
        finally:
            child.kill()


def line(child: subprocess.Popen[str]) -> str:
    """The next line it prints, without its end."""
    assert child.stdout is not None
    return child.stdout.readline().rstrip("\n")


def listening(child: subprocess.Popen[str]) -> dict[str, Any]:
    """The JSON document that `tracetui collect --json` prints once it listens."""
    said = ""
    while text := line(child):
        said += text
        if text == "}":
            return dict(json.loads(said))
    raise AssertionError(f"it ended with {child.wait(5)} before it listened; it said {said!r}")


def until(condition: Callable[[], bool], what: str = "") -> None:
    """Wait for a condition, with a deadline."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"still not so after {DEADLINE_S:.0f} s: {what}"
        time.sleep(0.01)
