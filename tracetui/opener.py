"""Opening a file or an address that a trace holds, with whatever the desktop opens it with; only when asked to.

What a file claims to be is foreign: only types that a viewer shows keep their ending, pages and programs become .txt or
.bin, so that nothing that is opened is run. Files are written 0600 into a folder of our own that goes when we end.
"""

from __future__ import annotations

import atexit
import base64
import os
import shutil
import subprocess  # the desktop's own opener, by name, without a shell
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path

from collector.errors import TracetuiError
from tracetui import files

ENDINGS = {
    "image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "image/webp": ".webp", "image/bmp": ".bmp",
    "image/tiff": ".tiff", "application/pdf": ".pdf", "audio/wav": ".wav", "audio/x-wav": ".wav", "audio/wave": ".wav",
    "audio/mpeg": ".mp3", "audio/mp3": ".mp3", "audio/ogg": ".ogg", "audio/flac": ".flac", "audio/mp4": ".m4a",
    "video/mp4": ".mp4", "video/webm": ".webm", "application/json": ".json", "text/csv": ".csv",
}  # fmt: skip
MOST_CHARS = 128_000_000
"""Of base64: so much of a file is opened."""
_kept: list[Path] = []


class NotOpened(TracetuiError):
    """There is nothing to open it with, or it may not be opened."""


def ending(mime_type: str) -> str:
    """The ending of a file of this type: .txt for any text, .bin for what is not known to be harmless."""
    mime = mime_type.partition(";")[0].strip().lower()
    if mime in ENDINGS:
        return ENDINGS[mime]
    return ".txt" if mime.startswith("text/") or mime.endswith(("+xml", "/xml")) else ".bin"


def decoded(text: str) -> bytes:
    """The bytes of a file that is told in base64. NotOpened for what is none."""
    try:
        return base64.b64decode(text[:MOST_CHARS], validate=False)
    except ValueError as error:  # binascii.Error is one; letters beyond ASCII raise another
        raise NotOpened(f"what was recorded of it cannot be read as base64: {error}") from error


def kept(data: bytes, mime_type: str) -> Path:
    """The data as a file of ours."""
    if not _kept:
        folder = Path(tempfile.mkdtemp(prefix="tracetui-"))  # 0700
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        _kept.append(folder)
    path = files.unused(_kept[0], "file", ending(mime_type))
    files.written(path, [(0, data)])
    return path


def address(url: str) -> str:
    """A web address as it may be handed to a browser. NotOpened for anything else: `file:` and the schemes of other
    programs could do more than show something."""
    if not url.lower().startswith(("http://", "https://")) or not url.isprintable() or " " in url:
        raise NotOpened(f"only web addresses are opened, and this is none: {url[:80]}")
    return url


def words(env: Mapping[str, str], platform: str = sys.platform) -> list[str]:
    """The command that opens things here. NotOpened says what is missing."""
    names = {"darwin": ("open",), "win32": ("explorer",)}.get(platform, ("xdg-open", "wslview", "gio"))
    for name in names:
        if shutil.which(name, path=env.get("PATH")):
            return [name, "open"] if name == "gio" else [name]
    raise NotOpened(f"there is nothing here to open it with ({', '.join(names)}); y copies it")


def show(target: str, command: list[str], env: Mapping[str, str]) -> None:
    """Start the opener and go on."""
    try:
        process = subprocess.Popen(  # noqa: S603 - the desktop's opener, no shell; the target is an argument of its own
            [*command, target], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=dict(env), start_new_session=os.name != "nt",
        )  # fmt: skip
    except OSError as error:
        raise NotOpened(f"{command[0]} could not be started: {error.strerror}") from error
    threading.Thread(target=process.wait, name="opener", daemon=True).start()  # else it would stay as a zombie
