"""A command in a pty of its own: output, size, keys, signals, end; with real processes."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.run.running import until
from tracetui.run.terminal import Command

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs a pty")


@contextmanager
def running(text: str, **options: int) -> Iterator[Command]:
    """A Python program."""
    command = Command([sys.executable, "-u", "-c", text], dict(os.environ), **options)
    try:
        yield command
    finally:
        command.close(grace_s=1)


def shown(command: Command) -> str:
    with command.lock:
        return command.screen.text()


def shows(command: Command, text: str) -> Callable[[], bool]:
    return lambda: text in shown(command)


def test_its_streams_are_one_terminal_of_the_size_asked_for() -> None:
    text = """
import os, sys
assert all(os.isatty(fd) for fd in (0, 1, 2))
open('/dev/tty', 'w').write('controlling ')
print(os.get_terminal_size().columns, os.getpgrp() == os.tcgetpgrp(0))
print('to stderr', file=sys.stderr); sys.exit(3)
"""
    with running(text, columns=93, rows=31) as command:
        until(lambda: not command.running)
        assert shown(command) == "controlling 93 True\nto stderr"
        assert command.code == 3


def test_a_new_size_reaches_it() -> None:
    text = """
import os, signal, time
signal.signal(signal.SIGWINCH, lambda *_: print('now', os.get_terminal_size().columns))
print('ready')
while True: time.sleep(0.05)
"""
    with running(text) as command:
        until(shows(command, "ready"))
        command.resize(120, 40)
        until(shows(command, "now 120"))


def test_ctrl_c_goes_through_its_terminal() -> None:
    with running("import time; print('ready'); time.sleep(60)") as command:
        until(shows(command, "ready"))
        command.interrupt()
        until(lambda: not command.running)
        assert command.code == 128 + signal.SIGINT
        assert "KeyboardInterrupt" in shown(command)


def test_closing_it_asks_then_kills() -> None:
    ignoring = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready'); time.sleep(60)"
    with running(ignoring) as command:
        until(shows(command, "ready"))
        began = time.monotonic()
        assert command.close(grace_s=0.3) == 128 + signal.SIGKILL
        assert time.monotonic() - began < 10


def test_a_stopped_command_can_be_closed() -> None:
    with running("import time; print('ready'); time.sleep(60)") as command:
        until(shows(command, "ready"))
        command.signal(signal.SIGSTOP)
        assert command.close(grace_s=5) == 128 + signal.SIGTERM


def test_the_last_words_of_a_command_are_never_lost() -> None:
    for _ in range(5):
        with running("print('x' * 3000); print('the very last')") as command:
            until(lambda: not command.running)
            assert shown(command).endswith("the very last")


@pytest.mark.slow
def test_a_flood_holds_nobody_up_and_stays_bounded() -> None:
    """30 MB in lines: the command ends in its own time, and the end of it is there."""
    text = "import sys\nline = 'y' * 99 + '\\n'\nfor _ in range(300): sys.stdout.write(line * 1000)\nprint('the end')"
    with running(text, history=4000) as command:
        until(lambda: not command.running)
        assert shown(command).endswith("the end")
        assert len(command.screen) <= 4024


def test_a_character_in_two_reads_is_one() -> None:
    text = """
import os, time
for byte in '日本語 é 🙂'.encode():
    os.write(1, bytes([byte])); time.sleep(0.005)
"""
    with running(text) as command:
        until(lambda: not command.running)
        assert shown(command) == "日本語 é 🙂"


@pytest.mark.parametrize(
    "text",
    [
        "import getpass; getpass.getpass('secret? ')",
        "import sys, time; sys.stdout.write('\\x1b[?1049h'); time.sleep(60)",
        "import tty, time; tty.setraw(0); time.sleep(60)",
    ],
)
def test_a_command_that_wants_the_keyboard_is_known(text: str) -> None:
    with running(text) as command:
        until(command.wants_keys)


def test_a_command_that_works_wants_no_keyboard() -> None:
    with running("import time; print('ready'); time.sleep(60)") as command:
        until(shows(command, "ready"))
        assert not command.wants_keys()


def test_the_words_of_the_command_are_not_read_by_a_shell() -> None:
    words = [sys.executable, "-c", "import sys; print(sys.argv[1:])", "$HOME", "a b", "`id`", "; false", "-x", ""]
    command = Command(words, dict(os.environ), columns=200)
    until(lambda: not command.running)
    assert command.close() == 0
    assert shown(command) == "['$HOME', 'a b', '`id`', '; false', '-x', '']"
