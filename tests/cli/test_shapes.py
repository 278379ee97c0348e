"""The public JSON shapes, whole values, from rows made by hand."""

from __future__ import annotations

import json

from collector.model import Content, Message, Score, Tool, Usage
from collector.store.rows import SearchHit, SessionRow
from tests.cli.rows import SPAN_ID, START, TRACE_ID, make_detail, make_span_row, make_trace_row
from tracetui.pieces import jsonable, side_json, tool_json, unwrapped
from tracetui.shapes import hit_json, rfc3339, session_json, span_json, span_row_json, trace_json

NO_USAGE = dict.fromkeys(
    [
        "input_tokens",
        "output_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
        "reasoning_tokens",
        "audio_input_tokens",
        "audio_output_tokens",
    ]
)


def said(role: str, text: str) -> Message:
    return Message(role, ({"type": "text", "text": text},))


def test_a_trace_of_a_list_is_exactly_this():
    row = make_trace_row(usage=Usage(input_tokens=10, output_tokens=2), cost_nanousd=1_500_000, input_preview="Hi")
    assert trace_json(row) == {
        "trace_id": TRACE_ID,
        "name": "weather_agent",
        "status": "ok",
        "scores": [],
        "start": "2026-01-02T03:04:05.000006Z",
        "start_ns": START,
        "end_ns": START + 1_000_000,
        "duration_ns": 1_000_000,
        "session_id": "thread-42",
        "user_id": "user-7",
        "service": "shop",
        "environment": "prod",
        "release": None,
        "project": None,
        "level": None,
        "tags": ["demo"],
        "metadata": {"plan": "pro"},
        "span_count": 1,
        "running_count": 0,
        "llm_calls": 1,
        "tool_calls": 0,
        "error_count": 0,
        "models": ["gpt-4o"],
        "usage": NO_USAGE | {"input_tokens": 10, "output_tokens": 2},
        "cost_usd": 0.0015,
        "unpriced_calls": 0,
        "signals": [],
        "input": {"value": "Hi"},
        "output": None,
    }


def test_an_unknown_cost_is_null_and_never_zero():
    assert trace_json(make_trace_row(cost_nanousd=None, unpriced_calls=3))["cost_usd"] is None
    assert trace_json(make_trace_row(cost_nanousd=0))["cost_usd"] == 0.0


def test_a_span_of_a_list_is_exactly_this():
    assert span_row_json(make_span_row()) == {
        "trace_id": TRACE_ID,
        "span_id": SPAN_ID,
        "parent_span_id": None,
        "name": "chat gpt-4o",
        "kind": "llm",
        "status": "ok",
        "status_message": None,
        "error_type": None,
        "start": "2026-01-02T03:04:05.000006Z",
        "start_ns": START,
        "end_ns": START + 1_000_000,
        "duration_ns": 1_000_000,
        "ttft_ns": None,
        "service": "shop",
        "provider": "openai",
        "model": "gpt-4o",
        "usage": {"input_tokens": 10, "output_tokens": 2, "cache_read_tokens": None},
        "cost_usd": 0.0015,
        "counted": True,
        "tool_name": None,
        "session_id": "thread-42",
        "user_id": "user-7",
    }


def test_show_adds_every_field_of_a_span():
    shape = span_json(make_detail())
    promised = """span_id parent_span_id name kind status status_message start_ns end_ns duration_ns ttft_ns service
        operation provider model request_model params usage cost_usd cost_source input output tool prompt session_id
        user_id tags scores events links attributes replay_of documents"""
    assert set(promised.split()) <= shape.keys()
    assert shape["usage"] == NO_USAGE | {"input_tokens": 10, "output_tokens": 2}
    json.dumps(shape, allow_nan=False)


def test_a_trace_without_content_at_its_root_shows_the_first_question_and_the_last_answer():
    root = make_detail(make_span_row(kind="agent"))
    first = make_detail(
        make_span_row(span_id="b" * 16, parent_id=SPAN_ID, start_ns=START + 1),
        input=Content((said("system", "Be kind."), said("user", "Weather?"))),
        output=Content((Message("assistant", ({"type": "tool_call", "id": "1", "name": "f", "arguments": {}},)),)),
    )
    last = make_detail(
        make_span_row(span_id="c" * 16, parent_id=SPAN_ID, start_ns=START + 2, end_ns=START + 9),
        input=Content((said("user", "again"),)),
        output=Content((said("assistant", "Sunny."),)),
    )
    shape = trace_json(make_trace_row(), spans=[root, first, last])
    assert shape["input"] == {"messages": [{"role": "user", "parts": [{"type": "text", "text": "Weather?"}]}]}
    assert shape["output"] == {"messages": [{"role": "assistant", "parts": [{"type": "text", "text": "Sunny."}]}]}
    assert [span["span_id"] for span in shape["spans"]] == [SPAN_ID, "b" * 16, "c" * 16]


def test_the_input_of_the_root_wins_over_what_was_said_below():
    root = make_detail(make_span_row(kind="agent"), input=Content(value={"q": 1}), output=Content(value="done"))
    shape = trace_json(make_trace_row(), spans=[root])
    assert (shape["input"], shape["output"]) == ({"value": {"q": 1}}, {"value": "done"})


def test_system_instructions_lead_the_messages_of_the_input():
    side = side_json(Content((said("user", "Hi"),)), (said("system", "Be kind."),))
    assert side is not None
    assert [message["role"] for message in side["messages"]] == ["system", "user"]


def test_a_message_keeps_its_name_and_finish_reason_only_when_it_has_them():
    content = Content((Message("assistant", (), "bob", "stop"), Message("user", ())))
    assert side_json(content) == {
        "messages": [
            {"role": "assistant", "parts": [], "name": "bob", "finish_reason": "stop"},
            {"role": "user", "parts": []},
        ]
    }


def test_a_wrapped_tool_call_is_shown_unwrapped():
    tool = Tool("get_order", "call-1", {"args": [], "kwargs": {"id": 7}}, {"state": "sent"})
    assert tool_json(tool) == {
        "name": "get_order",
        "call_id": "call-1",
        "arguments": {"id": 7},
        "result": {"state": "sent"},
    }
    assert unwrapped({"args": [1], "kwargs": {}}) == {"args": [1], "kwargs": {}}


def test_scores_tell_numbers_booleans_and_labels_apart():
    number = Score("1", "quality", 1, value=0.5)
    boolean = Score("2", "polite", 1, value=1.0, data_type="boolean")
    label = Score("3", "tone", 1, label="warm", data_type="categorical")
    shape = trace_json(make_trace_row(), [number, boolean, label])
    assert [score["value"] for score in shape["scores"]] == [0.5, True, "warm"]


def test_a_session_and_a_hit_are_exactly_these():
    row = SessionRow("s", "u", START, START + 5, 2, 9, 1, 3, 2, 0, 7, Usage(input_tokens=1))
    assert session_json(row) == {
        "session_id": "s",
        "user_id": "u",
        "first": "2026-01-02T03:04:05.000006Z",
        "first_ns": START,
        "last": "2026-01-02T03:04:05.000006Z",
        "last_ns": START + 5,
        "trace_count": 2,
        "span_count": 9,
        "llm_calls": 3,
        "tool_calls": 2,
        "error_count": 1,
        "usage": NO_USAGE | {"input_tokens": 1},
        "cost_usd": 7e-9,
        "unpriced_calls": 0,
    }
    hit = SearchHit(TRACE_ID, SPAN_ID, "chat", "llm", START, "a needle", ((2, 8),))
    assert hit_json(hit)["marks"] == [[2, 8]]


def test_values_json_cannot_hold_become_text_as_in_otlp():
    value = {"b": b"\x00\xff", "n": float("nan"), "i": [float("inf"), float("-inf")], "t": (1, None)}
    assert jsonable(value) == {"b": "AP8=", "n": "NaN", "i": ["Infinity", "-Infinity"], "t": [1, None]}


def test_a_time_beyond_the_calendar_is_null_not_a_crash():
    assert rfc3339(10**30) is None
    assert rfc3339(None) is None
