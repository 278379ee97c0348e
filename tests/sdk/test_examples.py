"""The examples run as they stand, and leave what they promise."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from collector.store import open_reader
from tests.receiver.running import running, settings_for

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name: str, folder: Path, **variables: str) -> None:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("TRACETUI_", "OTEL_"))}
    ended = subprocess.run(
        [sys.executable, str(EXAMPLES / name)], cwd=folder, env=clean | variables, capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr


def spans(db: Path) -> dict[str, tuple[str, str | None, int | None]]:
    with open_reader(db) as reader:
        return {row.name: (row.kind, row.model, row.input_tokens) for row in reader.spans(limit=10)}


def test_own_code_is_traced_into_the_working_directory(tmp_path):
    (tmp_path / "pyproject.toml").touch()
    run("own_code.py", tmp_path)
    assert spans(tmp_path / "traces.db") == {
        "answer": ("agent", None, None),
        "get_order": ("tool", None, None),
        "chat": ("llm", "gpt-4o-mini", 52),
    }


def test_an_otel_app_reaches_the_receiver(tmp_path):
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    with running(settings_for(tmp_path), real=True) as up:
        run("otel_app.py", tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=str(up.client.base_url))
        assert spans(tmp_path / "traces.db") == {
            "invoke_agent support": ("agent", None, None),
            "chat gpt-4o-mini": ("llm", "gpt-4o-mini", 52),
        }
