"""What names a model call beside the id of its answer: the same words from whoever reports it.

The provider's id of the request (Claude Code tells it in its session logs, its events and its spans, LiteLLM among
the headers of the answer; our proxy and our wrapped clients hear it); the id that LangChain gives an answer whose own
it drops (every streamed one); and of a run of LangSmith its name and its two times, to the microsecond: its SDK may
send a run as OTLP too, and to several projects, each time under another id.
And Anthropic's `messages.stream` in JavaScript goes by model, tokens and about when it began: see `_helper`.
Source: langsmith._internal.otel._otel_exporter and langsmith.run_trees of langsmith 0.14, langchain-core 1.7.
"""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64encode

from collector.conventions.langsmith_runs import RUN, RUN_ID
from collector.conventions.values import text
from collector.model import MODEL_KINDS, Reading, SpanPart

_TIMED = "t"
_HEADERS = ("http.response.header.request-id", "http.response.header.x-request-id")
_LITELLM = "hidden_params"
_HEADER_IN_JSON = re.compile(r'"(?:llm_provider-)?(?:x-)?request-id": ?"([^"\\]{1,200})"')
_IN_LOGS, _SENT = "claude_code.request_id", "request_id"
_CLAUDE = "com.anthropic.claude_code"
_OUTPUTS = (RUN + "outputs", "gen_ai.completion", "output.value")
_OF_LANGCHAIN = re.compile(
    r'"id": ?"(?:lc_run-|run)-{1,2}([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?:-\d+)?"'
)
_US = 1_000
WAY = "/"
_OPENINFERENCE, _TYPESCRIPT = "@arizeai/openinference-instrumentation-anthropic", "com.anthropic.sdk.typescript"
_STREAMED = re.compile(r'"stream": ?true')
_SOON_NS = 10 * 10**9
"""Two that begin a millisecond apart fall into one span of ten seconds, but for one in ten thousand."""


def call_key(part: SpanPart, reading: Reading) -> str | None:
    """The key of the call that a (folded) span reports; None where nothing names it, or it is no model's."""
    if reading.kind not in MODEL_KINDS or part.start_ns is None:
        return None
    said = part.attributes
    if (request := _request(part)) is not None:
        return _key("n", "request", request)
    if (answer := _answer(part)) is not None:
        return _key("n", "langchain", answer)
    if part.end_ns is None:
        return None
    if (way := _helper(part, reading)) is not None:
        asked, usage = reading.request_model or reading.model or "", reading.usage
        tokens = (usage.input_tokens, usage.output_tokens) if usage is not None else ()
        begun = part.start_ns // _SOON_NS
        return f"{_key(_TIMED, 'stream', reading.service or '', asked, *map(str, (*tokens, begun)))}{WAY}{way}"
    if not (RUN_ID in said or _exported(part)):
        return None
    # as OTLP the times were through a float: up to half a microsecond off
    times = ((at + _US // 2) // _US for at in (part.start_ns, part.end_ns))
    return _key(_TIMED, "langsmith", part.name or "", *map(str, times))


def by_times(key: str) -> bool:
    """Whether a key is no name that somebody gave the call, only when it was: two calls may share it."""
    return key.startswith(_TIMED)


def all_ways(key: str) -> tuple[str, ...]:
    """The keys under which the same call is told, where who tells it is a part of them."""
    name, way, _ = key.partition(WAY)
    return tuple(f"{name}{WAY}{number}" for number in (0, 1)) if way else (key,)


def _key(sort: str, *words: str) -> str:
    """A letter and 96 bits: as short as what is told apart by them allows."""
    digest = hashlib.sha256("\0".join(words).encode(errors="replace")).digest()
    return sort + urlsafe_b64encode(digest[:12]).decode()


def _helper(part: SpanPart, reading: Reading) -> int | None:
    """Who of the two that tell of Anthropic's `messages.stream` in JavaScript: OpenInference (0), whose span has no id,
    nor the client's for a child, or the client itself (1)."""
    scope = part.scope.name if part.scope is not None else ""
    if scope == _OPENINFERENCE:
        return 0 if reading.response_id is None and _STREAMED.search(str(part.attributes.get("input.value"))) else None
    return 1 if scope == _TYPESCRIPT and part.attributes.get("gen_ai.request.stream") is True else None


def _request(part: SpanPart) -> str | None:
    said = part.attributes
    for name in _HEADERS:
        if isinstance(given := said.get(name), list) and given:
            return text(given[0])
    if isinstance(told := said.get(_LITELLM), str) and (found := _HEADER_IN_JSON.search(told)):
        return found[1]
    if _IN_LOGS in said:
        return text(said[_IN_LOGS])
    if _SENT in said and part.scope is not None and part.scope.name.startswith(_CLAUDE):
        return text(said[_SENT])
    return None


def _answer(part: SpanPart) -> str | None:
    """The id of the run within the name that LangChain gives an answer: `lc_run--<id>`, `run-<id>-0` before 1.0."""
    for name in _OUTPUTS:
        value = part.attributes.get(name)
        if isinstance(value, str) and ('"lc_run-' in value or '"run-' in value):
            found = _OF_LANGCHAIN.search(value)
            return found[1] if found else None
    return None


def _exported(part: SpanPart) -> bool:
    return part.scope is not None and part.scope.name == "langsmith" and "langsmith.span.kind" in part.attributes
