"""Whatever state a file is in: what can be read is shown, what cannot be is said."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from collector.errors import NotFound, StoreError
from collector.ingest import Ingest
from collector.model import Batch
from collector.settings import Settings
from collector.store import open_reader, upkeep
from collector.store.migrations import SCHEMA_VERSION
from collector.store.rows import Page
from tests.builders import conversation, make_llm, make_part, trace_id, user
from tests.store_read.files import flip, make_trace, write

posix = pytest.mark.skipif(os.name == "nt", reason="modes and users are POSIX")
PAGE = 4096


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of 400 traces with content, about 200 pages."""
    said = [
        make_llm(1, trace=trace_id(n), reading={"input": conversation(user(f"question {n} " + f"words {n} " * 60))})
        for n in range(1, 401)
    ]
    return write(tmp_path_factory.mktemp("whole") / "traces.db", *said)


@pytest.fixture
def path(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copyfile(whole, tmp_path / "traces.db"))


def cli(path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tracetui", "traces", "--db", str(path)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def refused(path: Path) -> str:
    """The sentence of a file that cannot be opened, the same from the command."""
    with pytest.raises((StoreError, NotFound)) as caught, open_reader(path):
        pass
    ran = cli(path)
    assert ran.returncode == 1
    assert "Traceback" not in ran.stderr
    assert str(caught.value) in ran.stderr.replace("\n", " ")
    assert ran.stdout == ""
    return str(caught.value)


def numbers(path: Path) -> set[int]:
    """The traces that can be read."""
    with open_reader(path) as reader:
        return {int(row.trace_id, 16) for row in reader.traces(limit=1000)}


def note(path: Path) -> str | None:
    with open_reader(path) as reader:
        return reader.state.note


def test_a_whole_file_has_no_note(path: Path) -> None:
    with open_reader(path) as reader:
        state = reader.state
    assert (state.note, state.missing, state.schema_version, state.path) == (None, (), SCHEMA_VERSION, str(path))
    assert len(numbers(path)) == 400


@pytest.mark.parametrize("name", ["nowhere.db", "no/directory.db"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotFound, match=r"there is no file .*db; name another with --db"), open_reader(tmp_path / name):
        pass
    ran = cli(tmp_path / name)
    assert ran.returncode == 1
    assert "there is no file" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_an_empty_file_never_had_anything(tmp_path: Path) -> None:
    (tmp_path / "t.db").touch()
    assert "is empty: nothing was ever written" in refused(tmp_path / "t.db")


def test_an_empty_database_never_had_anything(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "t.db")) as connection:
        connection.execute("pragma page_size = 4096")
        connection.execute("vacuum")
    assert "empty database" in refused(tmp_path / "t.db")


def test_a_file_with_nothing_traced_yet_is_empty_and_fine(tmp_path: Path) -> None:
    path = write(tmp_path / "t.db")
    assert numbers(path) == set()
    assert note(path) is None


def test_readers_of_one_process_see_what_one_writer_after_the_other_writes(tmp_path: Path) -> None:
    """Each writer is a process of its own and closes the file; the first must not take the -wal away from us."""
    path = tmp_path / "t.db"
    write = "import sys; from tests.store_read.test_opening import write_one; write_one(*sys.argv[1:])"
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", write, str(path), "1"], cwd=root, check=True)
    with ExitStack() as stack:
        readers = [stack.enter_context(open_reader(path)) for _ in range(3)]
        for number in (2, 3, 4):
            subprocess.run([sys.executable, "-c", write, str(path), str(number)], cwd=root, check=True)
            assert [len(reader.traces()) for reader in readers] == [number] * 3


def write_one(path: str, number: str) -> None:
    part = make_part(int(number), trace=trace_id(int(number)))
    with Ingest(Path(path), Settings(db=Path(path))) as ingest:
        ingest.write(Batch("test", (part,)))


@pytest.mark.parametrize("content", [b"{}", b"\x00" * 5000, b"SQLite format 2\x00" * 300, "héllo".encode(), b"S"])
def test_what_is_no_sqlite_file_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "t.db").write_bytes(content)
    assert "is no SQLite file" in refused(tmp_path / "t.db")


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="what is open is told on Linux")
def test_what_is_refused_is_let_go_of(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    path.write_bytes(b"\x00" * 5000)
    with pytest.raises(StoreError) as caught, open_reader(path):
        pass
    held = [os.readlink(one) for one in Path("/proc/self/fd").iterdir() if one.is_symlink()]
    assert str(path) not in held, caught.value  # the error, and with it all that it knew, is still here


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="Is a directory"), open_reader(tmp_path):
        pass


def test_another_programs_file_is_said_to_be_another_programs(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "t.db")) as connection, connection:
        connection.execute("create table traces(id integer primary key, trace_id text)")
    assert "another program's SQLite file" in refused(tmp_path / "t.db")


def test_a_newer_file_is_read_as_far_as_it_is_known(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("alter table traces add column mood text")
        connection.execute("pragma user_version = 99")
    assert len(numbers(path)) == 400
    assert "has schema 99" in (note(path) or "")
    assert "upgrade tracetui" in (note(path) or "")


def test_a_newer_file_that_is_built_otherwise_is_a_sentence(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("alter table traces rename to runs")
        connection.execute("pragma user_version = 99")
    with open_reader(path) as reader, pytest.raises(StoreError, match=r"cannot read .*upgrade tracetui"):
        reader.traces()
    ran = cli(path)
    assert ran.returncode == 1
    assert "Traceback" not in ran.stderr
    assert "upgrade tracetui" in ran.stderr


# --- damaged and torn ---


def ask_everything(path: Path) -> tuple[set[int], list[str]]:
    """(the traces that came, the sentences of what did not): nothing but StoreError may be raised."""
    found: set[int] = set()
    said: list[str] = []
    with open_reader(path) as reader:
        rows = []
        try:
            rows = reader.traces(limit=1000)
        except StoreError as error:
            said.append(str(error))
        found = {int(row.trace_id, 16) for row in rows}
        asks: list[Callable[[], object]] = [
            reader.sessions, reader.spans, reader.totals, reader.ledger, lambda: reader.search("question"),
            lambda: list(reader.parts()), *(lambda row=row: reader.span(row.trace_id, "0" * 15 + "1") for row in rows),
        ]  # fmt: skip
        for ask in asks:
            try:
                ask()
            except (StoreError, NotFound) as error:
                said.append(str(error))
    return found, said


@pytest.mark.parametrize("at", [16, 24, 40, 56, 60, 100, 110])
def test_a_damaged_header_is_a_sentence_and_no_traceback(path: Path, at: int) -> None:
    flip(path, at, 4)
    try:
        ask_everything(path)
    except StoreError as error:
        assert str(path) in str(error)  # noqa: PT017 - some headers still open
    ran = cli(path)
    assert ran.returncode in (0, 1)
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("page", [2, 3, 5, 8, 13, 21, 34, 55, 89, 144])
def test_a_damaged_page_costs_what_was_on_it(path: Path, page: int) -> None:
    flip(path, page * PAGE, 200)
    try:
        found, said = ask_everything(path)
    except StoreError as error:
        said, found = [str(error)], set()
    assert all(str(path) in sentence or "has no" in sentence for sentence in said)
    assert found or said


def test_most_of_a_file_with_damaged_content_is_shown(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        root = connection.execute("select rootpage from sqlite_master where name = 'texts'").fetchone()[0]
    flip(path, (root - 1) * PAGE, 200)
    found, _ = ask_everything(path)
    assert len(found) == 400
    assert "texts cannot be read in full; the rest is shown" in (note(path) or "")
    ran = cli(path)
    assert ran.returncode == 0
    assert "texts cannot be read in full" in ran.stderr
    assert "span 1" in ran.stdout


def test_a_text_that_is_none_costs_itself(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("update texts set text = cast(x'ff00ff' as text) where text like 'question 7 %'")
        connection.commit()
    found, said = ask_everything(path)
    assert len(found) == 400
    assert not [one for one in said if "AttributeError" in one]
    with open_reader(path) as reader:
        assert "missing from the file" in str(reader.span(trace_id(7), "0" * 15 + "1").input)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.75, 0.99])
def test_a_torn_file_shows_what_is_there_or_says_why_not(path: Path, share: float) -> None:
    size = path.stat().st_size
    os.truncate(path, int(size * share))
    if share == 0.02:  # not even the tables' first pages
        refused(path)
        return
    found, said = ask_everything(path)
    assert found or said
    assert share < 0.99 or len(found) >= 300
    words = note(path) or ""
    assert "cut short" in words or "damaged" in words
    assert "Traceback" not in cli(path).stderr


@pytest.mark.parametrize("table", ["traces_start", "spans_start"])
def test_a_list_whose_index_is_damaged_is_read_past_it(path: Path, table: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        root = connection.execute("select rootpage from sqlite_master where name = ?", [table]).fetchone()[0]
    flip(path, (root - 1) * PAGE, 200)
    with open_reader(path) as reader:
        newest = reader.traces(limit=3) if table == "traces_start" else reader.spans(limit=3)
        assert [int(row.trace_id, 16) for row in newest] == [400, 399, 398]
        page = Page(newest[-1].start_ns, newest[-1].trace_id)
        if table == "traces_start":
            assert [int(row.trace_id, 16) for row in reader.traces(limit=2, after=page)] == [397, 396]
            assert [int(row.trace_id, 16) for row in reader.traces(limit=2, before=page)] == [400, 399]
            assert [int(row.trace_id, 16) for row in reader.traces(limit=2, sort="start")] == [1, 2]
        assert "what can be read of it is shown" in (reader.state.note or "")
        assert len(list(reader.parts())) == 400
    ran = cli(path)
    assert (ran.returncode, len(ran.stdout.splitlines())) == (0, 101)
    assert table == "spans_start" or "what can be read of it is shown" in ran.stderr


def test_damaged_content_costs_an_export_the_spans_it_was_of(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        try:
            pages = connection.execute(
                "select pageno from dbstat where name = 'bodies' and pagetype = 'leaf'"
            ).fetchall()
        except sqlite3.OperationalError:
            pytest.skip("this SQLite cannot say where a table lies")
    flip(path, (pages[len(pages) // 2][0] - 1) * PAGE, 200)
    with open_reader(path) as reader:
        parts = list(reader.parts())
        assert 300 < len({part.trace_id for part in parts}) == len(parts) < 400
        assert "what can be read of it is shown" in (reader.state.note or "")


def test_a_file_without_its_wal_shows_what_had_been_folded_in(path: Path) -> None:
    with closing(sqlite3.connect(path)) as keep:  # an open reader keeps the -wal from being folded in
        keep.execute("select count(*) from traces").fetchall()
        with Ingest(path, Settings(db=path, redact="off")) as ingest:
            ingest.write(Batch("test", (make_trace(1000),)))
            alone = Path(shutil.copyfile(path, path.with_name("alone.db")))
    assert 1000 in numbers(path)
    assert numbers(alone) == set(range(1, 401))


# --- where nothing may be written ---


@pytest.fixture
def killed(path: Path) -> Path:
    """A file whose writer was killed: trace 1000 is in the -wal alone."""
    script = """
import os, signal, sys
from pathlib import Path
from collector.ingest import Ingest
from collector.model import Batch
from collector.settings import Settings
from tests.store_read.files import make_trace
path = Path(sys.argv[1])
ingest = Ingest(path, Settings(db=path, redact="off"))
ingest.write(Batch("test", (make_trace(1000),)))
os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", script, str(path)], check=False, cwd=Path(__file__).parents[2])
    assert path.with_name("traces.db-wal").stat().st_size > 0
    return path


@posix
def test_what_a_killed_writer_left_is_read_with_its_wal(killed: Path) -> None:
    assert numbers(killed) == {*range(1, 401), 1000}
    assert note(killed) is None


def read_only(path: Path) -> bool:
    return False


def test_a_directory_that_cannot_be_written_is_read_as_it_is(path: Path) -> None:
    before = sorted(path.parent.iterdir())
    with open_reader(path, writable=read_only) as reader:
        assert len(reader.traces(limit=1000)) == 400
        assert reader.state.note is None
        assert sorted(path.parent.iterdir()) == before


@posix
def test_with_a_wal_a_copy_is_read_and_said_to_be_one(killed: Path) -> None:
    before = {file.name: file.read_bytes() for file in killed.parent.iterdir()}
    with open_reader(killed, writable=read_only) as reader:
        assert len(reader.traces(limit=1000)) == 401
        assert "reading a copy of traces.db and its -wal" in (reader.state.note or "")
        assert reader.state.path == str(killed)
    assert {file.name: file.read_bytes() for file in killed.parent.iterdir()} == before


AS_NOBODY = """
import os, sys
from collector.errors import TracetuiError
from collector.store.opening import open_reader
os.setgroups([]); os.setgid(65534); os.setuid(65534)  # after the imports: Python itself may be root's alone
try:
    with open_reader(sys.argv[1]) as reader:
        print(len(reader.traces(limit=1000)), reader.state.writable, reader.state.note)
except TracetuiError as error:
    print("refused:", error)
"""


@pytest.fixture
def shared() -> Iterator[Path]:
    """A directory that another user may enter (tmp_path is private)."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def as_nobody(path: Path) -> str:
    ran = subprocess.run([sys.executable, "-c", AS_NOBODY, str(path)], capture_output=True, text=True, check=False,
                         cwd=Path(__file__).parents[2])  # fmt: skip
    assert ran.stderr == ""
    return ran.stdout.strip()


root = pytest.mark.skipif(os.name == "nt" or os.getuid() != 0, reason="only root can become another user")


@root
def test_a_file_of_another_user_in_a_directory_of_another_user_can_be_read(whole: Path, shared: Path) -> None:
    path = Path(shutil.copyfile(whole, shared / "traces.db"))
    path.chmod(0o644)
    assert as_nobody(path) == "400 False None"
    assert [file.name for file in shared.iterdir()] == ["traces.db"]


@root
def test_with_a_wal_another_user_reads_a_copy(killed: Path, shared: Path) -> None:
    for file in killed.parent.iterdir():
        shutil.copyfile(file, shared / file.name).chmod(0o644)
    said = as_nobody(shared / "traces.db")
    assert said.startswith("401 False")
    assert "reading a copy" in said


@root
@pytest.mark.parametrize("with_wal", [False, True])
def test_a_file_that_may_only_be_read_in_a_directory_that_may_be_written(
    killed: Path, whole: Path, shared: Path, with_wal: bool
) -> None:
    if with_wal:
        shutil.copyfile(killed.with_name("traces.db-wal"), shared / "traces.db-wal").chmod(0o644)
    shutil.copyfile(killed if with_wal else whole, shared / "traces.db").chmod(0o644)
    shared.chmod(0o777)
    assert as_nobody(shared / "traces.db").startswith("401 False" if with_wal else "400 False")


@root
def test_a_file_that_may_not_be_read_is_a_sentence(whole: Path, shared: Path) -> None:
    path = Path(shutil.copyfile(whole, shared / "traces.db"))
    path.chmod(0o600)
    assert as_nobody(path) == f"refused: cannot read {path}: Permission denied"


# --- a reader holds nothing ---


def test_a_reader_that_idles_leaves_the_wal_to_be_emptied(path: Path) -> None:
    with open_reader(path) as reader:
        asks: list[Callable[[], object]] = [
            reader.traces, reader.spans, reader.sessions, reader.totals, reader.seq, reader.data_version, reader.ledger,
            reader.processes, lambda: reader.span(trace_id(1), "0" * 15 + "1"), lambda: reader.tree_spans(trace_id(1)),
            lambda: reader.search("question"), lambda: next(reader.parts()), lambda: reader.changes_since(0),
        ]  # fmt: skip
        for ask in asks:
            ask()
            assert not reader._connection.in_transaction
            write(path, make_part(7, trace=trace_id(7)))
            with closing(sqlite3.connect(path)) as other:
                assert other.execute("pragma wal_checkpoint(truncate)").fetchone()[0] == 0, "a reader is in the way"


def test_a_reader_cannot_write(path: Path) -> None:
    with open_reader(path) as reader, pytest.raises(sqlite3.OperationalError):
        reader._connection.execute("delete from spans")


def beside(path: Path) -> set[str]:
    return {found.name for found in path.parent.iterdir()}


def test_a_directory_is_left_as_it_was_found(path: Path) -> None:
    asked = path.stat()
    with open_reader(path) as reader, open_reader(path) as second:
        assert len(reader.traces()) == len(second.traces()) == 100
    upkeep.facts(path)
    assert upkeep.problems(path) == []
    assert cli(path).returncode == 0
    assert beside(path) == {"traces.db"}
    assert (path.stat().st_mtime_ns, path.stat().st_size) == (asked.st_mtime_ns, asked.st_size)


def test_a_wal_with_something_in_it_stays(killed: Path) -> None:
    before = {name: (killed.parent / name).read_bytes() for name in ("traces.db", "traces.db-wal")}
    numbers(killed)
    upkeep.problems(killed)
    assert {name: (killed.parent / name).read_bytes() for name in before} == before


def test_a_reader_that_closes_takes_nothing_from_a_writer_that_goes_on(path: Path) -> None:
    with Ingest(path, Settings(db=path, redact="off")) as ingest:
        ingest.flush()
        numbers(path)
        ingest.write(Batch("test", (make_part(1, trace=trace_id(500)),)))
        assert 500 in numbers(path)
    assert beside(path) == {"traces.db", "traces.db.lock"}


def test_the_last_to_close_tidies_up_reader_or_writer(path: Path) -> None:
    with open_reader(path) as reader:
        write(path, make_part(1, trace=trace_id(500)))
        assert len(reader.traces(limit=1000)) == 401
    assert beside(path) == {"traces.db", "traces.db.lock"}


def test_a_check_of_a_file_in_a_directory_that_cannot_be_written_is_a_check(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "writable_directory", read_only)
    assert upkeep.problems(path) == []
    assert upkeep.facts(path).schema_version == SCHEMA_VERSION
    assert beside(path) == {"traces.db"}


def test_closing_leaves_nothing_behind(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    with open_reader(path):
        pass
    with pytest.raises(StoreError), open_reader(Path(shutil.copyfile(__file__, tmp_path / "py.db"))):
        pass
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("name", ["with space.db", "100%.db", "q?mark#.db", "ünï.db", "a&mode=memory.db"])
def test_a_file_may_have_any_name(path: Path, name: str) -> None:
    odd = path.rename(path.with_name(name))
    assert len(numbers(odd)) == 400
    with open_reader(odd, writable=read_only) as reader:
        assert len(reader.traces(limit=1000)) == 400
