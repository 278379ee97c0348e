"""Runs of LangSmith's own API, as `protocols.langsmith` stores them: their inputs and outputs are whatever the traced
function took and gave, LangChain's messages, or a provider's request and response.

(What LangSmith's SDK sends as OTLP is another convention, with attributes of its own.)
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from collector.conventions import langsmith_litellm as litellm
from collector.conventions.content import tool_output, unwrapped
from collector.conventions.counting import from_details
from collector.conventions.flat import document
from collector.conventions.langsmith_wrapped import OF_THE_LIBRARY, SESSION_KEYS, given, is_set, vectors
from collector.conventions.messages import conversation, is_message, message, side, split_system
from collector.conventions.usage import CACHE_NOTE
from collector.conventions.values import decoded, load, mapping, number, text
from collector.model import USAGE_FIELDS, Content, Document, Message, Reading, SpanPart, Tool, Usage, Value

RUN, METADATA, EXTRA, ANSWER = "langsmith.run.", "langsmith.metadata.", "langsmith.extra.", "langsmith.answer."
RUN_ID, ATTACHMENT = RUN + "id", RUN + "attachments."

KINDS = {
    "llm": "llm", "chain": "chain", "tool": "tool", "retriever": "retriever", "embedding": "embedding",
    "prompt": "prompt", "parser": "chain",
}  # fmt: skip
PROVIDERS = {
    "azure": "azure.ai.openai", "azure_openai": "azure.ai.openai", "amazon_bedrock": "aws.bedrock",
    "google": "gcp.gemini", "bedrock": "aws.bedrock", "bedrock_converse": "aws.bedrock", "google_genai": "gcp.gemini",
    "google_vertexai": "gcp.vertex_ai", "mistralai": "mistral_ai", "mistral": "mistral_ai", "xai": "x_ai",
}  # fmt: skip
"""LangChain's names of providers in the spelling of OpenTelemetry's conventions; most are the same."""

_NO_PARAMS = frozenset(
    """model model_name model_id _type messages input prompt prompts contents tools functions system instructions
    args kwargs stream_options extra_headers extra_query extra_body timeout""".split()
)
_ASKED = (("ls_temperature", "temperature"), ("ls_max_tokens", "max_tokens"), ("ls_stop", "stop"))
_EMPTY = Content()
_STEP = re.compile(r"(?:seq|graph):step:\d+|map:key:.*", re.DOTALL).fullmatch
_LITERAL_CHARS = 100_000
_WRAPPERS = frozenset({"input", "output", "outputs"})


def read_run(part: SpanPart) -> Reading:
    """The meaning of a (folded) part that is a run. Pure."""
    said = part.attributes
    metadata = {name[len(METADATA) :]: value for name, value in said.items() if name.startswith(METADATA)}
    inputs, outputs = given(_loaded(said.get(RUN + "inputs"))), _loaded(said.get(RUN + "outputs"))
    kind = KINDS.get(str(said.get(RUN + "type")), "span")
    payload = inputs if litellm.is_payload(inputs) else None
    if payload is not None:
        kind, inputs = litellm.kind(payload, kind), litellm.request(payload)
        metadata = {**litellm.metadata(payload), **metadata}
    out: dict[str, Any] = {
        "convention": "langsmith",
        "kind": kind,
        "project": text(said.get(RUN + "project")),
        "tags": _tags(said.get(RUN + "tags")),
        "session_id": next((word for key in SESSION_KEYS if (word := text(metadata.get(key)))), None),
        "user_id": text(metadata.get("user_id")) or text(metadata.get("userId")),
        "release": text(metadata.get("revision_id")),
        "metadata": _own(metadata, _mapping(said.get(EXTRA + "invocation_params"))),
    }
    _prompt(metadata, out)
    _model(said, metadata, inputs, kind, out)
    _usage(said, metadata, out)
    _first_token(part, out)
    if payload is not None:
        litellm.answered(payload, out)
    _contents(part, kind, inputs, outputs, out)
    if part.status == "error":
        out["error_type"] = next(
            (text(e.attributes.get("exception.type")) for e in part.events if e.name == "exception"), None
        )
    return Reading(**out)


def _tags(given_tags: Value) -> tuple[str, ...]:
    """A run's tags without those with which LangChain and LangGraph count their steps; the attribute has them all."""
    listed = given_tags if isinstance(given_tags, list) else ()
    return tuple([str(tag) for tag in listed if not _STEP(str(tag))])


def _own(metadata: dict[str, Any], invocation: dict[str, Any]) -> dict[str, Any] | None:
    """What the application says itself: LangChain repeats a model's parameters in the metadata of its run."""
    return {
        name: value
        for name, value in metadata.items()
        if not name.startswith(OF_THE_LIBRARY) and not (name in invocation and invocation[name] == value)
    } or None


def facts(outputs: Any) -> dict[str, Value]:
    """What an answer says beside its content: `model`, `id`, `usage` (as sent) and `finish_reasons`."""
    if not isinstance(outputs, dict):
        return {}
    first, told = _told(outputs)
    reasons: list[Value] = list(_reasons(outputs))
    found = {
        "model": text(told.get("model_name")) or text(told.get("model")) or text(told.get("model_id")),
        "id": _answer_id(told, first),
        "usage": _told_usage(
            outputs.get("usage_metadata"), first.get("usage_metadata"), told.get("token_usage"), told.get("usage"),
            outputs.get("usage"),
        ),
        "finish_reasons": reasons or None,
    }  # fmt: skip
    return {name: value for name, value in found.items() if value is not None}


def _told_usage(*places: Any) -> dict[str, Any] | None:
    """The first that is told; what the sum is made of comes from the next that tells it."""
    listed = [found for value in places if (found := mapping(value))]
    if not listed or any(name.endswith("_details") for name in listed[0]):
        return listed[0] if listed else None
    details = {name: value for other in listed[:0:-1] for name, value in other.items() if name.endswith("_details")}
    return {**listed[0], **{name: value for name, value in details.items() if value}}


def _told(outputs: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(the first message's fields, what the provider said of its answer). LangChain's results have both inside."""
    batch = _generations(outputs)
    if not batch:
        inner = outputs.get("output", outputs.get("message"))
        first = _fields(inner) if is_message(inner) else {}
        return first, {**outputs, **_mapping(first.get("response_metadata"))}
    first = _fields(batch[0].get("message"))
    whole, own = _mapping(outputs.get("llm_output")), _mapping(first.get("response_metadata"))
    return first, {**whole, **own}


def _generations(outputs: dict[str, Any]) -> list[dict[str, Any]]:
    """LangChain's candidates for the first prompt (each prompt has a run of its own)."""
    listed = outputs.get("generations")
    if isinstance(listed, list) and listed and isinstance(listed[0], list):
        listed = listed[0]
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _fields(said: Any) -> dict[str, Any]:
    """A message's fields, out of LangChain's envelopes."""
    fields = _mapping(said)
    for envelope in ("kwargs", "data"):
        if isinstance(fields.get(envelope), dict):
            return dict(fields[envelope])
    return fields


def _reasons(outputs: dict[str, Any]) -> list[str]:
    candidates = _generations(outputs)
    told = [
        {**_mapping(_fields(one.get("message")).get("response_metadata")), **_mapping(one.get("generation_info"))}
        for one in candidates
    ]
    choices = outputs.get("choices")
    if not candidates and isinstance(choices, list):
        told = [_mapping(one) for one in choices]
    elif not candidates:
        told = [outputs]
    found = (text(one.get("finish_reason")) or text(one.get("stop_reason")) for one in told)
    return [reason for reason in found if reason]


def _answer_id(told: dict[str, Any], first: dict[str, Any]) -> str | None:
    """The provider's id of its answer. LangChain's own begin with "run-" and "lc_"."""
    named = text(told.get("id")) or text(told.get("response_id")) or text(first.get("id"))
    return None if named is None or named.startswith(("run-", "lc_")) else named


def _model(
    said: Mapping[str, Value], metadata: dict[str, Any], inputs: Any, kind: str, out: dict[str, Any]
) -> None:  # fmt: skip
    if kind not in ("llm", "embedding"):
        return
    asked = _mapping(inputs)
    invocation = _mapping(said.get(EXTRA + "invocation_params"))
    names = [metadata.get("ls_model_name"), asked.get("model")]
    names += [invocation.get(name) for name in ("model", "model_name", "model_id")]
    out["request_model"] = next((name for one in names if (name := text(one))), None)
    out["model"] = text(said.get(ANSWER + "model")) or out["request_model"]
    provider = text(metadata.get("ls_provider"))
    out["provider"] = PROVIDERS.get(provider.lower(), provider.lower()) if provider else None
    out["response_id"] = text(said.get(ANSWER + "id"))
    reasons = said.get(ANSWER + "finish_reasons")
    out["finish_reasons"] = tuple([str(one) for one in reasons]) if isinstance(reasons, list) else ()
    named = {**_scalars(asked), **_mapping(metadata.get("ls_invocation_params")), **invocation}
    params = {name: value for name, value in named.items() if is_set(value) and name not in _NO_PARAMS}
    for theirs, ours in _ASKED:
        if is_set(metadata.get(theirs)):
            params.setdefault(ours, metadata[theirs])
    out["params"] = params or None
    out["tool_definitions"] = next(
        (one[key] for one in (invocation, asked) for key in ("tools", "functions") if one.get(key)), None
    )


def _scalars(asked: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a request body. LangChain's inputs are no request: they hold nothing but messages."""
    return asked if "model" in asked or "messages" in asked else {}


def _usage(said: Mapping[str, Value], metadata: dict[str, Any], out: dict[str, Any]) -> None:
    told = _first_mapping(said.get(ANSWER + "usage"), metadata.get("usage_metadata"))
    if told is None:
        return
    counts = from_details(told)
    total = counts.pop("total_tokens", None)
    if total is not None and out["kind"] == "embedding":
        counts.setdefault("input_tokens", total)
    out["usage"] = Usage(**{name: counts[name] for name in USAGE_FIELDS if name in counts}) or None
    cached = counts.get("cache_read_tokens", 0) + counts.get("cache_write_tokens", 0)
    if cached > counts.get("input_tokens", cached):
        out["notes"] = (CACHE_NOTE,)
    costs = [number(told.get(name)) for name in ("total_cost", "input_cost", "output_cost")]
    dollars = costs[0] if costs[0] is not None else sum(one for one in costs[1:] if one) or None
    if dollars is not None and 0 <= dollars < 1e9:
        out["cost_nanousd"] = round(dollars * 1e9)


def _first_token(part: SpanPart, out: dict[str, Any]) -> None:
    if part.start_ns is None or out["kind"] != "llm":
        return
    times = [event.time_ns for event in part.events if event.name == "new_token" and event.time_ns]
    if times:
        out["ttft_ns"] = max(0, min(times) - part.start_ns)


def _prompt(metadata: dict[str, Any], out: dict[str, Any]) -> None:
    """The prompt of LangSmith's hub that was used."""
    name = text(metadata.get("lc_hub_repo"))
    if name:
        owner = text(metadata.get("lc_hub_owner"))
        out["prompt_name"] = name if owner in (None, "-") else f"{owner}/{name}"
        out["prompt_version"] = text(metadata.get("lc_hub_commit_hash"))


def _contents(part: SpanPart, kind: str, inputs: Any, outputs: Any, out: dict[str, Any]) -> None:
    if kind == "tool":
        out["tool"] = tool = _tool(part.name, inputs, outputs)
        out["input"] = None if inputs is None else Content(value=tool.arguments)
        out["output"] = None if outputs is None else Content(value=tool.result)
        return
    if inputs is not None:
        asked = _request(inputs) if kind == "llm" else side(_bare(inputs), of_model=False, role="user")
        if kind == "retriever" and isinstance(inputs, dict) and len(inputs) == 1:
            asked = Content(value=next(iter(inputs.values())))
        leading, rest = split_system(asked.messages)
        out["system"] = leading
        out["input"] = Content(messages=rest) if rest else asked if not leading else None
    if kind == "retriever":
        out["documents"] = _documents(outputs)
    if kind == "embedding" and (found := vectors(outputs)):
        out["output"] = found
    elif outputs is not None and not out.get("documents"):
        told = _answer(outputs) if kind == "llm" else side(_bare(outputs), of_model=False, role="assistant")
        nothing = part.status == "error" and not any(one.parts for one in told.messages) and told.value in (None, {})
        out["output"] = None if nothing or told == _EMPTY else told


def _request(inputs: Any) -> Content:
    """What a model was given: a provider's request body, LangChain's messages or prompts, or any text."""
    found = side(inputs, of_model=True, role="user")
    if found.messages or not isinstance(inputs, dict):
        return found
    prompts = inputs.get("prompts")
    if isinstance(prompts, list) and prompts and all(isinstance(one, str) for one in prompts):
        return Content(messages=tuple([message(one, "user") for one in prompts]))
    inner = _bare(inputs)
    if isinstance(inner, dict) and len(inner) == 1:
        inner = next(iter(inner.values()))
    if isinstance(inner, str):
        return Content(messages=(message(inner, "user"),))
    return side(inner, of_model=True, role="user") if inner is not inputs else found


def _answer(outputs: Any) -> Content:
    """What a model answered: LangChain's generations, a provider's response, a message, or any text."""
    if isinstance(outputs, dict) and (candidates := _generations(outputs)):
        return Content(messages=tuple([_candidate(one) for one in candidates]))
    said = {k: v for k, v in outputs.items() if k != "usage_metadata"} if isinstance(outputs, dict) else outputs
    found = conversation(said, of_model=True, role="assistant")
    if found:
        return Content(messages=tuple(found))
    if isinstance(said, dict) and isinstance(said.get("content"), (str, list)) and "role" not in said:
        return Content(messages=(message(said, "assistant"),))  # of `wrap_gemini`, streamed
    inner = _bare(said)
    for name in ("message", "messages"):
        if isinstance(said, dict) and name in said and len(said) <= 2:
            inner = said[name]
    if isinstance(inner, str):
        return Content(messages=(message(inner, "assistant"),))
    return side(inner, of_model=True, role="assistant")


def _candidate(said: dict[str, Any]) -> Message:
    inner = said.get("message")
    made = message(inner if isinstance(inner, dict) else said.get("text"), "assistant")
    return Message(made.role, made.parts, made.name, next(iter(_reasons({"generations": [said]})), made.finish_reason))


def _tool(name: str | None, inputs: Any, outputs: Any) -> Tool:
    """A tool's call; LangChain wraps its arguments in a text, and its result in a message."""
    arguments, result = unwrapped(_bare(inputs)), _bare(outputs)
    if isinstance(arguments, str):
        arguments = _literal(arguments)
    call_id = None
    if isinstance(arguments, dict) and arguments.get("type") == "tool_call":
        call_id, arguments = text(arguments.get("id")), arguments.get("args", arguments)
    if isinstance(arguments, dict) and arguments.keys() == {"args"}:
        given = arguments["args"]  # `wrapAISDK`: what the tool takes, and what the AI SDK says of the call
        if isinstance(given, list) and len(given) == 2 and isinstance(given[1], dict) and "toolCallId" in given[1]:
            call_id, arguments = text(given[1]["toolCallId"]), given[0]
    if is_message(result):
        fields = _fields(result)
        call_id = text(fields.get("tool_call_id")) or call_id
        result = tool_output({**fields, "type": "tool"}) if "tool_call_id" in fields else fields.get("content")
    return Tool(name, call_id, arguments, decoded(result))


def _literal(said: str) -> Value:
    """The arguments out of how LangChain spells them: Python's repr of a dict, or JSON."""
    if said[:1] not in ("{", "[") or len(said) > _LITERAL_CHARS:
        return said
    found = decoded(said)
    if not isinstance(found, str):
        out: Value = found
        return out
    try:
        value: Value = ast.literal_eval(said)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return said
    return value if isinstance(value, (dict, list)) else said


def _documents(outputs: Any) -> tuple[Document, ...]:
    listed = _bare(outputs)
    if isinstance(listed, dict):
        listed = listed.get("documents")
    if not isinstance(listed, list):
        return ()
    return tuple([_document(one, rank) for rank, one in enumerate(listed) if isinstance(one, dict)])


def _document(said: dict[str, Any], rank: int) -> Document:
    found = document(_fields(said), rank)
    if found.score is not None or found.metadata is None:
        return found
    scores = (number(found.metadata.get(name)) for name in ("score", "relevance_score", "_score", "similarity"))
    return replace(found, score=next((score for score in scores if score is not None), None))


def _bare(value: Any) -> Any:
    """The one value that stands under "input" or "output" and nothing beside it: how the SDKs wrap what is no dict."""
    if isinstance(value, dict) and len(value) == 1:
        name, inner = next(iter(value.items()))
        if name in _WRAPPERS:
            return inner
    return value


def _loaded(said: Value) -> Any:
    return load(said) if isinstance(said, str) and said else None


def _mapping(value: Any) -> dict[str, Any]:
    return mapping(value) or {}


def _first_mapping(*values: Any) -> dict[str, Any] | None:
    return next((found for value in values if (found := mapping(value))), None)
