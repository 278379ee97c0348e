"""Where values come from, and what is said of those that make no sense."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from collector.errors import SettingsError
from collector.settings import READERS, SETTING_NAMES, Settings, default_db, resolve


@pytest.fixture
def project(tmp_path) -> Path:
    (tmp_path / "project" / "src").mkdir(parents=True)
    return tmp_path / "project"


def found(cwd: Path, env: dict[str, str] | None = None, *, user: Path | None = None, strict: bool = True, **arguments):
    return resolve(cwd=cwd, env=env or {}, user_config=user or cwd / "no-such-file", strict=strict, **arguments)


def test_argument_beats_variable_beats_project_beats_user_beats_default(project, tmp_path):
    (project / "tracetui.toml").write_text('service = "project"\nrelease = "project"\nenvironment = "project"\n')
    user = tmp_path / "config.toml"
    user.write_text('service = "user"\nrelease = "user"\nenvironment = "user"\nproject = "user"\n')
    env = {"TRACETUI_SERVICE": "variable", "TRACETUI_RELEASE": "variable"}
    got = found(project / "src", env, user=user, service="argument", url=None)
    s = got.settings
    assert (s.service, s.release, s.environment, s.project, s.http_port) == (
        "argument", "variable", "project", "user", 4318,
    )  # fmt: skip
    assert got.origins["service"] == "argument"
    assert got.origins["release"] == "TRACETUI_RELEASE"
    assert got.origins["environment"] == str(project / "tracetui.toml")
    assert got.origins["project"] == str(user)
    assert got.origins["http_port"] == "default"
    assert got.warnings == ()


def test_pyproject_is_read_where_there_is_no_file_of_our_own(project):
    (project / "pyproject.toml").write_text('[tool.tracetui]\nhttp-port = 5000\ndb = "logs/t.db"\n')
    s = found(project / "src").settings
    assert s.http_port == 5000
    assert s.db == project / "logs/t.db"


def test_settings_are_not_looked_for_above_the_git_root(project, tmp_path):
    (tmp_path / "tracetui.toml").write_text('url = "http://elsewhere"')
    assert found(project / "src").settings.url == "http://elsewhere"
    (project / ".git").mkdir()
    assert found(project / "src").settings.url is None


def test_the_default_file_lies_at_the_nearest_project(project):
    assert default_db(project / "src", {}).parent != project
    (project / ".git").mkdir()
    assert default_db(project / "src", {}) == project / "traces.db"
    (project / "src" / "pyproject.toml").touch()
    assert default_db(project / "src", {}) == project / "src" / "traces.db"
    assert default_db(project / "src", {"TRACETUI_DB": "../x.db"}) == project / "src" / "../x.db"


def test_literal_quotes_are_taken_off_with_one_warning(project):
    got = found(project, {"TRACETUI_SERVICE": '"api"', "TRACETUI_DB": "'t.db'"})
    assert got.settings.service == "api"
    assert got.settings.db == project / "t.db"
    assert len(got.warnings) == 2
    assert "TRACETUI_SERVICE" in got.warnings[1]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"servcie": "x"}, "did you mean service?"),
        ({"redact": "pi"}, "did you mean pii?"),
        ({"http_port": 70000}, "between 0 and 65,535"),
        ({"http_port": True}, "whole number"),
        ({"http_port": "4318.5"}, "http_port"),
        ({"url": "127.0.0.1:4318"}, "must begin with http://"),
        ({"durable": "maybe"}, "say true or false"),
        ({"prices": {"m": {"inputs": 1.0}}}, "did you mean input?"),
        ({"prices": {"m": {"input": -1.0}}}, "number of dollars"),
        ({"prices": {"m": 3}}, "needs a table of prices"),
        ({"dimensions": [1]}, "list of names"),
        ({"tick_s": "nan"}, "must lie between"),
        ({"service": " "}, "give it some text"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(project, arguments, says):
    with pytest.raises(SettingsError) as caught:
        found(project, **arguments)
    assert says in str(caught.value)
    lenient = found(project, strict=False, **arguments)
    assert says in lenient.warnings[0]
    assert lenient.settings.service is None


def test_an_unknown_variable_warns_and_an_unknown_key_stops(project):
    got = found(project, {"TRACETUI_HTTP_PROT": "1"})
    assert got.warnings == ("TRACETUI_HTTP_PROT is no setting; did you mean TRACETUI_HTTP_PORT?",)
    (project / "tracetui.toml").write_text("http_prot = 1")
    with pytest.raises(SettingsError, match=r"tracetui\.toml.*did you mean http_port"):
        found(project)


def test_a_file_that_is_no_toml_is_named(project):
    (project / "tracetui.toml").write_text("service: api")
    with pytest.raises(SettingsError, match=r"tracetui\.toml could not be read"):
        found(project)


def test_switches_lists_and_prices_are_read_from_text(project):
    env = {
        "TRACETUI_DURABLE": "yes", "TRACETUI_DIMENSIONS": "team, tier", "TRACETUI_QUEUE_BYTES": "1_000_000",
        "TRACETUI_PRICES": '{"local-*": {"input": 0, "output": 0.5}}', "TRACETUI_URL": "http://host:4318/",
    }  # fmt: skip
    s = found(project, env).settings
    assert (s.durable, s.dimensions, s.queue_bytes, s.url) == (True, ("team", "tier"), 1_000_000, "http://host:4318")
    assert s.prices == {"local-*": {"input": 0.0, "output": 0.5}}


def test_dimensions_may_be_a_table(project):
    (project / "tracetui.toml").write_text('[dimensions]\nkeys = ["team"]\n')
    assert found(project).settings.dimensions == ("team",)


def test_every_setting_can_be_read_and_the_token_is_not_printed():
    assert set(READERS) == set(SETTING_NAMES)
    assert "s3cret" not in repr(Settings(token="s3cret"))


def test_reading_settings_loads_nothing_that_is_not_needed():
    code = "import sys, collector.settings\nprint({'tomllib', 'platformdirs', 'difflib', 'json'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "set()"
