"""OpenLIT: OpenTelemetry's GenAI names, with some habits of its own. Names: openlit on PyPI.

Its spans of vector databases are read as those of others (`vectors`).
"""

from __future__ import annotations

from collector.conventions.found import Convention, Found
from collector.conventions.names import OPERATIONS
from collector.conventions.values import number, pythonic
from collector.model import MODEL_KINDS, SpanPart

_BESIDE = ("anthropic", "aws.bedrock")
"""Providers whose cached tokens stand beside the input; OpenLIT passes their numbers on."""


def _prepare(found: Found, part: SpanPart) -> None:
    slots, counts = found.slots, found.counts
    if not number(slots.get("cost")):
        slots.pop("cost", None)  # it has no price: what it knows comes from a list on the internet
    if found.texts.get("provider") in _BESIDE and "input_tokens" in counts:
        counts["input_tokens"] += counts.get("cache_read_tokens", 0) + counts.get("cache_write_tokens", 0)
    if found.params.get("stream") is False:
        slots.pop("ttft_s", None)  # the time of the whole answer
    if "tool_arguments" in slots:
        slots["tool_arguments"] = pythonic(slots["tool_arguments"])
    if "operation" not in found.texts and part.scope is not None:
        if part.scope.name == "openlit":
            _function(found)
        else:
            _failed(found, part.name or "")


def _function(found: Found) -> None:
    """`@openlit.trace` and `start_trace`: a function's result is no message of a model."""
    slots = found.slots
    slots.setdefault("kind", "chain")
    if "out_messages" in slots:
        slots.setdefault("out_value", slots.pop("out_messages"))
    args, named = pythonic(slots.get("openlit.args")), pythonic(slots.get("openlit.kwargs"))
    if args not in (None, "()") or named not in (None, {}):
        slots.setdefault("in_value", {"args": args, "kwargs": named})


def _failed(found: Found, name: str) -> None:
    """A call that failed has no attributes: its name ("chat claude-sonnet-4-5") says what it was."""
    operation, _, model = name.partition(" ")
    if operation in OPERATIONS:
        found.texts["operation"] = operation
        if model and OPERATIONS[operation] in MODEL_KINDS:
            found.texts.setdefault("request_model", model)


OPENLIT = Convention(
    "openlit",
    own=("openlit.",),
    slots={
        "openlit.args": "function.args",
        "openlit.kwargs": "function.kwargs",
        "reasoning": "gen_ai.content.reasoning",
        "tool_arguments": "gen_ai.tool.args",
        "environment": "gen_ai.environment",
    },
    heard="openlit. gen_ai.application_name gen_ai.sdk.version gen_ai.server.time_per_output_token"
    " gen_ai.execution.mode gen_ai.graph. gen_ai.workflow. db.",
    scopes=("openlit", "openlit.instrumentation."),
    prepare=_prepare,
)
