"""Claude Code's own spans (beta tracing), whose keys have no prefix: told by their scope.

Its numbers are those of Anthropic's API: cache reads and writes stand beside the input.
Names: the program itself, 2.1 (it was read, not run).
"""

from __future__ import annotations

from collector.conventions.found import Convention, Found
from collector.conventions.values import decoded, integer, text
from collector.model import SpanPart

SCOPE = "com.anthropic.claude_code.tracing"
_KINDS = {
    "interaction": "agent", "llm_request": "llm", "tool": "tool", "api_request": "llm", "api_error": "llm",
    "tool_result": "tool", "subagent.spawn": "agent", "compaction": "chain",
}  # fmt: skip
_COUNTS = {
    "claude.input": "input_tokens", "claude.output": "output_tokens", "claude.read": "cache_read_tokens",
    "claude.written": "cache_write_tokens",
}  # fmt: skip
_SAME = {
    "claude.tool": "tool_name", "claude.call": "tool_id", "claude.arguments": "tool_arguments",
    "claude.result": "tool_result", "claude.cost": "cost", "claude.stop": "finish_reasons", "claude.ttft": "ttft_ms",
}  # fmt: skip


def _prepare(found: Found, part: SpanPart) -> None:
    if part.scope is None or not part.scope.name.startswith("com.anthropic.claude_code"):
        return
    slots, texts = found.slots, found.texts
    what = text(slots.get("claude.type")) or (part.name or "").removeprefix("claude_code.")
    slots.setdefault("kind", _KINDS.get(what, "span"))
    model = text(slots.get("claude.model"))
    if model is not None:
        texts.setdefault("request_model", model)
        texts.setdefault("provider", "anthropic")
    _tokens(found)
    for given, ours in _SAME.items():
        if given in slots:
            slots.setdefault(ours, slots[given])
    if "claude.prompt" in slots:
        slots.setdefault("in_messages", [{"role": "user", "content": slots["claude.prompt"]}])
    if "claude.answer" in slots:
        slots.setdefault("out_messages", [{"role": "assistant", "content": decoded(slots["claude.answer"])}])
    if what == "api_error" or str(slots.get("claude.success")).lower() == "false":
        texts["status"] = "error"
        error = text(slots.get("claude.error"))
        if error is not None:
            texts.setdefault("status_message", error)


def _tokens(found: Found) -> None:
    said = {ours: count for slot, ours in _COUNTS.items() if (count := integer(found.slots.get(slot))) is not None}
    if "input_tokens" in said:
        said["input_tokens"] += said.get("cache_read_tokens", 0) + said.get("cache_write_tokens", 0)
    found.counts.update(said)


CLAUDE_CODE = Convention(
    "claude-code",
    slots={
        "claude.type": "span.type",
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
    },
    scopes=(SCOPE, "com.anthropic.claude_code.events"),
    prepare=_prepare,
)
