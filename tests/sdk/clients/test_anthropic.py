from __future__ import annotations

import asyncio
import gc

import pytest
from pydantic import BaseModel

from collector import wrap_anthropic
from tests.sdk.clients.said_by_anthropic import CALL, HELLO, THOUGHT, events, message, text
from tests.sdk.clients.server import Reply

anthropic = pytest.importorskip("anthropic")
Anthropic, AsyncAnthropic = anthropic.Anthropic, anthropic.AsyncAnthropic
CHAT = "chat claude-haiku-4-5"
ASKED = {"model": "claude-haiku-4-5", "max_tokens": 100, "messages": HELLO}


@pytest.fixture
def client(server, recorded):
    with Anthropic(base_url=server.url, api_key="none", max_retries=0) as made:
        yield wrap_anthropic(made)


@pytest.fixture
async def async_client(server, recorded):
    async with AsyncAnthropic(base_url=server.url, api_key="none", max_retries=0) as made:
        yield wrap_anthropic(made)


def parts_of(content):
    return [part for message in content.messages for part in message.parts]


SAID = (
    {"type": "reasoning", "text": "They greet me."}, {"type": "text", "text": "Hi there"},
    {"type": "tool_call", "id": "toolu_1", "name": "get_weather", "arguments": {"city": "京都"}},
)  # fmt: skip


def test_a_message_is_a_span_with_all_that_was_said(server, recorded, client):
    server.says(Reply(message(THOUGHT, text("Hi there"), CALL, reason="tool_use")))
    tools = [{"name": "get_weather", "input_schema": {"type": "object"}}]
    client.messages.create(**ASKED, system=[{"type": "text", "text": "Be brief."}], tools=tools, stop_sequences=["END"])
    found = recorded.span(CHAT)
    row = found.row
    assert (row.kind, row.status, row.provider, row.model) == ("llm", "ok", "anthropic", "claude-haiku-4-5-20251001")
    assert tuple(parts_of(found.output)) == SAID
    assert (parts_of(found.input)[0]["text"], found.system[0].parts[0]["text"]) == ("Hello", "Be brief.")
    assert (found.response_id, found.finish_reasons) == ("msg_1", ("tool_use",))
    assert found.params == {"max_tokens": 100, "stop_sequences": ["END"]}
    assert found.tool_definitions == tools


def test_tokens_include_cached_ones_and_the_numbers_as_sent_are_kept(server, recorded, client):
    server.says(Reply(message(text("Hi"))))
    client.messages.create(**ASKED)
    found = recorded.span(CHAT)
    usage = found.usage
    assert (usage.input_tokens, usage.cache_read_tokens, usage.cache_write_tokens) == (1000, 900, 90)
    assert (found.attributes["anthropic.usage.input_tokens"], found.notes) == (10, ())
    assert found.row.cost_nanousd


@pytest.mark.parametrize("helper", [False, True])
def test_a_stream_is_put_together(server, recorded, client, helper):
    server.says(Reply(events=events(THOUGHT, text("Hi there"), CALL, reason="tool_use"), named=True, cut=5))
    if helper:
        with client.messages.stream(**ASKED) as stream:
            assert "".join(stream.text_stream) == "Hi there"
            assert stream.get_final_message().usage.output_tokens == 25
    else:
        assert len(list(client.messages.create(**ASKED, stream=True))) == 17
    found = recorded.span(CHAT)
    assert tuple(parts_of(found.output)) == SAID
    assert (found.usage.input_tokens, found.usage.output_tokens) == (1000, 25)
    assert found.row.ttft_ns
    assert (found.finish_reasons, found.row.status_message) == (("tool_use",), None)


@pytest.mark.parametrize("helper", [False, True])
def test_a_stream_left_early_is_recorded_with_what_came(server, recorded, client, helper):
    server.says(Reply(events=events(text("Hi there")), named=True))
    gc.disable()
    try:
        if helper:
            with client.messages.stream(**ASKED) as stream:
                for said in stream.text_stream:
                    assert said == "Hi t"
                    break
        else:
            for event in client.messages.create(**ASKED, stream=True):
                if event.type == "content_block_delta":
                    break
        found = recorded.span(CHAT)
    finally:
        gc.enable()
    assert parts_of(found.output) == [{"type": "text", "text": "Hi t"}]
    assert "not read" in found.row.status_message
    assert found.row.end_ns


def test_an_error_within_a_stream_is_recorded_with_what_came(server, recorded, client):
    overloaded = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    server.says(Reply(events=[*events(text("Hi there"))[:3], overloaded], named=True))
    with pytest.raises(anthropic.APIStatusError):
        list(client.messages.create(**ASKED, stream=True))
    found = recorded.span(CHAT)
    assert (found.row.status, parts_of(found.output)) == ("error", [{"type": "text", "text": "Hi t"}])
    assert "Overloaded" in found.row.status_message


def test_errors_are_one_span_for_all_tries(server, recorded, client):
    error = {"type": "error", "error": {"type": "rate_limit_error", "message": "Slow down."}}
    server.says(*(Reply(error, status=429, headers={"retry-after-ms": "1"}) for _ in range(2)))
    with pytest.raises(anthropic.RateLimitError):
        client.with_options(max_retries=1).messages.create(**ASKED)
    found = recorded.span(CHAT)
    assert (found.row.error_type, found.attributes["http.response.status_code"]) == ("anthropic.RateLimitError", 429)


def test_a_wrapped_client_keeps_its_type_and_is_wrapped_once(client):
    assert (type(client), wrap_anthropic(client) is client) == (Anthropic, True)


def test_raw_and_streaming_responses_are_recorded(server, recorded, client):
    server.says(Reply(message(text("a"))), Reply(events=events(text("bc")), named=True), Reply(message(text("d"))))
    messages = client.messages
    assert messages.with_raw_response.create(**ASKED).parse().id == "msg_1"
    assert len(list(messages.with_raw_response.create(**ASKED, stream=True).parse())) == 7
    with messages.with_streaming_response.create(**ASKED) as response:
        assert response.json()["id"] == "msg_1"
    spans = [next(recorded.trace(row.trace_id).details()) for row in recorded.traces()]
    assert [parts_of(found.output)[0]["text"] for found in spans] == ["a", "bc", "d"]
    assert {found.row.status_message for found in spans} == {None}


def test_counting_tokens_is_no_call(server, recorded, client):
    server.says(Reply({"input_tokens": 5}))
    client.messages.count_tokens(model="claude-haiku-4-5", messages=HELLO)
    assert recorded.traces() == []


class City(BaseModel):
    name: str


@pytest.mark.latest
def test_structured_outputs_are_recorded_as_sent(server, recorded, client):
    server.says(Reply(message(text('{"name": "京都"}'))))
    assert client.messages.parse(**ASKED, output_format=City).parsed_output == City(name="京都")
    assert parts_of(recorded.span(CHAT).output) == [{"type": "text", "text": '{"name": "京都"}'}]


async def test_many_async_calls_at_once_keep_apart(server, recorded, async_client):
    def answer(path, body):
        said = text(body["messages"][0]["content"])
        return Reply(events=events(said), named=True) if body.get("stream") else Reply(message(said))

    server.answer = answer

    async def one(n):
        asked = {**ASKED, "messages": [{"role": "user", "content": f"word {n}"}]}
        if n % 2:
            return (await async_client.messages.create(**asked)).content[0].text
        async with async_client.messages.stream(**asked) as stream:
            return await stream.get_final_text()

    assert await asyncio.gather(*map(one, range(6))) == [f"word {n}" for n in range(6)]
    for row in recorded.traces():
        (found,) = recorded.trace(row.trace_id).details()
        assert parts_of(found.output) == parts_of(found.input)
        assert found.row.status_message is None


async def test_async_streams_left_early_are_recorded_with_what_came(server, recorded, async_client):
    server.says(Reply(events=events(text("Hi there")), named=True))
    async with async_client.messages.stream(**ASKED) as stream:
        async for said in stream.text_stream:
            assert said == "Hi t"
            break
    found = recorded.span(CHAT)
    assert (parts_of(found.output)[0]["text"], "not read" in found.row.status_message) == ("Hi t", True)


@pytest.mark.parametrize(
    ("name", "provider"),
    [("AnthropicBedrock", "aws.bedrock"), ("AsyncAnthropicVertex", "gcp.vertex_ai"), ("Anthropic", "anthropic")],
)
def test_the_cloud_is_told_by_the_class(name, provider):
    from collector.sdk.clients.anthropic import provider_of

    assert provider_of(object.__new__(getattr(anthropic, name))) == provider


@pytest.mark.latest
def test_a_bedrock_client_is_traced_too(server, recorded):
    server.says(Reply(message(text("Hi"))))
    bedrock = anthropic.AnthropicBedrock(base_url=server.url, aws_region="us-east-1", api_key="none")
    with wrap_anthropic(bedrock) as client:
        client.messages.create(**{**ASKED, "model": "anthropic.claude-haiku-4-5-20251001-v1:0"})
    found = recorded.span("chat anthropic.claude-haiku-4-5-20251001-v1:0")
    assert (found.row.provider, parts_of(found.output)[0]["text"]) == ("aws.bedrock", "Hi")
    assert server.asked[0][0].startswith("/model/")


@pytest.mark.latest
def test_a_tool_runner_is_a_span_for_each_of_its_messages(server, recorded, client):
    @anthropic.beta_tool
    def get_weather(city: str) -> str:
        """The weather of a city."""
        return f"rain in {city}"

    server.says(Reply(message(CALL, reason="tool_use")), Reply(message(text("Rain."))))
    runner = client.beta.messages.tool_runner(**ASKED, tools=[get_weather])
    assert runner.until_done().content[0].text == "Rain."
    first, last = (next(recorded.trace(row.trace_id).details()) for row in recorded.traces())
    assert [part["type"] for part in parts_of(first.output)] == ["tool_call"]
    assert parts_of(last.input)[-1]["result"] == "rain in 京都"
    assert parts_of(last.output) == [{"type": "text", "text": "Rain."}]
