"""The collector: writes spans of LLM applications into one SQLite file. Importing it starts nothing.

from collector import observe

@observe
def answer(question: str) -> str: ...
"""

from typing import TYPE_CHECKING, Any

from collector.sdk.api import (
    agent,
    carry_context,
    chain,
    configure,
    continue_trace,
    current_span,
    current_trace_id,
    embedding,
    event,
    flush,
    llm,
    observe,
    retriever,
    score,
    session,
    set_session,
    span,
    start_span,
    tool,
    trace,
    trace_headers,
    traceparent,
    update_current,
)
from collector.sdk.live import Span
from collector.version import VERSION as __version__

if TYPE_CHECKING:
    from collector.reading import open as open  # noqa: A004
    from collector.sdk.clients.anthropic import wrap_anthropic
    from collector.sdk.clients.openai import wrap_openai

_LAZY = {
    "open": "collector.reading",
    "wrap_anthropic": "collector.sdk.clients.anthropic",
    "wrap_openai": "collector.sdk.clients.openai",
}
"""What most programs that are traced never call, and where it is."""

__all__ = [
    "Span", "__version__", "agent", "carry_context", "chain", "configure", "continue_trace", "current_span",
    "current_trace_id", "embedding", "event", "flush", "llm", "observe", "open", "retriever", "score", "session",
    "set_session", "span", "start_span", "tool", "trace", "trace_headers", "traceparent", "update_current",
    "wrap_anthropic", "wrap_openai",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        from importlib import import_module

        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
