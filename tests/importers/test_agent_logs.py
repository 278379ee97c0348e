"""Session logs of Claude Code and Codex: samples in the shapes of several versions.

Where the shapes come from is said at the top of the importers.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from collector.importers import files, follow
from collector.importers.lines import Together
from collector.model import SpanPart
from tracetui.cli import main

SAMPLES = Path(__file__).parent / "samples"
SESSION = "5a6b7c8d-1111-4222-8333-444455556666"


@pytest.fixture(autouse=True)
def _own_settings(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)


def read(*names: str) -> list[SpanPart]:
    """The spans of these samples, by their start; a span that is told more than once as it was told last."""
    together, out = Together(), {}
    for path in follow.found([SAMPLES / name for name in names]):
        for batch in files.read(path, together):
            assert not batch.refused
            out.update({(part.trace_id, part.span_id): part for part in batch.parts})
    return sorted(out.values(), key=lambda part: (part.start_ns, part.end_ns))


def outline(parts: list[SpanPart]) -> list[str]:
    """A line for each span, indented below its parent, siblings by their start."""
    lines: list[str] = []

    def below(parent: str | None, trace: str, depth: int) -> None:
        for part in parts:
            if part.parent_id == parent and part.trace_id == trace:
                lines.append("  " * depth + part.name)
                below(part.span_id, trace, depth + 1)

    for trace in dict.fromkeys(part.trace_id for part in parts):
        below(None, trace, 0)
    return lines


def named(parts: list[SpanPart], name: str) -> list[SpanPart]:
    return [part for part in parts if part.name == name]


def tokens(part: SpanPart) -> tuple[int | None, ...]:
    usage = part.reading.usage
    return (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens, usage.cache_write_tokens)


def test_a_turn_of_claude_code_is_a_trace_and_a_sub_agent_nests_under_its_task():
    assert outline(read("by-hand/claude-1.0.83.jsonl")) == [
        "claude_code.interaction",
        "  claude_code.llm_request",
        "  Bash",
        "  claude_code.llm_request",
        "  Task",
        "    claude_code.llm_request",
        "    Read",
        "    claude_code.llm_request",
        "  claude_code.llm_request",
        "claude_code.interaction",
        "  claude_code.llm_request",
    ]


def test_an_answer_in_several_records_is_one_call_with_its_last_usage():
    first = named(read("by-hand/claude-1.0.83.jsonl"), "claude_code.llm_request")[0]
    assert tokens(first) == (1204, 96, 200, 1000)
    assert [part["type"] for part in first.reading.output.messages[0].parts] == ["reasoning", "text", "tool_call"]
    assert (first.end_ns - first.start_ns) / 1e9 == 5.0
    assert (first.reading.response_id, first.reading.finish_reasons) == ("msg_01A", ("tool_use",))


def test_a_tool_has_its_result_its_time_and_its_failure():
    parts = read("by-hand/claude-1.0.83.jsonl")
    (bash,), (missing,) = named(parts, "Bash"), named(parts, "Read")
    assert (bash.reading.tool.arguments["command"], bash.reading.tool.result) == ("weather Patiala", "31 C, sunny")
    assert (bash.end_ns - bash.start_ns) / 1e9 == 1.5
    assert (missing.status, missing.status_message) == ("error", "File does not exist.")


def test_where_a_session_ran_is_its_metadata():
    root = read("by-hand/claude-1.0.83.jsonl")[0].reading
    assert root.metadata == {"cwd": "/home/ada/weather", "git_branch": "main", "version": "1.0.83"}
    assert (root.session_id, root.service, root.project) == (
        "3f1c9a52-7b0e-4a57-9a10-0c6a5b1d2e01", "claude-code", "weather",
    )  # fmt: skip


def test_an_api_error_is_a_call_that_failed():
    failed = read("by-hand/claude-1.0.83.jsonl")[-1]
    assert failed.status == "error"
    assert "Overloaded" in failed.status_message
    assert failed.reading.usage is None


def test_a_resumed_session_repeats_nothing_and_its_copies_stay_where_they_were():
    once = read("by-hand/claude-1.0.83.jsonl")
    both = read("by-hand/claude-1.0.83.jsonl", "by-hand/claude-1.0.83-resumed.jsonl")
    assert len(both) == len(once) + 2
    sessions = {part.trace_id: part.reading.session_id for part in both}
    assert sorted(sessions.values())[:2] == [once[0].reading.session_id] * 2
    assert both[-1].reading.session_id == "9d8e7c6b-0000-4a57-9a10-0c6a5b1d2e02"


def test_a_sub_agent_with_a_file_of_its_own_nests_under_the_call_that_started_it():
    parts = read("by-hand/claude-2.1.12")
    assert outline(parts) == [
        "claude_code.interaction",
        "  claude_code.llm_request",
        "  Task",
        "    claude_code.llm_request",
        "  claude_code.llm_request",
        "claude_code.interaction",
        "  claude_code.llm_request",
        "  Bash",
    ]
    assert [event.name for event in named(parts, "claude_code.interaction")[0].events] == [
        "claude_code.api_error", "claude_code.turn_duration", "claude_code.compact_boundary",
    ]  # fmt: skip
    assert named(parts, "Bash")[0].status_message == "interrupted by the user"


def test_a_sub_agent_alone_is_a_trace_of_its_own():
    parts = read(f"by-hand/claude-2.1.12/{SESSION}/subagents/agent-a1b2c3d.jsonl")
    assert outline(parts) == ["claude_code.subagent", "  claude_code.llm_request"]


def test_calls_of_codex_are_told_apart_and_repeated_token_counts_are_not_counted():
    parts = read("by-hand/codex-0.46.0.jsonl")
    assert outline(parts) == [
        "codex.turn", "  codex.model_call", "  shell", "  codex.model_call", "  shell", "  codex.model_call",
        "codex.turn",
    ]  # fmt: skip
    calls = named(parts, "codex.model_call")
    assert [tokens(call)[:3] for call in calls] == [(2946, 88, 2048), (3050, 30, 2900), (3100, 12, 3000)]
    assert calls[0].reading.usage.reasoning_tokens == 64
    assert calls[0].reading.output.messages[0].parts[0] == {"type": "reasoning", "text": "**Calling the tool**"}
    assert [len(call.reading.input.messages) for call in calls] == [2, 4, 6]
    assert [shell.status_message for shell in named(parts, "shell")] == [None, "exit code 1"]
    assert parts[-1].status_message == "You've hit your usage limit."


def test_a_sub_agent_of_codex_nests_under_its_spawn_call():
    parts = read("by-hand/codex-0.98.0")
    assert outline(parts) == [
        "codex.turn",
        "  codex.model_call",
        "  spawn_agent",
        "    codex.turn",
        "      codex.model_call",
        "  codex.model_call",
        "  apply_patch",
        "  codex.model_call",
        "  web_search",
        "codex.turn",
    ]
    assert {part.reading.session_id for part in parts} == {"019b1111-41c4-78b1-b7cc-a45d62a89cd5"}


def test_the_rollouts_of_the_first_versions_have_no_times_but_are_read():
    parts = read("by-hand/codex-0.20.0.jsonl")
    assert sorted(part.name for part in parts) == ["codex.model_call", "codex.model_call", "codex.turn", "local_shell"]
    (turn,) = named(parts, "codex.turn")
    assert turn.reading.input.messages[0].parts[0]["text"] == "List the files."
    assert turn.end_ns is not None


def imported(*args: object) -> dict:
    result = CliRunner().invoke(main.cli, ["import", *map(str, args), "--db", "t.db", "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_second_import_adds_nothing_whole_or_file_by_file(tmp_path):
    logs = shutil.copytree(SAMPLES, tmp_path / "logs")
    os.utime(logs / "by-hand" / "claude-1.0.83.jsonl", (1_000_000_000, 1_000_000_000))
    assert imported(logs)["stored"] > 0
    assert imported(logs)["stored"] == 0
    go_on = ("3a7abc31-", "51ba317c-", "0e451236-")  # with another session: read alone, nothing says what is a copy
    for path in sorted(SAMPLES.rglob("*.jsonl")):
        alone = "agent-" not in path.name and "b2222" not in path.name and "resumed" not in path.name
        if alone and not path.name.startswith(go_on):
            assert imported(path)["stored"] == 0, path


def test_an_unknown_record_is_a_row_of_the_ledger(tmp_path):
    path = tmp_path / "x.jsonl"
    lines = (SAMPLES / "by-hand/codex-0.46.0.jsonl").read_text().splitlines()
    path.write_text(
        "\n".join([lines[0], '{"timestamp":"2026-01-01T00:00:00Z","type":"poem","payload":{}}', "{", *lines[1:]])
    )
    told = imported(path)
    assert told["rejected"] == 2
    assert told["reasons"] == [
        "a record of type 'poem' is not known in a Codex rollout", "a line of a Codex rollout that is no JSON",
    ]  # fmt: skip
