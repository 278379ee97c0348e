"""The pane that sends a recorded call again: real file, real client, a server that answers like the provider's."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.widgets import TextArea

from collector.settings import resolve
from tests.builders import TRACE, conversation, user
from tests.replay.recorded import ASKED, openai_events, recorded
from tests.sdk.clients.server import Reply, Server
from tracetui.app import Explorer
from tracetui.cli.explore import make_app, make_source
from tracetui.screens.replay import ReplayScreen
from tracetui.screens.trace import TraceScreen
from tracetui.widgets.inspector import Inspector
from tracetui.widgets.sheet import Sheet

from .bare import Bare
from .hostile import HOSTILE
from .until import screen_text, shows, until


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with Server() as running:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{running.url}/v1")
        yield running


def app_on(db: Path) -> Explorer:
    return make_app(make_source(resolve(db=db).settings), trace_id=TRACE)


async def opened(pilot) -> ReplayScreen:
    await until(pilot, lambda: isinstance(pilot.app.screen, TraceScreen) and shows(pilot, "gpt-4o-mini", ASKED))
    await pilot.press("r")
    await until(pilot, lambda: shows(pilot, "#: model gpt-4o-mini", "ctrl+r sends the sheet"))
    assert isinstance(pilot.app.screen, ReplayScreen)
    return pilot.app.screen


def told(pilot, text: str) -> bool:
    """Whether a notification says so."""
    return any(text in str(one.message) for one in pilot.app._notifications)


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_a_call_is_edited_sent_compared_and_its_answer_opened(
    server: Server, tmp_path: Path, size: tuple[int, int]
) -> None:
    recorded(tmp_path / "traces.db")
    server.says(Reply(events=openai_events("It is ", "in your ", "hands.")))
    async with app_on(tmp_path / "traces.db").run_test(size=size) as pilot:
        screen = await opened(pilot)
        assert shows(pilot, "about 11 tok in, 6 out", "It is on its way.")
        sheet = screen.query_one("#sheet", TextArea)
        sheet.text = sheet.text.replace("789", "790")
        assert server.asked == []
        await pilot.press("ctrl+r")
        await until(pilot, lambda: shows(pilot, "It is in your hands.", "now", " 7 out"))
        assert server.asked[0][1]["messages"] == [{"role": "user", "content": "Where is my order 790?"}]
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(pilot.app.screen, TraceScreen) and pilot.app.screen is not screen)
        await until(pilot, lambda: shows(pilot, "790"))
        assert screen.outcome is not None
        assert pilot.app.screen.trace_id == screen.outcome.trace_id
        await pilot.press("escape", "escape")
        await until(pilot, lambda: getattr(pilot.app.screen, "trace_id", "") == TRACE)
        await until(pilot, lambda: shows(pilot, "replayed ✔ gpt-4o-mini-2024-07-18"))
        await pilot.press("tab")
        lines = pilot.app.screen.query_one(Inspector).lines
        pilot.app.screen.query_one(Inspector).move_to(next(n for n, line in enumerate(lines) if line.here.goto))
        await pilot.press("enter")
        await until(pilot, lambda: getattr(pilot.app.screen, "trace_id", "") == screen.outcome.trace_id)  # type: ignore[union-attr]
        await until(pilot, lambda: shows(pilot, f"replays {TRACE}"))


async def test_an_answer_shows_while_it_streams_and_escape_cancels_it(server: Server, tmp_path: Path) -> None:
    recorded(tmp_path / "traces.db")
    gate = threading.Event()
    server.says(Reply(events=openai_events("The first words"), gate=gate))
    async with app_on(tmp_path / "traces.db").run_test(size=(100, 30)) as pilot:
        screen = await opened(pilot)
        await pilot.press("ctrl+r")
        await until(pilot, lambda: shows(pilot, "The first words", "answering"))
        await pilot.press("ctrl+r")
        await until(pilot, lambda: told(pilot, "esc cancels it"))
        await pilot.press("escape")
        await until(pilot, lambda: shows(pilot, "cancelled; what came is kept"))
        gate.set()
        assert pilot.app.screen is screen
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, TraceScreen))


async def test_what_the_provider_says_no_to_is_read_in_the_pane(server: Server, tmp_path: Path) -> None:
    recorded(tmp_path / "traces.db")
    server.says(Reply({"error": {"message": "Rate limit [/b] \x1b[31mreached"}}, status=429))
    async with app_on(tmp_path / "traces.db").run_test(size=(120, 30)) as pilot:
        await opened(pilot)
        await pilot.press("ctrl+r")
        await until(pilot, lambda: shows(pilot, "has had enough for now (429)", "[/b]"))
        assert "\x1b" not in screen_text(pilot)


async def test_a_sheet_that_cannot_be_read_is_not_sent_and_not_left_unsaid(server: Server, tmp_path: Path) -> None:
    recorded(tmp_path / "traces.db")
    async with app_on(tmp_path / "traces.db").run_test(size=(100, 30)) as pilot:
        await opened(pilot)
        await pilot.press("x")
        await until(pilot, lambda: shows(pilot, "line 1: text before the first part"))
        await pilot.press("ctrl+r")
        assert server.asked == []
        await pilot.press("escape")
        await until(pilot, lambda: shows(pilot, "What you changed was not sent"))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, TraceScreen))


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_stays_text_on_the_sheet_and_in_the_answers(
    server: Server, tmp_path: Path, text: str
) -> None:
    recorded(tmp_path / "traces.db", input=conversation(user(f"{ASKED} {text}")))
    server.says(Reply(events=openai_events("Said: ", text)))
    async with app_on(tmp_path / "traces.db").run_test(size=(100, 30)) as pilot:
        await opened(pilot)
        await pilot.press("ctrl+r")
        await until(pilot, lambda: shows(pilot, "Said: ", " 7 out"))
        assert not set(screen_text(pilot)) & {"\x1b", "\x07", "\x9b"}
    assert server.asked[0][1]["messages"][-1]["content"] == f"{ASKED} {text}"


async def test_a_line_that_is_no_call_says_so(tmp_path: Path) -> None:
    recorded(tmp_path / "traces.db", kind="tool")
    async with app_on(tmp_path / "traces.db").run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: shows(pilot, "gpt-4o-mini", ASKED))
        await pilot.press("r")
        await until(pilot, lambda: told(pilot, "of kind tool"))


def test_answers_wrap_between_words_and_keep_their_inks() -> None:
    from tracetui.widgets.answer import wrapped

    lines = wrapped([("one two ", "text"), ("three\nfour ", "added"), ("日本語日本語", "text")], 9)
    assert ["".join(text for text, _ in line) for line in lines] == ["one two ", "three", "four ", "日本語日", "本語"]
    assert lines[1] == [("three", "added")]
    lines = wrapped([("It came on ", "text"), ("Tuesday", "text"), ("!", "added")], 18)
    assert ["".join(text for text, _ in line) for line in lines] == ["It came on ", "Tuesday!"]
    assert lines[1] == [("Tuesday", "text"), ("!", "added")]


async def test_an_answer_that_grows_is_laid_out_as_if_it_had_come_at_once_and_stays_where_one_reads() -> None:
    from textual.app import ComposeResult

    from tracetui.widgets.answer import MOST_CHARS, AnswerPane, wrapped

    class Alone(Bare):
        def compose(self) -> ComposeResult:
            yield AnswerPane(id="now")

    said = "".join(f"line {n} of an answer that is long enough to be wrapped\n{'日本語 ' * (n % 7)}" for n in range(60))
    async with Alone().run_test(size=(40, 10)) as pilot:
        pane = pilot.app.query_one(AnswerPane)
        for start in range(0, len(said), 41):
            pane.grow(said[start : start + 41])
        assert [line for line in pane._lines if line] == [line for line in wrapped([(said, "text")], 38) if line]
        assert pane.top == len(pane._lines) - pane.page  # its end was in sight, and is
        pane.action_first()
        pane.action_page_up()
        pane.grow("more\nand more\n")
        assert pane.top == 0
        pane.grow("one two three " * (MOST_CHARS // 14))
        pane.grow("nothing of this")
        assert "".join(text for text, _ in pane._lines[-1]) == "… the rest is in its trace"


async def test_what_stands_in_the_way_is_said_before_and_after_sending(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    said = {"input": conversation(user(f"{ASKED} I am [EMAIL:3fa9].")), "request_model": "my-own", "model": "my-own"}
    recorded(tmp_path / "traces.db", **said)
    async with app_on(tmp_path / "traces.db").run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: shows(pilot, ASKED))
        await pilot.press("r")
        await until(pilot, lambda: shows(pilot, "Some of it was redacted or cut when it was recorded", "no price"))
        await pilot.press("ctrl+r")
        await until(pilot, lambda: shows(pilot, "now failed", "OPENAI_API_KEY is not set", "wants a key"))


async def test_keys_that_would_write_are_not_offered_on_the_sheet(tmp_path: Path) -> None:
    recorded(tmp_path / "traces.db")
    async with app_on(tmp_path / "traces.db").run_test(size=(100, 30)) as pilot:
        await opened(pilot)
        assert shows(pilot, "f1 help", "ctrl+q quit")
        assert not shows(pilot, "y copy")
        await pilot.press("tab")
        await until(pilot, lambda: shows(pilot, "? help", "q quit", "y copy"))
        await pilot.press("f1")
        await until(pilot, lambda: shows(pilot, "Keys", "esc closes", "Replaying a call"))


async def test_openings_of_parts_are_told_apart_from_the_text(tmp_path: Path) -> None:
    recorded(tmp_path / "traces.db")
    async with app_on(tmp_path / "traces.db").run_test(size=(100, 30)) as pilot:
        sheet = (await opened(pilot)).query_one("#sheet", Sheet)
        assert [bool(sheet.get_line(n).spans) for n in range(6)] == [True, True, True, False, True, False]


async def test_what_is_no_text_is_named_while_it_comes_and_what_cut_the_answer_when_it_ended(
    server: Server, tmp_path: Path
) -> None:
    recorded(tmp_path / "traces.db")
    gate = threading.Event()
    events = openai_events("It is ", reasoning=("hm ", "so "), reason="length")
    server.says(Reply(events=events, gate=gate), Reply(events=[*events[:2], events[-1]], gate=gate))
    async with app_on(tmp_path / "traces.db").run_test(size=(100, 30)) as pilot:
        await opened(pilot)
        await pilot.press("ctrl+r")
        await until(pilot, lambda: shows(pilot, "It is ", "answering"))
        gate.set()
        await until(pilot, lambda: shows(pilot, "cut by the token limit"))
        gate.clear()
        await pilot.press("ctrl+r")
        await until(pilot, lambda: shows(pilot, "reasoning", "esc cancels"))
        gate.set()
        await until(pilot, lambda: shows(pilot, "an empty answer; its end did not come"))
