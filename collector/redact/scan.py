"""Is there anything worth a pattern in this text? A few passes at C speed, a few microseconds per kilobyte.

A literal search per key format costs 1 us per kilobyte each, and there are a hundred. But every token is a long run of
token characters, and prose has no runs of 16: so the text is mapped to "token character or not" and searched for
one such run (2 us). Only the runs found are then searched for the formats' prefixes.
"""

from __future__ import annotations

import string

from collector.redact.formats import BY_MIDDLE
from collector.redact.rule import Rule
from collector.redact.rules import (
    BY_CONTEXT,
    BY_PREFIX,
    CONTEXT_WORDS,
    PASSWORD_VARIABLES,
    PASSWORD_WORDS,
    PRIVATE_KEY,
)

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
_BEFORE = 12
"""Bytes before a run that come along for the prefixes: some have a dot or a colon in them."""
_CALLED = 96
"""Bytes before a run in which its name may stand ("api_key=")."""
_WORD_BYTES = bytes(byte if chr(byte).isalnum() and byte < 128 else 32 for byte in range(256))
_HEAD = 4

Gates = list[tuple[str, Rule]]


def _heads() -> dict[bytes, Gates]:
    """Rules by the first letters of their literals: what may stand at the start of a word."""
    out: dict[bytes, Gates] = {}
    for rule in BY_PREFIX:
        for gate in rule.gates:
            letters = gate[: next((at for at, char in enumerate(gate) if not char.isalnum()), _HEAD)]
            out.setdefault(letters[:_HEAD].encode(), []).append((gate, rule))
    return out


_HEADS = _heads()
_LENGTHS = sorted({len(head) for head in _HEADS} - {_HEAD})
_MIDDLES: Gates = [(gate, rule) for rule in BY_MIDDLE for gate in rule.gates]
_NAMES: dict[str, Gates] = {
    word: [(gate, rule) for rule in BY_CONTEXT for gate in rule.gates if word in gate] for word in CONTEXT_WORDS
}


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
    runs, names = _runs(data, classes, first)
    text = runs.decode("latin-1")  # `in` is five times as fast on short str as on bytes
    found = dict.fromkeys([PRIVATE_KEY] if _PEM in data else [])
    for head in sorted(_starts(runs) & _HEADS.keys()):  # in one order always: rules may overlap
        found |= dict.fromkeys([rule for gate, rule in _HEADS[head] if gate in text])
    found |= dict.fromkeys([rule for gate, rule in _MIDDLES if gate in text])
    lower = names.lower().decode("latin-1")
    for word in CONTEXT_WORDS:
        if word in lower:
            found |= dict.fromkeys([rule for gate, rule in _NAMES[word] if gate in lower])
    return list(found)


def _starts(runs: bytes) -> set[bytes]:
    """The first letters of every word in the runs; of words behind a JSON escape too ("\\nsk-" is a key)."""
    words = set(runs.translate(_WORD_BYTES).split())
    if b"\\" in runs:
        words |= {word[1:] for word in words} | {word[5:] for word in words}
    starts = {word[:_HEAD] for word in words}
    return starts.union(*({start[:length] for start in starts} for length in _LENGTHS))


def _runs(data: bytes, classes: bytes, first: int) -> tuple[bytes, bytes]:
    """The long runs of token characters, joined by spaces, and what stands before them; of a text with very many,
    all of it. A dot belongs to some prefixes ("SG."), so a few bytes around each run come along."""
    runs, names = [], []
    start, done = first, 0
    while start >= 0:
        begin = classes.rfind(b" ", done, start) + 1 or done
        end = classes.find(b" ", start)
        if end < 0:
            end = len(data)
        runs.append(data[max(0, begin - _BEFORE) : end + 1])
        names.append(data[max(0, begin - _CALLED) : begin])
        if len(runs) > MANY_RUNS:
            return data, data
        done = end
        start = classes.find(_A_RUN, end)
    return b" ".join(runs), b" ".join(names)


def may_hold_password(text: str) -> bool:
    """Whether something in it is called a password and given a value, by `=` or as in JSON."""
    words: tuple[str, ...] = PASSWORD_WORDS
    if "=" in text:
        words += PASSWORD_VARIABLES
    elif '":' not in text and "':" not in text:
        return False
    for word in words:  # noqa: SIM110  # a generator would cost more than the loop
        if word in text:
            return True
    return False
