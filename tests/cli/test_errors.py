"""`tracetui errors`, and the SQL behind what searches and exports."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.builders import trace_id
from tests.store_read.files import make_trace, write
from tests.tui.hostile import HOSTILE
from tracetui.cli import main


@pytest.fixture
def db(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    timeouts = [
        make_trace(n, name="agent", status="error", status_message=f"no answer in {n} s", error_type="TimeoutError")
        for n in (1, 2)
    ]
    odd = make_trace(3, name=HOSTILE[3], status="error", status_message=HOSTILE[3] + " refused", user_id="u3")
    return write(tmp_path / "traces.db", *timeouts, odd, make_trace(4, name="agent"))


def run(*args: object) -> Result:
    result = CliRunner().invoke(main.cli, [str(arg) for arg in args])
    assert result.exit_code == 0, f"{result.output}\n{result.exception!r}"
    return result


def test_errors_are_listed_the_most_frequent_first(db: Path) -> None:
    head, first, second = run("errors", "--db", db).stdout.splitlines()
    assert head.split()[:4] == ["COUNT", "TRACES", "TYPE", "MESSAGE"]
    assert first.split()[:3] == ["2", "2", "TimeoutError"]
    assert "no answer in ‹n› s" in first
    assert "\x1b" not in second
    newest = run("errors", "--sort", "-last", "--db", db).stdout.splitlines()
    assert "refused" in newest[1]
    result = CliRunner().invoke(main.cli, ["errors", "--sort", "beauty", "--db", str(db)])
    assert "it is one of count, type" in str(result.exception)
    assert "refused" in second


def test_errors_as_json_name_a_filter_and_the_nearest_success(db: Path) -> None:
    first, second = json.loads(run("errors", "--db", db, "--json", "--near").stdout)
    assert (first["error_type"], first["fingerprint"], first["count"]) == ("TimeoutError", "no answer in ‹n› s", 2)
    assert (first["succeeded_trace_id"], second["succeeded_trace_id"]) == (trace_id(4), None)
    assert second["users"] == {"u3": 1}
    found = json.loads(run("traces", first["filter"], "--db", db, "--json").stdout)
    assert {one["trace_id"] for one in found} == {trace_id(1), trace_id(2)}


def test_errors_obey_the_filter(db: Path) -> None:
    assert len(json.loads(run("errors", "user:u3", "--db", db, "--json").stdout)) == 1
    result = run("errors", "user:nobody", "--db", db)
    assert (result.stdout, result.stderr) == ("", "tracetui: no failures match\n")


@pytest.mark.parametrize(
    "args", [["errors", "name:agent"], ["search", "answer", "name:agent"], ["export", "name:agent", "--limit", "9"]]
)
def test_show_sql_can_be_pasted_into_sqlite3(db: Path, args: list[str]) -> None:
    printed = run(*args, "--db", db, "--show-sql").stdout
    assert "-- SEARCH" in printed
    connection = sqlite3.connect(db)
    try:
        found = connection.execute(printed).fetchall()
    finally:
        connection.close()
    wanted = 3 if args[0] == "export" else 2
    assert len(found) == wanted
