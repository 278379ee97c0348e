from __future__ import annotations

from collector.model import Reading, Value


def encode(reading: Reading) -> dict[str, Value]:
    return {}
