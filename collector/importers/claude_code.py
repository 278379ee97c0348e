"""Claude Code's session logs: `~/.claude/projects/<directory>/<session>.jsonl`, and its sub-agents' `agent-<id>.jsonl`.

There is no published format. The facts here were seen in logs of 2.1.330, which was run for it; what is said of older
versions, public parsers and issues agree on:
- A record has type, uuid, parentUuid, sessionId, timestamp, cwd, gitBranch, version, isSidechain.
- An answer is written block by block: several `assistant` records with one message.id, each repeating the usage, of
  which the greatest output is the last (anthropics/claude-code issues 22671, 21971).
- A resumed or forked session is a new file that begins with copies of the records of the old one, message ids as they
  were, and moments too (but 1.0.83, resumed headless, dates them anew). So ids are made of those.
- A sub-agent's records have isSidechain: in the file of the session (1.x), or in one of their own (2.x; from about
  2.1 in `<session>/subagents/`) with an agentId. Its first message is the prompt of the Task call that started it, and
  the result of that call names the agent, and so does `agent-<id>.meta.json` beside it. One in the background has a
  result at once, and is over when its session is notified, or when its own last word was said.

A trace is a user's turn: what was asked, the model's calls, the tools, and sub-agents under their Task.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePath
from typing import Any

from collector import ids
from collector.conventions.counting import from_details
from collector.conventions.messages import message
from collector.conventions.parts import plain
from collector.importers.claude_records import (
    ASIDES,
    ASYNC,
    COMMAND,
    COMMON,
    COPIED_WITHIN_NS,
    INTERRUPTED,
    NOT_READ,
    STARTERS,
    SYNTHETIC,
    TYPES,
    Sessions,
    Turn,
    output_of,
    prompt_of,
    text_of,
)  # fmt: skip
from collector.importers.claude_requests import KINDS, Requests, notification
from collector.importers.drafts import Draft, Drafts, json_text, mapping, said, scalars, string
from collector.model import USAGE_FIELDS, Event, Message, Scope, SpanPart, Tool, Usage, Value
from collector.protocols.times import time_ns

NAME = "claude-code"
SCOPE = Scope("claude-code.session-log")


class ClaudeLog:
    """One file. `sessions` is shared by the files that are read together."""

    def __init__(self, sessions: Sessions | None = None) -> None:
        self.sessions = sessions or Sessions()
        self._drafts = Drafts(NAME)
        self._turn: Turn | None = None
        self._agents: dict[str, Turn] = {}
        self._side_of: dict[str, str] = {}
        self._common: dict[str, Any] = {"service": NAME}
        self._out: list[SpanPart] = []
        self._requests = Requests()
        self._background: dict[str, Draft] = {}
        self._compacted = False
        self._past: list[Message] = []  # what a compaction kept, until the next turn begins
        self._last_ns = 0

    def feed(self, record: dict[str, Any]) -> bool:
        kind = record.get("type")
        if kind not in TYPES:
            return False
        at = time_ns(record.get("timestamp")) or self._last_ns
        if kind == "queue-operation":
            self._notified(record.get("content"), at)
        if kind in NOT_READ:
            return True
        self._last_ns = at
        if kind in KINDS:
            self._requests.hear(record, at)
            return True
        self._context(record)
        if kind == "progress":
            self._progress(record)
        elif kind == "system":
            self._system(record, at)
        else:
            turn = self._turn_of(record, at)
            if turn is not None and kind == "assistant":
                self._assistant(turn, record, at)
            elif turn is not None:
                self._user(turn, record, at)
            elif record.get("isCompactSummary") is True:
                self._past = [message(mapping(record.get("message")), "user")]
        return True

    def flush(self) -> list[SpanPart]:
        for turn in self._turns():
            self._settle(turn)
        out = [*self._out, *self._drafts.take(SCOPE, self._common, self.sessions.homes)]
        self._out = []
        return out

    def _turns(self) -> list[Turn]:
        return [*([self._turn] if self._turn is not None else []), *self._agents.values()]

    def _context(self, record: dict[str, Any]) -> None:
        forked = mapping(record.get("forkedFrom")).get("sessionId")
        metadata: dict[str, Value] = {
            ours: record[theirs]
            for theirs, ours in (("cwd", "cwd"), ("gitBranch", "git_branch"), ("version", "version"),
                                 ("entrypoint", "entrypoint"))
            if string(record.get(theirs))
        }  # fmt: skip
        common: dict[str, Any] = {"service": NAME}
        session = string(forked) or string(record.get("sessionId")) or self._common.get("session_id")
        if session:
            common["session_id"] = session
        if metadata or "metadata" in self._common:
            common["metadata"] = {**self._common.get("metadata", {}), **metadata}
            if directory := string(common["metadata"].get("cwd")):
                common["project"] = PurePath(directory.replace("\\", "/")).name or directory
        if common != self._common:
            self._out += self._drafts.take(SCOPE, self._common, self.sessions.homes)
            self._common = common

    # --- whose record it is

    def _turn_of(self, record: dict[str, Any], at: int) -> Turn | None:
        if record.get("isSidechain") is True:
            return self._agent_of(record, at)
        if record.get("type") == "user" and (prompt := prompt_of(record)) is not None:
            self._begin(record, prompt, at)
        elif self._turn is None and record.get("type") == "assistant" and not self._is_copy(record):
            self._begin(record, "", at)  # a file that begins in the middle
        return self._turn

    def _is_copy(self, record: dict[str, Any]) -> bool:
        """Whether an answer to nothing is one that a compaction kept, or that another file has."""
        return self._compacted or string(mapping(record.get("message")).get("id")) in self.sessions.owner

    def _begin(self, record: dict[str, Any], prompt: str, at: int) -> None:
        if self._turn is not None:
            self._turn.awaits = False
            self._give_up(self._turn, "there is no result in the log")
            self._settle(self._turn)
        key = f"turn {at} {prompt}" if prompt else f"turn {record.get('uuid')}"
        trace = ids.trace_id(f"{NAME} {key}")
        root = self._drafts.draft(trace, key[:200], None, "claude_code.interaction", "agent", at)
        root.source_id = string(record.get("uuid")) or key[:200]
        root.open = True
        if session := self._common.get("session_id"):
            self.sessions.homes.setdefault(trace, session)
        before = self._turn
        copied = before is not None and before.copied and at - before.root.start_ns < COPIED_WITHIN_NS
        quiet = copied or prompt.startswith(COMMAND)
        if quiet:
            self._drafts.forget(root)
        past = self._past if before is None else before.told
        self._turn = Turn(root, ready_ns=at, quiet=quiet, copied=copied, past=past)

    def _agent_of(self, record: dict[str, Any], at: int) -> Turn | None:
        """The run that a sidechain record belongs to: by its agent, or along the chain of parents."""
        agent, parent, uuid = (string(record.get(key)) for key in ("agentId", "parentUuid", "uuid"))
        key = agent or (self._side_of.get(parent) if parent else None) or uuid or f"sidechain {at}"
        if uuid:
            self._side_of[uuid] = key
        turn = self._agents.get(key)
        if turn is None:
            turn = self._agents[key] = self._agent_run(record, agent, key, at)
        return turn

    def _agent_run(self, record: dict[str, Any], agent: str | None, key: str, at: int) -> Turn:
        session = string(record.get("sessionId")) or ""
        prompt = prompt_of(record) or ""
        call = self.sessions.caller(session, agent, prompt)
        if call is not None:
            turn = Turn(call, ready_ns=at, own_root=False)
            if agent is not None:
                call.attributes["claude_code.agent_id"] = agent
                self._drafts.touch(call)
            return turn
        trace = ids.trace_id(f"{NAME} agent {session} {key}")
        root = self._drafts.draft(trace, f"agent {session} {key}", None, "claude_code.subagent", "agent", at)
        root.source_id, root.open = key, True
        if agent is not None:
            root.attributes["claude_code.agent_id"] = agent
        return Turn(root, ready_ns=at)

    # --- what records say

    def _user(self, turn: Turn, record: dict[str, Any], at: int) -> None:
        body = mapping(record.get("message"))
        content = body.get("content")
        blocks = content if isinstance(content, list) else []
        for block in blocks:
            if isinstance(block, dict) and block.get("type") == "tool_result":
                self._result(turn, block, record, at)
        text = text_of(content)
        self._notified(text, at)
        if text.startswith(INTERRUPTED):
            turn.root.attributes["claude_code.interrupted"] = True
            turn.awaits = False
            self._give_up(turn, "interrupted by the user", at)
        elif record.get("isCompactSummary") is True:
            turn.history.append(message({"role": "user", "content": content}, "user"))
            return
        elif text.startswith((COMMAND, *ASIDES)):
            turn.awaits = False
        else:
            turn.awaits, turn.quiet = True, turn.copied
        heard = message({"role": "user", "content": content}, "user")
        if heard.parts:
            if "input" not in turn.root.reading and turn.own_root and record.get("isMeta") is not True:
                turn.root.reading["input"] = said(heard)
            turn.history.append(heard)
        turn.current, turn.ready_ns = None, at
        self._reach(turn, at)

    def _result(self, turn: Turn, block: dict[str, Any], record: dict[str, Any], at: int) -> None:
        call = turn.tools.get(str(block.get("tool_use_id")))
        if call is None:
            return  # its call is in another file, which says as much
        told = record.get("toolUseResult")
        call.attributes.update(scalars(told, "claude_code.tool_result."))
        call.attributes.update(scalars(record.get("permissionDecision"), "claude_code.permission."))
        call.reach(at)
        if mapping(told).get("status") == ASYNC:
            self._background[str(block["tool_use_id"])] = call
        else:
            call.reading["tool"] = replace(call.reading["tool"], result=plain(block.get("content")))
            call.open = False
        if block.get("is_error") is True:
            call.fail(text_of(block.get("content"))[:2000] or json_text(block.get("content"))[:2000])
        agent = mapping(told).get("agentId")
        if isinstance(agent, str) and (session := string(record.get("sessionId"))):
            self.sessions.named(session, agent, call)
        self._drafts.touch(call)

    def _notified(self, text: Any, at: int) -> None:
        """An agent in the background has ended: its call too, whichever turn made it."""
        told = notification(text)
        call = self._background.get(told.use) if told is not None else None
        if told is None or call is None:
            return
        call.open = False
        call.reach(at)
        if told.result is not None:
            call.reading["tool"] = replace(call.reading["tool"], result=told.result)
        if told.status not in ("", "completed"):
            call.fail(told.summary or told.status)
        self._drafts.touch(call)

    def _assistant(self, turn: Turn, record: dict[str, Any], at: int) -> None:
        body = mapping(record.get("message"))
        model = string(body.get("model"))
        failed = record.get("isApiErrorMessage") is True
        if model == SYNTHETIC and not failed:
            self._reach(turn, at)
            return
        key = string(body.get("id")) or string(record.get("uuid")) or f"answer {at}"
        if self.sessions.owner.setdefault(key, turn.root.trace_id) != turn.root.trace_id:
            if not turn.calls:  # a session that goes on in a new file: some versions date its copies anew
                turn.quiet = turn.copied = True
                self._drafts.forget(turn.root)
            turn.answered(key, body.get("content"))
            return
        turn.quiet = turn.copied = False
        call = turn.calls.get(key)
        if call is None:
            call = turn.calls[key] = self._call(turn, record, key, at)
        answer, new = turn.answered(key, body.get("content"))
        for block in new:
            self._tool_use(turn, block, record, at)
        call.reading["output"] = said(answer)
        self._facts(turn, call, key, body, record)
        call.reach(at)
        if failed:
            call.fail(text_of(body.get("content"))[:2000], string(record.get("error")) or "api_error")
        self._drafts.touch(call)
        blocks = turn.blocks[key]
        turn.awaits = any(isinstance(block, dict) and block.get("type") == "tool_use" for block in blocks)
        text = text_of(blocks)
        if turn.own_root:
            turn.root.status, turn.root.message = ("error", text[:2000]) if failed else (None, None)
        if turn.own_root and text:
            turn.root.reading["output"] = said(Message("assistant", ({"type": "text", "text": text},)))
        elif text and not turn.awaits and turn.root.open:
            turn.root.reading["tool"] = replace(turn.root.reading["tool"], result=text)
        self._reach(turn, at)

    def _call(self, turn: Turn, record: dict[str, Any], key: str, at: int) -> Draft:
        call = self._drafts.draft(
            turn.root.trace_id, key, turn.root.span_id, "claude_code.llm_request", "llm", min(turn.ready_ns or at, at)
        )
        call.source_id = key
        call.reading |= {"provider": "anthropic", "operation": "chat"}
        if turn.told:
            call.reading["input"] = said(*turn.told)
        if request := string(record.get("requestId")):
            call.attributes["claude_code.request_id"] = request
        self._requests.tell(call, string(record.get("requestRef")))
        turn.blocks[key], turn.current = [], None
        return call

    def _facts(self, turn: Turn, call: Draft, key: str, body: dict[str, Any], record: dict[str, Any]) -> None:
        """Model, tokens, cost: said with every block of an answer, and final with the last."""
        reading = call.reading
        model = string(body.get("model"))
        if model and model != SYNTHETIC:
            reading["model"] = model
            reading["response_id"] = key
        usage = mapping(body.get("usage"))
        before = turn.usages.get(key)
        if usage and model != SYNTHETIC and (before is None or output_of(usage) >= output_of(before)):
            turn.usages[key] = usage
            counts = {name: n for name, n in from_details(usage).items() if name in USAGE_FIELDS}
            if counts:
                reading["usage"] = Usage(**counts)
            if tier := string(usage.get("service_tier")):
                reading["params"] = {**(reading.get("params") or {}), "service_tier": tier}
        cost = record.get("costUSD")
        if isinstance(cost, (int, float)) and not isinstance(cost, bool) and 0 <= cost < 1e9:
            reading["cost_nanousd"] = max(round(cost * 1e9), reading.get("cost_nanousd") or 0)
        if stop := string(body.get("stop_reason")):
            reading["finish_reasons"] = (stop,)

    def _tool_use(self, turn: Turn, block: Any, record: dict[str, Any], at: int) -> None:
        if not isinstance(block, dict) or block.get("type") != "tool_use" or not string(block.get("id")):
            return
        use, name = str(block["id"]), string(block.get("name")) or "tool"
        call = self._drafts.draft(turn.root.trace_id, f"tool {use}", turn.root.span_id, name, "tool", at)
        call.source_id, call.open = use, True
        call.reading["tool"] = Tool(name, use, block.get("input"))
        turn.tools[use] = call
        given = mapping(block.get("input"))
        prompt = string(given.get("prompt"))
        if name in STARTERS and prompt is not None:
            if kind := string(given.get("subagent_type")):
                call.reading["agent_name"] = kind
            self.sessions.started(string(record.get("sessionId")) or "", prompt, call)

    def _progress(self, record: dict[str, Any]) -> None:
        """A sub-agent's messages, told to its session while it works: they say which call is whose."""
        data = mapping(record.get("data"))
        agent, use, session = data.get("agentId"), record.get("parentToolUseID"), record.get("sessionId")
        for turn in self._turns():
            call = turn.tools.get(str(use))
            if call is not None and isinstance(agent, str) and isinstance(session, str):
                self.sessions.named(session, agent, call)

    def _system(self, record: dict[str, Any], at: int) -> None:
        turn = self._agent_of(record, at) if record.get("isSidechain") is True else self._turn
        if record.get("subtype") == "compact_boundary":
            self._compacted = self._compacted or turn is None
            if turn is not None:
                turn.past, turn.history, turn.current = [], [], None
        if turn is None:
            return
        told = {key: value for key, value in record.items() if key not in COMMON}
        name = f"claude_code.{string(record.get('subtype')) or 'system'}"
        turn.root.events.append(Event(at, name, scalars(told, "")))
        self._reach(turn, at if turn.awaits else 0)

    def _give_up(self, turn: Turn, why: str, at: int = 0) -> None:
        """No results are coming for the tools that still run; sub-agents in the background may go on."""
        for call in turn.tools.values():
            if call.open and call.name not in STARTERS:
                call.open = False
                call.reach(at)
                call.fail(why)
                self._drafts.touch(call)

    def _reach(self, turn: Turn, at: int) -> None:
        turn.root.reach(at)
        if not turn.quiet:
            self._drafts.touch(turn.root)

    def _settle(self, turn: Turn) -> None:
        """A turn has ended when its last word is an answer that asks for no tool, or when the next one began. So has
        the call of an agent in the background; a notification may have said so before."""
        if not turn.own_root and turn.root.open and not turn.awaits:
            turn.root.open = False
            self._drafts.touch(turn.root)
        if turn.own_root and not turn.quiet and turn.root.open != turn.awaits:
            turn.root.open = turn.awaits
            self._drafts.touch(turn.root)
