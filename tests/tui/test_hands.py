"""Copying, exporting, the picture of a screen, opening what a trace holds: with real tools, files and readers."""

from __future__ import annotations

import base64
import json
import os
import shutil
import stat
import struct
import subprocess
import sys
import uuid
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.screen import ModalScreen

from collector.model import Content, Link, Message, Reading, SpanPart
from collector.store import open_reader
from collector.store.filters import parse_with
from tests.builders import MS, T0, make_llm, make_part, trace_id
from tests.store_read.files import write
from tracetui import clipboard, files, opener
from tracetui.app import Explorer
from tracetui.screens.menu import ChoiceScreen, Menu
from tracetui.screens.trace import TraceScreen
from tracetui.source import Source

from .real import real_app
from .story import now_ns, written
from .until import shows, until

PLAIN = {"TERM": "xterm-256color", "PATH": "/nowhere"}


def png(width: int, height: int) -> str:
    """A picture, half red and half blue, as base64."""
    rows = b"".join(
        b"\0" + b"\xe0\x20\x20" * (width // 2) + b"\x20\x20\xe0" * (width - width // 2) for _ in range(height)
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    whole = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + whole).decode()


PNG = png(64, 40)


def tool(folder: Path, name: str, code: int = 0) -> Path:
    """A program of that name which keeps its standard input in NAME.got, and ends with a code."""
    path = folder / name
    path.write_text(f'#!/bin/sh\n/bin/cat > "{folder}/{name}.got"\nexit {code}\n')
    path.chmod(0o755)
    return folder / f"{name}.got"


@pytest.mark.parametrize(
    ("name", "env"),
    [("wl-copy", {"WAYLAND_DISPLAY": "w"}), ("xclip", {"DISPLAY": ":0"}), ("xsel", {"DISPLAY": ":0"}), ("pbcopy", {}),
     ("clip.exe", {}), ("tmux", {"TMUX": "/tmp/t"}), ("xclip", {"DISPLAY": "localhost:10.0", "SSH_TTY": "/dev/pts/1"})],
)  # fmt: skip
def test_a_tool_of_the_desktop_takes_the_text(name: str, env: dict[str, str], tmp_path: Path) -> None:
    got = tool(tmp_path, name)
    done = clipboard.deliver("läuft ✔\n", {**PLAIN, **env, "PATH": str(tmp_path)}, tmp_path)
    assert (done.how, done.sequence) == (name, "")
    assert done.sentence.startswith(f"Copied 8 characters with {name}")
    assert got.read_bytes().decode("utf-16" if name == "clip.exe" else "utf-8") == "läuft ✔\n"


def test_over_ssh_the_other_machines_clipboard_is_left_alone(tmp_path: Path) -> None:
    tool(tmp_path, "pbcopy")
    tool(tmp_path, "wl-copy")
    env = {**PLAIN, "PATH": str(tmp_path), "SSH_CONNECTION": "a b c d", "WAYLAND_DISPLAY": "w"}
    assert clipboard.deliver("x", env, tmp_path).how == "osc52"


def test_a_tool_that_fails_gives_way_to_the_terminal(tmp_path: Path) -> None:
    tool(tmp_path, "xclip", code=1)
    done = clipboard.deliver("x", {**PLAIN, "DISPLAY": ":0", "PATH": str(tmp_path)}, tmp_path)
    assert done.how == "osc52"
    assert "does not say whether" in done.sentence


def test_the_terminal_is_told_by_osc_52_wrapped_where_it_has_to_be() -> None:
    coded = base64.b64encode("hé".encode()).decode()
    assert clipboard.osc52("hé", PLAIN) == f"\x1b]52;c;{coded}\x07"
    wrapped = clipboard.osc52("hé", {**PLAIN, "TMUX": "x"})
    assert wrapped == f"\x1bPtmux;\x1b\x1b]52;c;{coded}\x07\x1b\\"
    long = clipboard.osc52("a" * 3000, {**PLAIN, "TERM": "screen", "STY": "1.tty"})
    assert long is not None
    pieces = long.split("\x1b\\")[:-1]
    assert all(piece.startswith("\x1bP") and len(piece) < 768 for piece in pieces)
    assert "".join(piece[2:] for piece in pieces) == "\x1b]52;c;" + base64.b64encode(b"a" * 3000).decode() + "\x07"


def test_a_browser_is_told_itself_whatever_the_server_runs_in(tmp_path: Path) -> None:
    got = tool(tmp_path, "xclip")
    env = {
        "TEXTUAL_DRIVER": "textual.drivers.web_driver:WebDriver",
        "DISPLAY": ":0",
        "TMUX": "x",
        "PATH": str(tmp_path),
    }
    done = clipboard.deliver("x", env, tmp_path)
    assert (done.how, done.sequence) == ("osc52", "\x1b]52;c;eA==\x07")
    assert "to the browser" in done.sentence
    assert not got.exists()


@pytest.mark.parametrize(
    ("text", "env"),
    [("a" * 80_000, PLAIN), ("a", {**PLAIN, "TERM": "linux"}), ("a", {**PLAIN, "TERM_PROGRAM": "Apple_Terminal"}),
     ("a", {"PATH": ""})],
)  # fmt: skip
def test_the_last_resort_is_a_file_that_is_named(text: str, env: dict[str, str], tmp_path: Path) -> None:
    done = clipboard.deliver(text, env, tmp_path / "state")
    path = tmp_path / "state" / "copied.txt"
    assert done.how == "file"
    assert str(path) in done.sentence
    assert path.read_text() == text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.skipif(shutil.which("tmux") is None, reason="no tmux here")
def test_a_real_tmux_takes_it_into_its_buffer(tmp_path: Path) -> None:
    socket = f"tracetui-{uuid.uuid4().hex[:8]}"
    base = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TERM": "xterm-256color", "LANG": "C.UTF-8"}

    def tmux(*words: str) -> str:
        done = subprocess.run(["tmux", "-L", socket, *words], env=base, capture_output=True, text=True, timeout=20)
        return done.stdout

    tmux("-f", "/dev/null", "new-session", "-d", "-s", "one", "cat")
    if not tmux("list-sessions"):
        pytest.skip("tmux cannot run here")
    try:
        where = tmux("display-message", "-p", "#{socket_path},#{pid},0").strip()
        done = clipboard.deliver("into tmux", {**base, "TMUX": where}, tmp_path)
        assert done.how == "tmux"
        assert tmux("show-buffer") == "into tmux"
    finally:
        tmux("kill-server")


def test_what_is_opened_cannot_be_a_program() -> None:
    assert [opener.ending(mime) for mime in ("image/png", "text/html", "image/svg+xml", "application/x-sh", "")] == [
        ".png", ".txt", ".txt", ".bin", ".bin",
    ]  # fmt: skip
    path = opener.kept(b"x", "image/png")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert opener.address("https://example.org/a?b=c") == "https://example.org/a?b=c"
    for bad in ("file:///etc/passwd", "javascript:alert(1)", "-x", "https://a b", "https://a\x1b]0;x\x07", ""):
        with pytest.raises(opener.NotOpened):
            opener.address(bad)
    with pytest.raises(opener.NotOpened, match="xdg-open"):
        opener.words({"PATH": "/nowhere"}, "linux")


@pytest.mark.parametrize("text", ["né", "abcde", "\ud800"])
def test_what_is_no_base64_is_told_and_not_opened(text: str) -> None:
    with pytest.raises(opener.NotOpened, match="cannot be read as base64"):
        opener.decoded(text)


def test_a_name_of_a_file_is_never_taken_twice(tmp_path: Path) -> None:
    for expected in ("a.md", "a-2.md", "a-3.md"):
        path = files.unused(tmp_path, "a", ".md")
        assert path.name == expected
        files.written(path, [(1, b"x")])


# In the explorer, on a real file.

PICTURE = {"type": "image", "mime_type": "image/png", "data": PNG, "name": "cat.png"}
REMOTE = {"type": "image", "url": "https://example.org/cat.png"}


def parts() -> list[SpanPart]:
    asked = Content(messages=(Message("user", ({"type": "text", "text": "What is this?"}, PICTURE, REMOTE)),))
    said = Content(messages=(Message("assistant", ({"type": "text", "text": "A **cat**."},)),))
    reading = Reading(kind="llm", model="gpt-4o", provider="openai", input=asked, output=said)
    return [
        make_part(1, trace=trace_id(1), name="agent", attributes={"room": "kitchen", "n": 3, "deep": "needle " * 90}),
        make_part(2, parent=1, trace=trace_id(1), name="chat", reading=reading,
                  links=(Link(trace_id(2), "0000000000000001"), Link(trace_id(1), "0000000000000001"),
                         Link(trace_id(9), "0000000000000009"))),
        make_part(3, parent=1, trace=trace_id(1), name="again",
                  reading=Reading(kind="llm", model="gpt-4o", replay_of="0000000000000002")),
        make_part(1, trace=trace_id(2), name="other", start_ns=T0 - 5000 * MS),
        make_llm(7, trace=trace_id(3), name="third", start_ns=T0 - 9000 * MS),
    ]  # fmt: skip


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "TMUX", "STY", "TERM_PROGRAM", "SSH_TTY", "SSH_CONNECTION", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.chdir(tmp_path)
    return write(tmp_path / "traces.db", *parts())


@contextmanager
def tools_in(path: Path, *names: str) -> Iterator[list[Path]]:
    yield [tool(path.parent / "bin", name) for name in names]


def explorer(path: Path, **changes: Any) -> Explorer:
    source = Source(str(path), lambda: open_reader(path), lambda text: parse_with(text, T0, {}))
    return Explorer(source, **({"tail": False, "now_ns": lambda: T0 + 10**10, "open_trace": trace_id(1)} | changes))


async def at_chat(pilot: Pilot[Any]) -> None:
    """The trace is open, the inspector shows its model call."""
    await until(pilot, lambda: isinstance(pilot.app.screen, TraceScreen) and shows(pilot, "agent", "chat", "again"))
    await pilot.press("j")
    await until(pilot, lambda: shows(pilot, "What is this?", "A cat."))


async def choose(pilot: Pilot[Any], key: str, label: str) -> None:
    await pilot.press(key)
    await until(pilot, lambda: isinstance(pilot.app.screen, ChoiceScreen))
    menu = pilot.app.screen.query_one(Menu)
    menu.move_to([choice.label for choice in menu.choices].index(label))
    await pilot.press("enter")


@pytest.mark.parametrize("key", ["y", "x", "t", "b"])
async def test_a_menu_stands_over_its_list_and_leaves_it_in_sight(file: Path, key: str) -> None:
    async with explorer(file, open_trace=None).run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: shows(pilot, "agent", "traces.db"))
        await pilot.press(key)
        await until(pilot, lambda: isinstance(pilot.app.screen, ModalScreen) and shows(pilot, "enter or number"))
        assert pilot.app.screen.query_one("#menu").region.x > 5
        assert shows(pilot, "traces.db")


COPIES = {
    "trace id": trace_id(1),
    "span id": "0000000000000002",
    "message": "A **cat**.",
    "conversation, Markdown": "**assistant**\n\nA **cat**.",
    "input": '"text": "What is this?"',
    "span as JSON": '"parent_span_id": "0000000000000001"',  # as commands print it, not as the file has it
    "curl": "/chat/completions",
    "Python": "client.chat.completions.create(**REQUEST",
    "pytest": "def test_chat_span",
}


async def test_y_copies_everything_that_a_span_has(file: Path) -> None:
    async with explorer(file).run_test(size=(140, 40), notifications=True) as pilot:
        await at_chat(pilot)
        with tools_in(file, "pbcopy") as (got,):
            for label, holds in COPIES.items():
                got.unlink(missing_ok=True)
                await choose(pilot, "y", label)
                await until(pilot, lambda: got.exists() and got.stat().st_size)
                assert holds in got.read_text(), label
        await until(pilot, lambda: shows(pilot, "characters with pbcopy"))


async def test_y_copies_the_value_under_the_cursor_and_its_message(file: Path) -> None:
    async with explorer(file).run_test(size=(140, 40)) as pilot:
        await until(pilot, lambda: shows(pilot, "again"))
        await pilot.press("3", "tab")
        await until(pilot, lambda: shows(pilot, "kitchen"))
        inspector = pilot.app.screen.inspector
        inspector.move_to(next(n for n, line in enumerate(inspector.lines) if line.here.name == "room"))
        with tools_in(file, "pbcopy") as (got,):
            await choose(pilot, "y", "value room")
            await until(pilot, lambda: got.exists() and got.read_text() == "kitchen")
        await pilot.press("tab", "j", "1", "tab")
        await until(pilot, lambda: shows(pilot, "What is this?"))
        line = next(n for n, line in enumerate(inspector.lines) if "What is this?" in str(line.parts))
        inspector.move_to(line)
        got.unlink()
        with tools_in(file, "pbcopy") as (got,):
            await choose(pilot, "y", "message")
            await until(pilot, lambda: got.exists() and "What is this?" in got.read_text())


async def test_x_exports_the_trace_in_every_format(file: Path) -> None:
    async with explorer(file).run_test(size=(140, 40), notifications=True) as pilot:
        await at_chat(pilot)
        for form, suffix in (("native", ".jsonl"), ("otlp", ".otlp.jsonl"), ("csv", ".csv"), ("md", ".md"),
                             ("html", ".html"), ("perfetto", ".perfetto.json")):  # fmt: skip
            await choose(pilot, "x", form)
            path = file.parent / f"trace-00000000{suffix}"
            await until(pilot, path.exists)
            assert "again" in path.read_text()
            assert "third" not in path.read_text()
        await until(pilot, lambda: shows(pilot, "3 spans written to"))


async def test_x_on_a_list_exports_what_its_filter_finds(file: Path) -> None:
    async with explorer(file, open_trace=None).run_test(size=(140, 40)) as pilot:
        await until(pilot, lambda: shows(pilot, "third", "other"))
        await pilot.press("f", *"name:other", "enter")
        await until(pilot, lambda: not shows(pilot, "third"))
        await choose(pilot, "x", "md")
        await until(pilot, lambda: list(file.parent.glob("traces-*.md")))
        text = next(file.parent.glob("traces-*.md")).read_text()
        assert text.startswith("# other")
        assert text.count("\n## ") == 1


async def test_an_export_that_cannot_be_written_says_so(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with explorer(file).run_test(size=(140, 40), notifications=True) as pilot:
        await at_chat(pilot)
        monkeypatch.chdir("/proc")
        await choose(pilot, "x", "md")
        await until(pilot, lambda: shows(pilot, "Not exported"))


async def test_s_saves_a_picture_of_lists_and_traces(file: Path) -> None:
    async with explorer(file).run_test(size=(100, 30), notifications=True) as pilot:
        await at_chat(pilot)
        await pilot.press("S")
        await until(pilot, lambda: shows(pilot, "This screen is in"))
        (path,) = file.parent.glob("tracetui-*.svg")
        assert "chat" in path.read_text()
        assert path.read_text().startswith("<svg")
        await pilot.press("escape", "S")
        await until(pilot, lambda: len(list(file.parent.glob("tracetui-*.svg"))) == 2)


async def test_o_opens_a_picture_outside_and_only_then(file: Path) -> None:
    with tools_in(file, "xdg-open"):
        said = file.parent / "said"
        (file.parent / "bin" / "xdg-open").write_text(f'#!/bin/sh\necho "$#" "$1" > "{said}"\n')
        async with explorer(file).run_test(size=(140, 40), notifications=True) as pilot:
            await at_chat(pilot)
            assert not said.exists()
            await pilot.press("o")
            await until(pilot, lambda: said.exists() and said.read_text())
            count, path = said.read_text().split()
            assert count == "1"
            assert Path(path).read_bytes() == base64.b64decode(PNG)
            said.unlink()
            inspector = pilot.app.screen.inspector
            await pilot.press("tab")
            inspector.move_to(next(n for n, line in enumerate(inspector.lines) if line.here.media == REMOTE))
            await pilot.press("o")
            await until(pilot, lambda: said.exists() and said.read_text() == "1 https://example.org/cat.png\n")


async def test_o_without_an_opener_or_a_file_says_so(file: Path) -> None:
    async with explorer(file).run_test(size=(140, 40), notifications=True) as pilot:
        await until(pilot, lambda: shows(pilot, "again"))
        await pilot.press("o")
        await until(pilot, lambda: shows(pilot, "no file or picture here"))
        await at_chat(pilot)
        await pilot.press("o")
        await until(pilot, lambda: shows(pilot, "nothing here to open it with"))


@pytest.mark.skipif(sys.platform == "win32", reason="a pager of a Unix")
async def test_e_takes_the_pager_where_no_editor_is_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tracetui import editor

    for name in ("VISUAL", "EDITOR"):
        monkeypatch.delenv(name, raising=False)
    tool(file.parent / "bin", "mypager")
    monkeypatch.setenv("PAGER", "mypager -R")
    assert editor.command(os.environ) == ["mypager", "-R"]
    monkeypatch.delenv("PAGER")
    tool(file.parent / "bin", "less")
    assert editor.command(os.environ) == ["less"]


BEHIND = {
    "errors": (("5",), "of these failures"),
    "session": (("2", "g", "enter"), "of this session"),
    "signal": (("6", "g"), "with the signal"),
    "found": (("slash", *"return", "enter"), "of these hits"),
    "group": (("b", "1"), "of this session"),
    "costs": (("3",), "of this line"),
    "traces": (("4",), "of this line"),
    "trace": (("4", "G"), "of this line"),
}
"""What a file is called, the keys from the list of traces to what it is made of, and how the menu names that."""


@pytest.mark.slow
@pytest.mark.parametrize("name", BEHIND)
async def test_x_exports_the_traces_behind_what_a_screen_shows(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    keys, about = BEHIND[name]
    app = real_app(written(tmp_path / "story.db"), now_ns)
    async with app.run_test(size=(140, 40)) as pilot:
        await until(pilot, lambda: shows(pilot, "63 traces"))
        await pilot.press(*keys)
        await until(pilot, lambda: app.screen.to_export() is not None)
        asked = app.screen.to_export()
        assert about in asked.about
        with app.facts.source.open_reader() as reader:
            wanted = {row.trace_id for row in asked.traces(reader)}
        await choose(pilot, "x", "native")
        await until(pilot, lambda: list(tmp_path.glob(f"{name}-*.jsonl")))
        lines = next(tmp_path.glob(f"{name}-*.jsonl")).read_text().splitlines()
        assert {json.loads(line)["trace_id"] for line in lines if "trace_id" in line} == wanted
        assert 0 < len(wanted) < 63
