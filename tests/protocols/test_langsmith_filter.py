"""LangSmith's filter language asks of runs what its documentation says, and says what it does not understand."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.errors import DecodeError
from collector.protocols.langsmith_filter import parse

RUN: dict[str, Any] = {
    "id": "7", "name": "extractor", "run_type": "llm", "status": "success", "error": None, "parent_run_id": None,
    "start_time": "2026-11-21T02:23:47.361363+00:00", "end_time": "2026-11-21T02:23:50+00:00",
    "first_token_time": "2026-11-21T02:23:48.361363+00:00", "tags": ["prod", "eu"], "total_tokens": 154,
    "inputs": {"q": "what is 1+1"}, "outputs": {"a": "two"}, "thread_id": "t-1",
    "extra": {"metadata": {"plan": "pro", "tries": 2, "region": "free"}},
    "feedback": [{"key": "ok", "score": 0.0}, {"key": "other", "score": 1, "feedback_source": {"type": "model"}}],
}  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        'eq(run_type, "llm")', "eq(name, 'extractor')", 'neq(name, "x")', "gt(latency, 2)", "lt(latency, 3.0)",
        'gte(total_tokens, "154")', "eq(error, null)", "eq(is_root, true)", 'has(tags, "prod")',
        'and(gt(start_time, "2026-11-21T00:00:00Z"), lt(start_time, "2026-11-22"))', 'in(run_type, ["chain", "llm"])',
        'or(eq(name, "x"), has(tags, "eu"))', 'not(has(tags, "us"))', 'search("TWO")', 'search("1+1", "extractor")',
        'eq(thread_id, "t-1")', 'like(name, "extr%")', 'like(name, "_xtractor")', "gt(first_token_latency, 0.9)",
        'and(eq(metadata_key, "plan"), eq(metadata_value, "pro"))', 'eq(metadata_key, "tries")',
        'and(eq(metadata_key, "tries"), gt(metadata_value, 1))', "has(metadata, '{\"plan\": \"pro\"}')",
        'exists(metadata, "plan")', 'and(eq(feedback_key, "ok"), eq(feedback_score, 0))',
        'eq(feedback_source, "model")', 'and(eq(input_key, "q"), like(input_value, "%1+1%"))', "and()",
    ],
)  # fmt: skip
def test_it_fits(text: str) -> None:
    assert parse(text)(RUN)


@pytest.mark.parametrize(
    "text",
    [
        'eq(run_type, "chain")', "gt(latency, 5)", "neq(error, null)", 'has(tags, "us")', 'in(name, ["a"])',
        'and(eq(metadata_key, "plan"), eq(metadata_value, "free"))', 'like(name, "e%x")', 'like(name, "extracto")',
        'and(eq(feedback_key, "ok"), eq(feedback_score, 1))', 'search("three")', "gt(name, 3)",
        'exists(metadata, "nothing")', "or()",
        "has(metadata, '{\"plan\": \"free\"}')",
    ],
)  # fmt: skip
def test_it_does_not_fit(text: str) -> None:
    assert not parse(text)(RUN)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('eq(colour, "red")', "cannot ask for 'colour'"), ("eq(name)", "not understood"), ("name", "is a call"),
        ('eq(name, "x"', r"lacks a '\)'"), ('eq(name, "x"))', "after its end"), ("between(latency, 1)", "known: and"),
        ("eq(name, ;)", "not understood"), ("", "ends too early"), ("not()", "one filter"), ("not(" * 60, "too deep"),
        ("a" * 30_000, "over the limit"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_said(text: str, says: str) -> None:
    with pytest.raises(DecodeError, match=says):
        parse(text)


WORDS = st.sampled_from(
    [*"and or not eq gt has search in like name tags latency metadata metadata_key inputs ( ) , [ ] 1 null".split(),
     '"x"', "'%_'"]
)  # fmt: skip


@given(st.lists(WORDS, max_size=30).map(" ".join) | st.text(max_size=60))
def test_any_text_is_a_filter_or_a_sentence(text: str) -> None:
    try:
        test = parse(text)
    except DecodeError:
        return
    assert test(RUN) in (True, False)
