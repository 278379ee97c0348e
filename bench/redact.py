"""What does redaction cost a text, seen for the first time and again?

Texts of 2 KB made of the corpus in tests/redact: prose with what must stay (ids, times, numbers, models), the same with
one secret each, and a JSON of such. Each under mode "default", mode "pii", and "default" with three patterns of one's
own; cold is a text never seen, warm one that is remembered. CPU of this thread. No budget of its own: it is part of
what a span costs to take in. python -m bench redact
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import time
from collections.abc import Callable, Sequence
from statistics import median

from bench.report import figure, head, quiet
from collector.own_patterns import own_pattern
from collector.redact import Redactor
from tests.redact.corpus import HARMLESS, NOT_PERSONAL, PERSONAL, SECRETS

KEY = b"k" * 32
OWN = {"employee": r"EMP-\d{6}", "ticket": r"case no\. (\d+)", "host": r"\b[a-z]+\.corp\.example\b"}
BYTES = 2_000
MODES: dict[str, Callable[[], Redactor]] = {
    "default": lambda: Redactor(KEY),
    "pii": lambda: Redactor(KEY, "pii"),
    "own patterns": lambda: Redactor(KEY, patterns=[own_pattern(name, said) for name, said in OWN.items()]),
}
WORDS = (
    "the agent looked up the order and found that it had left the warehouse on Tuesday so it wrote to the customer "
    "and asked whether the address was still right before it called the next tool with what it knew by then"
).split()


def texts(count: int, seed: int = 7) -> dict[str, list[str]]:
    """`count` texts of each kind, no two alike."""
    rng = random.Random(seed)
    secrets = [*SECRETS.values(), *(text for text, _, _ in PERSONAL)]
    prose = [_prose(rng, []) for _ in range(count)]
    found = [_prose(rng, [secret]) for secret in itertools.islice(itertools.cycle(secrets), count)]
    return {"prose": prose, "prose with a secret": found, "JSON": [_json(rng) for _ in range(count)]}


def _prose(rng: random.Random, within: list[str]) -> str:
    words = [*within, *(rng.choice([*HARMLESS, *NOT_PERSONAL]) for _ in range(8)), f"{rng.getrandbits(48):012x}"]
    size = sum(map(len, words))
    while size < BYTES:
        words.append(rng.choice(WORDS))
        size += len(words[-1]) + 1
    rng.shuffle(words)
    return " ".join(words)


def _json(rng: random.Random) -> str:
    messages = [{"role": "user", "content": _prose(rng, [])[: BYTES // 4]} for _ in range(4)]
    return json.dumps({"model": "gpt-4o", "messages": messages, "n": rng.random()})


def measure(make: Callable[[], Redactor], given: Sequence[str], rounds: int) -> tuple[float, float]:
    """CPU microseconds of a text, cold and warm: medians over rounds, each with a redactor that knows nothing."""
    cold, warm = [], []
    for _ in range(rounds):
        redactor = make()
        redactor.text("the first text pays for what is compiled")
        for into in (cold, warm):
            began = time.thread_time()
            for text in given:
                redactor.text(text)
            into.append((time.thread_time() - began) / len(given) * 1e6)
    return median(cold), median(warm)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench redact", description=__doc__)
    parser.add_argument("--texts", type=int, default=300, help="of each kind [300]")
    parser.add_argument("--rounds", type=int, default=5, help="[5]")
    asked = parser.parse_args(argv)
    head(__doc__)
    kinds = texts(asked.texts)
    quiet()
    for mode, make in MODES.items():
        for kind, given in kinds.items():
            cold, warm = measure(make, given, asked.rounds)
            kb = sum(len(text.encode()) for text in given) / len(given) / 1_000
            figure(
                f"{mode}: {kind}, {kb:.1f} KB",
                f"cold {cold:.0f} µs a text, {cold / kb:.0f} µs a KB; warm {warm:.1f} µs, {warm / kb:.2f} µs a KB",
            )


if __name__ == "__main__":
    main()
