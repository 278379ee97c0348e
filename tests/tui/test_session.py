"""A session as a conversation: from the file, on the screen, on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from collector.errors import NotFound
from collector.model import Content, Reading, SpanPart, Tool
from collector.store import open_reader
from collector.store.conversation import conversation
from tests.builders import T0, assistant, make_llm, make_part, make_started, trace_id, user
from tests.builders import conversation as said
from tests.store_read.files import write
from tracetui import format as fmt
from tracetui.cli import main
from tracetui.screens.behind import TracesBehind
from tracetui.screens.lists import SessionsScreen
from tracetui.screens.session import SessionScreen
from tracetui.screens.trace import TraceScreen

from .hostile import CONTROL_STRINGS, HOSTILE
from .real import real_app
from .until import screen_text, shows, until

S = 10**9


def now_ns() -> int:
    return T0 + 1000 * S


def turn(n: int, asked: str, answered: str, *, at_s: int, session: str = "chat-7", **more: Any) -> list[SpanPart]:
    root = Reading(kind="agent", session_id=session, user_id="u-7", input=said(user(asked)),
                   output=said(assistant(answered)))  # fmt: skip
    return [
        make_part(1, trace=trace_id(n), name=f"agent_{n}", start_ns=T0 + at_s * S, end_ns=T0 + (at_s + 2) * S,
                  reading=root, **more),
        make_llm(2, trace=trace_id(n), parent=1, start_ns=T0 + at_s * S),
    ]  # fmt: skip


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """Three turns, the second with a tool that failed, the third told by its calls alone; another session beside."""
    tool = make_part(3, trace=trace_id(2), parent=1, start_ns=T0 + 60 * S, status="error",
                     reading=Reading(kind="tool", tool=Tool("get_order", "c1", {}, None)))  # fmt: skip
    history = (user("Hello"), assistant("Hi!"), user("And the invoice?"))
    called = {"input": Content(messages=history), "output": said(assistant("Sent by mail."))}
    third = [
        make_part(1, trace=trace_id(3), name="agent_3", start_ns=T0 + 300 * S, end_ns=T0 + 303 * S,
                  reading=Reading(kind="agent", session_id="chat-7")),
        make_llm(2, trace=trace_id(3), parent=1, start_ns=T0 + 301 * S, reading=called),
    ]  # fmt: skip
    parts = [*turn(1, "Where is my order?", "On its way.", at_s=0),
             *turn(2, "Is it late?", "It is.", at_s=60), tool, *third,
             *turn(9, "Other", "Thing", at_s=5, session="other")]  # fmt: skip
    return write(tmp_path / "traces.db", *parts)


def test_turns_come_in_order_with_gaps_and_what_was_said(db):
    with open_reader(db) as reader:
        found = conversation(reader, "chat-7")
    assert [(one.asked, one.answered) for one in found.turns] == [
        ("Where is my order?", "On its way."), ("Is it late?", "It is."), ("And the invoice?", "Sent by mail."),
    ]  # fmt: skip
    assert [one.gap_ns for one in found.turns] == [None, 58 * S, 238 * S]
    assert found.turns[1].tools == (("get_order", "error"),)
    assert (found.session.trace_count, found.session.user_id, found.earlier) == (3, "u-7", 0)


def test_only_the_newest_turns_are_read_and_unchanged_ones_not_again(db, monkeypatch):
    with open_reader(db) as reader:
        whole = conversation(reader, "chat-7")
        assert [one.trace.name for one in conversation(reader, "chat-7", limit=2).turns] == ["agent_2", "agent_3"]
        assert conversation(reader, "chat-7", limit=2).earlier == 1
        monkeypatch.setattr(reader, "span", None)
        known = {one.trace.trace_id: one for one in whole.turns}
        assert conversation(reader, "chat-7", known=known) == whole


def test_a_session_that_is_not_there_is_said(db):
    with open_reader(db) as reader, pytest.raises(NotFound, match="no session 'chat-\\*'"):
        conversation(reader, "chat-*")


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_enter_on_a_session_reads_it_and_enter_on_a_turn_opens_its_trace(db, size):
    async with real_app(db, now_ns).run_test(size=size) as pilot:
        await pilot.press("2")
        await until(pilot, lambda: isinstance(pilot.app.screen, SessionsScreen) and shows(pilot, "chat-7"))
        await pilot.press("enter")
        await until(pilot, lambda: shows(pilot, "Where is my order?", "58.0s later", "get_order ✖", "Sent by mail."))
        lines = screen_text(pilot).splitlines()
        assert "chat-7" in lines[0]
        assert "3 turns" in lines[0]
        assert all(fmt.cells(line) <= size[0] for line in lines)
        await pilot.press("N", "N", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, TraceScreen) and shows(pilot, "agent_2"))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, SessionScreen))
        await pilot.press("g", "n", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, TraceScreen) and shows(pilot, "agent_2"))
        await pilot.press("escape", "escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, SessionsScreen))


async def test_s_lists_the_traces_and_y_copies(db):
    async with real_app(db, now_ns).run_test(size=(100, 30)) as pilot:
        pilot.app.push_screen(SessionScreen(pilot.app.facts, "chat-7"))
        await until(pilot, lambda: shows(pilot, "Sent by mail."))
        await pilot.press("y")
        await until(pilot, lambda: shows(pilot, "as Markdown", "question"))
        await pilot.press("escape", "s")
        await until(pilot, lambda: isinstance(pilot.app.screen, TracesBehind) and shows(pilot, "agent_1", "agent_3"))


async def test_new_turns_arrive_and_a_running_one_is_told(db):
    clock = [1000]
    app = real_app(db, lambda: T0 + clock[0] * S)
    async with app.run_test(size=(100, 30)) as pilot:
        app.push_screen(SessionScreen(app.facts, "chat-7"))
        await until(pilot, lambda: shows(pilot, "Sent by mail."))
        asked = Reading(kind="agent", session_id="chat-7", input=said(user("Are you there?")))
        write(db, make_started(1, trace=trace_id(4), name="agent_4", start_ns=T0 + 900 * S, reading=asked))
        app.screen.file_changed(reopened=False)
        await until(pilot, lambda: shows(pilot, "Are you there?", "4 turns", "agent_4   1m 40s⋯"))
        clock[0] += 60
        await until(pilot, lambda: shows(pilot, "agent_4   2m 40s⋯"))


async def test_earlier_turns_are_shown_when_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr("tracetui.screens.session.MORE_TURNS", 3)
    parts = [part for n in range(1, 8) for part in turn(n, f"Question {n}", "Yes.", at_s=n * 10)]
    app = real_app(write(tmp_path / "traces.db", *parts), now_ns)
    async with app.run_test(size=(100, 40)) as pilot:
        app.push_screen(SessionScreen(app.facts, "chat-7"))
        await until(pilot, lambda: shows(pilot, "4 earlier", "Question 5") and not shows(pilot, "Question 4"))
        await pilot.press("g", "enter")
        await until(pilot, lambda: shows(pilot, "1 earlier", "Question 2"))


async def test_a_session_that_went_says_so(db):
    app = real_app(db, now_ns)
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(SessionScreen(app.facts, "nobody"))
        await until(pilot, lambda: shows(pilot, "No session nobody in this file."))


async def test_hostile_words_stay_on_their_lines(tmp_path):
    name = "\x1b[31m[/]"
    texts = [*HOSTILE, *(text for text in CONTROL_STRINGS if "\ud800" not in text)]
    parts = [part for n, text in enumerate(texts, 1) for part in turn(n, text, text, at_s=n * 10, session=name)]
    app = real_app(write(tmp_path / "traces.db", *parts), now_ns, ascii_mode=True)
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(SessionScreen(app.facts, name))
        await until(pilot, lambda: shows(pilot, "leading mark"))
        for _ in range(6):
            lines = screen_text(pilot).splitlines()
            assert not any(char in line for line in lines for char in "\x1b\x07\x9b\u202e")
            assert all(fmt.cells(line) <= 80 for line in lines)
            await pilot.press("pageup")


def run(*args: object) -> str:
    result = CliRunner().invoke(main.cli, [str(arg) for arg in args])
    assert result.exit_code == 0, f"{result.output}\n{result.exception!r}"
    return result.stdout


def test_a_session_prints_as_text_markdown_and_json(db):
    plain = run("show", "--session", "chat-7", "--db", db)
    assert "user       Where is my order?" in plain
    assert "58.0s later" in plain
    assert "**assistant**\n\nIt is." in run("show", "--session", "chat-7", "--messages", "--db", db)
    shape = json.loads(run("show", "--session", "chat-7", "--json", "--limit", 2, "--db", db))
    assert (shape["session_id"], shape["earlier_turns"], len(shape["turns"])) == ("chat-7", 1, 2)
    assert shape["turns"][0]["tools"] == [{"name": "get_order", "status": "error"}]


@pytest.mark.parametrize(
    ("args", "code"), [(["show"], 2), (["show", "ab", "--session", "x"], 2), (["show", "--session", "x"], 1)]
)
def test_what_cannot_be_shown_is_said(db, args, code, capsys):
    with pytest.raises(SystemExit) as ended:
        main.main([*args, "--db", str(db)])
    assert ended.value.code == code
