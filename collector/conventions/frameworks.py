"""Frameworks and gateways whose spans differ from the conventions they follow: what each adds or spells otherwise."""

from __future__ import annotations

from typing import Any

from collector.conventions.counting import from_details
from collector.conventions.found import Convention, Found
from collector.conventions.values import decoded, mapping, pythonic, text
from collector.model import SpanPart

# MCP: opentelemetry.io/docs/specs/semconv/gen-ai/mcp/, FastMCP, the Python SDK

_METHODS = {"tools/call": "tool", "resources/read": "retriever", "prompts/get": "prompt"}
_MCP_SUBJECT = {"tool": "tool_name", "retriever": "mcp.uri", "prompt": "prompt_name"}


def _mcp(found: Found, part: SpanPart) -> None:
    """A method that names what it calls is the call; without (the transport's own span) it is a span like others."""
    slots, texts = found.slots, found.texts
    kind = _METHODS.get(str(slots.get("mcp.method")))
    if kind is None:
        if "mcp.method" in slots:
            slots.setdefault("kind", "span")
    elif _MCP_SUBJECT[kind] in slots or _MCP_SUBJECT[kind] in texts:
        slots.setdefault("kind", kind)
    if "mcp.uri" in slots:
        slots.setdefault("query", slots["mcp.uri"])
    for given, ours in (("mcp.arguments", "tool_arguments"), ("mcp.result", "tool_result")):
        if given in slots:
            slots.setdefault(ours, slots[given])


MCP = Convention(
    "mcp",
    own=("mcp.", "fastmcp."),
    slots={
        "mcp.method": "mcp.method.name",
        "mcp.uri": "mcp.resource.uri",
        "mcp.arguments": "mcp.request.argument",
        "mcp.result": "mcp.response.value",
        "tool_name": "mcp.tool.name",
    },
    heard="mcp.session.id mcp.protocol.version mcp.request.id mcp.session.init_options fastmcp.",
    prepare=_mcp,
)

# CrewAI and smolagents, through OpenInference; CrewAI through OpenLLMetry


def _crewai(found: Found, part: SpanPart) -> None:
    """A crew's, a task's output is an object around the text that it is about."""
    slots = found.slots
    result = decoded(slots.get("out_value"))
    if isinstance(result, dict) and not result.keys().isdisjoint(_RESULT) and text(result.get("raw")):
        slots["out_value"], slots["out_mime"] = result["raw"], "text/plain"
    given = decoded(slots.get("in_value"))
    agent = given.get("agent") if isinstance(given, dict) else None
    if isinstance(agent, dict) and text(agent.get("role")):
        found.texts.setdefault("agent_name", str(agent["role"]))
    if "crewai.inputs" in slots:
        slots.setdefault("in_value", decoded(slots["crewai.inputs"]))
    if part.name == "crewai.workflow":
        slots.setdefault("kind", "chain")  # a crew, whose agents are spans of their own
    usage = pythonic(slots.get("crewai.usage"))
    if isinstance(usage, dict):
        cached = {"prompt_tokens_details": {"cached_tokens": usage.get("cached_prompt_tokens")}}
        for name, count in from_details({**usage, **cached}).items():
            found.counts.setdefault(name, count)


_RESULT = frozenset({"tasks_output", "expected_output"})

CREWAI = Convention(
    "crewai",
    own=("crew_key", "crew_agents", "crewai."),
    slots={
        "crewai.inputs": "crew_inputs crewai.crew.inputs",
        "crewai.usage": "crewai.crew.usage_metrics",
        "agent_name": "crewai.agent.role crewai.task.agent",
        "in_value": "crewai.task.description",
        "out_value": "crewai.crew.result",
        "definitions": "crewai.agent.tools",
    },
    heard="crewai. crew_key crew_id crew_agents crew_tasks task_key task_id flow_id tool.description_updated"
    " tool.cache_function tool.result_as_answer tool.current_usage_count",
    scopes=("openinference.instrumentation.crewai",),
    prepare=_crewai,
)


def _smolagents(found: Found, part: SpanPart) -> None:
    """Arguments come as JSON that says of itself to be text; a run's task stands among them."""
    given = decoded(found.slots.get("in_value"))
    if isinstance(given, dict):
        found.slots["in_value"] = text(given.get("task")) or given


SMOLAGENTS = Convention(
    "smolagents",
    own=("smolagents.",),
    heard="smolagents.",
    scopes=("openinference.instrumentation.smolagents",),
    prepare=_smolagents,
)

# Haystack's own tracer


def _haystack(found: Found, part: SpanPart) -> None:
    slots = found.slots
    kind = _haystack_kind(part.name or "", text(slots.get("haystack.type")) or "")
    if kind is not None:
        slots.setdefault("kind", kind)
    if kind == "tool" and text(slots.get("haystack.name")):
        slots.setdefault("tool_name", slots["haystack.name"])
    for side, ours in (("haystack.in", "in_value"), ("haystack.out", "out_value")):
        if side in slots:
            slots.setdefault(ours, decoded(slots[side]))
    if kind == "llm":
        _haystack_call(found)


def _haystack_call(found: Found) -> None:
    """A generator's messages, and what its first reply's `meta` says of the provider's answer."""
    slots = found.slots
    asked = (mapping(slots.get("haystack.in")) or {}).get("messages")
    if isinstance(asked, list):
        slots.setdefault("in_messages", [_haystack_message(message) for message in asked])
    replies = (mapping(slots.get("haystack.out")) or {}).get("replies")
    if not isinstance(replies, list) or not replies:
        return
    slots.setdefault("out_messages", [_haystack_message(message) for message in replies])
    meta = replies[0].get("meta") if isinstance(replies[0], dict) else None
    if isinstance(meta, dict):
        if (model := text(meta.get("model"))) is not None:
            found.texts.setdefault("model", model)
        if (reason := text(meta.get("finish_reason"))) is not None:
            slots.setdefault("finish_reasons", [reason])
        for name, count in from_details(mapping(meta.get("usage")) or {}).items():
            found.counts.setdefault(name, count)


def _haystack_message(message: Any) -> Any:
    """Its blocks are named by their only key; the result of a tool has the call that it answers inside."""
    blocks = message.get("content") if isinstance(message, dict) else None
    if not isinstance(blocks, list):
        return message
    return {**message, "content": [_haystack_block(block) for block in blocks]}


def _haystack_block(block: Any) -> Any:
    inner = next(iter(block.values())) if isinstance(block, dict) and len(block) == 1 else None
    if not isinstance(inner, dict):
        return block
    match next(iter(block)):
        case "tool_call":
            return {"type": "tool_call", **inner}
        case "tool_call_result":
            origin = inner.get("origin")
            call_id = origin.get("id") if isinstance(origin, dict) else None
            return {"type": "tool_result", "id": call_id, "result": inner.get("result")}
        case "reasoning":
            return {"type": "reasoning", "content": inner.get("reasoning_text")}
        case "image":
            source = {"type": "base64", "media_type": inner.get("mime_type"), "data": inner.get("base64_image")}
            return {"type": "image", "source": source}
    return block


def _haystack_kind(name: str, type_: str) -> str | None:
    if name in ("haystack.pipeline.run", "haystack.async_pipeline.run"):
        return "chain"
    if name == "haystack.agent.run":
        return "agent"
    if name.startswith("haystack.agent.step"):
        return {"haystack.agent.step.llm": "llm", "haystack.agent.step.tool": "tool"}.get(name, "chain")
    for ending, kind in (("Generator", "llm"), ("Retriever", "retriever"), ("Ranker", "reranker"), ("Agent", "agent"),
                         ("Embedder", "embedding"), ("ToolInvoker", "tool"), ("PromptBuilder", "prompt"),
                         ("Evaluator", "evaluator")):  # fmt: skip
        if type_.endswith(ending):
            return kind
    return "chain" if type_ else None


HAYSTACK = Convention(
    "haystack",
    own=("haystack.",),
    slots={
        "haystack.type": "haystack.component.type",
        "haystack.name": "haystack.tool.name haystack.component.name",
        "haystack.in": "haystack.component.input haystack.agent.input haystack.agent.step.llm.input"
        " haystack.agent.step.tool.input haystack.pipeline.input_data",
        "haystack.out": "haystack.component.output haystack.agent.output haystack.agent.step.llm.output"
        " haystack.agent.step.tool.output haystack.pipeline.output_data",
        "tool_id": "haystack.tool.call.id",
        "status_message": "haystack.tool.error",
        "metadata": "haystack.pipeline.metadata",
    },
    heard="haystack.",
    prepare=_haystack,
)
