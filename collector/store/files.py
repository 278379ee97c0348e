"""Opening a traces.db to write: made 0600 from schema.sql, the right journal mode, our version.

Every connection of ours that writes goes through `open_for_writing`. Readers have their own rules
(`opening.py`).
"""

from __future__ import annotations

import errno
import os
import sqlite3
import sys
import time
from contextlib import suppress
from pathlib import Path

from collector.errors import SchemaTooNew, StoreBusy, StoreError
from collector.store.lock import FileLock
from collector.store.migrations import SCHEMA_VERSION, migrate

APPLICATION_ID = 0x74747569  # "ttui"
SQLITE_FLOOR = (3, 38, 0)
BUSY_MS = 5000
WAL_CEILING_PAGES = 16000
CACHE_KIB = 16384
SCRIPTS = ("schema.sql", "library.sql", "media.sql", "signals.sql", "days.sql", "told.sql", "shelf.sql", "calls.sql",
           "pointers.sql", "views.sql")  # fmt: skip
NETWORK_TYPES = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "virtiofs", "vboxsf", "prl_fs", "fuse", "sshfs", "afpfs", "webdav"}
)


def lock_path(path: Path) -> Path:
    return path.with_name(path.name + ".lock")


def wal_path(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def forget_wal(path: Path, wal: tuple[int, int] | None) -> None:
    """Remove the -wal of a file that is no longer at its path, if it is `wal` (`identity`): SQLite would take it for
    that of the file which replaced it, and write the old pages over the new. The caller holds the lock file."""
    if wal is not None and identity(wal_path(path)) == wal:
        for ending in ("-wal", "-shm"):
            path.with_name(path.name + ending).unlink(missing_ok=True)


def identity(path: Path) -> tuple[int, int] | None:
    """(device, inode) of the file that the path leads to; None while it leads to none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def open_for_writing(path: Path, *, durable: bool = False) -> sqlite3.Connection:
    """Open (or make) the file. The connection is in autocommit mode and may be used from any one thread at a time.

    StoreError says what is in the way; SchemaTooNew when a newer version wrote the file.
    """
    check_sqlite()
    if not path.parent.is_dir():
        raise StoreError(f"cannot write {path}: there is no directory {path.parent}")
    lock = FileLock(lock_path(path))
    try:
        with lock:
            _make_private(path)
            connection = sqlite3.connect(
                path, timeout=BUSY_MS / 1000, isolation_level=None, check_same_thread=False, cached_statements=512
            )
            try:
                _prepare(connection, path, durable)
            except BaseException:
                connection.close()
                raise
            return connection
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror or error}") from error
    except sqlite3.DatabaseError as error:
        raise failure(path, error, "is it a SQLite file, and undamaged?") from error
    finally:
        lock.close()


def failure(path: Path, error: sqlite3.Error, question: str = "") -> StoreError:
    """What SQLite said as an error of ours: StoreBusy where trying again helps, else with a guess at the cause."""
    said = str(error)
    if "locked" in said or "busy" in said:
        return StoreBusy(f"{path} is locked by another program: {said}")
    if "full" in said or "disk I/O" in said:
        question = "is the disk full?"
    return StoreError(f"cannot write {path}: {said}{'; ' if question else ''}{question}")


def check_sqlite() -> None:
    """SQLite must be recent enough, and have full-text search. StoreError says which is missing."""
    if sqlite3.sqlite_version_info < SQLITE_FLOOR:
        raise StoreError(
            f"SQLite {sqlite3.sqlite_version} is too old: {'.'.join(map(str, SQLITE_FLOOR))} is needed; "
            "use a Python built with a newer one"
        )


def _make_private(path: Path) -> None:
    """Create the file 0600 before SQLite can create it with the umask; its -wal and -shm inherit the mode.

    What a deleted file left beside itself belongs to nothing, and a program that has it open must not meet
    the new file through a shared -shm. The caller holds the lock file. One that is there is left alone: to close a
    descriptor of it would take from this process's other connections the locks they have on it.
    """
    if path.exists():
        if not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return
    there = Path(os.path.realpath(path))  # a link may lead to where nothing is yet, and O_EXCL follows none
    for ending in ("-wal", "-shm", "-journal"):
        there.with_name(there.name + ending).unlink(missing_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(there, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o600))


def _prepare(connection: sqlite3.Connection, path: Path, durable: bool) -> None:
    execute = connection.execute
    execute(f"pragma busy_timeout = {BUSY_MS}")
    version = int(execute("pragma user_version").fetchone()[0])
    if version == 0:
        _create(connection, path)
    elif int(execute("pragma application_id").fetchone()[0]) != APPLICATION_ID:
        raise StoreError(f"cannot write {path}: it is another program's SQLite file; name another with --db")
    elif version > SCHEMA_VERSION:
        raise SchemaTooNew(
            f"{path} has schema {version}, this version writes {SCHEMA_VERSION}: upgrade tracetui, or name another file"
        )
    elif version < SCHEMA_VERSION:
        migrate(connection)
    execute(f"pragma synchronous = {'full' if durable else 'normal'}")
    execute(f"pragma wal_autocheckpoint = {WAL_CEILING_PAGES}")
    execute(f"pragma cache_size = -{CACHE_KIB}")
    execute("pragma temp_store = memory")
    execute("pragma foreign_keys = off")
    execute("pragma recursive_triggers = off")


def _create(connection: sqlite3.Connection, path: Path) -> None:
    """Make a fresh file, and checkpoint it, so that even a killed first run leaves a file with a schema."""
    from importlib.resources import files

    execute = connection.execute
    if execute("select count(*) from sqlite_master").fetchone()[0]:
        raise StoreError(f"cannot write {path}: it is another program's SQLite file; name another with --db")
    execute("pragma page_size = 4096")
    execute("pragma auto_vacuum = incremental")
    execute(f"pragma journal_mode = {'delete' if on_network(path) else 'wal'}")
    script = "".join((files("collector.store") / name).read_text() for name in SCRIPTS)
    made = (
        f"insert into meta values ('created_ns', '{time.time_ns()}'), ('made_by', 'tracetui schema {SCHEMA_VERSION}');"
    )
    connection.executescript(
        f"begin immediate;\n{script}\n{made}\npragma application_id = {APPLICATION_ID};"
        f"\npragma user_version = {SCHEMA_VERSION};\ncommit;"
    )
    execute("pragma wal_checkpoint(truncate)").fetchall()


def on_network(path: Path) -> bool:
    """Whether the file lies on a file system where a WAL's shared memory does not work. False when we cannot tell."""
    return (filesystem_of(path) or "").split(".")[0] in NETWORK_TYPES


def filesystem_of(path: Path) -> str | None:
    """The type of the file system ("ext4", "nfs4", "fuse.sshfs"), from /proc/self/mountinfo; None elsewhere."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        table = Path("/proc/self/mountinfo").read_text()
    except OSError:
        return None
    target = str(path.resolve())
    best, found = -1, None
    for line in table.splitlines():
        left, _, right = line.partition(" - ")
        mount = left.split()[4].replace("\\040", " ")
        inside = target == mount or target.startswith(mount.rstrip("/") + "/")
        if inside and len(mount) >= best:
            best, found = len(mount), right.split()[0]
    return found
