"""Codex CLI's rollouts: `~/.codex/sessions/YYYY/MM/DD/rollout-<time>-<session>.jsonl`.

The facts here were seen in rollouts of 0.169, which was run for it; what is said of older versions, public readers of
these files agree on:
- A line is {timestamp, type, payload}: `session_meta` first, a `turn_context` with the model for each turn,
  `response_item`s as OpenAI's Responses API has them, and `event_msg`s for the screen, which repeat most of the items.
- Tokens come in `token_count` events after a model's answer: `last_token_usage` is that answer's (input includes
  what was cached, output includes reasoning), `total_token_usage` the session's. The event is repeated when only the
  rate limits changed, with the same total. In newer files a `token_usage_record` comes before, right after the answer,
  and names the response; where there is one, the events are not counted.
- How a command ended is said by an `item_completed` event (newer) or by the text of its output. A turn that failed is
  complete with an `error` (newer), or has an `error` event.
- Before 0.32 a line was the item itself, without a time, after a first line {id, timestamp, instructions}.
- A sub-agent is a session of its own, whose id is in the result of the `spawn_agent` call that started it. In newer
  files its turns name the turn that this call was made in, and the user's turn above them all.

A trace is a user's turn. What one call of the model answered is told by the order: its items lie between results.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePath
from typing import Any

from collector import ids
from collector.conventions.messages import message
from collector.conventions.values import decoded, integer
from collector.importers import codex_records as records
from collector.importers.drafts import Draft, Drafts, json_text, mapping, said, scalars, string
from collector.model import Event, Message, Scope, SpanPart, Tool
from collector.protocols.times import time_ns

NAME = "codex"
SCOPE = Scope("codex.rollout")


class CodexLog:
    """One rollout. `threads` is shared by the files that are read together."""

    def __init__(self, threads: records.Threads | None = None) -> None:
        self.threads = threads or records.Threads()
        self._drafts = Drafts(NAME)
        self._turn: records.Turn | None = None
        self._tools: dict[str, Draft] = {}
        self._common: dict[str, Any] = {"service": NAME}
        self._out: list[SpanPart] = []
        self._session = ""
        self._system: tuple[Message, ...] = ()
        self._model: str | None = None
        self._params: dict[str, Any] = {}
        self._above: tuple[str, str] | None = None
        self._total: Any = None
        self._records_usage = False
        self._before: list[Message] = []
        self._last_ns = 0

    def feed(self, record: dict[str, Any]) -> bool:
        at = self._last_ns = time_ns(record.get("timestamp")) or self._last_ns
        payload = record.get("payload")
        kind = record.get("type")
        if not isinstance(payload, dict):
            return self._old(record, at)
        if kind == "session_meta":
            self._meta(payload)
        elif kind == "turn_context":
            self._context(payload, at)
        elif kind == "response_item":
            return self._item(payload, at)
        elif kind == "event_msg":
            self._event(payload, at)
        elif kind == "token_usage_record":
            self._records_usage = True
            self._used(mapping(payload.get("usage")), string(payload.get("response_id")), at)
        elif kind == "compacted":
            self._note("compacted", payload, at)
            self._compact(payload)
        else:
            return kind in records.NOT_READ
        return True

    def flush(self) -> list[SpanPart]:
        turn = self._turn
        if turn is not None and (caller := self.threads.spawned.get(self._session)) is not None:
            self._nest(turn, caller)
        if turn is not None and not turn.ended and not turn.started_by_event and turn.root.open == turn.answered_last:
            turn.root.open = not turn.answered_last
            self._drafts.touch(turn.root)
        out = [*self._out, *self._drafts.take(SCOPE, self._common)]
        self._out = []
        return out

    # --- where and with what

    def _old(self, record: dict[str, Any], at: int) -> bool:
        if "record_type" in record:
            return bool(record["record_type"] == "state")
        if "type" not in record:
            self._meta(record)
            return True
        return self._item(record, at)

    def _meta(self, meta: dict[str, Any]) -> None:
        session = string(meta.get("id"))
        if session is None or self._session:
            return  # a fork repeats the first line of the session that it was taken from
        self._session = session
        git = mapping(meta.get("git"))
        metadata = {
            name: value
            for name, value in (
                ("cwd", meta.get("cwd")), ("version", meta.get("cli_version")), ("originator", meta.get("originator")),
                ("git_branch", git.get("branch")), ("git_commit", git.get("commit_hash")),
                ("git_repository", git.get("repository_url")), ("forked_from", meta.get("forked_from_id")),
            )
            if string(value)
        }  # fmt: skip
        spawn = mapping(mapping(mapping(meta.get("source")).get("subagent")).get("thread_spawn"))
        if parent := string(spawn.get("parent_thread_id")):
            metadata["parent_thread"] = parent
        thread = string(meta.get("session_id")) if parent else None  # of an agent of an agent, the user's own
        common = {"service": NAME, "session_id": thread or parent or session, "metadata": metadata}
        if directory := string(meta.get("cwd")):
            common["project"] = PurePath(directory.replace("\\", "/")).name or directory
        self._common = common
        if provider := string(meta.get("model_provider")):
            self._params["model_provider"] = provider
        base = meta.get("base_instructions")
        text = string(meta.get("instructions")) or string(mapping(base).get("text")) or string(base)
        if text:
            self._system = (Message("system", ({"type": "text", "text": text},)),)

    def _context(self, context: dict[str, Any], at: int) -> None:
        turn_id = string(context.get("turn_id"))
        if turn_id and (self._turn is None or self._turn.turn_id not in (None, turn_id)):
            self._begin(at, turn_id)
        self._model = string(context.get("model")) or self._model
        for theirs in ("effort", "summary", "approval_policy"):
            if string(context.get(theirs)):
                self._params[theirs] = context[theirs]

    # --- turns

    def _begin(self, at: int, turn_id: str | None, prompt: str = "") -> records.Turn:
        self._finish(at)
        key = f"turn {turn_id}" if turn_id and len(turn_id) >= records.OWN_ID else f"turn {self._session} {at} {prompt}"
        trace, parent = self._place(key)
        root = self._drafts.draft(trace, key, parent, "codex.turn", "agent", at)
        root.source_id, root.open = turn_id or key[:200], True
        if self._turn is not None:
            self._close(self._turn)
            self._before = [*self._turn.history, *self._before]
        self._turn = records.Turn(root, turn_id, history=self._before, ready_ns=at)
        self._before = []
        return self._turn

    def _compact(self, payload: dict[str, Any]) -> None:
        """From here on calls are given a summary, and what was kept beside it."""
        kept = payload.get("replacement_history")
        items = kept if isinstance(kept, list) else [{"role": "user", "content": payload.get("message")}]
        told = [message(item, "user") for item in items if isinstance(item, dict) and item.get("content")]
        if self._turn is None:
            self._before = told
        else:
            self._close(self._turn)
            self._turn.history, self._turn.told = told, len(told)

    def _place(self, key: str) -> tuple[str, str | None]:
        """The trace of a turn and the span above it: a sub-agent's lies below the call that started it, or, as long
        as that call was not read, below the turn that made it."""
        if (caller := self.threads.spawned.get(self._session)) is not None:
            return caller.trace_id, caller.span_id
        if self._above is not None:
            top, parent = self._above
            return ids.trace_id(f"{NAME} turn {top}"), ids.span_id(f"{NAME} turn {parent}")
        return ids.trace_id(f"{NAME} {key}"), None

    def _nest(self, turn: records.Turn, caller: Draft) -> None:
        if turn.root.trace_id == caller.trace_id and turn.root.parent_id != caller.span_id:
            turn.root.parent_id = caller.span_id
            self._drafts.touch(turn.root)

    def _finish(self, at: int) -> None:
        if self._turn is not None and not self._turn.ended:
            self._turn.ended = True
            self._turn.root.open = False
            self._drafts.touch(self._turn.root)

    def _here(self, at: int) -> records.Turn:
        return self._turn if self._turn is not None else self._begin(at, None)

    def _prompt(self, text: str, at: int) -> None:
        """What the user asked: of the item and the event that both say it, the first."""
        turn = self._turn
        if turn is not None and turn.prompt == text and not turn.ended:
            return
        if turn is None or turn.ended or (turn.prompt is not None and not turn.started_by_event):
            turn = self._begin(at, None, text)
        if turn.prompt is None:
            turn.prompt = text
            turn.root.reading["input"] = said(Message("user", ({"type": "text", "text": text},)))
            self._drafts.touch(turn.root)

    # --- items

    def _item(self, item: dict[str, Any], at: int) -> bool:
        kind = item.get("type")
        if kind not in records.ITEMS:
            return kind in records.NOT_READ
        role = item.get("role")
        if self._turn is not None:
            self._turn.answered_last = False
        if kind == "message" and role != "assistant":
            self._heard(item, at)
        elif kind.endswith("_output"):
            self._result(item, at)
        elif kind == "message" or kind == "reasoning" or kind in records.CALLS:
            self._answered(item, kind, at)
        else:
            self._note(kind, item, at)
        return True

    def _heard(self, item: dict[str, Any], at: int) -> None:
        heard = message(item, "user")
        text = "".join(p["text"] for p in heard.parts if p["type"] == "text" and isinstance(p.get("text"), str))
        if heard.role == "user" and text and not text.lstrip().startswith(records.NO_PROMPT):
            self._prompt(text, at)
            self._here(at).history.append(heard)
        elif self._turn is None or self._turn.ended:
            self._before.append(heard)
        else:
            self._turn.history.append(heard)
        if self._turn is not None:
            self._turn.ready_ns = at

    def _answered(self, item: dict[str, Any], kind: str, at: int) -> None:
        turn = self._here(at)
        if turn.call is None or turn.answered or turn.told_usage:
            self._call(turn, at)
        call = turn.call
        assert call is not None
        if kind == "reasoning":
            turn.answer += records.thoughts(item)
        elif kind not in records.AT_ONCE and kind != "local_shell_call" and kind != "tool_search_call":
            turn.answer.append(message(item, "assistant"))
        else:
            turn.answer.append(message({"role": "assistant", "content": [records.as_call(item, kind)]}, "assistant"))
        parts = tuple(part for one in turn.answer for part in one.parts)
        call.reading["output"] = said(Message("assistant", parts))
        call.reach(at)
        self._drafts.touch(call)
        if kind in records.CALLS:
            self._tool(turn, item, kind, at)
        elif kind == "message":
            turn.root.reading["output"] = said(turn.answer[-1])
            turn.answered_last = True
        self._reach(turn, at)

    def _call(self, turn: records.Turn, at: int) -> None:
        self._close(turn)
        turn.calls += 1
        key = f"{turn.root.trace_id} {turn.root.span_id} call {turn.calls}"
        call = self._drafts.draft(
            turn.root.trace_id, key, turn.root.span_id, "codex.model_call", "llm", min(turn.ready_ns or at, at)
        )
        call.reading |= {"provider": str(self._params.get("model_provider") or "openai").lower(), "operation": "chat"}
        if self._model:
            call.reading |= {"model": self._model, "request_model": self._model}
        if self._params:
            call.reading["params"] = dict(self._params)
        if turn.history:
            call.reading["input"] = said(*turn.history)
        call.reading["system"] = self._system
        turn.call, turn.told, turn.answered, turn.told_usage = call, len(turn.history), False, False

    def _close(self, turn: records.Turn) -> None:
        if turn.answer:
            parts = tuple(part for one in turn.answer for part in one.parts)
            turn.history.insert(turn.told, Message("assistant", parts))  # what was answered came before its results
        turn.call, turn.answer = None, []

    def _tool(self, turn: records.Turn, item: dict[str, Any], kind: str, at: int) -> None:
        name = string(item.get("name")) or kind.removesuffix("_call")
        use = string(item.get("call_id")) or string(item.get("id")) or f"{turn.root.source_id} {kind} {at}"
        call = self._drafts.draft(
            turn.root.trace_id, f"tool {self._session} {use}", turn.root.span_id, name, "tool", at
        )
        given = item.get("arguments") if "arguments" in item else item.get("input", item.get("action"))
        call.source_id, call.open = use, kind not in records.AT_ONCE
        call.reading["tool"] = Tool(name, use, decoded(given))
        self._tools[use] = call

    def _result(self, item: dict[str, Any], at: int) -> None:
        turn = self._here(at)
        given = decoded(item.get("output"))
        heard = message({**item, "type": "function_call_output"}, "tool")
        turn.history.append(heard)
        turn.answered, turn.ready_ns = True, at
        call = self._tools.get(str(item.get("call_id")))
        if call is not None:
            output = given.get("output", given.get("content", given)) if isinstance(given, dict) else given
            call.reading["tool"] = replace(call.reading["tool"], result=output)
            call.open = False
            call.reach(at)
            self._outcome(call, mapping(given), output)
            self._drafts.touch(call)
        self._reach(turn, at)

    def _outcome(self, call: Draft, given: dict[str, Any], output: Any) -> None:
        metadata = mapping(given.get("metadata"))
        call.attributes.update(scalars(metadata, "codex.tool_result."))
        told = output if isinstance(output, str) else json_text(output)
        code = integer(metadata.get("exit_code")) or records.exit_code(told)
        if code:
            call.fail(f"exit code {code}")
        elif given.get("success") is False or told.startswith(records.UNSUPPORTED) or told.endswith(records.ABORTED):
            call.fail(told[:2000])
        agent = string(given.get("agent_id")) or string(given.get("thread_id"))
        if agent is not None and call.name.endswith("spawn_agent"):
            self.threads.spawned.setdefault(agent, call)

    # --- events

    def _event(self, event: dict[str, Any], at: int) -> None:
        kind = event.get("type")
        if kind in records.BEGINS:
            turn_id = string(event.get("turn_id"))
            if self._turn is None or self._turn.ended or turn_id is None or self._turn.turn_id != turn_id:
                self._above = records.above(event)
                self._begin(at, turn_id)
            self._here(at).started_by_event = True
        elif kind == "user_message" and (text := string(event.get("message"))):
            self._prompt(text, at)
        elif kind == "token_count":
            self._tokens(mapping(event.get("info")), at)
        elif kind == "item_completed":
            self._completed(mapping(event.get("item")))
        elif kind in records.ENDS and self._turn is not None:
            self._end(self._turn, event, at)
        elif kind in records.TOLD:
            self._note(str(kind), event, at)
            if kind in ("error", "turn_aborted") and self._turn is not None:
                if kind == "error":
                    self._turn.root.fail(string(event.get("message")) or "error", records.error_type(event))
                self._finish(at)

    def _end(self, turn: records.Turn, event: dict[str, Any], at: int) -> None:
        turn.root.reach(at)
        first = integer(event.get("time_to_first_token_ms"))
        if first is not None and 0 <= first < 10**9:
            turn.root.reading["ttft_ns"] = first * 1_000_000
        if error := mapping(event.get("error")):
            turn.root.fail(string(error.get("message")) or "error", records.error_type(error))
        self._finish(at)

    def _completed(self, item: dict[str, Any]) -> None:
        """How a tool ended, said before its result."""
        call = self._tools.get(str(item.get("id")))
        if call is None or call.status is not None:
            return
        code = integer(item.get("exit_code"))
        if code is not None:
            call.attributes["codex.exit_code"] = code
        if code or item.get("status") in ("failed", "declined"):
            call.fail(f"exit code {code}" if code else str(item["status"]))
        self._drafts.touch(call)

    def _tokens(self, info: dict[str, Any], at: int) -> None:
        last, total = mapping(info.get("last_token_usage")), info.get("total_token_usage")
        if self._records_usage or not last or (total is not None and total == self._total):
            return
        self._total = total
        self._used(last, None, at)

    def _used(self, usage: dict[str, Any], response: str | None, at: int) -> None:
        """What the call used that was just answered."""
        turn = self._here(at)
        if turn.call is None or turn.told_usage:
            self._call(turn, at)
        call = turn.call
        assert call is not None
        call.reading["usage"] = records.usage_of(usage)
        if response is not None:
            call.reading["response_id"] = response
        turn.told_usage = True
        self._drafts.touch(call)

    def _note(self, kind: str, told: dict[str, Any], at: int) -> None:
        turn = self._here(at)
        turn.root.events.append(Event(at, f"codex.{kind}", scalars({k: v for k, v in told.items() if k != "type"}, "")))
        self._reach(turn, at)

    def _reach(self, turn: records.Turn, at: int) -> None:
        turn.root.reach(at)
        self._drafts.touch(turn.root)
