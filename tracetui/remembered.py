"""What the explorer remembers of how one likes it (columns, panes): a small JSON file in the user's state folder.

What cannot be read or written is as if nothing were remembered.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

MOST_BYTES = 100_000


def default_path() -> Path:
    from platformdirs import user_state_dir

    return Path(user_state_dir("tracetui")) / "layout.json"


class Remembered:
    """Values by name, read anew at each question: another explorer may have changed them."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path

    def get(self, name: str) -> Any:
        """What was put under this name, or None. It may be anything that JSON holds: the file is the user's."""
        return self._read().get(name)

    def put(self, name: str, value: object) -> None:
        known = {**self._read(), name: value}
        with suppress(OSError):
            self._write(json.dumps(known, indent=1, sort_keys=True) + "\n")

    def _file(self) -> Path:
        if self._path is None:
            self._path = default_path()
        return self._path

    def _read(self) -> dict[str, Any]:
        try:
            with self._file().open("rb") as file:
                found = json.loads(file.read(MOST_BYTES))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _write(self, text: str) -> None:
        path = self._file()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
                file.write(text)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
