"""`--auto`: every Python that the command starts finds our sitecustomize first, and no program is harmed by it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest

import collector
from collector.auto import VARIABLE, variables, wiring
from tests.run.running import environment, program, rows, run

OPENAI = """
class OpenAI:
    def __init__(self, key="k"): self.key = key
class AzureOpenAI(OpenAI):
    def __init__(self): super().__init__("azure")
"""
ASKS = """
import openai, sys
client = openai.OpenAI()
print(client.key, getattr(openai.OpenAI.__init__, "traced_by_tracetui", False))
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a program, and a stand-in for the client's package where only the program finds it."""
    (tmp_path / "app").mkdir()
    (tmp_path / "lib" / "openai").mkdir(parents=True)
    (tmp_path / "lib" / "openai" / "__init__.py").write_text(OPENAI)
    program(tmp_path / "app", ASKS)
    return tmp_path


def auto(folder: Path, *command: str, path: str = "$PYTHONPATH", flag: str = "--auto") -> Any:
    """Run a command in `app`, with `lib` behind its PYTHONPATH."""
    script = f'cd app && PYTHONPATH="{path}:{folder / "lib"}" exec "$0" "$@"'
    return run(folder, *([flag] if flag else []), "--", "/bin/sh", "-c", script, *command)


@pytest.mark.slow
def test_a_script_a_module_and_a_console_script_are_wired_alike(project: Path) -> None:
    console = project / "app" / "agent"
    console.write_text(f"#!{sys.executable}\n{ASKS}")
    console.chmod(0o755)
    for command in ([sys.executable, "agent.py"], [sys.executable, "-m", "agent"], ["./agent"],
                    ["/bin/sh", "-c", f"{sys.executable} agent.py"]):  # fmt: skip
        done = auto(project, *command)
        assert (done.returncode, done.stdout) == (0, "k True\n"), done.stderr


@pytest.mark.skipif(shutil.which("uv") is None, reason="uv is not installed")
def test_uv_run_is_wired_too(project: Path) -> None:
    done = auto(project, "uv", "run", "--no-project", "--python", sys.executable, "agent.py")
    assert done.stdout == "k True\n", done.stderr


@pytest.mark.skipif(shutil.which("poetry") is None, reason="poetry is not installed")
def test_poetry_run_is_wired_too(project: Path) -> None:
    """poetry's own Python starts with our sitecustomize too, then becomes the project's."""
    app = project / "app"
    (app / "pyproject.toml").write_text('[tool.poetry]\nname = "app"\nversion = "0"\npackage-mode = false\n')
    poetry = str(shutil.which("poetry"))
    script = ["env", "POETRY_VIRTUALENVS_IN_PROJECT=true", poetry, "run", "python"]
    for command in (["agent.py"], ["-m", "agent"]):
        done = auto(project, *script, *command, path="${PYTHONPATH%%:*}")
        assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "k True"), done.stderr


@pytest.mark.slow
def test_a_console_script_of_an_environment_that_a_runner_becomes_is_wired_too(project: Path) -> None:
    """As poetry, pdm, hatch and pipenv do: a Python of another environment replaces itself by the project's script."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(project / "bare")], check=True)
    console = project / "bare" / "bin" / "agent"
    console.write_text(f"#!{project / 'bare' / 'bin' / 'python'}\n{ASKS}")
    console.chmod(0o755)
    runner = program(project, f"import os\nos.execvpe({str(console)!r}, ['agent'], dict(os.environ))", "runner.py")
    done = auto(project, *runner, path="${PYTHONPATH%%:*}")
    assert (done.returncode, done.stdout) == (0, "k True\n"), done.stderr


def test_without_auto_nothing_is_touched(project: Path) -> None:
    assert auto(project, sys.executable, "agent.py", flag="").stdout == "k False\n"


@pytest.mark.slow
def test_a_python_that_has_nothing_of_ours_borrows_it(project: Path) -> None:
    """A virtual environment of its own, without our package and what it needs: spans go to the collector."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(project / "bare")], check=True)
    borrowed = ASKS + "import collector\nwith collector.span('borrowed'): pass\nprint(collector.flush())"
    program(project / "app", borrowed)
    done = auto(project, str(project / "bare" / "bin" / "python"), "agent.py", path="${PYTHONPATH%%:*}")
    assert (done.returncode, done.stdout) == (0, "k True\nTrue\n"), done.stderr
    assert "1 trace, 1 span" in done.stderr


@pytest.mark.slow
def test_the_sitecustomize_of_the_environment_still_runs(project: Path) -> None:
    (project / "lib" / "sitecustomize.py").write_text("print('theirs')")
    program(project / "app", ASKS + "import sitecustomize; print(sitecustomize.__file__)")
    done = auto(project, sys.executable, "agent.py")
    assert done.stdout.splitlines() == ["theirs", "k True", str(project / "lib" / "sitecustomize.py")], done.stderr


@pytest.mark.slow
def test_a_program_with_a_module_called_collector_keeps_it(project: Path) -> None:
    (project / "app" / "collector.py").write_text("mine = 1")
    program(project / "app", ASKS + "import collector; print(collector.mine)")
    done = auto(project, sys.executable, "agent.py")
    assert (done.returncode, done.stdout) == (0, "k False\n1\n"), done.stderr
    assert done.stderr.count("the program has a module of its own called `collector`") == 1


@pytest.mark.slow
def test_a_bootstrap_that_fails_is_said_once_and_harms_nothing(project: Path) -> None:
    env = environment(project) | variables({}, "http://127.0.0.1:9") | {VARIABLE: "{broken"}
    env["PYTHONPATH"] += os.pathsep + str(project / "lib")
    twice = "import subprocess, sys; sys.exit(subprocess.call([sys.executable, 'app/agent.py']))"
    done = subprocess.run([sys.executable, "-c", twice], env=env, cwd=project, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "k False\n")
    assert done.stderr.count("tracetui: --auto: nothing is traced") == 1


def test_a_program_that_uses_no_client_loads_nothing_of_ours(project: Path) -> None:
    program(project / "app", "import sys; print('collector' in sys.modules)")
    assert auto(project, sys.executable, "agent.py").stdout == "False\n"


@pytest.mark.slow
def test_the_real_clients_can_still_be_made(project: Path) -> None:
    pytest.importorskip("openai")
    shutil.rmtree(project / "lib" / "openai")
    text = "c = openai.OpenAI(api_key='k')\nprint(type(c) is openai.OpenAI, c.with_options(timeout=1).api_key)"
    program(project / "app", f"import openai\n{text}")
    done = auto(project, sys.executable, "agent.py")
    assert done.stdout == "True k\n", done.stderr


CALLS = """
import http.server, itertools, json, threading
count = itertools.count()
class Model(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        message = {"role": "assistant", "content": "hello"}
        body = json.dumps({
            "id": f"chatcmpl-{next(count)}", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini",
            "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
            "usage": {"prompt_tokens": 11, "completion_tokens": 2, "total_tokens": 13}}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Model)
threading.Thread(target=server.serve_forever, daemon=True).start()
import openai
client = openai.OpenAI(api_key="k", base_url=f"http://127.0.0.1:{server.server_port}/v1")
for one in (client, client.with_options(timeout=5)):
    one.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "hi"}])
"""


@pytest.mark.parametrize("theirs", ["", "sdk and instrumentor"])
def test_a_call_is_traced_once_by_us_or_by_who_traces_it_already(project: Path, theirs: str) -> None:
    pytest.importorskip("openai")
    shutil.rmtree(project / "lib" / "openai")
    text = CALLS
    if theirs:
        pytest.importorskip("opentelemetry.instrumentation.openai_v2")
        text = (
            """
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
trace.set_tracer_provider(TracerProvider())
trace.get_tracer_provider().add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
OpenAIInstrumentor().instrument()
"""
            + CALLS
        )
    program(project / "app", text)
    done = auto(project, sys.executable, "agent.py")
    assert done.returncode == 0, done.stderr
    assert "2 traces, 2 spans, 0 errors, 26 tokens" in done.stderr
    sdk = rows(project, "select count(*) from bodies where own = 1")
    assert sdk == [(0 if theirs else 2,)]


GRAPH = """
from typing import TypedDict
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langgraph.graph import END, START, StateGraph
class State(TypedDict):
    said: str
model = FakeListChatModel(responses=["hello"])
graph = StateGraph(State)
graph.add_node("think", lambda state: {"said": model.invoke(state["said"]).content})
graph.add_edge(START, "think")
graph.add_edge("think", END)
app = graph.compile()
app.invoke({"said": "hi"}, {"configurable": {"thread_id": "thread-42"}})
from collector.langchain import CallbackHandler
app.invoke({"said": "hi"}, {"callbacks": [CallbackHandler()]})
"""


@pytest.mark.slow
def test_a_graph_is_traced_once_with_a_handler_of_its_own_too(project: Path) -> None:
    pytest.importorskip("langgraph")
    program(project / "app", GRAPH)
    done = auto(project, sys.executable, "agent.py")
    assert done.returncode == 0, done.stderr
    assert "2 traces, 6 spans, 0 errors" in done.stderr
    assert rows(project, "select kind, count(*) from spans group by 1") == [("chain", 4), ("llm", 2)]
    assert rows(project, "select session_id from sessions") == [("thread-42",)]


# What is wired, and what is left to others.


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> tuple[Any, list[Any]]:
    """A fresh stand-in, and the clients that were wrapped."""
    module: Any = types.ModuleType("openai")
    exec(OPENAI, vars(module))
    wrapped: list[Any] = []
    monkeypatch.setattr(collector, "wrap_openai", wrapped.append, raising=False)
    wiring.wire("openai", module, pytest.fail)
    return module, wrapped


def test_every_client_is_wrapped_once_when_it_is_complete(library: tuple[Any, list[Any]]) -> None:
    module, wrapped = library
    plain, azure = module.OpenAI(), module.AzureOpenAI()
    assert wrapped == [plain, azure]

    class Mine(module.OpenAI):
        pass

    mine = Mine("m")
    assert wrapped[2:] == [mine]
    assert mine.key == "m"


def test_a_client_that_an_instrumentor_traces_is_left_to_it(
    library: tuple[Any, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    module, wrapped = library
    instrumentor = types.SimpleNamespace(_instance=types.SimpleNamespace(_is_instrumented_by_opentelemetry=True))
    theirs: Any = types.ModuleType("theirs")
    theirs.OpenAIInstrumentor = instrumentor
    monkeypatch.setitem(sys.modules, "opentelemetry.instrumentation.openai_v2", theirs)
    module.OpenAI()
    assert wrapped == []
    instrumentor._instance._is_instrumented_by_opentelemetry = False
    module.OpenAI()
    assert len(wrapped) == 1


def test_opentelemetrys_own_instrumentor_is_recognised() -> None:
    instrumentation = pytest.importorskip("opentelemetry.instrumentation.openai_v2")
    import openai

    assert wiring.traced_by("openai", openai) is None
    instrumentor = instrumentation.OpenAIInstrumentor()
    instrumentor.instrument()
    try:
        assert wiring.traced_by("openai", openai) == "opentelemetry.instrumentation.openai_v2"
    finally:
        instrumentor.uninstrument()
    assert wiring.traced_by("openai", openai) is None


def test_a_patch_of_anybody_is_recognised_by_what_it_leaves(library: tuple[Any, list[Any]]) -> None:
    wrapt = pytest.importorskip("wrapt")
    module, wrapped = library
    module.OpenAI.request = wrapt.FunctionWrapper(lambda self: None, lambda wrapped, instance, args, kwargs: None)
    module.OpenAI()
    assert wrapped == []


def test_a_wrapper_that_fails_leaves_the_client_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    module: Any = types.ModuleType("openai")
    exec(OPENAI, vars(module))
    said: list[str] = []
    monkeypatch.setattr(collector, "wrap_openai", lambda client: 1 / 0, raising=False)
    wiring.wire("openai", module, said.append)
    assert module.OpenAI().key == "k"
    assert said == ["openai is not traced: ZeroDivisionError('division by zero')"]
