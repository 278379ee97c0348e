"""What differs from one time to the next makes no difference; what tells failures apart stays."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.fingerprint import MOST_CHARS, error_class, fingerprint, longest_words
from tests.tui.hostile import CONTROL_STRINGS, HOSTILE

SAME = [
    ("order 17 not found", "order 18 not found", "order ‹n› not found"),
    ("took 1.5s of 2_000", "took 12s of 9", "took ‹n›s of ‹n›"),
    ("no field 'city' here", "no field 'street' here", "no field ‹text› here"),
    ('bad "a b" at `x`', 'bad "c" at `yy`', "bad ‹text› at ‹text›"),
    ("GET https://a.example/x?y=1 failed", "GET http://b.example failed", "GET ‹url› failed"),
    ("run 0b9e4f6a-5a3c-4f0e-8a51-1e2d3c4b5a69 died", "run FFFFFFFF-5a3c-4f0e-8a51-1e2d3c4b5a69 died", "run ‹id› died"),
    ("object at 0x7f3a10", "object at 0x11", "object at ‹hex›"),
    ("commit 3fa9c2d1e4 gone", "commit 00ffaa99 gone", "commit ‹hex› gone"),
    ("cannot open /home/a/b.txt: no", "cannot open C:\\x\\y.txt: no", "cannot open ‹path›: no"),
    ("since 2026-11-21T14:00:03Z", "since 2025-01-02", "since ‹time›"),
    ("tool call_9f3kQ2Ab failed", "tool req-011CSab9 failed", "tool ‹id› failed"),
    ("mail to a.b@example.com bounced", "mail to c@d.org bounced", "mail to ‹email› bounced"),
    ("user [EMAIL:3fa9] unknown", "user [EMAIL:0001] unknown", "user [EMAIL] unknown"),
    ("two\n  lines 1", "two lines 2", "two lines ‹n›"),
]


@pytest.mark.parametrize(("one", "other", "both"), SAME)
def test_what_differs_each_time_makes_no_difference(one: str, other: str, both: str) -> None:
    assert (fingerprint(one), fingerprint(other)) == (both, both)


def test_what_tells_failures_apart_stays() -> None:
    messages = [
        "context length exceeded", "rate limit exceeded", "don't do that, it isn't allowed", "gpt-4o is overloaded",
        "HTTP2 stream reset", "sha256 mismatch", "注文が見つかりません", "and/or",
    ]  # fmt: skip
    assert [fingerprint(one) for one in messages] == messages


@given(st.text(max_size=300) | st.sampled_from([*HOSTILE, *CONTROL_STRINGS]))
def test_a_fingerprint_is_short_and_its_own_fingerprint(text: str) -> None:
    once = fingerprint(text)
    assert len(once) <= MOST_CHARS
    assert fingerprint(once) == once


@pytest.mark.parametrize(
    "text", ["'" * 3000, "a" * 3000, "1-" * 1500, "ab1" * 1000, "x_" * 1500, "/a" * 1500, "a@" * 999]
)
def test_no_message_takes_for_ever(text: str) -> None:
    began = time.process_time()
    fingerprint(text)
    assert time.process_time() - began < 2  # a pattern that backtracks without end takes minutes


def test_the_class_is_read_from_the_message_and_not_said_twice() -> None:
    assert error_class("ValueError", "ValueError: no") == ("ValueError", "no")
    assert error_class("openai.RateLimitError", "RateLimitError: no") == ("openai.RateLimitError", "no")
    assert error_class(None, "httpx.ReadTimeout: slow") == ("httpx.ReadTimeout", "slow")
    assert error_class("ToolError", "ValueError: no") == ("ToolError", "ValueError: no")
    assert error_class(None, "it broke") == ("", "it broke")
    assert error_class(None, "") == ("", "")


def test_the_longest_words_hold_no_sign() -> None:
    assert longest_words("order ‹n› not found in ‹path›") == "not found in"
    assert longest_words("‹n›") == ""
    assert longest_words("a very long sentence that was cut in the midd…") == "a very long sentence that was cut in the"
