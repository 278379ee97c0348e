"""Is there anything worth a pattern in this text? A few passes at C speed, a few microseconds per kilobyte.

A literal search per key format costs 1 us per kilobyte each, and there are forty. But every token is a long run of
token characters, and prose has no runs of 16: so the text is mapped to "token character or not" and searched for
one such run (2 us). Only the runs found are then searched for the formats' prefixes.
"""

from __future__ import annotations

import string

from collector.redact.rules import BY_CONTEXT, BY_PREFIX, PRIVATE_KEY, Rule

RUN = 16
MANY_RUNS = 64
CARD_DIGITS = 13

_TOKEN_BYTES = frozenset((string.ascii_letters + string.digits + "_-").encode())
_CLASSES = bytes(97 if byte in _TOKEN_BYTES else 32 for byte in range(256))
_DIGITS = bytes(48 if 48 <= byte < 58 else byte if byte in b" -" else 120 for byte in range(256))
_A_RUN = b"a" * RUN
_A_GROUP = b"000"
_A_CARD = b"0" * CARD_DIGITS
_PEM = PRIVATE_KEY.gates[0].encode()
_PREFIXES = tuple((rule.gates[0], rule) for rule in BY_PREFIX)
_NAMES = tuple(  # each holds one of the five words that `candidates` looks for first
    (gate, rule) for rule in BY_CONTEXT for gate in rule.gates
)


def may_hold_card(data: bytes) -> bool:
    """Three digits in a row somewhere (a card's groups have at least three), and thirteen without spaces and dashes."""
    digits = data.translate(_DIGITS)
    return _A_GROUP in digits and _A_CARD in digits.translate(None, b" -")


def candidates(data: bytes) -> list[Rule]:
    """The token rules worth trying on this text (UTF-8), in their order."""
    classes = data.translate(_CLASSES)
    first = classes.find(_A_RUN)
    if first < 0:
        return []
    runs = _runs(data, classes, first).decode("latin-1")  # `in` is five times as fast on short str as on bytes
    found = [PRIVATE_KEY] if _PEM in data else []
    found += [rule for gate, rule in _PREFIXES if gate in runs]
    lower = data.lower().decode("latin-1")
    if "token" in lower or "api" in lower or "secret" in lower or "bearer" in lower or "authorization" in lower:
        found += dict.fromkeys(rule for gate, rule in _NAMES if gate in lower)
    return found


def _runs(data: bytes, classes: bytes, first: int) -> bytes:
    """The long runs of token characters, joined by spaces; of a text with very many, all of it.

    A dot belongs to some prefixes ("SG."), so one byte behind each run comes along.
    """
    runs = []
    start = first
    while start >= 0:
        begin = classes.rfind(b" ", 0, start) + 1
        end = classes.find(b" ", start)
        if end < 0:
            end = len(data)
        runs.append(data[max(0, begin - 8) : end + 1])
        if len(runs) > MANY_RUNS:
            return data
        start = classes.find(_A_RUN, end)
    return b" ".join(runs)
