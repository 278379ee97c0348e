from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.redact import Redactor
from collector.redact.formats import BY_MIDDLE
from collector.redact.personal import EMAIL, PII_RULES
from collector.redact.rule import Rule
from collector.redact.rules import BY_CONTEXT, BY_PREFIX, CONTEXT_WORDS, PASSWORDS, PRIVATE_KEY, URL_PASSWORD
from tests.redact.corpus import FRAMES, HARMLESS, IN_CONTEXT, NOT_PERSONAL, PERSONAL, SECRETS

KEY = b"k" * 32
PLACEHOLDER = re.compile(r"\[[A-Z_]+:[0-9a-f]{4}\]")


def redactor(mode: str = "default") -> Redactor:
    return Redactor(KEY, mode)


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_goes_wherever_it_stands(name: str) -> None:
    secret = SECRETS[name]
    for frame in FRAMES:
        clean = redactor().text(frame.format(secret))
        assert secret not in clean, frame
        assert PLACEHOLDER.search(clean), frame
        assert PLACEHOLDER.sub(lambda _: secret, clean) == frame.format(secret), "the text around it stays"


@pytest.mark.parametrize(("text", "secret"), IN_CONTEXT)
def test_a_secret_known_by_what_stands_around_it_goes(text: str, secret: str) -> None:
    clean = redactor().text(text)
    assert secret not in clean
    assert PLACEHOLDER.search(clean)


@pytest.mark.parametrize("text", HARMLESS)
def test_ids_names_models_times_and_numbers_survive(text: str) -> None:
    assert redactor().text(text) is text
    sentence = f"We saw {text} in the log."
    assert redactor().text(sentence) is sentence


@pytest.mark.parametrize("text", [t for t in HARMLESS if "@" not in t])
def test_the_pii_mode_leaves_ids_and_times_alone_too(text: str) -> None:
    assert redactor("pii").text(text) is text


def test_a_url_keeps_everything_but_its_password() -> None:
    clean = redactor().text("postgres://app:hunter2@db.example.com:5432/app")
    assert re.fullmatch(r"postgres://app:\[PASSWORD:[0-9a-f]{4}\]@db\.example\.com:5432/app", clean)


def test_equal_secrets_get_equal_placeholders_and_only_under_the_same_key() -> None:
    secret = SECRETS["openai"]
    first, second = redactor().text(f"a {secret}"), redactor().text(f"b {secret}")
    assert first[2:] == second[2:]
    assert Redactor(b"x" * 32).text(f"a {secret}") != first


def test_a_card_is_the_same_card_however_it_is_grouped() -> None:
    clean = redactor()
    assert clean.text(SECRETS["visa"]) == clean.text(SECRETS["visa dashes"]) == clean.text("4111111111111111")


@pytest.mark.parametrize("name", SECRETS)
def test_redacting_twice_is_redacting_once(name: str) -> None:
    once = redactor().text(f"Authorization: Bearer {SECRETS[name]} https://u:{SECRETS[name]}@h")
    assert redactor().text(once) == once


def test_several_secrets_of_one_text_all_go() -> None:
    text = " and ".join(SECRETS.values())
    clean = redactor().text(text)
    assert not [name for name, secret in SECRETS.items() if secret in clean]
    assert clean.count(" and ") == len(SECRETS) - 1


def test_a_secret_in_a_very_long_text_is_found() -> None:
    filler = "0123456789abcdefghij " * 5_000
    assert SECRETS["github"] not in redactor().text(filler + SECRETS["github"] + filler)


def test_every_gate_by_name_is_behind_one_of_the_words_looked_for_first() -> None:
    assert all(any(word in gate for word in CONTEXT_WORDS) for rule in BY_CONTEXT for gate in rule.gates)


OURS: tuple[Rule, ...] = (*BY_PREFIX, *BY_MIDDLE, *BY_CONTEXT, *PASSWORDS, URL_PASSWORD, PRIVATE_KEY)


@pytest.mark.parametrize("rule", [pytest.param(rule, id=f"{rule.kind} {' '.join(rule.gates)}") for rule in OURS])
def test_every_rule_has_an_example_in_the_corpus(rule: Rule) -> None:
    texts = [*(f" {secret} " for secret in SECRETS.values()), *(text for text, _ in IN_CONTEXT)]
    assert any(rule.apply(text, lambda kind, secret: "") != text for text in texts)


@pytest.mark.parametrize("number", range(len(PII_RULES) + 1))
def test_every_rule_of_mode_pii_has_an_example_in_the_corpus(number: int) -> None:
    rule = (*PII_RULES, EMAIL)[number]
    assert any(rule.apply(text, lambda kind, secret: "") != text for text, _, _ in PERSONAL)


def test_mode_off_returns_the_same_object() -> None:
    text = SECRETS["openai"]
    assert redactor("off").text(text) is text


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="default, pii, off"):
        redactor("everything")


@pytest.mark.parametrize(("text", "kind", "secret"), PERSONAL)
def test_personal_data_goes_in_mode_pii_and_stays_by_default(text: str, kind: str, secret: str) -> None:
    placeholder = redactor("pii").text(text)
    assert re.fullmatch(re.escape(text).replace(re.escape(secret), rf"\[{kind}:[0-9a-f]{{4}}\]"), placeholder)
    assert redactor().text(text) is text


@pytest.mark.parametrize("text", NOT_PERSONAL)
def test_a_wrong_check_digit_is_no_personal_data(text: str) -> None:
    assert redactor("pii").text(text) is text


def test_two_accounts_side_by_side_both_go() -> None:
    clean = redactor("pii").text("DE89 3704 0044 0532 0130 00 NL91 ABNA 0417 1643 00")
    assert clean.count("[IBAN:") == 2


def test_a_lone_surrogate_does_not_stop_redaction() -> None:
    clean = redactor().text(f"\ud800 {SECRETS['openai']}")
    assert SECRETS["openai"] not in clean
    assert clean.startswith("\ud800 ")


@given(st.text())
def test_any_text_comes_back_the_same_when_redacted_again(text: str) -> None:
    for mode in ("default", "pii"):
        once = redactor(mode).text(text)
        assert redactor(mode).text(once) == once


def test_a_text_sent_again_is_looked_up_and_the_memory_is_bounded() -> None:
    from collector.memo import Memo

    memo = Memo(10_000)
    for number in range(1_000):
        memo.put(f"text {number} {'x' * 100}", "y")
    assert 10 < len(memo) < 100
    assert memo.get(f"text 999 {'x' * 100}") == "y"
    assert memo.get(f"text 0 {'x' * 100}") is None
    memo.put("z" * 20_000, "too long to keep")
    assert memo.get("z" * 20_000) is None


def test_what_is_asked_for_again_and_again_stays_in_the_memory() -> None:
    from collector.memo import Memo

    memo = Memo(10_000)
    memo.put("history", "clean")
    for number in range(1_000):
        memo.put(f"text {number} {'x' * 100}", "y")
        assert memo.get("history") == "clean"
