"""Finding words within one trace: counts, marks, only matches, and the very message."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.ingest import Ingest
from collector.model import Batch, Message, SpanPart
from collector.settings import Settings
from collector.store import open_reader
from tests.builders import TRACE, assistant, conversation, make_llm, make_part, trace_id, user
from tracetui import format as fmt
from tracetui.screens.trace import TraceScreen
from tracetui.widgets.lines import DocLine
from tracetui.widgets.seek import Place, best_line, seek, with_hits

from .fakes import FakeReader, agent_detail, agent_spans, make_app, make_detail, make_span, make_trace, some_traces
from .hostile import HOSTILE
from .until import screen_text, shows, until

TEXT = "On its way to 東京都渋谷区"


def written(path: Path, *parts: SpanPart) -> Path:
    with Ingest(path, Settings(db=path)) as ingest:
        ingest.write(Batch("test", parts))
    return path


def said(number: int, question: str, answer: str, *before: Message) -> SpanPart:
    talk = {"input": conversation(*before, user(question)), "output": conversation(assistant(answer))}
    return make_llm(number, name=f"turn {number}", reading=talk)


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """Two turns, the second with the history of the first; and another trace that says the same."""
    first = (user("Where is order 789?"), assistant(TEXT))
    other = make_part(9, trace=trace_id(7), name="order 789")
    return written(tmp_path / "t.db", said(1, "Where is order 789?", TEXT), said(2, "Thanks!", "Bye.", *first),
                   make_part(3, name="refund", status="error", status_message="order 789 is gone"), other)  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("789", {1: 1, 3: 1}),
        ('"order 789"', {1: 1, 3: 1}), ("ord*", {1: 1, 3: 1}), ("渋谷", {1: 1}), ("thanks", {2: 1}),
        ("nowhere", {}), ("", {}), ('"', {}), ("refund", {3: 1}),
    ],
)  # fmt: skip
def test_each_span_counts_for_what_it_brought(db: Path, asked: str, found: dict[int, int]) -> None:
    with open_reader(db) as reader:
        assert reader.found_in(TRACE, asked) == found
        assert reader.found_in("f" * 32, asked) == {}


def test_the_message_is_found_where_it_is_new_then_anywhere_then_in_folds_and_other_tabs() -> None:
    call = agent_detail(agent_spans()[8])
    width = 60
    assert seek(call, "anything", width, fmt.UNICODE) == Place(0, False, frozenset(), 11)
    history = seek(call, "hello", width, fmt.UNICODE)
    assert history is not None
    assert (history.tab, history.everything) == (0, True)
    folded = seek(call, "reasoning*", width, fmt.UNICODE)
    assert folded is not None
    long = make_detail(make_span(1), attributes={"deep": "\n".join(["no"] * 40 + ["needle"])})
    place = seek(long, "needle", width, fmt.UNICODE)
    assert place is not None
    assert (place.tab, place.folds) == (2, frozenset({"attributes.deep"}))
    assert seek(call, "nowhere", width, fmt.UNICODE) is None


def test_of_many_lines_the_first_with_the_most_words_is_taken() -> None:
    lines = [DocLine((("order one", "text"),)), DocLine((("the ", "text"), ("order 789", "text"))), DocLine(())]
    assert best_line(lines, "order 789") == 1
    assert best_line(lines, "nothing") is None


def test_hits_are_marked_across_the_parts_of_a_line() -> None:
    parts = [("key ", "quiet"), ("an order", "text"), (" 789", "text")]
    assert with_hits(parts, '"order 789"') == [
        ("key ", "quiet"), ("an ", "text"), ("order", "fresh"), (" 789", "fresh"),
    ]  # fmt: skip
    assert with_hits(parts, "none") == parts


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_finding_in_a_trace_marks_counts_and_goes_to_the_message(size: tuple[int, int]) -> None:
    async with make_app(FakeReader(some_traces(), agent_spans())).run_test(size=size) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        await pilot.press("enter")
        await until(pilot, lambda: shows(pilot, "get_order"))
        tree, inspector = pilot.app.screen.waterfall, pilot.app.screen.inspector
        await pilot.press("slash", *"traceback")
        await until(pilot, lambda: shows(pilot, "find", "in 1 span", "refund →"))
        await pilot.press("enter")
        await until(pilot, lambda: tree.selected_id == 8 and tree.has_focus)
        await until(pilot, lambda: "Traceback" in "".join(text for text, _ in inspector.lines[inspector.cursor].parts))
        await until(pilot, lambda: shows(pilot, "Traceback (most recent"))
        await pilot.press("escape")
        await until(pilot, lambda: not shows(pilot, "find "))
        assert not tree.scene.hits
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, TraceScreen))


async def test_n_and_shift_n_go_round_the_matches_and_m_shows_only_them() -> None:
    async with make_app(FakeReader(some_traces(), agent_spans())).run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        await pilot.press("enter")
        await until(pilot, lambda: shows(pilot, "get_order"))
        tree = pilot.app.screen.waterfall
        await pilot.press("m")
        assert not tree.only
        await pilot.press("slash", *"gpt", "enter")
        await until(pilot, lambda: tree.selected_id == 2 and tree.has_focus)
        for key, span in (("n", 9), ("n", 10), ("n", 2), ("N", 10)):
            await pilot.press(key)
            await until(pilot, lambda span=span: tree.selected_id == span)
        await pilot.press("m")
        await until(pilot, lambda: shows(pilot, "in 3 spans, only these"))
        assert [tree.outline.ids[n] for n in tree.lines] == [1, 2, 9, 10]
        await pilot.press("m")
        await until(pilot, lambda: len(tree.lines) > 4 and not shows(pilot, "only these"))


async def test_nothing_found_says_so_and_marks_nothing() -> None:
    async with make_app(FakeReader(some_traces(), agent_spans())).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        await pilot.press("enter")
        await until(pilot, lambda: shows(pilot, "get_order"))
        await pilot.press("slash", *"zzz")
        await until(pilot, lambda: shows(pilot, "nothing found"))
        await pilot.press("enter", "n")
        assert pilot.app.screen.waterfall.cursor == 0


async def test_what_arrives_while_one_looks_is_found_too() -> None:
    reader = FakeReader(some_traces(), agent_spans())
    async with make_app(reader).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        await pilot.press("enter")
        await until(pilot, lambda: shows(pilot, "get_order"))
        await pilot.press("slash", *"needle")
        await until(pilot, lambda: shows(pilot, "nothing found"))
        reader.spans.append(make_span(77, 1, name="needle", seq=10**6))
        reader.rows[:] = [make_trace(0, seq=10**6, status="running", span_count=7)]
        pilot.app.post_message(pilot.app.Tailed(False))
        await until(pilot, lambda: shows(pilot, "in 1 span"))


async def test_hostile_words_stay_words() -> None:
    rows = [make_span(n, None if n == 1 else 1, name=name) for n, name in enumerate(HOSTILE, start=1)]
    async with make_app(FakeReader([make_trace(0)], rows)).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, TraceScreen) and pilot.app.screen.waterfall.lines)
        await pilot.press("slash", *"[/red]", "enter", "n")
        await until(pilot, lambda: shows(pilot, "in 1 span"))
        assert all(char == "\n" or char.isprintable() for char in screen_text(pilot))
