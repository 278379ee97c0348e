"""Which attributes repeat the conversation, and in what shape.

An agent resends its history with every call, so these attributes are what makes a file grow with the
square of the turns; the store keeps them as references to what it already has. Pure tables, no code.
"""

from __future__ import annotations

JSON_LIST_KEYS: frozenset[str] = frozenset({
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.definitions",
    "gen_ai.prompt",
    "gen_ai.completion",
    "pydantic_ai.all_messages",
    "all_messages_events",
    "ai.prompt.messages",
    "mlflow.spanInputs",
})  # fmt: skip
"""Keys whose string value is a JSON list of messages, or of parts of one."""

FLAT_PREFIXES: tuple[str, ...] = (
    "llm.input_messages.",
    "llm.output_messages.",
    "gen_ai.prompt.",
    "gen_ai.completion.",
    "llm.prompts.",
    "llm.completions.",
    "llm.tools.",
    "llm.request.functions.",
)
"""Prefixes of lists spelt as one attribute a leaf; the element's index follows the prefix, then a dot."""
