"""Files that grow: each line once, whatever happens to the file."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import collector
from collector.errors import StoreError
from collector.importers.follow import SEARCH_EVERY, Follower
from collector.model import SpanPart
from collector.protocols import otlp
from tests.builders import span_id
from tests.importers.test_agent_logs import SAMPLES, SESSION, outline
from tests.importers.test_files import make_sent

LINES = [otlp.encode_traces([make_sent(n)]) + b"\n" for n in range(9)]


def ids(follower: Follower) -> list[str]:
    return [part.span_id for batch in follower.poll() for part in batch.parts]


def names(*numbers: int) -> list[str]:
    return [span_id(n) for n in numbers]


def append(path: Path, *content: bytes) -> None:
    with path.open("ab") as file:
        file.write(b"".join(content))


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "spans.jsonl"
    path.write_bytes(LINES[1])
    return path


@pytest.fixture
def follower(log):
    made = Follower([log])
    assert ids(made) == names(1)
    yield made
    made.close()


def test_what_is_added_is_read_once(log, follower):
    append(log, LINES[2], LINES[3])
    assert ids(follower) == names(2, 3)
    assert ids(follower) == []


def test_half_a_line_waits_for_its_end(log, follower):
    append(log, LINES[2][:40])
    assert ids(follower) == []
    append(log, LINES[2][40:], LINES[3])
    assert ids(follower) == names(2, 3)


def test_a_file_cut_short_begins_anew(log, follower):
    append(log, LINES[2])
    assert ids(follower) == names(2)
    log.write_bytes(LINES[3])
    assert ids(follower) == names(3)


def test_a_file_written_anew_at_the_same_length_or_longer_begins_anew(log, follower):
    log.write_bytes(LINES[4] + LINES[5] + LINES[6])
    assert ids(follower) == names(4, 5, 6)


def test_what_was_written_before_a_rotation_is_not_missed(log, follower):
    append(log, LINES[2])
    log.rename(log.with_suffix(".1"))
    log.write_bytes(LINES[3])
    assert ids(follower) == names(2, 3)


def test_a_file_that_goes_and_comes_again_is_read(log, follower):
    log.unlink()
    assert ids(follower) == []
    log.write_bytes(LINES[7])
    assert ids(follower) == names(7)


def test_new_files_below_a_directory_are_found(tmp_path):
    follower = Follower([tmp_path])
    assert ids(follower) == []
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "new.jsonl").write_bytes(LINES[1])
    (tmp_path / "packed.jsonl.gz").write_bytes(gzip.compress(LINES[2]))
    seen = [name for _ in range(SEARCH_EVERY) for name in ids(follower)]
    assert sorted(seen) == names(1, 2)
    append(tmp_path / "deep" / "new.jsonl", LINES[3])
    assert ids(follower) == names(3)


def test_messages_behind_their_length_are_read_as_they_come(tmp_path):
    path = tmp_path / "spans.pb"
    messages = [otlp.encode_traces_protobuf([make_sent(n)]) for n in (1, 2)]
    framed = [len(message).to_bytes(4, "big") + message for message in messages]
    path.write_bytes(framed[0] + framed[1][:30])
    follower = Follower([path])
    assert ids(follower) == names(1)
    append(path, framed[1][30:])
    assert ids(follower) == names(1, 2)  # read from the front: what is there adds nothing
    follower.close()


def test_a_broken_line_is_refused_and_the_rest_goes_on(log, follower):
    append(log, b"{broken\n", LINES[2])
    batches = list(follower.poll())
    assert [part.span_id for batch in batches for part in batch.parts] == names(2)
    assert sum(refusal.count for batch in batches for refusal in batch.refused) == 1


def test_a_session_followed_line_by_line_says_the_same_as_read_at_once(tmp_path):
    """Sub-agents' files appear while the call that started them runs; the last word on each span is the same."""
    there = SAMPLES / "by-hand/claude-2.1.12"
    whole = last_of(Follower([there]))
    here = tmp_path / "projects"
    main, agent = f"{SESSION}.jsonl", f"{SESSION}/subagents/agent-a1b2c3d.jsonl"
    (here / SESSION / "subagents").mkdir(parents=True)
    follower = Follower([here])
    seen: dict[tuple[str, str], SpanPart] = {}
    for at, line in enumerate((there / main).read_bytes().splitlines(keepends=True)):
        append(here / main, line)
        seen |= last_of(follower, SEARCH_EVERY)
        if at == 8:
            shutil.copy(there / agent, here / agent)
            seen |= last_of(follower, SEARCH_EVERY)
    assert outline(sorted(seen.values(), key=lambda p: (p.start_ns, p.end_ns))) == outline(
        sorted(whole.values(), key=lambda p: (p.start_ns, p.end_ns))
    )
    assert {key: part.reading for key, part in seen.items()} == {key: part.reading for key, part in whole.items()}


def last_of(follower: Follower, polls: int = 1) -> dict[tuple[str, str], SpanPart]:
    found = [part for _ in range(polls) for batch in follower.poll() for part in batch.parts]
    return {(part.trace_id, part.span_id): part for part in found}


def test_claude_and_codex_find_their_logs(tmp_path):
    claude, codex = tmp_path / "claude", tmp_path / "codex"
    shutil.copytree(SAMPLES / "by-hand/claude-2.1.12", claude / "projects" / "-home-ada-weather")
    shutil.copytree(SAMPLES / "by-hand/codex-0.98.0", codex / "sessions" / "2026" / "02" / "10")
    env = {"CLAUDE_CONFIG_DIR": str(claude), "CODEX_HOME": str(codex)}
    told = [json.loads(tracetui(tmp_path, env, command, "--json")) for command in ("claude", "codex", "claude")]
    assert [one["stored"] > 0 for one in told] == [True, True, False]
    assert told[2]["duplicate"] == told[0]["received"]
    assert len(json.loads(tracetui(tmp_path, env, "traces", "--json"))) == 4


def test_an_agent_without_logs_is_said_so(tmp_path):
    with pytest.raises(subprocess.CalledProcessError) as failed:
        tracetui(tmp_path, {"CODEX_HOME": str(tmp_path / "none")}, "codex")
    assert "set CODEX_HOME" in failed.value.stderr


def test_following_ends_with_its_parent_and_has_what_came_meanwhile(tmp_path):
    logs = tmp_path / "sessions"
    shutil.copytree(SAMPLES / "by-hand/codex-0.98.0", logs)
    env = {"CODEX_HOME": str(tmp_path)}
    child = subprocess.Popen(
        command("codex", "--no-tui", "--follow", "--until-eof", "--days", "0", "--db", tmp_path / "t.db"),
        stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(tmp_path, env), text=True,
    )  # fmt: skip
    try:
        wait_for(lambda: traces(tmp_path) == 2)
        shutil.copy(SAMPLES / "by-hand/codex-0.46.0.jsonl", logs / "rollout-new.jsonl")
        wait_for(lambda: traces(tmp_path) == 4)
        _, said = child.communicate("", timeout=20)
        assert child.returncode == 0
        assert "read" in said
    finally:
        if child.poll() is None:
            child.send_signal(signal.SIGKILL)
            child.communicate()


def traces(where: Path) -> int:
    path = where / "t.db"
    if not path.exists():
        return 0
    try:
        with collector.open(path) as file:
            return len(list(file.traces()))
    except StoreError:  # it is just being made
        return 0


def wait_for(true: object, deadline_s: float = 30.0) -> None:
    end = time.monotonic() + deadline_s
    while not true():  # type: ignore[operator]
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)


def command(*args: object) -> list[str]:
    return [sys.executable, "-m", "tracetui", *map(str, args)]


def environment(home: Path, more: dict[str, str]) -> dict[str, str]:
    ours = str(Path(collector.__file__).parents[1])
    return {**os.environ, "PYTHONPATH": ours, "XDG_CONFIG_HOME": str(home / "config"), "HOME": str(home), **more}


def tracetui(home: Path, env: dict[str, str], *args: str) -> str:
    days = ("--days", "0") if args[0] in ("claude", "codex") else ()
    done = subprocess.run(
        command(*args, *days, "--db", home / "t.db"), env=environment(home, env), cwd=home,
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return done.stdout
