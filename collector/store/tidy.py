"""Leaving a directory as it was found.

A read-only connection makes -wal and -shm beside a file of journal mode WAL, and may not remove them: an empty pair
stays beside a file that was only looked at. A connection that may write removes them on its close, under SQLite's
own lock, when it is the last; there is nothing in the -wal that it could write.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path


@contextmanager
def as_found(path: Path) -> Iterator[None]:
    """Around reading a file: an empty -wal is removed afterwards, with its -shm, when nobody else has the file open.

    One that was there before goes too: it was a writer's, which could not remove it on its own close because of us.
    """
    try:
        yield
    finally:
        if _wal_bytes(path) == 0 and os.access(path, os.W_OK):
            with (
                suppress(sqlite3.Error),
                closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=0)) as last,
            ):
                last.execute("pragma schema_version").fetchone()


def _wal_bytes(path: Path) -> int | None:
    """The size of the -wal; None when there is none."""
    try:
        return path.with_name(path.name + "-wal").stat().st_size
    except OSError:
        return None
