"""The views make sense in plain sqlite3, and every query that the format's document shows can be run."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from collector.ingest import Ingest
from collector.model import Batch, Reading
from collector.settings import Settings
from tests.builders import assistant, conversation, make_llm, make_part, make_started, span_id, user

DOCUMENT = (Path(__file__).parents[2] / "docs" / "file-format.md").read_text("utf-8")
QUERIES = [
    q.strip() for block in re.findall(r"```sql\n(.*?)```", DOCUMENT, re.S) for q in block.split(";") if q.strip()
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "traces.db"
    said = {"session_id": "s1", "input": conversation(user("hi"), assistant("yes?"), user("weather")),
            "output": conversation(assistant("sunny"))}  # fmt: skip
    parts = (
        make_llm(1, parent=2, reading=said),
        make_part(2, reading=Reading(kind="agent")),
        make_started(3, parent=2),
    )
    with Ingest(path, Settings(db=path, redact="off")) as ingest:
        ingest.write(Batch("test", parts))
    return path


def ask(path: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def test_the_views_tell_what_happened(file: Path) -> None:
    assert ask(file, "select name, status, span_count, llm_calls from v_traces") == [("span 2", "running", 3, 1)]
    assert ask(file, "select status from v_spans order by span_id") == [("ok",), ("ok",), ("running",)]
    assert ask(file, "select model, input_tokens from v_llm_calls") == [("gpt-4o-mini", 10)]
    assert ask(file, "select session_id, trace_count from v_sessions") == [("s1", 1)]
    messages = ask(
        file, f"select side, position, role, text from v_messages where span_id = '{span_id(1)}' order by 1, 2"
    )
    assert messages == [
        ("input", 1, "user", "hi"), ("input", 2, "assistant", "yes?"), ("input", 3, "user", "weather"),
        ("output", 1, "assistant", "sunny"),
    ]  # fmt: skip


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_of_the_document_finds_something(file: Path, query: str) -> None:
    assert ask(file, query)
