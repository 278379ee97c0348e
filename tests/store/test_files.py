"""The file under our hands: private, whole, never written where nobody reads, and a sentence for what is in the way."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from base64 import b64encode
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from collector.errors import SchemaTooNew, StoreBusy, StoreError
from collector.ingest import Ingest
from collector.library import Prompt
from collector.model import Batch, Receipt
from collector.settings import Settings
from collector.store import files, migrations, open_reader, staging
from collector.store.content import hash_text
from collector.store.library import Library
from collector.store.lock import FileLock
from collector.store.migrations import SCHEMA_VERSION
from tests.builders import TRACE, make_llm, make_part, span_id
from tests.store.audit import audit, rows
from tests.store.older import take_back

posix = pytest.mark.skipif(os.name == "nt", reason="modes and signals are POSIX")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "traces.db"


def opened(path: Path) -> Ingest:
    return Ingest(path, Settings(db=path, redact="off"))


def send(ingest: Ingest, *numbers: int) -> Receipt:
    return ingest.write(Batch("test", tuple(make_llm(n) for n in numbers)))


def stored(path: Path) -> list[str]:
    with open_reader(path) as reader:
        return sorted(row.span_id for row in reader.spans(limit=1000))


def ids(*numbers: int) -> list[str]:
    return [span_id(n) for n in numbers]


def beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


# --- made private, and whole from the first moment ---


@posix
def test_the_file_and_all_beside_it_are_for_their_owner_only(path: Path) -> None:
    before = os.umask(0)
    try:
        with opened(path) as ingest:
            send(ingest, 1)
            found = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert found == dict.fromkeys(("traces.db", "traces.db-wal", "traces.db-shm", "traces.db.lock"), 0o600)


@posix
def test_a_file_that_a_link_leads_to_is_made_for_its_owner_only(path: Path, tmp_path: Path) -> None:
    there = tmp_path / "elsewhere"
    there.mkdir()
    path.symlink_to(there / "real.db")
    before = os.umask(0)
    try:
        with opened(path) as ingest:
            send(ingest, 1)
            assert stat.S_IMODE((there / "real.db").stat().st_mode) == 0o600
    finally:
        os.umask(before)
    assert stored(path) == ids(1)


KILLED_AT_ONCE = """
import os, signal, sys
from pathlib import Path
from collector.store.files import open_for_writing
connection = open_for_writing(Path(sys.argv[1]))
os.kill(os.getpid(), signal.SIGKILL)
"""


@posix
def test_a_writer_killed_right_after_creation_leaves_one_readable_file(path: Path, tmp_path: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", KILLED_AT_ONCE, str(path)], check=False)
    assert ended.returncode == -signal.SIGKILL
    alone = tmp_path / "elsewhere.db"
    shutil.copy(path, alone)
    assert stored(alone) == []
    with opened(path) as ingest:
        send(ingest, 1)
    assert stored(path) == ids(1)


def test_after_the_last_close_the_file_alone_is_everything(path: Path, tmp_path: Path) -> None:
    first, second = opened(path), opened(path)
    send(first, 1)
    send(second, 2)
    first.close()
    second.close()
    assert not beside(path, "-wal").exists()
    alone = tmp_path / "elsewhere.db"
    shutil.copy(path, alone)
    assert stored(alone) == ids(1, 2)


# --- what is refused, and how ---


def foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table theirs(x)")
        connection.commit()


def foreign_with_a_version(path: Path) -> None:
    foreign(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma user_version = 1")


def text(path: Path) -> None:
    path.write_text("a shopping list, and long enough to look like a header: " * 9)


def too_new(path: Path) -> None:
    opened(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma user_version = 99")


def torn_schema(path: Path) -> None:
    opened(path).close()
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 3000)


def a_directory(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (foreign, StoreError, "another program's SQLite file; name another with --db"),
        (foreign_with_a_version, StoreError, "another program's SQLite file; name another with --db"),
        (text, StoreError, "is it a SQLite file, and undamaged"),
        (too_new, SchemaTooNew, "has schema 99, this version writes 9: upgrade tracetui"),
        (torn_schema, StoreError, "is it a SQLite file, and undamaged"),
        (a_directory, StoreError, "cannot write"),
    ],
)
def test_a_file_that_is_not_ours_to_write_is_refused_in_a_sentence(
    path: Path, make: Any, error: type[StoreError], says: str
) -> None:
    make(path)
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(error, match=says) as caught:
        opened(path)
    assert str(path) in str(caught.value)
    assert (path.read_bytes() if path.is_file() else b"") == before


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"there is no directory .*nowhere"):
        opened(tmp_path / "nowhere" / "traces.db")


def test_damage_met_while_writing_is_a_sentence(path: Path) -> None:
    with opened(path) as ingest:
        send(ingest, 1)
    page = rows(path, "select rootpage from sqlite_master where name = 'spans_key'")[0]["rootpage"]
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)
    ingest = opened(path)
    try:
        with pytest.raises(StoreError, match=r"cannot write .*(malformed|damaged)"):
            send(ingest, 300)
    finally:
        ingest._writer.close()


# --- migrations ---


def columns(connection: sqlite3.Connection) -> list[str]:
    return [row[1] for row in connection.execute("pragma table_info(scores)")]


def add_first(database: Any) -> None:
    database["scores"].add_column("first", str)


def add_second(database: Any) -> None:
    assert "first" in database["scores"].columns_dict
    database["scores"].add_column("second", str)


def fail(database: Any) -> None:
    database["scores"].add_column("third", str)
    raise ZeroDivisionError("a step went wrong")


def commit(database: Any) -> None:
    database.conn.execute("commit")


@pytest.fixture
def version_1(path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file as the first version made it."""
    with monkeypatch.context() as then:
        then.setattr(files, "SCRIPTS", ("schema.sql", "views.sql"))
        then.setattr(files, "SCHEMA_VERSION", 1)
        opened(path).close()
    return path


def connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False)


def test_steps_are_applied_once_and_in_order(version_1: Path) -> None:
    with closing(connect(version_1)) as connection:
        assert migrations.migrate(connection, (add_first,)) == 2
        assert migrations.migrate(connection, (add_first, add_second)) == 3
        assert migrations.migrate(connection, (add_first, add_second)) == 3
        assert columns(connection)[-2:] == ["first", "second"]
        assert connection.execute("pragma user_version").fetchone() == (3,)


@pytest.mark.parametrize("last", [fail, commit])
def test_a_step_that_fails_rolls_all_back(version_1: Path, last: Any) -> None:
    with closing(connect(version_1)) as connection:
        before = columns(connection)
        with pytest.raises((ZeroDivisionError, RuntimeError)):
            migrations.migrate(connection, (add_first, last))
        assert not connection.in_transaction
        assert connection.execute("pragma user_version").fetchone() == (1,)
        if last is fail:
            assert columns(connection) == before


def test_of_two_that_open_at_once_one_migrates_and_the_other_finds_it_done(version_1: Path) -> None:
    ran: list[int] = []
    meet = threading.Barrier(2)

    def step(database: Any) -> None:
        ran.append(1)
        database["scores"].add_column("first", str)

    def run() -> None:
        with closing(connect(version_1)) as connection:
            connection.execute("pragma busy_timeout = 5000")
            assert connection.execute("pragma user_version").fetchone() == (1,)
            meet.wait(5)
            versions.append(migrations.migrate(connection, (step,)))

    versions: list[int] = []
    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert (versions, ran) == ([2, 2], [1])


def test_an_older_file_is_migrated_when_it_is_opened(version_1: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def migrate(connection: sqlite3.Connection) -> int:
        return migrations.migrate(connection, (*migrations.STEPS, add_first))

    monkeypatch.setattr(files, "SCHEMA_VERSION", SCHEMA_VERSION + 1)
    monkeypatch.setattr(files, "migrate", migrate)
    with opened(version_1) as ingest:
        send(ingest, 1)
    assert rows(version_1, "pragma user_version") == [{"user_version": SCHEMA_VERSION + 1}]
    assert stored(version_1) == ids(1)


def test_a_file_of_the_first_version_gets_a_library_and_keeps_its_spans(path: Path) -> None:
    with opened(path) as ingest:
        send(ingest, 1)
    as_version(path, 1)
    with open_reader(path) as reader:
        assert reader.state.note is None
        assert (Library(reader).datasets(), Library(reader).prompt("greeting")) == ([], None)
    with opened(path) as ingest:
        ingest.write(Batch("test", library=(Prompt("p1", "greeting", "Hello"),)))
    with open_reader(path) as reader:
        found = Library(reader).prompt("greeting")
        assert found is not None
        assert (found.body, found.version, reader.state.schema_version) == ("Hello", 1, SCHEMA_VERSION)
    assert stored(path) == ids(1)
    fresh = path.with_name("fresh.db")
    opened(fresh).close()
    tables = "select name, sql from sqlite_master where name not like 'sqlite_%' order by name"
    assert rows(path, tables) == rows(fresh, tables)


def test_files_within_texts_of_an_older_version_stay_texts(path: Path) -> None:
    picture = f"data:image/png;base64,{b64encode(bytes(range(256)) * 8).decode()}"
    with opened(path) as ingest:
        ingest.write(Batch("test", (make_part(1, attributes={"a": "a text of the old file, " * 9, "n": 1}),)))
    as_version(path, 2)
    with closing(connect(path)) as connection:  # as it was stored then
        connection.execute("insert into texts(hash, text) values (?, ?)", (hash_text(picture), picture))
    with open_reader(path) as reader:
        assert [part.attributes["n"] for part in reader.parts()] == [1]
    with opened(path) as ingest:
        ingest.write(Batch("test", (make_part(2, attributes={"picture": picture}),)))
    with open_reader(path) as reader:
        assert [part.attributes.get("picture") for part in reader.parts()] == [None, picture]


def as_version(path: Path, version: int) -> None:
    with closing(connect(path)) as connection:
        take_back(connection, version)


# --- network file systems ---


def test_on_a_network_file_system_there_is_no_wal_and_all_works(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "on_network", lambda path: True)
    with opened(path) as ingest, opened(path) as other:
        send(ingest, 1, 2)
        send(other, 3)
        ingest.chores()
        assert not beside(path, "-wal").exists()
        assert rows(path, "pragma journal_mode") == [{"journal_mode": "delete"}]
        assert stored(path) == ids(1, 2, 3)
    audit(path)


# --- the file goes away under us ---


def delete_all(path: Path) -> None:
    for file in path.parent.glob("traces.db*"):
        file.unlink()


def delete_alone(path: Path) -> None:
    path.unlink()


def move_away(path: Path) -> None:
    path.rename(path.with_name("old.db"))


def replace_by_another(path: Path) -> None:
    delete_all(path)
    with opened(path.with_name("other.db")) as ingest:
        send(ingest, 8)
    os.replace(path.with_name("other.db"), path)


@posix
@pytest.mark.parametrize("happens", [delete_all, delete_alone, move_away, replace_by_another])
def test_what_is_written_after_the_file_went_away_is_in_the_file_that_is_there(path: Path, happens: Any) -> None:
    with opened(path) as ingest:
        send(ingest, 1)
        happens(path)
        send(ingest, 1, 2)  # its texts are not in the new file, though the writer has seen them
        assert stored(path) == ids(1, 2, *((8,) if happens is replace_by_another else ()))
        with open_reader(path) as reader:
            assert reader.span(TRACE, span_id(2)).row.name == "span 2"
    audit(path)
    assert stored(path)[:2] == ids(1, 2)


@posix
def test_two_writers_of_a_deleted_file_meet_again_in_the_new_one(path: Path) -> None:
    with opened(path) as one, opened(path) as other:
        send(one, 1)
        send(other, 2)
        delete_alone(path)
        for n in range(3, 20, 2):
            send(one, n)
            send(other, n + 1)
        assert stored(path) == ids(*range(3, 21))
    audit(path)


@posix
def test_a_deleted_directory_is_a_sentence_and_a_new_one_is_written_to(tmp_path: Path) -> None:
    path = tmp_path / "project" / "traces.db"
    path.parent.mkdir()
    with opened(path) as ingest:
        send(ingest, 1)
        shutil.rmtree(path.parent)
        with pytest.raises(StoreError, match=r"cannot write .*there is no directory"):
            send(ingest, 2)
        path.parent.mkdir()
        send(ingest, 2)
        assert stored(path) == ids(2)


@posix
def test_a_deleted_lock_file_is_locked_anew(path: Path) -> None:
    lock, other = FileLock(path, wait_s=0.05), FileLock(path, wait_s=0.05)
    with lock:
        pass
    path.unlink()
    with other, pytest.raises(StoreBusy):
        lock.__enter__()
    with lock, pytest.raises(StoreBusy):
        other.__enter__()
    lock.close()
    other.close()


# --- other programs ---


def test_a_file_locked_for_too_long_is_busy_and_nothing_is_lost_or_doubled(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "BUSY_MS", 50)
    with opened(path) as ingest, closing(connect(path)) as other:
        send(ingest, 1)
        other.execute("begin immediate")
        for _ in range(2):
            with pytest.raises(StoreBusy, match="locked by another program"):
                send(ingest, 2, 3)
        other.execute("commit")
        assert send(ingest, 4).stored == 1
        assert stored(path) == ids(1, 4)  # the refused batch did not come along with the next one
        assert send(ingest, 2, 3).stored == 2
        assert stored(path) == ids(1, 2, 3, 4)
    audit(path)
    assert rows(path, "select sum(n) n from ledger where outcome = 'received'") == [{"n": 4}]


def test_a_held_lock_file_is_busy_and_says_so(path: Path) -> None:
    with opened(path) as ingest:
        ingest._writer._lock.wait_s = 0.05
        other = FileLock(files.lock_path(path))
        with other, pytest.raises(StoreBusy, match="held by another process"):
            send(ingest, 1)
        other.close()
        assert send(ingest, 1).stored == 1


def test_a_commit_of_another_program_in_between_is_noticed_and_counted_with(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, bumps = staging.commit, 3

    def commit_late(connection: sqlite3.Connection, was: int, seq: int, spans: int) -> None:
        nonlocal bumps
        if bumps:
            bumps -= 1
            with closing(connect(path)) as other:
                other.execute("update counters set seq = seq + 1")
        real(connection, was, seq, spans)

    with opened(path) as ingest:
        send(ingest, 1)
        monkeypatch.setattr(staging, "commit", commit_late)
        assert send(ingest, 1, 2, 3).stored == 2
    assert bumps == 0
    audit(path)
    found = [row["seq"] for row in rows(path, "select seq from spans order by id")]
    assert found == sorted(set(found))
    assert rows(path, "select seq from counters")[0]["seq"] >= found[-1]


def test_another_program_that_never_stops_writing_makes_it_busy(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def commit_late(connection: sqlite3.Connection, was: int, seq: int, spans: int) -> None:
        raise sqlite3.IntegrityError(staging.STALE)

    with opened(path) as ingest:
        with monkeypatch.context() as patch:
            patch.setattr(staging, "commit", commit_late)
            with pytest.raises(StoreBusy, match="all the time"):
                send(ingest, 1)
        assert send(ingest, 2).stored == 1
        assert stored(path) == ids(2)


def test_opening_a_file_that_is_locked_is_busy_too(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "BUSY_MS", 50)
    with closing(connect(path)) as other:
        other.execute("begin exclusive")
        with pytest.raises(StoreBusy, match="locked by another program"):
            opened(path)


# --- a full disk ---

FULL = """
import resource, sys
from pathlib import Path
from collector.errors import StoreError
from collector.ingest import Ingest
from collector.model import Batch
from collector.settings import Settings
from tests.builders import make_part
path = Path(sys.argv[1])
ingest = Ingest(path, Settings(db=path, redact="off"))
ingest.write(Batch("test", (make_part(1),)))
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, hard))
n, said = 2, None
while said is None:
    try:
        ingest.write(Batch("test", tuple(make_part(m, attributes={"a": f"{m} " * 4000}) for m in range(n, n + 10))))
        n += 10
    except StoreError as error:
        said = error
print(n - 1)
print(said)
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
ingest.write(Batch("test", (make_part(5000),)))
ingest.close()
"""


@posix
def test_a_full_disk_is_a_sentence_and_costs_nothing_that_was_acknowledged(path: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    last, said = ended.stdout.splitlines()
    assert said.startswith(f"cannot write {path}: ")
    assert said.endswith("is the disk full?")
    assert stored(path) == sorted(ids(*range(1, int(last) + 1), 5000))
    assert rows(path, "pragma integrity_check") == [{"integrity_check": "ok"}]
    audit(path)


# --- one bad span ---


def test_a_span_that_no_file_can_hold_costs_only_itself(path: Path) -> None:
    good = [make_part(n) for n in range(1, 9)]
    huge = make_part(20, start_ns=2**63, end_ns=2**63 + 5)
    with opened(path) as ingest:
        receipt = ingest.write(Batch("test", (*good[:5], huge, *good[5:])))
        assert (receipt.received, receipt.stored, receipt.rejected) == (9, 8, 1)
        assert receipt.reasons == ("cannot be stored (OverflowError)",)
    assert stored(path) == ids(*range(1, 9))
    audit(path)
    refused = rows(path, "select n, reason, sample from ledger where outcome = 'rejected'")
    assert [(row["n"], span_id(20) in row["sample"]) for row in refused] == [(1, True)]
    assert rows(path, "select sum(n) n from ledger where outcome = 'received'") == [{"n": 9}]
