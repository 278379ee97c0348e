"""A command in a pty of its own, its output kept by a small terminal in memory.

A thread reads the pty as fast as the command writes, so that a screen that is busy, or looked at by nobody, never
holds the command up; of a flood the middle is skipped, and counted. Nothing here paints.
"""

from __future__ import annotations

import codecs
import os
import pty
import select
import signal
import subprocess  # the command, started without interpreting a word of it
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from tracetui.run.passing import exit_code
from tracetui.vt import Screen

SHELL = "/bin/sh"
TAKE_TERMINAL = 'exec <"$0" >"$0" 2>&1; exec "$@"'
"""A session leader that opens a terminal gets it as its controlling one; Popen alone would hand over mere streams.
The words of the command are arguments of the shell, which does not look into them."""
READ_BYTES = 65536
GULP_BYTES = 1_000_000
KEEP_BYTES = 131_072
LAST_WORDS_S = 0.5
GRACE_S = 5.0
POLL_S = 0.05


class Command:
    """Runs from the moment it is made. `screen` is to be read under `lock`. OSError when there is no pty for it."""

    def __init__(
        self, words: Sequence[str], env: Mapping[str, str], *, columns: int = 80, rows: int = 24, history: int = 5000
    ) -> None:
        self.words = tuple(words)
        self.lock = threading.Lock()
        self.screen = Screen(columns, rows, history=history)
        self.began = time.monotonic()
        self.ended: float | None = None
        self.code: int | None = None
        self.skipped = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._closing = False
        self._master, slave = pty.openpty()
        try:
            termios.tcsetwinsize(self._master, (rows, columns))
            given = {name: value for name, value in env.items() if name not in ("LINES", "COLUMNS")}
            given |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
            self._child = subprocess.Popen(  # noqa: S603 - it is what the user typed
                [SHELL, "-c", TAKE_TERMINAL, os.ttyname(slave), *words], env=given, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        except BaseException:
            os.close(self._master)
            os.close(slave)
            raise
        self._slave = slave  # held, or reading would fail whenever nobody else has it open
        os.set_blocking(self._master, False)
        self._thread = threading.Thread(target=self._run, name="tracetui-command", daemon=True)
        self._thread.start()

    @property
    def seconds(self) -> float:
        """How long it has been running, or ran."""
        return (time.monotonic() if self.ended is None else self.ended) - self.began

    @property
    def running(self) -> bool:
        return self.code is None

    def resize(self, columns: int, rows: int) -> None:
        """Tell the command a new size of its terminal (the kernel sends it SIGWINCH)."""
        with self.lock:
            if (columns, rows) == (self.screen.columns, self.screen.rows):
                return
            self.screen.resize(columns, rows)
        with suppress(OSError, termios.error):
            termios.tcsetwinsize(self._master, (self.screen.rows, self.screen.columns))

    def interrupt(self) -> None:
        """As ctrl+c in its terminal would."""
        with suppress(OSError):
            os.write(self._master, b"\x03")

    def signal(self, number: int) -> None:
        """To the command and what it started in its process group."""
        if self.running:
            with suppress(OSError):
                os.killpg(self._child.pid, number)

    def wants_keys(self) -> bool:
        """Whether it seems to wait for the keyboard: it took the terminal out of line mode or switched its echo off,
        drives the whole screen, or (where Linux tells) sleeps in a read of its terminal."""
        if not self.running:
            return False
        with self.lock:
            if self.screen.wants_keys:
                return True
        with suppress(OSError, termios.error):
            local = termios.tcgetattr(self._slave)[3]
            if not local & termios.ICANON or not local & termios.ECHO:
                return True
        return self._reads_terminal()

    def _reads_terminal(self) -> bool:
        """proc(5): `wchan` names the kernel function in which a process sleeps."""
        with suppress(OSError, ValueError), open(f"/proc/{self._child.pid}/wchan") as file:
            return "tty_read" in file.read()
        return False

    def close(self, grace_s: float = GRACE_S) -> int:
        """End it if it still runs: SIGTERM, then after a while SIGKILL. Its exit code."""
        self.signal(signal.SIGTERM)
        self.signal(signal.SIGCONT)  # a stopped one could not end
        try:
            self._child.wait(grace_s if self.running else None)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)
            self._child.wait()
        self._closing = True
        self._thread.join()
        if self.ended is None:
            self.ended = time.monotonic()
        return exit_code(self._child.returncode)

    # In the thread.

    def _run(self) -> None:
        try:
            while not self._closing:
                select.select([self._master], [], [], POLL_S)
                read = self._take()
                if self.code is None and self._child.poll() is not None and not read:
                    self.ended = time.monotonic()
                    self.code = exit_code(self._child.returncode)
            end = time.monotonic() + LAST_WORDS_S
            while self._take() and time.monotonic() < end:
                pass
        finally:
            os.close(self._master)
            os.close(self._slave)

    def _take(self) -> int:
        """Read what there is; feed the end of it to the screen. How many bytes there were."""
        pieces: list[bytes] = []
        size = 0
        while size < GULP_BYTES:
            try:
                data = os.read(self._master, READ_BYTES)
            except BlockingIOError:
                break
            except OSError:
                break
            if not data:
                break
            pieces.append(data)
            size += len(data)
        if size:
            self._feed(b"".join(pieces))
        return size

    def _feed(self, data: bytes) -> None:
        with self.lock:
            if len(data) > KEEP_BYTES:
                cut = data.find(b"\n", len(data) - KEEP_BYTES) + 1 or len(data) - KEEP_BYTES
                self.skipped += cut
                self._decoder.reset()
                self.screen.feed(f"\x18\x1b[0m\r\n[{cut:,} bytes of output skipped]\r\n")
                data = data[cut:]
            self.screen.feed(self._decoder.decode(data))
