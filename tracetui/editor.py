"""Showing a text in the user's editor: a file of one's own, 0600, gone when the editor ends."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess  # the user's editor, started without a shell
import tempfile
from collections.abc import Mapping
from pathlib import Path

from collector.errors import TracetuiError


class NoEditor(TracetuiError):
    """There is no editor to open, or it could not be started."""


def command(env: Mapping[str, str]) -> list[str]:
    """$VISUAL, else $EDITOR, else $PAGER, with its arguments; else a pager that is here."""
    name = next((name for name in ("VISUAL", "EDITOR", "PAGER") if env.get(name, "").strip()), "")
    if not name:
        pager = next((word for word in ("less", "more") if shutil.which(word, path=env.get("PATH"))), None)
        if pager is None:
            raise NoEditor("No editor is named: set $VISUAL or $EDITOR, to vim, nano or 'code --wait' for example.")
        return [pager]
    said = env[name].strip()
    try:
        words = shlex.split(said)
    except ValueError as error:
        raise NoEditor(f"${name} cannot be read ({error}): {said}; set $VISUAL or $EDITOR") from error
    if not words or shutil.which(words[0], path=env.get("PATH")) is None:
        raise NoEditor(f"${name} names {said!r}, which was not found; set $VISUAL or $EDITOR to one that is installed.")
    return words


def show(text: str, suffix: str, words: list[str]) -> None:
    """Open a copy of the text and wait for the editor. What is changed in it goes nowhere."""
    with tempfile.TemporaryDirectory(prefix="tracetui-") as folder:
        path = Path(folder, f"span{suffix}")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
        try:
            subprocess.run([*words, str(path)], check=False)  # noqa: S603 - the user's own choice, no shell
        except OSError as error:
            raise NoEditor(f"{words[0]} could not be started: {error.strerror}") from error
