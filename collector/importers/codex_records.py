"""What the lines of a Codex rollout are called, how a turn of it is kept while it is read, and its smaller shapes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from collector.conventions.values import integer
from collector.importers.drafts import Draft, mapping, string
from collector.model import Message, Usage

LINES = frozenset({"session_meta", "turn_context", "response_item", "event_msg", "compacted",
                    "token_usage_record"})  # fmt: skip
NOT_READ = frozenset({"world_state", "ghost_snapshot", "inter_agent_communication_metadata"})
ITEMS = frozenset({
    "message", "reasoning", "function_call", "function_call_output", "custom_tool_call", "custom_tool_call_output",
    "local_shell_call", "web_search_call", "tool_search_call", "tool_search_output", "tool_search_call_output",
    "image_generation_call", "agent_message", "compaction", "compaction_summary", "compaction_trigger",
})  # fmt: skip
CALLS = frozenset({"function_call", "custom_tool_call", "local_shell_call", "web_search_call", "tool_search_call",
                    "image_generation_call"})  # fmt: skip
AT_ONCE = frozenset({"web_search_call", "image_generation_call"})
"""Calls that the provider itself ran: they have no result of their own here."""
TOLD = frozenset({"error", "stream_error", "warning", "turn_aborted", "context_compacted", "entered_review_mode",
                   "exited_review_mode", "thread_rolled_back", "model_reroute"})  # fmt: skip
ENDS = frozenset({"task_complete", "turn_complete"})
OWN_ID = 32
"""Turn ids of so many characters are unique; the first versions counted from 1."""
BEGINS = frozenset({"task_started", "turn_started"})
NO_PROMPT = ("<environment_context>", "<user_instructions>", "<permissions", "<turn_aborted>", "<skills",
              "<collaboration_mode>", "<subagent_notification>", "# AGENTS.md instructions",
              "<INSTRUCTIONS>")  # fmt: skip


def is_record(record: dict[str, Any]) -> bool:
    """Whether a line looks like one of a rollout, of today's shape or the old one."""
    if isinstance(record.get("payload"), dict):
        return isinstance(kind := record.get("type"), str) and kind in LINES | NOT_READ
    if "type" not in record and "record_type" not in record:
        return {"id", "timestamp"} <= record.keys() and ("instructions" in record or "git" in record)
    return False


@dataclass(slots=True)
class Turn:
    root: Draft
    turn_id: str | None = None
    prompt: str | None = None
    history: list[Message] = field(default_factory=list)
    told: int = 0
    """How much of the history the call that goes on was given."""
    call: Draft | None = None
    answer: list[Message] = field(default_factory=list)
    told_usage: bool = False
    answered: bool = False
    calls: int = 0
    ready_ns: int = 0
    ended: bool = False
    started_by_event: bool = False
    answered_last: bool = False
    """Nothing but the model's words came last: without an event that ends it, a turn has ended then."""


@dataclass(slots=True)
class Threads:
    """Which call started which session, among the rollouts that are read together."""

    spawned: dict[str, Draft] = field(default_factory=dict)


UNSUPPORTED, ABORTED = "unsupported call: ", "\naborted by user"
_EXITED = re.compile(r"(?:Chunk ID: .*\n)?Wall time: .*\nProcess exited with code (\d{1,9})\n")


def exit_code(output: str) -> int | None:
    """What the output of a command says of its end, in its first lines."""
    found = _EXITED.match(output)
    return int(found[1]) if found else None


def above(event: dict[str, Any]) -> tuple[str, str] | None:
    """The user's turn and the turn that started this one, where a sub-agent's turn begins."""
    top = string(event.get("root_turn_id"))
    parent = string(mapping(event.get("turn_attribution")).get("parent_turn_id"))
    return (top, parent) if top and parent else None


def thoughts(item: dict[str, Any]) -> list[Message]:
    """Reasoning in the open; most of it is encrypted, and then only its summary is."""
    texts = [
        said["text"]
        for key in ("summary", "content")
        for said in (item[key] if isinstance(item.get(key), list) else ())
        if isinstance(said, dict) and string(said.get("text"))
    ]
    return [Message("assistant", ({"type": "reasoning", "text": "\n\n".join(texts)},))] if texts else []


def as_call(item: dict[str, Any], kind: str) -> dict[str, Any]:
    return {
        "type": "tool_call", "id": item.get("call_id") or item.get("id"),
        "name": kind.removesuffix("_call"), "arguments": item.get("action", item.get("arguments")),
    }  # fmt: skip


def error_type(event: dict[str, Any]) -> str | None:
    info = event.get("codex_error_info")
    return info if isinstance(info, str) else next(iter(info), None) if isinstance(info, dict) and info else None


def usage_of(told: dict[str, Any]) -> Usage:
    """Input counts what was cached, and output the reasoning, as with us."""
    return Usage(
        input_tokens=integer(told.get("input_tokens")),
        output_tokens=integer(told.get("output_tokens")),
        cache_read_tokens=integer(told.get("cached_input_tokens")),
        cache_write_tokens=integer(told.get("cache_write_input_tokens")),
        reasoning_tokens=integer(told.get("reasoning_output_tokens")),
    )
