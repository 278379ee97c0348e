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
    """$VISUAL, else $EDITOR, with its arguments."""
    said = env.get("VISUAL", "").strip() or env.get("EDITOR", "").strip()
    if not said:
        raise NoEditor("No editor is named: set $VISUAL or $EDITOR, to vim, nano or 'code --wait' for example.")
    try:
        words = shlex.split(said)
    except ValueError as error:
        raise NoEditor(f"$VISUAL or $EDITOR cannot be read ({error}): {said}") from error
    if not words or shutil.which(words[0]) is None:
        raise NoEditor(f"The editor {said!r} was not found; set $VISUAL or $EDITOR to one that is installed.")
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
