"""The reading commands on a real file."""

from __future__ import annotations

import json
import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from collector.ingest import Ingest
from collector.model import Batch, Reading
from collector.settings import Settings
from tests.builders import T0, assistant, conversation, make_llm, make_part, trace_id, user
from tests.tui.hostile import HOSTILE
from tracetui.cli import doctor_facts, main

ONE, TWO = trace_id(0xA1), trace_id(0xA2)


@pytest.fixture
def db(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two traces: an agent that called a model, and a failed tool with a hostile name."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    session = Reading(kind="agent", session_id="thread-42", user_id="user-7")
    talk = {"input": conversation(user("Where is 订单 789?")), "output": conversation(assistant("On its way."))}
    parts = (
        make_part(1, trace=ONE, name="support_agent", reading=session),
        make_llm(2, trace=ONE, parent=1, name="chat gpt-4o-mini", reading=talk),
        make_part(3, trace=TWO, name=HOSTILE[3], status="error", status_message="no such\norder",
                  reading=Reading(kind="tool")),
    )  # fmt: skip
    path = tmp_path / "traces.db"
    with Ingest(path, Settings()) as ingest:
        ingest.write(Batch("sdk", parts))
    return path


def run(*args: object, code: int = 0) -> Result:
    result = CliRunner().invoke(main.cli, [str(arg) for arg in args])
    assert result.exit_code == code, f"{result.output}\n{result.exception!r}"
    return result


def test_without_a_terminal_the_traces_are_listed(db):
    for args in ([], [db], ["--no-collect"], ["traces", "--db", db]):
        lines = run(*args).stdout.splitlines()
        assert lines[0].split()[:3] == ["ID", "STATUS", "NAME"]
        assert len(lines) == 3


def test_a_graph_of_a_trace_is_shown_as_text_and_as_json(db):
    lines = run("show", ONE, "--graph").stdout.splitlines()
    assert [line.split("  ")[0] for line in lines[1:]] == ["◆ support_agent", "└─ ✦ gpt-4o-mini"]
    shape = json.loads(run("show", ONE, "--graph", "--json").stdout)
    assert [actor["name"] for actor in shape["actors"]] == ["support_agent", "gpt-4o-mini"]
    assert "\x1b" not in run("show", TWO, "--graph").stdout
    assert "of a whole trace" in run("show", ONE, "0", "--graph", code=2).output


def test_where_a_value_stood_first_is_shown_as_text_and_as_json(db):
    shape = json.loads(run("show", ONE, "--first", "789", "--json").stdout)
    lines = run("show", ONE, "--first", "789").stdout.splitlines()
    assert shape[0]["trace_id"].startswith(ONE)
    assert "789" in shape[0]["excerpt"]
    assert lines[1].startswith("first  ")
    assert shape[0]["span_id"][:8] in lines[1]
    assert "789" in lines[2]
    assert "nowhere in this trace" in run("show", ONE, "--first", "31337").stdout
    assert "of a whole trace" in run("show", ONE, "0", "--first", "789", code=2).output
    assert "wants a value" in run("show", ONE, "--first", " ", code=2).output


def test_traces_print_as_json_newest_first(db):
    listed = json.loads(run("traces", "--json").stdout)
    assert [trace["trace_id"] for trace in listed] == [TWO, ONE]
    assert [trace["status"] for trace in listed] == ["error", "ok"]
    assert listed[1]["session_id"] == "thread-42"
    assert listed[1]["input"] == {"value": "Where is 订单 789?"}


def test_filters_limits_and_sorts_are_taken(db):
    assert [row["kind"] for row in json.loads(run("spans", "status:error", "--json").stdout)] == ["tool"]
    assert len(json.loads(run("spans", "--limit", 1, "--json").stdout)) == 1
    names = [row["name"] for row in json.loads(run("spans", "session:thread-42", "--sort", "start", "--json").stdout)]
    assert names[0] == "support_agent"


def test_a_negated_term_is_not_taken_for_an_option(db):
    assert [row["trace_id"] for row in json.loads(run("traces", "-status:error", "--json").stdout)] == [ONE]
    assert len(json.loads(run("spans", "kind:llm", "-model:claude*", "--json").stdout)) == 1
    for text in ('-attr."odd key":x', "-attr.a-b/c:x", "-(status:error or kind:http)", "-any:kind:http"):
        assert ONE in [row["trace_id"] for row in json.loads(run("traces", text, "--json").stdout)]


@pytest.mark.parametrize("args", [["traces", "statsu:ok"], ["spans", "--sort", "beauty"], ["traces", "--limit", "0"]])
def test_what_cannot_be_read_ends_with_2(db, args, capsys):
    with pytest.raises(SystemExit) as ended:
        main.main(args)
    assert ended.value.code == 2
    assert capsys.readouterr().out == ""


def test_sessions_are_listed(db):
    (session,) = json.loads(run("sessions", "--json").stdout)
    assert (session["session_id"], session["user_id"], session["llm_calls"]) == ("thread-42", "user-7", 1)
    assert "thread-42" in run("sessions").stdout
    head = run("show", "--session", "thread-42").stdout.splitlines()[0]
    assert head.startswith("thread-42  user-7  1 turn  1 LLM")
    assert "over" not in head, "one turn lies nowhere apart"


def test_show_takes_a_shortened_id_and_prints_a_tree(db):
    lines = run("show", ONE[:31] + "1").stdout.splitlines()
    assert "support_agent" in lines[0]
    assert lines[2].startswith("└── ✦ chat gpt-4o-mini")


def test_show_prints_messages_and_one_span(db):
    said = run("show", ONE, "--messages").stdout
    assert "user       Where is 订单 789?" in said
    assert "assistant  On its way." in said
    span = json.loads(run("show", ONE, "0000000000000002", "--json").stdout)
    assert (span["name"], span["cost_source"]) == ("chat gpt-4o-mini", "table")


@pytest.mark.parametrize(
    "args", [["show", "ffff"], ["show", "zzz"], ["show", ONE, "ffff"], ["traces", "--db", "no.db"]]
)
def test_what_is_not_there_ends_with_1_and_one_sentence(db, args, capsys):
    with pytest.raises(SystemExit) as ended:
        main.main(args)
    said = capsys.readouterr()
    assert (ended.value.code, said.out) == (1, "")
    assert said.err.startswith("Error: ")
    assert said.err.count("\n") == 1


def test_search_finds_parts_of_words_that_have_no_spaces(db):
    (hit,) = json.loads(run("search", "订单", "--json").stdout)
    assert hit["trace_id"] == ONE
    assert [hit["snippet"][a:b] for a, b in hit["marks"]] == ["订单"]
    assert "订单" in run("search", "订单").stdout


def test_nothing_a_trace_says_reaches_the_terminal_as_an_order(db):
    for args in (["traces"], ["spans"], ["show", TWO], ["show", TWO, "0000000000000003"], ["search", "red"]):
        assert "\x1b" not in run(*args).stdout


def test_json_goes_to_stdout_and_talk_to_stderr(db):
    result = run("traces", "name:nobody", "--json")
    assert json.loads(result.stdout) == []
    result = run("traces", "name:nobody")
    assert (result.stdout, result.stderr) == ("", "tracetui: no traces match\n")


def test_doctor_says_where_every_setting_came_from(db, monkeypatch):
    monkeypatch.setenv("TRACETUI_REDACT", "pii")
    monkeypatch.setenv("TRACETUI_TOKEN", "s3cr3t")
    monkeypatch.setenv("TRACETUI_HTTP_PORT", "1")
    monkeypatch.setenv("TRACETUI_GRPC_PORT", "2")
    result = run("doctor", "--json")
    report = json.loads(result.stdout)
    assert report["settings"]["redact"] == {"value": "pii", "origin": "TRACETUI_REDACT"}
    assert report["settings"]["token"]["value"] == "set"
    assert "s3cr3t" not in result.stdout
    assert (report["file"]["traces"], report["file"]["mode"]) == (2, "0600")
    assert report["file"]["ledger"] == {"received": 3, "stored": 3}
    assert report["receiver"] == {
        "address": "127.0.0.1:1", "listening": False, "grpc": {"address": "127.0.0.1:2", "listening": False},
    }  # fmt: skip
    assert run("doctor").stdout.splitlines()[0] == "versions"


def test_doctor_says_that_a_port_is_taken(db, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as http, socket.create_server(("127.0.0.1", 0)) as grpc:
        for name, taken in (("HTTP", http), ("GRPC", grpc)):
            monkeypatch.setenv(f"TRACETUI_{name}_PORT", str(taken.getsockname()[1]))
        report = json.loads(run("doctor", "--json").stdout)
    assert report["receiver"]["other_program"]
    assert report["receiver"]["grpc"]["other_program"]
    assert sum("is taken by" in sentence for sentence in report["advice"]) == 2


def test_doctor_of_a_file_that_is_not_there_yet(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "none.db"
    assert doctor_facts.file_facts(path) == {"path": str(path), "exists": False}


def test_a_trace_of_a_thousand_spans_is_shown_whole(db):
    parts = tuple(make_part(n, parent=n - 1 if n > 1 else None, trace=trace_id(9), start_ns=T0) for n in range(1, 1001))
    with Ingest(db, Settings()) as ingest:
        ingest.write(Batch("sdk", parts))
    assert len(json.loads(run("show", trace_id(9), "--json").stdout)["spans"]) == 1000
    assert len(run("show", trace_id(9)).stdout.splitlines()) == 1001


def test_spans_print_as_json_like_those_of_show(db):
    listed = {span["span_id"]: span for span in json.loads(run("spans", "--json").stdout)}
    for trace in (ONE, TWO):
        for span in json.loads(run("show", trace, "--json").stdout)["spans"]:
            assert listed.pop(span["span_id"]) | {"signals": []} == span  # which are of a trace as a whole
    assert listed == {}


@pytest.mark.parametrize("command", ["traces", "spans", "sessions"])
def test_the_sql_of_a_list_can_be_shown_and_run(db, command):
    shown = run(command, "session:thread-42", "--show-sql", "--limit", 5).stdout
    with closing(sqlite3.connect(db)) as plain:
        assert len(plain.execute(shown).fetchall()) == len(
            json.loads(run(command, "session:thread-42", "--json").stdout)
        )


def test_a_saved_view_narrows_every_command_that_takes_a_filter(db):
    (db.parent / "tracetui.toml").write_text('[views]\nbad = "status:error or errors:>5"\ntalk = "kind:llm"\n')
    for args in (["traces", "--view", "bad"], ["traces", "view:bad"], ["traces", "(view:bad)"]):
        assert [row["trace_id"] for row in json.loads(run(*args, "--json").stdout)] == [TWO]
    assert [row["kind"] for row in json.loads(run("spans", "--view", "talk", "--json").stdout)] == ["llm"]
    assert len(json.loads(run("sessions", "--view", "talk", "--json").stdout)) == 1
    assert len(run("export", "--view", "talk").stdout.splitlines()) == 1
    assert len(json.loads(run("search", "way", "--view", "talk", "--json").stdout)) == 1
    failed = CliRunner().invoke(main.cli, ["traces", "view:nope"])
    assert "there are bad, talk" in str(failed.exception)


def test_search_takes_the_filter_language_among_its_words(db):
    assert len(json.loads(run("search", "way", "kind:llm", "--json").stdout)) == 1
    assert json.loads(run("search", "way", "-kind:llm", "--json").stdout) == []
    assert json.loads(run("search", "way", "(status:error or kind:tool)", "--json").stdout) == []
    assert "search wants words" in run("search", "kind:llm", code=2).output


def test_show_sql_prints_a_statement_and_its_plan(db):
    shown = run("traces", "cost:>0.05 or latency:>2s", "--show-sql").stdout
    statement, plan = shown[: shown.index("\n--")], shown[shown.index("\n--") + 1 :]
    assert "traces_start" in plan
    with closing(sqlite3.connect(db)) as connection:
        assert connection.execute(statement).fetchall() == []
