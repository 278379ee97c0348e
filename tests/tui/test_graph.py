"""Who called whom, as plain data, as text and on the screen."""

from __future__ import annotations

from collector.store.measures import Measures
from collector.store.rows import SpanRow
from collector.store.skeleton import Skeleton
from tracetui import trees
from tracetui.callers import Actor, CallGraph, Calls, call_graph, graph_lines
from tracetui.cli import graph as told
from tracetui.screens.graph import GraphScreen
from tracetui.screens.trace import TraceScreen
from tracetui.weights import weigh

from .fakes import MS, NOW, FakeReader, agent_spans, make_app, make_span, make_trace, some_traces
from .hostile import CONTROL_STRINGS, HOSTILE
from .until import screen_text, shows, until

AGENT, LLM = Actor("agent", "boss"), Actor("llm", "gpt-4o")


def graph_of(rows: list[SpanRow]) -> CallGraph:
    outline = trees.outline(Skeleton.of(rows))
    return call_graph(outline, weigh(outline, Measures.of(rows)), NOW)


def llm(number: int, parent: int, cost: int | None = 5, **changes: object) -> SpanRow:
    return make_span(number, parent, kind="llm", model="gpt-4o", input_tokens=10, output_tokens=2, cost_nanousd=cost,
                     **changes)  # fmt: skip


def boss(number: int, parent: int | None = None, name: str = "invoke_agent boss") -> SpanRow:
    return make_span(number, parent, kind="agent", name=name)


def test_calls_are_counted_and_summed_through_what_stands_in_between() -> None:
    rows = [boss(1), make_span(2, 1, kind="chain"), llm(3, 2), llm(4, 1, status="error"), llm(5, 1, cost=None)]
    assert graph_of(rows).edges == {
        None: {AGENT: Calls(1, 0, 80 * MS, 10, 36, first=1)},
        AGENT: {LLM: Calls(3, 1, 240 * MS, 10, 36, first=3)},
    }


def test_what_nobody_knows_is_not_zero() -> None:
    rows = [boss(1), make_span(2, 1, kind="tool", tool_name="look", name="execute_tool look")]
    calls = graph_of(rows).edges[AGENT][Actor("tool", "look")]
    assert (calls.nanousd, calls.tokens) == (None, None)


def test_a_call_that_another_span_reports_too_costs_once() -> None:
    rows = [boss(1), llm(2, 1, counted=False), llm(3, 2)]
    assert graph_of(rows).edges[AGENT][LLM].nanousd == 5
    assert graph_of(rows).edges[LLM][LLM].calls == 1


def test_a_root_of_any_kind_is_an_actor_and_a_ghost_is_none() -> None:
    rows = [make_span(1, kind="chain", name="pipeline"), llm(2, 1), llm(3, 99)]
    assert list(graph_of(rows).edges) == [None, Actor("chain", "pipeline")]
    assert graph_of(rows).edges[None][LLM].calls == 1


def test_agents_that_call_each_other_are_told_once() -> None:
    helper = Actor("agent", "helper")
    rows = [boss(1), boss(2, 1, "helper"), boss(3, 2), llm(4, 3)]
    lines = [(line.branch, line.actor, line.again) for line in graph_lines(graph_of(rows))]
    assert lines == [("", AGENT, False), ("├─ ", helper, False), ("│  └─ ", AGENT, True), ("└─ ", LLM, False)]


def test_the_text_twin_tells_every_edge_in_harmless_words() -> None:
    rows = [boss(1), llm(2, 1), llm(3, 1, status="error"), make_span(4, 1, kind="tool", tool_name="\x1b[31mlook\n")]
    assert told.text_lines(graph_of(rows)) == [
        "◆ boss  1×  80ms  24 tok  <$0.0001", "├─ ✦ gpt-4o  2×  160ms  24 tok  <$0.0001  ✖1", "└─ ⚒ look⏎  1×  80ms",
    ]  # fmt: skip
    free = make_span(2, 1, kind="llm", model="llama", input_tokens=7)
    assert told.text_lines(graph_of([boss(1), free]))[1] == "└─ ✦ llama  1×  80ms  7 tok  no price"
    assert told.text_lines(graph_of([])) == ["nothing has arrived that called anything"]


def test_the_json_twin_names_actors_by_their_place() -> None:
    shape = told.graph_json(graph_of([boss(1), llm(2, 1)]))
    assert shape["actors"] == [{"kind": "agent", "name": "boss"}, {"kind": "llm", "name": "gpt-4o"}]
    assert [(edge["caller"], edge["callee"], edge["calls"], edge["cost_usd"]) for edge in shape["edges"]] == [
        (None, 0, 1, 5e-9),
        (0, 1, 1, 5e-9),
    ]
    assert shape["edges"][1]["first_span_id"] == f"{2:016x}"


async def test_a_opens_the_graph_and_enter_leads_to_the_first_call() -> None:
    for size in ((80, 24), (200, 50)):
        async with make_app(FakeReader(some_traces(), agent_spans())).run_test(size=size) as pilot:
            await until(pilot, lambda: shows(pilot, "support_agent"))
            await pilot.press("enter")
            await until(pilot, lambda: shows(pilot, "get_order"))
            await pilot.press("a")
            await until(pilot, lambda: shows(pilot, "Agents and tools", "WHO CALLED WHOM", "3×", "refund ✖1"))
            await pilot.press("j", "j", "enter")
            await until(pilot, lambda: isinstance(pilot.app.screen, TraceScreen))
            assert pilot.app.screen.waterfall.selected_id == 6
            await pilot.press("a", "escape")
            await until(pilot, lambda: isinstance(pilot.app.screen, TraceScreen))


async def test_in_the_graph_what_has_no_price_is_unknown_and_what_needs_none_is_blank() -> None:
    spans = [boss(1), make_span(2, 1, kind="llm", model="llama", input_tokens=7),
             make_span(3, 1, kind="tool", tool_name="look")]  # fmt: skip
    async with make_app(FakeReader(some_traces(), spans)).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        await pilot.press("enter")
        await until(pilot, lambda: shows(pilot, "span 3"))
        await pilot.press("a")
        await until(pilot, lambda: shows(pilot, "WHO CALLED WHOM", "llama"))
        lines = screen_text(pilot).splitlines()
        assert next(line for line in lines if "─ ✦ llama" in line).split()[-2:] == ["7", "–"]
        assert next(line for line in lines if "─ ⚒ look" in line).split()[-1] == "80ms"


async def test_a_graph_of_hostile_names_stays_on_its_lines() -> None:
    names = [*HOSTILE, *CONTROL_STRINGS]
    rows = [make_span(1, kind="agent", name=names[0])]
    rows += [make_span(n, 1, kind="tool", name=name, tool_name=name) for n, name in enumerate(names, start=2)]
    async with make_app(FakeReader([make_trace(0)], rows)).run_test(size=(80, 40)) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, TraceScreen))
        await pilot.press("a")
        await until(pilot, lambda: isinstance(pilot.app.screen, GraphScreen) and shows(pilot, "1×"))
        assert all(char == "\n" or char.isprintable() for char in screen_text(pilot))


async def test_a_graph_without_actors_says_so() -> None:
    async with make_app(FakeReader([make_trace(0)])).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: shows(pilot, "support_agent"))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, TraceScreen))
        await pilot.press("a")
        await until(pilot, lambda: shows(pilot, "Nothing has arrived that called anything."))
