"""How each client is pointed at a receiver: the variables to set, and the test (`trials`) through its very door."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote

from tracetui.cli import trials
from tracetui.cli.trials import KEY, Trial


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
class Client:
    """`variables` are to be set in the application's shell, `notes` are sentences (Python where it begins with >).

    `trial` is None where a test would leave this machine.
    """

    title: str
    variables: Callable[[Place], dict[str, str]]
    notes: Callable[[Place], tuple[str, ...]] = field(default=lambda place: ())
    trial: Trial | None = None


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


CLIENTS: dict[str, Client] = {
    "otel": Client(
        "OpenTelemetry, over HTTP",
        lambda place: _otel_variables(place, "http/protobuf", place.url),
        trial=trials.OTLP,
    ),
    "otel-grpc": Client(
        "OpenTelemetry, over gRPC",
        lambda place: _otel_variables(place, "grpc", place.grpc_url),
        trial=trials.GRPC,
    ),
    "phoenix": Client("Phoenix's register(), and OpenInference with it", _phoenix, trial=trials.GRPC),
    "traceloop": Client(
        "OpenLLMetry (traceloop-sdk)",
        lambda place: {"TRACELOOP_BASE_URL": place.url, "TRACELOOP_API_KEY": place.token or KEY},
        trial=trials.OTLP,
    ),
    "logfire": Client(
        "Logfire and Pydantic AI",
        lambda place: {"LOGFIRE_BASE_URL": place.url, "LOGFIRE_TOKEN": place.token or KEY},
        trial=trials.LOGFIRE,
    ),
    "langfuse": Client(
        "the Langfuse SDKs",
        _langfuse_variables,
        trial=trials.LANGFUSE,
    ),
    "langsmith": Client(
        "the LangSmith SDKs, and LangChain with them",
        _langsmith_variables,
        trial=trials.LANGSMITH,
    ),
    "openai": Client(
        "OpenAI's SDKs, through the proxy",
        lambda place: {"OPENAI_BASE_URL": f"{place.url}/proxy/openai/v1"},
        _proxied,
        trials.OPENAI,
    ),
    "anthropic": Client(
        "Anthropic's SDKs, through the proxy",
        lambda place: {"ANTHROPIC_BASE_URL": f"{place.url}/proxy/anthropic"},
        _proxied,
        trials.ANTHROPIC,
    ),
    "openai-agents": Client("the OpenAI Agents SDK", lambda place: {}, _agents_notes, trial=trials.AGENTS),
    "tracetui": Client(
        "tracetui's own SDK (it writes the file itself where no collector is named)",
        lambda place: {"TRACETUI_URL": place.url} | ({"TRACETUI_TOKEN": place.token} if place.token else {}),
        trial=trials.NATIVE,
    ),
}
ALSO = {
    "openinference": "phoenix", "llamaindex": "phoenix", "dspy": "phoenix", "crewai": "phoenix",
    "smolagents": "phoenix", "openllmetry": "traceloop", "pydantic-ai": "logfire", "langchain": "langsmith",
    "langgraph": "langsmith", "vercel-ai": "otel", "litellm": "otel", "haystack": "otel",
    "mastra": "otel", "genkit": "otel",
}  # fmt: skip
"""Clients without variables of their own, and whose they take: the pages of docs/clients."""
