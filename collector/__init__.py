"""The collector: writes spans of LLM applications into one SQLite file. Importing it starts nothing.

from collector import observe

@observe
def answer(question: str) -> str: ...
"""

from collector.sdk.api import configure, current_span, current_trace_id, flush, observe, span
from collector.sdk.live import Span
from collector.version import VERSION as __version__

__all__ = ["Span", "__version__", "configure", "current_span", "current_trace_id", "flush", "observe", "span"]
