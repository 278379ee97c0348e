"""What failures have in common: an error message with everything taken out that differs from one time to the next.

Numbers, ids, hashes, addresses, paths, dates and quoted values become one sign each, so that "order 17 not found" and
"order 18 not found" are one failure. Pure, and idempotent: a fingerprint is its own fingerprint.
"""

from __future__ import annotations

import re
from functools import lru_cache

MOST_CHARS = 240
MOST_READ = 1000
SIGN = "‹{}›"

_QUOTED = r"""(?<!\w)'[^'\n‹]{1,200}'(?!\w)|"[^"\n‹]{1,200}"|`[^`\n‹]{1,200}`|“[^”\n‹]{1,200}”|«[^»\n‹]{1,200}»"""
_RULES = tuple(
    (re.compile(pattern), SIGN.format(name))
    for name, pattern in (
        ("text", _QUOTED),
        ("url", r"\b[a-zA-Z][a-zA-Z0-9+.-]{1,20}://[^\s,;)\]}>‹]+"),
        ("id", r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b"),
        ("email", r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+"),
        ("path", r"(?<![\w‹<\[])(?:[A-Za-z]:\\|~?/)[^\s,;:()'\"‹]+"),
        ("time", r"(?<![\w-])\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?\b"),
        ("hex", r"\b0x[0-9a-fA-F]+\b|\b(?=[0-9a-fA-F]*\d)(?=[0-9a-fA-F]*[a-fA-F])[0-9a-fA-F]{8,}\b"),
        # call_9f3kQ2, req-011CS, chatcmpl-AbC123def: letters, a joint, then something with a digit in it
        ("id", r"\b[A-Za-z]{2,12}[_-](?=[A-Za-z0-9_-]{6,}\b)(?=[A-Za-z_-]*\d)[A-Za-z0-9_-]+\b"),
        ("n", r"(?<![\w‹])(?<![A-Za-z_]-)[-+]?\d[\d_]*(?:[.,:]\d+)*(?:[eE][-+]?\d+)?(?=[a-zµ%]{0,3}(?!\w))"),
    )
)  # fmt: skip
_REDACTED = re.compile(r"\[([A-Z][A-Z_]{2,30}):[0-9a-f]{4}\]")
_SIGNS = re.compile(r"‹\w+›")
_TYPE = re.compile(r"^\s*([A-Za-z_][\w.]*(?:Error|Exception|Warning|Timeout|Interrupt|Exit|Failure))\b\s*:?\s*")


@lru_cache(maxsize=20_000)
def fingerprint(message: str) -> str:
    """The message on one line, of at most MOST_CHARS characters, with signs for what differs."""
    text = _REDACTED.sub(r"[\1]", message[:MOST_READ])
    for pattern, sign in _RULES:
        text = pattern.sub(sign, text)
    text = " ".join(text.split())
    return text if len(text) <= MOST_CHARS else text[: MOST_CHARS - 1].rstrip() + "…"


def error_class(error_type: str | None, message: str) -> tuple[str, str]:
    """(class of the failure, the message without it). The class is read from the message where none was sent, and
    taken off its beginning where it is repeated there; "" where there is none."""
    found = _TYPE.match(message)
    if error_type and found and found[1].rpartition(".")[2] == error_type.rpartition(".")[2]:
        return error_type, message[found.end() :]
    if error_type or not found:
        return error_type or "", message
    return found[1], message[found.end() :]


def longest_words(print_: str) -> str:
    """The longest run of whole words of a fingerprint that holds no sign: what to search for to find it again.
    "" where there is none."""
    runs = []
    for piece in _SIGNS.sub("\n", print_).split("\n"):
        words = re.findall(r"\w+(?:[^\w\n\"]+\w+)*", piece.removesuffix("…").rpartition(" ")[0]
                           if piece.endswith("…") else piece)  # fmt: skip
        runs += words
    return max(runs, key=len, default="")
