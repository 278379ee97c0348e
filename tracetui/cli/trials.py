"""One request as each client would send it: a trace of one span, through the client's own door."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from collector.model import Batch, Rank, SpanPart, Value

KEY = "tracetui"  # any will do where there is no token
PROTOBUF = "application/x-protobuf"


@dataclass(frozen=True, slots=True)
class Trial:
    """One request as the client would send it; `path` "grpc" is OTLP's Export. `headers` take the token's place."""

    path: str
    body: Callable[[str, str], bytes]
    kind: str = "application/json"
    headers: Callable[[str], Mapping[str, str]] = field(default=lambda key: {"authorization": f"Bearer {key}"})
    placed: Callable[[str, str], Mapping[str, str]] = field(default=lambda trace_id, name: {})
    """The headers that say what the body does not: which trace it is, and its name."""


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


def _chat(trace_id: str, name: str) -> bytes:
    said = [{"role": "user", "content": "Does the proxy work?"}]
    return json.dumps({"model": "tracetui-test", "max_tokens": 100, "messages": said}).encode()


def _proxy_trial(path: str) -> Trial:
    return Trial(
        f"/proxy/tracetui-test{path}", _chat, headers=lambda key: {"x-tracetui-token": key},
        placed=lambda trace_id, name: {"x-tracetui-trace": trace_id, "x-tracetui-name": name},
    )  # fmt: skip


OTLP = Trial("/v1/traces", _otlp, PROTOBUF)
GRPC = Trial("grpc", _otlp)
LOGFIRE = replace(OTLP, headers=lambda key: {"authorization": key})
LANGFUSE = Trial("/api/public/otel/v1/traces", _langfuse, PROTOBUF, _basic)
LANGSMITH = Trial("/runs/batch", _langsmith, headers=_api_key)
OPENAI = _proxy_trial("/v1/chat/completions")
ANTHROPIC = _proxy_trial("/v1/messages")
AGENTS = Trial("/v1/traces/ingest", _agents)
NATIVE = Trial("/v1/native", _native, "application/x-ndjson")
