"""Every snippet of docs/sdk.md runs as it stands, in a process of its own, and leaves spans behind."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import collector
from collector.settings import SETTING_NAMES
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


MOVES = [
    pytest.param(there, here, id=there[:40])
    for there, here in re.findall(r"^\| (.+?) \| (.+?) \|$", SDK[SDK.index("## Moving from") :], re.M)
    if there not in ("there", "---")
]


def test_there_is_a_way_here_from_three_sdks() -> None:
    moving = SDK[SDK.index("## Moving from") :]
    assert re.findall(r"^### From `(\w+)\.", moving, re.M) == ["langfuse", "langsmith", "logfire"]
    assert len(MOVES) > 40


@pytest.mark.parametrize(("there", "here"), MOVES)
def test_what_stands_in_for_it_exists_and_takes_what_it_is_given(there: str, here: str) -> None:
    for code in re.findall(r"`([^`]+)`", here):
        for call in re.finditer(r"(?<![.\w])(\w+)\(([^()]*)\)", code):
            made = inspect.signature(getattr(collector, call[1]))
            free = any(parameter.kind is parameter.VAR_KEYWORD for parameter in made.parameters.values())
            for keyword in re.findall(r"(?:^|, )(\w+)=", call[2]):
                assert free or keyword in made.parameters, f"{call[1]} takes no {keyword}"
                if call[1] == "configure":
                    assert keyword in SETTING_NAMES
                elif call[1] in ("update_current", "span", "llm", "tool", "chain"):
                    assert keyword in inspect.signature(collector.Span.update).parameters
        for name in re.findall(r"TRACETUI_(\w+)", code):
            assert name.lower() in SETTING_NAMES


@pytest.mark.parametrize("there", [move.values[0] for move in MOVES], ids=lambda there: str(there)[:40])
def test_what_it_stands_in_for_exists(there: str) -> None:
    langfuse, langsmith = pytest.importorskip("langfuse"), pytest.importorskip("langsmith")
    for name in re.findall(r"langfuse\.(\w+)\(", there):
        assert hasattr(langfuse.Langfuse, name), name
    for name in re.findall(r"(?:update_current|start)_\w+(?=\()", there):
        assert hasattr(langfuse.Langfuse, name), name
    for name in re.findall(r"(traceable|tracing_context|get_current_run_tree|propagate_attributes)\b", there):
        assert hasattr(langfuse if name.startswith("prop") else langsmith, name), name


def test_every_keyword_of_update_is_documented() -> None:
    names = [name for name in inspect.signature(collector.Span.update).parameters if name != "self"]
    listed = re.search(r"`update` takes `(.*?)`", SDK, re.S)
    assert listed is not None
    assert sorted(listed[1].split()) == sorted(names)
