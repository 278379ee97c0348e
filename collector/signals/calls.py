"""Tools: called again and again, asked for by a name or with arguments that do not exist, run otherwise than asked."""

from __future__ import annotations

import contextlib
import json
import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from collector.model import DERIVED_ID, Value
from collector.seen import Said, Seen, Upto, text_of, tool_calls, tool_results, unwrapped
from collector.signals.schemas import definitions, fault, unnamed
from collector.signals.trace import Signal, Trace

EMPTY: tuple[Value, ...] = (None, "", "null", "None", "[]", "{}", [], {})
_READS = re.compile(
    r"(?:^|[^a-z])(?:get|search|find|list|look_?up|fetch|read|query|retrieve|load|check)|[a-z](?:Search|Lookup)", re.I
)
_ADMITS = re.compile(
    r"sorry|apolog|unable|n't|n’t|cannot|could not|not (?:find|found|able|available|have)|fail|error|unavailable|"
    r"nothing|no (?:result|record|match|data|information|such|order|document|entr|item)|none|empty|missing|problem|"
    r"issue|trouble|try again|timed? ?out|unfortunately|without|however|leider|nicht|kein|fehler|désolé|aucun|erreur|"
    r"impossible|lo siento|ningun|ningún|no (?:pude|puedo|hay|se)|purtroppo|nessun|errore|não|nenhum|erro", re.I
)  # fmt: skip


def canonical(value: Value) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)


def loop(trace: Trace) -> Iterator[Signal]:
    """The same tool, the same arguments again, and nothing new in the result: polling is none."""
    groups: dict[tuple[str, str], list[tuple[Seen, Value]]] = defaultdict(list)
    for span in trace.tools:
        if span.tool is not None and span.status == "ok" and span.end_ns is not None:
            name = span.tool_name or span.tool.name or span.name
            groups[name, canonical(unwrapped(span.tool.arguments))].append((span, span.tool.result))
    ran = {name for name, _ in groups}
    for call in trace.calls:
        for part in tool_calls(call.output):
            if str(part.get("name")) not in ran and not trace.tools:
                groups[str(part.get("name")), canonical(part.get("arguments"))].append((call, None))
    for (name, arguments), found in groups.items():
        same = _longest_run([canonical(result) for _, result in found])
        if same >= trace.limits.loop_calls:
            ids = tuple(span.span_id for span, _ in found)
            text = f"{name}({_short(arguments)}) called {len(found)} times, {same} in a row with the same result"
            yield Signal("loop", ids[-1], text, ids)


def _longest_run(results: Sequence[str]) -> int:
    best = run = 1 if results else 0
    for before, after in pairwise(results):
        run = run + 1 if before == after else 1
        best = max(best, run)
    return best


def retries(trace: Trace) -> Iterator[Signal]:
    """The same step failing again and again, or the same prompt sent anew after each answer."""
    steps: dict[tuple[str | None, str, str], list[Seen]] = defaultdict(list)
    prompts: dict[tuple[str | None, str, Hashable, Hashable], list[Seen]] = defaultdict(list)
    for span in trace.spans:
        if span.kind in ("llm", "tool", "http", "retriever", "embedding", "db"):
            steps[span.parent_id, span.kind, span.name].append(span)
        if span.kind == "llm" and span.status == "ok" and span.input:
            prompts[span.parent_id, span.model or "", _name(span.system), _name(span.input)].append(span)
    for (_, _, name), spans in steps.items():
        failed = [span for span in spans if span.status == "error"]
        if len(failed) >= trace.limits.retry_failures and _in_turn(failed) >= trace.limits.retry_failures:
            why = failed[-1].status_message or failed[-1].error_type or "no reason given"
            text = f"{name} failed {len(failed)} of {len(spans)} times: {why[:120]}"
            yield Signal("retries", failed[-1].span_id, text, tuple(span.span_id for span in failed))
    for (_, model, _, _), spans in prompts.items():
        if (again := _in_turn(spans)) >= trace.limits.retry_same:
            tokens = sum(span.usage.input_tokens or 0 for span in spans)
            text = f"the same prompt went to {model or 'the model'} {again} times, one after the other"
            text += f": {tokens:,} input tokens" if tokens else ""
            yield Signal("retries", spans[-1].span_id, text, tuple(span.span_id for span in spans))


def _name(messages: Sequence[Said]) -> Hashable:
    """Equal for equal messages. Those of one file share their lists, so that a long history need not be gone through
    with every call."""
    return (messages.place, messages.end) if isinstance(messages, Upto) else tuple(one.key for one in messages)


def _in_turn(spans: Sequence[Seen]) -> int:
    """How many of them began after the one before had ended: samples drawn side by side are no retries."""
    return 1 + sum(a.end_ns is not None and b.start_ns >= a.end_ns for a, b in pairwise(spans))


def unknown_tool(trace: Trace) -> Iterator[Signal]:
    """A call of a tool that the model was not given. One that ran well is there, whatever was recorded of the tools. A
    provider's own tools have no names."""
    ran = {tool.tool_name or tool.name for tool in trace.tools if tool.status == "ok"}
    for span in trace.calls:
        known = definitions(span.tool_definitions) if unnamed(span.tool_definitions) == 0 else {}
        for part in tool_calls(span.output):
            if known and part.get("name") not in known and part.get("name") not in ran:
                text = f"{part.get('name')} was called; there are {', '.join(list(known)[:8])}"
                yield Signal("unknown_tool", span.span_id, text)


def bad_arguments(trace: Trace) -> Iterator[Signal]:
    """Arguments that break the schema of their tool."""
    for span in trace.calls:
        known = definitions(span.tool_definitions)
        for part in tool_calls(span.output):
            schema, arguments = known.get(str(part.get("name"))), part.get("arguments")
            if schema is None:
                continue
            if isinstance(arguments, str):
                wrong = "the arguments are no JSON" if arguments.strip() else fault(schema, {})
            else:
                wrong = fault(schema, {} if arguments is None else arguments)
            if wrong:
                yield Signal("bad_arguments", span.span_id, f"{part.get('name')}: {wrong}")


def altered_arguments(trace: Trace) -> Iterator[Signal]:
    """A tool that ran with other arguments than the model asked for. What a framework adds is not looked at."""
    if not trace.tools:
        return
    asked = [(span, part) for span in trace.calls for part in tool_calls(span.output)]
    by_id = {str(part["id"]): (span, part) for span, part in asked if part.get("id")}
    only, derived = _Only(trace), any(DERIVED_ID in part for _, part in asked)
    for tool in trace.tools:
        if tool.tool is None:
            continue
        name = tool.tool_name or tool.tool.name or tool.name
        found = by_id.get(tool.tool.call_id or "")
        if found is None and (not tool.tool.call_id or derived):
            found = only.call_of(tool, name)
        if found is None or (found[1].get("name") or name) != name:
            continue
        span, part = found
        if differs := _differing(unwrapped(part.get("arguments")), unwrapped(tool.tool.arguments)):
            text = f"{name}: " + ", ".join(f"{key} asked {_short(a)}, ran {_short(b)}" for key, a, b in differs[:3])
            yield Signal("altered_arguments", tool.span_id, text, (span.span_id,))


class _Only:
    """Which call a tool answers, where no id says so: the last answer before it, if the tool is asked for once there
    and ran once for it."""

    def __init__(self, trace: Trace) -> None:
        self._asking = [span for span in trace.calls if span.end_ns is not None and tool_calls(span.output)]
        self._asking.sort(key=lambda one: (one.end_ns or 0, one.start_ns))
        self._latest: list[Seen] = []  # of the first n that ended, the one that began last
        for span in self._asking:
            best = self._latest[-1] if self._latest else span
            self._latest.append(span if span.start_ns > best.start_ns else best)
        self._begins = [span.start_ns for span in trace.calls]
        self._ran: dict[str, list[Seen]] = defaultdict(list)
        for tool in trace.tools:
            self._ran[tool.tool_name or tool.name].append(tool)

    def call_of(self, tool: Seen, name: str) -> tuple[Seen, dict[str, Any]] | None:
        before = bisect_right(self._asking, tool.start_ns, key=lambda one: one.end_ns or 0)
        if not before:
            return None
        span = self._latest[before - 1]
        parts = [part for part in tool_calls(span.output) if part.get("name") == name]
        after = bisect_right(self._begins, span.start_ns)
        until = self._begins[after] if after < len(self._begins) else None
        ran = self._ran.get(name, [])
        first = bisect_left(ran, span.end_ns or 0, key=lambda one: one.start_ns)
        last = len(ran) if until is None else bisect_left(ran, until, key=lambda one: one.start_ns)
        alone = last - first == 1 and ran[first] is tool
        return (span, parts[0]) if len(parts) == 1 and alone and tool.parent_id == span.parent_id else None


def _differing(asked: Value, ran: Value) -> list[tuple[str, str, str]]:
    if not isinstance(asked, dict) or not isinstance(ran, dict):
        return []
    return [
        (str(key), canonical(value), canonical(ran[key]))
        for key, value in asked.items()
        if key in ran and not _same(value, ran[key])
    ]


def _same(a: Value, b: Value) -> bool:
    if isinstance(a, (dict, list)) or isinstance(b, (dict, list)):
        try:
            left, right = (json.loads(one) if isinstance(one, str) else one for one in (a, b))
        except ValueError:
            return True  # told as text: nothing to compare
        return canonical(left) == canonical(right)
    if isinstance(a, str) != isinstance(b, str) and not (isinstance(a, bool) or isinstance(b, bool)):
        try:
            return float(str(a)) == float(str(b))
        except ValueError:
            return str(a) == str(b)
    return str(a).strip().casefold() == str(b).strip().casefold() if isinstance(a, (str, bool)) else a == b


def ignored_result(trace: Trace) -> Iterator[Signal]:
    """An answer that does not own up to a tool that failed, or that found nothing."""
    failed = _failed(trace)
    for span in trace.calls:
        answer = " ".join(text_of(one.message) for one in span.output)
        if not answer.strip() or tool_calls(span.output) or (not answer.isascii() and _foreign(answer)):
            continue
        turn = _current_turn(span.input)
        asked = tool_calls(turn)
        by_id = {str(call["id"]): call for call in reversed(asked) if call.get("id")}
        results = [(part, _ask_of(asked, by_id, part)) for part in tool_results(turn)]
        troubles = [_trouble(part, name, failed.get(_which(part, name, arguments)))
                    for part, (name, arguments) in results]  # fmt: skip
        good = {name for (_, (name, _)), trouble in zip(results, troubles, strict=True) if trouble is None}
        for (_, (name, arguments)), trouble in zip(results, troubles, strict=True):
            if trouble and name not in good and not _ADMITS.search(answer):
                text = f"{name}({_short(canonical(arguments))}) {trouble}, and the answer does not say so"
                yield Signal("ignored_result", span.span_id, text)


def _failed(trace: Trace) -> dict[tuple[str, ...], Seen]:
    """The tools that failed: by the id of their call, else by name and arguments."""
    failed: dict[tuple[str, ...], Seen] = {}
    for span in trace.tools:
        if span.tool is not None and span.status == "error":
            name = span.tool_name or span.tool.name or span.name
            failed[(span.tool.call_id,) if span.tool.call_id else (name, canonical(unwrapped(span.tool.arguments)))] = (
                span
            )
    return failed


def _which(part: dict[str, Any], name: str, arguments: Value) -> tuple[str, ...]:
    """The key in `_failed` of the tool that a result is from."""
    return (name, canonical(unwrapped(arguments))) if DERIVED_ID in part else (str(part.get("id")),)


def _foreign(answer: str) -> bool:
    """Whether most letters are of a script whose words for failure we do not know."""
    letters = [c for c in answer if c.isalpha()]
    return sum(c > "\u024f" for c in letters) * 2 > len(letters)


def _current_turn(messages: Sequence[Said]) -> Sequence[Said]:
    """What came after the last message of a user. From the end: the beginning of a long history need not be read."""
    backwards = range(len(messages) - 1, -1, -1)
    last = next((at for at in backwards if messages[at].message.role == "user" and text_of(messages[at].message)), -1)
    return messages[last + 1 :]


def _ask_of(
    asked: Sequence[dict[str, Any]], by_id: Mapping[str, dict[str, Any]], result: dict[str, Any]
) -> tuple[str, Value]:
    """(tool, arguments) of the call that a result answers: by its id, else the only one there is."""
    mine = by_id.get(str(result["id"])) if result.get("id") else None
    if mine is None and len(asked) == 1:
        mine = asked[0]
    return (str(mine.get("name")), mine.get("arguments")) if mine else (str(result.get("name") or "a tool"), None)


def _trouble(part: dict[str, Any], name: str, span: Seen | None) -> str | None:
    """What went wrong with a tool result, None where nothing did. `span` is of the tool that failed."""
    result = part.get("result")
    if span is not None:
        return f"failed ({(span.status_message or span.error_type or 'error')[:80]})"
    if isinstance(result, str) and result.strip()[:1] in ("{", "["):
        with contextlib.suppress(ValueError):
            result = json.loads(result)
    if isinstance(result, dict) and result.get("error") not in (None, "", False, [], {}):
        return f"answered with an error ({str(result['error'])[:80]})"
    if isinstance(result, str) and re.match(r"\s*(?:error|exception|traceback)\b", result, re.I):
        return f"answered with an error ({result.strip()[:80]})"
    if (result in EMPTY or _hollow(result)) and _READS.search(name) and "result" in part:
        return "found nothing"
    return None


def _hollow(result: Value) -> bool:
    """{"results": []}: a frame around nothing."""
    return isinstance(result, dict) and len(result) <= 2 and any(
        key in ("results", "items", "data", "rows", "documents", "hits", "matches") and value in ([], None, {})
        for key, value in result.items()
    )  # fmt: skip


def _short(text: str, most: int = 60) -> str:
    text = text.removeprefix("{").removesuffix("}") if text.startswith("{") else text
    return text if len(text) <= most else text[: most - 1] + "…"
