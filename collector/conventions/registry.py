"""All conventions as one table: what to do with a key is one look-up.

A convention beside OpenTelemetry's and OpenInference's is a module with a `Convention`; it is added to MORE.
Where keys of several fill one slot, OpenTelemetry's come first, then OpenInference's, then MORE in its order.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache

from collector.conventions.agents import ADK, BEDROCK, SEMANTIC_KERNEL, STRANDS, VERTEX
from collector.conventions.backends import AGENTOPS, BRAINTRUST, LAMINAR, LANGTRACE, LANGWATCH
from collector.conventions.claude_code import CLAUDE_CODE
from collector.conventions.found import Convention, Found
from collector.conventions.frameworks import CREWAI, HAYSTACK, MCP, SMOLAGENTS
from collector.conventions.genkit import GENKIT
from collector.conventions.langfuse import LANGFUSE
from collector.conventions.langsmith import LANGSMITH
from collector.conventions.litellm import LITELLM
from collector.conventions.llama_index import LLAMA_INDEX
from collector.conventions.logfire import LOGFIRE, PYDANTIC_AI
from collector.conventions.mastra import MASTRA
from collector.conventions.mlflow import MLFLOW
from collector.conventions.names import GENAI, OPENINFERENCE, TABLE
from collector.conventions.openai_agents import OPENAI_AGENTS
from collector.conventions.openlit import OPENLIT
from collector.conventions.traceloop import TRACELOOP
from collector.conventions.vectors import VECTORS
from collector.conventions.vercel import VERCEL
from collector.model import SpanPart

MORE: tuple[Convention, ...] = (
    LANGFUSE, LANGSMITH, PYDANTIC_AI, LOGFIRE, VERCEL, TRACELOOP, OPENAI_AGENTS, MCP, AGENTOPS, LITELLM, CREWAI,
    SMOLAGENTS, HAYSTACK, MLFLOW, ADK, CLAUDE_CODE, OPENLIT, VECTORS, LAMINAR, LANGWATCH, MASTRA, BRAINTRUST,
    LLAMA_INDEX, STRANDS, BEDROCK, SEMANTIC_KERNEL, GENKIT, LANGTRACE, VERTEX,
)  # fmt: skip
_FIRST_BIT = 2
BITS: dict[str, int] = {"genai": GENAI, "openinference": OPENINFERENCE} | {
    one.name: 1 << at for at, one in enumerate(MORE, _FIRST_BIT)
}

OWN: tuple[tuple[str, int], ...] = (
    *((prefix, BITS[one.name]) for one in MORE for prefix in one.own),
    *((key, 0) for key in ("llm.user", "llm.headers", "llm.is_streaming", "llm.request.", "llm.usage.", "llm.chat.")),
    ("gen_ai.", GENAI),
    ("llm.", OPENINFERENCE),
)
"""Beginnings of keys, and whose they are."""

PARAMS: tuple[str, ...] = tuple(prefix for one in MORE for prefix in one.params)
META: tuple[str, ...] = tuple(prefix for one in MORE for prefix in one.meta)
SCOPES: dict[str, int] = {scope: BITS[one.name] for one in MORE for scope in one.scopes}
_SCOPES_UNDER = tuple((scope, bit) for scope, bit in SCOPES.items() if scope.endswith("."))
PREPARE: tuple[tuple[int, Callable[[Found, SpanPart], None]], ...] = tuple(
    (BITS[one.name], one.prepare) for one in MORE if one.prepare is not None
)
PREPARED = sum(bit for bit, _ in PREPARE)
HEARD_KEYS = frozenset(key for one in MORE for key in one.heard.split() if not key.endswith("."))
HEARD_PREFIXES = tuple(key for one in MORE for key in one.heard.split() if key.endswith("."))


def whose(key: str) -> int:
    """The conventions whose own key this is; 0 for a key of the application, or of everybody."""
    for prefix, bit in OWN:
        if key.startswith(prefix):
            return bit
    return 0


def _table() -> dict[str, tuple[str, int, int]]:
    out = dict(TABLE)
    ranks: dict[str, int] = {}
    for slot, rank, _ in TABLE.values():
        ranks[slot] = max(ranks.get(slot, 0), rank + 1)
    for one in MORE:
        for slot, keys in one.slots.items():
            for key in keys.split():
                out.setdefault(key, (slot, ranks.get(slot, 0), whose(key)))
                ranks[slot] = ranks.get(slot, 0) + 1
    return out


SLOT_OF: dict[str, tuple[str, int, int]] = _table()
"""Key → (slot, rank, convention)."""


@lru_cache(maxsize=1024)
def of_scope(name: str) -> int:
    """The conventions in which an instrumentation scope writes, whatever keys its spans have."""
    bits = SCOPES.get(name, 0)
    for prefix, bit in _SCOPES_UNDER:
        if name.startswith(prefix):
            bits |= bit
    return bits


@cache
def spelt(bits: int) -> str | None:
    """The names of the conventions that were read, joined by "+"; None for none."""
    return "+".join(name for name, bit in BITS.items() if bits & bit) or None
