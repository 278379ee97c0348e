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


@pytest.mark.slow
def test_the_explorer_is_imported_without_what_only_a_unix_has():
    """As on Windows, where `tracetui run` is the one command that cannot be; the lock has its own way there."""
    loaded_by("""
import sys, pkgutil
for name in ("termios", "tty", "pty", "resource", "pwd", "grp"):
    sys.modules[name] = None
import tracetui.cli, tracetui.screens, tracetui.widgets
for package in (tracetui, tracetui.cli, tracetui.screens, tracetui.widgets):
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        if module.name not in ("tracetui.__main__", "tracetui.run"):
            __import__(module.name)
""")
