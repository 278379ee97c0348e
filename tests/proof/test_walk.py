"""A script drives the real program through the whole demo, in a real pty: every screen, the main keys of each, while
the demo's agent works, until the end, which leaves the terminal as it was."""

from __future__ import annotations

import os
import shlex
import sys
import termios
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.proof.terminal import Terminal, terminal

pytestmark = pytest.mark.slow

ESC, ENTER, TAB, DOWN, SHIFT_RIGHT = "\x1b", "\r", "\t", "\x1b[B", "\x1b[1;2C"
CTRL_P, CTRL_R, CTRL_O = "\x10", "\x12", "\x0f"
Seen = str | Callable[[str], bool]
Step = tuple[str, Seen]
"""A key, and what shows once it has done its work."""

SWITCHES = {
    "alternate screen": ("\x1b[?1049h", "\x1b[?1049l"),
    "cursor": ("\x1b[?25l", "\x1b[?25h"),
    "mouse": ("\x1b[?1000h", "\x1b[?1000l"),
    "paste": ("\x1b[?2004h", "\x1b[?2004l"),
}
"""What a program of full screen turns on, and has to turn off at its end."""

LIST = "INPUT → OUTPUT"


def gone(text: str) -> Callable[[str], bool]:
    return lambda shown: text not in shown


def at(text: str) -> Callable[[str], bool]:
    """A line with the cursor on it."""
    return lambda shown: any("▸" in line and text in line for line in shown.splitlines())


def typed(text: str, after: str = "") -> list[Step]:
    """Letter by letter, as a hand does; `after` is what stands before it on the screen."""
    return [(letter, after + text[: n + 1].rstrip()) for n, letter in enumerate(text)]


WATCH: list[Step] = [
    ("g", at("support_agent")),
    (" ", "paused"),
    (" ", gone("paused")),
    ("?", "one page down"),
    (ESC, gone("one page down")),
    ("2", "support-42"),
    ("g", at("support-42")),
    (ENTER, "2 turns"),
    (ESC, at("support-42")),
    ("4", "dearest calls"),
    ("1", LIST),
]
"""While runs arrive."""

LISTS: list[Step] = [
    ("g", at("support_agent")),
    ("f", "tab  status:"),
    *typed("user:u-1"),
    (TAB, "user:u-12345"),
    (ENTER, "2 traces"),
    (ESC, "59 traces"),
    ("t", "Sort by"),
    (ESC, gone("Sort by")),
    ("t", "Sort by"),
    ("2", "NAME↑"),
    ("t", "name, a first"),
    (ENTER, "NAME↓"),
    ("t", "Sort by"),
    ("G", at("STARTED")),
    (ENTER, "AGE↑"),
    ("T", "Columns"),
    *[("j", at(name)) for name in ("NAME", "INPUT", "MODEL", "SERVICE")],
    (" ", "[x] SERVICE"),
    (ESC, gone("Columns")),
    ("g", lambda shown: "SERVICE" in shown and "demo-agent" in shown),
    ("T", "Columns"),
    *[("j", at(name)) for name in ("NAME", "INPUT", "MODEL", "SERVICE")],
    (" ", "[ ] SERVICE"),
    (ESC, gone("Columns")),
    ("b", "Group"),
    ("4", "5 groups"),
    (ESC, LIST),
    ("i", "arrived"),
    (ESC, gone("arrived")),
    ("v", "No view is saved"),
    ("f", "tab  status:"),
    *typed("user:u-12345"),
    (ENTER, "2 traces"),
    ("V", "Save user:u-12345 as"),
    *typed("mine"),
    (ENTER, "Saved as view:mine"),
    (ESC, "59 traces"),
    ("v", "enter or number"),
    ("1", "/ view:mine"),
    (ESC, "59 traces"),
    ("f", "tab  view:mine"),
    (ESC, gone("tab  view:mine")),
    (CTRL_P, "user:u-12345"),
    *typed("view:mine"),
    (ENTER, "/ view:mine"),
    (ESC, "59 traces"),
    ("3", "SHARE"),
    ("c", "tok"),
    ("p", "last 30d"),
    ("5", "failures of"),
    ("6", "a model call with neither usage nor price"),
    ("1", LIST),
]

SEARCH: list[Step] = [
    ("/", "search"),
    *typed("789"),
    (ENTER, at("789")),
    ("n", "hits"),
    (ENTER, "Messages"),
    (ESC, "hits"),
    (ESC, LIST),
]

READ: list[Step] = [
    ("g", at("support_agent")),
    (DOWN, at("borrowed")),
    (ENTER, at("◆ support_agent")),
    (DOWN, "new in this turn"),
    ("=", "all messages"),
    ("=", "new in this turn"),
    ("2", '"parts"'),
    ("3", "cache_read_tokens"),
    ("4", "No events"),
    ("5", "spanId"),
    ("1", "new in this turn"),
    (TAB, "Messages"),
    ("/", "what this tab holds"),
    *typed("789", "/"),
    (ESC, gone("/789")),
    (TAB, at("✦ chat")),
    ("w", "an earlier turn"),
    (ESC, gone("an earlier turn")),
    ("!", "What looks wrong"),
    (ESC, gone("What looks wrong")),
    ("a", "Agents and tools"),
    (ESC, gone("Agents and tools")),
    ("c", "2 calls"),
    (DOWN, "prefix"),
    (ESC, at("✦ chat")),
    ("J", "Go to"),
    (ESC, gone("Go to")),
    ("v", "▁▃▅█ cost"),
    ("v", "▁▃▅█ tokens"),
    ("v", "▁▃▅█ own time"),
    ("v", gone("▁▃▅█")),
    ("Z", gone("Messages")),
    ("Z", "Messages"),
    ("/", "words in this trace"),
    *typed("order", "find   "),
    (ENTER, "matches"),
    ("n", "matches"),
    ("m", "only"),
    (ESC, gone("matches")),
    ("}", "supervisor"),
    ("{", "support-42"),
]

TREE: list[Step] = [
    ("1", "I/O"),
    (ESC, LIST),
    (":", "theme NAME"),
    *typed("filter name:write_newsletter", ": "),
    (ENTER, "1 trace "),
    (ENTER, at("write_newsletter")),
    ("j", at("planner")),
    ("h", "◆ planner +1"),
    ("l", gone("◆ planner +1")),
    ("z", "+ - 0"),
    (SHIFT_RIGHT, at("planner")),
    ("0", gone("+ - 0")),
    ("+", "+ - 0"),
    ("-", gone("+ - 0")),
    ("u", gone("researcher")),
    ("u", "researcher"),
    ("K", "Fold"),
    (ESC, gone("Fold")),
    ("H", "researcher +1"),
    ("L", gone("researcher +1")),
    ("]", at("chat gpt-4o-mini")),
    ("]", "(researcher is done)"),
    ("[", "(planner is done)"),
    (ESC, LIST),
    (ESC, "59 traces"),
]

TAKE: list[Step] = [
    ("g", at("support_agent")),
    (ENTER, at("◆ support_agent")),
    ("j", at("✦ chat")),
    ("y", "span id"),
    ("1", "Sent 32 characters to the terminal"),
    ("x", "Export this trace"),
    ("1", "4 spans written to"),
    ("S", "This screen is in"),
    ("e", "in the editor"),
    (ENTER, at("✦ chat")),
]

REPLAY: list[Step] = [
    ("r", "ctrl+r sends"),
    (CTRL_R, "now  gpt-4o-mini"),
    (CTRL_O, gone("ctrl+r send")),
    (ESC, "ctrl+r send"),
    (ESC, at("✦ chat")),
    (ESC, LIST),
]

COMMANDS: list[Step] = [
    (":", "theme NAME"),
    *typed("theme tracetui-light"),
    (ENTER, gone(": theme")),
    (CTRL_P, "Search for commands"),
    *typed("Overview"),
    (ENTER, "dearest calls"),
    ("1", LIST),
]


def walk(screen: Terminal, steps: list[Step]) -> None:
    for key, seen in steps:
        screen.press(key)
        try:
            screen.until(seen)
        except AssertionError as error:
            raise AssertionError(f"after {key!r} {error}") from None


def test_every_screen_of_the_demo_is_visited_by_keys_and_the_terminal_ends_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "demo.db"
    env = {key: value for key, value in os.environ.items() if key not in ("TMUX", "STY", "DISPLAY", "WAYLAND_DISPLAY")}
    env |= {f"XDG_{name}_HOME": str(tmp_path / name.lower()) for name in ("CONFIG", "STATE")}
    env["VISUAL"] = "sh -c 'echo in the editor; read answer'"
    demo = [sys.executable, "-m", "tracetui", "demo", "--plain", "--speed", "20", "--db", str(path)]
    with terminal(["sh", "-c", f"cd '{tmp_path}' && exec {shlex.join(demo)}"], 120, 36, env) as screen:
        before = termios.tcgetattr(screen.child.fileno())
        screen.until("support_agent")
        walk(screen, WATCH)
        screen.until("59 traces")
        walk(screen, [*LISTS, *SEARCH, *READ, *TREE, *TAKE, *REPLAY, *COMMANDS])
        screen.press("q")
        screen.until("The file stays: tracetui")
        assert termios.tcgetattr(screen.child.fileno()) == before
        assert screen.end() == 0
    assert f"The file stays: tracetui {path}" in screen.raw
    assert "\x1b]52;c;" in screen.raw  # what y sent
    for name in ("alternate screen", "cursor", "mouse", "paste"):
        on, off = SWITCHES[name]
        assert screen.raw.rfind(on) < screen.raw.rfind(off), f"{name} was not put back"
    assert "Traceback" not in screen.raw
    assert {file.suffix for file in tmp_path.iterdir()} >= {".jsonl", ".svg"}
