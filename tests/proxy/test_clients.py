"""The real clients of OpenAI and Anthropic through the proxy: what they get is the upstream's, what is kept is ours."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from anthropic import Anthropic
from openai import AsyncOpenAI, AzureOpenAI, OpenAI, RateLimitError

from collector.store import open_reader
from tests.proxy.upstream import Proxy, proxying
from tests.sdk.clients import said_by_anthropic as theirs
from tests.sdk.clients.said_by_openai import HELLO, TOOL, chunk, chunks, completion, response, response_events, said
from tests.sdk.clients.server import Reply, Server

KEY = "sk-proj-" + "Zx9" * 16
ASKED: dict[str, Any] = {"model": "gpt-4o-mini", "messages": HELLO}


@pytest.fixture
def model() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture
def proxy(model: Server, tmp_path: Path) -> Iterator[Proxy]:
    with proxying(tmp_path, model.url) as one:
        yield one


@pytest.fixture
def client(proxy: Proxy) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{proxy.url}/v1", api_key=KEY, max_retries=0) as made:
        yield made


def test_a_chat_completion_passes_and_is_recorded_whole(model: Server, proxy: Proxy, client: OpenAI) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Oslo"}'}}
    model.says(Reply(completion(None, reason="tool_calls", tool_calls=[call]), headers={"x-request-id": "req_1"}))
    answer = client.chat.completions.create(**ASKED, tools=[TOOL], temperature=0.2, user="u7")
    assert answer.choices[0].message.tool_calls[0].function.name == "get_weather"
    path, body, headers = model.asked[0]
    assert (path, body["messages"], headers["authorization"]) == ("/v1/chat/completions", HELLO, f"Bearer {KEY}")

    [span] = proxy.spans()
    row = span.row
    assert (row.name, row.kind, row.status, row.provider) == ("chat gpt-4o-mini", "llm", "ok", "gateway")
    assert (row.model, span.request_model, span.response_id) == ("gpt-4o-mini-2024-07-18", "gpt-4o-mini", "chatcmpl-1")
    assert (span.usage.input_tokens, span.usage.cache_read_tokens, span.usage.reasoning_tokens) == (100, 40, 8)
    assert (row.cost_nanousd or 0) > 0
    assert (row.user_id, span.finish_reasons, span.params) == (
        "u7", ("tool_calls",), {"temperature": 0.2, "user": "u7"},
    )  # fmt: skip
    assert [one.parts[0]["text"] for one in (*span.system, *span.input.messages)] == ["Be brief.", "Hello"]
    [part] = span.output.messages[0].parts
    assert (part["type"], part["name"], part["arguments"]) == ("tool_call", "get_weather", {"city": "Oslo"})
    assert span.tool_definitions == [TOOL]
    assert (span.convention, span.attributes["http.response.status_code"]) == ("proxy", 200)
    assert span.attributes["http.response.header.request-id"] == ["req_1"]


def test_keys_are_in_no_file(model: Server, proxy: Proxy, client: OpenAI) -> None:
    model.says(Reply(completion()))
    client.chat.completions.create(**ASKED, extra_headers={"x-api-key": "another-secret"}, extra_query={"key": "third"})
    proxy.spans()
    proxy.up.stop()
    stored = b"".join(path.read_bytes() for path in proxy.db.parent.glob("traces.db*"))
    assert b"Zx9Zx9" not in stored
    assert b"another-secret" not in stored
    assert b"third" not in stored


def test_a_stream_arrives_while_it_is_made_and_its_first_token_is_timed(
    model: Server, proxy: Proxy, client: OpenAI
) -> None:
    gate = threading.Event()
    model.says(Reply(events=chunks("Hi", " there"), gate=gate, cut=7))
    stream = client.chat.completions.create(**ASKED, stream=True, stream_options={"include_usage": True})
    read = [next(stream) for _ in range(3)]
    assert read[1].choices[0].delta.content == "Hi"
    [span] = proxy.spans(running=True)  # it shows while it runs
    assert (span.row.status, span.row.name) == ("running", "chat gpt-4o-mini")
    gate.set()
    assert len(list(stream)) == 2
    [span] = proxy.spans()
    assert (span.row.status, span.output.messages[0].parts[0]["text"]) == ("ok", "Hi there")
    assert span.usage.output_tokens == 20
    assert 0 < (span.row.ttft_ns or 0) < (span.row.end_ns or 0) - span.row.start_ns


async def test_the_asynchronous_client_and_responses(model: Server, proxy: Proxy) -> None:
    model.says(Reply(response(said("Hi there"))), Reply(events=response_events("Hi there"), named=True))
    async with AsyncOpenAI(base_url=f"{proxy.url}/v1", api_key=KEY) as client:
        whole = await client.responses.create(model="gpt-4.1", input="Hello", instructions="Be brief.")
        assert whole.output_text == "Hi there"
        async for _ in await client.responses.create(model="gpt-4.1", input="Hello", stream=True):
            pass
    for span in proxy.spans(2):
        assert span.output.messages[0].parts[0]["text"] == "Hi there"
        assert (span.usage.input_tokens, span.usage.cache_read_tokens, span.row.status) == (50, 10, "ok")


def test_embeddings_are_counted_and_not_kept(model: Server, proxy: Proxy, client: OpenAI) -> None:
    data = [{"object": "embedding", "index": 0, "embedding": [0.25, 0.5, 0.75]}]
    usage = {"prompt_tokens": 3, "total_tokens": 3}
    model.says(Reply({"object": "list", "model": "text-embedding-3-small", "data": data, "usage": usage}))
    client.embeddings.create(model="text-embedding-3-small", input=["a", "b"], encoding_format="float")
    [span] = proxy.spans()
    assert (span.row.kind, span.usage.input_tokens) == ("embedding", 3)
    assert span.output.value == {"embeddings": 1, "dimensions": 3}


def test_azure_names_its_model_in_the_path(model: Server, proxy: Proxy) -> None:
    model.says(Reply(completion()))
    with AzureOpenAI(azure_endpoint=proxy.url, api_key=KEY, api_version="2024-10-21") as client:
        client.chat.completions.create(model="my-deployment", messages=HELLO)
    assert model.asked[0][0] == "/openai/deployments/my-deployment/chat/completions?api-version=2024-10-21"
    [span] = proxy.spans()
    assert (span.request_model, span.attributes["url.path"]) == (
        "my-deployment", "/openai/deployments/my-deployment/chat/completions",
    )  # fmt: skip


@pytest.mark.parametrize("streamed", [False, True])
def test_anthropics_messages(model: Server, proxy: Proxy, streamed: bool) -> None:
    blocks = [theirs.THOUGHT, theirs.text("Let me look."), theirs.CALL]
    events = Reply(events=theirs.events(*blocks, reason="tool_use"), named=True)
    model.says(events if streamed else Reply(theirs.message(*blocks, reason="tool_use")))
    asked: Any = {"model": "claude-haiku-4-5", "max_tokens": 99, "messages": theirs.HELLO, "system": "Be brief."}
    with Anthropic(base_url=proxy.url, api_key=KEY) as client:
        if streamed:
            with client.messages.stream(**asked) as stream:
                assert stream.get_final_message().content[2].input == {"city": "京都"}
        else:
            client.messages.create(**asked)
    [span] = proxy.spans()
    assert (span.row.provider, span.row.status, span.finish_reasons) == ("anthropic", "ok", ("tool_use",))
    assert (span.usage.input_tokens, span.usage.cache_read_tokens, span.usage.output_tokens) == (1000, 900, 25)
    assert [part["type"] for part in span.output.messages[0].parts] == ["reasoning", "text", "tool_call"]
    assert span.system[0].parts[0]["text"] == "Be brief."
    assert bool(span.row.ttft_ns) is streamed


def test_an_error_reaches_the_caller_and_the_trace(model: Server, proxy: Proxy, client: OpenAI) -> None:
    error = {"message": "Rate limit reached", "type": "requests", "param": None, "code": "rate_limit_exceeded"}
    model.says(Reply({"error": error}, status=429, headers={"retry-after": "7"}))
    with pytest.raises(RateLimitError) as raised:
        client.chat.completions.create(**ASKED)
    assert (raised.value.body, raised.value.response.headers["retry-after"]) == (error, "7")
    [span] = proxy.spans()
    row = span.row
    assert (row.status, row.error_type, row.status_message) == ("error", "rate_limit_exceeded", "Rate limit reached")
    assert span.output.value == {"error": {"error": error}}


def test_a_stream_that_nobody_reads_on_is_cancelled_upstream_too(model: Server, proxy: Proxy, client: OpenAI) -> None:
    model.says(Reply(events=chunks(*["word " * 400] * 15_000, usage=False)))  # more than sockets hold
    stream = client.chat.completions.create(**ASKED, stream=True)
    for _ in range(3):
        next(stream)
    stream.close()
    [span] = proxy.spans()
    assert (span.row.status, span.row.status_message) == ("ok", "abandoned: the stream was not read to its end")
    assert span.attributes["tracetui.cancelled"] == "ClientDisconnect"
    assert span.output.messages[0].parts[0]["text"].startswith("word word")


def test_a_wrapped_client_through_the_proxy_is_counted_once(model: Server, proxy: Proxy) -> None:
    model.says(Reply(completion()))
    from collector import configure, flush, wrap_openai
    from collector.sdk.api import QUEUE

    configure(db=proxy.db)
    try:
        with OpenAI(base_url=f"{proxy.url}/v1", api_key=KEY) as made:
            wrap_openai(made).chat.completions.create(**ASKED)
        assert flush()
    finally:
        QUEUE.close()
    spans = proxy.spans(2)
    assert sorted(span.convention or "" for span in spans) == ["proxy", "sdk"]
    assert [span.row.counted for span in spans].count(True) == 1
    with open_reader(proxy.db) as reader:
        from collector.store.filters import Filter

        assert reader.totals(Filter()).cost_nanousd == spans[0].row.cost_nanousd


def test_two_choices_and_a_stream_without_usage(model: Server, proxy: Proxy, client: OpenAI) -> None:
    events = [chunk({"role": "assistant", "content": "Hi"}), chunk({}, "stop")]
    model.says(Reply(events=events))
    list(client.chat.completions.create(**ASKED, stream=True))
    [span] = proxy.spans()
    assert (span.usage.input_tokens, span.row.status) == (None, "ok")


def test_the_demos_model_answers_through_the_proxy(tmp_path: Path) -> None:
    from tracetui.demo.server import HEADER, Answer
    from tracetui.demo.server import Server as Demo

    with Demo() as demo, proxying(tmp_path, demo.url.removesuffix("/v1")) as proxy:
        name = demo.ready(Answer("Oslo it is.", seconds=0, first_token=0))
        with OpenAI(base_url=f"{proxy.url}/v1", api_key=KEY) as client:
            stream = client.chat.completions.create(**ASKED, stream=True, extra_headers={HEADER: name})
            text = "".join(one.choices[0].delta.content or "" for one in stream if one.choices)
        assert text == "Oslo it is. "
        [span] = proxy.spans()
    assert (span.output.messages[0].parts[0]["text"], span.usage.input_tokens) == ("Oslo it is. ", 120)


def test_models_are_listed_and_recorded_plainly(proxy: Proxy) -> None:
    assert httpx.get(f"{proxy.url}/v1/models", trust_env=False).status_code == 501  # this stand-in has no GET
    [span] = proxy.spans()
    assert (span.row.kind, span.row.name, span.row.status) == ("http", "GET /v1/models", "error")
