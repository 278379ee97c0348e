"""Looking after a file: is it whole, make one file of traces.db*, and the facts `doctor` prints."""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from collector.errors import StoreBusy, StoreError
from collector.store.files import BUSY_MS, check_sqlite, filesystem_of, lock_path, on_network
from collector.store.lock import FileLock
from collector.store.opening import choose, writable_directory
from collector.store.tidy import as_found

# sqlite.org/wal.html, section 11: a commit can be lost when one connection resets the WAL while another
# checkpoints. Fixed in 3.51.3, and in the branches 3.50 and 3.44.
FIXED_IN_BRANCHES = {(3, 50): 7, (3, 44): 6}
FIXED_SINCE = (3, 51, 3)
PROBLEMS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Folded:
    """What folding did: the size of the -wal that is in the file now, and the size of the file, in bytes."""

    moved_bytes: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What can be said of a file from outside and from its header. Sizes are bytes, 0 where there is none."""

    size_bytes: int
    wal_bytes: int
    mode: str
    journal: str | None
    page_size: int | None
    schema_version: int | None
    filesystem: str | None
    network: bool


def sqlite_version() -> str:
    return sqlite3.sqlite_version


def has_wal_reset_bug(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> bool:
    """Whether this SQLite can lose a commit when a WAL is reset under a checkpoint (our lock file prevents it)."""
    if version >= FIXED_SINCE:
        return False
    fixed = FIXED_IN_BRANCHES.get((version[0], version[1]))
    return fixed is None or version[2] < fixed


def has_full_text() -> bool:
    """Whether this SQLite was built with FTS5."""
    with closing(sqlite3.connect(":memory:")) as connection:
        try:
            connection.execute("create virtual table probe using fts5(text)")
        except sqlite3.OperationalError:
            return False
        return True


def problems(path: Path) -> list[str]:
    """What is damaged, a sentence each; [] when the file is whole. Reads everything: slow on a large file."""
    try:
        with _reading(path) as connection:
            found = [str(row[0]) for row in connection.execute(f"pragma integrity_check({PROBLEMS_SHOWN})")]
    except sqlite3.DatabaseError as error:
        return [f"{error}"]
    return [] if found == ["ok"] else [line for text in found for line in text.splitlines()]


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection by the same rules as a reader's, whatever the file is."""
    with tempfile.TemporaryDirectory(prefix="tracetui-", ignore_cleanup_errors=True) as scratch, as_found(path):
        uri, _ = choose(path, writable_directory(path), lambda: Path(scratch))
        with closing(sqlite3.connect(uri, uri=True, timeout=BUSY_MS / 1000)) as connection:
            yield connection


def fold(path: Path) -> Folded:
    """Move what the -wal holds into the file, so that the file alone is everything.

    StoreBusy while another process reads or writes it; StoreError when it cannot be written.
    """
    check_sqlite()
    moved = _size(path.with_name(path.name + "-wal"))
    lock = FileLock(lock_path(path))
    try:
        with lock, closing(_writable(path)) as connection:
            busy, _, _ = connection.execute("pragma wal_checkpoint(truncate)").fetchone()
            if busy:
                raise StoreBusy(
                    f"{path} is in use by another process: stop it (tracetui, the traced program), then fold"
                )
    except OSError as error:
        raise StoreError(f"cannot fold {path}: {error.strerror or error}") from error
    except sqlite3.DatabaseError as error:
        raise StoreError(f"cannot fold {path}: {error}") from error
    finally:
        lock.close()
    return Folded(moved, _size(path))


def _writable(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=BUSY_MS / 1000, isolation_level=None
    )
    try:
        connection.execute("pragma schema_version").fetchone()  # opens the file, and plays back its -wal
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def facts(path: Path) -> FileFacts:
    """What `doctor` says of a file. What cannot be asked (a damaged header) is None."""
    journal, page_size, schema = None, None, None
    try:
        with _reading(path) as connection:
            journal = str(connection.execute("pragma journal_mode").fetchone()[0])
            page_size = int(connection.execute("pragma page_size").fetchone()[0])
            schema = int(connection.execute("pragma user_version").fetchone()[0])
    except (sqlite3.DatabaseError, StoreError):
        pass
    return FileFacts(
        _size(path),
        _size(path.with_name(path.name + "-wal")),
        f"{path.stat().st_mode & 0o777:04o}" if sys.platform != "win32" else "",
        journal,
        page_size,
        schema,
        filesystem_of(path),
        on_network(path),
    )
