"""A call that several of us saw: as many spans as there are who saw it, and one count of it, on a real file."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager, nullcontext

import pytest
from openai import AsyncOpenAI, OpenAI
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from collector import wrap_openai
from collector.otel import SpanProcessor
from collector.sdk.api import QUEUE
from collector.settings import resolve
from tests.receiver.running import running
from tests.sdk.clients.said_by_openai import HELLO, chunks, completion
from tests.sdk.clients.server import Reply

instrumentation = pytest.importorskip("opentelemetry.instrumentation.openai_v2")
exporters = pytest.importorskip("opentelemetry.exporter.otlp.proto.http.trace_exporter")

pytestmark = pytest.mark.filterwarnings("ignore:You should use:DeprecationWarning")  # of older instrumentations
ASKED = {"model": "gpt-4o-mini", "messages": HELLO}
STREAMED = {**ASKED, "stream": True, "stream_options": {"include_usage": True}}


@pytest.fixture(autouse=True)
def _otel_forgotten():
    yield
    QUEUE.beside_otel = False
    QUEUE.settle()


@contextmanager
def instrumented(provider):
    """OpenTelemetry's own instrumentation of openai, on."""
    one = instrumentation.OpenAIInstrumentor()
    one.instrument(tracer_provider=provider, skip_dep_check=True)
    try:
        yield
    finally:
        one.uninstrument()
        provider.shutdown()


@contextmanager
def road(name, recorded):
    """How OpenTelemetry's spans come into the file: by our processor in this process, or through the receiver."""
    provider = TracerProvider(shutdown_on_exit=False)
    if name == "processor":
        provider.add_span_processor(SpanProcessor())
        with instrumented(provider):
            yield
        return
    settings = resolve(db=recorded.path, http_port=0, grpc_port=0).settings
    with running(settings, real=True) as up:
        exporter = exporters.OTLPSpanExporter(endpoint=f"{up.client.base_url}/v1/traces")
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        with instrumented(provider):
            yield


def counted(recorded):
    """(spans, llm calls, input tokens, output tokens) over all of the file."""
    rows = recorded.traces()
    usage = [row.usage for row in rows]
    return (
        sum(row.span_count for row in rows), sum(row.llm_calls for row in rows),
        sum(one.input_tokens or 0 for one in usage), sum(one.output_tokens or 0 for one in usage),
    )  # fmt: skip


@pytest.mark.parametrize("how", ["processor", "receiver", "apart"])
@pytest.mark.parametrize("asked", [ASKED, STREAMED], ids=["whole", "streamed"])
def test_a_wrapped_client_beside_opentelemetrys_instrumentation(server, recorded, monkeypatch, how, asked):
    if how == "apart":  # as if neither knew of the other: two traces
        monkeypatch.setattr(QUEUE, "meet_otel", lambda: False)
    server.says(Reply(events=chunks("Hi")) if asked is STREAMED else Reply(completion()))
    with OpenAI(base_url=f"{server.url}/v1", api_key="none") as made, road(how, recorded):
        answer = wrap_openai(made).chat.completions.create(**asked)
        if asked is STREAMED:
            list(answer)
    assert counted(recorded) == (2, 1, 100, 20)
    assert len(recorded.traces()) == (2 if how == "apart" else 1)


def test_a_stream_that_tells_no_usage_is_one_call_too(server, recorded):
    server.says(Reply(events=chunks("Hi", usage=False)))
    with OpenAI(base_url=f"{server.url}/v1", api_key="none") as made, road("processor", recorded):
        list(wrap_openai(made).chat.completions.create(**ASKED, stream=True))
    assert counted(recorded) == (2, 1, 0, 0)


async def test_many_calls_at_once_beside_opentelemetrys_instrumentation(server, recorded):
    server.answer = lambda path, body: Reply(completion(id=f"chatcmpl-{body['messages'][0]['content']}"))
    async with AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none") as made:
        client = wrap_openai(made)
        with road("processor", recorded):
            asked = ({**ASKED, "messages": [{"role": "user", "content": str(n)}]} for n in range(6))
            await asyncio.gather(*(client.chat.completions.create(**one) for one in asked))
    assert counted(recorded) == (12, 6, 600, 120)


@pytest.mark.latest
def test_embeddings_beside_opentelemetrys_instrumentation(server, recorded):
    used = {"prompt_tokens": 5, "total_tokens": 5}
    data = [{"object": "embedding", "index": 0, "embedding": [0.1] * 8}]
    server.says(Reply({"object": "list", "model": "text-embedding-3-small", "data": data, "usage": used}))
    with OpenAI(base_url=f"{server.url}/v1", api_key="none") as made, road("processor", recorded):
        wrap_openai(made).embeddings.create(model="text-embedding-3-small", input="a")
    spans, _, given, _ = counted(recorded)
    assert (spans, given) == (2, 5)


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("all_three", [False, True])
def test_langchain_over_a_wrapped_client(server, recorded, streamed, all_three):
    chat = pytest.importorskip("langchain_openai")
    from collector.langchain import CallbackHandler

    server.says(Reply(events=chunks("Hi")) if streamed else Reply(completion()))
    model = chat.ChatOpenAI(model="gpt-4o-mini", base_url=f"{server.url}/v1", api_key="none", stream_usage=True)
    wrap_openai(model.root_client)
    config = {"callbacks": [CallbackHandler()]}
    with road("processor", recorded) if all_three else nullcontext():
        list(model.stream("Hello", config)) if streamed else model.invoke("Hello", config)
    assert counted(recorded) == (3 if all_three else 2, 1, 100, 20)
    (trace,) = recorded.traces()
    if not all_three:  # of a stream, the instrumentation does not tell which tokens were cached
        assert trace.cost_nanousd == recorded.span("ChatOpenAI").row.cost_nanousd


def test_the_response_id_tells_calls_apart_that_look_alike(server, recorded):
    server.says(Reply(completion(id="chatcmpl-1")), Reply(completion(id="chatcmpl-2")))
    with OpenAI(base_url=f"{server.url}/v1", api_key="none") as made:
        client = wrap_openai(made)
        client.chat.completions.create(**ASKED)
        client.chat.completions.create(**ASKED)
    assert counted(recorded) == (2, 2, 200, 40)
