"""What importing costs and starts, each proved in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ["textual", "sqlite3", "asyncio", "google.protobuf", "grpc", "http.server", "uvicorn", "starlette", "openai"]


def loaded_by(code: str) -> set[str]:
    """The modules a fresh interpreter has after running `code`, and "thread" if one was started."""
    tail = "\nimport sys, threading\nprint(*sys.modules, *(['THREAD'] if threading.active_count() > 1 else []))"
    ended = subprocess.run([sys.executable, "-c", code + tail], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    return set(ended.stdout.split())


def test_importing_the_collector_loads_nothing_heavy_and_starts_nothing():
    loaded = loaded_by("from collector import observe, configure, flush, span")
    assert not loaded & {*HEAVY, "THREAD", "tracetui", "rich", "click"}


def test_the_command_line_loads_no_screen_and_no_server():
    loaded = loaded_by("import tracetui.cli.main")
    assert not loaded & {"textual", "sqlite3", "asyncio", "grpc", "google.protobuf", "uvicorn", "starlette"}


@pytest.mark.parametrize("module", ["traces", "spans", "sessions", "show", "search", "export", "import_", "doctor"])
def test_a_command_that_paints_nothing_loads_no_textual(module):
    assert "textual" not in loaded_by(f"import tracetui.cli.{module}")
