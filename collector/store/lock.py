"""One lock file beside the database serialises the write transactions and checkpoints of our processes.

SQLite up to 3.51.2 can lose a committed transaction when one connection resets the WAL while another
checkpoints (sqlite.org/wal.html, section 11). With the lock that pattern cannot arise among us, and
several writers queue fairly instead of spinning on SQLITE_BUSY.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from types import TracebackType

from collector.errors import StoreBusy

WAIT_S = 5.0


class FileLock:
    """An exclusive lock between processes (and between two locks of one process). Not reentrant."""

    def __init__(self, path: Path, wait_s: float = WAIT_S) -> None:
        self.path = path
        self.wait_s = wait_s
        self._fd = -1

    def __enter__(self) -> FileLock:
        deadline = time.monotonic() + self.wait_s
        self._acquire(deadline)
        while not self._is_at_path():  # deleted meanwhile (`rm traces.db*`): the others lock another file
            self.close()
            self._acquire(deadline)
        return self

    def _is_at_path(self) -> bool:
        try:
            return os.path.samestat(os.fstat(self._fd), os.stat(self.path))
        except FileNotFoundError:
            return False

    def _acquire(self, deadline: float) -> None:
        if self._fd < 0:
            self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        pause = 0.0005
        while not _try_lock(self._fd):
            if time.monotonic() > deadline:
                raise StoreBusy(
                    f"{self.path} has been held by another process for {self.wait_s:.0f} s; is one of them stopped?"
                )
            time.sleep(pause)
            pause = min(pause * 1.5, 0.01)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _unlock(self._fd)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


if os.name == "nt":  # pragma: no cover - exercised on Windows only
    import msvcrt

    def _try_lock(fd: int) -> bool:
        try:
            os.lseek(fd, 0, os.SEEK_SET)
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError:
            return False
        return True

    def _unlock(fd: int) -> None:
        os.lseek(fd, 0, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)  # type: ignore[attr-defined,unused-ignore]

else:
    import fcntl

    def _try_lock(fd: int) -> bool:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_UN)
