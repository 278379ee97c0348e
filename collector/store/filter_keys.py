"""The keys of the filter language: what each holds, one example, and a line for people.

The order is the order in which help and completion list them. `docs/filters.md` says the same at length; a test
holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from collector.kinds import KINDS, SIGNALS, STATUSES

Holds: TypeAlias = Literal["text", "choice", "number", "count", "duration", "money", "moment", "any", "term", "view"]

HAS = (
    "replay", "score", "error", "cost", "tokens", "cache", "reasoning", "docs", "tool", "prompt", "model", "session",
    "user", "tag", "meta", "input", "output", "system", "events", "links", "logs", "notes",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Key:
    """`named` keys take a name of the user's after a dot, `ordered` ones take `> >= < <= =` and `low..high`."""

    name: str
    holds: Holds
    example: str
    about: str
    choices: tuple[str, ...] = ()
    named: bool = False

    @property
    def ordered(self) -> bool:
        return self.holds in ("number", "count", "duration", "money", "any")

    @property
    def opening(self) -> str:
        """How typing it begins: `cost:`, `meta.`."""
        return self.name + ("." if self.named else ":")


_ALL = (
    Key("status", "choice", "status:error", "running, ok, error or abandoned", STATUSES),
    Key("kind", "choice", "kind:tool", "what a span is", KINDS),
    Key("model", "text", "model:gpt-4o*", "the model that answered, or was asked for"),
    Key("name", "text", "name:get_weather", "of a trace or span, in any case"),
    Key("cost", "money", "cost:>0.05", "US dollars"),
    Key("latency", "duration", "latency:>2s", "from start to end"),
    Key("ttft", "duration", "ttft:>800ms", "until the first token"),
    Key("tokens", "count", "tokens:>10k", "input and output together"),
    Key("errors", "count", "errors:>0", "failed spans of the trace or session"),
    Key("session", "text", "session:thread-42", "thread, conversation"),
    Key("user", "text", "user:u7", "who it was for"),
    Key("tag", "text", "tag:prod", "one of the tags"),
    Key("service", "text", "service:api", "the program that sent it"),
    Key("env", "text", "env:production", "deployment environment"),
    Key("release", "text", "release:v1.4*", "version of the program"),
    Key("level", "text", "level:warning", "DEBUG, DEFAULT, WARNING, ERROR, in any case"),
    Key("since", "moment", "since:1h", "began at or after an age or a date"),
    Key("until", "moment", "until:2026-11-22", "began before an age or a date"),
    Key("error.type", "text", "error.type:Timeout*", "class of the failure"),
    Key("finish", "text", "finish:length", "why the model stopped"),
    Key("docs", "count", "docs:0", "documents that a retriever or reranker returned"),
    Key("doc.score", "number", "doc.score:<0.5", "of one of these documents"),
    Key("signal", "choice", "signal:loop", "something looks wrong: " + ", ".join(SIGNALS), SIGNALS),
    Key("has", "choice", "has:replay", ", ".join(HAS), HAS),
    Key("meta", "any", "meta.tier:premium", "metadata, by its key", named=True),
    Key("score", "any", "score.quality:<0.5", "a score, by its name", named=True),
    Key("attr", "any", "attr.http.route:/pay*", "a span's attribute, by its key", named=True),
    Key("res", "any", "res.host.name:web-1", "a resource attribute, by its key", named=True),
    Key("run", "text", "run:20261121-074148-3fa9c2", "what one `tracetui run` did"),
    Key("answered", "text", "answered:gpt-4o-2024-08-06", "the model that answered (asked for, where none is named)"),
    Key("provider", "text", "provider:openai", "who served the model"),
    Key("tool", "text", "tool:get_weather", "the tool that ran"),
    Key("agent", "text", "agent:planner", "the agent that acted"),
    Key("prompt", "text", "prompt:triage", "the prompt's name"),
    Key("version", "text", "version:3", "the prompt's version"),
    Key("project", "text", "project:shop", "as sent by Langfuse or LangSmith clients"),
    Key("any", "term", "any:status:error", "some span of the trace is like that; any:(…) one span is all of that"),
    Key("root", "term", "root:kind:agent", "the trace's root span is like that"),
    Key("trace", "term", "trace:status:error", "of spans: their trace is like that, as the list of traces asks it"),
    Key("view", "view", "view:slow", "a filter saved under [views] in the settings"),
)

TABLE = {key.name: key for key in _ALL}
KEYS = tuple(TABLE)
SCOPES = ("any", "root", "trace")
FOLDED = ("name", "level")
"""Compared without regard to the case of ASCII letters."""

ELSEWHERE = {
    "duration": "latency", "took": "latency", "price": "cost", "environment": "env", "thread": "session",
    "conversation": "session", "tags": "tag", "metadata": "meta.NAME", "scores": "score.NAME", "type": "kind",
    "attribute": "attr.KEY", "attributes": "attr.KEY", "resource": "res.KEY", "after": "since", "before": "until",
    "from": "since", "to": "until", "error": "status:error or error.type", "version": "release",
    "input_tokens": "tokens", "finish_reason": "finish", "documents": "docs", "is": "status", "llm": "model",
}  # fmt: skip
"""Words that other tools use for these keys."""


def key_of(word: str) -> tuple[Key | None, str]:
    """(the key of what stands before the colon, the user's name after the dot or ""); (None, "") for no key."""
    low = word.lower()
    exact = TABLE.get(low)
    if exact is not None:
        return exact, ""
    head, dot, name = word.partition(".")
    key = TABLE.get(head.lower())
    return (key, name) if dot and key is not None and key.named else (None, "")
