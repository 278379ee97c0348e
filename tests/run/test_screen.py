"""`tracetui run` in a real terminal: the run's traces, the output tab, keys, signals and the end."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.proof.terminal import Terminal, terminal
from tests.run.running import environment, program, rows, tracetui, until

AGENT = """
from collector import observe, flush
import sys, time
@observe(kind="agent")
def support_agent():
    print("\\x1b[32mthinking\\x1b[0m \\x1b]0;EVIL TITLE\\x07[/red] \\x1b[31mred", flush=True)
    return "done"
support_agent(); flush()
"""
STAYS = AGENT + "open('ready', 'w'); time.sleep(60)"


@contextmanager
def screen(folder: Path, text: str, columns: int = 100, lines: int = 30) -> Iterator[Terminal]:
    program(folder, text)
    command = tracetui("run", "--db", "traces.db", "--", sys.executable, "agent.py")
    with terminal(["/usr/bin/env", "-C", str(folder), *command], columns, lines, environment(folder)) as one:
        yield one


def code_of(one: Terminal) -> int:
    """The exit code, once the program has ended by itself."""
    until(lambda: one.read() or not one.child.isalive(), one.text)
    one.read()
    one.child.close()
    return int(one.child.exitstatus)


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), pytest.param(200, 50, marks=pytest.mark.slow)])
def test_the_runs_traces_and_its_output_are_shown_and_the_exit_code_is_its_own(
    tmp_path: Path, columns: int, lines: int
) -> None:
    with screen(tmp_path, AGENT + "sys.exit(3)", columns, lines) as one:
        one.until("support_agent")
        one.until("agent.py ended with exit code 3")
        one.press("O")
        seen = one.until("thinking [/red] red")
        assert "exit 3" in seen.split("\n")[0]
        one.press("q")
        assert code_of(one) == 3
    assert "EVIL" not in one.raw  # no sequence of the command's reached the terminal
    assert re.search(r"ended with exit code 3 after [\d.]+ s: 1 trace, 1 span, 0 errors", one.raw)


@pytest.mark.slow
def test_leaving_while_it_runs_is_asked_twice_and_ends_it(tmp_path: Path) -> None:
    with screen(tmp_path, STAYS) as one:
        one.until("support_agent")
        one.press("q")
        one.until("still runs: q again ends it")
        one.press("q")
        assert code_of(one) == 128 + signal.SIGTERM
    assert rows(tmp_path, "select count(*) from todo") == [(0,)]


@pytest.mark.slow
def test_ctrl_c_on_the_output_goes_to_the_command(tmp_path: Path) -> None:
    with screen(tmp_path, STAYS) as one:
        one.until("support_agent")
        one.press("O")
        one.until("thinking")
        one.press("\x03")
        one.until("KeyboardInterrupt")
        one.until("exit 130")
        one.press("q")
        assert code_of(one) == 130


def test_a_signal_to_us_ends_the_command_and_then_the_screen(tmp_path: Path) -> None:
    with screen(tmp_path, STAYS) as one:
        until(lambda: one.read() or (tmp_path / "ready").exists())
        one.child.kill(signal.SIGTERM)
        assert code_of(one) == 128 + signal.SIGTERM


@pytest.mark.slow
def test_stop_and_continue_pass_through_the_screen(tmp_path: Path) -> None:
    import psutil

    with screen(tmp_path, STAYS) as one:
        one.until("support_agent")
        ours = psutil.Process(one.child.pid)
        agent = next(p for p in ours.children(recursive=True) if p.cmdline()[-1:] == ["agent.py"])

        def stopped() -> set[bool]:
            one.read()
            return {process.status() == psutil.STATUS_STOPPED for process in (ours, agent)}

        one.child.kill(signal.SIGTSTP)
        until(lambda: stopped() == {True}, "both stopped")
        one.child.kill(signal.SIGCONT)
        until(lambda: stopped() == {False}, "both go on")
        one.press("q")
        one.until("q again")
        one.press("q")
        assert code_of(one) == 128 + signal.SIGTERM


@pytest.mark.slow
def test_a_command_that_reads_the_keyboard_is_told_how(tmp_path: Path) -> None:
    with screen(tmp_path, AGENT + "import getpass; getpass.getpass('secret? ')") as one:
        one.until("run it with --no-tui")
        one.press("O")
        one.until("secret?")
        one.until("It wants the keyboard")
        one.press("\x03")
        one.until("exit 130")
        one.press("q")
        assert code_of(one) == 130


@pytest.mark.slow
def test_a_new_size_of_the_terminal_reaches_the_command(tmp_path: Path) -> None:
    text = """
import os, signal, time
signal.signal(signal.SIGWINCH, lambda *_: print('columns', os.get_terminal_size().columns, flush=True))
print('at first', os.get_terminal_size(), flush=True)
while True: time.sleep(0.05)
"""
    with screen(tmp_path, text) as one:
        one.until("runs; O")
        one.press("O")
        one.until("at first os.terminal_size(columns=100, lines=28)")
        one.screen.resize(40, 120)
        one.child.setwinsize(40, 120)
        one.until("columns 120")
        one.press("q")
        one.until("q again")
        one.press("q")
        code_of(one)


@pytest.mark.slow
def test_a_pipe_on_stdout_gets_the_commands_output_and_no_screen(tmp_path: Path) -> None:
    command = tracetui("run", "--db", "traces.db", "--", sys.executable, "-c", "print('plain')")
    text = " ".join(f"'{word}'" for word in command)
    env = environment(tmp_path)
    with terminal(["/bin/sh", "-c", f"cd {tmp_path} && {text} | cat"], 100, 30, env) as one:
        one.until("plain")
        assert code_of(one) == 0
    assert "\x1b[?1049h" not in one.raw
