"""OpenLLMetry (Traceloop): workflows, tasks, agents and tools, and what an application associates with them.

Calls to models come as `gen_ai.*`: flattened (`gen_ai.prompt.0.content`, until 0.5x) or as OpenTelemetry's
`gen_ai.input.messages` (since). Names: opentelemetry-semantic-conventions-ai on PyPI.
"""

from __future__ import annotations

from collector.conventions.found import Convention, Found
from collector.conventions.values import decoded, scalar, text
from collector.model import SpanPart

_KINDS = {"workflow": "chain", "task": "chain", "agent": "agent", "tool": "tool"}


_EXCLUSIVE = ("@traceloop/instrumentation-anthropic",)
"""JavaScript's instrumentation passes on Anthropic's numbers as Anthropic counts; Python's adds them up."""


def _prepare(found: Found, part: SpanPart) -> None:
    slots, texts = found.slots, found.texts
    kind = _KINDS.get(str(slots.get("traceloop.kind")).lower())
    if kind is not None:
        slots.setdefault("kind", kind)
    if "traceloop.in" in slots:
        slots.setdefault("in_value", scalar(slots["traceloop.in"]))
    if "traceloop.out" in slots:
        slots.setdefault("out_value", decoded(scalar(slots["traceloop.out"])))
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
    " traceloop.prompt. llm.headers llm.is_streaming llm.chat.stop_sequences llm.content_filter",
    scopes=_EXCLUSIVE,
    prepare=_prepare,
)
