"""One story told in three ways: as OpenTelemetry's GenAI conventions, as OpenInference, and as LangSmith's runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from collector.model import Batch, SpanPart
from collector.protocols import langsmith
from tests.builders import MS, T0, make_part, trace_id

S = 1000 * MS
Spoken = tuple[Any, ...]
"""("user", text), ("assistant", text), ("system", text), ("call", name, arguments, id), ("result", value, id)"""


@dataclass(frozen=True, slots=True)
class Did:
    """One step of a story, a second each in their order; `kind` is llm, tool, retriever, chain or agent. `asked` and
    `said` are messages; of a tool they are its arguments and its result, of a retriever a query and documents."""

    kind: str
    name: str = "chat"
    asked: Any = ()
    said: Any = ()
    tools: Any = None
    finish: str = "stop"
    usage: tuple[int, int] | None = (100, 10)
    read: int = 0
    error: str | None = None
    call_id: str | None = None
    parent: int | None = 0
    model: str = "gpt-4o-mini"


# OpenTelemetry's GenAI conventions


def _part(one: Spoken) -> dict[str, Any]:
    if one[0] == "call":
        return {"type": "tool_call", "id": one[3], "name": one[1], "arguments": one[2]}
    if one[0] == "result":
        return {"type": "tool_call_response", "id": one[2], "response": one[1]}
    return {"type": "text", "content": one[1]}


def _role(one: Spoken) -> str:
    return {"call": "assistant", "result": "tool"}.get(one[0], one[0])


def genai(did: Did) -> dict[str, Any]:
    if did.kind == "llm":
        asked = [{"role": _role(one), "parts": [_part(one)]} for one in did.asked]
        said = [{"role": _role(one), "parts": [_part(one)], "finish_reason": did.finish} for one in did.said]
        out = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.response.model": did.model,
               "gen_ai.input.messages": json.dumps(asked), "gen_ai.output.messages": json.dumps(said),
               "gen_ai.response.finish_reasons": [did.finish]}  # fmt: skip
        if did.tools:
            out["gen_ai.tool.definitions"] = json.dumps([{"type": "function", **one["function"]} for one in did.tools])
        if did.usage:
            out |= {"gen_ai.usage.input_tokens": did.usage[0], "gen_ai.usage.output_tokens": did.usage[1],
                    "gen_ai.usage.cache_read.input_tokens": did.read}  # fmt: skip
        return out
    if did.kind == "tool":
        return {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": did.name,
                "gen_ai.tool.call.arguments": json.dumps(did.asked), "gen_ai.tool.call.result": json.dumps(did.said),
                **({"gen_ai.tool.call.id": did.call_id} if did.call_id else {})}  # fmt: skip
    if did.kind == "retriever":
        documents = [{"id": str(n), "content": text, "score": 0.5} for n, text in enumerate(did.said)]
        return {"gen_ai.operation.name": "retrieval", "gen_ai.retrieval.query.text": did.asked,
                "gen_ai.retrieval.documents": json.dumps(documents)}  # fmt: skip
    return {"gen_ai.operation.name": "invoke_agent"} if did.kind == "agent" else {}


# OpenInference


def _flat(side: str, messages: Any) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for n, one in enumerate(messages):
        at = f"llm.{side}_messages.{n}.message."
        out[at + "role"] = _role(one)
        if one[0] == "call":
            call = at + "tool_calls.0.tool_call."
            out |= {
                call + "id": one[3],
                call + "function.name": one[1],
                call + "function.arguments": json.dumps(one[2]),
            }
        elif one[0] == "result":
            text = one[1] if isinstance(one[1], str) else json.dumps(one[1])
            out |= {at + "content": text, at + "tool_call_id": one[2]}
        else:
            out[at + "content"] = one[1]
    return out


def openinference(did: Did) -> dict[str, Any]:
    out: dict[str, Any] = {"openinference.span.kind": did.kind.upper()}
    if did.kind == "llm":
        out |= {"llm.model_name": did.model, "llm.provider": "openai", "llm.finish_reason": did.finish,
                **_flat("input", did.asked), **_flat("output", did.said)}  # fmt: skip
        out |= {f"llm.tools.{n}.tool.json_schema": json.dumps(one) for n, one in enumerate(did.tools or ())}
        if did.usage:
            out |= {"llm.token_count.prompt": did.usage[0], "llm.token_count.completion": did.usage[1],
                    "llm.token_count.prompt_details.cache_read": did.read}  # fmt: skip
    elif did.kind == "tool":
        out |= {"tool.name": did.name, "input.value": json.dumps(did.asked), "input.mime_type": "application/json",
                "output.value": json.dumps(did.said), "output.mime_type": "application/json",
                **({"tool_call.id": did.call_id} if did.call_id else {})}  # fmt: skip
    elif did.kind == "retriever":
        out["input.value"] = did.asked
        out |= {f"retrieval.documents.{n}.document.content": text for n, text in enumerate(did.said)}
    return out


def _as_spans(attributes: Callable[[Did], dict[str, Any]]) -> Callable[[int, list[Did]], Batch]:
    def tell(number: int, story: list[Did]) -> Batch:
        def part(n: int, did: Did) -> SpanPart:
            begin = T0 + n * S
            end = T0 + 100 * S if n == 0 else begin + S // 2
            more = {"status": "error", "status_message": did.error} if did.error else {"status": "ok"}
            parent = None if n == 0 or did.parent is None else did.parent + 1
            return make_part(n + 1, parent=parent, name=did.name, trace=trace_id(number), start_ns=begin, end_ns=end,
                             attributes=attributes(did), **more)  # fmt: skip

        return Batch("test", parts=tuple(part(n, did) for n, did in enumerate(story)))

    return tell


# LangSmith's runs, with what OpenAI's client was asked and answered


def _openai(one: Spoken) -> dict[str, Any]:
    if one[0] == "call":
        function = {"name": one[1], "arguments": json.dumps(one[2])}
        return {"role": "assistant", "content": None,
                "tool_calls": [{"id": one[3] or "c", "type": "function", "function": function}]}  # fmt: skip
    if one[0] == "result":
        text = one[1] if isinstance(one[1], str) else json.dumps(one[1])
        return {"role": "tool", "tool_call_id": one[2] or "c", "content": text}
    return {"role": one[0], "content": one[1]}


def _run(did: Did) -> dict[str, Any]:
    if did.kind == "llm":
        usage = did.usage and {"prompt_tokens": did.usage[0], "completion_tokens": did.usage[1],
                               "prompt_tokens_details": {"cached_tokens": did.read}}  # fmt: skip
        choices = [{"index": 0, "message": _openai(one), "finish_reason": did.finish} for one in did.said]
        return {"inputs": {"messages": [_openai(one) for one in did.asked], "model": did.model},
                "outputs": {"choices": choices, "model": did.model, **({"usage": usage} if usage else {})},
                "extra": {"invocation_params": {"model": did.model, **({"tools": did.tools} if did.tools else {})},
                          "metadata": {"ls_provider": "openai", "ls_model_name": did.model}}}  # fmt: skip
    if did.kind == "tool":
        metadata = {"metadata": {"tool_call_id": did.call_id}} if did.call_id else {}
        return {"inputs": did.asked, "outputs": {"output": did.said}, "extra": metadata}
    if did.kind == "retriever":
        documents = [{"page_content": text, "metadata": {}, "type": "Document"} for text in did.said]
        return {"inputs": {"query": did.asked}, "outputs": {"documents": documents}}
    return {"inputs": {}, "outputs": {}}


def langsmith_runs(number: int, story: list[Did]) -> Batch:
    trace = UUID(int=number)

    def stamp(ns: int) -> str:
        return datetime.fromtimestamp(ns // S, UTC).strftime("%Y%m%dT%H%M%S") + f"{ns % S // 1000:06d}Z"

    def own(n: int) -> str:
        return str(trace) if n == 0 else str(UUID(int=number * 1000 + 10**9 + n))

    def run(n: int, did: Did) -> dict[str, Any]:
        begin = T0 + n * S
        end = T0 + 100 * S if n == 0 else begin + S // 2
        order = ("" if n == 0 else f"{stamp(T0)}{trace}.") + f"{stamp(begin)}{own(n)}"
        above = {} if n == 0 or did.parent is None else {"parent_run_id": own(did.parent)}
        kind = {"agent": "chain"}.get(did.kind, did.kind)
        return {"id": own(n), "trace_id": str(trace), "dotted_order": order,
                "name": did.name, "run_type": kind, "start_time": _iso(begin), "end_time": _iso(end), **above,
                **_run(did), **({"error": did.error} if did.error else {})}  # fmt: skip

    return langsmith.decode_batch(json.dumps({"post": [run(n, did) for n, did in enumerate(story)]}).encode())


def _iso(ns: int) -> str:
    return datetime.fromtimestamp(ns / S, UTC).isoformat()


WIRES: dict[str, Callable[[int, list[Did]], Batch]] = {
    "genai": _as_spans(genai), "openinference": _as_spans(openinference), "langsmith": langsmith_runs,
}  # fmt: skip
