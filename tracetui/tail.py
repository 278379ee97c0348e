"""Noticing that the file changed: a thread that wakes on the directory, looks, and tells.

Three things wake it: an event on the file or its -wal (inotify and kin, through watchdog), a poll as the safety
net, and nothing else. The event comes before the commit can be read, so a wake is followed by a short burst of
`data_version` checks. A file that is not there yet is waited for; one that was replaced (other device or inode)
is opened again.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING, Protocol

from collector.errors import TracetuiError

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent

# Its threads complain to the terminal when they are asked to end while an event comes in.
logging.getLogger("watchdog").addHandler(logging.NullHandler())

POLL_S = 0.25
FRAME_S = 1 / 30
BURST_S = (0.0, 0.001, 0.002, 0.004, 0.008, 0.016)


class Versioned(Protocol):
    """The part of a reader that tailing needs."""

    def data_version(self) -> int: ...


class Tail(threading.Thread):
    """Calls `changed(reopened)` from its own thread, at most once per frame, until `stop`.

    `reopened` is True when the file appeared, vanished or was replaced: readers opened before read another file.
    """

    def __init__(
        self,
        path: str,
        open_reader: Callable[[], AbstractContextManager[Versioned]],
        changed: Callable[[bool], None],
        *,
        poll_s: float = POLL_S,
        frame_s: float = FRAME_S,
    ) -> None:
        super().__init__(name="tracetui-tail", daemon=True)
        self._path = os.path.abspath(path)
        self._open_reader = open_reader
        self._changed = changed
        self._poll_s = poll_s
        self._frame_s = frame_s
        self._wake = threading.Event()
        self._ended = threading.Event()
        self._stack = ExitStack()
        self._reader: Versioned | None = None
        self._version: int | None = None
        self._identity = identity(self._path)

    @property
    def started(self) -> bool:
        return self.ident is not None or self._ended.is_set()

    def begin(self) -> None:
        """Start, unless it was started already, or has been stopped."""
        if not self.started:
            self.start()

    def run(self) -> None:
        stop_watching = watch(self._path, self._wake)
        try:
            self._open()
            self._tell(reopened=False)  # of what was committed between a screen's first look and ours
            while not self._ended.is_set():
                woken = self._wake.wait(self._poll_s)
                self._wake.clear()
                self._look(BURST_S if woken else BURST_S[:1])
        finally:
            self._close()
            stop_watching()

    def stop(self) -> None:
        """End the thread and wait for it. Safe to call twice."""
        self._ended.set()
        self._wake.set()
        if self.is_alive():
            self.join(timeout=2)

    def _look(self, burst_s: tuple[float, ...]) -> None:
        now = identity(self._path)
        if now != self._identity:
            self._identity = now
            self._open()
            self._tell(reopened=True)
            return
        if self._reader is None and now is not None:
            self._open()
            if self._reader is not None:
                self._tell(reopened=True)
            return
        for pause_s in burst_s:
            if self._ended.wait(pause_s) or self._moved_on():
                break

    def _moved_on(self) -> bool:
        version = self._read_version()
        if version == self._version:
            return False
        self._version = version
        self._tell(reopened=False)
        return True

    def _tell(self, *, reopened: bool) -> None:
        if not self._ended.is_set():
            self._changed(reopened)
            self._ended.wait(self._frame_s)

    def _read_version(self) -> int | None:
        if self._reader is None:
            return self._version
        try:
            return self._reader.data_version()
        except TracetuiError:
            self._close()
            return None

    def _open(self) -> None:
        self._close()
        if self._identity is None:
            return
        try:
            self._reader = self._stack.enter_context(self._open_reader())
            self._version = self._reader.data_version()
        except TracetuiError:
            self._close()

    def _close(self) -> None:
        self._reader = None
        self._version = None
        self._stack.close()


def identity(path: str) -> tuple[int, int] | None:
    """(device, inode) of the file, None while there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def watch(path: str, wake: threading.Event) -> Callable[[], None]:
    """Set `wake` when the file or its -wal is written, made or moved. Returns what ends it.

    Where the directory cannot be watched (not there, out of inotify watches), the poll has to do.
    """
    from watchdog.observers import Observer  # in the tail's thread, while the first lines are painted

    observer = Observer()
    try:
        observer.schedule(_Waker(path, wake), os.path.dirname(path))  # type: ignore[arg-type]
        observer.start()
    except OSError:
        return lambda: None

    def end() -> None:
        observer.stop()
        observer.join(timeout=2)

    return end


class _Waker:
    """What watchdog calls. A reader's own open and close fire events as well: only what may mean a commit counts."""

    def __init__(self, path: str, wake: threading.Event) -> None:
        self._names = {os.path.basename(path), os.path.basename(path) + "-wal"}
        self._wake = wake

    def dispatch(self, event: FileSystemEvent) -> None:
        if event.event_type not in ("modified", "created", "moved", "deleted"):
            return
        if {os.path.basename(os.fsdecode(at)) for at in (event.src_path, event.dest_path)} & self._names:
            self._wake.set()
