"""The views make sense to someone with nothing but sqlite3, also while something writes."""

from __future__ import annotations

import re
import sqlite3
import time
from contextlib import closing
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from collector.ingest import Ingest
from collector.model import Batch, Content, Message, Process, Reading, SpanPart, Tool, Usage
from collector.settings import Settings
from collector.store import open_reader
from tests.builders import MS, T0, TRACE, assistant, conversation, make_llm, make_part, make_started, span_id, user

DOCUMENT = Path(__file__).parents[2] / "docs" / "file-format.md"
LONG = "please refund order 789, it never came; " * 3


def system(text: str) -> Message:
    return Message("system", ({"type": "text", "text": text},))


def agent_run() -> list[SpanPart]:
    call = Message("assistant", ({"type": "tool_call", "id": "c1", "name": "refund", "arguments": {"order": 789}},))
    done = Message("tool", ({"type": "tool_result", "id": "c1", "result": {"ok": True}},))
    return [
        make_part(1, name="agent", reading=Reading(kind="agent", session_id="s", user_id="u", input=Content(value=LONG),
                                                  output=Content(value="done"))),
        make_llm(2, parent=1, name="chat", reading={"system": (system("be kind"),), "cost_nanousd": 1_500_000_000,
                 "input": conversation(user(LONG)), "output": conversation(call)}),
        make_part(3, parent=1, name="refund", status="error", status_message="too late", reading=Reading(
            kind="tool", error_type="RefundError", tool=Tool("refund", "c1", {"order": 789}, None))),
        make_llm(4, parent=1, name="chat", reading={"system": (system("be kind"),), "usage": Usage(20, 7),
                 "input": conversation(user(LONG), call, done), "output": conversation(assistant("sorry"))}),
    ]  # fmt: skip


@pytest.fixture
def connection(tmp_path: Path) -> Any:
    with Ingest(tmp_path / "t.db", Settings(db=tmp_path / "t.db", redact="off")) as ingest:
        process = Process("p", 1, T0, boot_id="elsewhere", heartbeat_ns=time.time_ns())
        dead = Process("q", 1, T0, boot_id="elsewhere", heartbeat_ns=T0, ended_ns=T0)
        running = make_started(1, trace="a" * 32, name="live", process_id="p")
        lost = make_started(1, trace="b" * 32, name="lost", process_id="q")
        quiet = make_started(1, trace="c" * 32, name="otlp")
        ghost = make_part(1, trace="d" * 32, start_ns=None, end_ns=None)
        ingest.write(Batch("test", (*agent_run(), running, lost, quiet, ghost), processes=(process, dead)))
        while ingest.chores():
            pass
        with closing(sqlite3.connect(tmp_path / "t.db")) as plain:  # while the writer is open
            plain.row_factory = sqlite3.Row
            yield plain


def ask(connection: sqlite3.Connection, sql: str) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(sql)]


def test_traces_are_told_with_status_times_and_sums(connection: sqlite3.Connection) -> None:
    rows = {row["name"]: row for row in ask(connection, "select * from v_traces")}
    assert {name: row["status"] for name, row in rows.items()} == {
        "agent": "ok", "live": "running", "lost": "abandoned", "otlp": "running",
    }  # fmt: skip
    run = rows["agent"]
    assert (run["trace_id"], run["duration_ms"], run["span_count"], run["error_count"]) == (TRACE, 103.0, 4, 1)
    assert (run["llm_calls"], run["tool_calls"], run["input_tokens"], run["output_tokens"]) == (2, 1, 30, 12)
    assert run["start"] == time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(T0 // 10**9)) + ".001Z"
    assert run["cost_usd"] > 1.5
    assert (run["input"], run["output"]) == (LONG.strip(), "done")
    assert (rows["live"]["duration_ms"], rows["live"]["cost_usd"]) == (None, None)


def test_spans_are_told_and_a_ghost_is_not(connection: sqlite3.Connection) -> None:
    rows = ask(connection, "select * from v_spans order by start, span_id")
    assert len(rows) == 7
    tool = next(row for row in rows if row["kind"] == "tool")
    assert (tool["parent_span_id"], tool["status"], tool["error_type"], tool["status_message"], tool["tool_name"]) == (
        span_id(1), "error", "RefundError", "too late", "refund",
    )  # fmt: skip
    assert tool["duration_ms"] == 100.0
    assert {row["name"]: row["status"] for row in rows if row["trace_id"] != TRACE} == {
        "live": "running", "lost": "abandoned", "otlp": "running",
    }  # fmt: skip


def test_the_views_and_the_reader_tell_the_same_statuses(connection: sqlite3.Connection, tmp_path: Path) -> None:
    with open_reader(tmp_path / "t.db") as reader:
        spans = {(row.trace_id, row.span_id): row.status for row in reader.spans()}
        traces = {row.trace_id: row.status for row in reader.traces()}
    assert {(r["trace_id"], r["span_id"]): r["status"] for r in ask(connection, "select * from v_spans")} == spans
    assert {r["trace_id"]: r["status"] for r in ask(connection, "select * from v_traces")} == traces


def test_a_call_reported_twice_is_one_llm_call(tmp_path: Path) -> None:
    parts = [make_llm(n, trace=f"{n:032x}", reading={"response_id": "r1"}) for n in (1, 2)]
    path = tmp_path / "t.db"
    with Ingest(path, Settings(db=path, redact="off")) as ingest:
        ingest.write(Batch("test", tuple(parts)))
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("select count(*), sum(input_tokens) from v_llm_calls").fetchone() == (1, 10)
        assert connection.execute("select count(*) from v_spans where kind = 'llm'").fetchone() == (2,)


def test_messages_come_in_order_with_their_side(connection: sqlite3.Connection) -> None:
    order = "case side when 'system' then 1 when 'input' then 2 else 3 end, position"
    wanted = "select side, position, role, text from v_messages"
    rows = ask(connection, f"{wanted} where span_id = '{span_id(4)}' order by {order}")
    assert [tuple(row.values()) for row in rows] == [
        ("system", 1, "system", "be kind"), ("input", 1, "user", LONG), ("input", 2, "assistant", None),
        ("input", 3, "tool", None), ("output", 1, "assistant", "sorry"),
    ]  # fmt: skip


def test_sessions_are_told_in_dollars(connection: sqlite3.Connection) -> None:
    (row,) = ask(connection, "select * from v_sessions")
    assert (row["session_id"], row["user_id"], row["trace_count"], row["span_count"], row["error_count"]) == (
        "s", "u", 1, 4, 1,
    )  # fmt: skip
    assert row["first_trace"] == row["last_trace"]
    assert row["cost_usd"] > 1.5


def test_a_view_follows_a_span_from_its_start_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    look = "select status, duration_ms, output from v_spans"
    with Ingest(path, Settings(db=path, redact="off")) as ingest, closing(sqlite3.connect(path)) as connection:
        ingest.write(Batch("test", (make_started(1),)))
        assert connection.execute(look).fetchall() == [("running", None, None)]
        done = make_part(1, end_ns=T0 + 51 * MS, reading=Reading(output=Content(value="fine")))
        ingest.write(Batch("test", (done,)))
        assert connection.execute(look).fetchall() == [("ok", 50.0, "fine")]


# --- the document ---

QUERIES = re.findall(r"```sql\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)


def test_there_are_queries_in_the_document() -> None:
    assert len(QUERIES) >= 6


@pytest.mark.parametrize("sql", QUERIES, ids=lambda sql: " ".join(sql.split())[:40])
def test_a_query_of_the_document_finds_something(connection: sqlite3.Connection, sql: str) -> None:
    rows = ask(connection, sql)
    assert rows
    assert any(value is not None for value in rows[0].values())


def test_the_two_ways_to_a_conversation_agree(connection: sqlite3.Connection) -> None:
    through_view = next(sql for sql in QUERIES if "from v_messages" in sql)
    by_path = next(sql for sql in QUERIES if "recursive path" in sql)
    mine = [(r["position"], r["role"], r["text"]) for r in ask(connection, through_view) if r["side"] == "input"]
    assert [(r["position"], r["role"], r["text"]) for r in ask(connection, by_path)] == mine


def test_every_table_view_and_encoding_is_in_the_document(connection: sqlite3.Connection) -> None:
    document = DOCUMENT.read_text("utf-8")
    names = [row["name"] for row in ask(connection, "select name from sqlite_master where type in ('table', 'view')")]
    for name in names:
        if not name.startswith(("search_", "sqlite_")):
            assert f"`{name}`" in document, name
    sources = "".join(
        (files("collector.store") / name).read_text() for name in ("content.py", "recipes.py", "expand.py")
    )
    for mark in set(re.findall(r'"(\$[a-z])"', sources)):
        assert f'"{mark}"' in document, mark
