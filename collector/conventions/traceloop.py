"""OpenLLMetry (Traceloop): workflows, tasks, agents and tools, and what an application associates with them.

Calls to models come as `gen_ai.*`: flattened (`gen_ai.prompt.0.content`, until 0.5x) or as OpenTelemetry's
`gen_ai.input.messages` (since). Names: opentelemetry-semantic-conventions-ai on PyPI.
"""

from __future__ import annotations

import re
from typing import Any

from collector.conventions import flat
from collector.conventions.found import Convention, Found
from collector.conventions.names import OPERATIONS
from collector.conventions.values import decoded, scalar, text
from collector.model import SpanPart, Value

_KINDS = {"workflow": "chain", "task": "chain", "agent": "agent", "tool": "tool"}


_BEDROCK = "opentelemetry.instrumentation.bedrock"
_EXCLUSIVE = ("@traceloop/instrumentation-anthropic", _BEDROCK)
"""These pass on Anthropic's and Bedrock's numbers, which count what was cached beside the input; Python's
instrumentation of Anthropic adds them up."""


_LLAMA_INDEX_TS = "@traceloop/instrumentation-llamaindex"
_REPLICATE = "opentelemetry.instrumentation.replicate"


def _of_class(found: Found, name: str) -> str | None:
    """LlamaIndex.TS's spans are tasks by the name of class and method: `vector_index_retriever.retrieve`."""
    class_, _, method = name.rpartition(".")
    made = decoded(scalar(found.slots.get("traceloop.out")))
    if class_.endswith("retriever") and method == "retrieve":
        listed = made if isinstance(made, list) else ()
        nodes = [(one, one["node"]) for one in listed if isinstance(one, dict) and isinstance(one.get("node"), dict)]
        found.slots.setdefault("documents", [
            {"id": node.get("id_"), "content": node.get("text"), "score": one.get("score"),
             "metadata": node.get("metadata")} for one, node in nodes
        ])  # fmt: skip
        return "retriever"
    if class_.endswith("embedding"):
        found.slots.setdefault("vectors", made)
        return "embedding"
    return None


def _prepare(found: Found, part: SpanPart) -> None:
    slots, texts = found.slots, found.texts
    kind = _KINDS.get(str(slots.get("traceloop.kind")).lower())
    exact = OPERATIONS.get(texts.get("operation", ""), "chain")
    if kind == "chain" and exact in _TASKS:
        kind = exact  # LangChain's retrievers, tools and models are tasks, too
    if part.scope is not None and part.scope.name == _LLAMA_INDEX_TS:
        kind = _of_class(found, part.name or "") or kind
    if kind is not None:
        slots.setdefault("kind", kind)
    for ours, theirs, in_langchain in (
        ("in_value", "traceloop.in", _IN_LANGCHAIN),
        ("out_value", "traceloop.out", _OUT_LANGCHAIN),
    ):
        if theirs in slots:
            value = decoded(scalar(slots[theirs]))
            if isinstance(value, dict) and "kwargs" in value:
                value = _unwrapped(found, value, in_langchain)
            slots.setdefault(ours, value)
    for ours, in_langchain in (("tool_arguments", _IN_LANGCHAIN), ("tool_result", _OUT_LANGCHAIN)):
        value = decoded(slots.get(ours))
        if isinstance(value, dict) and "kwargs" in value:
            slots[ours] = _unwrapped(found, value, in_langchain)
    if "traceloop.vector_query" in slots:
        slots.setdefault("query", slots["traceloop.vector_query"])
    if part.scope is not None and part.scope.name in _EXCLUSIVE and "input_tokens" in found.counts:
        counts = found.counts
        counts["input_tokens"] += counts.get("cache_read_tokens", 0) + counts.get("cache_write_tokens", 0)
    name = text(slots.get("traceloop.entity"))
    if name is not None and kind == "agent":
        texts.setdefault("agent_name", name)
    if name is not None and kind == "tool":
        slots.setdefault("tool_name", name)
    if texts.get("operation") == "rerank":
        _reranked(found)
    if part.scope is not None and part.scope.name == _REPLICATE:
        _joined(found)
    if part.scope is not None and part.scope.name == _BEDROCK and "embed" in texts.get("request_model", ""):
        slots.setdefault("kind", "embedding")  # all of `invoke_model` is a completion to it


def _joined(found: Found) -> None:
    """Replicate's answer: each piece of its stream is an answer of its own, all of one."""
    pieces = found.lists.get("completions")
    if pieces and all(set(one) == {"content"} for one in pieces.values()):
        whole = "".join(text(one["content"]) or "" for one in flat.in_order(pieces))
        found.lists["completions"] = {0: {"role": "assistant", "content": whole}}


def _unwrapped(found: Found, value: dict[str, Any], names: tuple[str, ...]) -> Value:
    """What a LangChain callback was given, without the callback's own arguments, among which are a call's id, tags."""
    inner = next((value[name] for name in names if value.get(name) is not None), None)
    beside = value["kwargs"]
    if inner is None or not isinstance(beside, dict):
        return value
    if beside.get("tool_call_id"):
        found.slots.setdefault("tool_id", beside["tool_call_id"])
    if value.get("tags"):
        found.slots.setdefault("tags", value["tags"])
    out: Value = decoded(inner)
    return out


def _reranked(found: Found) -> None:
    """Cohere's: the documents as system messages before the query, the ranking as "Doc 1, Score: 0.9"."""
    slots, lists = found.slots, found.lists
    if "prompts" not in lists or "completions" not in lists:
        return
    given = [text(one.get("content")) for one in flat.in_order(lists["prompts"]) if one.get("role") == "system"]
    asked = [text(one.get("content")) for one in flat.in_order(lists["prompts"]) if one.get("role") != "system"]
    ranked = [_RANKED.match(str(one.get("content"))) for one in flat.in_order(lists["completions"])]
    if not ranked or not all(ranked):
        return
    documents = []
    for one in ranked:
        at = int(one[1]) if one is not None else 0
        score = float(one[2]) if one is not None else None
        documents.append({"content": given[at] if at < len(given) else None, "score": score, "rank_before": at})
    slots.setdefault("documents", documents)
    slots.setdefault("query", asked[-1] if asked else None)
    del lists["prompts"], lists["completions"]


_RANKED = re.compile(r"Doc (\d{1,9}), Score: (-?\d[\d.eE+-]{0,30})\Z")
_TASKS = frozenset({"tool", "retriever", "reranker", "embedding", "llm"})
_IN_LANGCHAIN = ("inputs", "input_str", "query", "messages", "prompts")
_OUT_LANGCHAIN = ("outputs", "output", "documents")


TRACELOOP = Convention(
    "traceloop",
    own=("traceloop.",),
    slots={
        "traceloop.kind": "traceloop.span.kind",
        "traceloop.entity": "traceloop.entity.name",
        "traceloop.in": "traceloop.entity.input",
        "traceloop.out": "traceloop.entity.output",
        "prompt_name": "traceloop.prompt.key",
        "prompt_version": "traceloop.prompt.version traceloop.prompt.version_name traceloop.prompt.version_hash",
        "metadata": "traceloop.association.properties",
        "traceloop.vector_query": "db.query.text_content",
    },
    meta=("traceloop.association.properties.",),
    heard="traceloop.workflow.name traceloop.entity.path traceloop.entity.version traceloop.correlation.id"
    " traceloop.prompt. gen_ai.task. gen_ai.workflow. gen_ai.response.reasoning_effort gen_ai.openai.system_fingerprint"
    " llm.headers llm.is_streaming llm.chat.stop_sequences llm.content_filter",
    scopes=("opentelemetry.instrumentation.cohere", _REPLICATE, *_EXCLUSIVE),
    prepare=_prepare,
)
