from __future__ import annotations

import asyncio
import gc
import inspect
import threading

import openai
import pytest
from openai import AsyncAzureOpenAI, AsyncOpenAI, AzureOpenAI, OpenAI
from pydantic import BaseModel

from collector import flush, span, wrap_openai
from tests.sdk.clients.said_by_openai import (
    HELLO,
    TOOL,
    chunk,
    chunks,
    completion,
    response,
    response_events,
    said,
)  # fmt: skip
from tests.sdk.clients.server import Reply

CHAT = "chat gpt-4o-mini"


@pytest.fixture
def client(server, recorded):
    with OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as made:
        yield wrap_openai(made)


@pytest.fixture
async def async_client(server, recorded):
    async with AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as made:
        yield wrap_openai(made)


def ask(client, **more):
    return client.chat.completions.create(model="gpt-4o-mini", messages=HELLO, **more)


def text_of(content):
    return [part.get("text") for message in content.messages for part in message.parts]


def test_a_chat_completion_is_a_span_with_all_that_was_said(server, recorded, client):
    server.says(Reply(completion()))
    assert ask(client, temperature=0.2, tools=[TOOL]).choices[0].message.content == "Hi there"
    found = recorded.span(CHAT)
    row = found.row
    assert (row.kind, row.status, row.provider, row.model) == ("llm", "ok", "openai", "gpt-4o-mini-2024-07-18")
    assert (found.request_model, found.response_id, found.operation) == ("gpt-4o-mini", "chatcmpl-1", "chat")
    assert text_of(found.output) == ["Hi there"]
    assert [message.role for message in found.input.messages] == ["user"]
    assert found.system[0].parts[0]["text"] == "Be brief."
    assert found.params == {"temperature": 0.2}
    assert found.tool_definitions == [TOOL]
    assert found.finish_reasons == ("stop",)
    usage = found.usage
    assert (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens) == (100, 20, 40)
    assert (usage.reasoning_tokens, usage.audio_input_tokens, usage.audio_output_tokens) == (8, 3, 2)


@pytest.mark.parametrize("stream", [False, True])
def test_the_request_has_the_name_that_a_proxy_knows_it_by(server, recorded, client, stream):
    told = {"x-request-id": "req_1"}
    server.says(Reply(events=chunks(), headers=told) if stream else Reply(completion(), headers=told))
    answer = ask(client, stream=stream)
    if stream:
        list(answer)
    assert recorded.span(CHAT).attributes["http.response.header.request-id"] == ["req_1"]


def test_a_wrapped_client_keeps_its_type_and_is_wrapped_once(server, recorded, client):
    assert type(client) is OpenAI
    assert wrap_openai(client) is client
    server.says(Reply(completion()), Reply(completion()))
    ask(client)
    ask(client.with_options(timeout=5).copy())
    assert len(recorded.traces()) == 2


def test_what_is_no_client_is_returned_as_it_is(recorded):
    assert wrap_openai("client") == "client"


def test_a_stream_is_put_together_and_its_first_token_timed(server, recorded, client):
    server.says(Reply(events=chunks("Hi", " there")))
    with span("outer"):
        got = list(ask(client, stream=True, stream_options={"include_usage": True}))
        with span("after"):
            pass
    assert len(got) == 5
    found = recorded.span(CHAT)
    assert text_of(found.output) == ["Hi there"]
    assert found.row.input_tokens == 100
    assert found.row.ttft_ns
    assert (found.finish_reasons, found.response_id, found.row.status) == (("stop",), "chatcmpl-1", "ok")
    assert recorded.span("after").row.parent_id == recorded.span("outer").row.span_id


def test_nothing_is_added_to_a_streamed_request(server, recorded, client):
    server.says(Reply(events=chunks("Hi", usage=False)))
    list(ask(client, stream=True))
    assert server.asked[0][1] == {"model": "gpt-4o-mini", "messages": HELLO, "stream": True}
    assert recorded.span(CHAT).row.input_tokens is None


def test_tool_calls_are_merged_from_their_pieces(server, recorded, client):
    def piece(index, **function):
        call = {"index": index, "function": function}
        return {**call, "id": f"call_{index}", "type": "function"} if "name" in function else call

    deltas = [
        {"role": "assistant", "tool_calls": [piece(0, name="get_weather", arguments="")]},
        {"tool_calls": [piece(0, arguments='{"city":')]}, {"tool_calls": [piece(1, name="get_time", arguments="{")]},
        {"tool_calls": [piece(0, arguments=' "大阪"}'), piece(1, arguments="}")]},
    ]  # fmt: skip
    server.says(Reply(events=[*map(chunk, deltas), chunk({}, "tool_calls")]))
    list(ask(client, stream=True))
    (message,) = recorded.span(CHAT).output.messages
    assert [part["arguments"] for part in message.parts] == [{"city": "大阪"}, {}]
    assert [(part["id"], part["name"]) for part in message.parts] == [("call_0", "get_weather"), ("call_1", "get_time")]


def test_text_of_any_script_survives_cuts_in_the_middle_of_a_character(server, recorded, client):
    server.says(Reply(events=chunks("東京は", "晴れ", " 🌞"), cut=7))
    list(ask(client, stream=True))
    assert text_of(recorded.span(CHAT).output) == ["東京は晴れ 🌞"]


def test_reasoning_and_refusals_are_kept(server, recorded, client):
    deltas = [{"reasoning_content": "Hm"}, {"reasoning_content": "m."}, {"refusal": "I "}, {"refusal": "won't."}]
    server.says(Reply(events=[*map(chunk, deltas), chunk({}, "stop")]))
    list(ask(client, stream=True))
    (message,) = recorded.span(CHAT).output.messages
    assert message.parts == ({"type": "reasoning", "text": "Hmm."}, {"type": "text", "text": "I won't."})


def abandoned(recorded, output):
    found = recorded.span(CHAT)
    assert "not read to its end" in found.row.status_message
    assert found.row.end_ns
    assert text_of(found.output) == output
    return found


def test_a_stream_left_by_break_is_recorded_with_what_came(server, recorded, client):
    server.says(Reply(events=chunks("Hi", " there")))
    for got in ask(client, stream=True):
        if got.choices[0].delta.content == "Hi":
            break
    del got
    abandoned(recorded, ["Hi"])


def test_a_stream_left_in_a_function_ends_with_the_function(server, recorded, client):
    server.says(Reply(events=chunks("Hi", " there")))

    def first():
        stream = ask(client, stream=True)
        for got in stream:
            if got.choices[0].delta.content:
                return got.choices[0].delta.content
        return None

    gc.disable()
    try:
        assert first() == "Hi"
        abandoned(recorded, ["Hi"])
    finally:
        gc.enable()


def test_a_stream_left_by_break_may_be_read_on(server, recorded, client):
    server.says(Reply(events=chunks("Hi", " there")))
    stream = ask(client, stream=True)
    for got in stream:
        if got.choices[0].delta.content:
            break
    flush()
    found = recorded.span(CHAT)
    assert (found.row.status, text_of(found.output)) == ("running", ["Hi"])
    list(stream)
    found = recorded.span(CHAT)
    assert (found.row.status, found.row.status_message, text_of(found.output)) == ("ok", None, ["Hi there"])


@pytest.mark.parametrize("leave", ["close", "with", "error"])
def test_a_closed_stream_is_recorded_with_what_came(server, recorded, client, leave):
    server.says(Reply(events=chunks("Hi", " there")))
    stream = ask(client, stream=True)
    if leave == "close":
        next(stream), next(stream)
        stream.close()
    elif leave == "with":
        with stream:
            next(stream), next(stream)
    else:
        with pytest.raises(ZeroDivisionError), stream:
            [1 / (not got.choices[0].delta.content) for got in stream]
    abandoned(recorded, ["Hi"])


def test_who_stops_at_the_finish_reason_has_abandoned_nothing(server, recorded, client):
    server.says(Reply(events=chunks("Hi")))
    for got in ask(client, stream=True):
        if got.choices[0].finish_reason:
            break
    found = recorded.span(CHAT)
    assert (found.row.status, found.row.status_message) == ("ok", None)


def test_a_connection_that_breaks_in_a_stream_is_an_error_with_what_came(server, recorded, client):
    server.says(Reply(events=[*chunks("Hi"), None], broken=True, gate=None))
    with pytest.raises(Exception, match=r"(?i)connection|incomplete|peer"):
        list(ask(client, stream=True))
    found = recorded.span(CHAT)
    assert (found.row.status, text_of(found.output)) == ("error", ["Hi"])


def test_errors_are_recorded_and_raised_untouched_with_one_span_for_all_tries(server, recorded, client):
    limit = {"error": {"message": "Rate limit reached", "type": "requests", "code": "rate_limit_exceeded"}}
    server.says(*(Reply(limit, status=429, headers={"retry-after-ms": "1"}) for _ in range(3)))
    with pytest.raises(openai.RateLimitError) as raised:
        ask(client.with_options(max_retries=2))
    assert raised.value.code == "rate_limit_exceeded"
    found = recorded.span(CHAT)
    assert (found.row.status, found.row.error_type) == ("error", "openai.RateLimitError")
    assert "Rate limit reached" in found.row.status_message
    assert found.attributes["http.response.status_code"] == 429
    assert len(server.asked) == 3


def test_a_try_that_succeeds_after_a_failure_is_one_span_that_succeeded(server, recorded, client):
    server.says(Reply({"error": {"message": "oops"}}, status=500, headers={"retry-after-ms": "1"}), Reply(completion()))
    ask(client.with_options(max_retries=1))
    assert recorded.span(CHAT).row.status == "ok"


@pytest.mark.latest
def test_a_server_that_is_not_there_and_one_that_is_slow_are_errors(server, recorded, client):
    gate = threading.Event()
    server.says(Reply(events=[chunk({"content": "Hi"}), chunk({}, "stop")], gate=gate))
    with pytest.raises(openai.APITimeoutError):
        list(ask(client, stream=True, timeout=0.2))
    gate.set()
    with pytest.raises(openai.APIConnectionError):
        ask(client.with_options(base_url="http://127.0.0.1:9/v1"))
    assert [row.status for row in recorded.traces()] == ["error", "error"]


class Weather(BaseModel):
    city: str
    degrees: int


@pytest.mark.latest
def test_structured_outputs_are_parsed_for_the_host_and_recorded_as_sent(server, recorded, client):
    server.says(Reply(completion('{"city": "Oslo", "degrees": 3}')))
    got = client.chat.completions.parse(model="gpt-4o-mini", messages=HELLO, response_format=Weather)
    assert got.choices[0].message.parsed == Weather(city="Oslo", degrees=3)
    found = recorded.span(CHAT)
    assert text_of(found.output) == ['{"city": "Oslo", "degrees": 3}']
    assert found.params["response_format"]["json_schema"]["name"] == "Weather"


@pytest.mark.latest
def test_an_answer_that_does_not_parse_is_recorded_beside_the_error(server, recorded, client):
    server.says(Reply(completion('{"city": "Os', reason="length")))
    with pytest.raises(openai.LengthFinishReasonError):
        client.chat.completions.parse(model="gpt-4o-mini", messages=HELLO, response_format=Weather)
    found = recorded.span(CHAT)
    assert (found.row.status, text_of(found.output), found.row.input_tokens) == ("error", ['{"city": "Os'], 100)


@pytest.mark.latest
def test_the_streaming_helper_is_one_span(server, recorded, client):
    server.says(Reply(events=chunks('{"city": "Oslo",', ' "degrees": 3}')))
    asked = {"model": "gpt-4o-mini", "messages": HELLO, "response_format": Weather}
    with client.chat.completions.stream(**asked) as stream:
        kinds = {event.type for event in stream}
        assert stream.get_final_completion().choices[0].message.parsed.city == "Oslo"
    assert "content.delta" in kinds
    assert text_of(recorded.span(CHAT).output) == ['{"city": "Oslo", "degrees": 3}']


@pytest.mark.latest
def test_the_streaming_helper_left_early_is_abandoned(server, recorded, client):
    server.says(Reply(events=chunks("Hi", " there")))
    with client.chat.completions.stream(model="gpt-4o-mini", messages=HELLO) as stream:
        for event in stream:
            if event.type == "content.delta" and event.delta:
                break
    abandoned(recorded, ["Hi"])


def test_raw_responses_are_recorded_and_stay_raw(server, recorded, client):
    server.says(Reply(completion(), headers={"x-request-id": "r1"}))
    raw = client.chat.completions.with_raw_response.create(model="gpt-4o-mini", messages=HELLO)
    assert raw.headers["x-request-id"] == "r1"
    assert text_of(recorded.span(CHAT).output) == ["Hi there"]
    assert raw.parse() is raw.parse()


def test_a_raw_stream_is_watched_when_it_is_parsed(server, recorded, client):
    server.says(Reply(events=chunks("Hi", " there")))
    raw = client.chat.completions.with_raw_response.create(model="gpt-4o-mini", messages=HELLO, stream=True)
    stream = raw.parse()
    assert raw.parse() is stream
    assert type(stream) is openai.Stream
    assert len(list(stream)) == 5
    found = recorded.span(CHAT)
    assert (text_of(found.output), found.row.output_tokens, found.row.status_message) == (["Hi there"], 20, None)


@pytest.mark.parametrize("how", ["closed", "dropped"])
def test_a_raw_stream_that_nobody_parses_ends_all_the_same(server, recorded, client, how):
    server.says(Reply(events=chunks("Hi")))
    raw = client.chat.completions.with_raw_response.create(model="gpt-4o-mini", messages=HELLO, stream=True)
    if how == "closed":
        raw.http_response.close()
    del raw
    assert "not read" in recorded.span(CHAT).row.status_message


def test_a_raw_stream_left_by_break_is_noticed_at_once(server, recorded, client):
    server.says(Reply(events=chunks("Hi", " there")))
    asked = {"model": "gpt-4o-mini", "messages": HELLO, "stream": True}
    gc.disable()
    try:
        for got in client.chat.completions.with_raw_response.create(**asked).parse():
            if got.choices[0].delta.content:
                break
        abandoned(recorded, ["Hi"])
    finally:
        gc.enable()


def test_a_raw_stream_outlives_the_raw_response(server, recorded, client):
    server.says(Reply(events=chunks("Hi", " there")))
    asked = {"model": "gpt-4o-mini", "messages": HELLO, "stream": True}
    stream = client.chat.completions.with_raw_response.create(**asked).parse()
    gc.collect()
    assert len(list(stream)) == 5
    assert text_of(recorded.span(CHAT).output) == ["Hi there"]


@pytest.mark.parametrize("how", ["parse", "json", "lines", "not at all"])
def test_streaming_responses_end_with_what_was_read(server, recorded, client, how):
    server.says(Reply(completion()))
    asked = {"model": "gpt-4o-mini", "messages": HELLO}
    with client.chat.completions.with_streaming_response.create(**asked) as response:
        if how == "parse":
            assert response.parse().id == "chatcmpl-1"
        elif how == "json":
            assert response.json()["id"] == "chatcmpl-1"
        elif how == "lines":
            assert len(list(response.iter_lines())) == 1
    found = recorded.span(CHAT)
    assert (found.row.status_message is None) == (how != "not at all")
    assert (found.row.end_ns, found.row.status) == (found.row.end_ns or 1, "ok")
    if how in ("parse", "json"):
        assert text_of(found.output) == ["Hi there"]


def test_a_streaming_response_may_be_a_stream(server, recorded, client):
    server.says(Reply(events=chunks("Hi", " there")))
    asked = {"model": "gpt-4o-mini", "messages": HELLO, "stream": True}
    with client.chat.completions.with_streaming_response.create(**asked) as response:
        assert len(list(response.parse())) == 5
    assert text_of(recorded.span(CHAT).output) == ["Hi there"]


@pytest.mark.latest
def test_responses_are_recorded(server, recorded, client):
    call = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "get_weather", "arguments": '{"c":1}'}
    thought = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Look it up."}]}
    server.says(Reply(response(thought, call)))
    client.responses.create(model="gpt-4.1", instructions="Be brief.", input="Hello", temperature=1)
    found = recorded.span("chat gpt-4.1")
    assert (found.response_id, found.row.model) == ("resp_1", "gpt-4.1-2025-04-14")
    assert found.finish_reasons == ("completed",)
    assert [part["type"] for message in found.output.messages for part in message.parts] == ["reasoning", "tool_call"]
    assert (text_of(found.input), found.system[0].parts[0]["text"]) == (["Hello"], "Be brief.")
    usage = found.usage
    assert (usage.input_tokens, usage.cache_read_tokens, usage.reasoning_tokens) == (50, 10, 4)


@pytest.mark.latest
def test_a_history_of_response_items_is_one_of_messages(server, recorded, client):
    server.says(Reply(response(said("Rain."))))
    client.responses.create(
        model="gpt-4.1",
        input=[
            {"role": "user", "content": "Weather?"}, {"type": "reasoning", "id": "rs_1", "summary": []},
            {"type": "web_search_call", "id": "ws_1", "status": "completed"},
            {"type": "function_call", "call_id": "call_1", "name": "get_weather", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "call_1", "output": "rain"},
        ],
    )  # fmt: skip
    found = recorded.span("chat gpt-4.1").input
    kinds = [(message.role, message.parts[0]["type"]) for message in found.messages]
    assert kinds == [("user", "text"), ("assistant", "data"), ("assistant", "tool_call"), ("tool", "tool_result")]


@pytest.mark.latest
def test_a_failed_response_is_an_error(server, recorded, client):
    error = {"code": "server_error", "message": "It broke."}
    server.says(Reply(response(status="failed", error=error)))
    client.responses.create(model="gpt-4.1", input="Hello")
    row = recorded.span("chat gpt-4.1").row
    assert (row.status, row.status_message) == ("error", "It broke.")


@pytest.mark.latest
@pytest.mark.parametrize("helper", [False, True])
def test_streamed_responses_come_whole_with_their_last_event(server, recorded, client, helper):
    server.says(Reply(events=response_events(), named=True))
    if helper:
        with client.responses.stream(model="gpt-4.1", input="Hello") as stream:
            assert stream.get_final_response().output_text == "Hi there"
    else:
        list(client.responses.create(model="gpt-4.1", input="Hello", stream=True))
    found = recorded.span("chat gpt-4.1")
    assert (text_of(found.output), found.row.output_tokens, bool(found.row.ttft_ns)) == (["Hi there"], 9, True)


@pytest.mark.latest
def test_a_streamed_response_left_early_holds_its_pieces(server, recorded, client):
    server.says(Reply(events=response_events(), named=True))
    for event in client.responses.create(model="gpt-4.1", input="Hello", stream=True):
        if event.type == "response.output_text.delta":
            break
    found = recorded.span("chat gpt-4.1")
    assert (text_of(found.output), found.response_id) == (["Hi"], "resp_1")
    assert "not read" in found.row.status_message


@pytest.mark.latest
def test_a_parsed_response_is_recorded_as_sent(server, recorded, client):
    server.says(Reply(response(said('{"city": "Oslo", "degrees": 3}'))))
    got = client.responses.parse(model="gpt-4.1", input="Hello", text_format=Weather)
    assert got.output_parsed.degrees == 3
    assert text_of(recorded.span("chat gpt-4.1").output) == ['{"city": "Oslo", "degrees": 3}']


def test_embeddings_say_how_many_and_how_long(server, recorded, client):
    data = [{"object": "embedding", "index": n, "embedding": [0.1] * 8} for n in range(2)]
    used = {"prompt_tokens": 5, "total_tokens": 5}
    server.says(Reply({"object": "list", "model": "text-embedding-3-small", "data": data, "usage": used}))
    client.embeddings.create(model="text-embedding-3-small", input=["a", "b"])
    found = recorded.span("embeddings text-embedding-3-small")
    assert (found.row.kind, found.row.input_tokens) == ("embedding", 5)
    assert found.output.value == {"embeddings": 2, "dimensions": 8}
    assert found.input.value == ["a", "b"]


def test_azure_is_told_from_openai(server, recorded):
    server.says(Reply(completion()))
    with AzureOpenAI(azure_endpoint=server.url, api_key="none", api_version="2024-10-21") as made:
        client = wrap_openai(made)
        assert type(client) is AzureOpenAI
        ask(client)
    assert "/deployments/gpt-4o-mini/chat/completions" in server.asked[0][0]
    assert recorded.span(CHAT).row.provider == "azure.ai.openai"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://api.openai.com/v1", "openai"), ("https://openrouter.ai/api/v1", "openrouter"),
        ("https://api.groq.com/openai/v1", "groq"), ("http://localhost:11434/v1", "ollama"),
        ("https://notgroq.com/v1", "openai"), ("http://gateway.corp/v1", "openai"),
    ],
)  # fmt: skip
def test_the_provider_is_told_by_the_host(url, name):
    from collector.sdk.clients.openai import provider_of

    with OpenAI(base_url=url, api_key="none") as client:
        assert provider_of(client) == name


async def test_many_calls_at_once_keep_apart(server, recorded, async_client):
    def answer(path, body):
        word = body["messages"][-1]["content"]
        return Reply(events=chunks(word, "!", id=f"chatcmpl-{word}")) if body.get("stream") else Reply(completion(word))

    server.answer = answer

    async def one(n):
        async with span(f"task {n}"):
            asked = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": f"w{n}"}]}
            if n % 2:
                return (await async_client.chat.completions.create(**asked)).choices[0].message.content
            stream = await async_client.chat.completions.create(**asked, stream=True)
            return "".join([c.choices[0].delta.content or "" async for c in stream if c.choices])

    assert await asyncio.gather(*(one(n) for n in range(8))) == [f"w{n}" if n % 2 else f"w{n}!" for n in range(8)]
    traces = recorded.traces()
    assert len(traces) == 8
    for trace in traces:
        task, call = recorded.trace(trace.trace_id).details()
        assert call.row.parent_id == task.row.span_id
        assert text_of(call.output)[0].rstrip("!") == text_of(call.input)[0] == f"w{task.row.name[-1]}"


async def test_an_async_stream_left_by_break_is_recorded_with_what_came(server, recorded, async_client):
    server.says(Reply(events=chunks("Hi", " there")))
    stream = await ask(async_client, stream=True)
    async for got in stream:
        if got.choices[0].delta.content:
            break
    await stream.close()
    abandoned(recorded, ["Hi"])


async def test_an_async_azure_stream_left_by_break_is_recorded_with_what_came(server, recorded):
    server.says(Reply(events=chunks("Hi", " there")))
    async with AsyncAzureOpenAI(azure_endpoint=server.url, api_key="none", api_version="2024-10-21") as made:
        client = wrap_openai(made)
        assert type(client) is AsyncAzureOpenAI
        stream = await ask(client, stream=True)
        async for got in stream:
            if got.choices[0].delta.content:
                break
        await stream.close()
    abandoned(recorded, ["Hi"])
    assert recorded.span(CHAT).row.provider == "azure.ai.openai"


async def test_a_cancelled_task_is_told_from_a_failure(server, recorded, async_client):
    gate = threading.Event()
    server.says(Reply(events=chunks("Hi", usage=False), gate=gate))
    came = asyncio.Event()

    async def read():
        async for got in await ask(async_client, stream=True):
            if got.choices[0].delta.content:
                came.set()

    task = asyncio.create_task(read())
    await came.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    gate.set()
    found = recorded.span(CHAT)
    assert (found.row.status, found.row.status_message, text_of(found.output)) == ("ok", "cancelled", ["Hi"])


async def test_async_raw_and_streaming_responses_are_recorded(server, recorded, async_client):
    asked = {"model": "gpt-4o-mini", "messages": HELLO}
    chat = async_client.chat.completions
    server.says(Reply(completion()), Reply(events=chunks("Hi")), Reply(completion()))
    (await chat.with_raw_response.create(**asked)).parse()
    raw = await chat.with_raw_response.create(**asked, stream=True)
    assert len([c async for c in raw.parse()]) == 4
    async with chat.with_streaming_response.create(**asked) as response:
        assert (await response.parse()).id == "chatcmpl-1"
    spans = [next(recorded.trace(row.trace_id).details()) for row in recorded.traces()]
    assert [text_of(found.output) for found in spans] == [["Hi there"], ["Hi"], ["Hi there"]]
    assert [found.row.status_message for found in spans] == [None] * 3


@pytest.fixture(params=[OpenAI, AsyncOpenAI, AzureOpenAI, AsyncAzureOpenAI], ids=lambda made: made.__name__)
async def every_client(request, server, recorded):
    """Each of the four, and what waits for an answer of it."""
    if request.param in (AzureOpenAI, AsyncAzureOpenAI):
        made = request.param(azure_endpoint=server.url, api_key="none", api_version="2025-03-01-preview", max_retries=0)
    else:
        made = request.param(base_url=f"{server.url}/v1", api_key="none", max_retries=0)

    async def answer(asked):
        return await asked if inspect.isawaitable(asked) else asked

    assert wrap_openai(made) is made
    assert type(made) is request.param
    yield made, answer
    await answer(made.close())


def provider_of_every(client):
    return "azure.ai.openai" if "Azure" in type(client).__name__ else "openai"


@pytest.mark.latest
async def test_every_client_records_responses_whole_and_streamed(server, recorded, every_client):
    client, answer = every_client
    server.says(Reply(response(said("Hi there"))), Reply(events=response_events(), named=True))
    whole = await answer(client.responses.create(model="gpt-4.1", input="Hello"))
    assert whole.output_text == "Hi there"
    stream = await answer(client.responses.create(model="gpt-4.1", input="Hello", stream=True))
    last = [e async for e in stream][-1] if hasattr(stream, "__aiter__") else list(stream)[-1]
    assert last.type == "response.completed"
    found = [next(recorded.trace(row.trace_id).details()) for row in recorded.traces()]
    assert [text_of(one.output) for one in found] == [["Hi there"]] * 2
    assert {(one.row.provider, one.row.output_tokens) for one in found} == {(provider_of_every(client), 9)}
    assert {bool(one.row.ttft_ns) for one in found} == {True, False}


async def test_every_client_records_embeddings(server, recorded, every_client):
    client, answer = every_client
    data = [{"object": "embedding", "index": 0, "embedding": [0.1] * 8}]
    used = {"prompt_tokens": 5, "total_tokens": 5}
    server.says(Reply({"object": "list", "model": "text-embedding-3-small", "data": data, "usage": used}))
    got = await answer(client.embeddings.create(model="text-embedding-3-small", input="a"))
    assert len(got.data) == 1
    found = recorded.span("embeddings text-embedding-3-small")
    assert (found.row.kind, found.row.input_tokens) == ("embedding", 5)
    assert (found.row.provider, found.output.value) == (provider_of_every(client), {"embeddings": 1, "dimensions": 8})


class GetWeather(BaseModel):
    city: str


@pytest.mark.latest
async def test_every_client_records_what_the_parse_and_tools_helpers_send_and_get(server, recorded, every_client):
    client, answer = every_client
    called = {"id": "call_1", "type": "function", "function": {"name": "GetWeather", "arguments": '{"city": "Oslo"}'}}
    server.says(Reply(completion(None, reason="tool_calls", tool_calls=[called])))
    tool = openai.pydantic_function_tool(GetWeather)
    asked = client.chat.completions.parse(model="gpt-4o-mini", messages=HELLO, tools=[tool])
    (call,) = (await answer(asked)).choices[0].message.tool_calls
    assert call.function.parsed_arguments == GetWeather(city="Oslo")
    found = recorded.span(CHAT)
    assert [one["function"]["name"] for one in found.tool_definitions] == ["GetWeather"]
    (part,) = [part for message in found.output.messages for part in message.parts]
    assert (part["type"], part["name"], part["arguments"]) == ("tool_call", "GetWeather", {"city": "Oslo"})
    assert found.row.provider == provider_of_every(client)


def test_switched_off_it_is_the_plain_client(server, client, recorded):
    from collector import configure

    configure(disabled=True)
    server.says(Reply(completion()))
    assert ask(client).id == "chatcmpl-1"
