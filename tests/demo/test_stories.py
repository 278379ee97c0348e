"""Every story of the demo can be found in its file by what it left behind."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from collector.limits import Limits

pytestmark = pytest.mark.slow

MS = 1_000_000


def took(row) -> int:
    return row.end_ns - row.start_ns


def said(content) -> str:
    """All that a content holds, as text."""
    return json.dumps([content.value, [list(message.parts) for message in content.messages]], ensure_ascii=False)


def test_a_tool_is_called_with_the_user_id_that_leaked_from_an_earlier_turn(told):
    first, second = told.traces("session:support-42")
    assert (first.user_id, second.user_id) == ("u-54321", "u-12345")
    (tool,) = [row for row in told.tree(second.trace_id) if row.kind == "tool"]
    assert told.detail(tool).tool.arguments["user_id"] == 54321
    model = [row for row in told.tree(second.trace_id) if row.kind == "llm"]
    assert "54321" in said(told.detail(model[0]).output)
    assert "12345" in said(told.detail(model[0]).input)
    hits = {hit.trace_id for hit in told.reader.search("54321", limit=100)}
    assert {first.trace_id, second.trace_id} <= hits


def test_one_document_is_summarised_hundreds_of_times(told):
    (loop,) = told.spans("name:summarise_document")
    calls = [row for row in told.under(loop) if row.kind == "llm"]
    assert len(calls) == 240
    assert {row.model for row in calls} == {"gpt-4.1"}
    detail = told.detail(loop)
    assert detail.input.value["pages"] == 850
    assert [event.name for event in detail.events] == ["retry"] * 240
    assert (loop.status, loop.status_message) == ("error", "gave up after retries")
    (trace,) = told.traces("name:summarise_document")
    assert trace.cost_nanousd > 100e9


def test_a_review_comments_on_line_42_for_a_fault_on_line_38(told):
    (bot,) = told.spans("name:review_pull_request")
    (comment,) = told.details("name:post_comment")
    assert comment.row.parent_id == bot.span_id
    assert comment.tool.arguments["line"] == 42
    (diff,) = told.details("name:read_diff")
    lines = diff.tool.result.splitlines()
    assert [line.split("|")[0].strip() for line in lines if "may be None" in line] == ["38"]


def test_retrieval_ranks_the_enterprise_price_above_the_right_one(told):
    (search,) = told.details("kind:retriever")
    first, second, _ = sorted(search.documents, key=lambda document: document.rank)
    assert (first.id, second.id) == ("pricing-enterprise", "pricing-team")
    assert first.score > second.score
    (chain,) = told.details("name:pricing_assistant")
    assert "$499" in said(chain.output)
    assert search.row.parent_id == chain.row.span_id


def test_a_celsius_prompt_meets_a_fahrenheit_tool(told):
    (tool,) = told.details("name:get_temperature")
    assert tool.tool.result == {"temperature": 88, "unit": "F"}
    calls = [told.detail(row) for row in told.tree(tool.row.trace_id) if row.kind == "llm"]
    assert all("Celsius" in json.dumps([list(m.parts) for m in call.system]) for call in calls)
    assert "88 °C" in said(calls[-1].output)


def test_one_question_takes_three_paths(told):
    traces = told.traces("name:add_temperatures")
    assert len({trace.input_preview for trace in traces}) == 1
    paths = [tuple(row.tool_name for row in told.tree(trace.trace_id) if row.kind == "tool") for trace in traces]
    assert paths == [("calculator",), ("run_python", "to_fahrenheit"), ()]
    assert len({trace.session_id for trace in traces}) == 3


def test_the_middle_one_of_three_agents_holds_half_the_time(told):
    (team,) = told.spans("name:write_newsletter")
    agents = told.under(team)
    assert [row.name for row in agents] == ["planner", "researcher", "writer"]
    assert [row.kind for row in agents] == ["agent"] * 3
    assert 0.35 < took(agents[1]) / took(team) < 0.65
    assert took(agents[1]) > max(took(agents[0]), took(agents[2]))


def test_five_calls_of_200_ms_go_to_a_far_region_one_after_the_other(told):
    calls = told.details("name:fetch_*")
    assert len(calls) == 5
    assert all(took(call.row) >= 200 * MS for call in calls)
    assert {call.attributes["cloud.region"] for call in calls} == {"ap-southeast-2"}
    assert len({call.row.parent_id for call in calls}) == 1
    rows = [call.row for call in calls]
    assert all(one.end_ns <= next_.start_ns for one, next_ in pairwise(rows))


def test_what_goes_wrong_in_the_stories_is_what_the_signals_find(told):
    found = {(one.kind, row.name) for row in told.traces("") for one in told.reader.signals(row.trace_id, Limits())}
    assert found == {
        ("borrowed", "support_agent"), ("misread", "pricing_assistant"), ("misread", "weather_agent"),
        ("misread", "review_pull_request"), ("misread", "add_temperatures"), ("retries", "summarise_document"),
        ("swallowed", "nightly_eval"),
    }  # fmt: skip
