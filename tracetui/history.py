"""The filters that were asked for before, newest first: a file in the user's state folder, which nobody else may read.

What cannot be read or written is as if there were no history: a filter bar works without one.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

MOST = 200
MOST_CHARS = 2000


def default_path() -> Path:
    from platformdirs import user_state_dir

    return Path(user_state_dir("tracetui")) / "filters"


class History:
    """At most MOST filters, each once. Read at the first question."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._known: list[str] | None = None

    def entries(self) -> list[str]:
        """Newest first."""
        if self._known is None:
            self._known = self._read()
        return self._known

    def add(self, text: str) -> None:
        text = text.strip()
        if not text or len(text) > MOST_CHARS or not text.isprintable():
            return
        # read again: another explorer may have added to it
        self._known = [text, *(one for one in self._read() if one != text)][:MOST]
        with suppress(OSError):
            self._write(self._known)

    def _file(self) -> Path:
        if self._path is None:
            self._path = default_path()
        return self._path

    def _read(self) -> list[str]:
        try:
            with self._file().open("rb") as file:
                lines = file.read(MOST * MOST_CHARS * 4).decode("utf-8", "replace").split("\n")
        except OSError:
            return []
        return [line for line in lines if line.strip() and line.isprintable() and len(line) <= MOST_CHARS][:MOST]

    def _write(self, entries: list[str]) -> None:
        path = self._file()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write("".join(f"{one}\n" for one in entries).encode("utf-8", "replace"))
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
