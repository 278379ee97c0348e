"""The Langfuse SDK itself, in a process of its own: nothing but its variables is set, and all it does works."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.store import open_reader
from tests.receiver.running import Running, running, settings_for
from tracetui.demo.server import Server

pytest.importorskip("langfuse")

PROGRAM = Path(__file__).with_name("program.py")
PAGE = (Path(__file__).parents[3] / "docs" / "clients" / "langfuse.md").read_text("utf-8")
VARIABLES = re.findall(r"^export (\w+)=(\S+)", PAGE, re.MULTILINE)


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Running]:
    settings = settings_for(tmp_path)
    settings.db.unlink()
    with running(settings, real=True) as one:
        yield one


def run(up: Running, command: list[str], **more: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("LANGFUSE_", "OTEL_", "OPENAI_"))}
    env |= {name: value.replace("http://127.0.0.1:4318", up.status.url) for name, value in VARIABLES}
    done = subprocess.run([sys.executable, *command], env=env | more, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done


def test_what_the_sdk_writes_it_reads_back(up: Running) -> None:
    said = json.loads(run(up, [str(PROGRAM)]).stdout)
    assert (said["auth"], said["prompt"], said["fallback"]) == (
        True, ["Hello Bob", 1, ["latest", "production"]], "instead",
    )  # fmt: skip
    assert said["chat"] == [{"role": "system", "content": "Be kind"}, {"role": "user", "content": "hi"}]
    assert said["observations"] == {
        "agent": ["AGENT", "Sunny.", {}, None, "user-7", "thread-42"],
        "get_weather": ["TOOL", '{"city":"Patiala","sky":"sunny"}', {}, None, "user-7", "thread-42"],
        "answer": [
            "GENERATION", "Sunny.", {"input": 12, "output": 3, "total": 15}, "folder/greeting", "user-7", "thread-42",
        ],
    }  # fmt: skip
    picture = base64.b64encode(b"\x89PNG a picture").decode()
    assert said["reference"] == {"picture": f"data:image/png;base64,{picture}"}
    assert (said["scores"], said["session score"]) == ({"helpful": 0.9, "verdict": "good"}, [True])
    assert said["price"] > 0
    assert said["counted"] == [{"type": kind, "count_count": 1} for kind in ("AGENT", "GENERATION", "TOOL")]
    assert said["beside"] == [1, ["look at this"], ["tracetui"]]
    assert said["versions"] == [[7, 1], [0, 1, 2]]
    assert said["items"] == [[f"item-{n}", {"n": n}, n + 1] for n in range(3)]
    assert (said["experiment"], said["runs"]) == (
        [True, 3], [[f"item-{n}", str(n + 1), [1.0]] for n in range(3)],
    )  # fmt: skip


def test_the_example_of_the_page_is_a_trace_here(up: Running, tmp_path: Path) -> None:
    example = tmp_path / "example.py"
    example.write_text(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0])
    with Server() as model:
        done = run(up, [str(example)], OPENAI_BASE_URL=model.url, OPENAI_API_KEY="sk-none")
    assert "nothing was written for this" in done.stdout
    with open_reader(up.status.file or "") as reader:
        (trace,) = reader.traces()
        agent, call = reader.tree_spans(trace.trace_id)
    assert (agent.name, agent.kind, call.kind, call.model) == ("ask", "agent", "llm", "gpt-4o-mini")
    assert (call.input_tokens, call.output_tokens) == (120, 30)
