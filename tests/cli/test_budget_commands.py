"""--max-tokens with every command that reads, on a real file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from collector.ingest import Ingest
from collector.model import Batch, Reading
from collector.settings import Settings
from tests.builders import assistant, conversation, make_llm, make_part, span_id, trace_id, user
from tracetui.cli import main
from tracetui.cli.budget import LEFT_OUT
from tracetui.cli.rooms import CHARS

TRACES = 30
TRACE = trace_id(1)
TOKENS = 250


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty traces of one session: an agent, four long calls of a model and a failed tool."""
    parts = []
    for number in range(1, TRACES + 1):
        trace = trace_id(number)
        agent = Reading(kind="agent", session_id="thread-42", user_id=f"user-{number}")
        parts.append(make_part(1, trace=trace, name="support_agent", reading=agent))
        for call in range(2, 6):
            talk = {"input": conversation(user(f"question {number}.{call} " + "where 订单 " * 300)),
                    "output": conversation(assistant("It is on its way. " * 100))}  # fmt: skip
            parts.append(make_llm(call, trace=trace, parent=1, reading=talk))
        parts.append(make_part(6, trace=trace, parent=2, name="get_order", status="error", reading=Reading(kind="tool"),
                               status_message=f"no such {'x' * number} order: " + "trace\n" * 200))  # fmt: skip
    path = tmp_path_factory.mktemp("budget") / "traces.db"
    with Ingest(path, Settings()) as ingest:
        ingest.write(Batch("sdk", tuple(parts)))
    return path


def run(db: Path, *args: str, code: int = 0) -> Result:
    result = CliRunner().invoke(main.cli, [*args, "--db", str(db)])
    assert result.exit_code == code, f"{result.output}\n{result.exception!r}"
    return result


COMMANDS = [
    ["traces"], ["spans"], ["sessions"], ["costs", "--by", "model,user"], ["overview"], ["search", "question"],
    ["errors"], ["signals"], ["show", TRACE], ["show", TRACE, span_id(2)], ["show", TRACE, "--graph"],
    ["show", TRACE, "--context"], ["show", "--session", "thread-42"], ["doctor"],
]  # fmt: skip


@pytest.mark.parametrize("args", COMMANDS, ids=" ".join)
def test_what_a_command_prints_stays_within_the_budget(db, args):
    whole = run(db, *args, "--json").stdout
    shown = run(db, *args, "--json", "--max-tokens", str(TOKENS)).stdout
    assert len(shown) <= TOKENS * CHARS + 1
    document = json.loads(shown)
    if len(json.dumps(json.loads(whole), ensure_ascii=False, separators=(",", ":"))) > TOKENS * CHARS:
        note = document[-1][LEFT_OUT] if isinstance(document, list) else document[LEFT_OUT]
        assert note["characters"] > 0
        assert note["see"]
    text = run(db, *args).stdout
    short = run(db, *args, "--max-tokens", str(TOKENS)).stdout
    assert len(short) <= TOKENS * CHARS
    if len(short.splitlines()) < len(text.splitlines()):
        assert "lines left out" in short.splitlines()[-1]


def test_messages_keep_their_end(db):
    for args in (["show", TRACE, "--messages"], ["show", "--session", "thread-42", "--messages"]):
        whole, shown = (run(db, *args, *more).stdout for more in ((), ("--max-tokens", str(TOKENS))))
        assert len(shown) <= TOKENS * CHARS
        assert shown.splitlines()[0] == whole.splitlines()[0]
        last = [line for line in whole.splitlines() if line.strip()][-1]
        assert last[:100] in shown


def test_a_tree_keeps_its_root_and_what_failed(db):
    shown = run(db, "show", TRACE, "--max-tokens", "150").stdout
    assert "support_agent" in shown
    assert "get_order" in shown
    assert "lines left out" in shown.splitlines()[-1]


def test_a_large_trace_says_how_many_spans_it_did_not_even_read(db):
    document = json.loads(run(db, "show", TRACE, "--json", "--max-tokens", "1000").stdout)
    shown = [one["status"] for one in document["spans"] if "span_id" in one]
    assert "error" in shown
    assert document["spans"][-1] == {LEFT_OUT: 6 - len(shown)}
    assert document["trace_id"] == TRACE


def test_a_short_doctor_keeps_what_needs_doing_and_what_arrived(db):
    whole, shown = (run(db, "doctor", *more).stdout for more in ((), ("--max-tokens", str(TOKENS))))
    told = [line for line in whole.splitlines() if line.startswith(("!", "from "))]
    assert told
    assert set(told) <= set(shown.splitlines())


def test_what_cannot_be_cut_says_so(db):
    assert "--for" in run(db, "doctor", "--for", "otel", "--max-tokens", "200", code=2).output
    assert "--csv" in run(db, "costs", "--csv", "--max-tokens", "200", code=2).output
    assert "100" in run(db, "traces", "--max-tokens", "20", code=2).output
