"""Signals and contexts on the screen, on a real file: marks, the screen `6`, `!`, `w` and `c`."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from collector import store
from collector.ingest import Ingest
from collector.model import Batch, Content, Message, Reading, SpanPart, Tool, Usage
from collector.settings import Settings
from collector.store import filters
from collector.store.signals import Counted
from tests.builders import MS, T0, make_part, span_id, trace_id
from tracetui import contexts
from tracetui import format as fmt
from tracetui.app import Explorer
from tracetui.cli.main import cli
from tracetui.screens.context import ContextScreen
from tracetui.screens.found import Evidence
from tracetui.screens.lists import TracesScreen
from tracetui.screens.places import FirstPlacesScreen, values_on
from tracetui.screens.signals import SignalsScreen
from tracetui.screens.trace import TraceScreen
from tracetui.screens.trace_signals import TraceSignalsScreen
from tracetui.source import Source
from tracetui.widgets.inspector import Inspector
from tracetui.widgets.lines import DocLine, Here

from .hostile import CONTROL_STRINGS, HOSTILE
from .until import screen_text, shows, until

LOST, FINE = trace_id(1), trace_id(2)


def said(role: str, *parts: Any) -> Message:
    return Message(role, tuple({"type": "text", "text": one} if isinstance(one, str) else one for one in parts))


def call(n: int, messages: tuple[Message, ...], out: Message, *, system: str = "You help.", read: int = 0) -> SpanPart:
    reading = Reading(kind="llm", model="gpt-4o", provider="openai", input=Content(messages=messages),
                      usage=Usage(9000 + 500 * n, 20, cache_read_tokens=read), system=(said("system", system),),
                      output=Content(messages=(out,)))  # fmt: skip
    return make_part(n, parent=9, trace=LOST, name=f"chat {n}", start_ns=T0 + 200 * n * MS, reading=reading)


def agent(trace: str, name: str = "support_agent") -> SpanPart:
    reading = Reading(kind="agent", agent_name=name)
    return make_part(9, trace=trace, name=name, start_ns=T0, end_ns=T0 + 2000 * MS, reading=reading)


def story(hostile: str = "") -> list[SpanPart]:
    """A loop, an invented order, and a clock that breaks the cache."""
    ask = said("user", f"Where is my order? {hostile}")
    asked = said("assistant", {"type": "tool_call", "id": "c1", "name": "get_order", "arguments": {"order_id": 48213}})
    came = said("tool", {"type": "tool_result", "id": "c1", "result": f"shipped {hostile}"})
    tool = Reading(kind="tool", tool=Tool("get_weather", None, {"city": "Patiala"}, "31 °C"))
    return [
        agent(LOST), agent(FINE, "fine_agent"), call(1, (ask,), asked, system="It is 10:01.", read=8000),
        call(2, (ask, asked, came), said("assistant", "It was shipped."), system="It is 10:02."),
        *(make_part(n, parent=9, trace=LOST, name="get_weather", start_ns=T0 + (1000 + n) * MS, reading=tool)
          for n in (3, 4, 5)),
    ]  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return made(tmp_path / "traces.db", *story())


def made(path: Path, *parts: SpanPart) -> Path:
    with Ingest(path, Settings(db=path, redact="off")) as ingest:
        ingest.write(Batch("test", parts=parts))
    return path


def explorer(path: Path, **more: Any) -> Explorer:
    source: Any = Source(str(path), lambda: store.open_reader(path), lambda text: filters.parse(text, time.time_ns()))
    return Explorer(source, tail=False, now_ns=lambda: T0 + 60_000 * MS, **more)


async def opened(pilot: Any, condition: Callable[[], bool]) -> None:
    await until(pilot, condition)


async def test_the_list_and_the_tree_name_what_looks_wrong(path: Path) -> None:
    async with explorer(path).run_test(size=(140, 30)) as pilot:
        await until(pilot, lambda: shows(pilot, "fine_agent", "⚠ loop +2"))
        await pilot.press("k" if "▸" not in screen_text(pilot).split("fine_agent")[0] else "j", "g", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, TraceScreen))


async def test_what_is_found_while_one_watches_comes_into_the_list_and_among_the_kinds(tmp_path: Path) -> None:
    path = tmp_path / "traces.db"
    with Ingest(path, Settings(db=path, redact="off")) as ingest:
        ingest.write(Batch("test", parts=(agent(FINE, "fine_agent"),)))
        async with explorer(path).run_test(size=(140, 30)) as pilot:
            await until(pilot, lambda: shows(pilot, "fine_agent"))
            ingest.write(Batch("test", parts=tuple(story())))
            pilot.app.post_message(Explorer.Tailed(False))
            await until(pilot, lambda: shows(pilot, "support_agent"))
            assert not shows(pilot, "⚠")
            ingest.look()
            pilot.app.post_message(Explorer.Tailed(False))
            await until(pilot, lambda: shows(pilot, "⚠ loop +2"))
            await pilot.press("6")
            await until(pilot, lambda: shows(pilot, "3 signals of 3 kinds"))


async def test_six_counts_the_kinds_and_enter_lists_the_traces_of_one(path: Path) -> None:
    async with explorer(path).run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        await pilot.press("6")
        await until(pilot, lambda: shows(pilot, "3 signals of 3 kinds", "⚠ loop", "get_weather", "refusal"))
        await pilot.press("y")
        await until(pilot, lambda: shows(pilot, "signal:", "newest trace", "what was seen there"))
        await pilot.press("escape", "6")
        assert isinstance(pilot.app.screen, SignalsScreen)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, TracesScreen) and shows(pilot, "signal:loop"))
        await until(pilot, lambda: "fine_agent" not in screen_text(pilot))


async def test_o_opens_the_newest_trace_at_the_span_and_esc_comes_back(path: Path) -> None:
    async with explorer(path).run_test(size=(140, 30)) as pilot:
        await pilot.press("6")
        await until(pilot, lambda: shows(pilot, "⚠ loop"))
        await pilot.press("o")
        await until(pilot, lambda: shows(pilot, "get_weather ⚠ loop", "chat 1", "⚠ invented"))
        assert pilot.app.screen.waterfall.selected_id == 5  # type: ignore[attr-defined]
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, SignalsScreen))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, TracesScreen))


async def test_at_eighty_columns_what_does_not_fit_into_its_line_stands_whole_below(path: Path) -> None:
    async with explorer(path).run_test(size=(80, 24)) as pilot:
        await pilot.press("6")
        await until(pilot, lambda: shows(pilot, "loop  same tool, same arguments, same result again"))
        await until(pilot, lambda: shows(pilot, 'get_weather("city": "Patiala") called 3 times, 3 in a row with'))
        assert shows(pilot, "the same result")
        await pilot.press("G")
        await until(pilot, lambda: shows(pilot, "empty_retrieval  a search that brought no document"))


async def test_the_kinds_obey_a_filter_and_an_order_and_enter_keeps_the_filter(path: Path) -> None:
    async with explorer(path).run_test(size=(120, 30)) as pilot:
        await pilot.press("6")
        await until(pilot, lambda: shows(pilot, "3 signals of 3 kinds"))
        await pilot.press("t", "1")
        await until(pilot, lambda: shows(pilot, "SIGNAL↑"))
        assert pilot.app.screen.listed.rows[0].kind == "abandoned"  # type: ignore[attr-defined]
        await pilot.press("f", *"name:fine*", "enter")
        await until(pilot, lambda: shows(pilot, "Nothing looks wrong in what name:fine* finds.", "esc shows all"))
        await pilot.press("f", *["backspace"] * 20, *"name:supp*", "enter")
        await until(pilot, lambda: shows(pilot, "3 signals of 3 kinds", "▸"))
        await pilot.press("t", "2", "g", "enter")
        await until(pilot, lambda: shows(pilot, "name:supp* signal:", "support_agent"))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, SignalsScreen))


async def test_traces_that_nobody_looked_at_are_counted(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("update meta set value = '[0,0]' where key = 'signals_settled'")
        connection.commit()
    async with explorer(path).run_test(size=(80, 24)) as pilot:
        await pilot.press("6")
        await until(pilot, lambda: shows(pilot, "3 signals of 3 kinds", "2 not looked at yet"))


async def test_a_file_where_nothing_looks_wrong_says_so(tmp_path: Path) -> None:
    path = made(tmp_path / "traces.db", agent(FINE))
    async with explorer(path).run_test(size=(80, 24)) as pilot:
        await pilot.press("6")
        await until(pilot, lambda: shows(pilot, "Nothing looks wrong", "tracetui signals --look"))


async def test_the_signals_of_a_trace_are_listed_with_their_evidence(path: Path) -> None:
    async with explorer(path, open_trace=LOST).run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: isinstance(pilot.app.screen, TraceScreen) and shows(pilot, "chat 1"))
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: shows(pilot, "⚠ invented  chat 1", "48213 in order_id of get_order", "⚠ cache"))
        await pilot.press("j", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, TraceScreen))
        assert pilot.app.screen.waterfall.selected_id == 2  # type: ignore[attr-defined]
        await pilot.press("exclamation_mark", "escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, TraceSignalsScreen))


async def test_evidence_stands_whole_at_eighty_columns_and_a_click_on_it_chooses_its_signal(path: Path) -> None:
    async with explorer(path, open_trace=LOST).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: shows(pilot, "chat 1"))
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: shows(pilot, "“It is 10:01.” became “It is 10:02.”", "from the cache"))
        shown = pilot.app.screen.query_one(Evidence)
        assert [item.what[1][0] for item in shown.items] == ["invented", "cache", "loop"]
        for key, kind in (
            ("j", "cache"),
            ("j", "loop"),
            ("j", "loop"),
            ("k", "cache"),
            ("g", "invented"),
            ("G", "loop"),
        ):
            await pilot.press(key)
            assert (shown.chosen.what[1][0], shown.line_parts(shown.cursor, 70)[0][0]) == (kind, "▸ ")
        await pilot.click(Evidence, offset=(9, 4))  # the second line of what is said of the cache
        assert shown.chosen.what[1][0] == "cache"


async def test_a_trace_where_nothing_looks_wrong_says_so(path: Path) -> None:
    async with explorer(path, open_trace=FINE).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: shows(pilot, "fine_agent"))
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: shows(pilot, "Nothing looks wrong in this trace."))


async def test_w_begins_with_the_value_in_question_and_finds_others(path: Path) -> None:
    async with explorer(path, open_trace=LOST).run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: shows(pilot, "⚠ invented"))
        await pilot.press("j", "w")
        await until(pilot, lambda: shows(pilot, "48213", "first  chat 1  output 1 (assistant)"))
        await pilot.press("escape", "g", "w")
        assert isinstance(pilot.app.screen, FirstPlacesScreen)
        await until(pilot, lambda: shows(pilot, "type a value, then enter"))
        await pilot.press(*"nowhere", "enter")
        await until(pilot, lambda: shows(pilot, "It stands nowhere in this trace, nor in its session"))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, TraceScreen))


async def test_w_on_the_inspectors_line_offers_its_values_one_after_the_other(path: Path) -> None:
    async with explorer(path, open_trace=LOST).run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: shows(pilot, "chat 1"))
        await pilot.press("j", "tab")
        inspector = pilot.app.screen.query_one(Inspector)
        await until(pilot, lambda: shows(pilot, "48213") and inspector.has_focus)
        inspector.move_to(next(at for at, line in enumerate(inspector.lines) if "48213" in str(line.parts)))
        await pilot.press("w")
        await until(pilot, lambda: shows(pilot, "first  chat 1  output 1 (assistant)", "48213"))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, TraceScreen))
        assert pilot.app.screen.waterfall.selected_id == 1  # type: ignore[attr-defined]


async def test_w_goes_round_the_values_at_hand(path: Path) -> None:
    async with explorer(path, open_trace=LOST).run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: shows(pilot, "chat 1"))
        screen: Any = pilot.app.screen
        screen.values_at_hand = lambda: ["48213", "shipped"]
        await pilot.press("w")
        await until(pilot, lambda: shows(pilot, "value 1 of 2 here, w the next", "first  chat 1"))
        await pilot.press("w")
        await until(pilot, lambda: shows(pilot, "value 2 of 2 here", "first  chat 2  input 3 (tool)"))
        await pilot.press("W")
        await until(pilot, lambda: shows(pilot, "value 1 of 2 here", "first  chat 1"))


async def test_w_on_the_evidence_of_a_signal_shows_where_its_value_is_from(path: Path) -> None:
    async with explorer(path, open_trace=LOST).run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: shows(pilot, "chat 1"))
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: shows(pilot, "⚠ invented  chat 1", "w where its value is from"))
        await pilot.press("w")
        await until(pilot, lambda: shows(pilot, "48213", "first  chat 1  output 1 (assistant)"))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, TraceScreen))
        assert pilot.app.screen.waterfall.selected_id == 1  # type: ignore[attr-defined]


async def test_w_leads_to_the_earlier_turn_that_said_it_and_esc_comes_back(tmp_path: Path) -> None:
    def turn(trace: str, at: int, text: str, asked: dict[str, Any]) -> SpanPart:
        out = said("assistant", {"type": "tool_call", "id": "c", "name": "get_order", "arguments": asked})
        reading = Reading(kind="llm", model="m", session_id="chat", usage=Usage(1, 1), output=Content(messages=(out,)),
                          input=Content(messages=(said("user", text),)))  # fmt: skip
        return make_part(1, trace=trace, name=f"turn {at}", start_ns=T0 + at * 1000 * MS, reading=reading)

    parts = (turn(FINE, 1, "Where is order 48213?", {}), turn(LOST, 2, "And my parcel?", {"order_id": 48213}))
    async with explorer(made(tmp_path / "t.db", *parts), open_trace=LOST).run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: shows(pilot, "turn 2", "⚠ borrowed"))
        await pilot.press("w")
        await until(pilot, lambda: shows(pilot, "first  turn 1, an earlier turn", "then   turn 2  output 1"))
        await pilot.press("enter")
        await until(pilot, lambda: getattr(pilot.app.screen, "trace_id", "") == FINE)
        await pilot.press("escape")
        await until(pilot, lambda: getattr(pilot.app.screen, "trace_id", "") == LOST)


def test_the_values_of_a_line_are_its_ids_numbers_and_quoted_words() -> None:
    line = DocLine((('  "customer": ', "text"), ('"Jane Doe", "order": "ORD-1789", total 12.50', "text")))
    assert values_on(line) == ["ORD-1789", "12.50", "Jane Doe"]
    assert values_on(DocLine((("x", "text"),), here=Here(48213, "order_id"))) == ["48213"]
    assert values_on(DocLine((("x", "text"),), here=Here("Jane Doe", "name"))) == ["Jane Doe"]
    assert values_on(DocLine((("x", "text"),), here=Here(True))) == []


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_the_context_view_shows_what_grew_and_where_the_cache_broke(path: Path, size: tuple[int, int]) -> None:
    async with explorer(path, open_trace=LOST).run_test(size=size) as pilot:
        await until(pilot, lambda: isinstance(pilot.app.screen, TraceScreen) and shows(pilot, "chat 1"))
        await pilot.press("j", "c")
        await until(pilot, lambda: shows(pilot, "2 calls", "10.0k", "▸ chat 1", "the first call of its conversation"))
        await pilot.press("j")
        await until(pilot, lambda: shows(pilot, "▸ chat 2", "⚠ system", "prefix broken at the system instructions"))
        await until(pilot, lambda: shows(pilot, "9,500 tokens not read from the cache", "answered"))
        await pilot.press("tab", "tab", "n")
        await until(pilot, lambda: shows(pilot, "This trace has one conversation."))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, TraceScreen))
        assert pilot.app.screen.waterfall.selected_id == 2  # type: ignore[attr-defined]
        await pilot.press("c", "escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, ContextScreen))


async def test_where_a_prefix_broke_is_told_whole_at_eighty_columns(path: Path) -> None:
    async with explorer(path, open_trace=LOST).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: shows(pilot, "chat 1"))
        await pilot.press("c")
        await until(
            pilot, lambda: shows(pilot, "prefix broken at the system instructions: “It is 10:01.” became “It is")
        )
        assert shows(pilot, "10:02.”", "than with an unbroken", "answered")


async def test_a_trace_without_prompts_says_so(path: Path) -> None:
    async with explorer(path, open_trace=FINE).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: shows(pilot, "fine_agent"))
        await pilot.press("c")
        await until(pilot, lambda: shows(pilot, "No model call of this trace has its prompt in the file."))


async def test_ascii_mode_and_hostile_texts_reach_no_terminal_as_they_came(tmp_path: Path) -> None:
    bad = " ".join([*HOSTILE, *(text for text in CONTROL_STRINGS if "\0" not in text)])
    path = made(tmp_path / "traces.db", *story(bad))
    async with explorer(path, ascii_mode=True, open_trace=LOST).run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: isinstance(pilot.app.screen, TraceScreen) and shows(pilot, "chat 1"))
        for key, text in (("c", "# system"), ("exclamation_mark", "invented"), ("6", "get_weather")):
            await pilot.press(key)
            await until(pilot, lambda text=text: shows(pilot, text))
            assert all(char.isprintable() or char == "\n" for char in screen_text(pilot))
            await pilot.press("escape")


# Pure, and the command line.


def test_a_bar_has_a_cell_for_every_segment_and_no_cell_too_many(path: Path) -> None:
    with store.open_reader(path) as reader:
        (chain,) = contexts.chains_of(reader.seen(LOST))
    drawn = "".join(text for text, _ in contexts.bar(chain.steps[1], chain.largest, 20))
    assert len(drawn) == 20
    assert {contexts.SIGNS[name] for name in ("system", "history", "results")} <= set(drawn)
    assert contexts.bar(chain.steps[0], 0, 20) == []
    assert [contexts.growth(step) for step in chain.steps] == ["", "+500"]
    ascii_ = "".join(text for text, _ in contexts.bar(chain.steps[1], chain.largest, 20, ascii_mode=True))
    assert ascii_.isascii()


def test_a_cache_that_may_have_been_gone_by_then_is_said_to_be(path: Path) -> None:
    with store.open_reader(path) as reader:
        ((one,),) = (contexts.chains_of(reader.seen(LOST))[:1],)
    step = one.steps[1]
    assert not any("had that been kept" in line for line, _ in contexts.told(step))
    late = replace(step, call=replace(step.call, start_ns=step.call.start_ns + 3_600_000 * MS))
    assert any(
        "unbroken prefix, had that been kept for the 1h 00m between them" in one for one, _ in contexts.told(late)
    )


def test_more_calls_than_cells_share_them_and_few_are_drawn_wide(path: Path) -> None:
    with store.open_reader(path) as reader:
        (chain,) = contexts.chains_of(reader.seen(LOST))
    assert contexts.growth_lines(chain.steps, 40, 2)[1] == "███████ ███████"
    assert [len(contexts.growth_lines(chain.steps, width, 1)[0]) for width in (2, 4, 9)] == [2, 4, 7]
    lines = contexts.growth_lines(chain.steps * 50, 10, 3)
    assert [len(line) for line in lines] == [10, 10, 10]
    assert set(lines[2]) == {"█"}
    assert all(fmt.cells(line) == 10 for line in lines)


def test_show_context_is_the_twin_of_the_screen(path: Path) -> None:
    told = CliRunner().invoke(cli, ["show", LOST, "--context", "--db", str(path)]).output
    assert "prefix broken at the system instructions: “It is 10:01.” became “It is 10:02.”" in told
    shown = CliRunner().invoke(cli, ["show", LOST, "--context", "--json", "--db", str(path)])
    import json

    (chain,) = json.loads(shown.stdout)["chains"]
    assert [one["span_id"] for one in chain["calls"]] == [span_id(1), span_id(2)]
    second = chain["calls"][1]
    assert (second["tokens"], second["missed_tokens"], second["broken"]["part"]) == (10_000, 9500, "system")
    assert second["over_usd"] == chain["over_usd"] > 0


def test_a_kind_that_nobody_knows_is_listed_all_the_same() -> None:
    from tracetui.screens.signals import nothing

    assert Counted("skipped").signals == 0
    assert all(len(part) == 2 for line in nothing("tag:x", 3) for part in line)


async def test_span_ids_that_are_none_end_no_screen(path: Path) -> None:
    own = "zz-hand-made"
    with closing(sqlite3.connect(path)) as connection:
        for table in ("spans", "signals"):
            connection.execute(f"update {table} set span_id = ? where span_id = ?", (own, span_id(5)))
        connection.commit()
    async with explorer(path).run_test(size=(140, 30)) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent", "⚠ loop +2"))
        pilot.app.screen.post_message(TracesScreen.OpenSpan(LOST, own))
        await until(pilot, lambda: shows(pilot, "chat 1", "⚠ invented"))
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: shows(pilot, "What looks wrong", "called 3 times"))
        await pilot.press("enter")  # the loop's own span is not in the tree
        await until(pilot, lambda: isinstance(pilot.app.screen, TraceScreen))
        for key in ("J", "escape", "K", "a", "escape", "c", "escape", "w", "escape", "v", "u", "j", "n"):
            await pilot.press(key)
        await until(pilot, lambda: isinstance(pilot.app.screen, TraceScreen) and shows(pilot, "chat 1"))
        assert pilot.app._exception is None


def test_where_prompts_were_not_recorded_the_view_shows_how_they_grew(tmp_path: Path) -> None:
    calls = [
        make_part(n, parent=9, trace=LOST, name="chat", start_ns=T0 + 200 * n * MS,
                  reading=Reading(kind="llm", model="gpt-4o", usage=Usage(tokens, 5, cache_read_tokens=1000 * n)))
        for n, tokens in ((1, 4000), (2, 6000))
    ]  # fmt: skip
    path = made(tmp_path / "bare.db", agent(LOST), *calls)
    with store.open_reader(path) as reader:
        (chain,) = contexts.chains_of(reader.seen(LOST))
    assert (chain.name, [step.tokens for step in chain.steps]) == ("support_agent", [4000, 6000])
    assert [contexts.growth(step) for step in chain.steps] == ["", "+2.0k"]
    assert [contexts.bar(step, 6000, 6) for step in chain.steps] == [[("━━━━", "quiet")], [("━" * 6, "quiet")]]
    shown = CliRunner().invoke(cli, ["show", LOST, "--context", "--db", str(path)]).output
    assert "support_agent: 2 calls, up to 6.0k tokens, prompts not in the file" in shown
    assert "prefix" not in shown
    assert "6,000 tokens: the prompt is not in the file, only how long it was" in [
        line for line, _ in contexts.told(chain.steps[1])
    ]
