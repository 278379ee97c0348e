"""The explorer on a reader in memory: lists, a trace, keys."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from collector.model import Content, Message, Tool
from tracetui import format as fmt
from tracetui.screens.lists import SessionsScreen, TracesScreen
from tracetui.screens.trace import TraceScreen

from .fakes import (
    MS,
    NOW,
    FakeReader,
    S,
    agent_spans,
    make_app,
    make_detail,
    make_span,
    make_trace,
    some_traces,
)
from .hostile import CONTROL_STRINGS, HOSTILE
from .until import screen_text, settled, shows, until

SIZES = [(80, 24), (200, 50)]


@pytest.mark.parametrize("size", SIZES)
async def test_the_list_shows_every_status_newest_below(size: tuple[int, int]) -> None:
    async with make_app(FakeReader(some_traces())).run_test(size=size) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        lines = screen_text(pilot).splitlines()
        names = [line.split()[1].rstrip("…") for line in lines[2:7]]
        assert names[:2] + names[3:] == ["nightly_eval", "summarise", "embed", "weather_agent"]
        assert names[2].startswith("天気エージェン")
        assert "▸ ● support_agent" in lines[7]
        assert "6.2s⋯" in lines[7]
        assert "$151" in lines[3]
        assert "23m 02s" in lines[3]
        assert all(fmt.cells(line) <= size[0] for line in lines)


@pytest.mark.parametrize("size", SIZES)
async def test_enter_opens_a_trace_and_escape_goes_back(size: tuple[int, int]) -> None:
    async with make_app(FakeReader(some_traces(), agent_spans())).run_test(size=size) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        await pilot.press("enter")
        await until(pilot, lambda: shows(pilot, "get_order", "+3 http", "Messages"))
        assert isinstance(pilot.app.screen, TraceScreen)
        await pilot.press("j")
        await until(pilot, lambda: shows(pilot, "Where is my order 789?", "reasoning", "Anything else?"))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, TracesScreen))


async def test_all_messages_and_tool_results_beside_their_calls() -> None:
    async with make_app(FakeReader(some_traces(), agent_spans())).run_test(size=(200, 50)) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        await pilot.press("enter")
        await until(pilot, lambda: shows(pilot, "get_order"))
        await pilot.press("j", "j", "j", "j", "j", "j")
        await until(pilot, lambda: shows(pilot, "new in this turn", "get_order(user_id=54321)", '"delivered"'))
        assert not shows(pilot, "Hi! How can I help?")
        await pilot.press("equals_sign")
        await until(pilot, lambda: shows(pilot, "all messages", "Hi! How can I help?", "helpful shop assistant"))


async def test_errors_are_found_with_n_and_shown_with_their_stack() -> None:
    async with make_app(FakeReader(some_traces(), agent_spans())).run_test(size=(80, 40)) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        await pilot.press("enter")
        await until(pilot, lambda: shows(pilot, "get_order"))
        await pilot.press("n")
        await until(pilot, lambda: shows(pilot, "PermissionError: user 54321 may not refund", "shop.py"))


async def test_folds_hide_and_show() -> None:
    async with make_app(FakeReader(some_traces(), agent_spans())).run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        await pilot.press("enter")
        await until(pilot, lambda: shows(pilot, "get_order"))
        await pilot.press("h")
        await until(pilot, lambda: not shows(pilot, "get_order"))
        await pilot.press("l")
        await until(pilot, lambda: shows(pilot, "get_order"))
        await pilot.press("j", "j", "l")
        await until(pilot, lambda: shows(pilot, "connect"))


async def test_every_tab_shows_its_side_of_the_span() -> None:
    async with make_app(FakeReader(some_traces(), agent_spans())).run_test(size=(200, 50)) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        await pilot.press("enter")
        await until(pilot, lambda: shows(pilot, "get_order"))
        await pilot.press("j", "2")
        await until(pilot, lambda: shows(pilot, "── input", "── output"))
        await pilot.press("3")
        await until(
            pilot, lambda: shows(pilot, "server.address", "api.openai.com", "service.name", "$0.000238 (table)")
        )
        await pilot.press("4")
        await until(pilot, lambda: shows(pilot, "No events"))
        await pilot.press("5")
        await until(pilot, lambda: shows(pilot, '"spanId": "0000000000000002"', '"name": "as sent"'))


async def test_a_ghost_says_what_it_stands_for() -> None:
    async with make_app(FakeReader(some_traces(), agent_spans())).run_test(size=(200, 50)) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        await pilot.press("enter")
        await until(pilot, lambda: shows(pilot, "not arrived"))
        await pilot.press("G", "k")
        await until(pilot, lambda: shows(pilot, "This span has not arrived."))


@pytest.mark.parametrize("text", [*HOSTILE, *CONTROL_STRINGS])
async def test_hostile_text_moves_and_colours_nothing(text: str) -> None:
    trace = make_trace(0, name=text, session_id=text, user_id=text, tags=(text,), models=(text,), input_preview=text,
                       output_preview=text, environment=text)  # fmt: skip
    row = make_span(1, name=text, kind="llm", model=text, status="error", error_type=text, status_message=text,
                    tool_name=text, service=text)  # fmt: skip
    parts = ({"type": "text", "text": text}, {"type": "reasoning", "text": text},
             {"type": "tool_call", "id": text, "name": text, "arguments": {text: text}},
             {"type": "image", "url": text, "mime_type": text}, {"type": text, text: text})  # fmt: skip
    detail = make_detail(
        row, input=Content(messages=(Message(text, parts, name=text),)), output=Content(value={text: [text]}),
        tool=Tool(text, text, {text: text}, text), attributes={text: text}, notes=(text,), finish_reasons=(text,),
        tags=(text,), metadata={text: text}, params={text: text},
    )  # fmt: skip
    reader = FakeReader([trace], [row], {row.span_id: detail})
    async with make_app(reader).run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: pilot.app.screen.window.rows)
        assert harmless(screen_text(pilot), 120)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, TraceScreen) and pilot.app.screen.inspector.lines)
        for key in "12345":
            await pilot.press(key)
            await pilot.pause()
            assert harmless(screen_text(pilot), 120)
        await pilot.press("y")
        await pilot.pause()
        assert harmless(screen_text(pilot), 120)


def harmless(text: str, width: int) -> bool:
    lines = text.split("\n")
    bad = [char for line in lines for char in line if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
    return not bad and all(fmt.cells(line) <= width for line in lines)


async def test_a_new_trace_is_followed_and_glows() -> None:
    reader = FakeReader(some_traces())
    async with make_app(reader).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        reader.rows.append(make_trace(7, name="plan_trip", start_ns=NOW - S))
        pilot.app.post_message(pilot.app.Tailed(False))
        await until(pilot, lambda: shows(pilot, "plan_trip"))
        assert pilot.app.screen.window.row.name == "plan_trip"


async def test_the_first_trace_of_an_empty_file_can_be_opened() -> None:
    reader = FakeReader(spans=agent_spans())
    async with make_app(reader).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: shows(pilot, "No traces in"))
        reader.rows += some_traces()
        pilot.app.post_message(pilot.app.Tailed(False))
        await until(pilot, lambda: shows(pilot, "support_agent"))
        await pilot.press("k", "j", "enter")
        await until(pilot, lambda: shows(pilot, "get_order"))


async def test_new_traces_do_not_move_what_is_read() -> None:
    reader = FakeReader([make_trace(n, name=f"trace {n}") for n in range(200)])
    async with make_app(reader).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: shows(pilot, "trace 199"))
        for _ in range(30):
            await pilot.press("k")
        before = rows_on_screen(pilot)
        reader.rows += [make_trace(n, name=f"trace {n}") for n in range(200, 212)]
        pilot.app.post_message(pilot.app.Tailed(False))
        await until(pilot, lambda: shows(pilot, "12 new ↓ G"))
        assert rows_on_screen(pilot) == before
        await pilot.press("G")
        await until(pilot, lambda: shows(pilot, "trace 211") and not shows(pilot, " new "))


async def test_news_that_change_no_line_on_screen_paint_none(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = FakeReader([make_trace(n, name=f"trace {n}") for n in range(200)])
    async with make_app(reader).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: shows(pilot, "trace 199"))
        for _ in range(30):
            await pilot.press("k")
        window, painted = pilot.app.screen.window, []
        monkeypatch.setattr(type(window), "render_line", lambda self, y: painted.append(y))
        reader.rows.append(make_trace(200, name="trace 200"))
        pilot.app.post_message(pilot.app.Tailed(False))
        await until(pilot, lambda: shows(pilot, "1 new ↓ G"))
        assert painted == []


def rows_on_screen(pilot: Pilot) -> list[str]:
    """The list without its scroll bar."""
    return [line.rstrip("▐ ") for line in screen_text(pilot).splitlines()[1:23]]


async def test_a_long_list_is_read_in_windows_from_end_to_start() -> None:
    reader = FakeReader([make_trace(n, name=f"trace {n}") for n in range(3000)])
    async with make_app(reader).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: shows(pilot, "trace 2999"))
        window = pilot.app.screen.window
        for page in range(1, 40):
            await pilot.press("pageup")
            await until(pilot, lambda page=page: window.row.name == f"trace {2999 - window.page * page}")
        assert max(limit for _, limit in reader.asked) <= 120
        assert len(window.rows) <= 8 * window.page
        await pilot.press("g")
        await until(pilot, lambda: shows(pilot, "trace 0 "))
        await pilot.press("pagedown", "pagedown", "pagedown", "pagedown", "pagedown", "pagedown")
        await until(pilot, lambda: shows(pilot, "trace 130"))


async def test_pause_holds_the_screen_still() -> None:
    reader = FakeReader(some_traces())
    async with make_app(reader).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        await pilot.press("space")
        await until(pilot, lambda: shows(pilot, "paused"))
        reader.rows.append(make_trace(7, name="plan_trip", start_ns=NOW - S))
        pilot.app.post_message(pilot.app.Tailed(False))
        await pilot.pause()
        assert not shows(pilot, "plan_trip")
        await pilot.press("space")
        await until(pilot, lambda: shows(pilot, "plan_trip"))


async def test_a_filter_narrows_and_a_wrong_one_points_at_its_column() -> None:
    async with make_app(FakeReader(some_traces())).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        await pilot.press("f", *"agent", "enter")
        await until(pilot, lambda: shows(pilot, "/ agent", "weather_agent") and not shows(pilot, "summarise"))
        await pilot.press("f", *" nope:1", "enter")
        await until(pilot, lambda: shows(pilot, "^ unknown key nope"))
        lines = screen_text(pilot).splitlines()
        caret = next(line for line in lines if "^ unknown" in line).index("^")
        assert caret == next(line for line in lines if "nope:1" in line).index("nope")
        await pilot.press("escape", "escape")
        await until(pilot, lambda: shows(pilot, "summarise"))


async def test_the_filter_bar_completes_and_remembers() -> None:
    async with make_app(FakeReader(some_traces())).run_test(size=(100, 24)) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        await pilot.press("f")
        await until(pilot, lambda: shows(pilot, "tab  status:  kind:"))
        await pilot.press(*"-lat")
        await until(pilot, lambda: shows(pilot, "tab  latency:"))
        await pilot.press("tab", "backspace", *"agent", "enter")
        await until(pilot, lambda: shows(pilot, "/ -latencyagent"))
        await pilot.press("escape", "f", *"agent", "enter", "escape", "f", "up", "up")
        await until(pilot, lambda: pilot.app.screen.query_one(Input).value == "-latencyagent")
        await pilot.press("down")
        await until(pilot, lambda: pilot.app.screen.query_one(Input).value == "agent")
        await pilot.press("enter", "f", "up")  # what is on stands in the bar already: up is the one before it
        await until(pilot, lambda: pilot.app.screen.query_one(Input).value == "-latencyagent")


async def test_nothing_found_says_why_and_what_to_do() -> None:
    async with make_app(FakeReader()).run_test(size=(100, 24)) as pilot:
        await until(
            pilot, lambda: shows(pilot, "No traces in traces.db yet.", "/home/me/app/traces.db", "tracetui demo")
        )
        await pilot.press("f", *"zzz", "enter")
        await until(pilot, lambda: shows(pilot, "No traces match zzz", "esc"))


async def test_what_was_started_here_is_waited_for_without_advice() -> None:
    app = make_app(FakeReader())
    app.facts.expecting = "The demo is starting."
    async with app.run_test(size=(100, 24)) as pilot:
        await until(pilot, lambda: shows(pilot, "The demo is starting.", "/home/me/app/traces.db"))
        assert not shows(pilot, "tracetui collect")


async def test_copy_sends_to_the_terminal_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "TMUX", "STY", "TERM_PROGRAM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("PATH", "/nowhere")
    async with make_app(FakeReader(some_traces(), agent_spans())).run_test(size=(100, 30), notifications=True) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        await pilot.press("y")
        await until(pilot, lambda: shows(pilot, "trace id", "command that shows it"))
        await pilot.press("enter")
        await until(pilot, lambda: shows(pilot, "Sent 32 characters to the terminal"))
        assert pilot.app.clipboard == "0" * 32


async def test_help_lists_the_keys() -> None:
    async with make_app(FakeReader(some_traces())).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        await pilot.press("question_mark")
        await until(pilot, lambda: shows(pilot, "Keys", "Lists", "one page down", "↓ more"))
        await pilot.press("G")
        await until(pilot, lambda: shows(pilot, "The command of", "esc closes") and not shows(pilot, "↓ more"))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, TracesScreen))


async def test_sessions_lead_to_their_traces() -> None:
    from collector.model import Usage
    from collector.store.rows import SessionRow

    reader = FakeReader(some_traces())
    reader.session_rows = [SessionRow("agent", "user-7", NOW - 60 * S, NOW, 3, 20, 1, 4, 2, 0, 5_000_000, Usage(10, 5))]
    async with make_app(reader).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        await pilot.press("2")
        await until(pilot, lambda: isinstance(pilot.app.screen, SessionsScreen) and shows(pilot, "user-7"))
        await until(pilot, lambda: shows(pilot, "1 session  3 traces"))
        await pilot.press("s")
        await until(pilot, lambda: isinstance(pilot.app.screen, TracesScreen) and shows(pilot, "session:agent"))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, SessionsScreen) and shows(pilot, "user-7"))


@pytest.mark.parametrize("there", ["2", "3", "4", "5", "6"])
@pytest.mark.parametrize("back", ["1", "escape"])
async def test_the_list_of_traces_is_left_and_found_again_as_it_was(there: str, back: str) -> None:
    async with make_app(FakeReader(some_traces(), agent_spans())).run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        screen = pilot.app.screen
        assert isinstance(screen, TracesScreen)
        await pilot.press("f", *"support", "enter")
        await until(pilot, lambda: screen.filter_text == "support" and screen.window.row is not None)
        await pilot.press("g")
        row = screen.window.row
        await pilot.press(there)
        await until(pilot, lambda: pilot.app.screen is not screen and len(pilot.app.screen_stack) == 2)
        await settled(pilot)
        await pilot.press(back)
        await until(pilot, lambda: pilot.app.screen is screen and shows(pilot, "/ support"))
        await settled(pilot)
        assert (screen.window.row, screen.filter_text) == (row, "support")
        assert len(pilot.app.screen_stack) == 1


async def test_a_running_span_settles_when_it_ends() -> None:
    reader = FakeReader(some_traces(), agent_spans())
    async with make_app(reader).run_test(size=(100, 30), notifications=True) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        await pilot.press("enter")
        await until(pilot, lambda: shows(pilot, "running", "6.2s⋯"))
        reader.spans = [
            row._replace(status="ok", end_ns=NOW, seq=row.seq + 99) if row.status == "running" else row
            for row in reader.spans
        ]
        index = reader.rows.index(reader.trace("0" * 32))
        reader.rows[index] = replace(reader.rows[index], status="ok", seq=99, end_ns=NOW, duration_ns=6200 * MS)
        pilot.app.post_message(pilot.app.Tailed(False))
        await until(pilot, lambda: shows(pilot, "6.20s") and not shows(pilot, "⋯"))


async def test_ascii_mode_draws_with_ascii() -> None:
    plain = [replace(row, name="agent", input_preview="in", output_preview="out") for row in some_traces()]
    spans = [row for row in agent_spans() if row.kind != "retriever"]
    async with make_app(FakeReader(plain, spans), ascii_mode=True).run_test(size=(200, 50)) as pilot:
        await until(pilot, lambda: shows(pilot, "agent"))
        assert screen_text(pilot).isascii(), [char for char in screen_text(pilot) if not char.isascii()]
        await pilot.press("enter")
        await until(pilot, lambda: shows(pilot, "get_order"))
        await pilot.press("j")
        await until(pilot, lambda: shows(pilot, "reasoning"))
        assert screen_text(pilot).isascii(), [char for char in screen_text(pilot) if not char.isascii()]
