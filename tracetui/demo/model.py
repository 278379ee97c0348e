"""How the demo's agent calls its model: through the `openai` client and its official OpenTelemetry
instrumentation where the `demo` extra is installed, else by plain HTTP, recorded with our own `span`."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from typing import Any, Protocol

from collector import current_span, span
from tracetui.demo.server import HEADER, Answer, Server

Messages = list[dict[str, Any]]


class ModelError(Exception):
    """The model's server refused."""


class Model(Protocol):
    """A client of the simulated model."""

    def chat(
        self, model: str, messages: Messages, answer: Answer, *, stream: bool = False, tools: Sequence[str] = ()
    ) -> dict[str, Any]: ...
    def embed(self, model: str, texts: list[str]) -> None: ...
    def close(self) -> None: ...


def has_extra() -> bool:
    """Whether the `demo` extra is installed."""
    names = ("openai", "opentelemetry.instrumentation.openai_v2", "opentelemetry.exporter.otlp.proto.http")
    with suppress(ModuleNotFoundError):
        return all(find_spec(name) is not None for name in names)
    return False


def _tools(names: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {"type": "function", "function": {"name": n, "parameters": {"type": "object", "properties": {}}}} for n in names
    ]


def turn(answer: Answer) -> dict[str, Any]:
    """The answer as the assistant message that a client puts into its history."""
    said: dict[str, Any] = {"role": "assistant", "content": answer.text or None}
    if answer.tools:
        said["tool_calls"] = [
            {
                "id": f"call_{n}_{name}",
                "type": "function",
                "function": {"name": name, "arguments": json.dumps(arguments)},
            }
            for n, (name, arguments) in enumerate(answer.tools)
        ]
    return said


class PlainModel:
    """By HTTP, with spans of our own."""

    def __init__(self, server: Server) -> None:
        import httpx

        self.server = server
        self.client = httpx.Client(timeout=60, trust_env=False)

    def chat(
        self, model: str, messages: Messages, answer: Answer, *, stream: bool = False, tools: Sequence[str] = ()
    ) -> dict[str, Any]:
        body: dict[str, Any] = {"model": model, "messages": messages, "stream": stream}
        if tools:
            body["tools"] = _tools(tools)
        headers = {HEADER: self.server.ready(answer)}
        with span(f"chat {model}", kind="llm", input=messages, request_model=model, provider="openai") as call:
            call.update(operation="chat", tool_definitions=body.get("tools"))
            with self.client.stream("POST", f"{self.server.url}/chat/completions", json=body, headers=headers) as got:
                if got.status_code != 200:
                    got.read()
                    raise ModelError(f"Error code: {got.status_code} - {got.json()['error']['message']}")
                said = _read_stream(got.iter_lines(), call) if stream else json.loads(got.read())
            choice = said["choices"][0]
            call.update(
                output=[choice["message"]], model=said["model"], response_id=said["id"], usage=said["usage"],
                finish_reasons=[choice["finish_reason"]],
            )  # fmt: skip
        return turn(answer)

    def embed(self, model: str, texts: list[str]) -> None:
        with span(f"embeddings {model}", kind="embedding", input=texts, model=model, provider="openai") as call:
            got = self.client.post(f"{self.server.url}/embeddings", json={"model": model, "input": texts}).json()
            call.update(usage={"input_tokens": got["usage"]["prompt_tokens"]})

    def close(self) -> None:
        self.client.close()


def _read_stream(lines: Iterator[str], call: Any) -> dict[str, Any]:
    text = ""
    last: dict[str, Any] = {}
    usage: dict[str, Any] = {}
    for line in lines:
        if not line.startswith("data: {"):
            continue
        last = json.loads(line[6:])
        usage = last.get("usage") or usage
        for choice in last["choices"]:
            text += choice["delta"].get("content") or ""
            call.first_token()
    choice = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return {"id": last["id"], "model": last["model"], "usage": usage, "choices": [choice]}


class OpenAIModel:
    """Through the openai client; its calls arrive over OTLP, under our own spans."""

    def __init__(self, server: Server, otlp_url: str) -> None:
        import openai
        from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor
        from opentelemetry.sdk._logs import LoggerProvider
        from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        resource = Resource.create({"service.name": "demo-agent"})
        self.traces = TracerProvider(resource=resource)
        exporter = OTLPSpanExporter(endpoint=f"{otlp_url}/v1/traces")
        self.traces.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=200))
        self.logs = LoggerProvider(resource=resource)
        log_exporter = OTLPLogExporter(endpoint=f"{otlp_url}/v1/logs")
        self.logs.add_log_record_processor(BatchLogRecordProcessor(log_exporter, schedule_delay_millis=200))
        self.instrumentor = OpenAIInstrumentor()  # type: ignore[no-untyped-call,unused-ignore]
        self.instrumentor.instrument(tracer_provider=self.traces, logger_provider=self.logs)
        self.server = server
        self.errors = openai.APIStatusError
        self.says_more = _SaysMore()
        hooks: dict[str, list[Any]] = {"request": [self.says_more.asked], "response": [self.says_more.answered]}
        http = openai.DefaultHttpxClient(event_hooks=hooks, trust_env=False)
        self.client = openai.OpenAI(base_url=server.url, api_key="none-needed", max_retries=0, http_client=http)

    def chat(
        self, model: str, messages: Messages, answer: Answer, *, stream: bool = False, tools: Sequence[str] = ()
    ) -> dict[str, Any]:
        extra: dict[str, Any] = {"extra_headers": {HEADER: self.server.ready(answer)}}
        if tools:
            extra["tools"] = _tools(tools)
        if stream:
            extra |= {"stream": True, "stream_options": {"include_usage": True}}
        try:
            with _under_our_span():
                create: Any = self.client.chat.completions.create  # typed for literal messages only
                got = create(model=model, messages=messages, **extra)
                if stream:
                    for chunk in got:
                        self.says_more.chunk(chunk)
        except self.errors as error:
            raise ModelError(str(error)) from error
        return turn(answer)

    def embed(self, model: str, texts: list[str]) -> None:
        with _under_our_span():
            self.client.embeddings.create(model=model, input=texts)

    def close(self) -> None:
        self.traces.force_flush()
        self.logs.force_flush()
        self.instrumentor.uninstrument()
        self.traces.shutdown()
        self.logs.shutdown()
        self.client.close()


class _SaysMore:
    """Adds to the instrumentation's span what it leaves out: cached and reasoning tokens, and when the
    first token of a stream came. Its span is the current one while the HTTP request is made."""

    def __init__(self) -> None:
        self.span: Any = None
        self.began = 0.0
        self.waiting = False

    def asked(self, _request: object) -> None:
        from opentelemetry import trace

        self.span, self.began, self.waiting = trace.get_current_span(), time.perf_counter(), True

    def answered(self, response: Any) -> None:
        if response.headers.get("content-type") == "application/json":
            self.usage(json.loads(response.read()).get("usage"))

    def chunk(self, chunk: Any) -> None:
        if self.waiting:
            self.waiting = False
            self.span.set_attribute("gen_ai.response.time_to_first_chunk", time.perf_counter() - self.began)
        if chunk.usage is not None:
            self.usage(chunk.usage.model_dump())

    def usage(self, usage: dict[str, Any] | None) -> None:
        for kind, name, key in (
            ("prompt", "cached", "gen_ai.usage.cache_read.input_tokens"),
            ("completion", "reasoning", "gen_ai.usage.reasoning.output_tokens"),
        ):
            count = ((usage or {}).get(f"{kind}_tokens_details") or {}).get(f"{name}_tokens")
            if count:
                self.span.set_attribute(key, count)


@contextmanager
def _under_our_span() -> Iterator[None]:
    """Make our current span the parent of what OpenTelemetry starts."""
    from opentelemetry import trace

    ours = current_span()
    if ours is None:
        yield
        return
    context = trace.SpanContext(ours.trace, ours.id, is_remote=False, trace_flags=trace.TraceFlags(1))
    with trace.use_span(trace.NonRecordingSpan(context)):
        yield
