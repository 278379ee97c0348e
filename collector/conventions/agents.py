"""Agent frameworks with GenAI spans of their own: what each adds to OpenTelemetry's names, or spells otherwise."""

from __future__ import annotations

from collector.conventions.counting import from_details
from collector.conventions.found import Convention, Found
from collector.conventions.recorded import answer_of
from collector.conventions.values import decoded, mapping
from collector.model import SpanPart

# Google's Agent Development Kit

_ADK_RUNS = ("invocation", "agent_run")


def _adk(found: Found, part: SpanPart) -> None:
    slots = found.slots
    asked, answered = mapping(slots.get("adk.request")), mapping(slots.get("adk.response"))
    if asked is not None:
        slots.setdefault("in_messages", asked.get("contents") or [])
        config = asked.get("config")
        if isinstance(config, dict):
            slots.setdefault("system", config.get("system_instruction"))
            slots.setdefault("definitions", config.get("tools"))
    if answered is not None:
        if answered.get("content"):
            slots.setdefault("out_messages", [answered["content"]])
        usage = answered.get("usage_metadata")
        found.counts.update(from_details(usage if isinstance(usage, dict) else {}))  # the spans' own leave thoughts out
    name = part.name or ""
    if name == "call_llm":  # a failed one says nothing else
        slots.setdefault("kind", "llm")
    elif name.startswith(_ADK_RUNS):
        agent = name.removeprefix("agent_run [").removesuffix("]")
        if agent != name:
            found.texts.setdefault("agent_name", agent)
        slots.setdefault("kind", "agent" if agent != name else "chain")


ADK = Convention(
    "google-adk",
    own=("gcp.vertex.agent.",),
    slots={
        "adk.request": "gcp.vertex.agent.llm_request",
        "adk.response": "gcp.vertex.agent.llm_response",
        "tool_arguments": "gcp.vertex.agent.tool_call_args",
        "tool_result": "gcp.vertex.agent.tool_response",
        "session_id": "gcp.vertex.agent.session_id",
    },
    heard="gcp.vertex.agent.",
    scopes=("gcp.vertex.agent",),
    prepare=_adk,
)

# AWS: Strands Agents, and what OpenTelemetry's botocore writes for Bedrock


def _strands(found: Found, part: SpanPart) -> None:
    if (part.name or "").startswith("Cycle "):  # until 1.0; since, the operation says it
        found.slots.setdefault("kind", "chain")


STRANDS = Convention(
    "strands",
    own=("event_loop.",),
    slots={"system": "system_prompt"},
    heard="event_loop. gen_ai.event.start_time gen_ai.event.end_time gen_ai.server.request.duration"
    " gen_ai.tool.status gen_ai.tool.json_schema",
    scopes=("strands.telemetry.tracer",),
    prepare=_strands,
)


def _bedrock(found: Found, part: SpanPart) -> None:
    """Bedrock counts what the cache held beside the input, and the instrumentation passes the numbers on."""
    counts = found.counts
    if "input_tokens" in counts:
        counts["input_tokens"] += counts.get("cache_read_tokens", 0) + counts.get("cache_write_tokens", 0)


BEDROCK = Convention(
    "bedrock",
    heard="aws. gen_ai.guardrail. retry_attempts",
    scopes=("opentelemetry.instrumentation.botocore.bedrock-runtime", "opentelemetry.instrumentation.genai.bedrock"),
    prepare=_bedrock,
)

# Google: Vertex AI's SDK, through OpenInference


def _vertex(found: Found, part: SpanPart) -> None:
    """The tools, and what came from the cache, are in the recorded request and answer only."""
    slots = found.slots
    asked = decoded(slots.get("in_value"))
    tools = asked.get("tools") if isinstance(asked, dict) else None
    declared = [
        function
        for tool in (tools if isinstance(tools, list) else ())
        if isinstance(tool, dict) and isinstance(tool.get("function_declarations"), list)
        for function in tool["function_declarations"]
    ]
    if declared:
        slots.setdefault("definitions", declared)
    answer = answer_of(found)
    usage = from_details(mapping(answer.get("usage_metadata")) or {}) if answer is not None else {}
    if found.counts and "cache_read_tokens" in usage:
        found.counts.setdefault("cache_read_tokens", usage["cache_read_tokens"])


VERTEX = Convention("vertexai", scopes=("openinference.instrumentation.vertexai",), prepare=_vertex)

# Microsoft: Semantic Kernel


def _semantic_kernel(found: Found, part: SpanPart) -> None:
    if part.name == "AutoFunctionInvocationLoop":
        found.slots.setdefault("kind", "chain")


SEMANTIC_KERNEL = Convention(
    "semantic-kernel",
    own=("sk.",),
    heard="sk.",
    prepare=_semantic_kernel,
)
