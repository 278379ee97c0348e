"""What a span means: one pass over its attributes, then each field from the slots that were filled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from collector.conventions.content import content_of, definitions_of, documents_of, tool_of
from collector.conventions.events import Said, listen
from collector.conventions.found import Found, gather
from collector.conventions.messages import split_system
from collector.conventions.names import CONVENTIONS, GENAI, OPENINFERENCE, OPENINFERENCE_KINDS, OPERATIONS, TEXTS
from collector.conventions.usage import cost_of, usage_of
from collector.conventions.values import decoded, mapping, number, strings, text
from collector.model import Content, LogRecord, Reading, Resource, SpanPart, Value

_NOTHING = Said()
_SENT_END = "tracetui.sent_end_unix_nano"
CLOCK_NOTE = "ended before it started"


def read(part: SpanPart) -> Reading:
    """The meaning of a part's attributes, events, resource. Pure; an unknown span reads as nothing."""
    events = part.events
    said = listen([(e.name, e.time_ns, None, e.attributes) for e in events]) if events else _NOTHING
    attributes: Mapping[str, Value] = part.attributes
    if said.attributes:
        attributes = {**said.attributes, **attributes}
    out = _fields(gather(attributes), said, part.name or "")
    if said.first_token_ns is not None and part.start_ns is not None and "ttft_ns" not in out:
        out["ttft_ns"] = max(0, said.first_token_ns - part.start_ns)
    if part.status == "error" and not part.status_message and said.error_message:
        out["status_message"] = said.error_message
    if said.error_type is not None and part.status == "error":
        out.setdefault("error_type", said.error_type)
    if part.resource is not None:
        _origin(part.resource, out)
    if _SENT_END in attributes:
        out["notes"] = (*out.get("notes", ()), CLOCK_NOTE)
    return Reading(**out)


def read_logs(logs: Sequence[LogRecord]) -> Reading:
    """What all log records of one span say together; fills what the span's attributes leave open."""
    if not logs:
        return Reading()
    in_time = sorted(logs, key=lambda log: log.time_ns)
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
    out: dict[str, Any] = {}
    slots = found.slots
    for slot, (_, value) in slots.items():
        if slot in TEXTS:
            out[slot] = value if type(value) is str else text(value)
    conventions = found.conventions | (GENAI if said.input or said.output else 0)
    kind = _kind(found, out, conventions)
    if kind is not None:
        out["kind"] = kind
    if not conventions:
        _common(found, out)
        return out
    out["convention"] = CONVENTIONS[conventions]
    _model(found, said, out)
    usage, notes = usage_of(found, kind)
    if usage is not None:
        out["usage"] = usage
    if notes:
        out["notes"] = notes
    content_of(found, said, kind, out)
    tool = tool_of(found, kind, name)
    if tool is not None:
        out["tool"] = tool
    _common(found, out)
    _rarely(found, said, out)
    return out


def _kind(found: Found, out: dict[str, Any], conventions: int) -> str | None:
    """OpenInference names its kind outright; OpenTelemetry's follows from the operation."""
    slots = found.slots
    if "oi_kind" in slots:
        kind = OPENINFERENCE_KINDS.get(str(found.get("oi_kind")).upper())
        if kind is not None:
            return kind
    if "operation" in out:
        kind = OPERATIONS.get(str(out["operation"]).lower())
        if kind is not None:
            return kind
    if conventions:
        if "dimensions" in slots:
            return "embedding"
        if "input_tokens" in slots or "output_tokens" in slots or "request_model" in out or "response_id" in out:
            return "llm"
        if "tool_arguments" in slots or "tool_result" in slots or "tool_id" in slots:
            return "tool"
    if "http" in slots:
        return "http"
    return "db" if "db" in slots else None


def _model(found: Found, said: Said, out: dict[str, Any]) -> None:
    params = found.params
    if "parameters" in found.slots:
        given = mapping(found.get("parameters"))
        if given is not None:
            asked = given.pop("model", None) or given.get("model_name") or given.get("model_id")
            given.pop("model_name", None)
            if asked is not None and "request_model" not in out:
                out["request_model"] = text(asked)
            params = {**{k: v for k, v in given.items() if k not in _NOT_PARAMS}, **params}
    if params:
        out["params"] = params
    if "model" not in out and out.get("request_model") is not None:
        out["model"] = out["request_model"]
    if "provider" not in out and said.provider is not None:
        out["provider"] = said.provider
    if out.get("provider"):
        out["provider"] = out["provider"].lower()
    if "response_id" not in out and found.conventions & OPENINFERENCE and "out_value" in found.slots:
        _from_answer(found, out)


_NOT_PARAMS = frozenset({"messages", "input", "prompt", "contents", "tools", "functions"})


def _from_answer(found: Found, out: dict[str, Any]) -> None:
    """OpenInference keeps the answer's id in the recorded answer only; by it a call reported twice is recognised."""
    if out.get("kind") not in ("llm", "embedding"):
        return
    answer = decoded(found.get("out_value"))
    if isinstance(answer, dict):
        id_ = answer.get("id")
        if isinstance(id_, str) and id_:
            out["response_id"] = id_
        if "model" not in out and isinstance(answer.get("model"), str):
            out["model"] = answer["model"]


def _common(found: Found, out: dict[str, Any]) -> None:
    """What is read whoever sent it."""
    slots = found.slots
    if "tags" in slots:
        out["tags"] = strings(found.get("tags"))
    if "metadata" in slots:
        said = mapping(found.get("metadata"))
        if said is not None:
            out["metadata"] = said
    if "error_message" in slots:
        out["status_message"] = text(found.get("error_message"))
    if found.conventions == 0 and ("in_value" in slots or "out_value" in slots):
        content_of(found, _NOTHING, None, out)


def _rarely(found: Found, said: Said, out: dict[str, Any]) -> None:
    slots, lists = found.slots, found.lists
    if "finish_reasons" in slots:
        out["finish_reasons"] = strings(found.get("finish_reasons"))
    elif "output" in out and out["output"].messages:
        reasons = tuple([m.finish_reason for m in out["output"].messages if m.finish_reason])
        if reasons:
            out["finish_reasons"] = reasons
    if "ttft_s" in slots:
        seconds = number(found.get("ttft_s"))
        if seconds is not None and 0 <= seconds < 1e9:
            out["ttft_ns"] = round(seconds * 1e9)
    if "definitions" in slots or "tools" in lists or "functions" in lists:
        out["tool_definitions"] = definitions_of(found)
    if "documents" in slots or "documents" in lists:
        out["documents"] = documents_of(found)
    if "cost" in slots or "cost_in" in slots or "cost_out" in slots:
        out["cost_nanousd"] = cost_of(found)


def _origin(resource: Resource, out: dict[str, Any]) -> None:
    attributes = resource.attributes
    for field, keys in _ORIGINS:
        for key in keys:
            value = attributes.get(key)
            if value is not None and value != "":
                out.setdefault(field, text(value))
                break


_ORIGINS: Iterable[tuple[str, tuple[str, ...]]] = (
    ("service", ("service.name",)),
    ("environment", ("deployment.environment.name", "deployment.environment")),
    ("release", ("service.version",)),
    ("project", ("openinference.project.name",)),
)
