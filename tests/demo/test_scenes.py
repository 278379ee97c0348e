"""What else an explorer needs to see: nesting, content, streams, caches, scripts, failures."""

from __future__ import annotations

import json

import pytest

from collector.store import open_reader
from tests.demo.played import Told

pytestmark = pytest.mark.slow


def texts(content) -> str:
    return json.dumps([content.value, [list(message.parts) for message in content.messages]], ensure_ascii=False)


def test_every_model_call_is_under_a_span_of_ours(told):
    calls = told.spans("kind:llm,embedding")
    assert len(calls) > 300
    ours = {(row.trace_id, row.span_id) for row in told.spans("kind:agent,chain,span")}
    assert [row.name for row in calls if (row.trace_id, row.parent_id) not in ours] == []


def test_the_calls_of_the_openai_client_come_from_its_instrumentation(through_openai):
    with open_reader(through_openai.db) as reader:
        told = Told(reader)
        scopes = {told.detail(row).scope.name for row in told.spans("kind:llm")[:20]}
        conventions = {told.detail(row).convention for row in told.spans("kind:agent")[:5]}
    assert scopes == {"opentelemetry.instrumentation.openai_v2"}
    assert conventions == {"sdk"}


def test_every_model_call_that_worked_shows_what_was_asked_and_answered(told):
    for call in told.details("kind:llm")[:120]:
        assert call.input is not None
        assert call.input.messages
        if call.row.status != "error":
            assert call.output is not None
            assert call.output.messages


def test_agents_nest_three_deep(told):
    (top,) = told.spans("name:supervisor")
    (checker,) = [row for row in told.under(top) if row.kind == "agent"]
    (reader,) = [row for row in told.under(checker) if row.kind == "agent"]
    assert (checker.name, reader.name) == ("fact_checker", "reader")
    assert {row.kind for row in told.tree(top.trace_id)} >= {"agent", "chain", "guardrail", "llm"}


def test_streams_tell_when_their_first_token_came(told):
    streamed = [row for row in told.spans("kind:llm name:*") if row.ttft_ns]
    assert len(streamed) >= 5
    assert all(0 < row.ttft_ns <= row.end_ns - row.start_ns for row in streamed)


def test_cached_tokens_are_part_of_the_input_tokens(told):
    cached = [row for row in told.spans("kind:llm") if row.cache_read_tokens]
    assert len(cached) >= 30
    assert all(row.cache_read_tokens < row.input_tokens for row in cached)


def test_reasoning_tokens_are_counted(told):
    calls = [told.detail(row) for row in told.spans("kind:llm")[:40]]
    assert any(call.usage.reasoning_tokens for call in calls)


@pytest.mark.parametrize("words", ["金閣寺", "三日間", "mochi", "อากาศ"])
def test_text_of_every_script_is_found(told, words):
    hits = told.reader.search(words, limit=10)
    (trip,) = {row.trace_id for row in told.spans("name:travel_agent")} & {hit.trace_id for hit in hits}
    assert any(words in texts(detail.input) or words in texts(detail.output)
               for detail in map(told.detail, told.tree(trip)) if detail.input and detail.output)  # fmt: skip


def test_one_session_has_42_turns_that_resend_their_history(told):
    turns = told.traces("session:algebra-101")
    assert len(turns) == 42
    (last,) = [row for row in told.tree(turns[-1].trace_id) if row.kind == "llm"]
    assert len(told.detail(last).input.messages) == 83
    assert {turn.user_id for turn in turns} == {"u-31"}


def test_a_local_model_has_no_price(told):
    (call,) = told.spans("model:llama*")
    assert call.cost_nanousd is None
    (trace,) = told.traces("name:supervisor")
    assert (trace.unpriced_calls, trace.llm_calls) == (1, 2)
    assert trace.cost_nanousd > 0


def test_a_rate_limit_is_an_error_of_the_call(told):
    (call,) = [row for row in told.spans("status:error") if row.kind == "llm"]
    assert call.error_type is not None
    assert "429" in call.status_message
    assert "Rate limit reached" in call.status_message


def test_a_tool_that_raised_has_its_stack(told):
    (tool,) = told.details("name:charge_card")
    assert (tool.row.status, tool.row.error_type) == ("error", "TimeoutError")
    assert "payment gateway did not answer" in tool.row.status_message
    (event,) = tool.events
    assert event.name == "exception"
    assert "in charge_card" in event.attributes["exception.stacktrace"]
    (checkout,) = told.spans("name:checkout")
    assert checkout.status == "error"


def test_nothing_is_left_running_and_nothing_was_refused(told):
    assert told.spans("status:running") == []
    assert told.spans("status:abandoned") == []
    assert [row for row in told.reader.ledger() if row.outcome in ("rejected", "clipped")] == []
