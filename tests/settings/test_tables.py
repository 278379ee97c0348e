"""The settings that are tables, and those that differ by environment."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from collector.errors import SettingsError
from collector.setting_tables import PER_ENVIRONMENT, SamplingRule
from collector.settings import SETTING_NAMES, Settings, resolve
from tests.settings.test_settings import found

TOML = """
environment = "staging"
capture_content = "redacted"
sample_rate = 0.5

[redact_patterns]
employee = 'EMP-\\d{6}'

[[sampling]]
name = "health*"
rate = 0

[[sampling]]
user = "vip-*"
metadata = {tier = "premium"}
rate = 1

[environments.production]
redact = "pii"
capture-content = "metadata"
hash_user_ids = true
sample_rate = 0.1
"""


def test_tables_are_read_from_the_settings_file(tmp_path: Path) -> None:
    (tmp_path / "tracetui.toml").write_text(TOML)
    s = found(tmp_path).settings
    assert s.redact_patterns == {"employee": r"EMP-\d{6}"}
    assert s.sampling == (
        SamplingRule(0.0, name="health*"),
        SamplingRule(1.0, user="vip-*", metadata={"tier": "premium"}),
    )
    assert [str(rule) for rule in s.sampling] == ["name health*", "user vip-*, metadata tier premium"]
    assert (s.sample_rate, s.capture_content, s.hash_user_ids) == (0.5, "redacted", False)


def test_an_environment_overrides_what_its_table_names_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "tracetui.toml").write_text(TOML)
    s = found(tmp_path).settings
    production = s.within("production")
    assert (production.redact, production.capture_content, production.hash_user_ids) == ("pii", "metadata", True)
    assert (production.sample_rate, production.sampling) == (0.1, s.sampling)
    assert s.within("staging") is s
    assert s.within(None) is s
    assert found(tmp_path, environment="production").settings.within(None).redact == "pii"


def test_tables_are_read_as_json_from_variables(tmp_path: Path) -> None:
    env = {
        "TRACETUI_REDACT_PATTERNS": json.dumps({"employee": "EMP"}),
        "TRACETUI_SAMPLING": json.dumps([{"tag": "noise", "rate": 0.5}]),
        "TRACETUI_ENVIRONMENTS": json.dumps({"dev": {"redact": "off"}}),
        "TRACETUI_HASH_USER_IDS": "yes",
    }
    s = found(tmp_path, env).settings
    assert s.sampling == (SamplingRule(0.5, tag="noise"),)
    assert (s.redact_patterns, s.within("dev").redact, s.hash_user_ids) == ({"employee": "EMP"}, "off", True)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"capture_content": "non"}, "must be one of full, redacted, metadata"),
        ({"sample_rate": 10}, "between 0 and 1"),
        ({"sample_rate": True}, "a number from 0 to 1"),
        ({"mask": "module.function"}, "only configure(mask=…) can give one"),
        ({"redact_patterns": {"a": "["}}, "no regular expression"),
        ({"redact_patterns": {"a": "(a+)+$"}}, "takes too long"),
        ({"redact_patterns": {"a": 1}}, "in quotes"),
        ({"redact_patterns": ["a"]}, "give it a table"),
        ({"sampling": {"name": "x", "rate": 1}}, "give it a list of rules"),
        ({"sampling": [{"name": "x"}]}, "needs a rate"),
        ({"sampling": [{"rate": 0.5}]}, "is the setting sample_rate"),
        ({"sampling": [{"nam": "x", "rate": 1}]}, "has no 'nam'"),
        ({"sampling": [{"name": "x", "rate": 2}]}, "between 0 and 1"),
        ({"sampling": [{"name": ["x"], "rate": 1}]}, "needs a text to compare with"),
        ({"environments": {"production": {"db": "x"}}}, "cannot differ by environment"),
        ({"environments": {"production": {"redact": "pi"}}}, "production.redact"),
        ({"environments": {"production": "pii"}}, "needs a table"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused_with_a_sentence(
    tmp_path: Path, arguments: dict[str, object], says: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        found(tmp_path, **arguments)
    assert says in str(caught.value)
    lenient = found(tmp_path, strict=False, **arguments)
    assert len(lenient.warnings) == 1
    (name,) = arguments
    assert getattr(lenient.settings, name) == getattr(Settings(), name)


def test_a_mask_is_taken_as_an_argument_and_not_printed(tmp_path: Path) -> None:
    settings = found(tmp_path, mask=str.upper).settings
    assert settings.mask is str.upper
    assert "upper" not in repr(settings)


def test_whatever_may_differ_by_environment_is_a_setting() -> None:
    assert set(PER_ENVIRONMENT) < set(SETTING_NAMES)


def test_literal_quotes_are_taken_off_tables_too(tmp_path: Path) -> None:
    got = resolve(cwd=tmp_path, env={"TRACETUI_SAMPLE_RATE": '"0.25"'}, user_config=tmp_path / "none")
    assert got.settings.sample_rate == 0.25
    assert len(got.warnings) == 1
