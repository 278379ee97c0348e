"""The door: `tracetui` with and without a command, its exit codes and its sentences."""

from __future__ import annotations

import subprocess
import sys

import pytest
from click.testing import CliRunner

from collector.errors import FilterError
from collector.version import VERSION
from tracetui.cli import main


def run(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "tracetui", *args], capture_output=True, text=True, timeout=60)


def test_help_names_every_command():
    shown = CliRunner().invoke(main.cli, ["--help"]).output
    assert all(f"\n  {name}" in shown for name in main.COMMANDS if name != "explore")


def test_the_version_is_said():
    assert CliRunner().invoke(main.cli, ["--version"]).output == f"tracetui {VERSION}\n"


def test_a_mistyped_command_ends_with_2_and_says_which_was_meant():
    ended = run("tarces")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "did you mean `tracetui traces`?" in ended.stderr


def test_a_file_that_is_not_there_ends_with_1_and_no_traceback(tmp_path):
    ended = run("check", str(tmp_path / "none.db"))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("Error: there is no file")


def test_a_missing_argument_ends_with_2():
    assert run("show").returncode == 2


def test_a_filter_error_points_at_its_column(capsys, monkeypatch):
    def wrong(*args: object, **kwargs: object) -> None:
        raise FilterError("there is no field 'statsu'; did you mean status?", "statsu:ok", 0)

    monkeypatch.setattr(main.cli, "main", wrong)
    with pytest.raises(SystemExit) as ended:
        main.main([])
    assert ended.value.code == 2
    assert capsys.readouterr().err == ("Error: there is no field 'statsu'; did you mean status?\n  statsu:ok\n  ^\n")


@pytest.mark.parametrize("word", ["some/where.db", "traces.db", "ci.sqlite"])
def test_a_file_in_place_of_a_command_is_opened(word):
    assert main.looks_like_a_file(word)


def test_a_plain_word_is_not_taken_for_a_file():
    assert not main.looks_like_a_file("tracez")
