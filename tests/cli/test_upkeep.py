"""Looking after a file: damage is found, traces.db* becomes one file."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from collector.errors import StoreBusy, StoreError
from collector.ingest import Ingest
from collector.model import Batch
from collector.settings import Settings
from collector.store import upkeep
from tests.builders import make_part
from tracetui.cli import main


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """A file as a killed writer leaves it: rows only in the -wal."""
    source, path = tmp_path / "live.db", tmp_path / "traces.db"
    with closing(sqlite3.connect(source)) as writer:
        writer.execute("pragma journal_mode = wal")
        writer.execute("pragma wal_autocheckpoint = 0")
        writer.execute("create table t(x)")
        writer.executemany("insert into t values (?)", [(f"row {n}" * 50,) for n in range(500)])
        writer.commit()
        for ending in ("", "-wal"):
            shutil.copy(f"{source}{ending}", f"{path}{ending}")
    return path


def rows(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("select count(*) from t").fetchone()[0])


def test_folding_leaves_one_file_that_holds_everything(killed, tmp_path):
    folded = upkeep.fold(killed)
    assert folded.moved_bytes > 40_000
    alone = tmp_path / "alone.db"
    shutil.copy(killed, alone)
    assert rows(alone) == 500
    assert upkeep.problems(alone) == []


def test_folding_a_file_in_use_says_who_to_stop(killed, monkeypatch):
    monkeypatch.setattr(upkeep, "BUSY_MS", 50)
    with closing(sqlite3.connect(killed)) as reader:
        reader.execute("begin")
        reader.execute("select count(*) from t").fetchone()
        with pytest.raises(StoreBusy, match="in use by another process"):
            upkeep.fold(killed)


def test_folding_what_is_no_database_is_a_sentence(tmp_path):
    path = tmp_path / "traces.db"
    path.write_text("this is not a database, whatever its name says")
    with pytest.raises(StoreError, match="not a database"):
        upkeep.fold(path)


def test_damage_is_found(killed):
    upkeep.fold(killed)
    size = killed.stat().st_size
    with killed.open("r+b") as file:
        file.seek(size // 2 // 4096 * 4096)
        file.write(b"\xff" * 8192)
    assert upkeep.problems(killed)


@pytest.mark.parametrize(
    ("version", "buggy"),
    [
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 0), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 52, 0), False),
    ],
)
def test_the_versions_with_the_wal_reset_bug_are_known(version, buggy):
    assert upkeep.has_wal_reset_bug(version) is buggy


def test_check_says_in_json_and_in_its_exit_code_whether_the_file_is_whole(tmp_path):
    path = tmp_path / "traces.db"
    with Ingest(path, Settings(db=path)) as ingest:
        ingest.write(Batch("test", (make_part(1),)))
    ended = CliRunner().invoke(main.cli, ["check", str(path), "--fold", "--json"])
    assert ended.exit_code == 0
    assert json.loads(ended.stdout) == {"db": str(path), "ok": True, "problems": [], "folded": True}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"", "is empty"), (b"hello" * 300, "is no SQLite file"), (None, "another program's SQLite file")],
)
def test_check_does_not_call_a_file_whole_that_is_none_of_ours(
    tmp_path: Path, content: bytes | None, sentence: str
) -> None:
    path = tmp_path / "traces.db"
    if content is not None:
        path.write_bytes(content)
    else:
        with closing(sqlite3.connect(path)) as other:
            other.execute("create table x(a)")
    result = CliRunner().invoke(main.cli, ["check", "--fold", "--json", str(path)])
    told = json.loads(result.stdout)
    assert (result.exit_code, told["ok"], told["folded"]) == (1, False, False)
    assert sentence in told["problems"][0]
    assert {found.name for found in tmp_path.iterdir()} == {"traces.db"}
