"""What the benchmarks send: agent runs of 20 spans, and a session that sends its whole history with every call.

Bodies are OTLP requests in protobuf. No two texts are equal, so that nothing is stored once by accident.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

BOTH, OPENINFERENCE, GENAI = "both", "openinference", "genai"
CONVENTIONS = (OPENINFERENCE, GENAI)
CONTENT_BYTES = 1300  # a span, on average: with ids and names it makes about 2 KB on the wire
RUN = ("AGENT", *("LLM", "TOOL") * 7, "TOOL", "RETRIEVER", "RETRIEVER", "RETRIEVER", "CHAIN")
SHARES = {"AGENT": 0.8, "LLM": 1.55, "TOOL": 0.6, "RETRIEVER": 0.95, "CHAIN": 0.45}
NAMES = {"AGENT": "support-agent", "LLM": "chat", "TOOL": "look_up_order", "RETRIEVER": "retrieve", "CHAIN": "step"}
MODEL = "gpt-4o-mini"
MS = 1_000_000
SYLLABLES = "ka lo mi ne ru ta shi vo per den gal mor tis ran fel bo".split()


class Texts:
    """Prose of some 4,000 words, one in ten a number seen nowhere else; every text opens with its own."""

    def __init__(self, seed: int, size: int = 1_000_000) -> None:
        self.random = Random(seed)
        words = [a + b + c for a in SYLLABLES for b in SYLLABLES for c in SYLLABLES]
        common = self.random.choices(words, [1 / rank for rank in range(1, len(words) + 1)], k=size // 7)
        for at in range(0, len(common), 10):
            common[at] = f"{self.random.getrandbits(40):x}"
        self.prose = " ".join(common)

    def make(self, length: float) -> str:
        head = f"{self.random.getrandbits(48):012x} "
        wanted = max(int(length) - len(head), 0)
        start = self.random.randrange(len(self.prose) - wanted)
        return head + self.prose[start : start + wanted]


@dataclass
class Maker:
    """Makes spans into one request at a time."""

    convention: str
    seed: int = 1

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.texts = Texts(self.seed)
        self.spoken = {OPENINFERENCE, GENAI} if self.convention == BOTH else {self.convention}

    def request(self, service: str) -> tuple[ExportTraceServiceRequest, Any]:
        """An empty request and the list to put its spans into."""
        request = ExportTraceServiceRequest()
        resource = request.resource_spans.add()
        put(resource.resource.attributes, {"service.name": service, "telemetry.sdk.language": "python"})
        scope = resource.scope_spans.add()
        scope.scope.name, scope.scope.version = "bench", "1"
        return request, scope.spans

    def span(self, spans: Any, trace: bytes, parent: bytes, kind: str, start_ns: int, ms: int) -> Span:
        span: Span = spans.add()
        span.trace_id, span.span_id, span.parent_span_id = trace, self.random.randbytes(8), parent
        span.name = NAMES[kind]
        span.kind = Span.SPAN_KIND_CLIENT if kind == "LLM" else Span.SPAN_KIND_INTERNAL
        span.start_time_unix_nano, span.end_time_unix_nano = start_ns, start_ns + ms * MS
        span.status.code = Status.STATUS_CODE_OK
        return span

    def run(self, spans: Any, start_ns: int, size: int = len(RUN)) -> str:
        """One agent run; returns its trace id. `size` leaves out its last spans."""
        trace, session = self.random.randbytes(16), f"session-{self.random.randrange(200)}"
        root = b""
        for n, kind in enumerate(RUN[:size]):
            ms = 20_000 if not n else self.random.randrange(1, 900)
            span = self.span(spans, trace, root, kind, start_ns + n * MS, ms)
            root = root or span.span_id
            if self.random.random() < 0.02:
                span.status.code = Status.STATUS_CODE_ERROR
                span.status.message = "TimeoutError: the upstream did not answer"
            put(span.attributes, self.attributes(kind, session))
        return trace.hex()

    def attributes(self, kind: str, session: str) -> dict[str, Any]:
        content = CONTENT_BYTES * SHARES[kind]
        found: dict[str, Any] = {}
        if OPENINFERENCE in self.spoken:
            found |= {"openinference.span.kind": kind, "session.id": session}
        if kind == "LLM":
            prompt = [(role, self.texts.make(content / 4)) for role in ("system", "user", "tool")]
            return found | self.call(prompt, self.texts.make(content / 4))
        if kind == "RETRIEVER":
            found["input.value"] = self.texts.make(60)
            for n in range(3):
                at = f"retrieval.documents.{n}.document."
                found[at + "id"], found[at + "score"] = f"doc-{self.random.randrange(9999)}", self.random.random()
                found[at + "content"] = self.texts.make(content / 3)
            return found
        if kind == "TOOL":
            found["tool.name"] = NAMES[kind]
        if GENAI in self.spoken:
            found |= self.operation(kind, session)
        for side in ("input", "output"):
            found |= {f"{side}.value": self.texts.make(content / 2), f"{side}.mime_type": "text/plain"}
        return found

    def operation(self, kind: str, session: str) -> dict[str, Any]:
        if kind == "TOOL":
            call = f"call_{self.random.getrandbits(64):016x}"
            return {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": NAMES[kind],
                    "gen_ai.tool.call.id": call}  # fmt: skip
        if kind == "AGENT":
            return {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": NAMES[kind],
                    "gen_ai.conversation.id": session}  # fmt: skip
        return {}

    def call(self, prompt: list[tuple[str, str]], answer: str) -> dict[str, Any]:
        """An LLM call. Messages travel once: as OpenInference has them, or else as GenAI."""
        asked, said = sum(len(text) for _, text in prompt) // 4, len(answer) // 4
        found: dict[str, Any] = {}
        if OPENINFERENCE in self.spoken:
            found |= {"llm.model_name": MODEL, "llm.provider": "openai",
                      "llm.invocation_parameters": '{"temperature": 0.2, "max_tokens": 1024}'}  # fmt: skip
            for side, messages in (("input", prompt), ("output", [("assistant", answer)])):
                for n, (role, text) in enumerate(messages):
                    at = f"llm.{side}_messages.{n}.message."
                    found |= {at + "role": role, at + "content": text}
            found |= {"llm.token_count.prompt": asked, "llm.token_count.completion": said,
                      "llm.token_count.total": asked + said}  # fmt: skip
        if GENAI in self.spoken:
            found |= {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai",
                      "gen_ai.request.model": MODEL, "gen_ai.response.model": MODEL + "-2024-07-18",
                      "gen_ai.request.temperature": 0.2,
                      "gen_ai.usage.input_tokens": asked, "gen_ai.usage.output_tokens": said}  # fmt: skip
        if self.convention == GENAI:
            found["gen_ai.input.messages"] = spelt(prompt)
            found["gen_ai.output.messages"] = spelt([("assistant", answer)], finish_reason="stop")
        return found


def agent_bodies(spans: int, *, convention: str = BOTH, batch: int = 200, seed: int = 1) -> Iterator[tuple[int, bytes]]:
    """(number of spans, body) until there are `spans` of them. Another seed makes other ids and texts."""
    maker = Maker(convention, seed)
    while spans > 0:
        request, into = maker.request("bench")
        size = min(batch, spans)
        now = time.time_ns()
        while len(into) < size:
            maker.run(into, now, min(size - len(into), len(RUN)))
        yield size, request.SerializeToString()
        spans -= size


@dataclass(frozen=True)
class Turn:
    """One turn of a session: its body, the bytes of text in it that no turn before it had, and its LLM call."""

    body: bytes
    unique_bytes: int
    trace_id: str
    span_id: str
    prompt: tuple[tuple[str, str], ...]


def session_turns(turns: int, turn_bytes: int, convention: str, *, seed: int = 1) -> Iterator[Turn]:
    """A trace a turn: agent, LLM call with the whole history, tool. 30% of a turn's text is the user's,
    20% the model's, half the tool's; a system prompt of 4 KB comes first."""
    maker = Maker(convention, seed)
    session = f"session-{seed}-{convention}"
    history = [("system", maker.texts.make(4096))]
    fresh = 4096
    start_ns = time.time_ns() - turns * 3_000 * MS
    for n in range(turns):
        user, answer, result = (maker.texts.make(turn_bytes * share) for share in (0.3, 0.2, 0.5))
        history.append(("user", user))
        request, spans = maker.request("bench-session")
        trace, at_ns = maker.random.randbytes(16), start_ns + n * 3_000 * MS
        agent = maker.span(spans, trace, b"", "AGENT", at_ns, 2500)
        call = maker.span(spans, trace, agent.span_id, "LLM", at_ns + 10 * MS, 1490)
        tool = maker.span(spans, trace, agent.span_id, "TOOL", at_ns + 1500 * MS, 900)
        whose = {"session.id": session}
        if convention == OPENINFERENCE:
            for span, kind in ((agent, "AGENT"), (call, "LLM"), (tool, "TOOL")):
                put(span.attributes, {"openinference.span.kind": kind})
        else:
            put(agent.attributes, maker.operation("AGENT", session))
            put(tool.attributes, maker.operation("TOOL", session))
        put(agent.attributes, whose | {"input.value": user, "output.value": answer})
        put(call.attributes, whose | maker.call(history, answer))
        put(tool.attributes, whose | {"tool.name": NAMES["TOOL"], "input.value": answer[:64], "output.value": result})
        fresh += len(user) + len(answer) + len(result)
        yield Turn(request.SerializeToString(), fresh, trace.hex(), call.span_id.hex(), tuple(history))
        history += [("assistant", answer), ("tool", result)]
        fresh = 0


def spelt(messages: list[tuple[str, str]], **more: str) -> str:
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}], **more} for role, text in messages])


def put(attributes: Any, values: dict[str, Any]) -> None:
    for key, value in values.items():
        found = attributes.add()
        found.key = key
        if isinstance(value, str):
            found.value.string_value = value
        elif isinstance(value, int):
            found.value.int_value = value
        else:
            found.value.double_value = value
