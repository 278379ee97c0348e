"""What the records of Claude Code's session logs look like, and what the logs of one session know of one another."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from collector.conventions.messages import message
from collector.conventions.parts import parts
from collector.importers.claude_requests import KINDS
from collector.importers.drafts import Draft, json_text, mapping, string
from collector.model import Message

NOT_READ = frozenset({
    "summary", "file-history-snapshot", "queue-operation", "attachment", "ai-title", "custom-title", "last-prompt",
    "tag", "mode", "permission-mode", "agent-name", "agent-color", "agent-setting", "pr-link", "worktree-state",
    "content-replacement", "marble-origami-commit", "marble-origami-snapshot", "speculation-accept", "task-summary",
    "bridge-session", "file-history-delta", "atis-latch", "tools-used", "cost-state",
})  # fmt: skip
"""Records that say nothing of what was asked, answered or done."""

TYPES = frozenset({"user", "assistant", "system", "progress"}) | KINDS | NOT_READ
STARTERS = frozenset({"Task", "Agent"})
ASYNC = "async_launched"
ASIDES = ("<local-command-stdout>", "<local-command-stderr>", "<local-command-caveat>", "<bash-stdout>",
           "<bash-stderr>", "<bash-input>", "<task-notification>", "<system-reminder>")  # fmt: skip
AGENT, META = "agent-", ".meta.json"
_META_BYTES = 2**20
COMMAND = "<command-name>"
SYNTHETIC = "<synthetic>"
INTERRUPTED = "[Request interrupted by user"

COMMON = frozenset({"parentUuid", "uuid", "sessionId", "timestamp", "cwd", "version", "gitBranch", "isSidechain",
                     "userType", "entrypoint", "type", "subtype", "slug", "isMeta"})  # fmt: skip


COPIED_WITHIN_NS = 100_000_000
"""Copies that are dated anew are written at once; nobody asks so fast."""


@dataclass(slots=True)
class Turn:
    """A conversation in progress: a user's turn, or a sub-agent's whole run."""

    root: Draft
    past: list[Message] = field(default_factory=list)
    """What was said before it and since the last compaction, and is sent again with its calls."""
    history: list[Message] = field(default_factory=list)
    calls: dict[str, Draft] = field(default_factory=dict)
    blocks: dict[str, list[Any]] = field(default_factory=dict)
    usages: dict[str, dict[str, Any]] = field(default_factory=dict)
    tools: dict[str, Draft] = field(default_factory=dict)
    current: str | None = None
    ready_ns: int = 0
    own_root: bool = True
    awaits: bool = True
    quiet: bool = False
    """Nothing but a command to the program itself (/clear) so far, or a copy of another turn: no trace of anything."""
    copied: bool = False

    @property
    def told(self) -> list[Message]:
        """What a call would be given now."""
        return [*self.past, *self.history]

    def answered(self, key: str, content: Any) -> tuple[Message, list[Any]]:
        """Take in what a record says of an answer: the whole answer as far as it is known, and its new blocks."""
        blocks = self.blocks.setdefault(key, [])
        new: list[Any] = []
        for block in blocks_of(content):
            if block not in blocks:
                blocks.append(block)
                new.append(block)
        answer = message({"role": "assistant", "content": blocks}, "assistant")
        if self.current != key or not self.history:
            self.history.append(answer)
        else:
            self.history[-1] = answer
        self.current = key
        return answer, new


def is_record(said: dict[str, Any]) -> bool:
    """Whether a line looks like one of Claude Code's."""
    kind = said.get("type")
    if kind in ("user", "assistant", "system", "progress"):
        return "sessionId" in said and ("uuid" in said or "message" in said)
    if kind == "summary":
        return "leafUuid" in said
    return isinstance(kind, str) and kind in NOT_READ | KINDS and ("sessionId" in said or "messageId" in said)


@dataclass(slots=True)
class Sessions:
    """What the logs of one import know of one another: which call started which agent, and which message is whose."""

    prompts: dict[tuple[str, str], list[Draft]] = field(default_factory=dict)
    agents: dict[tuple[str, str], Draft] = field(default_factory=dict)
    owner: dict[str, str] = field(default_factory=dict)
    homes: dict[str, str] = field(default_factory=dict)
    """The session in which a trace was seen first; in others it is a copy."""
    asked: dict[str, tuple[str, str]] = field(default_factory=dict)
    calls: dict[str, Draft] = field(default_factory=dict)
    """The calls that start agents, by the id of their tool use."""
    uses: dict[str, str] = field(default_factory=dict)
    """The tool use that started an agent, where a file beside its log says so."""

    def beside(self, log: Path) -> None:
        """Learn what the small file beside a sub-agent's log says: which tool use started it."""
        if not log.name.startswith(AGENT):
            return
        with suppress(OSError, ValueError):
            with log.with_suffix(META).open("rb") as file:
                use = string(mapping(orjson.loads(file.read(_META_BYTES))).get("toolUseId"))
            if use is not None:
                self.uses[log.stem.removeprefix(AGENT)] = use

    def started(self, session: str, prompt: str, call: Draft) -> None:
        self.asked[call.span_id] = (session, prompt)
        self.calls[call.source_id] = call
        self.prompts.setdefault((session, prompt), []).append(call)

    def named(self, session: str, agent: str, call: Draft) -> None:
        """The call's agent is this one: no other may be found by its prompt."""
        self.agents.setdefault((session, agent), call)
        waiting = self.prompts.get(self.asked.get(call.span_id, ("", "")), [])
        if call in waiting:
            waiting.remove(call)

    def caller(self, session: str, agent: str | None, prompt: str) -> Draft | None:
        """The call that started an agent, by the agent's id, or else by its prompt (each call starts one)."""
        if agent is not None and (known := self.calls.get(self.uses.get(agent, ""))) is not None:
            self.named(session, agent, known)
        if agent is not None and (session, agent) in self.agents:
            return self.agents[session, agent]
        waiting = self.prompts.get((session, prompt))
        found = waiting.pop(0) if waiting else None
        if found is not None and agent is not None:
            self.agents[session, agent] = found
        return found


def prompt_of(record: dict[str, Any]) -> str | None:
    """What the user asked, where a record is that: no tool result, no aside of the program."""
    if record.get("isMeta") is True or record.get("isCompactSummary") is True:
        return None
    content = mapping(record.get("message")).get("content")
    if isinstance(content, list) and any(isinstance(b, dict) and b.get("type") == "tool_result" for b in content):
        return None
    text = text_of(content)
    if text.startswith((INTERRUPTED, *ASIDES)):
        return None
    return text or (json_text(content)[:2000] if content else None)


def text_of(content: Any) -> str:
    """The texts of a message's content, joined."""
    if isinstance(content, str):
        return content
    return "".join(p["text"] for p in parts(content) if p["type"] == "text" and isinstance(p.get("text"), str))


def blocks_of(content: Any) -> list[Any]:
    if isinstance(content, list):
        return content
    return [{"type": "text", "text": content}] if isinstance(content, str) and content else []


def output_of(usage: dict[str, Any]) -> int:
    n = usage.get("output_tokens")
    return n if isinstance(n, int) else 0
