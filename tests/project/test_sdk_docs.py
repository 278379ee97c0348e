"""Every snippet of docs/sdk.md runs as it stands, in a process of its own, and leaves spans behind."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import collector
from tests.sdk.clients.server import Reply, Server

SDK = (Path(__file__).parents[2] / "docs/sdk.md").read_text("utf-8")
SECTIONS = [(title.strip(), body) for title, body in re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", SDK, re.M | re.S)]
SNIPPETS = [
    pytest.param(code, id=f"{title} {n}")
    for title, body in SECTIONS
    for n, code in enumerate(re.findall(r"^```python\n(.*?)^```", body, re.M | re.S), 1)
]
ANSWER = {
    "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini-2024-07-18",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hello!"}}],
    "usage": {"prompt_tokens": 8, "completion_tokens": 2, "total_tokens": 10},
}  # fmt: skip


@pytest.fixture
def model() -> Iterator[Server]:
    with Server() as server:
        server.says(Reply(ANSWER))
        yield server


@pytest.mark.parametrize("code", SNIPPETS)
def test_a_snippet_runs_and_is_traced(code: str, model: Server, tmp_path: Path) -> None:
    script, db = tmp_path / "snippet.py", tmp_path / "traces.db"
    script.write_text(code, "utf-8")
    env = {
        **os.environ, "TRACETUI_DB": str(db), "XDG_CONFIG_HOME": str(tmp_path), "OPENAI_API_KEY": "none",
        "OPENAI_BASE_URL": f"{model.url}/v1", "LANGSMITH_TRACING": "false",
        "TRACETUI_EXIT_WAIT_S": "60",  # on a busy machine the first span's imports take longer than two seconds
    }  # fmt: skip
    ran = subprocess.run([sys.executable, script], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=90)
    assert (ran.returncode, ran.stderr) == (0, "")
    if "testing.recording" in code:
        return  # into a file of its own, gone by now
    with collector.open(db) as file:
        assert list(file.traces())


def test_every_public_name_is_documented() -> None:
    undocumented = [name for name in collector.__all__ if name not in ("Span", "__version__") and name not in SDK]
    assert not undocumented


def test_every_keyword_of_update_is_documented() -> None:
    import inspect

    names = [name for name in inspect.signature(collector.Span.update).parameters if name != "self"]
    listed = re.search(r"`update` takes `(.*?)`", SDK, re.S)
    assert listed is not None
    assert sorted(listed[1].split()) == sorted(names)
