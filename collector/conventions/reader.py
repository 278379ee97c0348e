"""What a span means: one pass over its attributes, then each field from the slots that were filled."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from collector.conventions.content import content_of, definitions_of, documents_of, tool_of
from collector.conventions.counting import from_details
from collector.conventions.events import Said, listen
from collector.conventions.found import Found
from collector.conventions.gather import gather
from collector.conventions.identity import identity
from collector.conventions.langsmith_runs import RUN_ID, read_run
from collector.conventions.messages import side, split_system
from collector.conventions.names import GENAI, OPENINFERENCE_KINDS, OPERATIONS
from collector.conventions.recorded import answer_of
from collector.conventions.registry import BITS, PREPARE, PREPARED, of_scope, spelt
from collector.conventions.usage import cost_of, usage_of
from collector.conventions.values import decoded, mapping, number, strings, text, unset
from collector.conventions.vercel import provider as maker
from collector.model import MODEL_KINDS, Content, LogRecord, Reading, Resource, SpanPart, Value
from collector.previews import preview_input, preview_output

_NOTHING = Said()
_VECTORS = BITS["vector-db"]
_SENT_END = "tracetui.sent_end_unix_nano"
CLOCK_NOTE = "ended before it started"


def read(part: SpanPart) -> Reading:
    """The meaning of a part's attributes, events, resource. Pure; an unknown span reads as nothing."""
    if RUN_ID in part.attributes:
        run = read_run(part)
        return replace(run, notes=(*run.notes, CLOCK_NOTE)) if _SENT_END in part.attributes else run
    events = part.events
    said = listen([(e.name, e.time_ns, None, e.attributes) for e in events]) if events else _NOTHING
    attributes: Mapping[str, Value] = part.attributes
    if said.attributes:
        attributes = {**said.attributes, **attributes}
    found = gather(attributes)
    if part.scope is not None and part.scope.name:
        found.conventions |= of_scope(part.scope.name)
    if said.retrieved:
        found.conventions |= _VECTORS
    if found.conventions & PREPARED:
        for bit, prepare in PREPARE:
            if found.conventions & bit:
                prepare(found, part)
    out = _fields(found, said, part.name or "")
    if said.first_token_ns is not None and part.start_ns is not None and "ttft_ns" not in out:
        out["ttft_ns"] = max(0, said.first_token_ns - part.start_ns)
    if "ttft_ns" in out:
        _in_milliseconds(part, out)
    if part.status == "error" and not part.status_message and said.error_message:
        out["status_message"] = said.error_message
    if "error_type" in out:
        out["error_type"] = _CLASS.sub(r"\1", out["error_type"])
    if said.error_type is not None and part.status == "error" and "error_type" not in out:
        out["error_type"] = said.error_type
    if part.resource is not None:
        out = {**_origin(part.resource), **out}
    if _SENT_END in attributes:
        out["notes"] = (*out.get("notes", ()), CLOCK_NOTE)
    return Reading(**out)


def read_logs(logs: Sequence[LogRecord]) -> Reading:
    """What all log records of one span say together; fills what the span's attributes leave open."""
    if not logs:
        return Reading()
    in_time = sorted(logs, key=lambda log: (log.time_ns, log.position))
    said = listen([(log.event_name, log.time_ns, log.body, log.attributes) for log in in_time])
    if said.attributes:
        return Reading(**_fields(gather(said.attributes), said, ""))
    out: dict[str, Any] = {}
    if said.input or said.output:
        leading, rest = split_system(said.input)
        out = {"convention": "genai", "system": leading}
        if rest:
            out["input"] = Content(messages=rest)
        if said.output:
            out["output"] = Content(messages=tuple(said.output))
            out["finish_reasons"] = tuple([m.finish_reason for m in said.output if m.finish_reason])
        if said.provider is not None:
            out["provider"] = said.provider.lower()
    if said.error_message is not None:
        out["status_message"], out["error_type"] = said.error_message, said.error_type
    return Reading(**out)


def _fields(found: Found, said: Said, name: str) -> dict[str, Any]:
    out: dict[str, Any] = found.texts
    slots = found.slots
    if found.meta or "metadata" in slots:
        _metadata(found, out)
    conventions = found.conventions | (GENAI if said.input or said.output else 0)
    kind = _kind(found, conventions)
    if kind is not None:
        out["kind"] = kind
    if conventions:
        out["convention"] = spelt(conventions)
        _model(found, said, out)
        if "raw_usage" in slots and found.counts:
            for part, count in from_details(mapping(slots["raw_usage"]) or {}).items():
                found.counts.setdefault(part, count)
        if found.counts:
            usage, notes = usage_of(found, kind)
            if usage is not None:
                out["usage"] = usage
            if notes:
                out["notes"] = notes
        content_of(found, said, kind, out)
        if kind == "tool" or (kind not in MODEL_KINDS and ("tool_arguments" in slots or "tool_result" in slots)):
            out["tool"] = tool_of(found, kind, name)
        _rarely(found, out)
    elif "in_value" in slots or "out_value" in slots:
        content_of(found, _NOTHING, None, out)
    if "tags" in slots:
        out["tags"] = strings(slots["tags"])
    return out


def _in_milliseconds(part: SpanPart, out: dict[str, Any]) -> None:
    """Seconds that are longer than the whole call were milliseconds (Strands')."""
    if part.start_ns is None or part.end_ns is None:
        return
    lasted, first = part.end_ns - part.start_ns, out["ttft_ns"]
    if first > lasted >= first // 1000 > 0:
        out["ttft_ns"] = first // 1000


def _metadata(found: Found, out: dict[str, Any]) -> None:
    """Metadata in one attribute, and under prefixes; applications put session and user there, too."""
    meta: Mapping[str, Value] = mapping(found.slots.get("metadata")) or {}
    if found.meta:
        meta = {**meta, **found.meta}
    if meta:
        identity(found, meta)
        out["metadata"] = {key: value for key, value in meta.items() if not key.startswith("gen_ai.")}


def _kind(found: Found, conventions: int) -> str | None:
    """OpenInference names its kind outright; OpenTelemetry's follows from the operation."""
    slots, texts, counts = found.slots, found.texts, found.counts
    if "oi_kind" in slots:
        kind = OPENINFERENCE_KINDS.get(str(slots["oi_kind"]).upper())
        if kind is not None:
            return kind
    if "kind" in slots:
        return str(slots["kind"])
    operation = texts.get("operation")
    if operation is not None:
        kind = OPERATIONS.get(operation) or OPERATIONS.get(operation.lower())
        if kind is not None:
            return kind
    if conventions:
        if "dimensions" in slots:
            return "embedding"
        if "input_tokens" in counts or "output_tokens" in counts or "request_model" in texts or "response_id" in texts:
            return "llm"
        if "tool_arguments" in slots or "tool_result" in slots or "tool_id" in slots:
            return "tool"
    if "http" in slots:
        return "http"
    return "db" if "db" in slots else None


def _model(found: Found, said: Said, out: dict[str, Any]) -> None:
    params = found.params
    if "parameters" in found.slots:
        params = _asked_for(found, out)
    if params:
        out["params"] = params
    for field in ("model", "request_model"):
        if field in out and out[field].startswith(_RESOURCES):
            out[field] = out[field].rpartition("/models/")[2]
    if "model" not in out and "request_model" in out:
        out["model"] = out["request_model"]
    provider = out.get("provider") or said.provider
    if provider:
        provider = provider.lower()
        out["provider"] = maker(provider) if "." in provider else provider
    if "out_value" in found.slots and "response_id" not in out and out.get("kind") in ("llm", "embedding"):
        _from_answer(found, out)


_RESOURCES = ("projects/", "publishers/")
"""How Vertex AI's names of resources begin: projects/P/locations/L/publishers/google/models/gemini-2.5-flash."""


def _asked_for(found: Found, out: dict[str, Any]) -> dict[str, Value]:
    """The parameters of a call, and from among them its model: of a failed call nothing else names it."""
    given = mapping(found.slots["parameters"]) or {}
    model = text(given.get("model") or given.get("model_name") or given.get("model_id"))
    if model is not None:
        out.setdefault("request_model", model)
    instructions = next((given[key] for key in _INSTRUCTIONS if given.get(key)), None)
    if instructions is not None:  # of Anthropic's and OpenAI's requests, where the messages are told without them
        found.slots.setdefault("system_param", instructions)
    said = {key: value for key, value in given.items() if key not in _NOT_PARAMS}
    return {
        **{key: value for key, value in said.items() if value not in _NOTHING_SET and not unset(value)},
        **found.params,
    }


_INSTRUCTIONS = ("system", "instructions", "system_instruction", "systemInstruction")
_NOTHING_SET: tuple[Any, ...] = (None, "", [], {})
_NOT_PARAMS = frozenset({"model", "model_name", "messages", "input", "inputText", "prompt", "contents", "tools",
                         "functions", "http_options", "id", "object", "created_at"} | set(_INSTRUCTIONS))  # fmt: skip
"""What stands among recorded parameters and is none: the content, what has a field of its own, the client's headers,
what the OpenAI Agents SDK's instrumentation copies from the answer."""


def _from_answer(found: Found, out: dict[str, Any]) -> None:
    """OpenInference keeps the answer's id in the recorded answer only; by it a call reported twice is recognised."""
    answer = answer_of(found)
    if answer is None:
        return
    model = answer.get("model")
    if isinstance(model, str) and model and "model" not in out:
        out["model"] = model
    if "generations" in answer:
        answer = _langchain_answer(answer["generations"])
    id_ = answer.get("id") or answer.get("response_id") or answer.get("responseId")
    if isinstance(id_, str) and id_ and not id_.startswith(_LANGCHAIN_IDS):
        out["response_id"] = id_
    reason = answer.get("finish_reason")
    if isinstance(reason, str):
        found.slots.setdefault("finish_reasons", reason)


_LANGCHAIN_IDS = ("run-", "lc_run-")
"""LangChain's own names of answers that have none."""


def _langchain_answer(generations: Any) -> dict[str, Any]:
    """What the provider said of its answer: {"generations": [[{"message": {"kwargs": {"response_metadata"}}}]]}. Its id
    is there in Python, beside it in JavaScript."""
    try:
        kwargs = generations[0][0]["message"]["kwargs"]
        said = kwargs["response_metadata"]
    except (LookupError, TypeError):
        return {}
    return {"id": kwargs.get("id"), **said} if isinstance(said, dict) and isinstance(kwargs, dict) else {}


def _rarely(found: Found, out: dict[str, Any]) -> None:
    slots, lists = found.slots, found.lists
    if "finish_reasons" in slots:
        out["finish_reasons"] = tuple([_ENUM.sub("", one) for one in strings(slots["finish_reasons"])])
    elif "output" in out and (reasons := [m.finish_reason for m in out["output"].messages if m.finish_reason]):
        out["finish_reasons"] = tuple(reasons)
    if "ttft_s" in slots:
        seconds = number(slots["ttft_s"])
        if seconds is not None and 0 <= seconds < 1e9:
            out["ttft_ns"] = round(seconds * 1e9)
    elif "ttft_ms" in slots:
        milliseconds = number(slots["ttft_ms"])
        if milliseconds is not None and 0 <= milliseconds < 1e12:
            out["ttft_ns"] = round(milliseconds * 1e6)
    elif "ttft_ns" in slots:
        out["ttft_ns"] = slots["ttft_ns"]
    if "definitions" in slots or "tools" in lists or "functions" in lists:
        out["tool_definitions"] = definitions_of(found)
    if "documents" in slots or "documents" in lists or out.get("kind") == "retriever":
        out["documents"] = documents_of(found, out.get("kind"))
    if "cost" in slots or "cost_in" in slots or "cost_out" in slots:
        out["cost_nanousd"] = cost_of(found)
    if "trace_in" in slots:
        out["trace_input"] = preview_input(side(decoded(slots["trace_in"]), of_model=False, role="user"))
    if "trace_out" in slots:
        out["trace_output"] = preview_output(side(decoded(slots["trace_out"]), of_model=False, role="assistant"))


def _origin(resource: Resource) -> dict[str, str | None]:
    """What the resource says of where a span is from. A batch's spans share one, so the last few are remembered."""
    known = _origins.get(id(resource))
    if known is not None and known[0] is resource:
        return known[1]
    out: dict[str, str | None] = {}
    for field, key in _ORIGINS:
        value = resource.attributes.get(key)
        if value is not None and value != "":
            out.setdefault(field, text(value))
    if len(_origins) >= _REMEMBERED:
        _origins.clear()
    _origins[id(resource)] = (resource, out)
    return out


_ENUM = re.compile(r"\AFinish_?Reason\.", re.I)
"""Python's name of an enum's member, where only the member was meant."""
_CLASS = re.compile(r"\A<class '([^']+)'>\Z")
_REMEMBERED = 64
_origins: dict[int, tuple[Resource, dict[str, str | None]]] = {}
_ORIGINS = (
    ("service", "service.name"),
    ("environment", "langfuse.environment"),
    ("environment", "deployment.environment.name"),
    ("environment", "deployment.environment"),
    ("release", "langfuse.release"),
    ("release", "service.version"),
    ("project", "openinference.project.name"),
)
