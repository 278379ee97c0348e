"""One sentence a rule, for what agent frameworks and providers' clients were seen to write their own way."""

from __future__ import annotations

import json
from typing import Any

import pytest

from collector import conventions
from collector.conventions.events import DETAILS
from collector.conventions.gather import is_known
from collector.conventions.messages import message, messages
from collector.model import Content, Event, LogRecord, Message, Reading, Scope, SpanPart, Tool, Usage
from collector.signals.schemas import definitions

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
ARGUMENTS = {"city": "Patiala"}
CALL = {"type": "tool_call", "id": "c1", "name": "get_weather", "arguments": ARGUMENTS}
RESPONSE = {"type": "tool_call_response", "id": "c1", "response": [{"text": "sunny"}]}
BOTOCORE = Scope("opentelemetry.instrumentation.botocore.bedrock-runtime", "0.66b2")


def read(attributes: dict[str, Any], **fields: Any) -> Reading:
    return conventions.read(SpanPart(TRACE, SPAN, **{"name": "x", **fields}, attributes=attributes))


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


# Bedrock's messages


def test_blocks_of_bedrock_are_parts_as_everybodys() -> None:
    said = message({"role": "assistant", "content": [
        {"reasoningContent": {"reasoningText": {"text": "Think.", "signature": "s"}}},
        {"text": "Let me look."},
        {"toolUse": {"toolUseId": "c1", "name": "get_weather", "input": ARGUMENTS}},
        {"cachePoint": {"type": "default"}},
    ]}, "user")  # fmt: skip
    assert said == Message("assistant", ({"type": "reasoning", "text": "Think."}, text("Let me look."), CALL))


@pytest.mark.parametrize(("content", "result"), [
    ([{"text": "sun"}, {"text": "ny"}], "sunny"),
    ([{"json": {"sky": "sunny"}}], {"sky": "sunny"}),
    ([{"text": "sunny"}, {"json": {}}], [{"text": "sunny"}, {"json": {}}]),
])  # fmt: skip
def test_a_result_of_bedrock_is_what_the_tool_said(content: Any, result: Any) -> None:
    said = message({"role": "user", "content": [{"toolResult": {"toolUseId": "c1", "content": content}}]}, "user")
    assert said.parts == ({"type": "tool_result", "id": "c1", "result": result},)


@pytest.mark.parametrize(("block", "part"), [
    ({"image": {"format": "png", "source": {"bytes": "iVBORw0K"}}},
     {"type": "image", "mime_type": "image/png", "data": "iVBORw0K", "size": 6}),
    ({"document": {"format": "pdf", "name": "a", "source": {"s3Location": {"uri": "s3://b/a.pdf"}}}},
     {"type": "file", "mime_type": "application/pdf", "url": "s3://b/a.pdf", "name": "a"}),
])  # fmt: skip
def test_files_of_bedrock_say_their_type_and_size(block: Any, part: Any) -> None:
    assert messages([block], "user")[0].parts == (part,)


def test_definitions_of_bedrock_are_known_by_name() -> None:
    schema = {"type": "object"}
    said = [{"toolSpec": {"name": "get_weather", "inputSchema": {"json": schema}}}]
    assert definitions(said) == {"get_weather": schema}


def test_botocore_counts_the_cache_beside_the_input() -> None:
    counts = {"gen_ai.usage.input_tokens": 93, "gen_ai.usage.output_tokens": 53,
              "gen_ai.usage.cache_read.input_tokens": 8, "gen_ai.usage.cache_creation.input_tokens": 2}  # fmt: skip
    assert read(counts, scope=BOTOCORE).usage == Usage(103, 53, 8, 2)
    assert read(counts).usage == Usage(93, 53, 8, 2)


def test_events_without_content_are_no_messages() -> None:
    silent = [
        LogRecord(1, f"gen_ai.{who}.message", None, {"gen_ai.system": "aws.bedrock"}) for who in ("system", "user")
    ]
    assert conventions.read_logs(silent) == Reading()


def test_amazons_own_models_are_asked_in_a_parameter() -> None:
    said = read({
        "openinference.span.kind": "LLM",
        "llm.invocation_parameters": json.dumps({"inputText": "Hello", "textGenerationConfig": {"maxTokenCount": 20}}),
    })  # fmt: skip
    assert said.input == Content(value="Hello")
    assert said.params == {"textGenerationConfig": {"maxTokenCount": 20}}


# usage


@pytest.mark.parametrize(("total", "usage"), [
    (154, Usage(101, 53, 8, reasoning_tokens=16)),  # all is in it
    (162, Usage(109, 53, 8, reasoning_tokens=16)),  # the cache is beside it
    (170, Usage(101, 69, 8, reasoning_tokens=16)),  # the reasoning is
    (178, Usage(109, 69, 8, reasoning_tokens=16)),  # both are
    (999, Usage(101, 53, 8, reasoning_tokens=16)),
])  # fmt: skip
def test_a_total_decides_what_the_numbers_include(total: int, usage: Usage) -> None:
    said = read({
        "gen_ai.usage.input_tokens": 101, "gen_ai.usage.output_tokens": 53, "gen_ai.usage.total_tokens": total,
        "gen_ai.usage.cache_read.input_tokens": 8, "gen_ai.usage.reasoning.output_tokens": 16,
    })  # fmt: skip
    assert said.usage == usage


# time


@pytest.mark.parametrize(("said", "lasted", "first"), [
    (0.5, 2_000_000_000, 500_000_000), (42, 43_000_000, 42_000_000), (42, 30_000_000, 42_000_000_000),
    (42, None, 42_000_000_000),
])  # fmt: skip
def test_seconds_longer_than_the_call_were_milliseconds(said: float, lasted: int | None, first: int) -> None:
    ended = None if lasted is None else 1_000 + lasted
    found = read({"gen_ai.server.time_to_first_token": said}, start_ns=1_000, end_ns=ended)
    assert found.ttft_ns == first


# OpenInference keeps a call twice

FLAT = {
    "openinference.span.kind": "LLM",
    "llm.input_messages.0.message.role": "user",
    "llm.input_messages.0.message.content": "Weather?",
    "llm.output_messages.0.message.role": "assistant",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "get_weather",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": json.dumps(ARGUMENTS),
}
OPENAI = {"id": "r1", "choices": [{"finish_reason": "tool_calls", "message": {
    "role": "assistant", "reasoning_content": "Think.",
    "tool_calls": [{"id": "c1", "function": {"name": "get_weather", "arguments": json.dumps(ARGUMENTS)}}],
}}]}  # fmt: skip
GEMINI = {"response_id": "r1", "candidates": [{"content": {"role": "model", "parts": [
    {"text": "Think.", "thought": True}, {"function_call": {"id": "c1", "name": "get_weather", "args": ARGUMENTS}},
]}}]}  # fmt: skip


@pytest.mark.parametrize("answer", [OPENAI, GEMINI, {"data": OPENAI}])
def test_ids_and_thoughts_that_the_flattened_answer_lost_come_from_the_whole(answer: Any) -> None:
    said = read({**FLAT, "output.value": json.dumps(answer)})
    assert said.output is not None
    assert said.output.messages[0].parts == ({"type": "reasoning", "text": "Think."}, CALL)
    assert said.response_id == "r1"


@pytest.mark.parametrize("value", ["It is sunny.", "{", json.dumps(OPENAI).replace("get_weather", "another")])
def test_a_whole_that_says_something_else_is_not_read(value: str) -> None:
    said = read({**FLAT, "output.value": value})
    assert said.output is not None
    assert said.output.messages == (Message("assistant", ({**CALL, "id": None},)),)


def test_a_result_without_its_call_is_paired_from_the_recorded_request() -> None:
    said = read({
        "openinference.span.kind": "LLM",
        "llm.input_messages.0.message.role": "tool", "llm.input_messages.0.message.content": "sunny",
        "llm.input_messages.0.message.name": "get_weather",
        "input.value": json.dumps({"messages": [
            {"role": "tool", "tool_call_id": "c1", "name": "get_weather", "content": "sunny"}]}),
    })  # fmt: skip
    assert said.input is not None
    assert said.input.messages[0].parts == ({"type": "tool_result", "id": "c1", "result": "sunny"},)


def test_blocks_in_one_flattened_text_are_blocks() -> None:
    said = read({
        "openinference.span.kind": "LLM", "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": '[{"type": "text", "text": "Hi"}, {"type": "image_url", "image_url": "https://x.org/a.png"}]',
    })  # fmt: skip
    assert said.input is not None
    assert said.input.messages[0].parts == (text("Hi"), {"type": "image", "url": "https://x.org/a.png"})


def test_a_text_that_is_flattened_twice_is_there_once() -> None:
    said = read({
        "openinference.span.kind": "LLM", "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": "Sunny.",
        "llm.output_messages.0.message.contents.0.message_content.type": "text",
        "llm.output_messages.0.message.contents.0.message_content.text": "Sunny.",
    })  # fmt: skip
    assert said.output == Content(messages=(Message("assistant", (text("Sunny."),)),))


def test_a_template_is_what_a_prompt_is_made_of() -> None:
    said = read({
        "openinference.span.kind": "PROMPT", "llm.prompt_template.template": "Hi {name}", "output.value": "Hi Ann",
        "llm.prompt_template.variables": '{"name": "Ann"}', "llm.prompt_template.version": "v2",
    })  # fmt: skip
    assert said.input == Content(value={"template": "Hi {name}", "variables": {"name": "Ann"}})
    assert (said.prompt_name, said.prompt_version, said.kind) == (None, "v2", "prompt")


def test_what_was_not_set_is_no_parameter() -> None:
    said = read({
        "openinference.span.kind": "LLM",
        "llm.invocation_parameters": json.dumps({
            "temperature": 0.2, "top_p": "", "stop": None, "n": 0, "system": "Be brief.", "metadata": {}, "tools": [],
            "user": "<openai.Omit object at 0x7ff0b3ba9a10>", "id": "resp_1", "created_at": 1790000000.0}),
    })  # fmt: skip
    assert said.params == {"temperature": 0.2, "n": 0}


def test_telemetry_put_into_metadata_is_not_the_applications() -> None:
    said = read({"openinference.span.kind": "LLM", "metadata": '{"gen_ai.system": "x", "plan": "pro"}'})
    assert said.metadata == {"plan": "pro"}


# tools


@pytest.mark.parametrize("events", [
    (Event(1, "gen_ai.tool.message", {"role": "tool", "content": json.dumps(ARGUMENTS), "id": "c1"}),
     Event(2, "gen_ai.choice", {"message": '[{"text": "sunny"}]', "id": "c1"})),
    (Event(1, DETAILS, {"gen_ai.input.messages": json.dumps([{"role": "tool", "parts": [CALL]}])}),
     Event(2, DETAILS, {"gen_ai.output.messages": json.dumps([{"role": "tool", "parts": [RESPONSE]}])})),
])  # fmt: skip
def test_messages_of_a_tools_span_are_its_call(events: tuple[Event, ...]) -> None:
    said = read({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_weather"}, events=events)
    assert said.tool == Tool("get_weather", "c1", ARGUMENTS, "sunny")
    assert said.input == Content(value=ARGUMENTS)
    assert said.output == Content(value="sunny")


def test_of_several_events_with_details_the_first_began() -> None:
    first, last = ({"gen_ai.input.messages": json.dumps([{"role": "user", "content": who}])} for who in ("a", "b"))
    said = read({}, events=tuple(Event(at, DETAILS, one)
                                 for at, one in enumerate((first, last))))  # fmt: skip
    assert said.input == Content(messages=(Message("user", (text("a"),)),))


# names of Python's


def test_names_of_enums_and_classes_are_what_they_name() -> None:
    said = read({
        "gen_ai.operation.name": "chat", "gen_ai.response.finish_reason": "FinishReason.TOOL_CALLS",
        "error.type": "<class 'semantic_kernel.exceptions.ServiceResponseException'>",
    }, status="error")  # fmt: skip
    assert said.finish_reasons == ("TOOL_CALLS",)
    assert said.error_type == "semantic_kernel.exceptions.ServiceResponseException"


@pytest.mark.parametrize(("name", "kind", "agent"), [
    ("invocation", "chain", None), ("agent_run [weather]", "agent", "weather"), ("call_llm", "llm", None),
])  # fmt: skip
def test_spans_of_google_adk_are_known_by_name_where_nothing_else_is_said(
    name: str, kind: str, agent: str | None
) -> None:
    said = read({}, name=name, scope=Scope("gcp.vertex.agent", "1.14.1"))
    assert (said.kind, said.agent_name) == (kind, agent)


def test_how_many_a_reranker_should_keep_is_a_parameter() -> None:
    said = read({"openinference.span.kind": "RERANKER", "reranker.query": "weather", "reranker.top_k": 3})
    assert said.params == {"top_k": 3}
    assert said.input == Content(value="weather")


@pytest.mark.parametrize("key", [
    "sk.available_functions", "event_loop.cycle_id", "agno.run.id", "agent_framework.function.invocation.duration",
    "az.client_request_id", "gen_ai.usage.text.input_tokens", "llm.cost.prompt_details.cache_read",
    "gen_ai.workflow.name",
])  # fmt: skip
def test_keys_that_frameworks_add_are_known(key: str) -> None:
    assert is_known(key)
