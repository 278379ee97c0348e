"""`tracetui costs` on a real file."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from collector.model import Reading, Score
from tests.builders import make_llm, make_part, trace_id
from tests.store_read.files import write
from tests.tui.hostile import HOSTILE
from tracetui.cli import main


@pytest.fixture
def db(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One trace: two calls of known models, one of an unknown one, by a user with a hostile name."""
    monkeypatch.chdir(tmp_path)
    root = Reading(kind="agent", user_id=HOSTILE[3], session_id="=1+1", metadata={"vram_gb": 24})
    return write(
        tmp_path / "traces.db",
        make_part(1, trace=trace_id(1), reading=root),
        make_llm(2, trace=trace_id(1), parent=1, model="gpt-4o", tokens=(1000, 100)),
        make_llm(3, trace=trace_id(1), parent=1),
        make_llm(4, trace=trace_id(1), parent=1, model="my-own-7b"),
        scores=[Score("a", "quality", 1, trace_id=trace_id(1), value=0.5)],
    )


def run(*args: object, code: int = 0) -> Result:
    result = CliRunner().invoke(main.cli, ["costs", *map(str, args)])
    assert result.exit_code == code, f"{result.output}\n{result.exception!r}"
    return result


def test_costs_print_columns_dearest_first_and_a_total(db):
    lines = run().stdout.splitlines()
    assert lines[0].split()[:3] == ["MODEL", "CALLS", "TOKENS"]
    assert [line.split()[0] for line in lines[1:]] == ["gpt-4o", "gpt-4o-mini", "(no", "my-own-7b", "total"]
    assert "+1 unpriced" in lines[-1]
    for by in ("meta.tier", "tag:team", "day"):
        assert run("--by", by).stdout.split()[:2] == [by.upper(), "CALLS"]


def test_tokens_are_told_by_type(db):
    head = run("--show", "tokens").stdout.splitlines()[0].split()
    assert head[-2:] == ["IN", "OUT"]  # no others in this file


def test_costs_print_as_json(db):
    listed = json.loads(run("--by", "model,user", "--show", "split,score.*,meta.vram_gb", "--json").stdout)
    first = listed[0]
    assert first["by"] == {"model": "gpt-4o", "user": HOSTILE[3]}
    assert first["cost_usd"] == 0.0035
    assert sum(first["cost_split_usd"].values()) == pytest.approx(0.0035)
    assert (first["trace_count"], first["calls"], first["unpriced_calls"]) == (1, 1, 0)
    assert first["scores"] == {"quality": {"mean": 0.5, "deviation": None, "count": 1}}
    assert first["metadata"]["vram_gb"]["mean"] == 24
    unpriced = next(row for row in listed if row["by"]["model"] == "my-own-7b")
    assert (unpriced["cost_usd"], unpriced["unpriced_calls"]) == (None, 1)


def test_costs_of_a_day_say_when_it_is(db):
    (day,) = json.loads(run("--by", "day", "--tz", "Asia/Kolkata", "--json").stdout)
    assert day["start"].endswith("T18:30:00.000000Z")


def test_costs_print_as_csv_that_no_spreadsheet_runs(db):
    rows = list(csv.DictReader(io.StringIO(run("--by", "session,model", "--csv").stdout)))
    assert {row["session"] for row in rows} == {"'=1+1"}
    assert next(row for row in rows if row["model"] == "gpt-4o")["cost_usd"] == "0.0035"


def test_costs_take_filters_limits_and_sorts(db):
    assert [row["by"]["model"] for row in json.loads(run("model:gpt-4o*", "--sort", "cost", "--json").stdout)] == [
        "gpt-4o-mini", "gpt-4o"]  # fmt: skip
    result = run("--limit", 1)
    assert len(result.stdout.splitlines()) == 3
    assert "3 more rows" in result.stderr
    assert json.loads(run("--by", "", "--json").stdout)[0]["calls"] == 3
    assert run("user:nobody").stderr == "tracetui: nothing to add up: no spans match\n"


@pytest.mark.parametrize("by", ["model", "user,day", "tag:env", "meta.vram_gb"])
def test_the_sql_of_costs_can_be_shown_and_run(db, by):
    shown = run("kind:llm since:2020-01-01", "--by", by, "--show-sql").stdout
    with closing(sqlite3.connect(db)) as plain:
        assert plain.execute(shown).fetchall()


def test_nothing_that_is_grouped_by_reaches_the_terminal_as_an_order(db):
    assert "\x1b" not in run("--by", "user,session").stdout


@pytest.mark.parametrize("args", [["--by", "modle"], ["--sort", "beauty"], ["--tz", "Middle/Earth"], ["--show", "x"]])
def test_what_costs_cannot_do_ends_with_2(db, args, capsys):
    with pytest.raises(SystemExit) as ended:
        main.main(["costs", *args])
    assert ended.value.code == 2
    assert capsys.readouterr().out == ""
