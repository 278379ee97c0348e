"""What users bring themselves: patterns, and a function of their own."""

from __future__ import annotations

import json
import re
import time

import pytest

from collector.own_patterns import LIMIT_S, WINDOW, OwnPattern, own_pattern, windows
from collector.redact import Redactor
from collector.redact.texts import MASK_FAILED
from tests.redact.corpus import HARMLESS, SECRETS

KEY = b"k" * 32


def redactor(mode: str = "default", **patterns: str) -> Redactor:
    return Redactor(KEY, mode, patterns=[own_pattern(name, said) for name, said in patterns.items()])


def test_a_pattern_of_ones_own_goes_under_its_own_name() -> None:
    clean = redactor(employee=r"EMP-\d{6}").text("ask EMP-123456 or EMP-654321")
    assert re.fullmatch(r"ask \[EMPLOYEE:[0-9a-f]{4}\] or \[EMPLOYEE:[0-9a-f]{4}\]", clean)


def test_the_first_group_is_the_secret_where_there_is_one() -> None:
    assert redactor(case=r"case no\. (\d+)").text("see case no. 4711!").startswith("see case no. [CASE:")


def test_own_patterns_hold_for_short_texts_ids_names_and_with_ours_off() -> None:
    clean = redactor("off", employee=r"EMP-\d{3}")
    value = clean.value({"user.id": "EMP-123", "a": ["EMP-123", {"b": "EMP-123"}], "key": SECRETS["openai"]})
    assert "EMP-123" not in json.dumps(value)
    assert isinstance(value, dict)
    assert value["key"] == SECRETS["openai"]


def test_own_patterns_look_into_json_and_leave_it_json() -> None:
    clean = redactor(word="secretword")
    assert json.loads(clean.text('{"a": "a secretword", "n": 1.50}'))["n"] == 1.5
    assert "secretword" not in clean.text('{"a": "a secretword", "n": 1.50}')


def test_redacting_twice_is_redacting_once_with_own_patterns_too() -> None:
    clean = redactor(letters="[A-Z]{3,}")
    once = clean.text("ABC and SECRET")
    assert clean.text(once) == once


def test_what_stands_beyond_the_first_window_is_found_and_nothing_is_lost() -> None:
    text = "word " * WINDOW + "EMP-123456" + " word" * WINDOW
    assert "".join(windows(text)) == text
    assert all(0 < len(window) <= WINDOW for window in windows(text + "x" * 3 * WINDOW))
    clean = redactor(employee=r"EMP-\d{6}").text(text)
    assert "EMP-123456" not in clean
    assert clean.count("word") == 2 * WINDOW


@pytest.mark.parametrize(
    ("name", "pattern", "says"),
    [
        ("a b", "x", "cannot name a pattern"),
        ("a", "", "needs a regular expression"),
        ("a", "[", "no regular expression: unterminated character set"),
        ("a", "x*", "would match everywhere"),
        ("a", r"(a+)+$", "takes too long"),
        ("a", r"id=\d{3}(x+x+)+y", "takes too long"),
        ("a", r"(?:ab|[ac]b)+x", "takes too long"),
        ("a", r"(\w+\s?)*$x", "takes too long"),
        ("a", r"([^x]+)+x", "takes too long"),
        ("a", r"\d+\d+\d+x", "takes too long"),
        ("a", r"(a{1,30}){1,30}b", "takes too long"),
    ],
)
def test_a_pattern_that_cannot_work_is_refused_with_a_sentence(name: str, pattern: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        own_pattern(name, pattern)


@pytest.mark.parametrize(
    "pattern",
    [r"EMP-\d{6}", r"[\w.]+@[\w.]+", r"\d+x", r"(?i)kunde\s+nr\.?\s*(\d+)", r"\bproj-[a-z]+(-[a-z]+)*\b", "ключ"],
)
def test_ordinary_patterns_are_taken(pattern: str) -> None:
    assert isinstance(own_pattern("a", pattern), OwnPattern)


def test_no_text_can_make_an_accepted_pattern_slow() -> None:
    pattern = own_pattern("a", r"\d+x")
    started = time.thread_time()
    pattern.apply("1" * 20 * WINDOW, lambda kind, secret: kind)
    assert time.thread_time() - started < 20 * LIMIT_S


# --- mask ---


def test_mask_sees_every_text_after_our_rules_and_what_it_says_is_kept() -> None:
    seen: list[str] = []

    def mask(text: str) -> str:
        seen.append(text)
        return text.replace("Ada", "A.")

    clean = Redactor(KEY, mask=mask)
    value = clean.value({"a": ["Ada", 1, {"b": f"Ada has {SECRETS['openai']}"}], "model": "Ada", "n": 2.5})
    assert value == {"a": ["A.", 1, {"b": clean.text(f"Ada has {SECRETS['openai']}")}], "model": "Ada", "n": 2.5}
    assert not [text for text in seen if SECRETS["openai"] in text]


def test_mask_is_given_the_leaves_of_json_not_its_text() -> None:
    clean = Redactor(KEY, mask=str.upper)
    assert json.loads(clean.text('{"role": "user", "a": ["hello", {"b": "you"}], "n": 1}')) == {
        "role": "user", "a": ["HELLO", {"b": "YOU"}], "n": 1,
    }  # fmt: skip
    assert clean.text('{"cut off": "hel') == '{"CUT OFF": "HEL'


@pytest.mark.parametrize("mask", [lambda text: 1 / 0, lambda text: None, lambda text: text.encode()])
def test_a_text_at_which_mask_fails_is_never_stored_and_is_counted(mask) -> None:  # type: ignore[no-untyped-def]
    clean = Redactor(KEY, mask=mask)
    assert clean.value({"a": "secret plan", "b": 1}) == {"a": MASK_FAILED, "b": 1}
    assert sum(clean.failures.values()) == 1


def test_mask_is_asked_once_for_a_long_text_that_is_sent_again() -> None:
    asked: list[str] = []
    clean = Redactor(KEY, mask=lambda text: asked.append(text) or text)  # type: ignore[func-returns-value]
    for _ in range(5):
        clean.text("a long text " * 100)
    assert len(asked) == 1


@pytest.mark.parametrize("text", HARMLESS)
def test_a_mask_that_changes_nothing_changes_nothing(text: str) -> None:
    assert Redactor(KEY, mask=lambda same: same).text(text) == text


# --- passwords by their key ---


def test_a_password_goes_by_its_key_however_short_in_values_and_in_json() -> None:
    clean = Redactor(KEY)
    value = clean.value({"db_password": "pw1", "passwordless": "yes", "hint": "pw1"})
    assert isinstance(value, dict)
    assert str(value["db_password"]).startswith("[PASSWORD:")
    assert (value["passwordless"], value["hint"]) == ("yes", "pw1")
    assert clean.value(value) == value
    raw = '{"user": "ada", "Password": "p\\"w\\\\1", "n": 1}'
    assert json.loads(clean.text(raw)) == clean.value(json.loads(raw))
