"""The first characters of what was refused, for the ledger: without its secrets, and without half of one."""

from __future__ import annotations

import re
from collections.abc import Callable

SAMPLE_CHARS = 300
LOOKED_AT = 8000
"""So much is looked through before it is cut: no secret that begins in a sample is longer. Whoever quotes what
was sent quotes so much, where there is so much of it."""

_TORN = 64
_BREAK = re.compile(r"[\s\"'](?=[^\s\"']*\Z)")


def sample(text: str, redact: Callable[[str], str] | None = None) -> str:
    """The beginning of a text, redacted first and cut then: half of a secret fits no pattern."""
    if len(text) >= LOOKED_AT:
        text = _without_torn_end(text[:LOOKED_AT])
    return (text if redact is None else redact(text))[:SAMPLE_CHARS]


def _without_torn_end(text: str) -> str:
    """The text up to a space or quote well before its end, where a secret may have been cut in two."""
    whole = text[:-_TORN]
    found = _BREAK.search(whole)
    return whole[: found.start()] if found else ""
