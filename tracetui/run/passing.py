"""A command in the foreground: it keeps the terminal, and every signal sent to us reaches it.

Both are in one process group, so that pipes and the shell's job control work as without us; hence what the terminal
itself sends (ctrl+c, ctrl+z, a new size) has reached the command already, and only what somebody sent to us alone is
passed on. Linux tells the two apart (sigaction(2): si_code SI_KERNEL). Elsewhere ctrl+c and its like are taken
to come from the terminal while we are in its foreground.
"""

from __future__ import annotations

import os
import signal
import subprocess  # the command, started without a shell
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

PASSED = frozenset({
    signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP, signal.SIGCONT, signal.SIGWINCH,
    signal.SIGUSR1, signal.SIGUSR2,
})  # fmt: skip
FROM_KEYS = (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP)
SI_KERNEL = 0x80
WAITS = hasattr(signal, "sigtimedwait")


def exit_code(returned: int) -> int:
    """A shell's way of saying it: 128 + n for a program that signal n ended."""
    return 128 - returned if returned < 0 else returned


def block() -> None:
    """Keep the signals that are passed on from the calling thread: they are for the one that waits for them."""
    if WAITS:
        signal.pthread_sigmask(signal.SIG_BLOCK, PASSED)


def unblock() -> None:
    """Let the calling thread, and what it starts, hear them again."""
    if WAITS:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED)


def run_here(command: Sequence[str], env: Mapping[str, str]) -> int:
    """Run a command with our own streams until it ends; its exit code. OSError when it cannot be started."""
    early: list[int] = []
    with _heard_by(lambda number, _: early.append(number)) as heard:
        child = subprocess.Popen(list(command), env=dict(env))  # noqa: S603 - it is what the user typed
        if not WAITS:
            return exit_code(_wait_with_handlers(child, heard))
        before = signal.pthread_sigmask(signal.SIG_BLOCK, heard | {signal.SIGCHLD})
        try:
            while child.poll() is None:
                while early:  # from before the child was there, or heard by a thread of somebody else's
                    number = early.pop(0)
                    _one(child, number, by_terminal=number in FROM_KEYS and _in_foreground())
                info = signal.sigtimedwait(heard | {signal.SIGCHLD}, 1.0)
                if info is not None and info.si_signo != signal.SIGCHLD:
                    _one(child, info.si_signo, by_terminal=info.si_code == SI_KERNEL)
        finally:
            while signal.sigtimedwait(heard, 0) is not None:  # meant for a command that has ended
                pass
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return exit_code(child.returncode)


def _one(child: subprocess.Popen[bytes], number: int, *, by_terminal: bool) -> None:
    if not by_terminal:
        pass_on(child, number)
    if number == signal.SIGTSTP:
        os.kill(os.getpid(), signal.SIGSTOP)  # we stop with it, for the shell that waits for us


def pass_on(child: subprocess.Popen[Any], number: int) -> None:
    child.send_signal(number)  # does nothing once it has ended


def _wait_with_handlers(child: subprocess.Popen[bytes], heard: frozenset[signal.Signals]) -> int:
    def handle(number: int, _: Any) -> None:
        _one(child, number, by_terminal=number in (*FROM_KEYS, signal.SIGWINCH) and _in_foreground())

    for number in heard:
        signal.signal(number, handle)
    return child.wait()


def _in_foreground() -> bool:
    """Whether the terminal's keys send their signals to us."""
    for stream in (sys.__stdin__, sys.__stdout__, sys.__stderr__):
        try:
            if stream is not None and os.tcgetpgrp(stream.fileno()) == os.getpgrp():
                return True
        except (OSError, ValueError):
            continue
    return False


@contextmanager
def _heard_by(handler: Any) -> Iterator[frozenset[signal.Signals]]:
    """The handler for all of them but those that are ignored (nohup), which stay so, for the command too."""
    before = {number: signal.getsignal(number) for number in PASSED}
    heard = frozenset(number for number, old in before.items() if old is not signal.SIG_IGN)
    for number in heard:
        signal.signal(number, handler)
    try:
        yield heard
    finally:
        for number in heard:
            signal.signal(number, before[number])
