"""Opening a traces.db to read it, in whatever state it is.

    directory writable                  mode=ro (SQLite needs to make -shm for a WAL; see `tidy.py`)
    not writable, no -wal beside it     immutable: nobody writes, so no lock or -shm is needed
    not writable, with a -wal           file and -wal are copied to a temporary directory, and that is read

What cannot be read at all is a StoreError with a sentence; what can be read in part is, and
`FileState.note` says what is missing.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from collector.errors import NotFound, StoreError
from collector.store import marks
from collector.store.files import APPLICATION_ID, BUSY_MS
from collector.store.migrations import SCHEMA_VERSION
from collector.store.reader import Reader
from collector.store.rows import FileState
from collector.store.tidy import as_found

MAGIC = b"SQLite format 3\x00"
HEADER_BYTES = 100
TABLES = ("traces", "spans", "bodies", "texts", "messages", "nodes", "sessions", "search")


def writable_directory(path: Path) -> bool:
    return os.access(path.parent, os.W_OK)


@contextmanager
def open_reader(
    path: Path | str, *, writable: Callable[[Path], bool] = writable_directory, now_ns: Callable[[], int] | None = None
) -> Iterator[Reader]:
    """A reader on the file, closed afterwards. Use it in the thread that opened it.

    NotFound when there is no file; StoreError when nothing of it can be read.
    """
    file = Path(path)
    _check_there(file)
    with ExitStack() as stack:

        def scratch() -> Path:
            made = tempfile.TemporaryDirectory(prefix="tracetui-", ignore_cleanup_errors=True)
            return Path(stack.enter_context(made))

        uri, note = choose(file, writable(file), scratch)
        with as_found(file):
            connection, torn = _connect(uri, file)
            try:
                state = _examine(connection, file, note, torn)
                yield Reader(connection, state) if now_ns is None else Reader(connection, state, now_ns=now_ns)
            finally:
                connection.close()


def _check_there(path: Path) -> None:
    try:
        found = path.stat()
    except FileNotFoundError as error:
        raise NotFound(f"there is no file {path}; name another with --db") from error
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror or error}") from error
    if stat.S_ISDIR(found.st_mode) or not os.access(path, os.R_OK):
        why = errno.EISDIR if stat.S_ISDIR(found.st_mode) else errno.EACCES
        raise StoreError(f"cannot read {path}: {os.strerror(why)}")
    if not found.st_size:
        raise StoreError(f"{path} is empty: nothing was ever written to it")
    if found.st_size < HEADER_BYTES:  # SQLite takes a byte or two for a database without tables
        _torn(path)


def choose(path: Path, writable: bool, scratch: Callable[[], Path]) -> tuple[str, str | None]:
    """(what to open, what to say of it). A copy, where one must be made, goes to the directory that `scratch` makes."""
    wal = path.with_name(path.name + "-wal")
    has_wal = wal.exists() and wal.stat().st_size > 0
    if writable:
        return f"{_uri(path)}?mode=ro", None
    if not has_wal:
        return f"{_uri(path)}?mode=ro&immutable=1", None
    copy = scratch() / path.name
    try:
        shutil.copyfile(path, copy)
        shutil.copyfile(wal, copy.with_name(copy.name + "-wal"))
    except OSError as error:
        raise StoreError(f"cannot copy {path} and its -wal to read them: {error.strerror or error}") from error
    return (
        f"{_uri(copy)}?mode=ro",
        f"{path.parent} cannot be written to: reading a copy of {path.name} and its -wal, without later changes",
    )


def _uri(path: Path) -> str:
    return "file:" + quote(str(path.absolute()))


def _connect(uri: str, path: Path) -> tuple[sqlite3.Connection, str | None]:
    """The connection, and a sentence where the file is cut short."""
    try:
        connection = sqlite3.connect(uri, uri=True, timeout=BUSY_MS / 1000, isolation_level=None, cached_statements=256)
    except sqlite3.Error as error:
        raise StoreError(f"cannot open {path}: {error}") from error
    try:
        return connection, _made_ready(connection, path)
    except BaseException:
        connection.close()
        raise


def _made_ready(connection: sqlite3.Connection, path: Path) -> str | None:
    try:
        connection.execute("pragma query_only = on")
        connection.execute(f"pragma busy_timeout = {BUSY_MS}")
    except sqlite3.Error as error:
        raise StoreError(f"cannot open {path}: {error}") from error
    try:
        connection.execute("pragma schema_version").fetchone()
    except sqlite3.DatabaseError:
        torn = _torn(path)
        if torn:  # or SQLite refuses all of a file that is shorter than it says
            connection.execute("pragma writable_schema = on")
        return torn
    return None


def _examine(connection: sqlite3.Connection, path: Path, note: str | None, torn: str | None) -> FileState:
    """Ours, and of which version? Which tables can be read?"""
    try:
        version = int(connection.execute("pragma user_version").fetchone()[0])
        ours = int(connection.execute("pragma application_id").fetchone()[0]) == APPLICATION_ID
    except sqlite3.DatabaseError as error:
        raise StoreError(f"{path} is damaged from its first page on: {error}; is the download complete?") from error
    if not ours:
        with suppress(sqlite3.Error):
            if version == 0 and not connection.execute("select count(*) from sqlite_master").fetchone()[0]:
                raise StoreError(f"{path} is an empty database: nothing was ever written to it")
        raise StoreError(f"{path} is another program's SQLite file, not a traces.db")
    if version < marks.SINCE:
        _stand_in(connection)
    notes = [note] if note else []
    if version > SCHEMA_VERSION:
        notes.append(
            f"{path.name} has schema {version}, this version knows {SCHEMA_VERSION}: it is read as far as it is known; "
            "upgrade tracetui to see all of it"
        )
    missing = _unreadable(connection)
    if len(missing) == len(TABLES):
        raise StoreError(f"{path} is damaged: none of its tables can be read; is the download complete?")
    if torn:
        notes.append(torn)
    elif missing:
        notes.append(f"{path.name} is damaged: {', '.join(missing)} cannot be read in full; the rest is shown")
    return FileState(str(path), os.access(path, os.W_OK), "; ".join(notes) or None, version, missing)


def _stand_in(connection: sqlite3.Connection) -> None:
    """A file of before signals has none of them: an empty table of the connection's own stands in for its."""
    with suppress(sqlite3.Error):  # no room for it: then asking for signals says that there is no such table
        connection.execute("pragma query_only = off")
        connection.execute(marks.STAND_IN)
        connection.execute("pragma query_only = on")


def _unreadable(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Tables whose first or last rows cannot be read. Looks at the ends only: a full check reads everything."""
    bad = []
    for table in TABLES:
        key = {"traces": "id", "spans": "id", "bodies": "id", "texts": "id"}.get(table)
        try:
            if key is None:
                connection.execute(f"select * from {table} limit 1").fetchall()
            else:
                connection.execute(f"select * from {table} order by {key} limit 1").fetchall()
                connection.execute(f"select * from {table} order by {key} desc limit 1").fetchall()
        except sqlite3.DatabaseError:
            bad.append(table)
    return tuple(bad)


def _torn(path: Path) -> str | None:
    """A sentence when the file is shorter than its header says; StoreError when it is no SQLite file at all.

    Only for a file that SQLite has refused. On POSIX a process that closes any descriptor of a file loses all its
    locks on it (sqlite.org/howtocorrupt.html, 2.2): read like this beside a connection that works, the next writer to
    close would believe itself alone and remove the -wal from under that connection, which then saw nothing new again.
    """
    with path.open("rb") as file:
        head = file.read(HEADER_BYTES)
    if not head.startswith(MAGIC):
        raise StoreError(f"{path} is no SQLite file (it begins with {head[:16]!r}); a traces.db is asked for")
    page = int.from_bytes(head[16:18], "big") or 1
    page = 65536 if page == 1 else page
    pages = int.from_bytes(head[28:32], "big")
    size = path.stat().st_size
    wal = path.with_name(path.name + "-wal")
    if pages * page <= size or (wal.exists() and wal.stat().st_size > 0):
        return None
    return f"{path.name} is cut short: {size} of {pages * page} bytes are here; what they hold is shown"
