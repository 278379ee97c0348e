"""Each page of docs/clients is followed as its reader would: its packages in an environment of their own, its
variables, its example, against the demo's simulated model. What a receiver then has is compared with what was asked.

Installs from the registries, so only `make pages` runs it (see tests/conftest.py). An environment is kept in
build/pages; delete that to have the packages of today.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from collector.store import open_reader
from collector.store.rows import SpanRow, TraceRow
from tests.receiver.running import running, settings_for
from tracetui.demo.server import Server

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "clients"
HOMES = ROOT / "build" / "pages"
ADDRESS = "http://127.0.0.1:4318"
INSTALL_S, RUN_S = 300, 120


@dataclass(frozen=True)
class Expected:
    """Of the one trace: its root, its model call, whose it is. `tokens` is None where the client sends no usage."""

    root: str
    calls: int = 1
    tokens: tuple[int, int] | None = (120, 30)
    session: str | None = None
    user: str | None = None


EXPECTED = {
    "crewai": Expected("Crew_*.kickoff"),
    "dspy": Expected("LM.__call__", tokens=None),
    "genkit": Expected("ask"),
    "haystack": Expected("haystack.pipeline.run"),
    "litellm": Expected("litellm_request"),
    "llamaindex": Expected("OpenAI.chat"),
    "logfire": Expected("invoke_agent weather_agent", session="thread-42"),
    "mastra": Expected("invoke_agent weather", session="thread-42", user="user-7"),
    "openai-agents": Expected("ask", session="thread-42"),
    "openllmetry": Expected("ask.workflow", session="thread-42", user="user-7"),
    "phoenix": Expected("ChatCompletion", session="thread-42", user="user-7"),
    "smolagents": Expected("ToolCallingAgent.run", calls=2),
    "vercel-ai": Expected("ai.generateText", session="thread-42", user="user-7"),
}


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


def test_every_page_with_an_install_line_is_run() -> None:
    installing = {path.stem for path in PAGES.glob("*.md") if re.search(r"^(pip|npm) install ", path.read_text(), re.M)}
    assert installing == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_the_page_followed_gives_a_trace(name: str, tmp_path: Path) -> None:
    page = (PAGES / f"{name}.md").read_text("utf-8")
    home, program = program_of(name, page)
    done, trace, spans = followed(page, home, program, tmp_path)
    assert done.returncode == 0, done.stderr[-4000:]
    assert "nothing was written for this" in done.stdout
    assert "trouble sending" not in done.stderr  # Logfire, when its backend does not know it
    assert not differences(EXPECTED[name], trace, spans)


def test_logfire_tells_what_has_begun_though_its_program_is_killed(tmp_path: Path) -> None:
    page = (PAGES / "logfire.md").read_text("utf-8")
    home, program = program_of("logfire", page)
    program[-1] = KILLED
    _, trace, spans = followed(page, home, program, tmp_path)
    assert [(span.name, span.status) for span in spans] == [("the run", "running"), ("a step", "ok")]
    assert trace.status == "running"


KILLED = """
import os, time
import logfire

logfire.configure(inspect_arguments=False)
with logfire.span("the run"):
    with logfire.span("a step"):
        pass
    logfire.force_flush()
    os.kill(os.getpid(), 9)
"""


def program_of(name: str, page: str) -> tuple[Path, list[str]]:
    """The environment with what the page installs, and the command that runs its example."""
    home = HOMES / name
    [install] = re.findall(r"^((?:pip|npm) install .+)$", page, re.MULTILINE)
    return home, of_node(home, install, page) if install.startswith("npm") else of_python(home, install, page)


def followed(
    page: str, home: Path, program: list[str], tmp_path: Path
) -> tuple[subprocess.CompletedProcess[str], TraceRow, list[SpanRow]]:
    """Run with the page's variables against a receiver and a simulated model; the one trace that arrived."""
    with running(settings_for(tmp_path), real=True) as up, Server() as model:
        places = {ADDRESS: up.status.url, "http://127.0.0.1:4317": f"http://127.0.0.1:{up.status.grpc_port}"}
        variables = {key: moved(value, places) for key, value in re.findall(r"^export (\w+)=(\S+)", page, re.MULTILINE)}
        env = {
            "PATH": os.environ["PATH"], "HOME": str(tmp_path), **variables,
            "PHOENIX_GRPC_PORT": str(up.status.grpc_port),  # as the page says where 4317 was taken
            "OPENAI_BASE_URL": model.url, "OPENAI_API_BASE": model.url, "OPENAI_API_KEY": "sk-none",
        }  # fmt: skip
        command = [*program[:-1], moved(program[-1], places)]
        done = subprocess.run(command, cwd=home, env=env, capture_output=True, text=True, timeout=RUN_S)
        with open_reader(up.status.file or "") as reader:
            found = list(reader.traces())
            assert len(found) == 1, (found, done.stderr[-4000:])
            return done, found[0], list(reader.tree_spans(found[0].trace_id))


def differences(expected: Expected, trace: TraceRow, spans: list[SpanRow]) -> list[str]:
    calls = [span for span in spans if span.kind == "llm"]
    pairs = {
        "root": (re.sub(r"_[0-9a-f-]{36}\b", "_*", trace.name or ""), expected.root),
        "session": (trace.session_id, expected.session),
        "user": (trace.user_id, expected.user),
        "calls": (len(calls), expected.calls),
        "models": ({call.model for call in calls}, {"gpt-4o-mini"}),
        "tokens": ({(call.input_tokens, call.output_tokens) for call in calls}, {expected.tokens or (None, None)}),
        "orphans": ([span.name for span in spans if span.parent_id and span.parent_id not in ids(spans)], []),
    }
    return [f"{what}: {got!r}, expected {wanted!r}" for what, (got, wanted) in pairs.items() if got != wanted]


def ids(spans: list[SpanRow]) -> set[str]:
    return {span.span_id for span in spans}


def moved(text: str, places: dict[str, str]) -> str:
    for page, here in places.items():
        text = text.replace(page, here)
    return text


def of_python(home: Path, install: str, page: str) -> list[str]:
    python = home / "bin" / "python"
    if not python.exists():
        run([sys.executable, "-m", "venv", *(["--without-pip"] if shutil.which("uv") else []), str(home)])
        words = [word.strip("'") for word in install.split()[2:]]
        if shutil.which("uv"):
            run(["uv", "pip", "install", "--quiet", "--python", str(python), *words], home)
        else:
            run([str(python), "-m", "pip", "install", "--quiet", *words], home)
    [example] = blocks(page, "python")
    assert len(example.splitlines()) <= 18
    return [str(python), "-c", example]


def of_node(home: Path, install: str, page: str) -> list[str]:
    if shutil.which("npm") is None:
        pytest.skip("there is no npm here")
    if not (home / "node_modules").exists():
        home.mkdir(parents=True, exist_ok=True)
        run(["npm", "install", "--silent", "--no-audit", "--no-fund", *install.split()[2:]], home, cwd=home)
    [example] = blocks(page, "js")
    assert len(example.splitlines()) <= 18
    return ["node", "--input-type=module", "-e", example]


def run(command: list[str], made: Path | None = None, cwd: Path | None = None) -> None:
    """Half an environment is none: what a failed installation left is taken away."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=INSTALL_S)
    if done.returncode != 0 and made is not None:
        shutil.rmtree(made, ignore_errors=True)
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
