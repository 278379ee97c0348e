"""How each client is pointed at a receiver: the variables to set, and a test through its very door."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import quote

from collector.model import Batch, Rank, SpanPart, Value

KEY = "tracetui"  # any will do where there is no token


@dataclass(frozen=True, slots=True)
class Place:
    """Where the receiver is. `url` is of the HTTP port; `token` is None where it wants none."""

    url: str
    grpc_port: int
    token: str | None = None

    @property
    def grpc_url(self) -> str:
        return f"{self.url.rpartition(':')[0]}:{self.grpc_port}"


@dataclass(frozen=True, slots=True)
class Trial:
    """One request as the client would send it; `path` "grpc" is OTLP's Export. `headers` take the token's place."""

    path: str
    body: Callable[[str, str], bytes]
    kind: str = "application/json"
    headers: Callable[[str], Mapping[str, str]] = field(default=lambda key: {"authorization": f"Bearer {key}"})
    placed: Callable[[str, str], Mapping[str, str]] = field(default=lambda trace_id, name: {})
    """The headers that say what the body does not: which trace it is, and its name."""


@dataclass(frozen=True, slots=True)
class Client:
    """`variables` are to be set in the application's shell, `notes` are sentences (Python where it begins with >).

    `trial` is None where a test would leave this machine.
    """

    title: str
    variables: Callable[[Place], dict[str, str]]
    notes: Callable[[Place], tuple[str, ...]] = field(default=lambda place: ())
    trial: Trial | None = None


def _span(trace_id: str, name: str, **attributes: Value) -> SpanPart:
    now = time.time_ns()
    return SpanPart(
        trace_id, trace_id[:16], Rank.FINISHED, now, name=name, start_ns=now - 1, end_ns=now, attributes=attributes
    )


def _otlp(trace_id: str, name: str) -> bytes:
    from collector.protocols.otlp import encode_traces_protobuf

    return encode_traces_protobuf([_span(trace_id, name)])


def _langfuse(trace_id: str, name: str) -> bytes:
    from collector.protocols.otlp import encode_traces_protobuf

    said: dict[str, Value] = {"langfuse.observation.type": "span", "langfuse.trace.name": name}
    return encode_traces_protobuf([_span(trace_id, name, **said)])


def _langsmith(trace_id: str, name: str) -> bytes:
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime())
    order = f"{now.replace('-', '').replace(':', '').replace('.', '')}{_uuid(trace_id)}"
    run = {
        "id": _uuid(trace_id), "trace_id": _uuid(trace_id), "dotted_order": order, "name": name, "run_type": "chain",
        "start_time": now, "end_time": now, "inputs": {}, "outputs": {}, "session_name": "tracetui-doctor",
    }  # fmt: skip
    return json.dumps({"post": [run], "patch": []}).encode()


def _agents(trace_id: str, name: str) -> bytes:
    now = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
    trace = {"object": "trace", "id": f"trace_{trace_id}", "workflow_name": name, "group_id": None, "metadata": None}
    span = {
        "object": "trace.span", "id": f"span_{trace_id[:24]}", "trace_id": trace["id"], "parent_id": None,
        "started_at": now, "ended_at": now, "span_data": {"type": "custom", "name": name, "data": {}}, "error": None,
    }  # fmt: skip
    return json.dumps({"data": [trace, span]}).encode()


def _native(trace_id: str, name: str) -> bytes:
    from collector.protocols import native

    return native.encode_batch(Batch("sdk", (_span(trace_id, name),)))


def _uuid(trace_id: str) -> str:
    return "-".join((trace_id[:8], trace_id[8:12], trace_id[12:16], trace_id[16:20], trace_id[20:]))


def _basic(key: str) -> Mapping[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"pk-lf-{KEY}:{key}".encode()).decode()}


def _api_key(key: str) -> Mapping[str, str]:
    return {"x-api-key": key}


def _otel_variables(place: Place, protocol: str, endpoint: str) -> dict[str, str]:
    out = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL": protocol}
    if place.token:
        out["OTEL_EXPORTER_OTLP_HEADERS"] = f"authorization=Bearer%20{quote(place.token)}"
    return out


def _phoenix(place: Place) -> dict[str, str]:
    out = {"PHOENIX_COLLECTOR_ENDPOINT": place.url, "PHOENIX_GRPC_PORT": str(place.grpc_port)}
    return out | ({"PHOENIX_API_KEY": place.token} if place.token else {})


def _langfuse_variables(place: Place) -> dict[str, str]:
    return {
        "LANGFUSE_HOST": place.url,
        "LANGFUSE_BASE_URL": place.url,
        "LANGFUSE_PUBLIC_KEY": f"pk-lf-{KEY}",
        "LANGFUSE_SECRET_KEY": place.token or f"sk-lf-{KEY}",
    }


def _langsmith_variables(place: Place) -> dict[str, str]:
    key = place.token or KEY
    return {"LANGSMITH_TRACING": "true", "LANGSMITH_ENDPOINT": place.url, "LANGSMITH_API_KEY": key}


def _agents_notes(place: Place) -> tuple[str, ...]:
    made = f'BackendSpanExporter(api_key="{KEY}", endpoint="{place.url}/v1/traces/ingest")'
    return (
        "its endpoint has no variable: set it in your program",
        "> from agents.tracing import set_trace_processors",
        "> from agents.tracing.processors import BackendSpanExporter, BatchTraceProcessor",
        f"> set_trace_processors([BatchTraceProcessor({made})])",
    )


def _proxied(place: Place) -> tuple[str, ...]:
    said = "your key is passed on and never stored; the test goes to an upstream in the collector, not to the provider"
    beside = "your client must send the token as the header x-tracetui-token"
    return (said, beside) if place.token else (said,)


def _chat(trace_id: str, name: str) -> bytes:
    said = [{"role": "user", "content": "Does the proxy work?"}]
    return json.dumps({"model": "tracetui-test", "max_tokens": 100, "messages": said}).encode()


def _proxy_trial(path: str) -> Trial:
    return Trial(
        f"/proxy/tracetui-test{path}", _chat, headers=lambda key: {"x-tracetui-token": key},
        placed=lambda trace_id, name: {"x-tracetui-trace": trace_id, "x-tracetui-name": name},
    )  # fmt: skip


PROTOBUF = "application/x-protobuf"
OTLP = Trial("/v1/traces", _otlp, PROTOBUF)
CLIENTS: dict[str, Client] = {
    "otel": Client(
        "OpenTelemetry, over HTTP",
        lambda place: _otel_variables(place, "http/protobuf", place.url),
        trial=OTLP,
    ),
    "otel-grpc": Client(
        "OpenTelemetry, over gRPC",
        lambda place: _otel_variables(place, "grpc", place.grpc_url),
        trial=Trial("grpc", _otlp),
    ),
    "phoenix": Client("Phoenix's register(), and OpenInference with it", _phoenix, trial=Trial("grpc", _otlp)),
    "traceloop": Client(
        "OpenLLMetry (traceloop-sdk)",
        lambda place: {"TRACELOOP_BASE_URL": place.url, "TRACELOOP_API_KEY": place.token or KEY},
        trial=OTLP,
    ),
    "logfire": Client(
        "Logfire and Pydantic AI",
        lambda place: {"LOGFIRE_BASE_URL": place.url, "LOGFIRE_TOKEN": place.token or KEY},
        trial=replace(OTLP, headers=lambda key: {"authorization": key}),
    ),
    "langfuse": Client(
        "the Langfuse SDKs",
        _langfuse_variables,
        trial=Trial("/api/public/otel/v1/traces", _langfuse, PROTOBUF, _basic),
    ),
    "langsmith": Client(
        "the LangSmith SDKs, and LangChain with them",
        _langsmith_variables,
        trial=Trial("/runs/batch", _langsmith, headers=_api_key),
    ),
    "openai": Client(
        "OpenAI's SDKs, through the proxy",
        lambda place: {"OPENAI_BASE_URL": f"{place.url}/proxy/openai/v1"},
        _proxied,
        _proxy_trial("/v1/chat/completions"),
    ),
    "anthropic": Client(
        "Anthropic's SDKs, through the proxy",
        lambda place: {"ANTHROPIC_BASE_URL": f"{place.url}/proxy/anthropic"},
        _proxied,
        _proxy_trial("/v1/messages"),
    ),
    "openai-agents": Client(
        "the OpenAI Agents SDK", lambda place: {}, _agents_notes, trial=Trial("/v1/traces/ingest", _agents)
    ),
    "tracetui": Client(
        "tracetui's own SDK (it writes the file itself where no collector is named)",
        lambda place: {"TRACETUI_URL": place.url} | ({"TRACETUI_TOKEN": place.token} if place.token else {}),
        trial=Trial("/v1/native", _native, "application/x-ndjson"),
    ),
}
ALSO = {
    "openinference": "phoenix", "llamaindex": "phoenix", "dspy": "phoenix", "crewai": "phoenix",
    "smolagents": "phoenix", "openllmetry": "traceloop", "pydantic-ai": "logfire", "langchain": "langsmith",
    "langgraph": "langsmith", "vercel-ai": "otel", "litellm": "otel", "haystack": "otel",
}  # fmt: skip
"""Clients without variables of their own, and whose they take: the pages of docs/clients."""
