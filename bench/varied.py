"""Agent runs that differ, for files that filters, error groups, costs and signals find something in.

Six agents in three services, six models (one has no price), four departments; histories that
grow from call to call, failures of twelve kinds, retries, loops, cut answers. A run has 5 to 60 spans, 20 on average.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from random import Random
from typing import Any

from bench.generate import MS, Texts
from collector.model import Event, Resource, Scope, SpanPart

TOKEN = "ORD{:08d}"
"""What only one run speaks of."""
SESSION, USER = "session-{:07d}", "user-{:04d}"
USERS = 5000
PROVIDERS = {
    "gpt-4o-mini": "openai", "gpt-4o": "openai", "gpt-4.1-mini": "openai", "text-embedding-3-small": "openai",
    "claude-sonnet-4": "anthropic", "llama3.1:8b": "ollama",
}  # fmt: skip
DEPARTMENTS = {"sales": "pro", "support": "pro", "research": "free", "finance": "free"}
SYSTEM = "You help people with their orders. Use the tools, say what you do not know, and answer in one paragraph. "
QUESTIONS = (
    "where is my order, and when will it come?", "can I return the blue one and keep the other?",
    "why was my card charged twice?", "what does the warranty cover?", "plan three days in Porto for two",
    "summarise what was decided about the budget", "which supplier was late most often?", "京都の天気はどうですか。",
    "compare the two contracts and say what differs", "how do I change the address of a subscription?",
)  # fmt: skip
FAILURES = (
    ("TimeoutError", "no answer after {n} s from http://127.0.0.1:{port}/v1"),
    ("RateLimitError", "429: limit of {model} reached, try again in {n} s"),
    ("PermissionError", "user {user} may not refund"), ("KeyError", "'order_{n}'"),
    ("ValidationError", "1 validation error for Order: total must be greater than {n}"),
    ("ConnectionError", "connection to db-{n} refused"), ("OverloadedError", "529: the model is overloaded"),
    ("JSONDecodeError", "Expecting value: line 1 column {n} (char {port})"),
    ("NotFound", "there is no invoice {port}"), ("BadRequestError", "context of {port} tokens is over the limit"),
    ("QuotaExceeded", "budget of team {n} is used up"), ("AssertionError", "the total does not add up: {n} and {port}"),
)  # fmt: skip


@dataclass(frozen=True)
class Agent:
    """Who runs, where, with what."""

    name: str
    service: str
    models: tuple[str, ...]
    tools: tuple[str, ...]
    feature: str
    release: str = "1.4.2"


AGENTS = (
    Agent("support_agent", "checkout", ("gpt-4o-mini", "claude-sonnet-4"), ("get_order", "refund"), "chat"),
    Agent("refund_agent", "checkout", ("gpt-4o-mini",), ("get_order", "refund", "notify"), "refunds"),
    Agent("search_agent", "search", ("gpt-4o", "gpt-4o-mini"), ("look_up", "rank"), "search", "2.0.1"),
    Agent("summarise", "search", ("gpt-4.1-mini",), ("read_page",), "report", "2.0.1"),
    Agent("planner", "research", ("claude-sonnet-4", "llama3.1:8b"), ("get_weather", "book"), "plan", "0.9"),
    Agent("deep_research", "research", ("claude-sonnet-4", "gpt-4o"), ("read_page", "look_up"), "report", "0.9"),
)


class Runs:
    """Makes runs, each from its number; the same seed makes the same."""

    def __init__(self, seed: int = 5) -> None:
        self.random = Random(seed)
        self.texts = Texts(seed, 200_000)

    def run(self, number: int, start_ns: int) -> list[SpanPart]:
        """The spans of run `number`, its root first."""
        made = Run(self, number, start_ns)
        made.go()
        return made.spans


def session_of(number: int) -> int:
    """Four runs a session, a hundred runs apart."""
    return number // 400 * 100 + number % 100


def user_of(session: int) -> int:
    return session * 7919 % USERS


class Run:
    """One run in the making: its clock, its history, its spans."""

    def __init__(self, runs: Runs, number: int, start_ns: int) -> None:
        self.random, self.texts, self.number = runs.random, runs.texts, number
        self.agent = self.random.choices(AGENTS, (8, 2, 5, 3, 2, 1))[0]
        self.model = self.random.choice(self.agent.models)
        self.trace_id = self.random.randbytes(16).hex()
        self.start_ns = self.now_ns = start_ns
        self.spans: list[SpanPart] = []
        self.history: list[dict[str, Any]] = []
        session = session_of(number)
        self.whose = {"session.id": SESSION.format(session), "user.id": USER.format(user_of(session))}
        place = {"service.name": self.agent.service, "service.version": self.agent.release}
        environment = "staging" if self.random.random() < 0.1 else "prod"
        self.resource = Resource({**place, "deployment.environment.name": environment})
        self.scope = Scope("bench", "1")
        self.about = self.random.randrange(1000, 10_000)
        self.failed: SpanPart | None = None

    def go(self) -> None:
        question = f"{self.random.choice(QUESTIONS)} It is about {self.about}."
        root = self._span("agent", self.agent.name, None)
        self.history.append(_said("user", question))
        steps = self.random.choices((1, 3, 5, 9, 24), (3, 6, 6, 3, 1))[0]
        for _ in range(steps):
            self._step(root.span_id)
        if steps > 1 and self.random.random() < 0.4:
            self._retrieve(root.span_id)
        answer = self.texts.make(self.random.uniform(60, 200))
        self._call(root.span_id, answer, None)
        self._close_root(root, question, answer)

    def _close_root(self, root: SpanPart, question: str, answer: str) -> None:
        token = TOKEN.format(self.number)
        department = self.random.choice(list(DEPARTMENTS))
        metadata = {
            "department": department, "tier": DEPARTMENTS[department], "feature": self.agent.feature,
            "vram_gb": self.random.choice((8, 16, 24)),
        }  # fmt: skip
        root.attributes = {
            "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": self.agent.name, **self.whose,
            "input.value": f"{token}: {question} {self.texts.make(60)}", "output.value": f"About {token}: {answer}",
            "metadata": json.dumps(metadata),
            "tag.tags": [f"team:{department}", self.random.choice(("beta", "stable", "stable"))],
        }  # fmt: skip
        self._end(root, self.now_ns + 2 * MS)
        if self.failed is not None and self.random.random() < 0.4:
            self._fail(root, (self.failed.reading.error_type or "", self.failed.status_message or ""))

    def _step(self, parent: str) -> None:
        """A call that asks for a tool, and the tool; sometimes the same again and again, or a failure and a retry."""
        step = self._span("chain", "step", parent)
        parent, tool = step.span_id, self.random.choice(self.agent.tools)
        arguments = {"id": self.about}
        times = 3 if self.random.random() < 0.005 else 1
        for _ in range(times):
            call_id = f"call_{self.random.getrandbits(32):08x}"
            while self._call(parent, None, {"id": call_id, "name": tool, "arguments": arguments}) and (
                self.random.random() < 0.8
            ):
                self.now_ns += 500 * MS
            self._tool(parent, tool, call_id, arguments)
        self._end(step, self.now_ns + MS)

    def _call(self, parent: str, answer: str | None, asks: dict[str, Any] | None) -> bool:
        """A call of a model; True when it failed."""
        span = self._span("llm", f"chat {self.model}", parent)
        took = int(self.random.lognormvariate(6.6, 0.7)) * MS
        asked = 300 + sum(len(json.dumps(message)) for message in self.history) // 4
        reading = self.random.random() < 0.3
        span.attributes = {
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": PROVIDERS[self.model],
            "gen_ai.request.model": self.model,
            "gen_ai.system_instructions": json.dumps([{"type": "text", "content": SYSTEM * 3}]),
            "gen_ai.input.messages": json.dumps(self.history),
        }  # fmt: skip
        if self.random.random() < 0.012:
            self._end(span, span.start_ns + took)
            self._fail(span, self.random.choice(FAILURES))
            return True
        part = {"type": "text", "content": answer} if asks is None else {"type": "tool_call", **asks}
        cut = asks is None and self.random.random() < 0.01
        said = {"role": "assistant", "parts": [part], "finish_reason": "length" if cut else "stop"}
        span.attributes |= {
            "gen_ai.output.messages": json.dumps([said]), "gen_ai.usage.input_tokens": asked,
            "gen_ai.usage.output_tokens": 20 + len(json.dumps(part)) // 4,
            "gen_ai.usage.cache_read.input_tokens": asked * 3 // 4 if reading else 0,
            "gen_ai.response.time_to_first_chunk": took / 4e9,
        }  # fmt: skip
        self.history.append({"role": "assistant", "parts": [part]})
        self._end(span, span.start_ns + took)
        return False

    def _tool(self, parent: str, name: str, call_id: str, arguments: dict[str, Any]) -> None:
        span = self._span("tool", name, parent)
        result = self.texts.make(self.random.uniform(40, 240))
        span.attributes = {
            "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name, "gen_ai.tool.call.id": call_id,
            "gen_ai.tool.call.arguments": json.dumps(arguments), "gen_ai.tool.call.result": result,
        }  # fmt: skip
        if self.random.random() < 0.4:
            request = self._span("http", "GET", span.span_id)
            request.attributes = {"http.request.method": "GET", "url.full": f"http://127.0.0.1/{name}"}
            self._end(request, request.start_ns + self.random.randrange(1, 200) * MS)
        self._end(span, self.now_ns + self.random.randrange(1, 300) * MS)
        part = {"type": "tool_call_response", "id": call_id, "result": result}
        self.history.append({"role": "tool", "parts": [part]})
        if self.random.random() < 0.02:
            self._fail(span, self.random.choice(FAILURES))

    def _retrieve(self, parent: str) -> None:
        found = self._span("retriever", "look up documents", parent)
        vector = self._span("embedding", "embeddings text-embedding-3-small", found.span_id)
        vector.attributes = {
            "gen_ai.operation.name": "embeddings", "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "text-embedding-3-small", "gen_ai.usage.input_tokens": self.random.randrange(8, 60),
        }  # fmt: skip
        self._end(vector, vector.start_ns + self.random.randrange(20, 90) * MS)
        found.attributes = {"openinference.span.kind": "RETRIEVER", "input.value": self.texts.make(30)}
        for n in range(3):
            at = f"retrieval.documents.{n}.document."
            found.attributes |= {
                at + "id": f"doc-{self.random.randrange(9999)}", at + "score": self.random.random(),
                at + "content": self.texts.make(120),
            }  # fmt: skip
        self._end(found, self.now_ns + 5 * MS)

    # Spans.

    def _span(self, kind: str, name: str, parent: str | None) -> SpanPart:
        self.now_ns += 2 * MS
        span = SpanPart(
            trace_id=self.trace_id, span_id=self.random.randbytes(8).hex(), parent_id=parent, name=name,
            start_ns=self.now_ns, otel_kind=3 if kind in ("llm", "embedding", "http") else 1,
            resource=self.resource, scope=self.scope,
        )  # fmt: skip
        self.spans.append(span)
        return span

    def _end(self, span: SpanPart, end_ns: int) -> None:
        span.end_ns = span.at_ns = end_ns
        span.status = "ok"
        self.now_ns = max(self.now_ns, end_ns)

    def _fail(self, span: SpanPart, failure: tuple[str, str]) -> None:
        kind, words = failure
        n, port = self.random.randrange(1, 60), self.random.randrange(1000, 9999)
        words = words.format(n=n, port=port, model=self.model, user=self.whose["user.id"]) if "{" in words else words
        span.status, span.otel_status, span.status_message = "error", 2, words
        span.attributes = {**span.attributes, "error.type": kind}
        said = {"exception.type": kind, "exception.message": words}
        span.events = (Event(span.end_ns or span.at_ns, "exception", said),)
        self.failed = span


def _said(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}
