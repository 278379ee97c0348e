"""`tracetui doctor --for NAME`: lines that a shell takes, and a test that really arrives."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from collector import store
from collector.receiver.doors import TABLE
from collector.store.rows import TraceRow
from tests.receiver.running import Running, running, settings_for, until
from tracetui.cli.main import cli
from tracetui.cli.pointing import ALSO, CLIENTS, Place

NEEDS = {"langfuse": "langfuse", "langsmith": "langsmith"}
TESTED = [name for name, one in CLIENTS.items() if one.trial is not None and NEEDS.get(name, "otlp") in TABLE]


def ask(up: Running, monkeypatch: pytest.MonkeyPatch, *args: str, token: str = "") -> Result:
    monkeypatch.setenv("TRACETUI_HTTP_PORT", str(up.status.http_port))
    monkeypatch.setenv("TRACETUI_GRPC_PORT", str(up.status.grpc_port))
    monkeypatch.setenv("TRACETUI_TOKEN", token)
    return CliRunner().invoke(cli, ["doctor", "--db", str(up.receiver.settings.db), *args])


def trace_of(db: Path, trace_id: str) -> TraceRow:
    with store.open_reader(db) as reader:
        return reader.trace(trace_id)


@pytest.mark.parametrize("token", ["", "t0p secret"])
def test_a_test_goes_through_every_door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    settings = settings_for(tmp_path, token=token or None)
    with running(settings, real=True) as up:
        for name in TESTED:
            got = ask(up, monkeypatch, "--for", name, "--json", token=token)
            assert got.exit_code == 0, (name, got.output, got.exception)
            report = json.loads(got.stdout)
            trace_id = report["test"]["trace_id"]
            assert trace_of(settings.db, trace_id).name == f"tracetui doctor --for {name}"
            if "/proxy/" in report["test"]["door"]:  # passed on, answered and read, by an upstream of our own
                until(lambda one=trace_id: trace_of(settings.db, one).usage.input_tokens == 5)  # type: ignore[misc]
                assert trace_of(settings.db, trace_id).llm_calls == 1


def test_a_client_that_takes_the_variables_of_another_is_known_by_its_own_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(settings_for(tmp_path), real=True) as up:
        got = ask(up, monkeypatch, "--for", "crewai")
        assert "PHOENIX_COLLECTOR_ENDPOINT" in got.stdout
        assert "a test span came through" in got.stderr
        wrong = ask(up, monkeypatch, "--for", "crew")
    assert "there is no 'crew'; there are otel, " in wrong.output


def test_every_page_of_a_client_is_a_name_that_the_doctor_knows() -> None:
    pages = {page.stem for page in (Path(__file__).parents[2] / "docs" / "clients").glob("*.md")}
    assert pages - {"README", "files", "proxy"} <= CLIENTS.keys() | ALSO.keys()
    assert set(ALSO.values()) <= CLIENTS.keys()


def test_every_client_is_tested() -> None:
    assert {"otel", "otel-grpc", "langfuse", "langsmith", "openai", "anthropic", "openai-agents"} <= set(TESTED)


def test_the_lines_are_shell_and_the_talk_is_not_among_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(settings_for(tmp_path), real=True) as up:
        got = ask(up, monkeypatch, "--for", "langfuse")
    assert "a test span came through POST /api/public/otel/v1/traces" in got.stderr
    out = subprocess.run(
        ["sh", "-ec", f"{got.stdout}\nenv"], env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=True
    ).stdout
    assert f"LANGFUSE_HOST={up.status.url}" in out.splitlines()
    assert "LANGFUSE_PUBLIC_KEY=pk-lf-tracetui" in out.splitlines()


@pytest.mark.parametrize("name", CLIENTS)
def test_every_client_has_lines_with_a_token_and_without(name: str) -> None:
    for token in (None, "t0p"):
        place = Place("http://127.0.0.1:4318", 4317, token)
        said = [*CLIENTS[name].variables(place).values(), *CLIENTS[name].notes(place)]
        assert any("127.0.0.1" in one for one in said)
        assert token is None or any(token in one or "token" in one or "api_key" in one for one in said)


def test_where_nobody_listens_the_lines_are_told_and_what_to_start(tmp_path: Path) -> None:
    env = {"TRACETUI_HTTP_PORT": "1", "TRACETUI_TOKEN": ""}
    got = CliRunner().invoke(cli, ["doctor", "--db", str(tmp_path / "x.db"), "--for", "otel"], env=env)
    assert got.stdout.splitlines()[1] == "export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1"
    assert "start `tracetui`" in str(got.exception)


def test_a_wrong_token_and_an_unknown_name_are_sentences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(settings_for(tmp_path, token="right"), real=True) as up:
        assert "TRACETUI_TOKEN" in str(ask(up, monkeypatch, "--for", "otel", token="wrong").exception)
        assert "langsmith" in ask(up, monkeypatch, "--for", "nonsense").output
