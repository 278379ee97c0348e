"""Claude Code's own spans (beta tracing), whose keys have no prefix: told by their scope.

Its numbers are those of Anthropic's API: cache reads and writes stand beside the input.
Names: what 2.1.330 sent.
"""

from __future__ import annotations

from collector.conventions.found import Convention, Found
from collector.conventions.values import decoded, integer, text
from collector.model import SpanPart

SCOPE = "com.anthropic.claude_code.tracing"
TOOL = "claude_code.tool"
_KINDS = {
    "interaction": "agent", "llm_request": "llm", "tool": "tool", "api_request": "llm", "api_error": "llm",
    "tool_result": "tool", "subagent.spawn": "agent", "subagent": "agent", "compaction": "chain",
}  # fmt: skip
_COUNTS = {
    "claude.input": "input_tokens", "claude.output": "output_tokens", "claude.read": "cache_read_tokens",
    "claude.written": "cache_write_tokens",
}  # fmt: skip
_SAME = {
    "claude.tool": "tool_name", "claude.call": "tool_id", "claude.arguments": "tool_arguments",
    "claude.result": "tool_result", "claude.cost": "cost", "claude.stop": "finish_reasons", "claude.ttft": "ttft_ms",
}  # fmt: skip


def called(span: SpanPart, tool: str | None) -> str | None:
    """The name of a tool's span, all of which are sent as "claude_code.tool"; None for every other span."""
    alike = tool and span.name == TOOL and span.scope is not None and span.scope.name == SCOPE
    return tool if alike else None


_ASKED = {"claude.file": "file_path", "claude.command": "command", "claude.agent": "subagent_type"}
_REPEATED = ("file_path", "bash_command")


def _prepare(found: Found, part: SpanPart) -> None:
    if part.scope is None or not part.scope.name.startswith("com.anthropic.claude_code"):
        return
    slots, texts = found.slots, found.texts
    what = text(slots.get("claude.type")) or text(slots.get("claude.event")) or part.name or ""
    what = what.removeprefix("claude_code.")
    slots.setdefault("kind", _KINDS.get(what, "span"))
    model = text(slots.get("claude.model"))
    if model is not None:
        texts.setdefault("request_model", model)
        texts.setdefault("provider", "anthropic")
    _tokens(found)
    for given, ours in _SAME.items():
        if given in slots:
            slots.setdefault(ours, slots[given])
    _tool(found, part)
    if "claude.prompt" in slots:
        slots.setdefault("in_messages", [{"role": "user", "content": slots["claude.prompt"]}])
    if "claude.answer" in slots:
        slots.setdefault("out_messages", [{"role": "assistant", "content": decoded(slots["claude.answer"])}])
    if what == "api_error" or str(slots.get("claude.success")).lower() == "false":
        texts["status"] = "error"
        error = text(slots.get("claude.error"))
        if error is not None:
            texts.setdefault("status_message", error)


def _tool(found: Found, part: SpanPart) -> None:
    """What a tool's span says in pieces: what it was asked by attributes, what came out by an event."""
    given = {ours: found.slots[slot] for slot, ours in _ASKED.items() if slot in found.slots}
    if given:
        found.slots.setdefault("tool_arguments", given)
    for event in part.events:
        if event.name == "tool.output":
            out = {key: value for key, value in event.attributes.items() if key not in _REPEATED}
            found.slots.setdefault("tool_result", next(iter(out.values())) if len(out) == 1 else out)


def _tokens(found: Found) -> None:
    said = {ours: count for slot, ours in _COUNTS.items() if (count := integer(found.slots.get(slot))) is not None}
    if "input_tokens" in said:
        said["input_tokens"] += said.get("cache_read_tokens", 0) + said.get("cache_write_tokens", 0)
    found.counts.update(said)


CLAUDE_CODE = Convention(
    "claude-code",
    slots={
        "claude.type": "span.type",
        "claude.event": "event.name",
        "claude.model": "model",
        "claude.input": "input_tokens",
        "claude.output": "output_tokens",
        "claude.read": "cache_read_tokens",
        "claude.written": "cache_creation_tokens",
        "claude.cost": "cost_usd",
        "claude.ttft": "ttft_ms",
        "claude.stop": "stop_reason",
        "claude.success": "success",
        "claude.error": "error",
        "claude.prompt": "user_prompt prompt new_context",
        "claude.answer": "response.model_output response",
        "claude.tool": "tool_name",
        "claude.call": "tool_use_id",
        "claude.arguments": "tool_input tool_parameters",
        "claude.result": "tool_output tool_result",
        "claude.file": "file_path",
        "claude.command": "full_command",
        "claude.agent": "subagent_type",
    },
    heard=(
        "event.sequence event.timestamp prompt.id prompt_length response_length terminal.type anthropic.provider "
        "anthropic.custom_base_url duration_ms attempt request_id query_source query_source_safe speed effort "
        "llm_request.context first_content_ms tool_name_safe bash_argv0 bash_command_class decision source agent_id "
        "interaction.sequence interaction.duration_ms parent.source queued_sends user_prompt_length message.uuid "
        "cost_usd_micros cache_creation_5m_tokens cache_creation_1h_tokens tool_input_size_bytes error_class "
        "tool_result_size_bytes agent_type agent.source is_built_in is_async total_tokens total_tool_uses final_model "
        "model_swapped"
    ),
    scopes=(SCOPE, "com.anthropic.claude_code.events"),
    prepare=_prepare,
)
