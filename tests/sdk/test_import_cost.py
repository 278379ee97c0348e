"""Importing the SDK loads little; how long it takes is bench/sdk_overhead.py's to say."""

from __future__ import annotations

import subprocess
import sys

HEAVY = {
    "asyncio", "dataclasses", "email", "grpc", "httpx", "inspect", "json", "logging", "platformdirs", "psutil",
    "rich", "sqlite3", "textual", "urllib.request", "google.protobuf", "orjson", "collector.model", "collector.store",
}  # fmt: skip


def test_the_door_loads_only_what_a_first_call_needs():
    code = "import sys; before = set(sys.modules); from collector import observe, configure, flush, span\n"
    code += "@observe\ndef f(): ...\nprint(*(set(sys.modules) - before))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    assert not set(ended.stdout.split()) & HEAVY
