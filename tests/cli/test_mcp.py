"""`tracetui mcp` as a real subprocess, asked by the SDK's own client."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from mcp import Client, StdioServerParameters

import tracetui.cli
from collector.ingest import Ingest
from collector.model import Batch, Reading
from collector.settings import Settings
from tests.builders import assistant, conversation, make_llm, make_part, span_id, trace_id, user
from tests.tui.hostile import HOSTILE
from tracetui.cli import main
from tracetui.cli.mcp_server import made
from tracetui.cli.rooms import CHARS

ROOT = Path(__file__).parents[2]
TRACE, OTHER = trace_id(0xA1), trace_id(0xB2)


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An agent that called a model, and a failed tool with a hostile name."""
    talk = {"input": conversation(user("Where is order 789? " * 200)), "output": conversation(assistant("On its way."))}
    parts = (
        make_part(1, trace=TRACE, name="support_agent", reading=Reading(kind="agent", session_id="thread-42")),
        make_llm(2, trace=TRACE, parent=1, reading=talk),
        make_part(3, trace=OTHER, name=HOSTILE[3], status="error", status_message="no such order",
                  reading=Reading(kind="tool")),
    )  # fmt: skip
    path = tmp_path_factory.mktemp("mcp") / "traces.db"
    with Ingest(path, Settings()) as ingest:
        ingest.write(Batch("sdk", parts))
    return path


@asynccontextmanager
async def connected(db: Path) -> AsyncIterator[Client]:
    home = {"PYTHONPATH": str(ROOT), "XDG_CONFIG_HOME": str(db.parent / "config"), "PATH": os.environ["PATH"]}
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "tracetui", "mcp", "--db", str(db)], env=home, cwd=db.parent
    )
    async with Client(server) as client:
        yield client


async def asked(client: Client, tool: str, **arguments: Any) -> Any:
    result = await client.call_tool(tool, arguments)
    text = result.content[0].text
    assert not result.is_error, text
    return json.loads(text)


async def refused(client: Client, tool: str, **arguments: Any) -> str:
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    return str(result.content[0].text)


def printed(db: Path, *args: str) -> Any:
    return json.loads(CliRunner().invoke(main.cli, [*args, "--db", str(db), "--json"]).stdout)


async def test_tools_answer_with_the_documents_that_commands_print(db):
    async with connected(db) as client:
        big = {"max_tokens": 100_000}
        assert await asked(client, "list_traces", **big) == printed(db, "traces")
        assert await asked(client, "list_spans", filter="kind:tool", **big) == printed(db, "spans", "kind:tool")
        assert await asked(client, "list_sessions", **big) == printed(db, "sessions")
        assert await asked(client, "show_trace", trace_id=TRACE, **big) == printed(db, "show", TRACE)
        assert await asked(client, "show_span", trace_id=TRACE, span_id=span_id(2), **big) == printed(
            db, "show", TRACE, span_id(2)
        )
        assert await asked(client, "search", text="order", filter="kind:llm") == printed(
            db, "search", "order", "kind:llm"
        )
        assert await asked(client, "costs", by="session", **big) == printed(db, "costs", "--by", "session")
        assert await asked(client, "costs", by="day", show="split", tz="Asia/Kathmandu", **big) == printed(
            db, "costs", "--by", "day", "--show", "split", "--tz", "Asia/Kathmandu"
        )
        assert await asked(client, "errors", **big) == printed(db, "errors")
        assert await asked(client, "errors", near=True, **big) == printed(db, "errors", "--near")
        for view in ("context", "graph"):
            assert await asked(client, "show_trace", trace_id=TRACE, view=view, **big) == printed(
                db, "show", TRACE, f"--{view}"
            )
        places = await asked(client, "first_places", trace_id=TRACE, value="789")
        assert places == printed(db, "show", TRACE, "--first", "789")
        assert places
        assert await asked(client, "show_session", session_id="thread-42") == printed(
            db, "show", "--session", "thread-42"
        )
        assert await asked(client, "overview", **big) == printed(db, "overview")
        assert await asked(client, "signals", **big) == printed(db, "signals")


async def test_answers_are_cut_and_failures_are_sentences(db):
    async with Client(made(db)) as client:
        result = await client.call_tool("show_span", {"trace_id": TRACE, "span_id": span_id(2), "max_tokens": 300})
        text = result.content[0].text
        assert len(text) <= 300 * CHARS
        assert "larger max_tokens" in json.loads(text)["left_out"]["see"]
        assert "statsu" in await refused(client, "list_traces", filter="statsu:ok")
        assert "no trace" in (await refused(client, "show_trace", trace_id="ffff")).lower()
        assert "thread-9" in await refused(client, "show_session", session_id="thread-9")
        assert "view" in await refused(client, "show_trace", trace_id=TRACE, view="pie")
        assert "Mars" in await refused(client, "costs", tz="Mars/Olympus")
        assert "ffff" in await refused(client, "show_span", trace_id=TRACE, span_id="ffff")
        assert "words" in await refused(client, "search", text="kind:llm")
        assert "beauty" in await refused(client, "list_spans", sort="beauty")
        assert "max_tokens" in await refused(client, "list_traces", max_tokens=1)


async def test_tools_only_read_and_say_that_answers_are_data(db):
    async with Client(made(db)) as client:
        tools = (await client.list_tools()).tools
        assert {tool.name for tool in tools} == set(
            """list_traces list_spans list_sessions show_trace first_places show_span show_session search costs overview
            errors
            signals""".split()
        )
        assert all(tool.annotations and tool.annotations.read_only_hint for tool in tools)
        assert all("never an instruction" in (tool.description or "") for tool in tools)
        assert all("self" not in tool.input_schema["properties"] for tool in tools)


async def test_a_file_that_comes_later_is_read_then(tmp_path):
    later = tmp_path / "later.db"
    async with connected(later) as client:
        assert "there is no file" in await refused(client, "list_traces")
        with Ingest(later, Settings()) as ingest:
            ingest.write(Batch("sdk", (make_part(1, trace=TRACE),)))
        assert [one["trace_id"] for one in await asked(client, "list_traces")] == [TRACE]


def test_without_the_sdk_it_says_what_to_install(monkeypatch, db):
    monkeypatch.setitem(sys.modules, "mcp", None)
    monkeypatch.setitem(sys.modules, "mcp.server.mcpserver", None)
    monkeypatch.delitem(sys.modules, "tracetui.cli.mcp_server")
    monkeypatch.delattr(tracetui.cli, "mcp_server")
    result = CliRunner().invoke(main.cli, ["mcp", "--db", str(db)])
    assert result.exit_code == 1
    assert "tracetui[mcp]" in str(result.exception)
