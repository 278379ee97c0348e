"""A recorded call of a model, changed and sent again: what is sent, what it may cost, the answer, and its span.

The clients of OpenAI and Anthropic do the sending; they come with the extra `replay` and are imported when one does.
"""

from __future__ import annotations

from collector.replay.draft import Draft, draft_of, edited
from collector.replay.estimate import Estimate, estimate
from collector.replay.failures import ReplayError
from collector.replay.send import Outcome, send
from collector.replay.sheet import from_sheet, to_sheet

__all__ = [
    "Draft",
    "Estimate",
    "Outcome",
    "ReplayError",
    "draft_of",
    "edited",
    "estimate",
    "from_sheet",
    "send",
    "to_sheet",
]
