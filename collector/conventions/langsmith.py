"""LangSmith's OpenTelemetry exporter (`LANGSMITH_OTEL_ENABLED`): `langsmith.*`, and whole inputs and outputs as JSON.

Its `gen_ai.operation.name` follows from the run's type by a table that calls a retriever "embeddings", and its
`gen_ai.system` is "langchain" where it knows no provider: the run's type and LangChain's metadata say more.
Source: langsmith._internal.otel._otel_exporter of langsmith 0.14.
"""

from __future__ import annotations

from typing import Any

from collector.conventions.counting import from_details
from collector.conventions.found import Convention, Found
from collector.conventions.identity import identity
from collector.conventions.langsmith_wrapped import ERROR_TYPE, OF_THE_LIBRARY, vectors
from collector.conventions.values import decoded, mapping, pythonic, text
from collector.model import MODEL_KINDS, SpanPart

KINDS = {
    "llm": "llm", "tool": "tool", "retriever": "retriever", "embedding": "embedding", "prompt": "prompt",
    "chain": "chain", "parser": "chain",
}  # fmt: skip
"""LangSmith's types of runs to our kinds."""


def _prepare(found: Found, part: SpanPart) -> None:
    slots, texts = found.slots, found.texts
    kind = KINDS.get(str(slots.get("langsmith.kind")).lower())
    if kind is not None:
        slots.setdefault("kind", kind)
    if texts.get("provider") == "langchain":
        del texts["provider"]
    _usage(found)
    _metadata(found)
    _failure(found, part)
    if kind == "embedding":
        _embedded(found)
    if kind == "retriever" and isinstance(asked := decoded(slots.get("in_blob")), dict) and len(asked) == 1:
        slots["in_blob"] = next(iter(asked.values()))
    if kind is not None and kind not in MODEL_KINDS:
        for blob, ours in (("in_blob", "in_value"), ("out_blob", "out_value")):
            if blob in slots:
                slots.setdefault(ours, alone(decoded(slots.pop(blob))))
    asked = decoded(slots.get("in_blob"))
    if isinstance(asked, dict) and asked.get("tools"):
        slots.setdefault("definitions", asked["tools"])


def _usage(found: Found) -> None:
    said = mapping(found.meta.pop("usage_metadata", None)) or mapping(found.slots.get("langsmith.usage")) or {}
    for name in ("input_token_details", "output_token_details"):
        details = pythonic(found.slots.get(f"langsmith.{name}"))
        if isinstance(details, dict):
            said = {**said, name: details}
    for name, count in from_details(said).items():
        found.counts.setdefault(name, count)


def _metadata(found: Found) -> None:
    """Session, user, release and prompt out of the metadata; then it is what the application says itself."""
    meta, texts = found.meta, found.texts
    identity(found, meta)
    for field, key in (("release", "revision_id"), ("prompt_name", "lc_hub_repo"),
                       ("prompt_version", "lc_hub_commit_hash")):  # fmt: skip
        if said := text(meta.get(key)):
            texts.setdefault(field, said)
    for key in [key for key in meta if key.startswith(OF_THE_LIBRARY)]:
        del meta[key]


def _failure(found: Found, part: SpanPart) -> None:
    """Every error is sent as an "Exception", with its repr for a message."""
    for event in part.events:
        if event.name == "exception" and event.attributes.get("exception.type") == "Exception":
            named = ERROR_TYPE.match(str(event.attributes.get("exception.message")))
            if named is not None:
                found.texts.setdefault("error_type", named.group(1))


def _embedded(found: Found) -> None:
    slots = found.slots
    if "in_blob" in slots:
        asked = decoded(slots.pop("in_blob"))
        slots.setdefault("in_value", asked.get("input", asked) if isinstance(asked, dict) else asked)
    if "out_blob" in slots:
        answered = decoded(slots.pop("out_blob"))
        counted = vectors(answered)
        slots.setdefault("out_value", answered if counted is None else counted.value)


def alone(value: Any) -> Any:
    """What a traced function was given or gave, out of {"input": …} or {"output": …}."""
    if isinstance(value, dict) and len(value) == 1 and next(iter(value)) in ("input", "output"):
        return next(iter(value.values()))
    return value


LANGSMITH = Convention(
    "langsmith",
    own=("langsmith.",),
    slots={
        "langsmith.kind": "langsmith.span.kind",
        "langsmith.usage": "langsmith.usage_metadata",
        "langsmith.input_token_details": "gen_ai.usage.input_token_details",
        "langsmith.output_token_details": "gen_ai.usage.output_token_details",
        "project": "langsmith.trace.session_name",
        "tags": "langsmith.span.tags",
        "metadata": "langsmith.metadata",
    },
    meta=("langsmith.metadata.",),
    heard="langsmith.trace.name langsmith.trace.session_id langsmith.trace.id langsmith.span. langsmith.request."
    " langsmith.reference_example_id langsmith.is_root langsmith.root_span. langsmith.traceable"
    " langsmith.internal_provider gen_ai.serialized.name gen_ai.serialized.signature gen_ai.serialized.doc"
    " gen_ai.response.service_tier gen_ai.response.system_fingerprint",
    prepare=_prepare,
)
