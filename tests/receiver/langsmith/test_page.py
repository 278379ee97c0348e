"""The page for LangSmith's users is true: with its variables and nothing else, its example is a trace here."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from collector.store import open_reader
from tests.receiver.running import running, settings_for
from tracetui.demo.server import Server

pytest.importorskip("langsmith")

PAGE = (Path(__file__).parents[3] / "docs" / "clients" / "langsmith.md").read_text("utf-8")
VARIABLES = dict(re.findall(r"^export (\w+)=(\S+)", PAGE, re.MULTILINE))
OLDER = {
    name.replace("LANGSMITH_", "LANGCHAIN_").replace("TRACING", "TRACING_V2"): value
    for name, value in VARIABLES.items()
}


@pytest.mark.parametrize(
    "variables", [pytest.param(VARIABLES, id="LANGSMITH"), pytest.param(OLDER, id="LANGCHAIN", marks=pytest.mark.slow)]
)
def test_the_example_of_the_page_is_a_trace_here(variables: dict[str, str], tmp_path: Path) -> None:
    assert set(OLDER) == set(re.findall(r"`(LANGCHAIN_\w+)`", PAGE))
    example = tmp_path / "example.py"
    example.write_text(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0])
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("LANGSMITH_", "LANGCHAIN_", "OPENAI_"))}
    with running(settings_for(tmp_path), real=True) as up, Server() as model:
        env = kept | {name: value.replace("http://127.0.0.1:4318", up.status.url) for name, value in variables.items()}
        env |= {"OPENAI_BASE_URL": model.url, "OPENAI_API_KEY": "sk-none"}
        done = subprocess.run([sys.executable, str(example)], env=env, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        with open_reader(up.status.file or "") as reader:
            (trace,) = reader.traces()
            root, call = reader.tree_spans(trace.trace_id)
    assert (trace.session_id, trace.user_id, trace.project) == ("thread-42", "user-7", "weather")
    assert (root.name, root.kind, call.kind, call.model) == ("ask", "chain", "llm", "gpt-4o-mini")
    assert (call.input_tokens, call.output_tokens) == (120, 30)
