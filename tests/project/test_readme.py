"""Every command and snippet of the README does what it says."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.settings import resolve
from tracetui.keymap import KEYS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
COMMANDS = [line for kind, body in BLOCKS if kind == "sh" for line in body.splitlines() if line.strip()]
MAKES = {"make demo": "tracetui demo", "make test": "-m pytest"}

OTEL_APP = """
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
with provider.get_tracer("app").start_as_current_span("from an OTel app"):
    pass
provider.shutdown()
"""


def block(kind: str) -> str:
    (body,) = (body for found, body in BLOCKS if found == kind)
    return str(body)


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Ours without any setting of the machine; the commands of this environment first."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("TRACETUI_", "OTEL_"))}
    bin_ = str(Path(sys.executable).parent)
    home = {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder / "config"), "XDG_DATA_HOME": str(folder / "data")}
    return clean | home | {"PATH": f"{bin_}{os.pathsep}{clean['PATH']}", "COLUMNS": "100"} | more


def sh(command: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, shell=True, cwd=folder, env=environment(folder, **more), capture_output=True, text=True, timeout=60,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose code is the README's snippet, run once, and its export."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "pyproject.toml").write_text('[project]\nname = "app"\n')
    (folder / "app.py").write_text(block("python"))
    ended = sh(f"{sys.executable} app.py", folder)
    assert (ended.returncode, ended.stderr) == (0, "")
    return folder


def test_every_block_is_of_a_kind_that_a_test_runs():
    assert {kind for kind, _ in BLOCKS} == {"sh", "python", "toml"}


def test_the_snippet_traces_its_function(project):
    (trace,) = json.loads(sh("tracetui traces --json", project).stdout)
    assert (trace["name"], trace["status"]) == ("answer", "ok")
    shown = json.loads(sh(f"tracetui show {trace['trace_id'][:8]} --json", project).stdout)
    assert shown["input"] == {"value": {"question": "Where is my order 789?"}}
    assert shown["output"] == {"value": "You asked: Where is my order 789?"}


@pytest.mark.parametrize("command", [line for line in COMMANDS if line.startswith("tracetui ")])
def test_every_command_of_the_readme_ends_well(command, project):
    if " import " in command:
        sh("tracetui export --format otlp -o spans.jsonl.gz", project)
    ended = sh(command, project)
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("command", [line for line in COMMANDS if line.startswith("make ")])
@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_a_make_command_is_there_and_runs_what_is_said(command):
    planned = sh(f"{command} --dry-run --no-print-directory", ROOT)
    assert planned.returncode == 0, planned.stderr
    assert MAKES[command] in planned.stdout.splitlines()[-1]


def test_no_command_is_left_out():
    assert [line for line in COMMANDS if not line.startswith(("make ", "tracetui ", "export OTEL_"))] == []


@pytest.fixture
def collecting(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """`tracetui collect` on a free port: (its folder, the port)."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (tmp_path / "log").open("w") as log, subprocess.Popen(
        [sys.executable, "-m", "tracetui", "collect", "--db", "traces.db",
         "--http-port", str(port), "--grpc-port", "0"],
        cwd=tmp_path, env=environment(tmp_path), stdout=log, stderr=log, stdin=subprocess.DEVNULL,
    ) as child:  # fmt: skip
        try:
            wait_for(f"http://127.0.0.1:{port}/v1/status", child, tmp_path / "log")
            yield tmp_path, port
        finally:
            child.terminate()


def wait_for(url: str, child: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and child.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"the collector did not start: {log.read_text()}")


def test_one_variable_points_an_opentelemetry_app_here(collecting):
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    folder, port = collecting
    (line,) = (line for line in COMMANDS if line.startswith("export "))
    name, _, value = line.removeprefix("export ").partition("=")
    assert value == "http://127.0.0.1:4318"
    (folder / "app.py").write_text(OTEL_APP)
    ended = sh(f"{sys.executable} app.py", folder, **{name: value.replace("4318", str(port))})
    assert ended.returncode == 0, ended.stderr
    (trace,) = json.loads(sh("tracetui traces --db traces.db --json", folder).stdout)
    assert trace["name"] == "from an OTel app"


def test_the_configuration_is_read_as_it_stands(tmp_path):
    (tmp_path / "tracetui.toml").write_text(block("toml"))
    found = resolve(cwd=tmp_path, env={}, user_config=tmp_path / "none")
    assert found.warnings == ()
    assert (found.settings.redact, found.settings.durable) == ("pii", True)
    assert found.settings.prices["my-fine-tuned-model"] == {"input": 0.5, "output": 1.5}
    assert found.settings.db == tmp_path / "traces.db"


def test_every_key_of_the_readme_is_bound():
    bound = {key for entry in KEYS for key in [*entry.keys.split(","), *entry.sign.split()]}
    names = {"=": "equals_sign", "/": "slash", "Enter": "enter", "Esc": "escape", "Tab": "tab", "Space": "space"}
    table = README[README.index("## Keys") : README.index("## Configuration")]
    shown = re.findall(r"`([^`]+)`", table)
    assert [key for key in shown if key not in bound and names.get(key) not in bound] == []


def test_every_file_that_the_readme_names_is_there():
    targets = re.findall(r"\]\(([^)#]+)\)", README)
    assert [target for target in targets if "://" not in target and not (ROOT / target).exists()] == []
