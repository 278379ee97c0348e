"""`tracetui replay` as a program: what it prints, what it stores, how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.builders import TRACE, span_id
from tests.replay.recorded import openai_events, recorded
from tests.sdk.clients.server import Reply, Server
from tracetui.cli import main


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


def tracetui(folder: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "ANTHROPIC_"))}
    return subprocess.run(
        [sys.executable, "-m", "tracetui", *words, "--db", str(folder / "traces.db")], cwd=folder, env=kept | env,
        capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip


def test_an_answer_streams_to_stdout_without_its_escapes_and_the_talk_to_stderr(server: Server, tmp_path: Path) -> None:
    recorded(tmp_path / "traces.db")
    server.says(Reply(events=openai_events("It is ", "\x1b[31m", "here.")))
    ran = tracetui(tmp_path, "replay", span_id(1), "--set", "temperature=0", OPENAI_BASE_URL=f"{server.url}/v1")
    assert (ran.returncode, ran.stdout) == (0, "It is here.\n")
    assert server.asked[0][1]["temperature"] == 0
    assert "asking gpt-4o-mini: about 11 tokens in, 6 out, about <$0.0001" in ran.stderr
    assert "against then: 1 new word, 3 gone" in ran.stderr
    assert "stored: tracetui show " in ran.stderr


def test_an_answer_cut_short_is_told_and_an_error_begins_a_line_of_its_own(server: Server, tmp_path: Path) -> None:
    recorded(tmp_path / "traces.db")
    events = openai_events("It is ", reason="length")
    server.says(Reply(events=events), Reply(events=[events[0], None], broken=True))
    asked = ["replay", span_id(1), "--db", str(tmp_path / "traces.db")]
    env = {"OPENAI_BASE_URL": f"{server.url}/v1"}
    first = CliRunner().invoke(main.cli, asked, env=env)
    assert (first.exit_code, first.stdout) == (0, "It is \n")
    assert "not the whole answer: cut by the token limit" in first.stderr
    second = CliRunner().invoke(main.cli, asked, env=env)
    assert (second.exit_code, second.stdout) == (1, "It is \n")
    assert "broke off" in second.stderr or "broke off" in str(second.exception)


def test_json_is_one_document_with_both_answers_and_the_stored_span(server: Server, tmp_path: Path) -> None:
    recorded(tmp_path / "traces.db")
    server.says(Reply(events=openai_events("It is ", "on its way.")))
    ran = tracetui(tmp_path, "replay", f"{TRACE[:5]}:{span_id(1)}", "--json", OPENAI_BASE_URL=f"{server.url}/v1")
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout)
    assert said["replay_of"] == f"{TRACE}:{span_id(1)}"
    assert said["answer"] == said["recorded"] == {"text": "It is on its way.", "tool_calls": []}
    assert said["diff"] == [{"kind": "same", "text": "It is on its way."}]
    assert (said["span"]["replay_of"], said["span"]["usage"]["output_tokens"]) == (said["replay_of"], 7)
    assert said["estimate"]["input_tokens"] == 11
    listed = json.loads(tracetui(tmp_path, "spans", "has:replay", "--json").stdout)
    assert [span["span_id"] for span in listed] == [said["span_id"]]


def test_a_dry_run_prints_the_sheet_and_sends_nothing(server: Server, tmp_path: Path) -> None:
    recorded(tmp_path / "traces.db")
    ran = tracetui(tmp_path, "replay", span_id(1), "--model", "o9", "--dry-run", OPENAI_BASE_URL=f"{server.url}/v1")
    assert (ran.returncode, server.asked) == (0, [])
    assert ran.stdout == "#: model o9\n#: temperature 0.7\n#: max_tokens 200\n\n#: user\nWhere is my order 789?\n"


def said(folder: Path, server: Server, *words: str) -> str:
    """What the command says on stdout, within this process."""
    args = ["replay", span_id(1), "--db", str(folder / "traces.db"), *words]
    result = CliRunner().invoke(main.cli, args, env={"OPENAI_BASE_URL": f"{server.url}/v1"})
    assert result.exit_code == 0, result.output
    return result.stdout


def test_an_answer_is_cut_to_a_number_of_tokens_and_says_where_it_is_whole(server: Server, tmp_path: Path) -> None:
    recorded(tmp_path / "traces.db")
    long = openai_events(*["It is on its way. "] * 100)
    server.says(Reply(events=long), Reply(events=long))
    told = said(tmp_path, server, "--max-tokens", "100")
    assert told.startswith("It is on its way.")
    assert "characters]" in told
    assert "tracetui show " in told.splitlines()[-1]
    assert len(told) <= 400
    written = said(tmp_path, server, "--json", "--max-tokens", "300")
    assert len(written) <= 1200
    document = json.loads(written)
    assert document["answer"]["text"].startswith("It is on its way.")
    assert "tracetui show " in document["left_out"]["see"]


def test_a_dry_run_as_json_is_the_request_and_what_it_may_cost(server: Server, tmp_path: Path) -> None:
    recorded(tmp_path / "traces.db")
    request = json.loads(said(tmp_path, server, "--dry-run", "--json"))
    assert server.asked == []
    assert request["request"]["messages"] == [{"role": "user", "content": "Where is my order 789?"}]
    assert (request["model"], request["estimate"]["input_tokens"], "answer" in request) == ("gpt-4o-mini", 11, False)


def test_an_editor_changes_the_whole_request(server: Server, tmp_path: Path) -> None:
    recorded(tmp_path / "traces.db")
    editor = tmp_path / "editor.py"
    editor.write_text(
        "import sys\np = sys.argv[1]\nt = open(p).read()\nopen(p, 'w').write(t.replace('789', '790'))\n", "utf-8"
    )
    server.says(Reply(events=openai_events("Hi")))
    ran = tracetui(
        tmp_path, "replay", span_id(1), "--edit", EDITOR=f"{sys.executable} {editor}", VISUAL="",
        OPENAI_BASE_URL=f"{server.url}/v1",
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert server.asked[0][1]["messages"] == [{"role": "user", "content": "Where is my order 790?"}]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((span_id(1),), 1, "OPENAI_API_KEY is not set, and api.openai.com wants a key"),
        (("ffff",), 1, "no span begins with 'ffff'"),
        (("nothing",), 1, "'nothing' is no span id"),
        ((span_id(1), "--set", "temperature"), 2, "'temperature' is not NAME=VALUE"),
        ((span_id(1), "--set", "tools=[]"), 1, "'tools' is no parameter to set"),
    ],
)
def test_what_cannot_be_done_is_said_and_the_exit_code_tells(
    tmp_path: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    recorded(tmp_path / "traces.db")
    ran = tracetui(tmp_path, "replay", *words)
    assert (ran.returncode, ran.stdout) == (code, "")
    assert said in ran.stderr


@pytest.mark.slow
def test_a_redacted_call_warns_that_the_answer_will_differ(server: Server, tmp_path: Path) -> None:
    from tests.builders import conversation, user

    recorded(tmp_path / "traces.db", input=conversation(user("Mail [EMAIL:3fa9] now")))
    server.says(Reply(events=openai_events("Hi")))
    ran = tracetui(tmp_path, "replay", span_id(1), OPENAI_BASE_URL=f"{server.url}/v1")
    assert "Some of it was redacted or cut when it was recorded" in ran.stderr
