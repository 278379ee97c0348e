"""`tracetui claude` and `codex` in a real terminal: what is there, what comes, what takes its place, and the end."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import psutil
import pytest

from tests.importers.test_agent_logs import SAMPLES
from tests.importers.test_follow import append, command, environment, wait_for
from tests.proof.terminal import terminal

CLAUDE = next((SAMPLES / "claude-2.1.12").glob("*.jsonl"))
CODEX = next((SAMPLES / "codex-0.98.0").glob("*.jsonl"))


def asked(line: bytes, text: str) -> bytes:
    """A prompt like this one, asked another time."""
    record = json.loads(line)
    record["message"] = {"role": "user", "content": text}
    record |= {"uuid": f"u-{text}", "timestamp": "2026-11-21T18:00:00.000Z"}
    return json.dumps(record).encode() + b"\n"


def prompt_line(log: Path) -> bytes:
    return next(line for line in log.read_bytes().splitlines() if b'"role":"user","content":"' in line)


def test_claudes_sessions_are_shown_as_they_grow_and_are_replaced(tmp_path):
    logs = tmp_path / "claude" / "projects" / "-home-ada-weather"
    logs.mkdir(parents=True)
    log = logs / CLAUDE.name
    shutil.copy(CLAUDE, log)
    env = environment(tmp_path, {"CLAUDE_CONFIG_DIR": str(tmp_path / "claude")})
    with terminal(command("claude", "--days", "0", "--db", tmp_path / "t.db"), 160, 30, env) as screen:
        screen.until("Hard error.")
        append(log, asked(prompt_line(CLAUDE), "Asked while it is watched"))
        screen.until("Asked while it is watched")
        other = logs / "other"
        other.write_bytes(asked(prompt_line(CLAUDE), "Asked in a file that took its place"))
        other.replace(log)
        screen.until("Asked in a file that took its place")
        (logs / "new.jsonl").write_bytes(asked(prompt_line(CLAUDE), "Asked in a new file"))
        screen.until("Asked in a new file")
        children = psutil.Process(screen.child.pid).children(recursive=True)
        assert children
        assert screen.end() == 0
    wait_for(lambda: not any(child.is_running() for child in children))


def test_codex_rollouts_are_shown(tmp_path):
    logs = tmp_path / "codex" / "sessions" / "2026" / "11" / "21"
    logs.mkdir(parents=True)
    shutil.copy(CODEX, logs)
    env = environment(tmp_path, {"CODEX_HOME": str(tmp_path / "codex")})
    with terminal(command("codex", "--days", "0", "--db", tmp_path / "t.db"), 80, 24, env) as screen:
        screen.until("codex.turn")
        assert screen.end() == 0


@pytest.mark.parametrize(("program", "variable"), [("claude", "CLAUDE_CONFIG_DIR"), ("codex", "CODEX_HOME")])
def test_without_logs_a_sentence_says_where_they_were_looked_for(tmp_path, program, variable):
    env = environment(tmp_path, {}) | {variable: ""}
    done = subprocess.run(command(program), env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert f"set {variable}" in done.stderr
    assert str(tmp_path / f".{program}") in done.stderr
    assert not list(tmp_path.glob("**/traces.db"))
