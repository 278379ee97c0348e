"""A session as each kind of client sends it: every call holds all that was said, and its parent often says it again.

What `generate.session_turns` is for the two standards, in the spellings of others: the call's attributes (or its event,
or run) with the whole history, and an agent around it that repeats history and answer, as most frameworks do.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from bench.generate import MODEL, MS, Maker, put
from collector.model import Batch
from collector.protocols import langfuse, langsmith, otlp

Said = list[tuple[str, str]]
SPANS_A_TURN = 2
Attributes = dict[str, Any]


@dataclass(frozen=True)
class Sent:
    """One turn: what the door makes of its body, how long that was, and what is new in it."""

    decode: Callable[[], Batch]
    wire_bytes: int
    unique_bytes: int
    trace_id: str
    span_id: str
    prompt: tuple[tuple[str, str], ...]


def plain(said: Said) -> list[dict[str, str]]:
    return [{"role": role, "content": text} for role, text in said]


def heard(answer: str) -> dict[str, str]:
    return {"role": "assistant", "content": answer}


def langfuse_attributes(said: Said, answer: str, kind: str) -> Attributes:
    found = {
        "langfuse.observation.type": "generation" if kind == "LLM" else "agent",
        "langfuse.observation.input": json.dumps(plain(said), ensure_ascii=False),
        "langfuse.observation.output": json.dumps({"role": "assistant", "content": answer}),
    }
    return found | ({"langfuse.observation.model.name": MODEL} if kind == "LLM" else {})


def traceloop_attributes(said: Said, answer: str, kind: str) -> Attributes:
    if kind == "AGENT":
        return {"traceloop.span.kind": "workflow", "traceloop.entity.name": "support-agent",
                "traceloop.entity.input": json.dumps({"inputs": {"messages": plain(said)}, "kwargs": {}}),
                "traceloop.entity.output": json.dumps(answer)}  # fmt: skip
    found: Attributes = {"gen_ai.system": "openai", "gen_ai.request.model": MODEL, "llm.request.type": "chat"}
    for n, (role, text) in enumerate(said):
        found |= {f"gen_ai.prompt.{n}.role": role, f"gen_ai.prompt.{n}.content": text}
    return found | {"gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.content": answer}


def vercel_attributes(said: Said, answer: str, kind: str) -> Attributes:
    if kind == "AGENT":
        return {"ai.operationId": "ai.generateText", "operation.name": "ai.generateText",
                "ai.prompt": json.dumps({"messages": plain(said)}), "ai.response.text": answer}  # fmt: skip
    blocks = [
        {"role": role, "content": text if role == "system" else [{"type": "text", "text": text}]} for role, text in said
    ]
    return {"ai.operationId": "ai.generateText.doGenerate", "operation.name": "ai.generateText.doGenerate",
            "ai.model.id": MODEL, "ai.prompt.messages": json.dumps(blocks), "ai.response.text": answer}  # fmt: skip


def pydantic_attributes(said: Said, answer: str, kind: str) -> Attributes:
    def parts(messages: Said) -> str:
        return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]} for role, text in messages])

    if kind == "AGENT":
        return {"gen_ai.operation.name": "invoke_agent", "agent_name": "support-agent", "final_result": answer,
                "pydantic_ai.all_messages": parts([*said, ("assistant", answer)])}  # fmt: skip
    return {"gen_ai.operation.name": "chat", "gen_ai.request.model": MODEL, "gen_ai.input.messages": parts(said),
            "gen_ai.output.messages": parts([("assistant", answer)])}  # fmt: skip


def openinference_attributes(said: Said, answer: str, kind: str) -> Attributes:
    found: Attributes = {"openinference.span.kind": kind, "input.mime_type": "application/json",
                         "input.value": json.dumps({"messages": plain(said), "model": MODEL}),
                         "output.value": json.dumps({"choices": [{"message": heard(answer)}]})}  # fmt: skip
    if kind == "LLM":
        found["llm.model_name"] = MODEL
        for side, messages in (("input", said), ("output", [("assistant", answer)])):
            for n, (role, text) in enumerate(messages):
                at = f"llm.{side}_messages.{n}.message."
                found |= {at + "role": role, at + "content": text}
    return found


def langsmith_attributes(said: Said, answer: str, kind: str) -> Attributes:
    return {"langsmith.span.kind": "llm" if kind == "LLM" else "chain", "gen_ai.request.model": MODEL,
            "gen_ai.prompt": json.dumps({"messages": plain(said), "model": MODEL}),
            "gen_ai.completion": json.dumps({"choices": [{"message": heard(answer)}]})}  # fmt: skip


def langwatch_attributes(said: Said, answer: str, kind: str) -> Attributes:
    def typed(messages: list[dict[str, str]]) -> str:
        return json.dumps({"type": "chat_messages", "value": messages})

    return {"langwatch.span.type": "llm" if kind == "LLM" else "span", "langwatch.input": typed(plain(said)),
            "langwatch.output": typed([heard(answer)])}  # fmt: skip


def mlflow_attributes(said: Said, answer: str, kind: str) -> Attributes:
    return {"mlflow.spanType": json.dumps("CHAT_MODEL" if kind == "LLM" else "AGENT"),
            "mlflow.spanInputs": json.dumps({"messages": plain(said), "model": MODEL}),
            "mlflow.spanOutputs": json.dumps({"choices": [{"message": heard(answer)}]})}  # fmt: skip


def braintrust_attributes(said: Said, answer: str, kind: str) -> Attributes:
    return {"braintrust.span_attributes": json.dumps({"type": "llm" if kind == "LLM" else "task"}),
            "braintrust.input_json": json.dumps(plain(said)),
            "braintrust.output_json": json.dumps([heard(answer)])}  # fmt: skip


OTLP: dict[str, Callable[[Said, str, str], Attributes]] = {
    "openinference, with its JSON": openinference_attributes,
    "langfuse": langfuse_attributes,
    "traceloop": traceloop_attributes,
    "vercel": vercel_attributes,
    "pydantic-ai": pydantic_attributes,
    "langsmith over OTLP": langsmith_attributes,
    "langwatch": langwatch_attributes,
    "mlflow": mlflow_attributes,
    "braintrust": braintrust_attributes,
}


def turns(count: int, turn_bytes: int, client: str, *, seed: int = 1) -> Iterator[Sent]:
    """The turns of a session as this client (one of CLIENTS) sends them: 40% of the text is the user's."""
    maker = Maker("genai", seed)
    history: Said = [("system", maker.texts.make(4096))]
    fresh, start_ns = 4096, time.time_ns() - count * 3_000 * MS
    for n in range(count):
        user, answer = maker.texts.make(turn_bytes * 0.4), maker.texts.make(turn_bytes * 0.6)
        history.append(("user", user))
        send = over_otlp if client in OTLP else OTHERS[client]
        yield send(client, maker, list(history), answer, start_ns + n * 3_000 * MS, fresh + len(user) + len(answer))
        history.append(("assistant", answer))
        fresh = 0


def over_otlp(client: str, maker: Maker, said: Said, answer: str, at_ns: int, fresh: int) -> Sent:
    request, spans = maker.request("bench-session")
    trace = maker.random.randbytes(16)
    agent = maker.span(spans, trace, b"", "AGENT", at_ns, 2500)
    call = maker.span(spans, trace, agent.span_id, "LLM", at_ns + 10 * MS, 1490)
    for span, kind in ((agent, "AGENT"), (call, "LLM")):
        put(span.attributes, {"session.id": "s", **OTLP[client](said, answer, kind)})
    body = request.SerializeToString()
    return Sent(lambda: otlp.decode_traces(body), len(body), fresh, trace.hex(), call.span_id.hex(), tuple(said))


def as_runs(client: str, maker: Maker, said: Said, answer: str, at_ns: int, fresh: int) -> Sent:
    """LangSmith's API: a run is posted when it starts and patched when it ends, its inputs in both."""
    chain, model = (uuid.UUID(bytes=maker.random.randbytes(16)) for _ in range(2))
    post, patch = [], []
    for run, parent, kind in ((chain, None, "chain"), (model, chain, "llm")):
        inputs = {"messages": plain(said), "model": MODEL} if kind == "llm" else {"messages": plain(said)}
        answered = plain([("assistant", answer)])[0]
        outputs = {"choices": [{"message": answered}]} if kind == "llm" else {"messages": [*plain(said), answered]}
        head = {"id": str(run), "trace_id": str(chain), "parent_run_id": parent and str(parent), "name": kind,
                "run_type": kind, "extra": {"metadata": {"session_id": "s"}}, "inputs": inputs}  # fmt: skip
        post.append({**head, "start_time": at_ns // MS})
        patch.append({**head, "end_time": at_ns // MS + 1000, "outputs": outputs})
    bodies = [orjson.dumps({"post": post}), orjson.dumps({"patch": patch})]  # 1.6 GB in 200 turns of 16 KB

    def decode() -> Batch:
        one, other = (langsmith.decode_batch(body) for body in bodies)
        return Batch("langsmith", (*one.parts, *other.parts))

    return Sent(decode, sum(map(len, bodies)), fresh, chain.hex, model.hex[:16], tuple(said))


def as_events(client: str, maker: Maker, said: Said, answer: str, at_ns: int, fresh: int) -> Sent:
    """Langfuse's ingestion API of version 2: the trace is told twice, a generation when it starts and when it ends."""
    trace, generation = (str(uuid.UUID(bytes=maker.random.randbytes(16))) for _ in range(2))
    at = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(at_ns // 10**9))
    heard, answered = plain(said), {"role": "assistant", "content": answer}
    bodies = [
        ("trace-create", {"id": trace, "name": "turn", "sessionId": "s", "input": heard}),
        ("generation-create", {"id": generation, "traceId": trace, "name": "call", "model": MODEL, "startTime": at,
                               "input": heard}),
        ("generation-update", {"id": generation, "traceId": trace, "endTime": at, "output": answered}),
        ("trace-create", {"id": trace, "output": answered}),
    ]  # fmt: skip
    events = [
        {"id": str(uuid.UUID(bytes=maker.random.randbytes(16))), "type": kind, "timestamp": at, "body": said_}
        for kind, said_ in bodies
    ]
    body = orjson.dumps({"batch": events})
    return Sent(lambda: langfuse.decode_ingestion(body, at_ns).batch, len(body), fresh, trace, generation, tuple(said))


OTHERS: dict[str, Callable[[str, Maker, Said, str, int, int], Sent]] = {
    "langsmith": as_runs,
    "langfuse 2": as_events,
}
CLIENTS = (*OTLP, *OTHERS)
