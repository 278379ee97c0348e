"""docs/settings.md lists every setting with the default it has, and its example is read without a word."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from collector.settings import SETTING_NAMES, Settings, resolve

PAGE = (Path(__file__).parents[2] / "docs/settings.md").read_text("utf-8")
ROWS = [[cell.strip() for cell in row.split("|")[1:4]] for row in re.findall(r"^\| `.*$", PAGE, re.M)]


def listed() -> dict[str, str]:
    """Every setting of the table with its default as it is written there; settings of one row share theirs."""
    found = {}
    for names, defaults, _ in ROWS:
        quoted = re.findall(r"`([^`]*)`", names)
        given = re.findall(r"`([^`]*)`", defaults) or [defaults]
        found.update(zip(quoted, given if len(given) == len(quoted) else given * len(quoted), strict=True))
    return found


def test_every_setting_is_listed_and_no_other() -> None:
    assert sorted(listed()) == sorted(SETTING_NAMES)


@pytest.mark.parametrize("name", [name for name in SETTING_NAMES if name != "db"])
def test_the_default_is_the_one_listed(name: str) -> None:
    value, said = getattr(Settings(), name), listed()[name]
    assert value is None if said == "–" else json.loads(said) == (list(value) if isinstance(value, tuple) else value)


def test_the_example_is_read(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, re.S)
    (tmp_path / "tracetui.toml").write_text(example)
    found = resolve(cwd=tmp_path, env={}, user_config=tmp_path / "none")
    assert not found.warnings
    assert [str(rule) for rule in found.settings.sampling] == ["name health*", "metadata tier premium"]
    assert found.settings.within("production").sample_rate == 0.01
