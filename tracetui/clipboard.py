"""Copying: a tool of the desktop, else the terminal itself (OSC 52), else a file; and which of them it was.

A tool says whether it took the text; a terminal does not answer, so the sentence promises nothing. Over SSH the tools
of the other machine would fill the wrong clipboard: only one that reaches this desktop (X11 forwarded) is asked. So it
is in a browser (`tracetui serve`), whose page takes OSC 52, whatever the server's own terminal is.
"""

from __future__ import annotations

import base64
import shutil
import subprocess  # the desktop's own tools, by name, without a shell
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tracetui import files
from tracetui import format as fmt

TOOL_S = 3.0
MOST_OSC_BYTES = 74_994
"""Of text: 100,000 characters of base64 are what xterm and most others take at once."""
SCREEN_BYTES = 740
"""GNU screen passes a longer string through in pieces only."""
DEAF = ("linux", "dumb", "vt100", "vt220")
"""Terminals that know nothing of OSC 52 (the Linux console among them)."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A program that takes a text on its standard input. `encoding` is what it reads."""

    words: tuple[str, ...]
    name: str
    encoding: str = "utf-8"


PBCOPY, WL_COPY = Tool(("pbcopy",), "pbcopy"), Tool(("wl-copy",), "wl-copy")
XCLIP = Tool(("xclip", "-selection", "clipboard"), "xclip")
XSEL = Tool(("xsel", "--clipboard", "--input"), "xsel")
CLIP = Tool(("clip.exe",), "clip.exe", "utf-16")
TMUX = Tool(("tmux", "load-buffer", "-w", "-"), "tmux, which was asked to tell the terminal")


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of a text. `sequence` is what has to be written to the terminal, "" for nothing."""

    how: str
    sentence: str
    sequence: str = ""


def deliver(text: str, env: Mapping[str, str], folder: Path) -> Delivered:
    """Put a text where it can be pasted from. `folder` is for the file that is the last resort. Takes up to some
    seconds: for a thread. OSError when not even the file can be written."""
    size = f"{fmt.count(len(text))} character" + ("" if len(text) == 1 else "s")
    browser = in_browser(env)
    for tool in () if browser else tools(env):
        if _given(tool, text, env):
            return Delivered(tool.words[0], f"Copied {size} with {tool.name}.")
    sequence = osc52(text, env)
    if sequence:
        to = "the browser" if browser else "the terminal (OSC 52)"
        return Delivered("osc52", f"Sent {size} to {to}. It does not say whether it took them.", sequence)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / "copied.txt"
    files.written(path, [(0, text.encode("utf-8", "replace"))])
    return Delivered("file", f"No clipboard can be reached from here: {size} written to {path}.")


def in_browser(env: Mapping[str, str]) -> bool:
    """Whether the screen is a page of textual-serve's."""
    return "web_driver" in env.get("TEXTUAL_DRIVER", "")


def tools(env: Mapping[str, str]) -> list[Tool]:
    """The tools that would reach this user's clipboard, the best first."""
    known: list[Tool] = []
    remote = bool(env.get("SSH_CONNECTION") or env.get("SSH_TTY"))
    if not remote:
        known += [PBCOPY] if not env.get("DISPLAY") and not env.get("WAYLAND_DISPLAY") else []
        known += [WL_COPY] if env.get("WAYLAND_DISPLAY") else []
        known.append(CLIP)
    if env.get("DISPLAY"):
        known += [XCLIP, XSEL]
    if env.get("TMUX"):
        known.append(TMUX)
    return [tool for tool in known if shutil.which(tool.words[0], path=env.get("PATH"))]


def _given(tool: Tool, text: str, env: Mapping[str, str]) -> bool:
    """Whether the tool took it. Some stay in the background to hand it out: they keep no end of a pipe of ours."""
    try:
        done = subprocess.run(  # noqa: S603 - words of ours, no shell
            tool.words, input=text.encode(tool.encoding, "replace"), stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, timeout=TOOL_S, env=dict(env), start_new_session=True, check=False,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def osc52(text: str, env: Mapping[str, str]) -> str | None:
    """The sequence that hands a text to the terminal; None where it is too long or the terminal is known not to
    listen. Wrapped for tmux (which passes it on with `allow-passthrough`) and for GNU screen."""
    data = text.encode("utf-8", "replace")
    if in_browser(env):
        env = {"TERM": "xterm"}
    term = env.get("TERM", "")
    if len(data) > MOST_OSC_BYTES or term in DEAF or not term or env.get("TERM_PROGRAM") == "Apple_Terminal":
        return None
    coded = base64.b64encode(data).decode()
    if env.get("TMUX") or term.startswith("tmux"):
        return f"\x1bPtmux;\x1b\x1b]52;c;{coded}\x07\x1b\\"
    if env.get("STY"):
        whole = f"\x1b]52;c;{coded}\x07"
        pieces = [whole[at : at + SCREEN_BYTES] for at in range(0, len(whole), SCREEN_BYTES)]
        return "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)
    return f"\x1b]52;c;{coded}\x07"


def folder() -> Path:
    """Where the last resort's file goes: the user's state folder."""
    from platformdirs import user_state_dir

    return Path(user_state_dir("tracetui"))
