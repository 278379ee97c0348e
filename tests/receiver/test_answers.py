"""What a door answers may come from any span, and spans hold what JSON does not."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from collector.receiver.answers import json_response


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (b"\x00\xff", "AP8="),
        (2**70, 2**70),
        (math.nan, None),
        ([math.inf, 2**70, b"a"], [None, 2**70, "YQ=="]),
        ("half \ud83d of one", "half \ufffd of one"),
        ({"k": ("a", 2**64)}, {"k": ["a", 2**64]}),
        (1 + 2j, "(1+2j)"),
    ],
)
def test_any_value_of_a_span_becomes_json(value: Any, told: Any) -> None:
    assert json.loads(json_response({"value": value}).body) == {"value": told}


def test_a_value_deeper_than_the_fast_writer_goes_is_told() -> None:
    value: Any = "leaf"
    for _ in range(300):
        value = [value]
    assert json.loads(json_response(value).body) == value
