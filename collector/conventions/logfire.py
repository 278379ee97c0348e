"""Logfire's own attributes, and Pydantic AI's beside its `gen_ai.*`.

A started span is sent at once as a "pending span": a span of its own, without duration, whose parent is the span it
announces. `announced` makes a started span of it. https://logfire.pydantic.dev/docs/reference/advanced/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collector.conventions.found import Convention, Found
from collector.conventions.messages import messages
from collector.conventions.values import decoded, integer, mapping, text
from collector.model import Message, SpanPart, Value

PENDING_PARENT = "logfire.pending_parent_id"
_TYPE = "logfire.span_type"
_SCRUBBED = "[Scrubbed due to "
_LEVELS = ((21, "fatal"), (17, "error"), (13, "warning"), (9, "info"), (5, "debug"), (1, "trace"))


def announced(attributes: Mapping[str, Value]) -> str | None:
    """The parent of the span that a pending span announces (16 zeros: it has none); None for every other span."""
    if attributes.get(_TYPE) != "pending_span":
        return None
    parent = attributes.get(PENDING_PARENT)
    return parent.lower() if isinstance(parent, str) and len(parent) == 16 else None


def without_announcement(attributes: Mapping[str, Value]) -> dict[str, Value]:
    """What is left to say of a started span: its end will say the same, but for what made it an announcement."""
    return {key: value for key, value in attributes.items() if key not in (_TYPE, PENDING_PARENT)}


def _prepare(found: Found, part: SpanPart) -> None:
    slots, texts = found.slots, found.texts
    if slots.get("logfire.type") == "log":
        slots.setdefault("kind", "event")
    if "level" not in texts and (given := integer(slots.get("logfire.level"))) is not None:
        texts["level"] = next((name for least, name in _LEVELS if given >= least), "trace")
    for field in ("session_id", "user_id"):
        if texts.get(field, "").startswith(_SCRUBBED):
            del texts[field]
    if "logfire.request" in slots or "logfire.response" in slots:
        _recorded_call(found)


def _recorded_call(found: Found) -> None:
    """instrument_openai() and its kin, before they wrote gen_ai.input.messages: whole bodies."""
    slots = found.slots
    request, response = mapping(slots.get("logfire.request")), mapping(slots.get("logfire.response"))
    if request is not None:
        if not request.keys().isdisjoint({"messages", "input", "prompt", "system", "instructions"}):
            slots.setdefault("in_value", request)
        if request.get("tools"):
            slots.setdefault("definitions", request["tools"])
        model = text(request.get("model"))
        if model is not None:
            found.texts.setdefault("request_model", model)
    if response is not None:
        said = response.get("message") or response.get("combined_chunk_content") or response.get("text")
        if said:
            slots.setdefault(
                "out_messages", [said if isinstance(said, dict) else {"role": "assistant", "content": said}]
            )


def _pydantic_ai(found: Found, part: SpanPart) -> None:
    slots, texts = found.slots, found.texts
    name = part.name or ""
    if "operation" not in texts and (name == "agent run" or (name.endswith(" run") and "pydantic.said" in slots)):
        slots.setdefault("kind", "agent")
    if "operation" not in texts and name.startswith("running") and name.endswith("tools"):
        slots.setdefault("kind", "chain")
    if "pydantic.said" in slots:
        _whole_run(found, messages(_renamed(decoded(slots["pydantic.said"])), "user"))
    elif "pydantic.events" in slots:
        _old_events(found, decoded(slots["pydantic.events"]))
    if "pydantic.result" in slots:
        slots.setdefault("out_value", decoded(slots["pydantic.result"]))
    if "pydantic.inputs" in slots:
        given = decoded(slots["pydantic.inputs"])
        slots.setdefault("in_value", given[0] if isinstance(given, list) and len(given) == 1 else given)
    asked = mapping(slots.get("pydantic.request")) or {}
    tools = [*(asked.get("function_tools") or ()), *(asked.get("output_tools") or ())]
    if tools:
        slots.setdefault("definitions", tools)


def _whole_run(found: Found, said: list[Message]) -> None:
    """A run's conversation: what was said last by the model is its result, all before that went in."""
    last = len(said)
    while last and said[last - 1].role == "assistant":
        last -= 1
    found.slots.setdefault("in_messages", said[:last])
    if last < len(said):
        found.slots.setdefault("out_messages", said[last:])


def _old_events(found: Found, events: Any) -> None:
    """Pydantic AI until 1.0: OpenTelemetry's first events as one JSON list in an attribute."""
    if not isinstance(events, list):
        return
    asked = [one for one in events if isinstance(one, dict) and one.get("event.name") != "gen_ai.choice"]
    answered = [one for one in events if isinstance(one, dict) and one.get("event.name") == "gen_ai.choice"]
    found.slots.setdefault("in_messages", messages(_renamed(asked), "user"))
    if answered:
        found.slots.setdefault("out_messages", messages([one.get("message", one) for one in answered], "assistant"))


def _renamed(events: Any) -> Any:
    """Messages out of events: without what the event's own name says already."""
    if not isinstance(events, list):
        return events
    return [
        {key: value for key, value in one.items() if key not in _OF_THE_EVENT} if isinstance(one, dict) else one
        for one in events
    ]


_OF_THE_EVENT = frozenset({"event.name", "gen_ai.message.index", "gen_ai.system", "index"})

LOGFIRE = Convention(
    "logfire",
    own=("logfire.",),
    slots={
        "logfire.type": _TYPE,
        "logfire.level": "logfire.level_num",
        "tags": "logfire.tags",
        "logfire.request": "request_data",
        "logfire.response": "response_data",
    },
    heard="logfire.msg logfire.msg_template logfire.json_schema logfire.metrics logfire.scrubbed"
    " logfire.pending_parent_id logfire.null_args logfire.disable_console_log logfire.sample_rate"
    " logfire.exception.fingerprint",
    prepare=_prepare,
)

PYDANTIC_AI = Convention(
    "pydantic-ai",
    own=("pydantic_ai.", "all_messages_events", "model_request_parameters"),
    slots={
        "pydantic.said": "pydantic_ai.all_messages all_messages_events",
        "pydantic.events": "events",
        "pydantic.result": "final_result",
        "pydantic.inputs": "inputs",
        "pydantic.request": "model_request_parameters",
        "vectors": "embeddings",
        "agent_name": "agent_name",
        "tool_arguments": "tool_arguments",
        "tool_result": "tool_response",
    },
    heard="model_name gen_ai.agent.call.id gen_ai.aggregated_usage. pydantic_ai. inputs_count input_type"
    " embedding_settings gen_ai.tool.call.metadata",
    scopes=("pydantic-ai",),
    prepare=_pydantic_ai,
)
