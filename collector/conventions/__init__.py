"""From attributes to meaning: what a span says, whoever instrumented it. Pure.

Read here: OpenTelemetry's GenAI names of every generation, OpenInference, and what they share with others;
plain HTTP and database spans get their kind. Several conventions on one span are merged (docs/conventions.md says how).
"""

from __future__ import annotations

from collector.conventions.claude_code import called
from collector.conventions.encode import encode
from collector.conventions.evaluations import evaluations
from collector.conventions.pairing import paired, unpaired
from collector.conventions.reader import read, read_logs

__all__ = ["called", "encode", "evaluations", "paired", "read", "read_logs", "unpaired"]
