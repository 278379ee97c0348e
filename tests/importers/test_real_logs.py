"""Session logs that Claude Code and Codex themselves wrote (see samples/README.md)."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from itertools import pairwise

import pytest

from collector.importers import files, follow
from collector.model import SpanPart
from tests.importers.test_agent_logs import SAMPLES, imported, named, outline, read, tokens
from tests.importers.test_follow import append, last_of

CLAUDE, CODEX = "claude-2.1.330", "codex-0.169.0"
CALL = "  claude_code.llm_request"


@pytest.fixture(scope="module")
def claude() -> list[SpanPart]:
    return read(CLAUDE)


@pytest.fixture(scope="module")
def codex() -> list[SpanPart]:
    return read(CODEX)


def turn(parts: list[SpanPart], asked: str) -> list[SpanPart]:
    """The spans of the trace whose root was asked this."""
    (root,) = [part for part in parts if part.parent_id is None and asked in str(part.reading.input)]
    return [part for part in parts if part.trace_id == root.trace_id]


def test_every_turn_of_claude_is_a_trace_and_a_copy_of_one_is_none(claude):
    turns = [part for part in claude if part.parent_id is None]
    assert [str(part.reading.input.messages[0].parts[0]["text"]).split("\n")[0] for part in turns] == [
        "Look around the weather project.", "Now ask a helper.", "Errors please.", "Hard error please.",
        "After compaction.", "A fork.", "Two foreground helpers with one prompt.", "Interrupted.",
        "Goes on after the interruption.",
    ]  # fmt: skip
    assert [part.status for part in turns] == ["ok", "ok", "ok", "error", "ok", "ok", "ok", "ok", "ok"]
    assert turns[3].status_message == "API Error: 400 simulated invalid_request_error"


def test_a_call_of_claude_has_its_request(claude):
    call = named(turn(claude, "Look around"), "claude_code.llm_request")[0]
    assert tokens(call) == (2798, 33, 404, 2387)
    assert (call.end_ns - call.start_ns) // 1_000_000 == 41, "from the request on, not from the prompt"
    assert (call.reading.params["max_tokens"], call.reading.params["effort"]) == (128000, "medium")
    assert [tool["name"] for tool in call.reading.tool_definitions] == ["Read"]
    assert call.reading.system[0].parts[0]["text"].startswith("You are a Claude agent")


def test_a_call_of_claude_is_given_what_was_said_in_the_turns_before_it(claude):
    first = named(turn(claude, "Look around"), "claude_code.llm_request")
    second = named(turn(claude, "Now ask a helper"), "claude_code.llm_request")
    before = first[-1].reading.input.messages + first[-1].reading.output.messages
    called = next(call for call in second if call.parent_id == second[0].parent_id)
    assert called.reading.input.messages[:-1] == before
    assert "Now ask a helper" in str(called.reading.input.messages[-1])
    fork = named(turn(claude, "A fork."), "claude_code.llm_request")[0]
    assert "I remember." in str(fork.reading.input), "which the log of the fork has as a copy"


def test_after_a_compaction_a_call_of_claude_is_given_the_summary_and_what_came_since(claude):
    (call,) = named(turn(claude, "After compaction."), "claude_code.llm_request")
    summary, *_, asked = call.reading.input.messages
    assert "This session is being continued from a previous conversation" in str(summary)
    assert "After compaction." in str(asked)
    assert "Look around" not in str(call.reading.input)


def test_an_agent_in_the_background_lasts_until_it_is_done(claude):
    parts = turn(claude, "Now ask a helper")
    assert outline(parts) == [
        "claude_code.interaction", CALL, "  Agent", "  " + CALL, "    Read", "  " + CALL, CALL, CALL,
    ]  # fmt: skip
    (agent,) = named(parts, "Agent")
    assert (agent.reading.tool.result, agent.status) == ("The readme is about weather.", "ok")
    assert agent.end_ns >= max(part.end_ns for part in parts if part.parent_id == agent.span_id)


def test_two_agents_with_one_prompt_are_told_apart(claude):
    parts = turn(claude, "Two foreground")
    agents = named(parts, "Agent")
    below = [[part.name for part in parts if part.parent_id == agent.span_id] for agent in agents]
    assert [sorted(names) for names in below] == [["Bash", CALL.strip(), CALL.strip()]] * 2


def test_what_the_user_stopped_is_said_so(claude):
    (bash,) = named(turn(claude, "Interrupted."), "Bash")
    assert bash.status == "error"
    assert "want to proceed with this tool use" in bash.status_message


def test_turns_of_codex_with_an_agent_and_how_commands_ended(codex):
    assert outline(turn(codex, "A helper please")) == [
        "codex.turn", "  codex.model_call", "  spawn_agent", "    codex.turn", "      codex.model_call",
        "      exec_command", "      codex.model_call", "  codex.model_call", "  wait_agent", "  codex.model_call",
    ]  # fmt: skip
    shells = named(codex, "exec_command")
    assert sorted(str(shell.status_message) for shell in shells) == [
        "None", "None", "Wall time: 5.5 seconds\naborted by user", "exit code 3",
    ]  # fmt: skip
    (failed,) = [part for part in named(codex, "codex.turn") if part.status == "error"]
    assert (failed.status_message[:18], failed.reading.error_type) == ("We’re currently ex", "internal_server_error")


def test_calls_of_codex_are_named_by_their_responses_and_counted_once(codex):
    calls = named(codex, "codex.model_call")
    responses = [call.reading.response_id for call in calls]
    assert len(set(responses)) == len(responses) == 10
    assert tokens(calls[0]) == (5314, 39, 2647, 0)
    assert named(codex, "codex.turn")[0].reading.ttft_ns > 0


@pytest.mark.parametrize("which", [CODEX, "codex-0.98.0"])
def test_each_call_of_a_turn_of_codex_is_given_what_the_one_before_was_given(which):
    turns: dict[str | None, list[SpanPart]] = {}
    for part in sorted(read(which), key=lambda one: one.start_ns or 0):
        if part.name == "codex.model_call":
            turns.setdefault(part.parent_id, []).append(part)
    grown = 0
    for calls in turns.values():
        for before, call in pairwise(calls):
            assert call.reading.input.messages[: len(before.reading.input.messages)] == before.reading.input.messages
            grown += 1
    assert grown >= 2


def test_a_call_of_codex_is_given_what_was_said_in_the_turns_before_it(codex):
    (helped,) = [part for part in codex if part.parent_id is None and "A helper please" in str(part.reading.input)]
    before = max(
        (part for part in named(codex, "codex.model_call") if part.end_ns <= helped.start_ns),
        key=lambda one: one.end_ns,
    )
    first = next(part for part in named(codex, "codex.model_call") if part.parent_id == helped.span_id)
    known = before.reading.input.messages + before.reading.output.messages
    assert first.reading.input.messages[: len(known)] == known
    assert "A helper please" in str(first.reading.input.messages[len(known) :])


def test_after_a_compaction_a_call_of_codex_is_given_what_that_kept(tmp_path):
    def line(kind: str, **payload: object) -> str:
        return json.dumps({"timestamp": "2026-11-20T10:00:00Z", "type": kind, "payload": payload})

    def spoken(role: str, text: str) -> dict[str, object]:
        kind = "output_text" if role == "assistant" else "input_text"
        return {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}

    summary = "Another language model started to solve this problem and produced a summary of its thinking process."
    lines = [
        line("session_meta", id="019a2d7a-41c4-78b1-b7cc-a45d62a89cd5", cwd="/home/ada", cli_version="0.169.0"),
        line("response_item", **spoken("user", "Look around.")), line("response_item", **spoken("assistant", "Done.")),
        line("compacted", message="", replacement_history=[spoken("user", "Look around."), spoken("user", summary)]),
        line("response_item", **spoken("user", "Go on.")), line("response_item", **spoken("assistant", "I went on.")),
        line("compacted", message=summary), line("response_item", **spoken("user", "And now?")),
        line("response_item", **spoken("assistant", "The end.")),
    ]  # fmt: skip
    (tmp_path / "rollout.jsonl").write_text("\n".join(lines))
    found = [part for batch in files.read(tmp_path / "rollout.jsonl") for part in batch.parts]
    calls = {part.span_id: part for part in found if part.name == "codex.model_call"}
    told = [[str(one.parts[0]["text"]) for one in call.reading.input.messages] for call in calls.values()]
    assert sorted(told) == sorted([["Look around."], ["Look around.", summary, "Go on."], [summary, "And now?"]])


def test_a_sub_agent_of_codex_that_is_read_alone_lies_below_the_turn_that_made_it(codex):
    (path,) = (SAMPLES / CODEX).glob("*58-53*")
    alone = read(f"{CODEX}/{path.name}")
    (above,) = [part for part in turn(codex, "A helper please") if part.parent_id is None]
    assert {part.trace_id for part in alone} == {above.trace_id}
    assert named(alone, "codex.turn")[0].parent_id == above.span_id


@pytest.mark.parametrize("which", [CLAUDE, CODEX])
def test_real_logs_followed_in_any_pieces_say_the_same_in_the_end(tmp_path, which):
    there, here = SAMPLES / which, tmp_path / "logs"
    whole = last_of(follow.Follower([there]))
    shutil.copytree(there, here, ignore=lambda _, names: [name for name in names if name.endswith(".jsonl")])
    follower, seen = follow.Follower([here]), {}
    for path in follow.found([there]):
        body = path.read_bytes()
        for at in range(0, len(body), 7919):
            append(here / path.relative_to(there), body[at : at + 7919])
            seen |= last_of(follower, follow.SEARCH_EVERY)
    assert {key: (part.parent_id, part.status, part.reading) for key, part in seen.items()} == {
        key: (part.parent_id, part.status, part.reading) for key, part in whole.items()
    }


ALL = sorted(path.name for path in SAMPLES.iterdir() if path.suffix not in (".md", ".parquet"))


@pytest.mark.parametrize("which", ALL)
def test_a_second_import_of_a_sample_adds_nothing_and_refuses_nothing(tmp_path, which, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    path = SAMPLES / which
    if path.suffix == ".sql":
        path = tmp_path / "logs.db"
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript((SAMPLES / which).read_text())
    first, second = imported(path), imported(path)
    assert first["stored"] >= 5
    assert (first["rejected"], second["stored"], second["rejected"]) == (0, 0, 0)


def test_older_versions_of_claude_code_and_codex():
    interaction = ["claude_code.interaction", CALL, "  Read", "  Bash", CALL, "  Task", "  " + CALL, "    Bash",
                   "  " + CALL, CALL]  # fmt: skip
    short = ["claude_code.interaction", CALL]
    for which in ("claude-1.0.83", "claude-2.1.12"):
        parts = read(which)
        assert outline(parts) == [*interaction, *short, *short], which
        assert [part.status for part in parts if part.parent_id is None] == ["ok", "error", "ok"]
    assert (
        sorted(outline(read("codex-0.98.0"))[1:]) == ["  codex.model_call"] * 3 + ["  exec_command"] + ["  shell"] * 2
    )
    assert sorted(outline(read("codex-0.20.0"))[1:]) == ["  codex.model_call"] * 3 + ["  exec_command", "  shell"]
