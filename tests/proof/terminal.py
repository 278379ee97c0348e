"""A program in a real pty, its screen kept by pyte: type keys, wait for what shows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pexpect
import pyte

DEADLINE_S = 40.0


class Terminal:
    """`raw` is every byte the program wrote, `lines` what a person would see."""

    def __init__(self, child: pexpect.spawn, columns: int, rows: int) -> None:
        self.child = child
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.Stream(self.screen)
        self.raw = ""

    def read(self, seconds: float = 0.05) -> None:
        try:
            text = self.child.read_nonblocking(65536, timeout=seconds)
        except (pexpect.TIMEOUT, pexpect.EOF):
            return
        self.raw += text
        self.stream.feed(text)

    @property
    def lines(self) -> list[str]:
        # not `display`: it fails while only one half of a wide letter has been overwritten
        cells = range(self.screen.columns)
        return ["".join(self.screen.buffer[y][x].data for x in cells).rstrip() for y in range(self.screen.lines)]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def until(self, shows: str | Callable[[str], bool]) -> str:
        """Read until the screen shows a text (or a condition holds), with a deadline that tells what it saw."""
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            self.read()
            text = self.text
            if shows in text if isinstance(shows, str) else shows(text):
                return text
            if not self.child.isalive():
                break
        raise AssertionError(f"waited for {shows!r}; the screen shows:\n{self.text}")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.child.send(key)

    def end(self) -> int:
        """Press q until the program ends; its exit code."""
        deadline = time.monotonic() + DEADLINE_S
        while self.child.isalive() and time.monotonic() < deadline:
            self.press("q")
            self.read(0.2)
        self.child.close()
        return int(self.child.exitstatus if self.child.exitstatus is not None else 128)


@contextmanager
def terminal(command: list[str], columns: int, rows: int, env: dict[str, str]) -> Iterator[Terminal]:
    full = {**env, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
    child = pexpect.spawn(
        command[0], command[1:], dimensions=(rows, columns), env=full, encoding="utf-8", codec_errors="replace"
    )
    try:
        yield Terminal(child, columns, rows)
    finally:
        child.close(force=True)
