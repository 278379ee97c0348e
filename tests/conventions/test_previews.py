"""The one line that lists show of an input or output."""

from __future__ import annotations

from typing import Any

import pytest

from collector.model import Content
from collector.previews import preview_input


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ({"args": ["Where is order 789?"], "kwargs": {}}, "Where is order 789?"),
        ({"args": [], "kwargs": {"question": "Where?"}}, "Where?"),
        ({"args": [1, 2], "kwargs": {}}, "[1,2]"),
        ({"args": ["a"], "kwargs": {"b": 1}}, '{"args":["a"],"kwargs":{"b":1}}'),
        ({"args": [], "kwargs": {}}, "{}"),
        ({"question": "Where is\n order 789?"}, "Where is order 789?"),
        ({"n": 789}, '{"n":789}'),
        ({"img": "@@@langfuseMedia:type=image/png|id=aO5F|source=bytes@@@ of us"}, "(image/png) of us"),
        ("as it is", "as it is"),
    ],
)
def test_what_a_wrapper_holds_alone_is_shown_without_it(value: Any, line: str) -> None:
    assert preview_input(Content(value=value)) == line
